//! Disputes: negotiation first, then the common superior, then its government (R28).

use jiff::civil::Date;
use sharing::act::ActBody;
use sharing::dispute::{Decision, NegotiationOutcome, NegotiationStep, Opinion};

use super::args::{DocketArg, date, end_of};
use super::error::CliError;
use super::signer::carry_out;
use super::{Global, Output};

/// `guantong dispute`.
#[derive(Debug, clap::Subcommand)]
pub enum DisputeCommand {
    /// 对申请案卷提出争议 / raise a dispute over an application
    Raise {
        /// 申请案卷 / the application's docket
        #[arg(long)]
        docket: DocketArg,
        /// 主张 / claim
        #[arg(long)]
        claim: String,
    },
    /// 协商 / negotiate
    Negotiate {
        /// 申请案卷 / the application's docket
        #[arg(long)]
        docket: DocketArg,
        /// 陈述 / what is said
        #[arg(long)]
        statement: String,
        /// 结果 / outcome: continues, settled, failed
        #[arg(long, value_parser = outcome)]
        outcome: NegotiationOutcome,
    },
    /// 共同上级主管部门提出协调意见 / the common superior gives its opinion
    Coordinate {
        /// 争议案卷 / the dispute's docket
        #[arg(long)]
        docket: DocketArg,
        /// 协调意见 / proposal
        #[arg(long)]
        proposal: String,
        /// 依据 / grounds
        #[arg(long)]
        grounds: String,
    },
    /// 当事方答复协调意见 / a party answers the opinion
    Answer {
        /// 争议案卷 / the dispute's docket
        #[arg(long)]
        docket: DocketArg,
        /// 接受 / accept
        #[arg(long, conflicts_with = "reject", required_unless_present = "reject")]
        accept: bool,
        /// 不接受 / reject
        #[arg(long)]
        reject: bool,
        /// 理由 / grounds
        #[arg(long)]
        grounds: String,
    },
    /// 本级人民政府决定 / the government decides
    Decide {
        /// 争议案卷 / the dispute's docket
        #[arg(long)]
        docket: DocketArg,
        /// 决定 / holding
        #[arg(long)]
        holding: String,
        /// 依据 / grounds
        #[arg(long)]
        grounds: String,
        /// 执行期限（当日终了） / to be complied with by the end of this day
        #[arg(long, value_parser = date, value_name = "DATE")]
        comply_by: Date,
    },
    /// 当事方报告执行决定的情况 / a party reports how it carried the decision out
    Comply {
        /// 争议案卷 / the dispute's docket
        #[arg(long)]
        docket: DocketArg,
        /// 执行情况 / what was done
        #[arg(long)]
        statement: String,
    },
}

fn outcome(text: &str) -> Result<NegotiationOutcome, String> {
    match text {
        "continues" | "继续" => Ok(NegotiationOutcome::Continues),
        "settled" | "达成一致" => Ok(NegotiationOutcome::Settled),
        "failed" | "协商不成" => Ok(NegotiationOutcome::Failed),
        other => Err(format!("{other}: continues, settled, failed")),
    }
}

pub(super) fn run(
    global: &Global,
    command: DisputeCommand,
    output: &Output,
) -> Result<(), CliError> {
    let of = |docket: &DocketArg| docket.resolve(global, output);
    let body = match command {
        DisputeCommand::Raise { docket, claim } => ActBody::RaiseDispute {
            docket: of(&docket)?,
            claim,
        },
        DisputeCommand::Negotiate {
            docket,
            statement,
            outcome,
        } => ActBody::Negotiate {
            docket: of(&docket)?,
            step: NegotiationStep { statement, outcome },
        },
        DisputeCommand::Coordinate {
            docket,
            proposal,
            grounds,
        } => ActBody::Coordinate {
            docket: of(&docket)?,
            opinion: Opinion { proposal, grounds },
        },
        DisputeCommand::Answer {
            docket,
            accept,
            reject: _,
            grounds,
        } => ActBody::AnswerOpinion {
            docket: of(&docket)?,
            accepted: accept,
            grounds,
        },
        DisputeCommand::Decide {
            docket,
            holding,
            grounds,
            comply_by,
        } => ActBody::Decide {
            docket: of(&docket)?,
            decision: Decision {
                holding,
                grounds,
                comply_by: end_of(comply_by),
            },
        },
        DisputeCommand::Comply { docket, statement } => ActBody::Comply {
            docket: of(&docket)?,
            statement,
        },
    };
    carry_out(global, output, body).map(drop)
}
