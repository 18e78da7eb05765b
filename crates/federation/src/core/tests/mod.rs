//! The core among its neighbours, in memory: what a hostile or unlucky one can and cannot bring about.

pub(super) mod case;
mod catalogue;
mod dockets;
mod ledger;
mod letters;
mod restored;

use std::collections::{BTreeMap, VecDeque};

use identity::{
    Chain, Code, Digest, Domain, EnrolmentRequest, Level, Member, Moment, OpeningKey, Path, Signed,
    SigningKey, Terms, VerifyKey, codec,
};
use statute::{Calendar, Profile};

use super::{Context, Core, Effect, Input, LinkId, Me, Token};
use crate::core::view::FindingView;
use crate::store::{Fault, Memory, Txn};
use crate::wire::{Frame, WIRE_VERSION};

/// 2026-03-09T02:00Z, a Monday morning in Beijing.
pub(super) const NOW: Moment = Moment::from_millis(1_773_021_600_000);
/// Inputs after which a federation of four must be quiet: what goes on longer goes on for ever.
const MAX_INPUTS: usize = 2_000;

pub(super) const HUB: &str = "100000";
pub(super) const GUANGDONG: &str = "100000/440000";
pub(super) const GUANGZHOU: &str = "100000/440000/440100";
pub(super) const LIAONING: &str = "100000/210000";

pub(super) fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(*Digest::of(Domain::Id, name.as_bytes()).as_bytes())
}

pub(super) fn path(text: &str) -> Path {
    text.parse().unwrap()
}

pub(super) fn code(place: &str) -> Code {
    path(place).code()
}

fn root() -> VerifyKey {
    key("root").verify_key()
}

pub(super) fn node_key(code: Code) -> SigningKey {
    key(&format!("node {code}"))
}

fn transport(code: Code) -> [u8; 32] {
    *key(&format!("transport {code}")).verify_key().as_bytes()
}

fn opening(code: Code) -> OpeningKey {
    OpeningKey::from_seed(1, key(&format!("sealing {code}")).to_seed())
}

/// The request of a node that signs with this key.
fn request(code: Code, depth: usize, key: &SigningKey) -> Signed<EnrolmentRequest> {
    let level = [Level::Hub, Level::Province, Level::Prefecture][depth];
    EnrolmentRequest {
        code,
        name: format!("节点{code}"),
        level,
        signing_key: key.verify_key(),
        transport_key: transport(code),
        sealing_key: opening(code).sealing_key(Moment::MAX),
        authority_head: super::tests::key(&format!("head {code}")).verify_key(),
        created: NOW,
    }
    .sign(key)
}

/// The chain of a place whose own certificate has these terms and key; above it everything is as usual.
pub(super) fn chain_with(place: &str, key: &SigningKey, terms: Terms) -> Chain {
    let place = path(place);
    let wanted = request(place.code(), place.depth() - 1, key);
    match place.parent() {
        None => Chain::new(vec![
            identity::issue_hub(&wanted, &super::tests::key("root"), terms).unwrap(),
        ]),
        Some(parent) => {
            let above = chain(&parent.to_string());
            let issuer = above.claimed().unwrap();
            let signed = identity::issue(&wanted, &issuer, &node_key(issuer.code()), terms);
            above.with(signed.unwrap())
        }
    }
}

pub(super) fn terms(serial: u64) -> Terms {
    Terms {
        serial,
        epoch: 1,
        witnesses: Vec::new(),
        valid_from: NOW.plus_days(-10),
        valid_until: NOW.plus_days(1_000),
    }
}

/// The membership chain of a place. Serials are the place's depth: one child each is what these tests have, or its order among them.
pub(super) fn chain(place: &str) -> Chain {
    let code = code(place);
    chain_with(
        place,
        &node_key(code),
        terms(u64::from(place == LIAONING) + 1),
    )
}

pub(super) fn member(place: &str) -> Member {
    chain(place).verify(&root(), NOW, &|_, _| false).unwrap()
}

pub(super) struct Node {
    pub(super) core: Core,
    pub(super) store: Memory,
}

/// Nodes and the links between them; every input is a batch of its own.
pub(super) struct Net {
    pub(super) now: Moment,
    pub(super) nodes: BTreeMap<Code, Node>,
    links: BTreeMap<LinkId, (Code, LinkId)>,
    next: u64,
    frames: VecDeque<(Code, LinkId, Vec<u8>)>,
    /// What each node did, newest last, but for what was sent to a node of this net.
    pub(super) effects: Vec<(Code, Effect)>,
}

impl Net {
    /// These places, enrolled and started, not linked.
    pub(super) fn new(places: &[&str]) -> Self {
        let mut net = Self {
            now: NOW,
            nodes: BTreeMap::new(),
            links: BTreeMap::new(),
            next: 0,
            frames: VecDeque::new(),
            effects: Vec::new(),
        };
        for place in places {
            let code = code(place);
            let core = Core::new(Me {
                signing: node_key(code),
                opening: vec![opening(code)],
                root: root(),
                software: "guantong/test".into(),
                calendar: Calendar::national(),
                profile: Profile::national(),
            });
            let store = Memory::default();
            net.nodes.insert(code, Node { core, store });
            net.input(code, Input::Started);
            let (token, chain) = (Token(0), chain(place));
            net.input(code, Input::Install { token, chain });
        }
        net
    }

