//! Backups of running nodes, restored; what is killed in the middle; and a ledger that an earlier version wrote.

mod family;
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use federation::core::{Record, query};
use federation::store::Txn;
use identity::{Level, codec};
use node::config::NodeConfig;
use node::runtime::clock::Clock;
use node::runtime::driver::now;
use node::runtime::{Handle, StartError};
use node::storage::backup::{self, How, RESTORED_FILE, RESTORING_FILE, Recipient, Wanted, opening};
use node::storage::store::Store;

use family::{Member, hub};
use program::{Running, english, error, folder, guantong, path, result, says};

/// A test that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Adds records to the ledger of a node that is stopped, as its core would have.
fn records(data: &Path, records: Vec<Record>) {
    let (store, _) = Store::open(data, &federation::core::project).unwrap();
    let mut txn = Txn::new(&store);
    for record in records {
        let bytes = codec::encode(&record);
        federation::core::project(&bytes, &mut txn).unwrap();
        txn.push_record(bytes);
    }
    store.commit(&txn.into_batch()).unwrap();
}

fn finding(text: &str) -> Record {
    Record::Finding {
        text_zh: text.into(),
        text_en: text.into(),
        article: None,
        at: now(),
    }
}

fn config(data: &Path, parent: Option<&Handle>) -> NodeConfig {
    let mut config = NodeConfig::in_dir(data);
    config.link.parent = parent.map(|parent| parent.addresses().remove(0));
    config.timing.tick_ms = 20;
    config
}

async fn start(member: &Member, data: &Path, parent: Option<&Handle>) -> Handle {
    node::runtime::start(&config(data, parent), member.keys(), Clock::system())
        .await
        .unwrap()
}

async fn until(node: &Handle, wanted: impl Fn(&federation::core::view::Status) -> bool) {
    let mut changes = node.status_changes();
    tokio::time::timeout(PATIENCE, changes.wait_for(|status| wanted(status)))
        .await
        .expect("the status in time")
        .unwrap();
}

/// Waits until the parent has cosigned all of the ledger that a finding tells of.
async fn cosigned(node: &Handle, leaves: u64) {
    let asked = Instant::now();
    while query::node(&*node.store()).unwrap().cosigned < leaves {
        assert!(asked.elapsed() < PATIENCE, "cosigned in time");
        tokio::task::yield_now().await;
    }
}

fn take(data: &Path, to: &Path, end: u64) -> backup::Taken {
    backup::take(&Wanted {
        data,
        to,
        end,
        node: "440000 广东省".into(),
        now: now(),
        recipient: None,
        objects: true,
        personal: false,
        keys: None,
    })
    .unwrap()
}

