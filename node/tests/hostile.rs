//! Hostile peers over real sockets, at a whole node with an honest child: floods, giants, slow ones and replays are bounded, the honest child is
//! served meanwhile, and memory does not grow.
//!
//! Attackers live in the process of what they attack: what it grows by bounds what the node grows by. Each test prints what the honest child waits
//! for an answer, alone and under the attack (`tests/benches/hostile`).

mod family;
mod peer;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use federation::core::{Record, query};
use federation::sync::{Head, Segment};
use federation::wire::{CIRCUIT_PROTOCOL, Envelope, EnvelopeId, Frame, MAX_FRAME_BYTES};
use futures::{AsyncRead, AsyncWrite, AsyncWriteExt};
use identity::{Chain, Code, Digest, Domain, Level, Path as Place, Signed, codec};
use libp2p::{Multiaddr, Stream};
use node::config::NodeConfig;
use node::runtime::clock::Clock;
use node::runtime::driver::now;
use node::runtime::{Handle, LevelState};
use node::storage::store::Store;
use node::transport::{read_frame, write_frame};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use family::{Member, hub, transport_seed};
use peer::Raw;

/// What has not happened by then does not happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// What node, child and attackers may grow by together: the core's queue of frames (34 MiB) with what is decoded of one batch and the attackers'
/// own frames.
const MAX_GROWTH_BYTES: u64 = 160 << 20;
/// Connections of a flood: several times what the node lets in, and few enough for a process' descriptors.
const FLOOD: usize = 200;
/// Answers that the honest child asks for to say how long one takes.
const ANSWERS: usize = 20;
/// Attackers and the honest child share two processors, and memory is that of the process: one test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A hub with an honest child, and a certified one whose keys the test holds.
struct Site {
    top: Handle,
    child: Handle,
    hub: Member,
    honest: Member,
    hostile: Member,
    link: SocketAddr,
    wire: SocketAddr,
    dirs: [tempfile::TempDir; 2],
}

fn data(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("node")
}

/// An address that is free now: a node that starts again is where it was.
fn free() -> SocketAddr {
    let probe = TcpListener::bind("127.0.0.1:0").unwrap();
    probe.local_addr().unwrap()
}

fn multiaddr(address: SocketAddr) -> Multiaddr {
    let (ip, port) = (address.ip(), address.port());
    format!("/ip4/{ip}/tcp/{port}").parse().unwrap()
}

/// What an authority's acts do, without the acts: the hub has its place and its children.
fn certified(hub: &Member, children: [&Member; 2], folder: &Path) {
    use federation::store::Txn;
    let (store, _) = Store::open(folder, &federation::core::project).unwrap();
    let mut txn = Txn::new(&store);
    let at = now();
    let mut records = vec![Record::Installed {
        chain: hub.chain.clone(),
        at,
    }];
    records.extend(children.map(|child| Record::Certified {
        chain: child.chain.clone(),
        at,
    }));
    for record in records {
        let bytes = codec::encode(&record);
        federation::core::project(&bytes, &mut txn).unwrap();
        txn.push_record(bytes);
    }
    store.commit(&txn.into_batch()).unwrap();
}

async fn run_hub(hub: &Member, folder: &Path, link: SocketAddr, wire: SocketAddr) -> Handle {
    let mut config = NodeConfig::in_dir(folder);
    config.link.listen = multiaddr(link);
    config.link.wire_listen = Some(multiaddr(wire));
    config.timing.tick_ms = 20;
    config.limits.connections = 16;
    config.limits.pending_connections = 16;
    node::runtime::start(&config, hub.keys(), Clock::system())
        .await
        .unwrap()
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse::<u64>().unwrap() << 10
}

