//! Whole nodes in one process, over real sockets: enrolment, search upward, circuits through a hop, restart.

mod family;

use std::path::Path;
use std::time::Duration;

use federation::core::Refused;
use identity::{Level, SigningKey};
use node::config::NodeConfig;
use node::runtime::clock::Clock;
use node::runtime::{Handle, LevelState, StartError};

use family::{Member, hub};

/// A test that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node of its own folder below `dir`, beside which its storage key lies.
fn config(dir: &Path) -> NodeConfig {
    NodeConfig::in_dir(data(dir))
}

fn data(dir: &Path) -> std::path::PathBuf {
    dir.join("node")
}

async fn start(member: &Member, dir: &Path, parent: Option<&Handle>) -> Handle {
    let mut config = config(dir);
    config.link.parent = parent.map(|parent| parent.addresses().remove(0));
    config.timing.tick_ms = 20;
    node::runtime::start(&config, member.keys(), Clock::system())
        .await
        .unwrap()
}

/// Waits until the node's status is as wanted.
async fn until(node: &Handle, wanted: impl Fn(&federation::core::view::Status) -> bool) {
    let mut changes = node.status_changes();
    tokio::time::timeout(PATIENCE, changes.wait_for(|status| wanted(status)))
        .await
        .expect("the status in time")
        .unwrap();
}

/// A hub that knows a child only by its certificate: what an authority's act does, without the act.
fn certified(hub: &Member, children: &[&Member], dir: &Path) {
    use federation::core::Record;
    use federation::store::Txn;
    use node::runtime::driver::now;
    use node::storage::store::Store;
    let (store, _) = Store::open(&data(dir), &federation::core::project).unwrap();
    let mut txn = Txn::new(&store);
    let mut records = vec![Record::Installed {
        chain: hub.chain.clone(),
        at: now(),
    }];
    records.extend(children.iter().map(|child| Record::Certified {
        chain: child.chain.clone(),
        at: now(),
    }));
    for record in records {
        let bytes = identity::codec::encode(&record);
        federation::core::project(&bytes, &mut txn).unwrap();
        txn.push_record(bytes);
    }
    store.commit(&txn.into_batch()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_joins_searches_upward_and_survives_a_restart() {
    let (hub, dirs) = (
        hub(),
        [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()],
    );
    let province = hub.certify(10, "440000", "广东省", Level::Province);
    certified(&hub, &[&province], dirs[0].path());
    let top = start(&hub, dirs[0].path(), None).await;
    let child = start(&province, dirs[1].path(), Some(&top)).await;
    assert!(
        matches!(
            child.search("农业".into(), 10, PATIENCE).await,
            Err(Refused::NotAMember(_))
        ),
        "before enrolment"
    );

    child.install(province.chain.clone()).await.unwrap();
    until(&child, |status| {
        status.links.iter().any(|link| link.parent && link.up)
    })
    .await;
    until(&top, |status| {
        status.links.iter().any(|link| !link.parent && link.up)
    })
    .await;
    let found = child.search("农业".into(), 10, PATIENCE).await.unwrap();
    assert_eq!(found.levels.len(), 1);
    assert!(
        matches!(found.levels[0].1, LevelState::Answered(_)),
        "{found:?}"
    );

    child.shutdown().await;
    drop(child);
    until(&top, |status| !status.links.iter().any(|link| link.up)).await;
    let child = start(&province, dirs[1].path(), Some(&top)).await;
    until(&child, |status| {
        status.links.iter().any(|link| link.parent && link.up)
    })
    .await;
    assert!(child.metrics().encode().contains("guantong_links 1"));

    top.shutdown().await;
    until(&child, |status| !status.links.iter().any(|link| link.up)).await;
    let alone = child
        .search("农业".into(), 10, Duration::from_millis(50))
        .await
        .unwrap();
    assert_eq!(alone.levels[0].1, LevelState::Unreachable);
    child.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_certificate_is_not_installed() {
    let (hub, dir) = (hub(), tempfile::tempdir().unwrap());
    let (province, other) = (
        hub.certify(10, "440000", "广东省", Level::Province),
        hub.certify(11, "210000", "辽宁省", Level::Province),
    );
    let node = start(&province, dir.path(), None).await;
    assert!(matches!(
        node.install(other.chain.clone()).await,
        Err(Refused::NotAuthentic(_))
    ));
    node.shutdown().await;
    assert!(
        node.install(province.chain.clone()).await.is_err(),
        "a node that has stopped takes nothing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_folder_are_one_clear_error() {
    let (hub, dir) = (hub(), tempfile::tempdir().unwrap());
    let first = start(&hub, dir.path(), None).await;
    let second = node::runtime::start(&config(dir.path()), hub.keys(), Clock::system()).await;
    assert!(matches!(second, Err(StartError::Store(_))));
    first.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_root_lets_nobody_join() {
    let (hub, dir) = (hub(), tempfile::tempdir().unwrap());
    let mut keys = hub.keys();
    keys.me.root = SigningKey::from_seed([0x33; 32]).verify_key();
    let node = node::runtime::start(&config(dir.path()), keys, Clock::system())
        .await
        .unwrap();
    assert!(matches!(
        node.install(hub.chain.clone()).await,
        Err(Refused::NotAuthentic(_))
    ));
    node.shutdown().await;
}
