//! The world: nodes, their links, the clock.

mod branch;
mod disk;
mod hostile;
mod line;
mod network;
mod people;
mod search;
mod standing;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use federation::core::{Answer, Context, Core, Effect, Input, LinkId, Me, Refused, Token, query};
use federation::store::{Fault, Memory, Read, Table, Txn};
use federation::topology::Topology;
use federation::wire::{LevelAnswer, SearchId};
use identity::planted::{self, Bug};
use identity::{Chain, Code, Level, Moment, Path, VerifyKey, codec};
use sharing::act::{ActBody, SignedAct};
use sharing::private::{Content, Private, SALT_BYTES};
use sharing::public::{PublicStatement, TEXTS_OF_A_STATEMENT, Written};
use sharing::return_flow::Divisions;
use statute::{Article, Profile, Role};

use crate::cast::{Department, Person, credit_code, key};
use crate::chance::Chance;
use crate::membership::{self, VALID_DAYS, witnesses};

pub use disk::CommitFault;
use disk::{Committed, Disk, replayed};
pub use line::Line;

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

/// A kind of trouble, as it is counted when it has its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// A node crashed before its batch was durable.
    CrashBeforeCommit,
    /// A node crashed when its batch was durable and nothing had left.
    CrashAfterCommit,
    /// A node crashed while it wrote: a part of the batch was in the ledger, and was cut away at the next start.
    TornCommit,
    /// A node crashed while it wrote: the batch was in the ledger and not in the tables, which caught up at the next start.
    TablesBehind,
    /// A commit was refused by the disk, once.
    WriteFailed,
    /// A commit was refused because the disk was full.
    DiskFull,
    /// A stored row did not hold against its check sum when it was read.
    RowRotten,
    /// A stored body did not hold against its digest when it was read.
    BodyRotten,
    /// A link broke with all frames on it.
    LinkBroken,
    /// A frame arrived twice.
    FrameRepeated,
    /// A frame overtook the one sent before it.
    FrameOvertaken,
    /// A frame was lost.
    FrameLost,
    /// A frame was late.
    FrameDelayed,
    /// A node did not pass on the segments of a log.
    Withheld,
    /// A node said that it had an envelope and did not keep it.
    ReceiptLied,
    /// A frame of the past was said again.
    Replayed,
    /// A frame was altered on its way.
    Altered,
    /// A segment of another's log, or a second one of the sender's own, was signed and sent.
    Forged,
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
    disk: Disk,
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
    /// How often each kind of trouble had its effect.
    pub happened: BTreeMap<Trouble, u64>,
    /// Most frames that were under way at once.
    pub most_under_way: usize,
    pub(crate) nodes: BTreeMap<Code, SimNode>,
    paths: BTreeMap<Code, Path>,
    chance: Chance,
    wires: BTreeMap<LinkId, Wire>,
    next_link: u64,
    next_token: u64,
    frames: VecDeque<(LinkId, Vec<u8>)>,
    pending: VecDeque<(Code, Input)>,
    cut: BTreeSet<Code>,
    /// What is wrong with a line in one direction, from the first to the second.
    lines: BTreeMap<(Code, Code), Line>,
    /// Links on which a frame was lost: no transport goes on after that, so they end when the line is good again.
    gapped: BTreeSet<LinkId>,
    /// Frames that are late: when they arrive, in order of sending, over which link, and what they say.
    late: BTreeMap<(Moment, u64), (LinkId, Vec<u8>)>,
    next_late: u64,
    /// What was said of late, by whom and to whom, for those who say it again. Nothing unless [`World::overhears`] was called.
    overheard: Option<VecDeque<(Code, Code, Vec<u8>)>>,
    /// How far ahead of the time a node's clock is, milliseconds.
    wrong: BTreeMap<Code, i64>,
    answers: BTreeMap<Token, Result<Answer, Refused>>,
    /// Searches of operators, with what the levels above answered.
    searches: BTreeMap<SearchId, (Token, Vec<LevelAnswer>)>,
    pub(crate) divisions: Arc<Divisions>,
}

impl World {
    /// A federation of this topology, every node enrolled by its parent with a real act, all links up and quiet.
    pub fn new(topology: &Topology, divisions: Divisions, now: Moment, seed: u64) -> Self {
        let mut world = Self {
            now,
            faults: Faults::default(),
            captured: Vec::new(),
            happened: BTreeMap::new(),
            most_under_way: 0,
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
            lines: BTreeMap::new(),
            gapped: BTreeSet::new(),
            late: BTreeMap::new(),
            next_late: 0,
            overheard: None,
            wrong: BTreeMap::new(),
            answers: BTreeMap::new(),
            searches: BTreeMap::new(),
            divisions: Arc::new(divisions),
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
                disk: Disk::default(),
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
        let (token, lies) = (token(&input), node.disk.would_lie_about(&input));
        let outcome = {
            let rotten = node.disk.over(&node.store);
            let view: &dyn Read = rotten.as_ref().map_or(&node.store, |it| it);
            let mut txn = Txn::new(view);
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
            outcome.map(|()| (txn.into_batch(), effects))
        };
        let outcome = match outcome {
            Ok((batch, effects)) if planted::is(Bug::SentBeforeCommit) => {
                for effect in effects {
                    self.carry_out(code, effect);
                }
                Ok((batch, Vec::new()))
            }
            other => other,
        };
        let committed = match outcome {
            Err(fault) => {
                self.repair(code, &fault);
                Err(token)
            }
            Ok((_, effects)) if lies => {
                self.count(Trouble::ReceiptLied);
                Ok(effects)
            }
            Ok((batch, effects)) => match self.commit(code, batch) {
                Committed::Durable => Ok(effects),
                Committed::Crashed => Err(None),
                Committed::Refused => Err(token),
            },
        };
        match committed {
            Ok(effects) => {
                for effect in effects {
                    self.carry_out(code, effect);
                }
            }
            Err(told) => {
                // What it takes up again at its start may fail again: whoever starts it anew lets time pass.
                self.end(code);
                let refused = || Refused::Fault("nothing was stored".into());
                self.answers
                    .extend(told.map(|token| (token, Err(refused()))));
            }
        }
    }

    /// One more of a kind of trouble has had its effect.
    fn count(&mut self, trouble: Trouble) {
        *self.happened.entry(trouble).or_default() += 1;
    }

    fn carry_out(&mut self, code: Code, effect: Effect) {
        match effect {
            Effect::Send { link, frame } => self.send(link, &frame),
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

/// Who waits for an answer to this input.
fn token(input: &Input) -> Option<Token> {
    match input {
        Input::Act { token, .. }
        | Input::ContentRead { token, .. }
        | Input::Public { token, .. }
        | Input::Install { token, .. }
        | Input::Search { token, .. }
        | Input::CallBegun { token, .. } => Some(*token),
        Input::Started
        | Input::Tick
        | Input::LinkUp { .. }
        | Input::Frame { .. }
        | Input::LinkDown { .. }
        | Input::SearchDone { .. }
        | Input::Fetched { .. }
        | Input::CallEnded { .. }
        | Input::Served { .. }
        | Input::Destroyed { .. }
        | Input::TableSplit { .. }
        | Input::PassedOn { .. } => None,
    }
}
