//! The world: nodes, their links, the clock.

mod hostile;
mod network;
mod people;
mod search;
mod standing;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use federation::core::{
    Answer, Context, Core, Effect, Input, LinkId, Me, Refused, Token, project, query,
};
use federation::store::{Fault, Memory, Read, Table, Txn};
use federation::topology::Topology;
use federation::wire::{LevelAnswer, SearchId};
use identity::{Chain, Code, Level, Moment, Path, VerifyKey, codec};
use sharing::act::{ActBody, SignedAct};
use sharing::private::{Content, Private, SALT_BYTES};
use sharing::public::{PublicStatement, TEXTS_OF_A_STATEMENT, Written};
use sharing::return_flow::Divisions;
use statute::{Article, Profile, Role};

use crate::cast::{Department, Person, credit_code, key};
use crate::chance::Chance;
use crate::membership::{self, VALID_DAYS, witnesses};

/// Days after which a world renews its certificates, well before they are over.
const RENEWED_AFTER_DAYS: i64 = VALID_DAYS as i64 - 50;
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
    /// A frame arrives twice.
    pub repeat_frame: u64,
    /// A frame overtakes the one sent before it.
    pub overtake_frame: u64,
}

/// One node.
#[derive(Debug)]
pub(crate) struct SimNode {
    pub(crate) me: Me,
    core: Core,
    pub(crate) store: Memory,
    pub(crate) objects: BTreeMap<identity::Digest, Vec<u8>>,
    /// Personal content, until it is erased.
    pub(crate) vault: BTreeMap<identity::Digest, Vec<u8>>,
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
    /// The time everywhere, but where a clock is wrong.
    pub now: Moment,
    /// What goes wrong.
    pub faults: Faults,
    /// The first frames that were sent, for tests that say them again in other shapes.
    pub captured: Vec<Vec<u8>>,
    /// How many faults of each kind have happened: crashes before commit, after commit, broken links, frames repeated, frames overtaken.
    pub happened: [u64; 5],
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
    /// How far ahead of the time a node's clock is, milliseconds.
    wrong: BTreeMap<Code, i64>,
    answers: BTreeMap<Token, Result<Answer, Refused>>,
    /// Searches of operators, with what the levels above answered.
    searches: BTreeMap<SearchId, (Token, Vec<LevelAnswer>)>,
    pub(crate) divisions: Divisions,
}

