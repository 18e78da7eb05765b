//! The live federation: whole nodes in one process, each with the driver, the journal, libp2p over loopback and the HTTP API that it has in
//! service, under one clock that the scenario sets. A scenario is a plain function; people act through the API, and what came of it is
//! read from another node's store.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use guantong_tests::live::{Federation, beijing, two_provinces};
//! use guantong_tests::stage::{apply, application, code, conditional, provider, seen};
//! use guantong_tests::Department;
//!
//! let mut live = Federation::start(&two_provinces(), beijing("2026-03-09T10:00"));
//! let (provider, entry) = provider(&mut live, "210102", conditional());
//! let requester = Department::hosted(code("440106"), 2, "民政局");
//! let wanted = application(&live, &requester, &provider, &entry);
//! let docket = apply(&mut live, &requester, wanted);
//! live.until("a copy at the requester's node", |live| seen(live, requester.node, docket));
//! live.advance(Duration::from_secs(86_400));
//! assert_eq!(live.get(provider.node, "/duties")["items"][0]["status"], "pending");
//! ```
//!
//! Time stands still until [`Federation::advance`] or [`Federation::advance_to`] moves it, at all nodes in the same instant; when these return,
//! every node has seen the new time and what came of it there is durable. [`Federation::until`] waits for what needs no time to pass: frames
//! under way, events at another node. What the nodes do at intervals of their own (checkpoints and cosigning after a second, trying again
//! after five) is awaited with [`Federation::until_in_time`], which lets time pass in small steps.
//!
//! The steps of [`crate::stage`] work here as in the simulated [`crate::World`].

mod api;
mod site;

pub use api::Answered;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use federation::core::{Answer, Me};
use federation::store::{Fault, Read};
use federation::topology::Topology;
use futures::future::join_all;
use identity::{Chain, Code, Digest, Level, Moment, Path};
use node::api::ProblemBody;
use node::api::sources::AlreadyAnswer;
use node::config::NodeConfig;
use node::runtime::Handle;
use node::runtime::clock::{Clock, ClockHand};
use node::storage::VAULT_FOLDER;
use node::storage::store::Store;
use serde_json::Value;
use sharing::act::{ActBody, ObjectRef, SignedAct};
use sharing::need::{LevelAsked, Said};
use sharing::private::Content;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::cast::{Person, credit_code};
use crate::membership::{self, VALID_DAYS, root_certifies, witnesses};
use crate::stage::Acting;
use site::Site;

/// Threads of the network's runtime: every node has its core's thread beside them.
const WORKER_THREADS: usize = 2;
/// What has not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks at what is awaited.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// Looks before time passes by a step, where it may.
const LOOKS_PER_STEP: u32 = 10;

/// A federation of running nodes.
#[derive(Debug)]
pub struct Federation {
    runtime: Runtime,
    clock: Clock,
    hand: ClockHand,
    sites: BTreeMap<Code, Site>,
    acts: AtomicU64,
    folder: TempDir,
}

/// Two provinces down to counties, 和平区 under 沈阳市 and 天河区 under 广州市: seven nodes, and the longest way that the tree has.
pub fn two_provinces() -> Topology {
    Topology::parse(include_str!("live/two-provinces.toml")).expect("a well-formed topology")
}

/// A moment by Beijing's clocks, such as `2025-09-26T10:00`.
pub fn beijing(civil: &str) -> Moment {
    let moment: jiff::Timestamp = format!("{civil}+08:00")
        .parse()
        .unwrap_or_else(|error| panic!("{civil} is no date and time: {error}"));
    Moment::from_millis(moment.as_millisecond())
}

impl Federation {
    /// Starts the nodes of a topology at a moment; each is enrolled by an act of its parent's authority, holds its chain and is linked.
    pub fn start(topology: &Topology, now: Moment) -> Self {
        Self::start_with(topology, now, |_, _| ())
    }