impl Site {
    async fn start() -> Self {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let hub = hub();
        let honest = hub.certify(10, "440000", "广东省", Level::Province);
        let hostile = hub.certify(11, "210000", "辽宁省", Level::Province);
        certified(&hub, [&honest, &hostile], &data(&dirs[0]));
        let (link, wire) = (free(), free());
        let top = run_hub(&hub, &data(&dirs[0]), link, wire).await;
        let mut config = NodeConfig::in_dir(data(&dirs[1]));
        config.link.parent = Some(multiaddr(link));
        config.timing.tick_ms = 20;
        let child = node::runtime::start(&config, honest.keys(), Clock::system())
            .await
            .unwrap();
        child.install(honest.chain.clone()).await.unwrap();
        let site = Self {
            top,
            child,
            hub,
            honest,
            hostile,
            link,
            wire,
            dirs,
        };
        site.joined().await;
        site
    }

    /// Waits until the honest child's link is up at both ends.
    async fn joined(&self) {
        for node in [&self.child, &self.top] {
            let mut changes = node.status_changes();
            let up = changes.wait_for(|status| status.links.iter().any(|link| link.up));
            tokio::time::timeout(PATIENCE, up)
                .await
                .expect("the link in time")
                .unwrap();
        }
    }

    async fn restart(self) -> Self {
        let Self {
            top,
            child,
            hub,
            honest,
            hostile,
            link,
            wire,
            dirs,
        } = self;
        top.shutdown().await;
        // Whoever holds it holds its folder.
        drop(top);
        let mut changes = child.status_changes();
        let down = changes.wait_for(|status| !status.links.iter().any(|link| link.up));
        let noticed = tokio::time::timeout(PATIENCE, down).await;
        drop(noticed.expect("the child notices").unwrap());
        let top = run_hub(&hub, &data(&dirs[0]), link, wire).await;
        let site = Self {
            top,
            child,
            hub,
            honest,
            hostile,
            link,
            wire,
            dirs,
        };
        site.joined().await;
        site
    }

    /// What the honest child waits for an answer of the hub.
    async fn answer(&self) -> Duration {
        let begin = Instant::now();
        let found = self.child.search("农业".into(), 10, PATIENCE).await;
        let found = found.expect("the child is a member");
        assert!(
            matches!(found.levels[0].1, LevelState::Answered(_)),
            "{found:?}"
        );
        begin.elapsed()
    }

    async fn answers(&self) -> Duration {
        let mut taken = Vec::new();
        for _ in 0..ANSWERS {
            taken.push(self.answer().await);
        }
        taken.sort();
        taken[ANSWERS / 2]
    }

    /// Runs an attack while the honest child asks and asks; what the attack gives is held while it asks once more.
    async fn under<T>(&self, name: &str, attack: impl Future<Output = T>) -> T {
        let alone = self.answers().await;
        let before = resident();
        let asking = async {
            loop {
                self.answer().await;
            }
        };
        let held = tokio::select! {
            held = attack => held,
            () = asking => unreachable!(),
        };
        let attacked = self.answers().await;
        let grown = resident().saturating_sub(before);
        println!("latency {name}: {alone:?} alone, {attacked:?} under attack, grown {grown} bytes");
        assert!(grown <= MAX_GROWTH_BYTES, "{name}: grown by {grown} bytes");
        held
    }

    /// The certified neighbour's bare connection with both streams of its link.
    async fn neighbour(&self) -> (Raw, Stream, Stream) {
        let mut raw = Raw::dial(
            transport_seed(self.hostile.seed),
            transport_seed(self.hub.seed),
            multiaddr(self.link),
        );
        let (ours, theirs) = raw.link().await;
        (raw, ours, theirs)
    }

    /// The same after its greeting.
    async fn greeted(&self) -> (Raw, Stream, Stream) {
        let (mut raw, mut ours, theirs) = self.neighbour().await;
        let hello = hello(&self.hostile.chain);
        raw.drive(say(&mut ours, &hello)).await.unwrap();
        (raw, ours, theirs)
    }

