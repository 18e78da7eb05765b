//! The commands of operators and of the people who sign.
//!
//! Exit codes: 0 done; 1 fault of ours or of the machine; 2 wrong use; 3 lawful refusal (the article is named); 4 not authorised (token, key,
//! passphrase or signature); 5 the node cannot be reached or is not ready. With `--json` the result is one JSON value on standard
//! output, an error one JSON value on standard error (the last line of it, where `demo` and `run` have told their progress before). Texts are Chinese, English when `LANG` says so.
//!
//! The node's key files and the other files of its folder are described in [`init`].

mod aggregation;
mod apply;
mod args;
mod backup;
mod calendar;
mod catalogue;
pub mod client;
mod complaint;
mod correction;
mod data;
mod deadline;
mod dispute;
mod docket;
mod enroll;
mod erase;
mod error;
mod evaluate;
pub mod evidence;
mod extension;
mod grant;
mod history;
mod import;
mod incident;
pub mod init;
mod line;
mod need;
mod open;
mod output;
mod people;
mod platform;
mod profile;
mod reading;
mod reply;
mod return_flow;
mod root;
mod route;
mod run;
mod service;
mod sign;
mod signer;
mod source;
mod status;
mod store;
mod supervise;
mod update;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

pub use error::{CliError, Exit};
pub(crate) use import::acts;
pub use output::Output;

use crate::language::Language;

