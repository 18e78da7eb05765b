//! `guantong bench`: what measurements are made with. Entries to measure with, and the people's own way of adding them to a node.
//!
//! Nothing here measures inside a node: the benchmarks of `tests/benches/` run real nodes and call these commands.

use std::path::PathBuf;

use crate::cli::{CliError, Global, Output};

mod add;
mod generate;
mod vocabulary;

pub use generate::{Entries, Origin};

/// Arguments of `guantong bench`.
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// 做什么 / what to do
    #[command(subcommand)]
    pub command: BenchCommand,
}

/// What `guantong bench` does.
#[derive(Debug, clap::Subcommand)]
pub enum BenchCommand {
    /// 生成目录条目（每次相同），每行一个 JSON 对象 / make catalogue entries, the same every time, as JSON Lines
    Generate(GenerateArgs),
    /// 由经办人、部门负责人、审核人把文件中的条目编制、审核、报送、发布到节点，并计时 / compile, approve, submit and publish a file's entries at a node, timed
    Add(AddArgs),
}

/// `guantong bench generate`.
#[derive(Debug, clap::Args)]
pub struct GenerateArgs {
    /// 条数 / how many
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub entries: u32,
    /// 写入的文件 / where to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// 提供单位的统一社会信用代码；缺省为天河区的十二个部门 / one provider's credit code; twelve departments of a county when absent
    #[arg(long, value_name = "CODE", requires = "provider_name")]
    pub department: Option<String>,
    /// 提供单位名称 / the provider's name
    #[arg(long, value_name = "NAME", requires = "department")]
    pub provider_name: Option<String>,
    /// 目录代码的前缀 / what every id begins with
    #[arg(long, default_value = "440106")]
    pub prefix: String,
    /// 版本：2 起为同一批条目的下一版本 / version: 2 makes the next version of the same entries
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub revision: u32,
}

/// `guantong bench add`. The node and its token are named as for every command.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// 条目文件 / the entries
    pub file: PathBuf,
    /// 经办人密钥：编制、报送 / the operator's key: compiles and submits
    #[arg(long, value_name = "KEY")]
    pub operator: PathBuf,
    /// 部门负责人密钥：审核同意 / the department head's key: approves
    #[arg(long, value_name = "KEY")]
    pub head: PathBuf,
    /// 主管部门审核人密钥：发布 / the authority's reviewer's key: publishes
    #[arg(long, value_name = "KEY")]
    pub reviewer: PathBuf,
}

/// Runs `guantong bench`.
///
/// # Errors
/// [`CliError`] with its exit code.
pub fn run(global: &Global, args: BenchArgs, output: &Output) -> Result<(), CliError> {
    match args.command {
        BenchCommand::Generate(args) => generate::run(args, output),
        BenchCommand::Add(args) => add::run(global, &args, output),
    }
}
