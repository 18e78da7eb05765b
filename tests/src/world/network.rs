//! Links and time: what is connected, cut, restarted; and how everything under way arrives.

use federation::wire::{Frame, MAX_FRAME_BYTES};

use super::*;

/// Most inputs until everything that is under way at one time has arrived; a greeting of all with full outboxes takes a tenth of it.
const MOST_INPUTS: usize = 200_000;
/// Inputs told when there were more.
const TOLD_INPUTS: usize = 1_000;

impl World {
    /// Whether every hop between two nodes is connected and running.
    pub(crate) fn reachable(&self, a: Code, b: Code) -> bool {
        let hops = Path::route(&self.paths[&a], &self.paths[&b]);
        let running = hops.iter().all(|code| self.nodes[code].up);
        running
            && hops.windows(2).all(|pair| {
                self.wires
                    .values()
                    .any(|wire| wire.owner == pair[0] && wire.other == pair[1])
            })
    }

    pub(super) fn drop_link(&mut self, link: LinkId) {
        let Some(wire) = self.wires.remove(&link) else {
            return;
        };
        self.wires.remove(&wire.far);
        self.frames.retain(|(at, _)| *at != link && *at != wire.far);
        self.pending
            .push_back((wire.owner, Input::LinkDown { link }));
        self.pending
            .push_back((wire.other, Input::LinkDown { link: wire.far }));
    }

    /// Ends a link once what was sent on it arrived.
    pub(super) fn close_link(&mut self, link: LinkId) {
        if let Some(wire) = self.wires.get(&link).copied() {
            for (at, bytes) in std::mem::take(&mut self.frames) {
                if at == wire.far {
                    let frame = Input::Frame { link: at, bytes };
                    self.pending.push_back((wire.other, frame));
                } else {
                    self.frames.push_back((at, bytes));
                }
            }
        }
        self.drop_link(link);
    }

    /// The process ends and starts again on what its disk holds.
    pub fn restart(&mut self, code: Code) {
        self.end(code);
        self.pending.push_back((code, Input::Started));
    }

    /// The process ends; it starts again with whatever comes to it next, and at the latest when time has passed.
    pub(super) fn end(&mut self, code: Code) {
        let links: Vec<LinkId> = self
            .wires
            .iter()
            .filter(|(_, wire)| wire.owner == code)
            .map(|(link, _)| *link)
            .collect();
        for link in links {
            self.drop_link(link);
        }
        self.pending.retain(|(at, _)| *at != code);
        if let Some(node) = self.nodes.get_mut(&code) {
            node.core = Core::new(node.me.clone());
            node.up = true;
            node.started = false;
        }
    }

    /// From here on the node runs under another profile of law, as its operator would have it: the process starts again on its disk.
    pub fn runs_under(&mut self, code: Code, profile: &Profile) {
        self.nodes.get_mut(&code).expect("a node").me.profile = profile.clone();
        self.restart(code);
        self.settle();
    }

    /// The process ends and stays away until [`World::restart`].
    pub fn stop(&mut self, code: Code) {
        self.restart(code);
        self.pending.retain(|(at, _)| *at != code);
        self.nodes.get_mut(&code).expect("a node").up = false;
    }

    /// Takes away a node's tables; they are rebuilt from its ledger, and must come out equal.
    ///
    /// # Errors
    /// The first key that differs.
    pub fn rebuild(&self, code: Code) -> Result<usize, String> {
        let before = &self.nodes[&code].store;
        let rebuilt = replayed(before, before.records.len())?;
        for (key, value) in &before.tables {
            if rebuilt.tables.get(key) != Some(value) {
                return Err(format!("{:?} differs after a rebuild", key.0));
            }
        }
        // That an envelope was seen is forgotten once it has expired, which no record says.
        let forgotten = |key: &&(Table, Vec<u8>)| key.0 == Table::Seen && key.1.starts_with(b"e");
        let mut more = rebuilt.tables.keys().filter(|key| !forgotten(key));
        if let Some((table, _)) = more.find(|key| !before.tables.contains_key(*key)) {
            return Err(format!(
                "a rebuild leaves a row of {table:?} that was not there"
            ));
        }
        Ok(rebuilt.tables.len())
    }

    /// A node's ledger goes back to its first `records`, as after an old backup, and the node starts on it: what it writes from now on is a
    /// second history under the same key.
    pub fn rewind(&mut self, code: Code, records: usize) {
        let store = replayed(&self.nodes[&code].store, records).expect("its own records");
        self.nodes.get_mut(&code).expect("a node").store = store;
        self.restart(code);
    }

    /// Sets a node's clock, and that of its people, ahead of the time or, below zero, behind it.
    pub fn set_clock(&mut self, code: Code, ahead_ms: i64) {
        self.wrong.insert(code, ahead_ms);
    }

