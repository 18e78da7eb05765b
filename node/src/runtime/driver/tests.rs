use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use federation::core::{Allowed, Answer, Caller, ReadBy, ReadWhat, query};
use federation::store::{Memory, Pair, Table};
use federation::wire::Frame;
use identity::{
    Chain, Code, Digest, EnrolmentRequest, Level, OpeningKey, SigningKey, Terms, codec,
};
use sharing::act::ObjectRef;
use sharing::docket::DocketId;
use statute::{Calendar, Profile};

use super::*;

/// A store in memory whose disk can be full or fail, and with a key that cannot be read.
#[derive(Default)]
struct Disk {
    memory: Mutex<Memory>,
    full: AtomicBool,
    failing: AtomicBool,
    unreadable: Mutex<Option<(Table, Vec<u8>)>>,
    commits: AtomicUsize,
}

impl Read for Disk {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let unreadable = self.unreadable.lock().unwrap();
        if unreadable
            .as_ref()
            .is_some_and(|bad| bad.0 == table && key.starts_with(&bad.1))
        {
            return Err(Fault("this key cannot be read".into()));
        }
        self.memory.lock().unwrap().get(table, key)
    }
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        self.memory
            .lock()
            .unwrap()
            .scan(table, prefix, after, limit)
    }
    fn body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        self.memory.lock().unwrap().body(digest)
    }
}

impl Durable for Disk {
    fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(CommitError::NotWritten("no space left on device".into()));
        }
        if self.failing.load(Ordering::Relaxed) {
            return Err(CommitError::Stopped("the disk did not confirm".into()));
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.memory.lock().unwrap().commit(batch);
        Ok(())
    }
}

/// What left the node, in order.
#[derive(Clone, Default)]
struct Outside(Arc<Mutex<Vec<Left>>>);

#[derive(Debug, Clone, PartialEq)]
enum Left {
    Effect(Effect),
    Abandoned,
}

impl Outlet for Outside {
    fn release(&mut self, effect: Effect) {
        self.0.lock().unwrap().push(Left::Effect(effect));
    }
    fn abandon(&mut self) {
        self.0.lock().unwrap().push(Left::Abandoned);
    }
}

impl Outside {
    fn take(&self) -> Vec<Left> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn root() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

fn me() -> Me {
    Me {
        signing: SigningKey::from_seed([2; 32]),
        opening: vec![OpeningKey::from_seed(1, [3; 32])],
        root: root().verify_key(),
        software: "test".into(),
        calendar: Calendar::national(),
        profile: Profile::national(),
    }
}

fn hub_chain(serial: u64) -> Chain {
    let far = now().plus_days(30);
    let request = EnrolmentRequest {
        code: Code::HUB,
        name: "国家枢纽".into(),
        level: Level::Hub,
        signing_key: me().signing.verify_key(),
        transport_key: crate::transport::transport_public([4; 32]).unwrap(),
        sealing_key: OpeningKey::from_seed(1, [3; 32]).sealing_key(far),
        authority_head: SigningKey::from_seed([5; 32]).verify_key(),
        created: now(),
    };
    let terms = Terms {
        serial,
        epoch: 1,
        witnesses: vec![],
        valid_from: now().plus_days(-1),
        valid_until: far,
    };
    Chain::new(vec![
        identity::issue_hub(&request.sign(&me().signing), &root(), terms).unwrap(),
    ])
}

struct Node {
    driver: Driver<Outside>,
    disk: Arc<Disk>,
    outside: Outside,
}

impl Node {
    fn new() -> Self {
        let (disk, outside) = (Arc::new(Disk::default()), Outside::default());
        let (status, _) = watch::channel(Arc::new(Status::default()));
        let driver = Driver::new(
            me(),
            Clock::system(),
            disk.clone(),
            outside.clone(),
            Arc::new(Metrics::new()),
            status,
            Halted::default(),
        );
        Self {
            driver,
            disk,
            outside,
        }
    }

