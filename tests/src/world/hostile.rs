//! What a neighbour or a stranger says that it should not.

use federation::core::Record;
use federation::sync::{self, Head, LogState, MAX_HEAD_BYTES, Segment};
use federation::wire::Frame;
use identity::SigningKey;
use sharing::catalogue::Change;
use sharing::ledger::evidence::MAX_RECORD_BYTES;

use super::*;

impl World {
    /// A node says again what it said to another of late, on the link of today: so many frames, in an order of chance, and altered by one byte
    /// where that is wanted. How many were said.
    pub fn say_again(&mut self, from: Code, to: Code, frames: usize, altered: bool) -> usize {
        let link = self.link(from, to);
        let overheard = self.overheard.iter().flatten();
        let of_both = overheard.filter(|(by, at, _)| (*by, *at) == (from, to));
        let said: Vec<Vec<u8>> = of_both.map(|(_, _, bytes)| bytes.clone()).collect();
        let (Some(link), false) = (link, said.is_empty()) else {
            return 0;
        };
        for _ in 0..frames {
            let drawn = self.chance.below(said.len() as u64) as usize;
            let mut bytes = said[drawn].clone();
            self.count(Trouble::Replayed);
            if altered {
                let (at, bit) = (self.chance.below(bytes.len() as u64), self.chance.below(8));
                bytes[at as usize] ^= 1 << bit;
                self.count(Trouble::Altered);
            }
            self.frames.push_back((link, bytes));
        }
        self.drain();
        frames
    }

    /// A node sends its parent a segment of a log at or below it, signed with its own key, that cannot stand beside what the parent has of that
    /// log. Whether there was such a log and a link.
    pub fn forge(&mut self, by: Code, log: Code) -> bool {
        let Some(parent) = self.paths[&by].parent().map(|parent| parent.code()) else {
            return false;
        };
        let chain = query::own_chain(self.read(log)).expect("memory");
        let key = self.nodes[&by].me.signing.clone();
        let forged = self.second_history(parent, log, &key);
        let (Some(link), Some(publisher), Some(segment)) = (self.link(by, parent), chain, forged)
        else {
            return false;
        };
        let frame = Frame::SyncSegments {
            publisher,
            segments: vec![segment],
        };
        self.count(Trouble::Forged);
        self.frames.push_back((link, codec::encode(&frame)));
        self.drain();
        true
    }

    /// Another segment of a log than one that a node has, as long as that one and in its place; which one, chance says.
    fn second_history(&mut self, at: Code, log: Code, key: &SigningKey) -> Option<Segment> {
        let heads = self.records(at).iter().filter_map(|bytes| {
            let Ok(Record::Segment { head, .. }) = codec::decode(bytes, MAX_RECORD_BYTES) else {
                return None;
            };
            let head = head.claimed(MAX_HEAD_BYTES).ok()?;
            (head.publisher.code() == log).then_some(head)
        });
        let heads: Vec<Head> = heads.collect();
        let bound = u64::try_from(heads.len()).ok().filter(|it| *it > 0)?;
        let chosen = self.chance.below(bound) as usize;
        let mut before = LogState::default();
        for head in &heads[..chosen] {
            before = before.after(head).ok()?;
        }
        let replaced = &heads[chosen];
        let withdrawn = Change::Withdrawn {
            id: "3/000000/000001".parse().ok()?,
            version: 1,
            at: self.now,
            reason: "另一份历史".into(),
        };
        let changes = vec![withdrawn; (replaced.last - replaced.first + 1) as usize];
        let cut = sync::cut(&self.paths[&log], &before, &changes, self.now, key);
        cut.ok().map(|(segment, _)| segment)
    }

    /// The end at `to` of its link with `from`.
    fn link(&self, from: Code, to: Code) -> Option<LinkId> {
        let mut wires = self.wires.iter();
        let (link, _) = wires.find(|(_, wire)| wire.owner == to && wire.other == from)?;
        Some(*link)
    }

    /// A neighbour says something it should not: raw bytes as a frame from `from` to `to`, on their link.
    ///
    /// # Panics
    /// When the two have no link.
    pub fn inject(&mut self, from: Code, to: Code, bytes: Vec<u8>) {
        let link = self.link(from, to).expect("a link");
        self.input(to, Input::Frame { link, bytes });
        self.drain();
    }

    /// Everything that a node wrote beside its records: acts, events, payloads, envelopes, segments.
    pub fn bodies(&self, code: Code) -> impl Iterator<Item = &Vec<u8>> {
        self.nodes[&code].store.bodies.values()
    }

    /// Whether two nodes have a link now.
    pub fn linked(&self, a: Code, b: Code) -> bool {
        self.wires
            .values()
            .any(|wire| wire.owner == a && wire.other == b)
    }

    /// Puts a connection to a node on the wire whose far end holds this transport key; what it says is up to the test.
    pub fn stranger(&mut self, to: Code, transport_key: [u8; 32]) -> LinkId {
        let (near, far) = (LinkId(self.next_link), LinkId(self.next_link + 1));
        self.next_link += 2;
        self.wires.insert(
            near,
            Wire {
                owner: to,
                other: to,
                far,
            },
        );
        self.input(
            to,
            Input::LinkUp {
                link: near,
                transport_key,
            },
        );
        self.frames.clear();
        near
    }

    /// A frame from a stranger; whether the connection is still there afterwards.
    pub fn stranger_says(&mut self, to: Code, link: LinkId, bytes: Vec<u8>) -> bool {
        self.input(to, Input::Frame { link, bytes });
        self.wires.contains_key(&link)
    }
}