    /// How often an envelope was taken here, by the ledger.
    fn taken(&self, wanted: EnvelopeId) -> usize {
        let (store, mut after, mut found) = (self.top.store(), None, 0);
        loop {
            let page = query::ledger(&*store, after, 256).unwrap();
            let Some((last, _)) = page.last() else {
                return found;
            };
            after = Some(*last);
            let is_it = |record: &Record| matches!(record, Record::Taken { envelope, .. } if *envelope == wanted);
            found += page.iter().filter(|(_, record)| is_it(record)).count();
        }
    }
}

fn hello(chain: &Chain) -> Vec<u8> {
    codec::encode(&Frame::Hello {
        wire: federation::wire::WIRE_VERSION,
        chain: chain.clone(),
        software: "hostile".into(),
        now: now(),
    })
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> Result<(), String> {
    let written = write_frame(stream, frame, usize::MAX).await;
    written.map_err(|error| error.to_string())?;
    stream.flush().await.map_err(|error| error.to_string())
}

async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Frame {
    let bytes = read_frame(stream, MAX_FRAME_BYTES).await.unwrap();
    codec::decode(&bytes.expect("the stream goes on"), MAX_FRAME_BYTES).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_connections_and_strangers_garbage_keep_nobody_out() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let held = site
        .under("half-open", async {
            let mut held = Vec::new();
            for number in 0..FLOOD {
                // A refused connection is what is wanted.
                let Ok(mut stream) = TcpStream::connect(site.link).await else {
                    continue;
                };
                if number % 2 == 0 {
                    use tokio::io::AsyncWriteExt;
                    let _ = stream.write_all(&[0xff; 4_096]).await;
                }
                held.push(stream);
            }
            held
        })
        .await;
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_of_strangers_lead_to_no_link() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let top = transport_seed(site.hub.seed);
    site.under("strangers", async {
        for number in 0..40u8 {
            // No member's key: those have one byte throughout.
            let mut key = [0x77; 32];
            key[0] = number;
            let mut stranger = Raw::dial(key, top, multiaddr(site.link));
            if stranger.connected().await.is_ok() {
                stranger.closed().await;
            }
        }
    })
    .await;
    let status = site.top.status();
    let up: Vec<Code> = status
        .links
        .iter()
        .filter(|link| link.up)
        .map(|link| link.code)
        .collect();
    assert_eq!(up, [site.honest.code]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_ten_thousand_deep_and_giant_or_nested_frames_close_their_own_link_only() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let leaf = site.hostile.chain.certificates().last().unwrap().clone();
    let deep = hello(&Chain::new(vec![leaf; 10_000]));
    assert!(deep.len() <= MAX_FRAME_BYTES, "{} bytes", deep.len());
    let mut endless = codec::encode(&1u32);
    endless.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0x10]);
    let frames = [
        deep,
        vec![0xff; MAX_FRAME_BYTES],
        vec![0; MAX_FRAME_BYTES],
        endless,
        vec![0; MAX_FRAME_BYTES + 1],
    ];
    site.under("giants", async {
        for frame in &frames {
            let (mut raw, mut ours, _theirs) = site.neighbour().await;
            // The node may have enough before all of it is said.
            let _ = raw.drive(say(&mut ours, frame)).await;
            raw.closed().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_claims_to_unpack_to_gigabytes_allocates_none_of_them() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let body = [&u32::MAX.to_le_bytes()[..], &[0x1f; 64]].concat();
    let head = Head {
        publisher: site.hostile.proved().place().clone(),
        first: 1,
        last: 1,
        segment_root: Digest::object(b""),
        previous_root: Digest::object(b""),
        root: Digest::object(b""),
        body: Digest::of(Domain::Body, &body),
        at: now(),
    };
    let signing = site.hostile.keys().me.signing;
    let segment = Segment {
        head: Signed::sign(&head, Domain::Segment, &signing),
        body,
    };
    let frame = codec::encode(&Frame::SyncSegments {
        publisher: site.hostile.chain.clone(),
        segments: vec![segment; 64],
    });
    let _held = site
        .under("unpacking", async {
            let (mut raw, mut ours, theirs) = site.greeted().await;
            for _ in 0..50 {
                if raw.drive(say(&mut ours, &frame)).await.is_err() {
                    break;
                }
            }
            (raw, ours, theirs)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_that_asks_much_and_reads_nothing_costs_others_nothing() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let question = codec::encode(&Frame::ChainWanted {
        code: site.honest.code,
    });
    let frame = [&(question.len() as u32).to_be_bytes()[..], &question].concat();
    let burst = frame.repeat(4_096);
    let _held = site
        .under("slow reader", async {
            let (mut raw, mut ours, theirs) = site.greeted().await;
            // Bounded: what is asked is taken, or the link is closed, or nothing more is taken.
            for _ in 0..16 {
                let asking = raw.drive(ours.write_all(&burst));
                match tokio::time::timeout(Duration::from_secs(2), asking).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) | Err(_) => break,
                }
            }
            (raw, ours, theirs)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_without_end_take_no_more_than_a_neighbours_share() {
    let _alone = ALONE.lock().await;
    let site = Site::start().await;
    let _held = site
        .under("streams", async {
            let (mut raw, ours, theirs) = site.greeted().await;
            let mut held = Vec::new();
            for _ in 0..400 {
                let Ok(mut stream) = raw.open(CIRCUIT_PROTOCOL).await else {
                    break;
                };
                // A header is announced and does not come.
                let announced = u32::try_from(MAX_FRAME_BYTES).unwrap().to_be_bytes();
                if raw.drive(stream.write_all(&announced)).await.is_err() {
                    break;
                }
                held.push(stream);
            }
            (raw, ours, theirs, held)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_again_takes_effect_once_also_after_a_restart() {
    let _alone = ALONE.lock().await;
    let mut site = Site::start().await;
    let to: Place = site.honest.proved().place().clone();
    let sealing = &site.honest.proved().certificate().sealing_key.clone();
    let sealed = identity::sealing::seal(sealing, b"", b"", b"nothing", [7; 32]).unwrap();
    let envelope = Envelope {
        from: site.hostile.proved().place().clone(),
        to,
        order: 1,
        created: now(),
        expires: now().plus_days(1),
        sealed,
    };
    let signing = site.hostile.keys().me.signing;
    let signed = Signed::sign(&envelope, Domain::Envelope, &signing);
    let id = EnvelopeId(signed.digest(Domain::Envelope));
    let push = codec::encode(&Frame::Push {
        envelope: signed,
        origin: site.hostile.chain.clone(),
    });
    for life in 0..2 {
        let replaying = async {
            let (mut raw, mut ours, mut theirs) = site.greeted().await;
            for _ in 0..50 {
                raw.drive(say(&mut ours, &push)).await.unwrap();
            }
            let mut answered = 0;
            while answered < 50 {
                match raw.drive(hear(&mut theirs)).await {
                    Frame::Ack { envelope } | Frame::Nack { envelope, .. } if envelope == id => {
                        answered += 1;
                    }
                    _ => {}
                }
            }
        };
        site.under("replays", replaying).await;
        assert_eq!(site.taken(id), 1, "in life {life}");
        if life == 0 {
            site = site.restart().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_on_the_wire_port_holds_a_bounded_number_of_connections() {
    let _alone = ALONE.lock().await;
    let site = Arc::new(Site::start().await);
    let held = site
        .under("wires", async {
            let mut held = Vec::new();
            for number in 0..FLOOD {
                let Ok(mut stream) = TcpStream::connect(site.wire).await else {
                    continue;
                };
                if number % 2 == 0 {
                    use tokio::io::AsyncWriteExt;
                    let _ = stream.write_all(&[7; 16]).await;
                }
                held.push(stream);
            }
            held
        })
        .await;
    // Nobody expects these tickets: each connection is closed, the silent ones when their time is over.
    for mut stream in held {
        use tokio::io::AsyncReadExt;
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 1])).await;
        assert_eq!(read.expect("closed in time").unwrap_or(0), 0);
    }
}
