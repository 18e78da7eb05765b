//! Matching supply and need: what no published entry gives is put on record, matched, answered and followed up (R20).

use std::str::FromStr;

use federation::core::view::NodeView;
use identity::{Code, CreditCode, Path};
use jiff::civil::Date;
use sharing::act::ActBody;
use sharing::catalogue::{Entry, EntryId, PublishedEntry};
use sharing::dispute::Party;
use sharing::docket::Case;
use sharing::need::{Considered, EntryAt, Need, NeedAct, NeedStep};

use super::args::{DocketArg, date, end_of};
use super::client::{Client, encode};
use super::docket::list_of;
use super::enroll::credit;
use super::error::{CliError, Exit};
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::sources::AlreadyAnswer;

/// Wait for the levels above before a need is reported, milliseconds: longer than a search is looked at, for what is said goes on record.
const REPORT_WAIT_MS: u64 = 5_000;

/// `guantong need`.
#[derive(Debug, clap::Subcommand)]
pub enum NeedCommand {
    /// 登记已发布目录不能满足的需求 / put on record what no published entry gives
    Report(ReportArgs),
    /// 主管部门对接提供部门，或者指明已有目录 / the authority matches a department, or points to an entry
    Match(MatchArgs),
    /// 主管部门报上级主管部门对接 / the authority passes it on to the one above
    PassOn {
        /// 需求案卷 / the need's docket
        #[arg(long)]
        docket: DocketArg,
        /// 理由 / reasons
        #[arg(long)]
        reasons: String,
    },
    /// 主管部门不予对接 / the authority declines
    Decline {
        /// 需求案卷 / the need's docket
        #[arg(long)]
        docket: DocketArg,
        /// 理由 / reasons
        #[arg(long)]
        reasons: String,
    },
    /// 提供部门答复 / the department matched answers
    Answer {
        /// 需求案卷 / the need's docket
        #[arg(long)]
        docket: DocketArg,
        /// 提供日期（当日终了） / will provide by the end of this day
        #[arg(
            long,
            value_parser = date,
            value_name = "DATE",
            conflicts_with = "cannot",
            required_unless_present = "cannot"
        )]
        by: Option<Date>,
        /// 不能提供的理由 / why it cannot provide
        #[arg(long, value_name = "REASONS")]
        cannot: Option<String>,
    },
    /// 提供部门以已发布的目录满足需求 / the department matched names its published entry
    Fulfil {
        /// 需求案卷 / the need's docket
        #[arg(long)]
        docket: DocketArg,
        /// 本节点已发布的目录代码 / the entry, published here
        #[arg(long)]
        entry: EntryId,
    },
    /// 需求部门确认是否满足 / the department that needs says whether it is met
    Confirm {
        /// 需求案卷 / the need's docket
        #[arg(long)]
        docket: DocketArg,
        /// 已满足 / it is met
        #[arg(long, conflicts_with = "not_met", required_unless_present = "not_met")]
        met: bool,
        /// 未满足的理由 / why it is not met
        #[arg(long, value_name = "REASONS")]
        not_met: Option<String>,
    },
    /// 需求部门撤回 / the department that needs withdraws it
    Withdraw {
        /// 需求案卷 / the need's docket
        #[arg(long)]
        docket: DocketArg,
    },
    /// 列出需求案卷 / list needs
    List,
}

/// What is needed.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// 需求名称 / what it is called
    #[arg(long)]
    title: String,
    /// 所需数据项，可多次 / an item wanted
    #[arg(long = "item", value_name = "NAME", required = true)]
    items: Vec<String>,
    /// 使用场景 / scenario of use
    #[arg(long)]
    purpose: String,
    /// 使用依据 / legal basis
    #[arg(long)]
    basis: String,
    /// 目录检索情况 / what of the catalogue was searched for
    #[arg(long)]
    searched: String,
    /// 所查目录不能满足的理由：节点:目录代码=理由，可多次 / an entry that was found and why it does not do
    #[arg(long = "considered", value_name = "NODE:ENTRY=REASON")]
    considered: Vec<ConsideredArg>,
    /// 等待各上级答复的毫秒数 / milliseconds to wait for the levels above
    #[arg(long, default_value_t = REPORT_WAIT_MS)]
    wait_ms: u64,
}

/// Whom or what a need is matched to.
#[derive(Debug, clap::Args)]
pub struct MatchArgs {
    /// 需求案卷 / the need's docket
    #[arg(long)]
    docket: DocketArg,
    /// 提供部门的统一社会信用代码 / the department's credit code
    #[arg(
        long,
        value_parser = credit,
        requires = "at",
        conflicts_with = "entry",
        required_unless_present = "entry"
    )]
    department: Option<CreditCode>,
    /// 部门所在节点路径，如 100000/210000 / the path of its node, from the hub down
    #[arg(long, value_name = "PLACE")]
    at: Option<Path>,
    /// 已能满足的目录：节点:目录代码 / an existing entry that meets it
    #[arg(long, value_name = "NODE:ENTRY")]
    entry: Option<EntryArg>,
}

/// `NODE:ENTRY`: an entry where it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EntryArg {
    publisher: Code,
    entry: EntryId,
}