    /// As [`Federation::start`], where `differs` says what is other than usual with a node before it runs: its local profile of law, say.
    pub fn start_with(topology: &Topology, now: Moment, differs: impl Fn(Code, &mut Me)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKER_THREADS)
            .enable_all()
            .build()
            .expect("a runtime");
        let (clock, hand) = Clock::settable(now);
        let folder = tempfile::tempdir().expect("a folder");
        let mut federation = Self {
            runtime,
            clock,
            hand,
            sites: BTreeMap::new(),
            acts: AtomicU64::new(0),
            folder,
        };
        let mut planned: Vec<&federation::topology::Node> = topology.nodes().iter().collect();
        planned.sort_by_key(|node| node.path.depth());
        let counties: Vec<&Path> = planned
            .iter()
            .filter(|node| node.level == Level::County)
            .map(|node| &node.path)
            .collect();
        for level in planned.chunk_by(|a, b| a.path.depth() == b.path.depth()) {
            let enrolled = level
                .iter()
                .map(|node| {
                    let outside = match node.level {
                        Level::County => witnesses(&node.path, &counties),
                        Level::Hub | Level::Ministry | Level::Province | Level::Prefecture => {
                            Vec::new()
                        }
                    };
                    let mut me = membership::me(node.code());
                    differs(node.code(), &mut me);
                    federation.enrol(node, me, outside)
                })
                .collect();
            federation.found(enrolled);
        }
        for code in federation.sites.keys() {
            federation.linked(*code);
        }
        federation
    }

    /// Has a node certified, before it runs.
    fn enrol(
        &self,
        node: &federation::topology::Node,
        me: Me,
        witnesses: Vec<Code>,
    ) -> (Site, Chain) {
        let parent = node.path.parent().map(|parent| &self.sites[&parent.code()]);
        let folder = self.folder.path().join(node.code().as_str());
        let site = Site::new(node.path.clone(), me, folder, parent);
        let request = site.request(&node.name, node.level, self.now());
        let Some(parent) = parent else {
            let certificate = root_certifies(&request, self.now());
            return (site, Chain::new(vec![certificate]));
        };
        let body = ActBody::CertifyMember {
            request,
            witnesses,
            valid_days: VALID_DAYS,
        };
        let answer = self.act(parent.code(), &self.authority_head(parent.code()), body);
        let chain = answer.expect("a parent certifies its child").chain;
        (site, chain.expect("a certificate"))
    }

    /// Starts nodes of one level and gives each its chain.
    fn found(&mut self, enrolled: Vec<(Site, Chain)>) {
        let clock = &self.clock;
        let starting = enrolled.into_iter().map(|(mut site, chain)| async move {
            site.run(clock.clone()).await;
            (site, chain)
        });
        for (site, chain) in self.runtime.block_on(join_all(starting)) {
            site.api().install(&chain).expect("a node takes its chain");
            self.sites.insert(site.code(), site);
        }
    }

    /// Waits for a node's links to those of its parent and children that run.
    fn linked(&self, code: Code) {
        let parent = self.sites[&code].place.parent();
        let mut awaited: Vec<Code> = self
            .sites
            .values()
            .filter(|other| other.is_running())
            .filter(|other| {
                Some(&other.place) == parent.as_ref()
                    || other.place.parent().as_ref() == Some(&self.sites[&code].place)
            })
            .map(Site::code)
            .collect();
        let mut status = self.handle(code).status_changes();
        let up = status.wait_for(|status| {
            let up = |code: &Code| {
                status
                    .links
                    .iter()
                    .any(|link| link.code == *code && link.up)
            };
            awaited.retain(|code| !up(code));
            awaited.is_empty()
        });
        let up = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, up).await.map(drop) });
        assert!(up.is_ok(), "{code} is not linked to {awaited:?}");
    }

    /// All codes.
    pub fn codes(&self) -> Vec<Code> {
        self.sites.keys().copied().collect()
    }

    /// A node's place.
    pub fn place(&self, node: Code) -> Path {
        self.sites[&node].place.clone()
    }

    /// The time everywhere.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// A running node itself, for what neither the API nor the store tells.
    pub fn handle(&self, node: Code) -> &Handle {
        self.sites[&node].handle()
    }

    /// A running node's committed state, for `federation::core::query`.
    pub fn store(&self, node: Code) -> Arc<Store> {
        self.handle(node).store()
    }

    /// The head of a place's authority.
    pub fn authority_head(&self, node: Code) -> Person {
        Person::authority_head(node, credit_code(node.as_str(), 1), self.now())
    }

    /// Signs an act as of now, on the person's side.
    pub fn sign(&self, node: Code, person: &Person, body: ActBody) -> SignedAct {
        let number = u128::from(self.acts.fetch_add(1, Ordering::Relaxed));
        person.sign(node, self.now(), number.to_be_bytes(), body)
    }

    /// A person's act, sent to a node's API as an operator's command sends it.
    ///
    /// # Errors
    /// The node's problem: a lawful refusal names its article.
    pub fn act(
        &self,
        node: Code,
        person: &Person,
        body: ActBody,
    ) -> Result<Answer, Box<ProblemBody>> {
        self.post(node, &self.sign(node, person, body))
    }

    /// The personal contents in a node's vault, by the digest under which each lies there, sealed.
    pub fn contents(&self, node: Code) -> BTreeSet<Digest> {
        let vault = self.folder.path().join(node.as_str()).join(VAULT_FOLDER);
        let within = |folder: &std::path::Path| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect::<Vec<_>>()
        };
        let files = within(&vault).into_iter().flat_map(|shelf| within(&shelf));
        let name = |file: PathBuf| file.file_name()?.to_str()?.parse::<Digest>().ok();
        files.filter_map(name).collect()
    }

    /// Whether these bytes stand in clear in any file of a node's folder.
    pub fn keeps(&self, node: Code, bytes: &[u8]) -> bool {
        fn within(folder: &std::path::Path, bytes: &[u8]) -> bool {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).any(|path| {
                if path.is_dir() {
                    return within(&path, bytes);
                }
                // A file may go while the node runs.
                let held = std::fs::read(&path).unwrap_or_default();
                held.windows(bytes.len()).any(|window| window == bytes)
            })
        }
        within(&self.folder.path().join(node.as_str()), bytes)
    }

    /// Time passes until the certificates are nearly over, every node is certified anew by its parent and starts again; so often.
    pub fn pass(&mut self, renewals: u32) {
        let mut codes = self.codes();
        codes.sort_by_key(|code| self.place(*code).depth());
        let nearly_over = Duration::from_secs(u64::from(VALID_DAYS - 20) * 86_400);
        for _ in 0..renewals {
            self.advance(nearly_over);
            for code in &codes {
                self.certify_anew(*code);
            }
            for code in &codes {
                self.restart(*code);
            }
        }
    }

    /// A node is certified anew by its parent, if it has one, and installs the chain.
    pub fn certify_anew(&self, code: Code) {
        let Some(parent) = self.place(code).parent().map(|parent| parent.code()) else {
            return;
        };
        let own = federation::core::query::own_chain(&*self.store(code));
        let own = own.expect("a store").expect("enrolled");
        let own = own.claimed().expect("its own certificate");
        let body = ActBody::CertifyMember {
            request: self.sites[&code].request(&own.name, own.level, self.now()),
            witnesses: own.witnesses,
            valid_days: VALID_DAYS,
        };
        let answer = self.act(parent, &self.authority_head(parent), body);
        let chain = answer.expect("certified").chain.expect("a certificate");
        let installed = self.sites[&code].api().install(&chain);
        installed.expect("a node takes its chain");
    }

    /// Sends a signed act to a node's API.
    ///
    /// # Errors
    /// The node's problem.
    pub fn post(&self, node: Code, signed: &SignedAct) -> Result<Answer, Box<ProblemBody>> {
        self.post_with(node, signed, &[])
    }

    /// Sends a signed act with the personal content that it commits to.
    ///
    /// # Errors
    /// The node's problem.
    pub fn post_with(
        &self,
        node: Code,
        signed: &SignedAct,
        contents: &[Content],
    ) -> Result<Answer, Box<ProblemBody>> {
        self.sites[&node].api().act(signed, contents)
    }

    /// Uploads an object to a node's API.
    pub fn upload(&self, node: Code, name: &str, bytes: &[u8]) -> ObjectRef {
        let stored = self.sites[&node].api().put_object(name, bytes);
        stored.unwrap_or_else(|problem| panic!("{node} does not take {name}: {problem:?}"))
    }

    /// Downloads an object from a node's API.
    ///
    /// # Errors
    /// The node's problem: it does not hold the object whole.
    pub fn download(&self, node: Code, digest: &Digest) -> Result<Vec<u8>, Box<ProblemBody>> {
        self.sites[&node].api().get_object(digest)
    }

    /// What a node's API answers; `path` begins after `/api/v1`.
    pub fn get(&self, node: Code, path: &str) -> Value {
        let answer = self.try_get(node, path);
        answer.unwrap_or_else(|problem| panic!("GET {path} at {node}: {problem:?}"))
    }

    /// What a node's API answers; `path` begins after `/api/v1`.
    ///
    /// # Errors
    /// The node's problem.
    pub fn try_get(&self, node: Code, path: &str) -> Result<Value, Box<ProblemBody>> {
        self.sites[&node].api().get(path)
    }

    /// What the levels above a node say of these items, the nearest first, once they have all answered.
    pub fn ask_above(&self, node: Code, items: &[&str]) -> Vec<LevelAsked> {
        let items = node::cli::client::encode(&items.join(","));
        let path = format!("/catalogue/already?items={items}");
        self.until("every level above answers", |live| {
            let answer: AlreadyAnswer = serde_json::from_value(live.get(node, &path)).ok()?;
            let silent = answer.asked.iter().any(|it| it.said == Said::Silent);
            (!silent).then_some(answer.asked)
        })
    }

    /// What a node answers to whoever has no token: status, headers, body. `path` begins after the address.
    pub fn public_get(&self, node: Code, path: &str) -> Answered {
        self.sites[&node].api().public_get(path)
    }

    /// What a node's API answers to a token that may only look; `path` begins after `/api/v1`.
    pub fn viewer_get(&self, node: Code, path: &str) -> Answered {
        let site = &self.sites[&node];
        site.api().get_with(site.viewer(), path)
    }

    /// The same of what somebody of the public sends.
    pub fn public_post(&self, node: Code, path: &str, body: &Value) -> Answered {
        self.sites[&node].api().public_post(path, body)
    }

    /// The same of a form that somebody of the public fills in on a page.
    pub fn public_form(&self, node: Code, path: &str, fields: &[(&str, &str)]) -> Answered {
        self.sites[&node].api().public_form(path, fields)
    }

    /// Lets time pass everywhere.
    pub fn advance(&self, by: Duration) {
        self.hand.advance(by);
        self.tick();
    }

    /// Lets it be another time everywhere.
    pub fn advance_to(&self, to: Moment) {
        assert!(to >= self.now(), "{to} is over");
        self.hand.set(to);
        self.tick();
    }

    /// Every running node sees the time.
    fn tick(&self) {
        let running = self.sites.values().filter(|site| site.is_running());
        let ticks = running.map(|site| site.handle().tick());
        for ticked in self.runtime.block_on(join_all(ticks)) {
            ticked.expect("a running node ticks");
        }
    }

    /// Waits until there is something, while time stands still.
    pub fn until<T>(&self, what: &str, look: impl FnMut(&Self) -> Option<T>) -> T {
        self.wait(what, look, &mut || ())
    }

    /// Waits until there is something, and lets time pass by `step` again and again meanwhile.
    pub fn until_in_time<T>(
        &self,
        what: &str,
        step: Duration,
        look: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        let mut looks = 0;
        self.wait(what, look, &mut || {
            looks += 1;
            if looks % LOOKS_PER_STEP == 0 {
                self.advance(step);
            }
        })
    }

    fn wait<T>(
        &self,
        what: &str,
        mut look: impl FnMut(&Self) -> Option<T>,
        between: &mut dyn FnMut(),
    ) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
            between();
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Ends a node's process in good order; it stays away until [`Federation::restart`].
    pub fn stop(&mut self, node: Code) {
        let site = self.sites.get_mut(&node).expect("a node");
        self.runtime.block_on(site.stop());
    }

    /// Starts a node again with another configuration: see [`Federation::restart`].
    pub fn configure(&mut self, node: Code, change: impl FnOnce(&mut NodeConfig)) {
        change(self.sites.get_mut(&node).expect("a node").config_mut());
        self.restart(node);
    }

    /// Where a node's API is served, and a token of its administrator.
    pub fn api(&self, node: Code) -> (SocketAddr, &str) {
        self.sites[&node].address_and_token()
    }

    /// Starts a node again on what its folder holds, and waits for its links to the neighbours that run. Whoever
    /// still has its [`Federation::store`] keeps its folder locked.
    pub fn restart(&mut self, node: Code) {
        let site = self.sites.get_mut(&node).expect("a node");
        self.runtime.block_on(async {
            site.stop().await;
            site.run(self.clock.clone()).await;
        });
        self.linked(node);
    }
}

impl Drop for Federation {
    fn drop(&mut self) {
        let stopping = self.sites.values_mut().map(Site::stop);
        self.runtime.block_on(join_all(stopping));
    }
}

impl Acting for Federation {
    type Refusal = Box<ProblemBody>;

    fn time(&self) -> Moment {
        self.now()
    }

    fn place_of(&self, node: Code) -> Path {
        self.place(node)
    }

    fn perform(
        &mut self,
        node: Code,
        person: &Person,
        body: ActBody,
    ) -> Result<Answer, Box<ProblemBody>> {
        self.act(node, person, body)
    }

    fn ask<T>(&self, node: Code, question: impl FnOnce(&dyn Read) -> Result<T, Fault>) -> T {
        question(&*self.store(node)).unwrap_or_else(|fault| panic!("{node}: {fault}"))
    }
}