/// 贯通：全国一体化政务大数据体系的节点 / Guantong: a node of the national integrated government big-data system.
#[derive(Debug, Parser)]
#[command(name = "guantong", version, disable_help_subcommand = true)]
#[command(
    after_help = "退出码 / exit codes: 0 完成 done · 1 故障 fault · 2 用法 usage · 3 依法拒绝 lawful refusal · 4 未授权 not authorised · 5 节点不可达或未就绪 unreachable or not ready"
)]
pub struct Cli {
    /// 各命令通用 / for every command
    #[command(flatten)]
    pub global: Global,
    /// 做什么 / what to do
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Global {
    /// 以 JSON 输出 / print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// 节点接口地址 / the node's address, such as http://127.0.0.1:7180
    #[arg(long, global = true, env = "GUANTONG_NODE", value_name = "URL")]
    pub node: Option<String>,
    /// 访问令牌 / the node's token
    #[arg(
        long,
        global = true,
        env = "GUANTONG_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// 节点数据目录：由此得到地址与令牌 / the node's data folder, which gives its address and token
    #[arg(long, global = true, env = "GUANTONG_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// 人员密钥文件 / the key file of the person who signs
    #[arg(long, global = true, env = "GUANTONG_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// 口令文件；否则用环境变量 GUANTONG_PASSPHRASE 或提示输入 / file with the key's passphrase
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// 不签名，把待签文书写入文件，留待 guantong sign / write the unsigned document instead of signing and sending it
    #[arg(long, global = true, value_name = "FILE")]
    pub prepare: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// 建立节点：密钥、令牌、配置与入网申请 / make a node: keys, tokens, configuration, enrolment request
    Init(init::InitArgs),
    /// 根密钥（离线保管）/ the root key, kept offline
    #[command(subcommand)]
    Root(root::RootCommand),
    /// 人员密钥 / keys of people
    #[command(subcommand)]
    Person(people::PersonCommand),
    /// 入网与人员登记 / enrolment of nodes and people
    #[command(subcommand)]
    Enroll(enroll::EnrollCommand),
    /// 审阅并签署待签文书 / show a prepared document and sign it
    Sign(sign::SignArgs),
    /// 运行节点 / run the node
    Run(run::RunArgs),
    /// 节点状况 / how the node stands
    Status,
    /// 目录 / the catalogue
    #[command(subcommand)]
    Catalogue(catalogue::CatalogueCommand),
    /// 既有平台：检查、拉取、服务 / older platforms: check, pull, services
    #[command(subcommand)]
    Platform(platform::PlatformCommand),
    /// 目录更新 / updates of the catalogue
    #[command(subcommand)]
    Update(update::UpdateCommand),
    /// 供需对接 / needs that no published entry meets
    #[command(subcommand)]
    Need(need::NeedCommand),
    /// 共享申请 / applications
    #[command(subcommand)]
    Apply(apply::ApplyCommand),
    /// 答复与提供 / replies and what follows
    #[command(subcommand)]
    Reply(reply::ReplyCommand),
    /// 期限：延长、说明正当理由 / time limits: more time, justification
    #[command(subcommand)]
    Extension(extension::ExtensionCommand),
    /// 共享权限：扩大使用、暂停、处置、终止服务 / grants: wider use, suspension, disposal, the end of a service
    Grant(grant::GrantCommand),
    /// 服务接口：列出、调用 / service interfaces: list, call
    #[command(subcommand)]
    Service(service::ServiceCommand),
    /// 争议 / disputes
    #[command(subcommand)]
    Dispute(dispute::DisputeCommand),
    /// 校核纠错 / correction of shared data
    #[command(subcommand)]
    Correction(correction::CorrectionCommand),
    /// 个人内容的依法删除 / lawful erasure of personal content
    #[command(subcommand)]
    Erase(erase::EraseCommand),
    /// 投诉举报 / complaints of the public
    #[command(subcommand)]
    Complaint(complaint::ComplaintCommand),
    /// 数据开放 / open data
    #[command(subcommand)]
    Open(open::OpenCommand),
    /// 监督检查与责令改正 / supervision and orders to correct
    #[command(subcommand)]
    Supervise(supervise::SuperviseCommand),
    /// 安全事件 / security incidents
    #[command(subcommand)]
    Incident(incident::IncidentCommand),
    /// 查阅使用记录与查阅情况 / reading records of use, and who read what
    #[command(subcommand)]
    Reading(reading::ReadingCommand),
    /// 汇聚风险：查看、主管部门审查 / risks of aggregation: shown, answered by the authority
    #[command(subcommand)]
    Aggregation(aggregation::AggregationCommand),
    /// 共享评估：计算、报告、公布 / evaluation of sharing: computed, reported, published
    #[command(subcommand)]
    Evaluate(evaluate::EvaluateCommand),
    /// 案卷 / dockets
    #[command(subcommand)]
    Docket(docket::DocketCommand),
    /// 数据：读取、交付、求增量 / data: read, deliver, find what changed
    #[command(subcommand)]
    Data(Box<data::DataCommand>),
    /// 数据回流 / return flow
    #[command(subcommand)]
    ReturnFlow(return_flow::ReturnFlowCommand),
    /// 证据 / evidence
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// 路由与共同上级 / the route between two nodes and their common superior
    Route(route::RouteArgs),
    /// 工作日期限 / a deadline in working days
    Deadline(deadline::DeadlineArgs),
    /// 节假日安排 / holiday notices
    #[command(subcommand)]
    Calendar(calendar::CalendarCommand),
    /// 备份：账本、文件，增量；校验；恢复密钥 / backup: ledger and files, incremental; verify; recovery keys
    Backup(backup::BackupArgs),
    /// 从备份恢复数据目录 / restore a data folder from a backup
    Restore(backup::RestoreArgs),
    /// 从托管副本重建数据目录，指明缺失之处 / rebuild a data folder from the escrow; what is missing is named
    Recover(backup::RestoreArgs),
    /// 重建投影（节点须停止）/ drop the tables and replay the ledger; the node must be stopped
    Rebuild,
    /// 静态存储：密封、更换存储密钥（节点须停止）/ files at rest: seal them, change the storage key; the node must be stopped
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// 演示联邦 / the demo federation
    Demo(crate::demo::DemoArgs),
    /// 测量所用：生成条目、按步骤加入节点 / for measurements: make entries, add them to a node step by step
    Bench(crate::bench::BenchArgs),
    /// 命令补全 / shell completions
    Completions {
        /// bash, zsh, fish, elvish, powershell
        shell: clap_complete::Shell,
    },
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let language = Language::of_environment();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap prints them to standard output.
            if !error.use_stderr() {
                let _ = error.print();
                return ExitCode::from(Exit::Done as u8);
            }
            // What the line asks for has to be read off it, as it could not be parsed.
            let json = std::env::args_os()
                .take_while(|arg| arg != "--")
                .any(|arg| arg == "--json");
            // A line without a command is answered with the help, which is in both languages; the parser's own English has colours.
            let help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
            if !json && (help || language == Language::English) {
                let _ = error.print();
            } else {
                Output::new(json, language).error(&CliError::of_line(&error));
            }
            return ExitCode::from(Exit::Usage as u8);
        }
    };
    let output = Output::new(cli.global.json, language);
    match execute(cli, &output) {
        Ok(()) => ExitCode::from(Exit::Done as u8),
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.exit as u8)
        }
    }
}

