//! The processes of a local demo: one for each node, started, watched, started again when one dies, and ended with the demo.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use identity::Code;

use super::Failure;
use super::screen::Screen;

/// How often the processes are looked at.
const WATCH: Duration = Duration::from_millis(50);
/// How often one node is started again before the demo gives it up: more than anyone kills by hand, fewer than a loop.
const MAX_RESTARTS: u32 = 50;
/// A process that lived shorter than this failed to start.
const START: Duration = Duration::from_secs(2);
/// How often in a row a node may fail to start.
const MAX_FAILED_STARTS: u32 = 3;
/// Bytes of a log's end that a failure shows.
const LOG_TAIL_BYTES: u64 = 1_500;
/// How long nodes may take to end after they were asked to.
const END: Duration = Duration::from_secs(8);

/// How a node's process is started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The node.
    pub code: Code,
    /// Its name.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Where its output goes.
    pub log: PathBuf,
}

#[derive(Debug)]
struct Running {
    launch: Launch,
    child: Child,
    started: Instant,
    restarts: u32,
    failed_starts: u32,
    gone: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    nodes: Mutex<BTreeMap<Code, Running>>,
    ending: AtomicBool,
}

/// All processes. Ends them when dropped, and so when the demo panics.
#[derive(Debug)]
pub struct Fleet {
    shared: Arc<Shared>,
    watcher: Option<JoinHandle<()>>,
}

/// Ends the processes from another thread, such as the one that hears Ctrl-C.
#[derive(Debug, Clone)]
pub struct Ender(Arc<Shared>);

impl Fleet {
    /// No processes yet; `screen` is told of those that die.
    pub fn new(screen: Arc<Screen>) -> Self {
        let shared = Arc::new(Shared::default());
        let watched = Arc::clone(&shared);
        let watcher = thread::spawn(move || watch(&watched, &screen));
        Self {
            shared,
            watcher: Some(watcher),
        }
    }

    /// Starts a node.
    ///
    /// # Errors
    /// [`Failure`] when the process cannot be started.
    pub fn start(&self, launch: Launch) -> Result<(), Failure> {
        let child = spawn(&launch).map_err(|error| {
            Failure::new(format!("启动节点 / start node {}", launch.code), error)
        })?;
        let running = Running {
            child,
            started: Instant::now(),
            restarts: 0,
            failed_starts: 0,
            gone: None,
            launch,
        };
        self.shared.nodes().insert(running.launch.code, running);
        Ok(())
    }

    /// Why a node was given up, if one was.
    pub fn given_up(&self) -> Option<Failure> {
        let nodes = self.shared.nodes();
        nodes.values().find_map(|node| {
            let why = node.gone.as_ref()?;
            Some(Failure::new(
                format!(
                    "节点 {} {} 无法运行 / cannot run",
                    node.launch.code, node.launch.name
                ),
                why,
            ))
        })
    }

    /// How often nodes were started again.
    pub fn restarts(&self) -> u32 {
        self.shared.nodes().values().map(|node| node.restarts).sum()
    }

    /// Ends them all from elsewhere.
    pub fn ender(&self) -> Ender {
        Ender(Arc::clone(&self.shared))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.ender().end();
        if let Some(watcher) = self.watcher.take() {
            // The watcher has nothing to tell.
            drop(watcher.join());
        }
    }
}

impl Ender {
    /// Ends every process: asked first, then killed.
    pub fn end(&self) {
        self.0.ending.store(true, Ordering::SeqCst);
        let mut nodes = self.0.nodes();
        ask_to_end(nodes.values().map(|node| node.child.id()));
        let begun = Instant::now();
        while begun.elapsed() < END
            && nodes
                .values_mut()
                .any(|node| matches!(node.child.try_wait(), Ok(None)))
        {
            thread::sleep(WATCH);
        }
        for node in nodes.values_mut() {
            // Killing what has ended already is no error worth telling.
            drop(node.child.kill());
            drop(node.child.wait());
        }
    }
}

