//! Security incidents: reported, the plan started, contained, acknowledged from above, closed (R34, R35).

use federation::core::view::DocketDetail;
use identity::{Code, Moment, RevocationReason};
use jiff::civil::Date;
use sharing::act::ActBody;
use sharing::catalogue::EntryId;
use sharing::docket::Case;
use sharing::incident::{Concerned, IncidentAct, IncidentReport, IncidentStep, Measure};
use statute::{Grade, Severity, UnknownTerm};

use super::args::{DocketArg, code, date, end_of, now};
use super::client::Client;
use super::docket::list_of;
use super::enroll::{newest_serial, reason};
use super::error::CliError;
use super::signer::carry_out;
use super::{Global, Output};

/// `guantong incident`.
#[derive(Debug, clap::Subcommand)]
pub enum IncidentCommand {
    /// 报告安全事件，自动报上级 / report an incident; it goes upward by itself
    Report(ReportArgs),
    /// 启动应急预案 / start the plan
    StartPlan {
        /// 事件案卷 / the incident's docket
        #[arg(long)]
        docket: DocketArg,
        /// 应急预案 / which plan
        #[arg(long)]
        plan: String,
    },
    /// 应急处置 / contain
    #[command(subcommand)]
    Contain(ContainCommand),
    /// 报告处置进展 / report progress
    Progress {
        /// 事件案卷 / the incident's docket
        #[arg(long)]
        docket: DocketArg,
        /// 进展 / what is reported
        #[arg(long)]
        text: String,
    },
    /// 上级主管部门签收并提出意见 / an authority above acknowledges and instructs
    Acknowledge {
        /// 事件案卷 / the incident's docket
        #[arg(long)]
        docket: DocketArg,
        /// 意见 / instructions
        #[arg(long)]
        instructions: String,
    },
    /// 消除隐患，办结 / close
    Close {
        /// 事件案卷 / the incident's docket
        #[arg(long)]
        docket: DocketArg,
        /// 原因 / the cause
        #[arg(long)]
        cause: String,
        /// 消除隐患情况 / how the danger was removed
        #[arg(long)]
        remedy: String,
        /// 处置报告 / the report on the whole
        #[arg(long)]
        report: String,
    },
    /// 本节点所知的安全事件 / incidents known here
    List,
}

/// A measure that contains an incident.
#[derive(Debug, clap::Subcommand)]
pub enum ContainCommand {
    /// 暂停由本节点提供数据的共享权限；以 guantong grant restore 恢复 / suspend grants provided here; restored by guantong grant restore
    Suspend {
        /// 事件案卷 / the incident's docket
        #[arg(long)]
        docket: DocketArg,
        /// 要暂停的申请案卷，可多次 / the docket of a grant, several times
        #[arg(long = "grant", required = true, value_name = "DOCKET")]
        grants: Vec<DocketArg>,
        /// 理由，需求部门可见 / reasons, which the requesters read
        #[arg(long)]
        reasons: String,
        /// 整改期限（当日终了） / to be rectified by the end of this day
        #[arg(long, value_parser = date, value_name = "DATE")]
        rectify_by: Date,
    },
    /// 断开下级节点：撤销其证书，连接立即断开 / cut a child off: its certificate is revoked, its links end at once
    CutOff {
        /// 事件案卷 / the incident's docket
        #[arg(long)]
        docket: DocketArg,
        /// 下级节点 / the child
        #[arg(long, value_parser = code, value_name = "CODE")]
        child: Code,
        /// 证书序号；缺省为最近签发的 / the certificate's serial; the newest when absent
        #[arg(long)]
        serial: Option<u64>,
        /// 原因 / reason: key-compromise, superseded, dissolved, issued-in-error, ordered
        #[arg(long, value_parser = reason, default_value = "key-compromise")]
        reason: RevocationReason,
    },
    /// 记录节点密钥已更换：新证书须已在本节点生效 / put on record that a node's keys were rotated: its new certificate must be in force here
    Rotated {
        /// 事件案卷 / the incident's docket
        #[arg(long)]
        docket: DocketArg,
        /// 节点 / the node
        #[arg(long, value_parser = code, value_name = "CODE")]
        member: Code,
        /// 新证书序号；缺省为最近的 / the new certificate's serial; the newest when absent
        #[arg(long)]
        serial: Option<u64>,
    },
    /// 本系统之外的措施 / a measure taken outside this system
    Other {
        /// 事件案卷 / the incident's docket
        #[arg(long)]
        docket: DocketArg,
        /// 措施 / what was done
        #[arg(long)]
        what: String,
    },
}