    /// Batches of these inputs, one when nothing fails; what left the node because of them.
    fn step(&mut self, inputs: Vec<Input>) -> Vec<Left> {
        let mut queue = inputs.into_iter().map(Queued::from).peekable();
        self.driver.step(&mut || queue.next());
        while queue.peek().is_some() && self.driver.halted.get().is_none() {
            self.driver.step(&mut || queue.next());
        }
        self.outside.take()
    }
}

fn install(token: u64) -> Input {
    Input::Install {
        token: Token(token),
        chain: hub_chain(1),
    }
}

fn answer_in(left: &[Left], token: u64) -> Result<Answer, Refused> {
    let found = left.iter().find_map(|left| match left {
        Left::Effect(Effect::Answer {
            token: Token(t),
            answer,
        }) if *t == token => Some(answer.clone()),
        _ => None,
    });
    found.expect("an answer")
}

#[test]
fn what_is_answered_is_durable() {
    let mut node = Node::new();
    let left = node.step(vec![install(1)]);
    assert!(answer_in(&left, 1).is_ok());
    assert_eq!(node.disk.commits.load(Ordering::Relaxed), 1);
    assert_eq!(node.disk.memory.lock().unwrap().records.len(), 1);
}

#[test]
fn a_full_disk_answers_a_fault_and_lets_nothing_else_out() {
    let mut node = Node::new();
    node.step(vec![]);
    node.disk.full.store(true, Ordering::Relaxed);
    let left = node.step(vec![install(7), install(8)]);
    for token in [7, 8] {
        let Err(Refused::Fault(text)) = answer_in(&left, token) else {
            panic!("{left:?}")
        };
        assert!(text.contains("no space left"), "{text}");
    }
    assert_eq!(left[0], Left::Abandoned);
    assert_eq!(left.len(), 3, "only the answers: {left:?}");
}

#[test]
fn whoever_reads_a_file_is_on_record_before_it_is_given() {
    let mut node = Node::new();
    let by = Caller {
        token: identity::Digest::object(b"token"),
        allowed: Allowed::Operator,
        note: "前置机".into(),
    };
    let object = identity::Digest::object(b"rows");
    let read = |token| Input::ContentRead {
        token: Token(token),
        what: ReadWhat::Object { digest: object },
        by: by.clone(),
    };
    node.disk.full.store(true, Ordering::Relaxed);
    let left = node.step(vec![read(1)]);
    assert!(answer_in(&left, 1).is_err(), "not on record, not given");
    node.disk.full.store(false, Ordering::Relaxed);
    let left = node.step(vec![read(2)]);
    assert!(answer_in(&left, 2).is_ok(), "{left:?}");
    let readings = {
        let memory = node.disk.memory.lock().unwrap();
        query::readings(&*memory, None, 10).unwrap()
    };
    let [one] = readings.as_slice() else {
        panic!("{readings:?}")
    };
    assert_eq!(one.by, ReadBy::Program(by));
    assert_eq!(one.what, ReadWhat::Object { digest: object });
}

#[test]
fn a_node_whose_disk_has_room_again_goes_on() {
    let mut node = Node::new();
    node.disk.full.store(true, Ordering::Relaxed);
    assert!(answer_in(&node.step(vec![install(1)]), 1).is_err());
    node.disk.full.store(false, Ordering::Relaxed);
    let left = node.step(vec![Input::Tick]);
    assert!(
        left.iter()
            .any(|l| matches!(l, Left::Effect(Effect::Neighbours { .. }))),
        "started again: {left:?}"
    );
    let answer = answer_in(&node.step(vec![install(2)]), 2).unwrap();
    assert!(
        !answer.repeated,
        "the lost batch left no trace in the new core"
    );
}

#[test]
fn links_of_a_lost_core_mean_nothing_to_the_new_one() {
    let mut node = Node::new();
    node.step(vec![install(1)]);
    let (link, transport_key) = (LinkId(5), [9; 32]);
    let left = node.step(vec![Input::LinkUp {
        link,
        transport_key,
    }]);
    assert!(left.iter().any(|l| matches!(l, Left::Effect(Effect::Send { link: LinkId(5), frame }) if matches!(**frame, Frame::Hello { .. }))));
    node.disk.full.store(true, Ordering::Relaxed);
    // A renewed certificate makes a record, so that something is to be written.
    node.step(vec![Input::Install {
        token: Token(2),
        chain: hub_chain(2),
    }]);
    node.disk.full.store(false, Ordering::Relaxed);
    let garbage = codec::encode(&0u8);
    let left = node.step(vec![
        Input::Frame {
            link,
            bytes: garbage.clone(),
        },
        Input::LinkDown { link },
    ]);
    assert!(
        !left
            .iter()
            .any(|l| matches!(l, Left::Effect(Effect::Close { .. }))),
        "the frame was not looked at: {left:?}"
    );
    // A link that is up now is looked at.
    node.step(vec![Input::LinkUp {
        link: LinkId(6),
        transport_key,
    }]);
    let left = node.step(vec![Input::Frame {
        link: LinkId(6),
        bytes: garbage,
    }]);
    assert!(
        left.iter().any(|l| matches!(
            l,
            Left::Effect(Effect::Close {
                link: LinkId(6),
                ..
            })
        )),
        "{left:?}"
    );
}

#[test]
fn a_batch_is_bounded() {
    let mut node = Node::new();
    let mut given = 0;
    node.driver.step(&mut || {
        given += 1;
        Some(Queued::from(Input::Tick))
    });
    assert_eq!(given, BATCH_INPUTS);
}

#[test]
fn status_is_published() {
    let (disk, outside) = (Arc::new(Disk::default()), Outside::default());
    let (status, published) = watch::channel(Arc::new(Status::default()));
    let mut driver = Driver::new(
        me(),
        Clock::system(),
        disk,
        outside,
        Arc::new(Metrics::new()),
        status,
        Halted::default(),
    );
    let mut queue = vec![Queued::from(install(1))].into_iter();
    driver.step(&mut || queue.next());
    let status = published.borrow().clone();
    assert_eq!(status.health.len(), 1, "{status:?}");
    assert!(status.at.is_some());
}

impl Node {
    fn unreadable(&self, table: Table, key: &[u8]) {
        *self.disk.unreadable.lock().unwrap() = Some((table, key.to_vec()));
    }

