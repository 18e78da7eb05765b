//! From the command line to the last line: prepares, starts the nodes, enrols, tells the story, and ends what it started.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use super::command::text;
use super::fleet::{Ender, Fleet, Launch};
use super::layout::{Kind, Layout, make_private_dir};
use super::prepare::prepare;
use super::report::{NodeShown, Prepared, Report};
use super::screen::{Screen, seconds};
use super::stage::Stage;
use super::{DemoArgs, Failure, Part, enrol, story};
use crate::cli::Output;
use crate::language::Language;
use crate::person::random_bytes;

/// Exit code after a signal in the middle of the story: 128 and the number of `SIGINT`.
const INTERRUPTED: i32 = 130;

pub(super) fn run(args: &DemoArgs, output: &Output) -> Result<(), Failure> {
    let screen = Arc::new(if output.is_json() {
        Screen::beside(output.language())
    } else {
        Screen::new(output.language())
    });
    match &args.part {
        None => whole(args, screen, output),
        Some(Part::Prepare { dir, layout }) => {
            let stage = prepare(dir, *layout, screen)?;
            let prepared = Prepared {
                layout: stage.layout.dir.join(super::layout::FILE),
                nodes: NodeShown::all(&stage),
            };
            output.print(&prepared, |language| {
                format!(
                    "{} {}",
                    language.pick("已准备", "prepared"),
                    text(&prepared.layout)
                )
            });
            Ok(())
        }
        Some(Part::Enroll { layout }) => {
            let stage = Stage::new(Layout::read(layout)?, screen)?;
            enrol::enrol(&stage)?;
            result(&stage, output);
            Ok(())
        }
        Some(Part::Story { layout }) => {
            let stage = Stage::new(Layout::read(layout)?, screen)?;
            told(&stage)?;
            result(&stage, output);
            Ok(())
        }
    }
}

/// The result for a program; a person has seen it on the screen.
fn result(stage: &Stage, output: &Output) {
    if output.is_json() {
        output.print(&Report::of(stage), |_| String::new());
    }
}

