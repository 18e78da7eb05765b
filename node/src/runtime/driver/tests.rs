use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use federation::core::Answer;
use federation::store::{Memory, Pair, Table};
use federation::wire::Frame;
use identity::{
    Chain, Code, Digest, EnrolmentRequest, Level, OpeningKey, SigningKey, Terms, codec,
};
use statute::{Calendar, Profile};

use super::*;

/// A store in memory whose disk can be full.
#[derive(Default)]
struct Disk {
    memory: Mutex<Memory>,
    full: AtomicBool,
    commits: AtomicUsize,
}

impl Read for Disk {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
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
    fn commit(&self, batch: Batch) -> Result<(), Fault> {
        if self.full.load(Ordering::Relaxed) {
            return Err(Fault("no space left on device".into()));
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
            disk.clone(),
            outside.clone(),
            Arc::new(Metrics::new()),
            status,
        );
        Self {
            driver,
            disk,
            outside,
        }
    }

    /// One batch of these inputs; what left the node because of it.
    fn step(&mut self, inputs: Vec<Input>) -> Vec<Left> {
        let mut queue = inputs.into_iter().map(Queued::from);
        self.driver.step(&mut || queue.next());
        assert!(queue.next().is_none(), "the batch took everything");
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
    let mut driver = Driver::new(me(), disk, outside, Arc::new(Metrics::new()), status);
    let mut queue = vec![Queued::from(install(1))].into_iter();
    driver.step(&mut || queue.next());
    let status = published.borrow().clone();
    assert_eq!(status.health.len(), 1, "{status:?}");
    assert!(status.at.is_some());
}
