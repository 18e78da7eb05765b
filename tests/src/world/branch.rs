//! A world that goes on from another, with chances of its own: so that many runs share one beginning.

use super::*;

impl World {
    /// As this world stands, every node started anew on its disk, under another seed.
    pub fn branch(&self, seed: u64) -> Self {
        let nodes = self.nodes.iter().map(|(code, node)| {
            let copy = SimNode {
                me: node.me.clone(),
                core: Core::new(node.me.clone()),
                store: node.store.clone(),
                objects: node.objects.clone(),
                vault: node.vault.clone(),
                fetched_bytes: 0,
                transport: node.transport,
                disk: Disk::default(),
                up: true,
                started: false,
            };
            (*code, copy)
        });
        Self {
            now: self.now,
            faults: Faults::default(),
            captured: Vec::new(),
            happened: BTreeMap::new(),
            most_under_way: 0,
            nodes: nodes.collect(),
            paths: self.paths.clone(),
            chance: Chance::new(seed),
            wires: BTreeMap::new(),
            next_link: self.next_link,
            next_token: self.next_token,
            frames: VecDeque::new(),
            pending: VecDeque::new(),
            cut: BTreeSet::new(),
            lines: BTreeMap::new(),
            gapped: BTreeSet::new(),
            late: BTreeMap::new(),
            next_late: 0,
            overheard: None,
            wrong: BTreeMap::new(),
            answers: BTreeMap::new(),
            searches: BTreeMap::new(),
            divisions: Arc::clone(&self.divisions),
        }
    }
}
