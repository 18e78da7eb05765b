//! The world: nodes, their links, the clock.

mod hostile;
mod network;
mod people;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use federation::core::{Answer, Context, Core, Effect, Input, LinkId, Me, Refused, Token, project};
use federation::store::{Fault, Memory, Read, Txn};
use federation::topology::Topology;
use identity::{Chain, Code, Level, Moment, Path, codec};
use sharing::act::{ActBody, SignedAct};
use sharing::return_flow::Divisions;
use statute::{Profile, Role};

use crate::cast::{Department, Person, credit_code, key};
use crate::chance::Chance;
use crate::membership::{self, VALID_DAYS, witnesses};

/// Frames kept in [`World::captured`].
const MAX_CAPTURED: usize = 400;

/// How often things go wrong: each number is "once in so many", zero is never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// A node crashes before its batch is durable: batch and effects are gone.
    pub crash_before_commit: u64,
    /// A node crashes when its batch is durable and nothing has left: effects are gone.
    pub crash_after_commit: u64,
    /// A link breaks, with all frames on it.
    pub break_link: u64,
}

/// One node.
#[derive(Debug)]
pub(crate) struct SimNode {
    pub(crate) me: Me,
    core: Core,
    pub(crate) store: Memory,
    pub(crate) objects: BTreeMap<identity::Digest, Vec<u8>>,
    /// Bytes of objects that came from elsewhere.
    pub(crate) fetched_bytes: usize,
    transport: [u8; 32],
    up: bool,
    /// Whether the core has taken [`Input::Started`]; nothing else comes before it.
    started: bool,
}

/// One direction of a connection.
#[derive(Debug, Clone, Copy)]
struct Wire {
    owner: Code,
    other: Code,
    far: LinkId,
}

/// A federation in one process.
#[derive(Debug)]
pub struct World {
    /// The time everywhere.
    pub now: Moment,
    /// What goes wrong.
    pub faults: Faults,
    /// The first frames that were sent, for tests that say them again in other shapes.
    pub captured: Vec<Vec<u8>>,
    /// How many faults of each kind have happened: crashes before commit, after commit, broken links.
    pub happened: [u64; 3],
    /// Every docket event that any node recorded for itself as home, in order of recording: an oracle for the invariants.
    pub(crate) nodes: BTreeMap<Code, SimNode>,
    paths: BTreeMap<Code, Path>,
    chance: Chance,
    wires: BTreeMap<LinkId, Wire>,
    next_link: u64,
    next_token: u64,
    frames: VecDeque<(LinkId, Vec<u8>)>,
    pending: VecDeque<(Code, Input)>,
    cut: BTreeSet<Code>,
    answers: BTreeMap<Token, Result<Answer, Refused>>,
    pub(crate) divisions: Divisions,
}

impl World {
    /// A federation of this topology, every node enrolled by its parent with a real act, all links up and quiet.
    pub fn new(topology: &Topology, divisions: Divisions, now: Moment, seed: u64) -> Self {
        let mut world = Self {
            now,
            faults: Faults::default(),
            captured: Vec::new(),
            happened: [0; 3],
            nodes: BTreeMap::new(),
            paths: topology
                .nodes()
                .iter()
                .map(|node| (node.code(), node.path.clone()))
                .collect(),
            chance: Chance::new(seed),
            wires: BTreeMap::new(),
            next_link: 0,
            next_token: 0,
            frames: VecDeque::new(),
            pending: VecDeque::new(),
            cut: BTreeSet::new(),
            answers: BTreeMap::new(),
            divisions,
        };
        for node in topology.nodes() {
            world.add(node.code());
        }
        let mut by_depth: Vec<_> = topology.nodes().iter().collect();
        by_depth.sort_by_key(|node| node.path.depth());
        let counties: Vec<&Path> = topology
            .nodes()
            .iter()
            .filter(|node| node.level == Level::County)
            .map(|node| &node.path)
            .collect();
        for node in by_depth {
            let witnesses = if node.level == Level::County {
                witnesses(&node.path, &counties)
            } else {
                Vec::new()
            };
            world.enrol(&node.path, &node.name, node.level, witnesses);
        }
        world.heal_all();
        world.settle();
        world
    }

    fn add(&mut self, code: Code) {
        let me = membership::me(code);
        let core = Core::new(me.clone());
        let transport = *key(&format!("transport {code}")).verify_key().as_bytes();
        self.nodes.insert(
            code,
            SimNode {
                me,
                core,
                store: Memory::default(),
                objects: BTreeMap::new(),
                fetched_bytes: 0,
                transport,
                up: true,
                started: false,
            },
        );
        self.input(code, Input::Started);
    }

    fn enrol(&mut self, place: &Path, name: &str, level: Level, witnesses: Vec<Code>) {
        let code = place.code();
        let node = &self.nodes[&code];
        let who = (code, name, level);
        let request = membership::request(&node.me, who, node.transport, self.now);
        let chain = match place.parent() {
            None => Chain::new(vec![membership::root_certifies(&request, self.now)]),
            Some(parent) => {
                let head = self.authority_head(parent.code());
                let body = ActBody::CertifyMember {
                    request,
                    witnesses,
                    valid_days: VALID_DAYS,
                };
                let answer = self
                    .act(parent.code(), &head, body)
                    .expect("a parent certifies its child");
                answer.chain.expect("a certificate")
            }
        };
        let token = self.token();
        self.input(code, Input::Install { token, chain });
        assert!(
            matches!(self.answers.remove(&token), Some(Ok(_))),
            "{code} installs its chain"
        );
    }

    /// All codes.
    pub fn codes(&self) -> Vec<Code> {
        self.nodes.keys().copied().collect()
    }