/// What happened, and to which data.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// 事件情况 / what happened
    #[arg(long)]
    pub happened: String,
    /// 发现时间，如 2026-03-05T09:02:03+08:00；缺省为现在 / when it was noticed; now when absent
    #[arg(long, value_parser = moment, value_name = "TIME")]
    pub noticed: Option<Moment>,
    /// 事件级别 / severity: general（一般）, larger（较大）, major（重大）, especially-major（特别重大）
    #[arg(long, value_parser = severity)]
    pub severity: Severity,
    /// 所涉数据的最高级别 / grade of the strictest data concerned: general, important, core
    #[arg(long, value_parser = grade)]
    pub grade: Grade,
    /// 所涉共享申请或者回流案卷，可多次 / the docket of data concerned, several times
    #[arg(long = "about", value_name = "DOCKET")]
    pub dockets: Vec<DocketArg>,
    /// 所涉本节点目录，可多次 / an own entry whose data is concerned, several times
    #[arg(long = "entry", value_name = "ENTRY")]
    pub entries: Vec<EntryId>,
}

fn severity(text: &str) -> Result<Severity, String> {
    text.parse().map_err(|error: UnknownTerm| error.in_both())
}

fn grade(text: &str) -> Result<Grade, String> {
    text.parse().map_err(|error: UnknownTerm| error.in_both())
}

fn moment(text: &str) -> Result<Moment, String> {
    let at: jiff::Timestamp = text.parse().map_err(|_| {
        format!("{text} 应写作 2026-03-05T09:02:03+08:00 / is no time; write it so")
    })?;
    Ok(Moment::from_millis(at.as_millisecond()))
}

pub(super) fn run(
    global: &Global,
    command: IncidentCommand,
    output: &Output,
) -> Result<(), CliError> {
    let (docket, step) = match command {
        IncidentCommand::Report(args) => {
            let report = report(global, output, args)?;
            let body = ActBody::Incident(IncidentAct::Report(report));
            return carry_out(global, output, body).map(drop);
        }
        IncidentCommand::List => {
            let incidents = |case: &Case| matches!(case, Case::Incident(_));
            return list_of(global, output, incidents);
        }
        IncidentCommand::StartPlan { docket, plan } => (docket, IncidentStep::StartPlan { plan }),
        IncidentCommand::Contain(command) => {
            let (docket, measure) = measure(global, output, command)?;
            (docket, IncidentStep::Contain(measure))
        }
        IncidentCommand::Progress { docket, text } => (docket, IncidentStep::Progress { text }),
        IncidentCommand::Acknowledge {
            docket,
            instructions,
        } => (docket, IncidentStep::Acknowledge { instructions }),
        IncidentCommand::Close {
            docket,
            cause,
            remedy,
            report,
        } => {
            let step = IncidentStep::Close {
                cause,
                remedy,
                report,
            };
            (docket, step)
        }
    };
    let docket = docket.resolve(global, output)?;
    let body = ActBody::Incident(IncidentAct::Step { docket, step });
    carry_out(global, output, body).map(drop)
}

/// The report; where the data concerned was provided is looked up at the node.
fn report(global: &Global, output: &Output, args: ReportArgs) -> Result<IncidentReport, CliError> {
    let client = Client::of(global, output.language())?;
    let concerned = |docket: &DocketArg| {
        let docket = docket.resolve(global, output)?;
        let detail: DocketDetail = client.get(&format!("/dockets/{docket}"))?;
        Ok(Concerned {
            docket,
            home: detail.docket.home,
        })
    };
    let dockets = args.dockets.iter().map(concerned);
    Ok(IncidentReport {
        dockets: dockets.collect::<Result<_, CliError>>()?,
        happened: args.happened,
        noticed: args.noticed.unwrap_or_else(now),
        severity: args.severity,
        grade: args.grade,
        entries: args.entries,
    })
}

fn measure(
    global: &Global,
    output: &Output,
    command: ContainCommand,
) -> Result<(DocketArg, Measure), CliError> {
    let serial_of = |node: Code, serial: Option<u64>| match serial {
        Some(serial) => Ok(serial),
        None => newest_serial(&Client::of(global, output.language())?, node),
    };
    Ok(match command {
        ContainCommand::Suspend {
            docket,
            grants,
            reasons,
            rectify_by,
        } => {
            let grants = grants.iter().map(|grant| grant.resolve(global, output));
            let measure = Measure::SuspendGrants {
                grants: grants.collect::<Result<_, CliError>>()?,
                reasons,
                rectify_by: end_of(rectify_by),
            };
            (docket, measure)
        }
        ContainCommand::CutOff {
            docket,
            child,
            serial,
            reason,
        } => {
            let measure = Measure::CutOff {
                node: child,
                serial: serial_of(child, serial)?,
                reason,
            };
            (docket, measure)
        }
        ContainCommand::Rotated {
            docket,
            member,
            serial,
        } => {
            let measure = Measure::KeysRotated {
                node: member,
                serial: serial_of(member, serial)?,
            };
            (docket, measure)
        }
        ContainCommand::Other { docket, what } => (docket, Measure::Other { what }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_levels_are_read_and_what_is_none_is_wrong_use() {
        let beijing = moment("2026-03-05T09:02:03+08:00").unwrap();
        assert_eq!(moment("2026-03-05T01:02:03Z"), Ok(beijing));
        assert!(moment("2026-03-05").is_err());
        assert_eq!(severity("重大"), Ok(Severity::Major));
        assert_eq!(grade("core"), Ok(Grade::Core));
        assert!(severity("huge").is_err() && grade("x").is_err());
    }
}
