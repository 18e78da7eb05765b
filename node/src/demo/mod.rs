//! `guantong demo`: a federation of real nodes on this machine, and a story that its people live through.
//!
//! It is a script over the same commands and the same API that operators use: [`command`] runs this very program with a subcommand,
//! [`client`] reads the nodes' API. Nothing here reaches into a node.
//!
//! ```text
//! prepare ──► nodes run (processes or containers) ──► enroll ──► story, steps 1 to 6 ──► table, addresses
//! ```

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::Output;

pub mod client;
pub mod command;
pub mod enrol;
pub mod fleet;
pub mod layout;
pub mod prepare;
mod report;
pub mod roster;
mod run;
pub mod screen;
pub mod stage;
mod story;

/// Arguments of `guantong demo`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DemoArgs {
    /// 只做一部分 / one part of the demo only.
    #[command(subcommand)]
    pub part: Option<Part>,
    /// 故事讲完即退出：完成为 0，任何一步失败为非 0 / exit when the story is complete: 0, or non-zero when any step failed.
    #[arg(long)]
    pub once: bool,
    /// 使用这个（不存在或空的）目录 / use this folder, which must not exist or be empty.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// 结束后保留目录 / keep the folder afterwards.
    #[arg(long)]
    pub keep: bool,
}

/// One part of the demo.
#[derive(Debug, Clone, Subcommand)]
pub enum Part {
    /// 生成各节点的数据目录、人员密钥与 layout.json，不运行节点 / make data folders, people's keys and layout.json; run nothing.
    Prepare {
        /// 目录 / the folder, which must not exist or be empty.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// 节点在何处运行 / where the nodes will run.
        #[arg(long, value_enum, default_value = "local")]
        layout: layout::Kind,
    },
    /// 节点运行后自上而下入网并登记人员 / with the nodes running, enrol them from the top down, and their people.
    Enroll {
        /// prepare 生成的 layout.json 或其目录 / the layout.json that prepare made, or its folder.
        #[arg(long, value_name = "FILE")]
        layout: PathBuf,
    },
    /// 在已入网的节点上讲述故事 / run the story on enrolled nodes.
    Story {
        /// prepare 生成的 layout.json 或其目录 / the layout.json that prepare made, or its folder.
        #[arg(long, value_name = "FILE")]
        layout: PathBuf,
    },
}

/// Why the demo did not go on: what was being done, and what stood in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    what: String,
    why: String,
}

impl Failure {
    /// A failure.
    pub fn new(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self {
            what: what.into(),
            why: why.to_string(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}：{}", self.what, self.why)
    }
}

impl std::error::Error for Failure {}

/// Runs the demo or one part of it. Blocks until it has ended. With `--json` its result is one JSON value on standard output, and its progress
/// goes to standard error.
///
/// # Errors
/// [`Failure`] of the first step that failed; what came before it has been shown.
pub fn run(args: &DemoArgs, output: &Output) -> Result<(), Failure> {
    run::run(args, output)
}