    /// A node's place.
    pub fn place(&self, code: Code) -> Path {
        self.paths[&code].clone()
    }

    /// A node's tables, for questions and invariants.
    pub fn read(&self, code: Code) -> &dyn Read {
        &self.nodes[&code].store
    }

    /// A node's ledger records as stored.
    pub fn records(&self, code: Code) -> &[Vec<u8>] {
        &self.nodes[&code].store.records
    }

    /// Whether a node holds an object whole.
    pub fn object(&self, code: Code, digest: &identity::Digest) -> Option<&[u8]> {
        self.nodes[&code].objects.get(digest).map(Vec::as_slice)
    }

    /// Bytes of objects that a node fetched so far.
    pub fn fetched_bytes(&self, code: Code) -> usize {
        self.nodes[&code].fetched_bytes
    }

    /// Takes an object out of a node's store, as restoring an older backup would.
    pub fn lose_object(&mut self, code: Code, digest: &identity::Digest) {
        if let Some(node) = self.nodes.get_mut(&code) {
            node.objects.remove(digest);
        }
    }

    /// Puts an object into a node's store, as an upload would.
    pub fn upload(&mut self, code: Code, name: &str, bytes: &[u8]) -> sharing::act::ObjectRef {
        let digest = identity::Digest::object(bytes);
        self.nodes
            .get_mut(&code)
            .expect("a node")
            .objects
            .insert(digest, bytes.to_vec());
        sharing::act::ObjectRef {
            digest,
            length: bytes.len() as u64,
            name: name.to_owned(),
        }
    }

    /// What this node publishes as its status.
    pub fn status(&self, code: Code) -> federation::core::view::Status {
        let node = &self.nodes[&code];
        node.core
            .status(&node.store, self.now)
            .expect("memory does not fail")
    }

    fn token(&mut self) -> Token {
        self.next_token += 1;
        Token(self.next_token)
    }

    /// Gives one node one input as one batch, with the crashes the seed wants.
    pub(crate) fn input(&mut self, code: Code, input: Input) {
        let Some(node) = self.nodes.get_mut(&code) else {
            return;
        };
        if !node.up {
            return;
        }
        match (node.started, &input) {
            (true, Input::Started) => return,
            (false, Input::Started) => node.started = true,
            (false, _) => {
                self.input(code, Input::Started);
                return self.input(code, input);
            }
            (true, _) => {}
        }
        let Some(node) = self.nodes.get_mut(&code) else {
            return;
        };
        let mut txn = Txn::new(&node.store);
        let chance = &mut self.chance;
        let mut entropy = |target: &mut [u8]| chance.fill(target);
        let mut ctx = Context {
            now: self.now,
            entropy: &mut entropy,
            txn: &mut txn,
            effects: Vec::new(),
        };
        let outcome: Result<(), Fault> = node.core.apply(input, &mut ctx);
        let effects = std::mem::take(&mut ctx.effects);
        outcome.unwrap_or_else(|fault| panic!("{code}: {fault}"));
        let batch = txn.into_batch();
        if self.chance.once_in(self.faults.crash_before_commit) {
            self.happened[0] += 1;
            return self.restart(code);
        }
        node.store.commit(batch);
        if self.chance.once_in(self.faults.crash_after_commit) {
            self.happened[1] += 1;
            return self.restart(code);
        }
        for effect in effects {
            self.carry_out(code, effect);
        }
    }

    fn carry_out(&mut self, code: Code, effect: Effect) {
        match effect {
            Effect::Send { link, frame } => {
                if self.chance.once_in(self.faults.break_link) {
                    self.happened[2] += 1;
                    self.drop_link(link);
                } else if let Some(wire) = self.wires.get(&link) {
                    let bytes = codec::encode(&*frame);
                    if self.captured.len() < MAX_CAPTURED {
                        self.captured.push(bytes.clone());
                    }
                    self.frames.push_back((wire.far, bytes));
                }
            }
            Effect::Close { link, .. } => self.drop_link(link),
            Effect::Answer { token, answer } => {
                self.answers.insert(token, answer);
            }
            Effect::SearchLocal { query, .. } => self.pending.push_back((
                code,
                Input::SearchDone {
                    query,
                    hits: Vec::new(),
                },
            )),
            Effect::Fetch {
                from,
                docket,
                object,
                part,
            } => {
                if let Some(input) = self.fetch(code, &from, docket, object, part.as_deref()) {
                    self.pending.extend(input);
                }
            }
            Effect::SplitTable {
                act,
                manifest,
                table,
                secret,
                key_column,
                subscribers,
            } => {
                let of = (&table, &secret);
                let outcome = self.split(code, *manifest, of, key_column.as_deref(), &subscribers);
                self.pending
                    .push_back((code, Input::TableSplit { act, outcome }));
            }
            Effect::PassOn {
                notice,
                subscribers,
            } => {
                let outcome = self.pass_on(code, &notice, &subscribers);
                self.pending
                    .push_back((code, Input::PassedOn { notice, outcome }));
            }
            Effect::SearchStarted { .. }
            | Effect::SearchLevel { .. }
            | Effect::Index { .. }
            | Effect::Neighbours { .. } => {}
        }
    }
}

/// The tables that the first records of a ledger come to.
fn replayed(before: &Memory, records: usize) -> Result<Memory, String> {
    let mut rebuilt = Memory {
        bodies: before.bodies.clone(),
        ..Memory::default()
    };
    for record in &before.records[..records] {
        let mut txn = Txn::new(&rebuilt);
        project(record, &mut txn).map_err(|fault| fault.to_string())?;
        txn.push_record(record.clone());
        let batch = txn.into_batch();
        rebuilt.commit(batch);
    }
    Ok(rebuilt)
}