/// Runs one command.
///
/// # Errors
/// [`CliError`] with its exit code.
pub fn execute(cli: Cli, output: &Output) -> Result<(), CliError> {
    let Cli { global, command } = cli;
    match command {
        Command::Init(args) => init::run(&global, args, output),
        Command::Root(command) => root::run(&global, command, output),
        Command::Person(command) => people::run(&global, command, output),
        Command::Enroll(command) => enroll::run(&global, command, output),
        Command::Sign(args) => sign::run(&global, args, output),
        Command::Run(args) => run::run(&global, args, output),
        Command::Status => status::run(&global, output),
        Command::Catalogue(command) => catalogue::run(&global, command, output),
        Command::Platform(command) => platform::run(&global, command, output),
        Command::Update(command) => update::run(&global, command, output),
        Command::Apply(command) => apply::run(&global, command, output),
        Command::Reply(command) => reply::run(&global, command, output),
        Command::Extension(command) => extension::run(&global, command, output),
        Command::Grant(command) => grant::run(&global, command, output),
        Command::Service(command) => service::run(&global, command, output),
        Command::Dispute(command) => dispute::run(&global, command, output),
        Command::Correction(command) => correction::run(&global, command, output),
        Command::Need(command) => need::run(&global, command, output),
        Command::Erase(command) => erase::run(&global, command, output),
        Command::Complaint(command) => complaint::run(&global, command, output),
        Command::Open(command) => open::run(&global, command, output),
        Command::Supervise(command) => supervise::run(&global, command, output),
        Command::Incident(command) => incident::run(&global, command, output),
        Command::Reading(command) => reading::run(&global, command, output),
        Command::Aggregation(command) => aggregation::run(&global, command, output),
        Command::Evaluate(command) => evaluate::run(&global, command, output),
        Command::Docket(command) => docket::run(&global, command, output),
        Command::Data(command) => data::run(*command, output),
        Command::ReturnFlow(command) => return_flow::run(&global, command, output),
        Command::Evidence(command) => evidence::run(&global, command, output),
        Command::Route(args) => route::run(&args, output),
        Command::Deadline(args) => deadline::run(&args, output),
        Command::Calendar(command) => calendar::run(&global, command, output),
        Command::Backup(args) => backup::run(&global, args, output),
        Command::Restore(args) => backup::restore(&global, &args, false, output),
        Command::Recover(args) => backup::restore(&global, &args, true, output),
        Command::Rebuild => store::rebuild(&global, output),
        Command::Store(command) => store::run(&global, command, output),
        Command::Demo(args) => crate::demo::run(&args, output)
            .map_err(|error| CliError::fault(format!("{error:#}"), format!("{error:#}"))),
        Command::Bench(args) => crate::bench::run(&global, args, output),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "guantong", &mut script);
            output.plain(&script);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_or_after_the_command() {
        for line in [
            [
                "guantong",
                "--json",
                "--node",
                "http://127.0.0.1:1",
                "status",
            ],
            [
                "guantong",
                "status",
                "--json",
                "--node",
                "http://127.0.0.1:1",
            ],
        ] {
            let cli = Cli::try_parse_from(line).unwrap();
            assert!(cli.global.json && cli.global.node.as_deref() == Some("http://127.0.0.1:1"));
        }
    }

    #[test]
    fn a_wrong_code_date_or_role_is_wrong_use() {
        for line in [
            "guantong route --topology t.toml --from 44010 --to 100000",
            "guantong deadline --from 2026-02-30 --working-days 10",
            "guantong deadline --from 2026-02-03 --working-days 0",
            "guantong enroll person --public p --name 李四 --role king --department 1 --department-name x --days 1",
            "guantong reply consent --docket 12",
        ] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert!(error.use_stderr() && error.exit_code() == 2, "{line}");
        }
    }
}