impl World {
    /// A federation of this topology, every node enrolled by its parent with a real act, all links up and quiet.
    pub fn new(topology: &Topology, divisions: Divisions, now: Moment, seed: u64) -> Self {
        let mut world = Self {
            now,
            faults: Faults::default(),
            captured: Vec::new(),
            happened: [0; 5],
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
            wrong: BTreeMap::new(),
            answers: BTreeMap::new(),
            searches: BTreeMap::new(),
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
                vault: BTreeMap::new(),
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

    /// Time passes until the certificates are nearly over, and every node is certified anew by its parent; so often.
    pub fn pass(&mut self, renewals: u32) {
        let mut nodes: Vec<_> = self.codes();
        nodes.sort_by_key(|code| self.paths[code].depth());
        for _ in 0..renewals {
            self.step(RENEWED_AFTER_DAYS * 86_400_000);
            for code in &nodes {
                self.certify_anew(*code);
            }
            for code in &nodes {
                self.restart(*code);
            }
            self.settle();
        }
    }

    /// A node is certified anew by its parent, for the keys that it has, and installs the chain.
    pub fn certify_anew(&mut self, code: Code) {
        let own = query::own_chain(self.read(code)).expect("memory does not fail");
        let own = own.expect("enrolled");
        let own = own.claimed().expect("its own certificate");
        self.enrol(&own.place, &own.name, own.level, own.witnesses);
    }

    /// The root's public key.
    pub fn root(&self) -> VerifyKey {
        key("root").verify_key()
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

    /// Personal content that a node holds.
    pub fn content(&self, code: Code, private: &Private) -> Option<Content> {
        let bytes = self.nodes[&code].vault.get(&private.digest)?;
        private.open(bytes).ok()
    }

    /// Whether these bytes stand anywhere in what a node keeps: ledger, bodies, tables, files.
    pub fn keeps(&self, code: Code, bytes: &[u8]) -> bool {
        let within = |kept: &Vec<u8>| kept.windows(bytes.len()).any(|window| window == bytes);
        self.nodes[&code].vault.values().any(within) || self.keeps_beside_the_vault(code, bytes)
    }

    /// Whether these bytes stand in what a node keeps but for its vault.
    pub fn keeps_beside_the_vault(&self, code: Code, bytes: &[u8]) -> bool {
        let node = &self.nodes[&code];
        let within = |kept: &Vec<u8>| kept.windows(bytes.len()).any(|window| window == bytes);
        let tables = |(key, value): (&(Table, Vec<u8>), &Vec<u8>)| within(&key.1) || within(value);
        node.store.records.iter().any(within)
            || node.store.bodies.values().any(within)
            || node.store.tables.iter().any(tables)
            || node.objects.values().any(within)
    }

    /// Puts personal content into a node's vault, as the API does with what comes beside an act.
    pub fn confide(&mut self, code: Code, content: &Content) {
        let node = self.nodes.get_mut(&code).expect("a node");
        let digest = content.private().digest;
        node.vault.insert(digest, content.bytes());
    }

    /// A content of its own salt, in a node's vault.
    pub fn private(&mut self, code: Code, text: &str) -> Private {
        let mut salt = [0; 32];
        self.chance.fill(&mut salt);
        let content = Content::new(salt, text.to_owned()).expect("a text");
        self.confide(code, &content);
        content.private()
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

    /// What somebody of the public writes, its texts in a node's vault as its intake puts them there.
    pub fn written(&mut self, code: Code, written: Written, article: Article) -> PublicStatement {
        let mut salts = [[0; SALT_BYTES]; TEXTS_OF_A_STATEMENT];
        for salt in &mut salts {
            self.chance.fill(salt);
        }
        let (statement, contents) = written.confide(salts, article).expect("within bounds");
        for content in contents {
            self.confide(code, &content);
        }
        statement
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
            .status(&node.store, self.clock(code))
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
        let now = clock(self.now, &self.wrong, code);
        let mut txn = Txn::new(&node.store);
        let chance = &mut self.chance;
        let mut entropy = |target: &mut [u8]| chance.fill(target);
        let mut ctx = Context {
            now,
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

    /// The newest frame on a link arrives before the one sent before it.
    fn overtake(&mut self, far: LinkId) {
        let mut on_link = (0..self.frames.len())
            .rev()
            .filter(|at| self.frames[*at].0 == far);
        if let (Some(newest), Some(before)) = (on_link.next(), on_link.next()) {
            self.frames.swap(newest, before);
            self.happened[4] += 1;
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
                    let far = wire.far;
                    if self.chance.once_in(self.faults.repeat_frame) {
                        self.happened[3] += 1;
                        self.frames.push_back((far, bytes.clone()));
                    }
                    self.frames.push_back((far, bytes));
                    if self.chance.once_in(self.faults.overtake_frame) {
                        self.overtake(far);
                    }
                }
            }
            Effect::Close { link, .. } => self.close_link(link),
            Effect::Answer { token, answer } => {
                self.answers.insert(token, answer);
            }
            Effect::SearchLocal {
                query,
                question,
                limit,
            } => {
                let hits = self.hits(code, &question, usize::from(limit));
                self.pending
                    .push_back((code, Input::SearchDone { query, hits }));
            }
            Effect::SearchStarted { token, query } => {
                self.searches.insert(query, (token, Vec::new()));
            }
            Effect::SearchLevel { query, answer } => {
                if let Some((_, levels)) = self.searches.get_mut(&query) {
                    levels.push(answer);
                }
            }
            Effect::Fetch {
                from,
                docket,
                object,
                shelf,
                part,
            } => {
                let fetched = self.fetch(code, &from, docket, (object, shelf), part.as_deref());
                if let Some(input) = fetched {
                    self.pending.extend(input);
                }
            }
            Effect::Destroy { docket, contents } => {
                if let Some(node) = self.nodes.get_mut(&code) {
                    node.vault.retain(|digest, _| !contents.contains(digest));
                }
                let outcome = Ok(());
                let done = Input::Destroyed {
                    docket,
                    contents,
                    outcome,
                };
                self.pending.push_back((code, done));
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
            Effect::Index { .. } | Effect::Neighbours { .. } => {}
        }
    }
}

/// What a node's clock shows.
fn clock(now: Moment, wrong: &BTreeMap<Code, i64>, code: Code) -> Moment {
    now.plus_millis(wrong.get(&code).copied().unwrap_or(0))
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