/// The folder of a demo; one of our own is removed when the demo has completed or was interrupted.
#[derive(Debug, Clone)]
struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    fn of(args: &DemoArgs) -> Result<Self, Failure> {
        if let Some(path) = &args.dir {
            return Ok(Self {
                path: path.clone(),
                temporary: false,
            });
        }
        let random: [u8; 6] =
            random_bytes().map_err(|error| Failure::new("temporary folder", error))?;
        let path = std::env::temp_dir().join(format!("guantong-demo-{}", hex::encode(random)));
        make_private_dir(&path).map_err(|error| Failure::new(text(&path), error))?;
        Ok(Self {
            path,
            temporary: !args.keep,
        })
    }

    fn clear(&self) {
        if self.temporary {
            // What cannot be removed stays in the system's folder for temporary files.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

fn whole(args: &DemoArgs, screen: Arc<Screen>, output: &Output) -> Result<(), Failure> {
    let folder = Folder::of(args)?;
    let complete = Arc::new(AtomicBool::new(false));
    let fleet = Fleet::new(Arc::clone(&screen));
    on_signals(fleet.ender(), folder.clone(), Arc::clone(&complete))?;
    let told = start(&folder.path, &screen, fleet).and_then(|stage| told(&stage).map(|()| stage));
    match told {
        Ok(stage) => {
            complete.store(true, Ordering::SeqCst);
            result(&stage, output);
            if !args.once {
                stay(&stage);
            }
            drop(stage);
            folder.clear();
            Ok(())
        }
        Err(failure) => {
            screen.progress_done();
            screen.failed(&failure.to_string());
            let left = screen.pick(
                "目录与各节点日志（logs/）保留在",
                "the folder, with the nodes' logs in logs/, is left at",
            );
            let seen = screen.pick(
                "演示未完成，原因见上",
                "the demo is not complete, see above",
            );
            // A program reads the error alone, and is told the reason in it.
            let what = if output.is_json() {
                failure.to_string()
            } else {
                seen.to_owned()
            };
            Err(Failure::new(what, format!("{left} {}", text(&folder.path))))
        }
    }
}

/// Prepares, runs the nodes, enrols.
fn start(dir: &Path, screen: &Arc<Screen>, fleet: Fleet) -> Result<Stage, Failure> {
    let begun = Instant::now();
    screen.heading(screen.pick("贯通演示联邦：每个节点一个进程，各有自己的密钥、目录和端口", "the demo federation: one process for each node, each with keys, folder and ports of its own"));
    let mut stage = prepare(dir, Kind::Local, Arc::clone(screen))?;
    let (nodes, people) = (stage.layout.nodes.len(), stage.layout.people.len());
    screen.line(&match screen.language() {
        Language::Chinese => format!(
            "  ✓ {nodes} 个节点的目录与密钥、{people} 名人员的密钥：{}  {}",
            text(&stage.layout.dir),
            seconds(begun.elapsed())
        ),
        Language::English => format!(
            "  ✓ folders and keys of {nodes} nodes, keys of {people} people: {}  {}",
            text(&stage.layout.dir),
            seconds(begun.elapsed())
        ),
    });
    let begun = Instant::now();
    for site in &stage.layout.nodes {
        fleet.start(Launch {
            code: site.code,
            name: site.name.clone(),
            program: stage.commands.program().to_owned(),
            args: ["run", "--data"]
                .map(str::to_owned)
                .into_iter()
                .chain([text(&stage.layout.data(site))])
                .collect(),
            log: stage.layout.log(site),
        })?;
    }
    stage.fleet = Some(fleet);
    stage
        .layout
        .nodes
        .iter()
        .try_for_each(|site| stage.await_ready(site))?;
    screen.line(&format!(
        "  ✓ {nodes} {}  {}",
        screen.pick("个进程运行", "processes run"),
        seconds(begun.elapsed())
    ));
    enrol::enrol(&stage)?;
    Ok(stage)
}

/// The story, and when it breaks off, what had happened until then.
fn told(stage: &Stage) -> Result<(), Failure> {
    let told = story::tell(stage);
    stage.screen.progress_done();
    if told.is_err() {
        stage.screen.heading(stage.pick(
            "未完成；此前的结果",
            "not complete; what had happened until then",
        ));
        stage.show_happened();
    } else {
        story::addresses(stage);
        if let Some(restarts) = stage
            .fleet
            .as_ref()
            .map(Fleet::restarts)
            .filter(|restarts| *restarts > 0)
        {
            stage.screen.line(&format!(
                "\n  {} {restarts}",
                stage.pick(
                    "节点进程被重新启动的次数：",
                    "node processes started again:"
                )
            ));
        }
    }
    told
}

/// Until Ctrl-C: the watcher keeps the nodes running, the signal's thread ends the process.
fn stay(stage: &Stage) {
    stage.screen.line(&format!(
        "\n  {}",
        stage.pick(
            "各节点继续运行；按 Ctrl-C 结束",
            "the nodes keep running; Ctrl-C ends them"
        )
    ));
    loop {
        thread::park();
    }
}

/// Ctrl-C and its kin end the nodes, remove our own folder and end the process.
fn on_signals(ender: Ender, folder: Folder, complete: Arc<AtomicBool>) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::new("signals", error))?;
    thread::spawn(move || {
        runtime.block_on(async {
            let kinds = [
                SignalKind::interrupt(),
                SignalKind::terminate(),
                SignalKind::hangup(),
            ];
            let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else {
                return;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            ender.end();
            folder.clear();
            std::process::exit(if complete.load(Ordering::SeqCst) {
                0
            } else {
                INTERRUPTED
            });
        });
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_our_own_is_removed_and_one_that_was_named_is_kept() {
        let own = Folder::of(&DemoArgs {
            part: None,
            once: true,
            dir: None,
            keep: false,
        })
        .unwrap();
        assert!(own.path.is_dir());
        own.clear();
        assert!(!own.path.exists());
        let named = tempfile::tempdir().unwrap();
        let folder = Folder::of(&DemoArgs {
            part: None,
            once: true,
            dir: Some(named.path().to_owned()),
            keep: false,
        })
        .unwrap();
        folder.clear();
        assert!(named.path().is_dir());
    }
}
