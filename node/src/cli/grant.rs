//! The life of a grant: wider use (R25), suspension, disposal and the end of a service (R27).

use identity::CreditCode;
use jiff::civil::Date;
use sharing::act::ActBody;
use sharing::application::{GrantAct, GrantStep, ServiceChange, Wider};

use super::args::{DocketArg, date, end_of};
use super::enroll::credit;
use super::error::CliError;
use super::signer::carry_out;
use super::{Global, Output};

/// `guantong grant`.
#[derive(Debug, clap::Args)]
pub struct GrantCommand {
    /// 申请案卷 / the application's docket
    #[arg(long, global = true)]
    pub docket: Option<DocketArg>,
    /// 步骤 / the step
    #[command(subcommand)]
    pub step: StepCommand,
}

/// A step in the life of a grant.
#[derive(Debug, clap::Subcommand)]
pub enum StepCommand {
    /// 需求部门申请扩大使用 / the requester asks for wider use
    Widen {
        /// 增加的数据项 / a further data item
        #[arg(long = "item")]
        items: Vec<String>,
        /// 增加的用途 / a further purpose
        #[arg(long = "purpose")]
        purposes: Vec<String>,
        /// 延长使用至（当日终了） / to be used until the end of this day
        #[arg(long, value_parser = date, value_name = "DATE")]
        until: Option<Date>,
        /// 提供给第三方部门（统一社会信用代码） / a department to pass the data on to
        #[arg(long = "pass-on-to", value_parser = credit, value_name = "CREDIT-CODE")]
        recipients: Vec<CreditCode>,
        /// 理由 / grounds
        #[arg(long)]
        grounds: String,
    },
    /// 提供部门答复扩大使用 / the provider answers
    Answer {
        /// 同意 / consent
        #[arg(long, conflicts_with = "refuse", required_unless_present = "refuse")]
        consent: bool,
        /// 不同意 / refuse
        #[arg(long, requires = "reasons")]
        refuse: bool,
        /// 理由 / reasons
        #[arg(long, default_value = "")]
        reasons: String,
    },
    /// 暂停共享权限，限期整改 / suspend access and order rectification
    Suspend {
        /// 理由 / reasons
        #[arg(long)]
        reasons: String,
        /// 整改期限（当日终了） / to be rectified by the end of this day
        #[arg(long, value_parser = date, value_name = "DATE")]
        rectify_by: Date,
    },
    /// 需求部门报告整改情况 / the requester reports rectification
    Rectified {
        /// 整改情况 / what was done
        #[arg(long)]
        statement: String,
    },
    /// 恢复共享权限 / restore access
    Restore {
        /// 理由；需求部门未报告整改的须写明 / reasons; needed where no rectification was reported
        #[arg(long, default_value = "")]
        reasons: String,
    },
    /// 终止共享 / terminate sharing
    Terminate {
        /// 理由 / reasons
        #[arg(long)]
        reasons: String,
    },
    /// 提供部门要求处置数据 / the provider requires disposal
    RequireDisposal {
        /// 处置方式 / how
        #[arg(long)]
        how: String,
        /// 处置期限（当日终了） / by the end of this day
        #[arg(long, value_parser = date, value_name = "DATE")]
        by: Date,
    },
    /// 需求部门处置数据 / the requester has disposed of the data
    Dispose {
        /// 处置方式 / how
        #[arg(long)]
        how: String,
        /// 处置证明 / the certificate of disposal
        #[arg(long)]
        certificate: String,
    },
    /// 提供部门提出终止或者变更服务 / the provider proposes to end or change the service
    ProposeChange {
        /// end（终止）, change（变更）
        #[arg(long, value_parser = service_change)]
        what: ServiceChange,
        /// 理由 / reasons
        #[arg(long)]
        reasons: String,
    },
    /// 需求部门就终止或者变更服务协商 / the requester answers in the negotiation
    AnswerChange {
        /// 同意 / agree
        #[arg(long, conflicts_with = "object", required_unless_present = "object")]
        agree: bool,
        /// 不同意 / object
        #[arg(long)]
        object: bool,
        /// 陈述 / what is said
        #[arg(long)]
        statement: String,
    },
    /// 提供部门同级主管部门备案 / the authority of the provider's level takes it on file
    FileChange,
    /// 提供部门终止或者变更服务 / the provider carries it out
    CarryOut,
}

fn service_change(text: &str) -> Result<ServiceChange, String> {
    match text {
        "end" | "终止" => Ok(ServiceChange::End),
        "change" | "变更" => Ok(ServiceChange::Change),
        other => Err(format!("{other}: end, change")),
    }
}

impl From<StepCommand> for GrantStep {
    fn from(step: StepCommand) -> Self {
        match step {
            StepCommand::Widen {
                items,
                purposes,
                until,
                recipients,
                grounds,
            } => Self::AskWidening {
                wider: Wider {
                    items,
                    purposes,
                    until: until.map(end_of),
                    recipients,
                },
                grounds,
            },
            StepCommand::Answer {
                consent,
                refuse: _,
                reasons,
            } => Self::AnswerWidening {
                consents: consent,
                reasons,
            },
            StepCommand::Suspend {
                reasons,
                rectify_by,
            } => Self::Suspend {
                reasons,
                rectify_by: end_of(rectify_by),
            },
            StepCommand::Rectified { statement } => Self::ReportRectified { statement },
            StepCommand::Restore { reasons } => Self::Restore { reasons },
            StepCommand::Terminate { reasons } => Self::Terminate { reasons },
            StepCommand::RequireDisposal { how, by } => Self::RequireDisposal {
                how,
                by: end_of(by),
            },
            StepCommand::Dispose { how, certificate } => Self::Dispose { how, certificate },
            StepCommand::ProposeChange { what, reasons } => Self::ProposeChange { what, reasons },
            StepCommand::AnswerChange {
                agree,
                object: _,
                statement,
            } => Self::AnswerChange {
                agrees: agree,
                statement,
            },
            StepCommand::FileChange => Self::FileChange,
            StepCommand::CarryOut => Self::CarryOutChange,
        }
    }
}

pub(super) fn run(global: &Global, command: GrantCommand, output: &Output) -> Result<(), CliError> {
    let docket = command
        .docket
        .ok_or_else(|| CliError::usage("没有指明案卷：--docket", "name the docket: --docket"))?
        .resolve(global, output)?;
    let step = command.step.into();
    carry_out(global, output, ActBody::Grant(GrantAct { docket, step })).map(drop)
}