impl Shared {
    /// A thread that panicked while it held the lock left the table whole: it is changed by single inserts.
    fn nodes(&self) -> MutexGuard<'_, BTreeMap<Code, Running>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `SIGTERM` through the shell's `kill`, as the standard library has none; what remains is killed outright.
fn ask_to_end(pids: impl Iterator<Item = u32>) {
    let pids: Vec<String> = pids.map(|pid| pid.to_string()).collect();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "kill -TERM \"$@\"", "sh"]).args(pids);
    drop(
        shell
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status(),
    );
}

fn watch(shared: &Shared, screen: &Screen) {
    while !shared.ending.load(Ordering::SeqCst) {
        for node in shared
            .nodes()
            .values_mut()
            .filter(|node| node.gone.is_none())
        {
            if shared.ending.load(Ordering::SeqCst) {
                return;
            }
            if let Ok(Some(status)) = node.child.try_wait() {
                restart(node, status, screen);
            }
        }
        thread::sleep(WATCH);
    }
}

fn restart(node: &mut Running, status: ExitStatus, screen: &Screen) {
    let (code, name) = (node.launch.code, node.launch.name.clone());
    // What someone killed did not fail by itself.
    let failed = status.code().is_some() && node.started.elapsed() < START;
    node.failed_starts = if failed { node.failed_starts + 1 } else { 0 };
    if node.failed_starts >= MAX_FAILED_STARTS || node.restarts >= MAX_RESTARTS {
        node.gone = Some(format!("{status}\n{}", log_tail(&node.launch.log)));
        return;
    }
    node.restarts += 1;
    screen.line(&match screen.language() {
        crate::language::Language::Chinese => {
            format!("  ⟳ 节点 {code} {name} 的进程终止（{status}），重新启动")
        }
        crate::language::Language::English => {
            format!("  ⟳ process of node {code} {name} ended ({status}); started again")
        }
    });
    match spawn(&node.launch) {
        Ok(child) => {
            node.child = child;
            node.started = Instant::now();
        }
        Err(error) => node.gone = Some(error.to_string()),
    }
}

fn spawn(launch: &Launch) -> io::Result<Child> {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&launch.log)?;
    let errors = log.try_clone()?;
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.args)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors);
    // A group of its own: Ctrl-C is for the demo, which then ends its nodes in order.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GUANTONG"))
    {
        command.env_remove(name);
    }
    command.spawn()
}

/// The end of a log.
fn log_tail(path: &PathBuf) -> String {
    let read = || -> io::Result<String> {
        let mut file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(LOG_TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_else(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    fn launch(dir: &std::path::Path, script: &str) -> Launch {
        Launch {
            code: Code::HUB,
            name: "枢纽".into(),
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            log: dir.join("log"),
        }
    }

    /// A fleet of one process that lasts, and the process's number.
    fn with_one_process(dir: &std::path::Path) -> (Fleet, u32) {
        let fleet = Fleet::new(Arc::new(Screen::new(Language::Chinese)));
        fleet.start(launch(dir, "exec sleep 600")).unwrap();
        let pid = fleet.shared.nodes()[&Code::HUB].child.id();
        (fleet, pid)
    }

    fn until(mut done: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "nothing happened"
            );
            thread::yield_now();
        }
    }

    #[test]
    fn a_node_that_dies_is_started_again() {
        let dir = tempfile::tempdir().unwrap();
        let (fleet, first) = with_one_process(dir.path());
        // The shell's own `kill`: a small system has no other.
        Command::new("/bin/sh")
            .args(["-c", &format!("kill -9 {first}")])
            .status()
            .unwrap();
        until(|| fleet.restarts() == 1);
        assert!(fleet.given_up().is_none());
    }

    #[test]
    fn a_node_that_cannot_start_is_given_up_with_the_end_of_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let fleet = Fleet::new(Arc::new(Screen::new(Language::English)));
        fleet
            .start(launch(dir.path(), "echo port in use; exit 1"))
            .unwrap();
        until(|| fleet.given_up().is_some());
        let why = fleet.given_up().unwrap().to_string();
        assert!(why.contains("port in use"), "{why}");
    }

    #[test]
    fn no_process_outlives_the_fleet() {
        let dir = tempfile::tempdir().unwrap();
        let (fleet, pid) = with_one_process(dir.path());
        drop(fleet);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}
