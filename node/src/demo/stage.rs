//! The stage: who is where, how commands are given and their effects awaited, and what has happened so far.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use federation::core::Answer;
use federation::core::view::{DocketDetail, DocketView};
use identity::Code;
use serde_json::Value;
use sharing::docket::DocketId;
use statute::{Article, Role};

use super::Failure;
use super::client::{CallError, Client, wait};
use super::command::{Commands, Unsuccessful, text};
use super::fleet::Fleet;
use super::layout::{Layout, Site};
use super::roster::{Person, Roster};
use super::screen::{Line, Screen, seconds};
use crate::api::List;
use crate::language::Language;

/// How long an effect is awaited: a node killed on the way starts again, is dialled again and retried within this.
pub const EFFECT: Duration = Duration::from_secs(120);
/// How often a command is given to a node that cannot be reached, before the demo fails.
const ATTEMPTS: u32 = 20;
/// Longer by this before each further attempt, up to ten times it.
const BACKOFF: Duration = Duration::from_millis(100);
/// How often a command is given again after a fault.
const FAULTS: u32 = 3;
/// Threads that give commands side by side: enough to keep two cores busy, few enough for one.
const WORKERS: usize = 4;

/// Everything the story runs on.
pub struct Stage {
    /// Who acts.
    pub roster: Roster,
    /// Where everything lies.
    pub layout: Layout,
    /// What is shown.
    pub screen: Arc<Screen>,
    /// The operators' commands.
    pub commands: Commands,
    /// The nodes' API.
    pub client: Client,
    /// The nodes' processes, when they are the demo's own.
    pub fleet: Option<Fleet>,
    happened: Mutex<Vec<Happened>>,
    documents: AtomicU32,
}

/// One line of the final table.
#[derive(Debug, Clone)]
pub struct Happened {
    /// Which step of the story.
    pub step: u8,
    /// What.
    pub what: String,
    /// What came of it.
    pub outcome: String,
    /// Under which article.
    pub article: Article,
    /// How long it took.
    pub took: Duration,
}

/// One act of one person.
#[derive(Debug, Clone, Copy)]
pub struct Doing<'a> {
    /// Who.
    pub who: &'a Person,
    /// What, in Chinese.
    pub zh: &'a str,
    /// What, in English.
    pub en: &'a str,
    /// Under which article.
    pub article: Article,
    /// Whether it gets a line of its own.
    pub shown: bool,
}

impl Stage {
    /// A stage before anything has happened.
    ///
    /// # Errors
    /// [`Failure`] when the program cannot find itself or its cast.
    pub fn new(layout: Layout, screen: Arc<Screen>) -> Result<Self, Failure> {
        let roster = Roster::load().map_err(|error| Failure::new("topology/demo", error))?;
        let commands = Commands::new(&layout.passphrase, screen.language())?;
        Ok(Self {
            roster,
            layout,
            screen,
            commands,
            client: Client::new(),
            fleet: None,
            happened: Mutex::default(),
            documents: AtomicU32::new(1),
        })
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.screen.language()
    }