    fn input_faults(&self) -> u64 {
        self.driver.metrics.input_faults.get()
    }

    fn records(&self) -> usize {
        self.disk.memory.lock().unwrap().records.len()
    }

    /// How many records say that an object was served.
    fn served(&self) -> usize {
        let memory = self.disk.memory.lock().unwrap();
        let records = memory.records.iter();
        let decoded = records.map(|record| codec::decode(record, record.len()).unwrap());
        decoded
            .filter(|record| matches!(record, federation::core::Record::Served { .. }))
            .count()
    }
}

fn object(name: &str) -> ObjectRef {
    ObjectRef {
        digest: Digest::object(name.as_bytes()),
        length: 1,
        name: name.into(),
    }
}

fn served(name: &str) -> Input {
    Input::Served {
        docket: DocketId(Digest::object(b"docket")),
        object: object(name),
        to: "100000".parse().unwrap(),
    }
}

/// Reads the table of objects, which others in these tests do not.
fn fetched() -> Input {
    Input::Fetched {
        docket: DocketId(Digest::object(b"docket")),
        object: object("wanted"),
        outcome: Err("not there".into()),
    }
}

#[test]
fn an_unknown_outcome_is_told_as_such_and_ends_the_driver() {
    let mut node = Node::new();
    node.step(vec![]);
    node.disk.failing.store(true, Ordering::Relaxed);
    let left = node.step(vec![install(7), Input::Tick]);
    let Err(Refused::Fault(text)) = answer_in(&left, 7) else {
        panic!("{left:?}")
    };
    assert!(
        text.contains("结果未知") && text.contains("send the same signed act again"),
        "{text}"
    );
    assert!(!text.contains("nothing was changed"), "{text}");
    assert_eq!(left.len(), 2, "no effect of the batch: {left:?}");
    assert_eq!(
        node.driver.halted.get().map(String::as_str),
        Some("the disk did not confirm")
    );
    // What has halted runs no more, though nobody stops it and inputs could still come.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (_inbox, inputs) = super::super::inbox::Inbox::new();
    node.driver
        .run(inputs, &CancellationToken::new(), runtime.handle());
}

#[test]
fn a_full_disk_does_not_end_the_driver() {
    let mut node = Node::new();
    node.step(vec![]);
    node.disk.full.store(true, Ordering::Relaxed);
    for token in 0..=u64::from(MAX_INPUT_FAULTS) {
        let Err(Refused::Fault(text)) = answer_in(&node.step(vec![install(token)]), token) else {
            panic!("answered")
        };
        assert!(text.contains("nothing was changed"), "{text}");
    }
    assert_eq!(node.driver.halted.get(), None);
    assert_eq!(node.input_faults(), 0, "no input is to blame");
}

#[test]
fn an_input_that_cannot_be_applied_takes_no_other_with_it() {
    let mut node = Node::new();
    node.step(vec![install(1)]);
    node.unreadable(Table::Objects, b"");
    let left = node.step(vec![served("a"), fetched(), served("b"), install(2)]);
    assert!(answer_in(&left, 2).is_ok(), "{left:?}");
    assert_eq!((node.served(), node.input_faults()), (2, 1));
    assert_eq!(node.driver.halted.get(), None);
    let text = node.driver.metrics.encode();
    assert!(
        text.lines().any(|l| l == "guantong_input_faults_total 1"),
        "{text}"
    );
}

#[test]
fn nothing_of_a_retried_input_is_let_out_before_it_is_durable() {
    let mut node = Node::new();
    node.step(vec![install(1)]);
    node.unreadable(Table::Objects, b"");
    node.disk.full.store(true, Ordering::Relaxed);
    let renewed = Input::Install {
        token: Token(2),
        chain: hub_chain(2),
    };
    let left = node.step(vec![renewed, fetched()]);
    assert!(answer_in(&left, 2).is_err(), "{left:?}");
}

#[test]
fn the_operator_whose_input_cannot_be_applied_hears_it() {
    let mut node = Node::new();
    node.step(vec![]);
    node.unreadable(Table::Meta, b"leaves");
    let left = node.step(vec![install(1), Input::Tick, install(2)]);
    for token in [1, 2] {
        let Err(Refused::Fault(text)) = answer_in(&left, token) else {
            panic!("{left:?}")
        };
        assert!(text.contains("this key cannot be read"), "{text}");
    }
    assert_eq!((node.records(), node.input_faults()), (0, 2));
    *node.disk.unreadable.lock().unwrap() = None;
    assert!(answer_in(&node.step(vec![install(3)]), 3).is_ok());
}

#[test]
fn faults_without_end_end_the_driver_with_their_reason() {
    let mut node = Node::new();
    node.step(vec![install(1)]);
    node.unreadable(Table::Objects, b"");
    for _ in 1..MAX_INPUT_FAULTS {
        // Others go through meanwhile, and hide nothing.
        node.step(vec![fetched()]);
        node.step(vec![served("a")]);
    }
    assert_eq!(node.driver.halted.get(), None);
    node.step(vec![fetched(), served("b")]);
    let reason = node.driver.halted.get().unwrap();
    assert!(
        reason.contains("fetched") && reason.contains("this key cannot be read"),
        "{reason}"
    );
}

#[test]
fn an_input_that_goes_through_ends_the_count_of_those_that_did_not() {
    let mut node = Node::new();
    node.step(vec![install(1)]);
    for _ in 0..2 {
        node.unreadable(Table::Objects, b"");
        for _ in 1..MAX_INPUT_FAULTS {
            node.step(vec![fetched()]);
        }
        *node.disk.unreadable.lock().unwrap() = None;
        node.step(vec![fetched()]);
    }
    assert_eq!(node.driver.halted.get(), None);
}

#[test]
fn a_core_that_cannot_begin_ends_the_driver_and_operators_hear_why() {
    let mut node = Node::new();
    node.unreadable(Table::Meta, b"chain");
    let left = node.step(vec![install(1)]);
    let Err(Refused::Fault(text)) = answer_in(&left, 1) else {
        panic!("{left:?}")
    };
    assert!(text.contains("this key cannot be read"), "{text}");
    for _ in 1..MAX_INPUT_FAULTS {
        assert_eq!(node.driver.halted.get(), None);
        node.step(vec![]);
    }
    assert!(node.driver.halted.get().unwrap().contains("started"));
}

/// A province below the hub, with its transport key.
fn province() -> (Chain, [u8; 32]) {
    let (hub, far) = (hub_chain(1), now().plus_days(30));
    let proved = hub
        .verify(&root().verify_key(), now(), &|_, _| false)
        .unwrap();
    let key = SigningKey::from_seed([20; 32]);
    let transport_key = crate::transport::transport_public([21; 32]).unwrap();
    let request = EnrolmentRequest {
        code: "440000".parse().unwrap(),
        name: "广东省".into(),
        level: Level::Province,
        signing_key: key.verify_key(),
        transport_key,
        sealing_key: OpeningKey::from_seed(1, [22; 32]).sealing_key(far),
        authority_head: SigningKey::from_seed([23; 32]).verify_key(),
        created: now(),
    };
    let terms = Terms {
        serial: 2,
        epoch: 1,
        witnesses: vec![],
        valid_from: now().plus_days(-1),
        valid_until: far,
    };
    let certificate = identity::issue(
        &request.sign(&key),
        proved.certificate(),
        &me().signing,
        terms,
    )
    .unwrap();
    (hub.with(certificate), transport_key)
}

#[test]
fn a_neighbour_whose_frame_meets_a_fault_is_kept_out_and_others_are_not() {
    let mut node = Node::new();
    node.step(vec![install(1)]);
    let (chain, transport_key) = province();
    let hello = codec::encode(&Frame::Hello {
        wire: federation::wire::WIRE_VERSION,
        chain,
        software: "test".into(),
        now: now(),
    });
    let up = |link: u64, transport_key: [u8; 32]| Input::LinkUp {
        link: LinkId(link),
        transport_key,
    };
    let frame = Input::Frame {
        link: LinkId(1),
        bytes: hello,
    };
    node.step(vec![up(1, transport_key)]);
    node.unreadable(Table::Chains, b"");
    let left = node.step(vec![served("a"), frame]);
    assert!(left.contains(&Left::Abandoned), "{left:?}");
    assert_eq!((node.served(), node.input_faults()), (1, 1));
    let left = node.step(vec![up(2, transport_key), up(3, [9; 32])]);
    assert!(left.iter().any(|l| matches!(
        l,
        Left::Effect(Effect::Close {
            link: LinkId(2),
            ..
        })
    )));
    assert!(
        left.iter().any(|l| matches!(
            l,
            Left::Effect(Effect::Send {
                link: LinkId(3),
                ..
            })
        )),
        "{left:?}"
    );
}