    /// Links two neighbours and lets them greet.
    pub(super) fn link(&mut self, a: &str, b: &str) -> LinkId {
        let (a, b) = (code(a), code(b));
        let (near, far) = (LinkId(self.next), LinkId(self.next + 1));
        self.next += 2;
        self.links.insert(near, (b, far));
        self.links.insert(far, (a, near));
        for (at, link, other) in [(a, near, b), (b, far, a)] {
            let transport_key = transport(other);
            self.input(
                at,
                Input::LinkUp {
                    link,
                    transport_key,
                },
            );
        }
        self.settle();
        near
    }

    /// The link by which this neighbour reaches a node, with its own frames kept back: the test speaks for it.
    pub(super) fn stranger(&mut self, at: &str, as_place: &str) -> LinkId {
        let link = LinkId(self.next);
        self.next += 1;
        let transport_key = transport(code(as_place));
        self.input(
            code(at),
            Input::LinkUp {
                link,
                transport_key,
            },
        );
        let chain = chain(as_place);
        let (software, now) = (String::new(), self.now);
        self.say(
            at,
            link,
            Frame::Hello {
                wire: WIRE_VERSION,
                chain,
                software,
                now,
            },
        );
        link
    }

    /// A frame arrives at a node.
    pub(super) fn say(&mut self, at: &str, link: LinkId, frame: Frame) {
        let bytes = codec::encode(&frame);
        self.input(code(at), Input::Frame { link, bytes });
    }

    pub(super) fn input(&mut self, at: Code, input: Input) {
        self.batch(at, |core, ctx| core.apply(input, ctx));
    }

    /// One batch of a node.
    pub(super) fn batch<T>(
        &mut self,
        at: Code,
        work: impl FnOnce(&mut Core, &mut Context<'_, '_>) -> Result<T, Fault>,
    ) -> T {
        let now = self.now;
        let node = self.nodes.get_mut(&at).unwrap();
        let mut counter = 0u8;
        let mut entropy = |target: &mut [u8]| {
            counter = counter.wrapping_add(1);
            target.fill(counter);
        };
        let mut txn = Txn::new(&node.store);
        let mut ctx = Context {
            now,
            entropy: &mut entropy,
            txn: &mut txn,
            effects: Vec::new(),
        };
        let outcome = work(&mut node.core, &mut ctx);
        let effects = std::mem::take(&mut ctx.effects);
        let outcome = outcome.unwrap_or_else(|fault| panic!("{at}: {fault}"));
        let batch = txn.into_batch();
        node.store.commit(batch);
        for effect in effects {
            match effect {
                Effect::Send { link, frame } if self.links.contains_key(&link) => {
                    let (other, far) = self.links[&link];
                    self.frames.push_back((other, far, codec::encode(&*frame)));
                }
                Effect::Close { link, .. } if self.links.contains_key(&link) => {
                    self.drop_link(link)
                }
                other => self.effects.push((at, other)),
            }
        }
        outcome
    }

    /// A link breaks, with all frames on it.
    pub(super) fn drop_link(&mut self, link: LinkId) {
        let Some((other, far)) = self.links.remove(&link) else {
            return;
        };
        let Some((at, _)) = self.links.remove(&far) else {
            return;
        };
        self.frames.retain(|(_, on, _)| *on != link && *on != far);
        self.input(at, Input::LinkDown { link });
        self.input(other, Input::LinkDown { link: far });
    }

    /// Until nothing is under way any more.
    pub(super) fn settle(&mut self) {
        for _ in 0..MAX_INPUTS {
            let Some((at, link, bytes)) = self.frames.pop_front() else {
                return;
            };
            self.input(at, Input::Frame { link, bytes });
        }
        panic!("still talking after {MAX_INPUTS} frames");
    }

    /// Time passes, and everyone notices.
    pub(super) fn pass(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
        for at in self.nodes.keys().copied().collect::<Vec<_>>() {
            self.input(at, Input::Tick);
        }
        self.settle();
    }

    pub(super) fn store(&self, place: &str) -> &Memory {
        &self.nodes[&code(place)].store
    }

    pub(super) fn findings(&self, place: &str) -> Vec<FindingView> {
        super::query::findings(self.store(place), None, 1_000).unwrap()
    }

    /// Frames that a node sent on a link of the test's own, and forgets them.
    pub(super) fn sent(&mut self, on: LinkId) -> Vec<Frame> {
        let mut sent = Vec::new();
        self.effects.retain(|(_, effect)| match effect {
            Effect::Send { link, frame } if *link == on => {
                sent.push((**frame).clone());
                false
            }
            _ => true,
        });
        sent
    }

    pub(super) fn closed(&self, link: LinkId) -> bool {
        let is_it =
            |effect: &Effect| matches!(effect, Effect::Close { link: it, .. } if *it == link);
        self.effects.iter().any(|(_, effect)| is_it(effect))
    }
}