    /// One of two texts.
    pub fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.language().pick(zh, en)
    }

    /// Where a node is.
    ///
    /// # Errors
    /// [`Failure`] when there is none.
    pub fn site(&self, code: Code) -> Result<&Site, Failure> {
        self.layout.site(code)
    }

    /// Who holds a role at a node.
    ///
    /// # Errors
    /// [`Failure`] when nobody does.
    pub fn person(&self, node: Code, role: Role) -> Result<&Person, Failure> {
        let found = self.roster.place(node).and_then(|place| place.person(role));
        found.ok_or_else(|| {
            Failure::new(
                node.to_string(),
                format!("没有{} / no {}", role.zh(), role.en()),
            )
        })
    }

    /// A node's name.
    pub fn name(&self, code: Code) -> String {
        self.roster
            .place(code)
            .map_or_else(|| code.to_string(), |place| place.name.clone())
    }

    /// A person's key file.
    ///
    /// # Errors
    /// [`Failure`] when the layout has none.
    pub fn key(&self, person: &Person) -> Result<PathBuf, Failure> {
        self.layout.key(person.node, person.role)
    }

    /// Who, in which role, at which node: for one line.
    pub fn who(&self, person: &Person) -> String {
        let role = self.pick(person.role.zh(), person.role.en());
        format!(
            "{} {} · {} {role}",
            person.node,
            self.name(person.node),
            person.name
        )
    }

    /// Puts a line into the final table.
    pub fn record(&self, happened: Happened) {
        self.happened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(happened);
    }

    /// The final table's lines.
    pub fn happened(&self) -> Vec<Happened> {
        self.happened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// One act of one person, from the command to its effect: the document is drawn up (`--prepare`), signed with the person's own key and sent
    /// (`guantong sign`), and its effect awaited. The document is drawn up once; when an answer is lost with a killed node, the same signed
    /// document is sent again and takes effect at most once.
    ///
    /// # Errors
    /// [`Failure`] when the law refuses, a command fails, or the effect does not come.
    pub fn act<T>(
        &self,
        doing: Doing<'_>,
        args: &[&str],
        mut effect: impl FnMut(&Answer) -> Result<Option<T>, CallError>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        let what = format!("{}：{}", self.who(doing.who), self.pick(doing.zh, doing.en));
        let site = self.site(doing.who.node)?;
        let key = self.key(doing.who)?;
        let number = self.documents.fetch_add(1, Ordering::Relaxed);
        let document = text(&self.layout.work(&format!("act-{number}.json")));
        let drawn_up: Vec<&str> = args
            .iter()
            .copied()
            .chain(["--prepare", &document])
            .collect();
        self.repeat(&what, site, || self.commands.at(site, &drawn_up))?;
        let sign = ["sign", "--document", &document, "--yes"];
        let answer = self.repeat(&what, site, || self.commands.signed(site, &key, &sign))?;
        let answer: Answer =
            serde_json::from_value(answer).map_err(|error| Failure::new(&what, error))?;
        let found = self.await_effect(&what, EFFECT, || effect(&answer))?;
        self.show(&doing, begun.elapsed());
        Ok(found)
    }

    fn show(&self, doing: &Doing<'_>, took: Duration) {
        if doing.shown {
            let what = self.pick(doing.zh, doing.en).to_owned();
            self.screen.done(&Line {
                who: self.who(doing.who),
                what,
                article: Some(doing.article),
                took,
            });
        }
    }

    /// Runs a command that may simply be given again until its node is reached.
    ///
    /// # Errors
    /// [`Failure`] when it is refused, or fails again and again.
    pub fn repeat(
        &self,
        what: &str,
        site: &Site,
        run: impl Fn() -> Result<Value, Unsuccessful>,
    ) -> Result<Value, Failure> {
        let (mut last, mut faults) = (String::new(), 0);
        for attempt in 0..ATTEMPTS {
            self.fleet_stands()?;
            last = match run() {
                Ok(answer) => return Ok(answer),
                Err(Unsuccessful::Unreachable(why)) => why,
                Err(Unsuccessful::Fault(why)) if faults < FAULTS => {
                    faults += 1;
                    why
                }
                Err(unsuccessful) => return Err(Failure::new(what, unsuccessful)),
            };
            thread::sleep(BACKOFF * attempt.min(10));
            self.await_ready(site)?;
        }
        Err(Failure::new(what, last))
    }

    /// Waits for an effect, as long as the nodes can be kept running.
    ///
    /// # Errors
    /// [`Failure`] when it does not come in time.
    pub fn await_effect<T>(
        &self,
        what: &str,
        limit: Duration,
        mut effect: impl FnMut() -> Result<Option<T>, CallError>,
    ) -> Result<T, Failure> {
        let mut gone = None;
        let awaited = wait(what, limit, || match self.fleet_stands() {
            Ok(()) => effect(),
            Err(failure) => {
                let why = failure.to_string();
                gone = Some(failure);
                Err(CallError::Unexpected(why))
            }
        });
        match gone {
            Some(failure) => Err(failure),
            None => awaited,
        }
    }

    /// Waits until a node answers.
    ///
    /// # Errors
    /// [`Failure`] when it does not come up.
    pub fn await_ready(&self, site: &Site) -> Result<(), Failure> {
        let what = format!(
            "{} {} {}",
            self.pick("节点就绪", "node is ready"),
            site.code,
            site.name
        );
        self.await_effect(&what, EFFECT, || {
            self.client.get::<Value>(site, "/healthz").map(|_| Some(()))
        })
    }

    /// An error when a node could not be kept running.
    fn fleet_stands(&self) -> Result<(), Failure> {
        match self.fleet.as_ref().and_then(Fleet::given_up) {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// All dockets known at a node.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn dockets(&self, node: Code) -> Result<Vec<DocketView>, CallError> {
        let site = self.layout.nodes.iter().find(|site| site.code == node);
        let site = site.ok_or_else(|| CallError::Unexpected(format!("no node {node}")))?;
        let mut all: Vec<DocketView> = Vec::new();
        let mut after = String::new();
        loop {
            let page: List<DocketView> = self
                .client
                .get(site, &format!("/api/v1/dockets?limit=500{after}"))?;
            all.extend(page.items);
            match page.next {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(all),
            }
        }
    }

    /// One docket at a node.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn docket(&self, node: Code, id: DocketId) -> Result<DocketDetail, CallError> {
        let site = self.layout.nodes.iter().find(|site| site.code == node);
        let site = site.ok_or_else(|| CallError::Unexpected(format!("no node {node}")))?;
        self.client.get(site, &format!("/api/v1/dockets/{id}"))
    }

    /// Does something for every item, several at a time; the first failure is returned after the others have ended.
    ///
    /// # Errors
    /// The first [`Failure`].
    pub fn side_by_side<T: Sync>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<(), Failure> + Sync,
    ) -> Result<(), Failure> {
        let next = Mutex::new(items.iter());
        let failed = Mutex::new(None);
        thread::scope(|scope| {
            for _ in 0..WORKERS.min(items.len()) {
                scope.spawn(|| {
                    loop {
                        let item = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some(item) = item else { return };
                        if let Err(failure) = work(item) {
                            failed
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .get_or_insert(failure);
                            return;
                        }
                        self.screen.advance();
                    }
                });
            }
        });
        failed
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .map_or(Ok(()), Err)
    }

    /// The final table: every result of the story.
    pub fn show_happened(&self) {
        let header = [
            self.pick("步", "step"),
            self.pick("事项", "what"),
            self.pick("结果", "outcome"),
            self.pick("依据", "article"),
            self.pick("用时", "time"),
        ];
        let rows: Vec<Vec<String>> = self
            .happened()
            .into_iter()
            .map(|it| {
                vec![
                    it.step.to_string(),
                    it.what,
                    it.outcome,
                    it.article.short(),
                    seconds(it.took),
                ]
            })
            .collect();
        self.screen.table(&header, &rows);
    }
}
