//! Circuits through a hop, and the files that travel in them.

mod family;

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use federation::core::{FetchedPart, Input, Record, Shelf, SplitFor, SplitTable};
use federation::store::Txn;
use federation::wire::{
    CIRCUIT_OPEN_VALID_MS, CIRCUIT_PROTOCOL, CircuitOpen, CircuitRequest, CircuitWants,
    ObjectRequest,
};
use futures::{AsyncReadExt, AsyncWriteExt};
use identity::at_rest::StorageKey;
use identity::{Code, Digest, Domain, Level, Moment, Signed, codec, sealing};
use node::delivery::{Delivery, Parts, SplitTask};
use node::runtime::Desk;
use node::runtime::clock::Clock;
use node::runtime::driver::now;
use node::runtime::inbox::{Inbox, Queued};
use node::runtime::metrics::Metrics;
use node::search::SearchIndex;
use node::service::{self, Registrations, Services};
use node::storage::objects::Objects;
use node::storage::store::Store;
use node::storage::vault::Vault;
use node::transport::circuit::{Circuit, Circuits};
use node::transport::{self, CircuitStreams, Transport, TransportConfig, write_frame};
use sharing::act::{Act, ActBody, ActId, ObjectRef, SignedAct};
use sharing::docket::{DocketBody, DocketEvent, DocketId};
use sharing::person::PersonChain;
use sharing::return_flow::{
    Area, DatasetId, Manifest, PartNotice, ReturnFlowEvent, Subscription, SumNode,
};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use family::{Member, hub};

/// A test that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node without its core: the test is the core.
struct Station {
    member: Member,
    transport: Transport,
    circuits: Arc<Circuits>,
    delivery: Delivery,
    store: Arc<Store>,
    objects: Arc<Objects>,
    inputs: Receiver<Queued>,
    streams: Option<CircuitStreams>,
    _dir: tempfile::TempDir,
    _stop: DropGuard,
}

