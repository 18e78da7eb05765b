//! Where the time of a sync goes, without network or disk: `cargo bench -p guantong-tests --bench core [-- ENTRIES]`.
//!
//! Times one core's work on the way of 100,000 entries (or as many as are named) from a publisher to a receiver, step by step: cutting and signing segments at
//! the publisher; [`accept`] at the receiver, which believes nothing; `project`, which brings the tables in step. Parts of these are timed on
//! their own: digest, decompression, decoding. The store is in memory; what the disk and sled add is measured by `tests/benches/sync`.

use std::time::{Duration, Instant};

use federation::core::{Record, project};
use federation::store::{Memory, Txn};
use federation::sync::{self, LogState, Segment, accept};
use guantong_tests::{Department, credit_code, entry, key};
use identity::{
    Chain, Code, Digest, Domain, EnrolmentRequest, Level, Member, Moment, OpeningKey, Path, Terms,
    codec, issue, issue_hub,
};
use sharing::catalogue::{Change, DataItem, Entry};
use statute::{ClassTerms, Grade};

const ENTRIES: usize = 100_000;
const NOW: Moment = Moment::from_millis(1_772_500_000_000);
const PUBLISHER: &str = "440000";

fn main() {
    // Cargo passes `--bench`; a plain number is how many entries.
    let count = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(ENTRIES);
    let member = member();
    let changes: Vec<Change> = (0..count)
        .map(|number| Change::Published {
            entry: numbered(number),
            at: NOW,
        })
        .collect();
    let raw: usize = changes
        .iter()
        .map(|change| codec::encode(change).len())
        .sum();
    println!("{count} entries, {} B each as encoded", raw / count.max(1));

    let (segments, took) = timed(|| {
        sync::publish(
            member.place(),
            &LogState::default(),
            &changes,
            NOW,
            &key("node 440000"),
        )
    });
    let segments = segments.expect("lawful changes are cut").0;
    let sent: usize = segments.iter().map(|segment| segment.body.len()).sum();
    tell("publish: encode, root, compress, sign", took, count);
    println!("  {} segments, {} B of bodies", segments.len(), sent);

    tell(
        "  of a body: digest",
        timed(|| {
            segments
                .iter()
                .map(|it| Digest::of(Domain::Body, &it.body))
                .next_back()
        })
        .1,
        count,
    );
    tell(
        "  of a body: decompress and decode",
        timed(|| {
            segments
                .iter()
                .map(|it| sync::changes(&it.body).map(|it| it.len()))
                .next_back()
        })
        .1,
        count,
    );
    tell(
        "accept: verify, digest, decompress, root, decode",
        timed(|| accepted(&member, &segments)).1,
        count,
    );

    let (store, took) = timed(|| projected(&segments));
    tell("project: decompress, decode, tables in memory", took, count);
    println!("  {} table rows", store.tables.len());
}

/// Runs once and says how long.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed())
}

fn tell(what: &str, took: Duration, count: usize) {
    let each = took.as_secs_f64() * 1e6 / count.max(1) as f64;
    println!(
        "{what:<52} {:>8.3} s {each:>8.2} µs an entry",
        took.as_secs_f64()
    );
}

fn accepted(member: &Member, segments: &[Segment]) -> u64 {
    let mut log = LogState::default();
    for segment in segments {
        log = accept(member, &log, segment)
            .expect("own segments are accepted")
            .log;
    }
    log.last
}

fn projected(segments: &[Segment]) -> Memory {
    let mut store = Memory::default();
    for segment in segments {
        let mut txn = Txn::new(&store);
        txn.push_body(
            Digest::of(Domain::Body, &segment.body),
            segment.body.clone(),
        );
        let record = codec::encode(&Record::Segment {
            head: segment.head.clone(),
            at: NOW,
        });
        project(&record, &mut txn).expect("own segments are projected");
        let batch = txn.into_batch();
        store.commit(batch);
    }
    store
}

/// An entry of about 1 KB as people write it, with seven items.
fn numbered(number: usize) -> Entry {
    let department = Department {
        code: credit_code(PUBLISHER, 1),
        name: "广东省民政厅".into(),
        node: code(PUBLISHER),
    };
    let serial = u32::try_from(number).unwrap_or(u32::MAX);
    let name = format!(
        "天河区第{number}批最低生活保障家庭信息（{}年{}月）",
        2012 + number % 14,
        1 + number % 12
    );
    let terms = ClassTerms::Conditional {
        scope: vec!["县级以上政府相关职能部门".into()],
        uses: vec!["社会救助家庭经济状况核对".into()],
        conditions: vec!["仅限核验，不得留存".into()],
    };
    let item = |name: &str, kind: &str| DataItem {
        name: name.to_owned(),
        kind: kind.to_owned(),
        grade: Grade::General,
    };
    let mut made = entry(&department, serial, &name, terms, NOW);
    made.items = [
        ("户主姓名", "C50"),
        ("户主公民身份号码", "C18"),
        ("家庭人口", "N2"),
        ("月保障金额", "N10"),
        ("起始月份", "C6"),
        ("致困原因", "C100"),
        ("开户银行", "C60"),
    ]
    .map(|(name, kind)| item(name, kind))
    .to_vec();
    made
}

fn code(text: &str) -> Code {
    text.parse().expect("a code of the bench")
}

/// The publisher as its parent certified it.
fn member() -> Member {
    let request = |name: &str, place: Code, level: Level| EnrolmentRequest {
        code: place,
        name: name.to_owned(),
        level,
        signing_key: key(&format!("node {place}")).verify_key(),
        transport_key: *key(&format!("transport {place}")).verify_key().as_bytes(),
        sealing_key: OpeningKey::from_seed(1, key(&format!("sealing {place}")).to_seed())
            .sealing_key(NOW.plus_days(400)),
        authority_head: key(&format!("head {place}")).verify_key(),
        created: NOW,
    };
    let terms = || Terms {
        serial: 1,
        epoch: 1,
        witnesses: vec![],
        valid_from: NOW.plus_days(-1),
        valid_until: NOW.plus_days(90),
    };
    let hub_key = key("node 100000");
    let hub = issue_hub(
        &request("国家政务大数据平台", Code::HUB, Level::Hub).sign(&hub_key),
        &key("root"),
        terms(),
    )
    .expect("a hub");
    let hub_certificate = Chain::new(vec![hub.clone()])
        .claimed()
        .expect("the hub's certificate");
    let own_key = key(&format!("node {PUBLISHER}"));
    let own = issue(
        &request("广东省", code(PUBLISHER), Level::Province).sign(&own_key),
        &hub_certificate,
        &hub_key,
        terms(),
    )
    .expect("a province");
    let chain = Chain::new(vec![hub, own]);
    let member = chain
        .verify_historic(&key("root").verify_key(), NOW)
        .expect("a member");
    assert_eq!(
        member.place(),
        &Path::hub().child(code(PUBLISHER)).expect("a place")
    );
    member
}