    /// All clocks are right again.
    pub fn set_clocks_right(&mut self) {
        self.wrong.clear();
    }

    /// Whether a node runs.
    pub fn is_up(&self, code: Code) -> bool {
        self.nodes[&code].up
    }

    /// What a node's clock shows.
    pub fn clock(&self, code: Code) -> Moment {
        clock(self.now, &self.wrong, code)
    }

    /// Cuts a node off from its parent until [`World::heal`].
    pub fn cut(&mut self, code: Code) {
        self.cut.insert(code);
        let parent = self.paths[&code].parent().map(|parent| parent.code());
        let link = self
            .wires
            .iter()
            .find(|(_, wire)| wire.owner == code && Some(wire.other) == parent)
            .map(|(link, _)| *link);
        if let Some(link) = link {
            self.drop_link(link);
        }
    }

    /// Lets a node reach its parent again.
    pub fn heal(&mut self, code: Code) {
        self.cut.remove(&code);
    }

    /// Everything may connect, nothing fails any more.
    pub fn heal_all(&mut self) {
        self.cut.clear();
        self.faults = Faults::default();
        self.mend_lines();
        self.mend_disks();
        for code in self.codes() {
            if !self.nodes[&code].up {
                self.restart(code);
            }
        }
    }

    /// Children dial where there is no connection and nothing is cut.
    fn dial(&mut self) {
        for code in self.codes() {
            let Some(parent) = self.paths[&code].parent().map(|parent| parent.code()) else {
                continue;
            };
            let connected = self
                .wires
                .values()
                .any(|wire| wire.owner == code && wire.other == parent);
            if connected
                || self.cut.contains(&code)
                || !self.nodes[&code].up
                || !self.nodes[&parent].up
            {
                continue;
            }
            let (near, far) = (LinkId(self.next_link), LinkId(self.next_link + 1));
            self.next_link += 2;
            self.wires.insert(
                near,
                Wire {
                    owner: code,
                    other: parent,
                    far,
                },
            );
            self.wires.insert(
                far,
                Wire {
                    owner: parent,
                    other: code,
                    far: near,
                },
            );
            let (child_key, parent_key) =
                (self.nodes[&code].transport, self.nodes[&parent].transport);
            self.pending.push_back((
                code,
                Input::LinkUp {
                    link: near,
                    transport_key: parent_key,
                },
            ));
            self.pending.push_back((
                parent,
                Input::LinkUp {
                    link: far,
                    transport_key: child_key,
                },
            ));
        }
    }

    /// Delivers what is under way, up to a bound; false when nothing was.
    pub(super) fn drain(&mut self) -> bool {
        let mut last: BTreeMap<(Code, String), usize> = BTreeMap::new();
        for number in 0..MOST_INPUTS {
            self.most_under_way = self.most_under_way.max(self.frames.len());
            let Some((code, input)) = self.next_input() else {
                return number > 0;
            };
            if number + TOLD_INPUTS >= MOST_INPUTS {
                *last.entry((code, told(&input))).or_default() += 1;
            }
            self.input(code, input);
        }
        panic!("the federation does not come to rest; of the last {TOLD_INPUTS} inputs: {last:?}");
    }

    /// What happens next: what a node owes itself, else what arrives on a link that is still there.
    fn next_input(&mut self) -> Option<(Code, Input)> {
        if let Some(pending) = self.pending.pop_front() {
            return Some(pending);
        }
        while let Some((link, bytes)) = self.frames.pop_front() {
            if let Some(wire) = self.wires.get(&link) {
                return Some((wire.owner, Input::Frame { link, bytes }));
            }
        }
        None
    }

    /// Time passes: clocks tick, links are dialled, everything under way arrives.
    pub fn step(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
        self.deliver_late();
        self.dial();
        for code in self.codes() {
            self.pending.push_back((code, Input::Tick));
        }
        self.drain();
    }

    /// Time passes until nothing waits anywhere (or, while faults go on, for a bounded while).
    pub fn settle(&mut self) {
        for _ in 0..40 {
            self.step(6_000);
            let quiet = self.nodes.values().all(|node| {
                node.core
                    .is_quiet(&node.store)
                    .expect("memory does not fail")
            });
            if quiet && self.cut.is_empty() && self.faults == Faults::default() {
                self.step(6_000);
                return;
            }
        }
    }
}

/// What an input is, without what it says.
fn told(input: &Input) -> String {
    let of_a_frame = match input {
        Input::Frame { bytes, .. } => codec::decode::<Frame>(bytes, MAX_FRAME_BYTES).ok(),
        _ => None,
    };
    let whole = of_a_frame.map_or_else(|| format!("{input:?}"), |frame| format!("{frame:?}"));
    whole
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}