impl Station {
    async fn start_wired(
        member: &Member,
        parent: Option<&Station>,
        records: Vec<Record>,
        wired: Option<Wired>,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(dir.path(), &federation::core::project).unwrap();
        let (inbox, inputs) = Inbox::new();
        let (stop, metrics) = (CancellationToken::new(), Arc::new(Metrics::new()));
        let config = TransportConfig {
            seed: member.keys().transport_seed,
            listen: "/ip4/127.0.0.1/tcp/0".parse().unwrap(),
            parent: parent.map(|parent| parent.transport.addresses().remove(0)),
            wire_listen: matches!(wired, Some(Wired::Listens))
                .then(|| "/ip4/127.0.0.1/tcp/0".parse().unwrap()),
            wire_parent: match wired {
                Some(Wired::Dials(address)) => Some(multiaddr(address)),
                Some(Wired::Listens) | None => None,
            },
            connections: 8,
            pending_connections: 8,
            memory_bytes: 8 << 30,
        };
        let running = transport::start(config, inbox.clone(), metrics.clone(), stop.clone())
            .await
            .unwrap();
        let me = member.keys().me;
        let store = Arc::new(store);
        let storage = StorageKey::from_bytes([9; 32]);
        let objects = Objects::open(&dir.path().join("objects"), storage.clone());
        let objects = Arc::new(objects.unwrap());
        let keys = (me.signing.clone(), me.opening.clone(), me.root);
        let circuits = Arc::new(Circuits::new(
            keys,
            Clock::system(),
            store.clone(),
            running.transport.clone(),
            metrics.clone(),
            8,
        ));
        let tasks = TaskTracker::new();
        let services = Services::new(service::Parts {
            clock: Clock::system(),
            store: store.clone(),
            circuits: circuits.clone(),
            desk: Desk::new(Arc::default(), inbox.clone(), stop.clone()),
            signing: me.signing.clone(),
            registrations: Registrations::default(),
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        let delivery = Delivery::new(Parts {
            clock: Clock::system(),
            store: store.clone(),
            objects: objects.clone(),
            vault: Arc::new(Vault::open(&dir.path().join("vault"), storage).unwrap()),
            index: Arc::new(SearchIndex::open(&dir.path().join("index")).unwrap().0),
            circuits: circuits.clone(),
            services,
            inbox,
            metrics,
            signing: me.signing,
            tasks,
            stop: stop.clone(),
            split_memory: node::delivery::SPLIT_MEMORY_BYTES,
        });
        let station = Self {
            member: member.clone(),
            transport: running.transport,
            circuits,
            delivery,
            store,
            objects,
            inputs,
            streams: Some(running.circuits),
            _dir: dir,
            _stop: stop.drop_guard(),
        };
        let mut all = vec![Record::Installed {
            chain: member.chain.clone(),
            at: now(),
        }];
        all.extend(records);
        station.commit(all, vec![]);
        station
    }

    fn commit(&self, records: Vec<Record>, bodies: Vec<Vec<u8>>) {
        let mut txn = Txn::new(&*self.store);
        for body in bodies {
            txn.push_body(Digest::of(Domain::Body, &body), body);
        }
        for record in records {
            let bytes = codec::encode(&record);
            federation::core::project(&bytes, &mut txn).unwrap();
            txn.push_record(bytes);
        }
        self.store.commit(&txn.into_batch()).unwrap();
    }

    async fn next(&mut self) -> Input {
        tokio::time::timeout(PATIENCE, self.inputs.recv())
            .await
            .expect("an input in time")
            .expect("a running node")
            .input
    }

    async fn linked(&mut self) {
        assert!(matches!(self.next().await, Input::LinkUp { .. }));
    }

    fn answer_with_delivery(&mut self) {
        tokio::spawn(self.delivery.clone().answer(self.streams.take().unwrap()));
    }
}

/// How a station uses wires.
enum Wired {
    /// From children.
    Listens,
    /// To the parent, at this address.
    Dials(SocketAddr),
}

fn multiaddr(address: SocketAddr) -> libp2p::Multiaddr {
    let (ip, port) = (address.ip(), address.port());
    format!("/ip4/{ip}/tcp/{port}").parse().unwrap()
}

struct Tree {
    hub: Station,
    ministry: Station,
    province: Station,
}

async fn tree() -> Tree {
    grow(None::<fn(SocketAddr) -> SocketAddr>).await
}

/// With `on_the_way` the tree uses wires: the ministry dials the hub's, and the province what `on_the_way` makes of it.
async fn grow(on_the_way: Option<impl FnOnce(SocketAddr) -> SocketAddr>) -> Tree {
    let top = hub();
    let ministry = top.certify(20, "mca", "民政部", Level::Ministry);
    let province = top.certify(10, "440000", "广东省", Level::Province);
    let children = [&ministry, &province].map(|child| Record::Certified {
        chain: child.chain.clone(),
        at: now(),
    });
    let listens = on_the_way.is_some().then_some(Wired::Listens);
    let mut hub = Station::start_wired(&top, None, children.to_vec(), listens).await;
    hub.transport
        .set_neighbours(vec![ministry.transport_key(), province.transport_key()]);
    let (to_ministry, to_province) = match (on_the_way, hub.transport.wire_address()) {
        (Some(on_the_way), Some(wire)) => (
            Some(Wired::Dials(wire)),
            Some(Wired::Dials(on_the_way(wire))),
        ),
        _ => (None, None),
    };
    let mut ministry = Station::start_wired(&ministry, Some(&hub), vec![], to_ministry).await;
    let mut province = Station::start_wired(&province, Some(&hub), vec![], to_province).await;
    for child in [&mut ministry, &mut province] {
        child.transport.set_neighbours(vec![top.transport_key()]);
        child.linked().await;
        hub.linked().await;
    }
    hub.answer_with_delivery();
    Tree {
        hub,
        ministry,
        province,
    }
}

fn request(object: Digest) -> CircuitRequest {
    CircuitRequest {
        key: [42; 32],
        wants: CircuitWants::Object(ObjectRequest {
            docket: DocketId(Digest::object(b"docket")),
            object,
            offset: 0,
        }),
    }
}

/// What a station is asked and by whom, with the circuit to answer on.
type Arrivals = tokio::sync::mpsc::UnboundedReceiver<(Code, CircuitRequest, Circuit)>;

fn arrivals(station: &mut Station) -> Arrivals {
    let (sender, arrived) = tokio::sync::mpsc::unbounded_channel();
    let streams = station.streams.take().unwrap();
    tokio::spawn(station.circuits.clone().accept(streams, move |arrival| {
        let _ = sender.send((arrival.from.code(), arrival.request, arrival.circuit));
    }));
    arrived
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_circuit_carries_both_ways_through_a_hop() {
    let Tree {
        hub: _hub,
        mut ministry,
        province,
    } = tree().await;
    let mut arrived = arrivals(&mut ministry);
    let wanted = request(Digest::object(b"x"));
    let mut here = province
        .circuits
        .open(&ministry.member.proved(), &wanted)
        .await
        .unwrap();
    let (from, asked, mut there) = tokio::time::timeout(PATIENCE, arrived.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((from, asked), (province.member.code, wanted));
    for n in 0..40u8 {
        there
            .send(&vec![n; identity::stream::MAX_CHUNK], n == 39)
            .await
            .unwrap();
        assert_eq!(
            here.receive().await.unwrap(),
            (vec![n; identity::stream::MAX_CHUNK], n == 39)
        );
    }
    here.send(b"received", true).await.unwrap();
    assert_eq!(there.receive().await.unwrap(), (b"received".to_vec(), true));
}

/// What went over a wire, from whoever dialled and back; `spoil` is a byte of the latter that is changed on the way.
#[derive(Clone, Default)]
struct Tap {
    there: Arc<Mutex<Vec<u8>>>,
    back: Arc<Mutex<Vec<u8>>>,
    spoil: Option<usize>,
}

impl Tap {
    /// Stands on the way to `wire`.
    fn stand(&self, wire: SocketAddr) -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let tap = self.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let far = TcpStream::connect(wire).unwrap();
                let (near_in, far_in) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                let (there, back) = (tap.there.clone(), tap.back.clone());
                let spoil = tap.spoil;
                std::thread::spawn(move || pass(near_in, far, &there, None));
                std::thread::spawn(move || pass(far_in, near, &back, spoil));
            }
        });
        address
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, seen: &Mutex<Vec<u8>>, spoil: Option<usize>) {
    use std::io::Write;
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let mut seen = seen.lock().unwrap();
        let at = spoil.and_then(|at| at.checked_sub(seen.len()));
        if let Some(at) = at.filter(|at| *at < read) {
            buffer[at] ^= 1;
        }
        seen.extend_from_slice(&buffer[..read]);
        drop(seen);
        if to.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}

/// A circuit from the province to the ministry, with both its ends.
async fn circuit(tree: &Tree, arrived: &mut Arrivals) -> (Circuit, Circuit) {
    let (to, wanted) = (tree.ministry.member.proved(), request(Digest::object(b"x")));
    let here = tree.province.circuits.open(&to, &wanted).await.unwrap();
    let arrival = tokio::time::timeout(PATIENCE, arrived.recv()).await;
    (here, arrival.unwrap().unwrap().2)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_wire_goes_a_ticket_and_what_only_the_ends_can_read() {
    let tap = Tap::default();
    let mut tree = grow(Some(|wire| tap.stand(wire))).await;
    let mut arrived = arrivals(&mut tree.ministry);
    let (mut here, mut there) = circuit(&tree, &mut arrived).await;
    let secret = [0x5a_u8; 4_096];
    there.send(&secret, true).await.unwrap();
    assert_eq!(here.receive().await.unwrap(), (secret.to_vec(), true));
    here.send(b"received", true).await.unwrap();
    assert_eq!(there.receive().await.unwrap(), (b"received".to_vec(), true));
    let (said, back) = (
        tap.there.lock().unwrap().clone(),
        tap.back.lock().unwrap().clone(),
    );
    let frame = |plain: usize| 4 + plain + identity::stream::OVERHEAD;
    assert_eq!(said.len(), 16 + frame(8), "a ticket and one chunk");
    assert_eq!(back.len(), frame(secret.len()), "one chunk");
    assert!(back.windows(8).all(|window| window != &secret[..8]));
    for (place, name) in [("440000", "广东省"), ("mca", "民政部")] {
        for needle in [place.as_bytes(), name.as_bytes()] {
            assert!(said.windows(needle.len()).all(|window| window != needle));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_changed_on_a_wire_does_not_open() {
    let tap = Tap {
        spoil: Some(100),
        ..Tap::default()
    };
    let mut tree = grow(Some(|wire| tap.stand(wire))).await;
    let mut arrived = arrivals(&mut tree.ministry);
    let (mut here, mut there) = circuit(&tree, &mut arrived).await;
    there.send(&[7; 4_096], true).await.unwrap();
    assert!(here.receive().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_wire_comes_about_the_circuit_goes_over_the_connection() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let mut tree = grow(Some(|_| address)).await;
    let mut arrived = arrivals(&mut tree.ministry);
    let (mut here, mut there) = circuit(&tree, &mut arrived).await;
    there.send(b"all the same", true).await.unwrap();
    assert_eq!(
        here.receive().await.unwrap(),
        (b"all the same".to_vec(), true)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_reaches_its_child_over_the_wire_that_the_child_dials() {
    let tap = Tap::default();
    let mut tree = grow(Some(|wire| tap.stand(wire))).await;
    let mut arrived = arrivals(&mut tree.province);
    let (to, wanted) = (tree.province.member.proved(), request(Digest::object(b"x")));
    let mut here = tree.hub.circuits.open(&to, &wanted).await.unwrap();
    here.send(b"down", true).await.unwrap();
    let arrival = tokio::time::timeout(PATIENCE, arrived.recv()).await;
    let mut there = arrival.unwrap().unwrap().2;
    assert_eq!(there.receive().await.unwrap(), (b"down".to_vec(), true));
    assert_eq!(tap.there.lock().unwrap().len(), 16, "the child's ticket");
    assert!(!tap.back.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_is_not_connected_is_an_error_to_be_tried_again() {
    let Tree {
        hub: _hub,
        ministry,
        province,
    } = tree().await;
    let to = ministry.member.proved();
    drop(ministry);
    // The hop closes the stream: nothing ever comes.
    let mut circuit = province
        .circuits
        .open(&to, &request(Digest::object(b"x")))
        .await
        .unwrap();
    assert!(circuit.receive().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_beyond_its_share_of_circuits_is_refused_and_others_are_not() {
    let Tree {
        hub: _hub,
        mut ministry,
        mut province,
    } = tree().await;
    let (mut arrived, mut back) = (arrivals(&mut ministry), arrivals(&mut province));
    let (to, wanted) = (ministry.member.proved(), request(Digest::object(b"x")));
    let mut held = Vec::new();
    // A quarter of eight.
    for _ in 0..2 {
        let here = province.circuits.open(&to, &wanted).await.unwrap();
        let there = tokio::time::timeout(PATIENCE, arrived.recv())
            .await
            .unwrap()
            .unwrap();
        held.push((here, there));
    }
    // The hop drops the stream, before its header is written or after.
    let third = async {
        let mut third = province.circuits.open(&to, &wanted).await?;
        third.receive().await
    };
    let refused = tokio::time::timeout(PATIENCE, third).await;
    assert!(refused.expect("refused at once").is_err());
    let _other = ministry
        .circuits
        .open(&province.member.proved(), &wanted)
        .await
        .unwrap();
    let came = tokio::time::timeout(PATIENCE, back.recv()).await.unwrap();
    assert_eq!(came.unwrap().0, ministry.member.code);
    assert!(arrived.try_recv().is_err(), "the third did not arrive");
}

/// Headers that are refused: each is sent to the hub by the province, and the stream must end without a byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_are_forged_stale_replayed_or_astray_are_refused() {
    let Tree {
        hub,
        mut ministry,
        province,
    } = tree().await;
    let mut arrived = arrivals(&mut ministry);
    let header = |from: &Member, to: &Member, at: Moment, signer: &Member| {
        let (from_place, to_place) = (from.proved().place().clone(), to.proved().place().clone());
        let id = [at.as_millis().to_le_bytes()[0]; 16];
        let bound = codec::encode(&(id, &from_place, &to_place, at));
        let plain = codec::encode(&request(Digest::object(b"x")));
        let to_key = to.proved().certificate().sealing_key;
        let sealed = sealing::seal(
            &to_key,
            CIRCUIT_PROTOCOL.as_bytes(),
            &bound,
            &plain,
            [9; 32],
        )
        .unwrap();
        let open = CircuitOpen {
            id,
            from: from_place,
            to: to_place,
            at,
            sealed,
        };
        codec::encode(&(
            Signed::sign(&open, Domain::Circuit, &signer.keys().me.signing),
            from.chain.clone(),
        ))
    };
    let (p, m, h) = (&province.member, &ministry.member, &hub.member);
    let good = header(p, m, now(), p);
    let mut malformed = good.clone();
    malformed.truncate(good.len() / 2);
    let refused = [
        ("malformed", malformed),
        ("signed by another", header(p, m, now(), m)),
        (
            "too old",
            header(p, m, now().plus_millis(-CIRCUIT_OPEN_VALID_MS - 5_000), p),
        ),
        (
            "from the future",
            header(p, m, now().plus_millis(CIRCUIT_OPEN_VALID_MS + 5_000), p),
        ),
        ("not on its way from this neighbour", header(m, p, now(), m)),
        ("from the hub itself", header(h, m, now(), h)),
        (
            "too long",
            vec![0; federation::wire::MAX_CIRCUIT_HEADER_BYTES],
        ),
    ];
    for (what, header) in refused {
        assert_eq!(send(&province, &hub, &header).await, 0, "{what}");
    }
    assert!(arrived.try_recv().is_err());
    let mut first = open(&province, &hub, &good).await;
    let (_, _, mut there) = tokio::time::timeout(PATIENCE, arrived.recv())
        .await
        .unwrap()
        .unwrap();
    there.send(b"x", true).await.unwrap();
    assert!(
        first.read(&mut [0; 8]).await.unwrap() > 0,
        "the good header works"
    );
    assert_eq!(send(&province, &hub, &good).await, 0, "and works once");
    assert!(arrived.try_recv().is_err());
}

async fn open(from: &Station, to: &Station, header: &[u8]) -> libp2p::Stream {
    let mut stream = from
        .transport
        .open_circuit(to.member.transport_key(), CIRCUIT_PROTOCOL)
        .await
        .unwrap();
    write_frame(&mut stream, header, header.len())
        .await
        .unwrap();
    stream.flush().await.unwrap();
    stream
}

/// Bytes that come back before the stream ends.
async fn send(from: &Station, to: &Station, header: &[u8]) -> usize {
    let mut stream = open(from, to, header).await;
    let mut back = Vec::new();
    // A reset is an end as well.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut back))
        .await
        .expect("the stream to end");
    back.len()
}

const TABLE: &str = "code,name\n440106,天河区\n440100,广州市\n210102,和平区\n999999,nowhere\n";

/// The ministry splits a table for the province and opens a docket for the part.
async fn deliver(ministry: &mut Station, province: &Station) -> (DocketId, ObjectRef, PartNotice) {
    let (home, recipient) = (
        ministry.member.proved().place().clone(),
        province.member.proved().place().clone(),
    );
    let dataset: DatasetId = "divisions".parse().unwrap();
    let stored = ministry
        .objects
        .put_reader(TABLE.as_bytes(), 1 << 20)
        .unwrap();
    let table = ObjectRef {
        digest: stored.digest,
        length: stored.length,
        name: "divisions.csv".into(),
    };
    let docket = DocketId(Digest::object(b"docket"));
    let manifest = Manifest {
        source: home.clone(),
        dataset: dataset.clone(),
        delivery: 1,
        at: now(),
        query: "all".into(),
        division_column: "code".into(),
        header: String::new(),
        rows: 4,
        assigned: vec![],
        remainder_rows: 0,
        remainder: vec![],
        root: SumNode {
            rows: 0,
            digest: Digest::object(b""),
        },
    };
    let area: Area = province.member.code.try_into().unwrap();
    let subscribers = vec![SplitFor {
        docket,
        area: area.clone(),
        base: None,
    }];
    ministry.delivery.split(SplitTask {
        act: ActId(Digest::object(b"act")),
        manifest,
        table,
        secret: [1; 32],
        key_column: None,
        subscribers,
    });
    let Input::TableSplit {
        outcome: Ok(SplitTable {
            manifest,
            mut parts,
        }),
        ..
    } = ministry.next().await
    else {
        panic!("not split")
    };
    assert_eq!((manifest.root.rows, manifest.remainder_rows), (4, 1));
    let part = parts.remove(0);
    let signing = ministry.member.keys().me.signing;
    let notice = PartNotice {
        manifest: Signed::sign(&manifest, Domain::Manifest, &signing),
        signer: ministry.member.proved().chain().clone(),
        area: part.area,
        rows: part.rows,
        proof: part.proof,
        salt: part.salt,
        part: part.part.clone(),
        difference: part.difference,
        leaves: part.leaves,
    };
    let subscription = Subscription {
        source: home.code(),
        origin: home.code(),
        dataset: dataset.clone(),
        area,
        schedule: "daily@18:00".parse().unwrap(),
    };
    let act = Act {
        nonce: [0; 16],
        at: now(),
        node: ministry.member.code,
        body: ActBody::Subscribe(subscription.clone()),
    };
    let act = SignedAct {
        act: Signed::sign(&act, Domain::Act, &signing),
        signer: PersonChain(vec![]),
    };
    let events = [
        ReturnFlowEvent::Subscribed {
            act,
            recipient,
            source: home.clone(),
            subscription,
        },
        ReturnFlowEvent::Delivering {
            delivery: 1,
            notice: notice.clone(),
        },
    ];
    for (sequence, body) in (0..).zip(events) {
        let (previous, checkpoint) = (
            Digest::from_bytes([0; 32]),
            (0, Digest::from_bytes([0; 32])),
        );
        let event = DocketEvent {
            docket,
            home: home.clone(),
            sequence,
            previous,
            at: now(),
            checkpoint,
            body: DocketBody::ReturnFlow(body),
        };
        let body = codec::encode(&Signed::sign(&event, Domain::Event, &signing));
        ministry.commit(
            vec![Record::Event {
                docket,
                sequence,
                body: Digest::of(Domain::Body, &body),
                home: home.clone(),
                at: now(),
            }],
            vec![body],
        );
    }
    (docket, part.part, notice)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_is_fetched_through_the_hub_verified_and_receipted() {
    let Tree {
        hub: _hub,
        mut ministry,
        mut province,
    } = tree().await;
    let (docket, part, notice) = deliver(&mut ministry, &province).await;
    ministry.answer_with_delivery();
    province.delivery.fetch(
        ministry.member.chain.clone(),
        docket,
        (part.clone(), Shelf::Objects),
        Some(Box::new(notice)),
    );
    let Input::Fetched {
        outcome, object, ..
    } = province.next().await
    else {
        panic!("not fetched")
    };
    assert_eq!(
        (outcome, object),
        (
            Ok(FetchedPart::Part {
                delivery: 1,
                rows: Ok(2)
            }),
            part.clone()
        )
    );
    let mut got = String::new();
    province
        .objects
        .get(&part.digest)
        .unwrap()
        .read_to_string(&mut got)
        .unwrap();
    assert_eq!(got, "code,name\n440100,广州市\n440106,天河区\n");
    let served = Input::Served {
        docket,
        object: part,
        to: province.member.proved().place().clone(),
    };
    assert_eq!(ministry.next().await, served);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_reaches_the_one_who_asks_and_nothing_is_served() {
    let Tree {
        hub: _hub,
        mut ministry,
        mut province,
    } = tree().await;
    let (docket, _, _) = deliver(&mut ministry, &province).await;
    let secret = ministry
        .objects
        .put_reader(&b"not yours"[..], 1 << 20)
        .unwrap();
    ministry.answer_with_delivery();
    let object = ObjectRef {
        digest: secret.digest,
        length: secret.length,
        name: "secret".into(),
    };
    province.delivery.fetch(
        ministry.member.chain.clone(),
        docket,
        (object, Shelf::Objects),
        None,
    );
    let Input::Fetched {
        outcome: Err(reason),
        ..
    } = province.next().await
    else {
        panic!("fetched")
    };
    assert!(reason.contains("docket"), "{reason}");
    assert!(!province.objects.contains(&secret.digest));
    assert!(ministry.inputs.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_is_not_the_manifests_is_found_out() {
    let Tree {
        hub: _hub,
        mut ministry,
        mut province,
    } = tree().await;
    let (docket, part, mut notice) = deliver(&mut ministry, &province).await;
    notice.salt = [0; 32];
    ministry.answer_with_delivery();
    province.delivery.fetch(
        ministry.member.chain.clone(),
        docket,
        (part, Shelf::Objects),
        Some(Box::new(notice)),
    );
    let Input::Fetched {
        outcome: Ok(FetchedPart::Part {
            rows: Err(finding), ..
        }),
        ..
    } = province.next().await
    else {
        panic!("accepted")
    };
    assert!(finding.contains("manifest"), "{finding}");
}