/// Restores over what was there.
fn restore(from: &Path, data: &Path) {
    fs::remove_dir_all(data).unwrap();
    let storage_key = data.with_extension("secrets").join("storage.key");
    backup::restore(&How {
        from,
        data,
        key: None,
        storage_key: &storage_key,
        what_is_left: false,
        now: now(),
    })
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_restored_from_an_old_backup_waits_and_from_the_newest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let hub = hub();
    let province = hub.certify(10, "440000", "广东省", Level::Province);
    let (chain, at_) = (hub.chain.clone(), now());
    let installed = Record::Installed { chain, at: at_ };
    let certified = Record::Certified {
        chain: province.chain.clone(),
        at: now(),
    };
    records(&at("hub"), vec![installed, certified]);
    let top = start(&hub, &at("hub"), None).await;
    let node = start(&province, &at("gd"), Some(&top)).await;
    node.install(province.chain.clone()).await.unwrap();
    cosigned(&node, 1).await;
    // Taken while the node runs, up to what it says is durable.
    take(&at("gd"), &at("old"), node.standing().batches);
    node.shutdown().await;
    drop(node);
    records(&at("gd"), vec![finding("二"), finding("三")]);
    let node = start(&province, &at("gd"), Some(&top)).await;
    let leaves = query::node(&*node.store()).unwrap().ledger;
    cosigned(&node, leaves).await;
    node.shutdown().await;
    drop(node);
    take(&at("gd"), &at("new"), backup::end_of(&at("gd")).unwrap());

    restore(&at("old"), &at("gd"));
    let node = start(&province, &at("gd"), Some(&top)).await;
    let ahead = |status: &federation::core::view::Status| {
        status
            .restored
            .as_ref()
            .is_some_and(|it| it.ahead.is_some())
    };
    until(&node, ahead).await;
    let batches = node.standing().batches;
    let refused = node.search("农业".into(), 10, PATIENCE).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(node.standing().batches, batches, "it wrote nothing");
    assert!(at("gd").join(RESTORED_FILE).exists());
    node.shutdown().await;
    drop(node);

    restore(&at("new"), &at("gd"));
    let node = start(&province, &at("gd"), Some(&top)).await;
    let asked = Instant::now();
    while at("gd").join(RESTORED_FILE).exists() {
        assert!(asked.elapsed() < PATIENCE, "released in time");
        tokio::task::yield_now().await;
    }
    let restored = query::node(&*node.store()).unwrap().ledger;
    cosigned(&node, restored).await;
    let findings = query::findings(&*node.store(), None, 10).unwrap();
    assert!(
        findings.iter().any(|it| it.en.contains("agrees with")),
        "{findings:?}"
    );
    node.shutdown().await;
    top.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_is_in_escrow_soon_and_is_recovered_with_the_recovery_key_alone() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let hub = hub();
    let (chain, when) = (hub.chain.clone(), now());
    records(
        &at("hub"),
        vec![Record::Installed { chain, at: when }, finding("一")],
    );
    let mut config = config(&at("hub"), None);
    config.escrow.folder = Some(at("escrow"));
    config.escrow.recipient = Some(Recipient::of_seed([3; 32]).to_string());
    config.escrow.every_s = 1;
    let node = node::runtime::start(&config, hub.keys(), Clock::system())
        .await
        .unwrap();
    let asked = Instant::now();
    let view = loop {
        let view = node.escrow().unwrap();
        if view.escrowed > 1 && view.behind == 0 {
            break view;
        }
        assert!(asked.elapsed() < PATIENCE, "escrowed in time: {view:?}");
        tokio::task::yield_now().await;
    };
    assert_eq!(view.failing, None);
    node.shutdown().await;
    drop(node);
    let key = opening([3; 32]);
    let recovered = backup::restore(&How {
        from: &at("escrow"),
        data: &at("recovered"),
        key: Some(&key),
        storage_key: &at("storage.key"),
        what_is_left: true,
        now: now(),
    })
    .unwrap();
    assert_eq!(
        (recovered.batches, recovered.missing.len()),
        (view.escrowed, 0)
    );
    let (store, _) = Store::open(&at("recovered"), &federation::core::project).unwrap();
    assert!(query::node(&store).unwrap().place.is_some());
}

/// Starts the program and kills it when `moment` has come; false when it had ended before.
fn killed_when(args: &[&str], moment: impl Fn() -> bool) -> bool {
    let mut child: Child = guantong("en_US.UTF-8")
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let killed = loop {
        if moment() {
            break child.try_wait().unwrap().is_none();
        }
        if child.try_wait().unwrap().is_some() {
            break false;
        }
        std::thread::yield_now();
    };
    drop(child.kill());
    child.wait().unwrap();
    killed
}

/// A file in the object store that takes a while to copy.
fn large_file(data: &Path) -> PathBuf {
    let shelf = data.join("objects/ab");
    fs::create_dir_all(&shelf).unwrap();
    let file = fs::File::create(shelf.join("large")).unwrap();
    file.set_len(192 << 20).unwrap();
    PathBuf::from("objects/ab/large")
}

