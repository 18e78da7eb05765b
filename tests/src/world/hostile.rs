//! What a neighbour or a stranger says that it should not.

use super::*;

impl World {
    /// A neighbour says something it should not: raw bytes as a frame from `from` to `to`, on their link.
    ///
    /// # Panics
    /// When the two have no link.
    pub fn inject(&mut self, from: Code, to: Code, bytes: Vec<u8>) {
        let (link, _) = self
            .wires
            .iter()
            .find(|(_, wire)| wire.owner == to && wire.other == from)
            .expect("a link");
        let link = *link;
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