impl FromStr for EntryArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (publisher, entry) = text
            .split_once(':')
            .ok_or_else(|| "节点:目录代码 / NODE:ENTRY".to_owned())?;
        Ok(Self {
            publisher: publisher
                .parse()
                .map_err(|it| format!("{publisher}: {it}"))?,
            entry: entry.parse().map_err(|it| format!("{entry}: {it}"))?,
        })
    }
}

/// `NODE:ENTRY=REASON`: an entry and why it does not do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ConsideredArg(Considered);

impl FromStr for ConsideredArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (entry, why_not) = text
            .split_once('=')
            .ok_or_else(|| "节点:目录代码=理由 / NODE:ENTRY=REASON".to_owned())?;
        let EntryArg { publisher, entry } = entry.parse()?;
        Ok(Self(Considered {
            publisher,
            entry,
            why_not: why_not.to_owned(),
        }))
    }
}

pub(super) fn run(global: &Global, command: NeedCommand, output: &Output) -> Result<(), CliError> {
    let (docket, step) = match command {
        NeedCommand::Report(args) => {
            let act = NeedAct::Report(need(global, output, args)?);
            return carry_out(global, output, ActBody::Need(act)).map(drop);
        }
        NeedCommand::List => {
            let needs = |case: &Case| matches!(case, Case::Need(_));
            return list_of(global, output, needs);
        }
        NeedCommand::Match(args) => matched(global, output, args)?,
        NeedCommand::PassOn { docket, reasons } => (docket, NeedStep::PassOn { reasons }),
        NeedCommand::Decline { docket, reasons } => (docket, NeedStep::Decline { reasons }),
        NeedCommand::Answer { docket, by, cannot } => {
            let promised = by.map(|by| NeedStep::Promise { by: end_of(by) });
            let reasons = cannot.unwrap_or_default();
            (docket, promised.unwrap_or(NeedStep::Cannot { reasons }))
        }
        NeedCommand::Fulfil { docket, entry } => {
            let client = Client::of(global, output.language())?;
            let view: NodeView = client.get("/node")?;
            let publisher = view.place.ok_or_else(not_enrolled)?.code();
            let (entry, held) = published(&client, &EntryArg { publisher, entry })?;
            let held = Box::new(held);
            (docket, NeedStep::Fulfil { entry, held })
        }
        NeedCommand::Confirm {
            docket, not_met, ..
        } => {
            let not_met = not_met.map(|reasons| NeedStep::NotMet { reasons });
            (docket, not_met.unwrap_or(NeedStep::ConfirmMet))
        }
        NeedCommand::Withdraw { docket } => (docket, NeedStep::Withdraw),
    };
    let docket = docket.resolve(global, output)?;
    let act = NeedAct::Take { docket, step };
    carry_out(global, output, ActBody::Need(act)).map(drop)
}

/// The need, with what every level above said when it was asked for the items just now.
fn need(global: &Global, output: &Output, args: ReportArgs) -> Result<Need, CliError> {
    let (items, wait) = (encode(&args.items.join(",")), args.wait_ms);
    let path = format!("/catalogue/already?items={items}&wait_ms={wait}");
    let already: AlreadyAnswer = Client::of(global, output.language())?.get(&path)?;
    Ok(Need {
        asked: already.asked,
        title: args.title,
        items: args.items,
        purpose: args.purpose,
        basis: args.basis,
        searched: args.searched,
        considered: args.considered.into_iter().map(|it| it.0).collect(),
    })
}

fn matched(
    global: &Global,
    output: &Output,
    args: MatchArgs,
) -> Result<(DocketArg, NeedStep), CliError> {
    let step = match (args.department, args.at, args.entry) {
        (Some(department), Some(node), _) => NeedStep::Match {
            department: Party { department, node },
        },
        (_, _, Some(entry)) => {
            let client = Client::of(global, output.language())?;
            let (entry, _) = published(&client, &entry)?;
            NeedStep::PointTo { entry }
        }
        (Some(_), None, None) | (None, _, None) => {
            return Err(CliError::usage(
                "请指明提供部门及其节点，或者已有目录",
                "name a department and its node, or an entry",
            ));
        }
    };
    Ok((args.docket, step))
}

/// The version that stands published, as the node asked knows it.
fn published(client: &Client, named: &EntryArg) -> Result<(EntryAt, Entry), CliError> {
    let (publisher, entry) = (named.publisher, encode(&named.entry.to_string()));
    let found: PublishedEntry = client.get(&format!("/catalogue/published/{publisher}/{entry}"))?;
    let at = EntryAt {
        publisher: found.publisher,
        entry: found.entry.version_ref(),
    };
    Ok((at, found.entry))
}

fn not_enrolled() -> CliError {
    CliError::new(
        Exit::Unreachable,
        "节点尚未入网",
        "the node is not enrolled",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_named_with_its_node_and_what_it_lacks() {
        let read: ConsideredArg = "210102:3/101/000001=缺少就业状态=全部".parse().unwrap();
        assert_eq!(read.0.publisher.as_str(), "210102");
        assert_eq!(read.0.entry.to_string(), "3/101/000001");
        assert_eq!(read.0.why_not, "缺少就业状态=全部");
        for wrong in ["210102", "210102:3/101/000001", "x:y=z"] {
            assert!(wrong.parse::<ConsideredArg>().is_err(), "{wrong}");
        }
    }
}