#[test]
fn a_backup_or_restore_killed_in_the_middle_leaves_what_was_before_and_is_done_again() {
    let (parent, data) = folder();
    let to = parent.path().join("backup");
    let running = Running::start(&data);
    let backup = ["backup", "--json", "--data", path(&data), "--to", path(&to)];
    let first = result(&english(&backup));
    let verify = ["backup", "verify", "--json", path(&to)];
    assert_eq!(result(&english(&verify))["batches"], first["batches"]);
    // Killed while a file is under way: the backup before stands.
    let large = large_file(&data);
    let half = to.join("objects").join(format!("{}.tmp", large.display()));
    assert!(killed_when(&backup, || half.exists()));
    assert_eq!(result(&english(&verify))["parts"], first["parts"]);
    let again = result(&english(&backup));
    assert_eq!(
        again["parts"].as_u64(),
        first["parts"].as_u64().map(|n| n + 1)
    );
    assert!(!half.exists());
    assert_eq!(result(&english(&verify))["parts"], again["parts"]);
    drop(running);

    let other = parent.path().join("other");
    let restore = ["restore", "--json", "--data", path(&other), path(&to)];
    let begun = other.join(&large);
    assert!(killed_when(&restore, || begun.exists()));
    assert!(other.join(RESTORING_FILE).exists());
    // What has keys and is half-restored does not start.
    copy_keys(&data, &other);
    let refused = error(&english(&["run", "--json", "--data", path(&other)]));
    assert_eq!(refused["exit"], 2, "{refused}");
    let done = result(&english(&restore));
    assert_eq!(done["batches"], first["batches"]);
    assert!(other.join(RESTORED_FILE).exists() && !other.join(RESTORING_FILE).exists());
    let refused = error(&english(&restore));
    assert!(
        refused["exit"] == 2 && says(&refused, "not empty"),
        "{refused}"
    );
}

fn copy_keys(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("keys")).unwrap();
    for name in ["signing.key", "transport.key", "sealing-1.key"] {
        fs::copy(from.join("keys").join(name), to.join("keys").join(name)).unwrap();
    }
    for name in ["node.toml", "root.pub", "tokens.toml"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[test]
fn a_sealed_backup_with_keys_makes_a_node_anew_and_a_wrong_key_does_not() {
    let (parent, data) = folder();
    let at = |name: &str| parent.path().join(name);
    let made = |out: &Path| {
        let mut command = guantong("en_US.UTF-8");
        command.args([
            "backup",
            "key",
            "--demonstration",
            "--json",
            "--out",
            path(out),
        ]);
        result(&command.env("GUANTONG_PASSPHRASE", "x").output().unwrap())
    };
    made(&at("recovery.key"));
    made(&at("other.key"));
    let running = Running::start(&data);
    let args = |more: &[&str]| {
        let mut all = vec!["backup", "--json", "--data", path(&data), "--with-keys"];
        let to = at("backup");
        all.extend(["--to", path(&to)]);
        all.extend(more);
        english(&all)
    };
    let clear = error(&args(&[]));
    assert!(clear["exit"] == 2, "{clear}");
    result(&args(&["--recipient", path(&at("recovery.pub"))]));
    drop(running);
    let restored = |key: &str| {
        let mut command = guantong("en_US.UTF-8");
        let (key, data, from) = (at(key), at("anew"), at("backup"));
        command.args(["restore", "--json", "--data", path(&data), path(&from)]);
        command.args(["--recovery-key", path(&key)]);
        command.env("GUANTONG_PASSPHRASE", "x").output().unwrap()
    };
    assert_eq!(error(&restored("other.key"))["exit"], 4);
    assert_eq!(result(&restored("recovery.key"))["keys"], true);
    let anew = Running::start(&at("anew"));
    let status = result(&english(&["status", "--json", "--data", path(&at("anew"))]));
    assert!(status["keeping"]["restored"].is_object(), "{status}");
    drop(anew);
}

/// The ledger of a hub that enrolled a head and certified a child, as the first format of the ledger has it. It is never made anew: when this test
/// fails, what nodes have on their disks cannot be read any more.
#[test]
fn a_ledger_of_format_1_is_read_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/ledger-1");
    fs::create_dir(dir.path().join("ledger")).unwrap();
    let name = "00000000000000000001.log";
    fs::copy(fixture.join(name), dir.path().join("ledger").join(name)).unwrap();
    let (store, opened) = Store::open(dir.path(), &federation::core::project).unwrap();
    assert_eq!(opened.recovery.torn, None);
    let node = query::node(&store).unwrap();
    assert_eq!(node.place.unwrap().to_string(), "100000");
    assert_eq!(node.children, ["440000".parse::<identity::Code>().unwrap()]);
    assert_eq!((node.ledger, node.checkpoint), (7, 6));
}

#[tokio::test]
async fn a_node_does_not_start_on_a_folder_that_is_being_restored() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("node");
    fs::create_dir(&data).unwrap();
    fs::write(data.join(RESTORING_FILE), "").unwrap();
    let started = node::runtime::start(&config(&data, None), hub().keys(), Clock::system()).await;
    assert!(matches!(started, Err(StartError::Restoring(_))));
    assert!(!data.join("ledger").exists());
}
