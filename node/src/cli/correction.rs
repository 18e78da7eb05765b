//! Corrections: a holder of shared data asks, the provider verifies, corrects and reports back (R26).

use std::path::PathBuf;

use sharing::act::ActBody;
use sharing::correction::{CorrectionAct, CorrectionOutcome, CorrectionRequest};
use sharing::docket::Case;

use super::args::DocketArg;
use super::client::Client;
use super::docket::list_of;
use super::error::CliError;
use super::signer::carry_out;
use super::{Global, Output};

/// `guantong correction`.
#[derive(Debug, clap::Subcommand)]
pub enum CorrectionCommand {
    /// 就所获数据提出校核申请 / ask for correction of data that was provided
    Ask {
        /// 获得数据的申请案卷 / docket of the application under which the data is held
        #[arg(long)]
        about: DocketArg,
        /// 有误的数据项 / the items in question
        #[arg(long = "item", value_name = "NAME", required = true)]
        items: Vec<String>,
        /// 不准确或者不完整之处 / what is wrong or incomplete
        #[arg(long)]
        wrong: String,
        /// 佐证 / what it was found by
        #[arg(long)]
        evidence: String,
    },
    /// 核实、更正并反馈 / verify, correct and report back
    Answer(AnswerArgs),
    /// 列出校核案卷 / list corrections
    List,
}

/// What came of the verification.
#[derive(Debug, clap::Args)]
pub struct AnswerArgs {
    /// 校核案卷 / the correction's docket
    #[arg(long)]
    docket: DocketArg,
    /// 更正内容 / what was corrected
    #[arg(long, conflicts_with = "upheld", required_unless_present = "upheld")]
    corrected: Option<String>,
    /// 经核实无需更正的理由 / why it is right as it stands
    #[arg(long, value_name = "REASONS")]
    upheld: Option<String>,
    /// 更正后的文件 / the corrected file, for whoever asked
    #[arg(long, conflicts_with = "upheld")]
    file: Option<PathBuf>,
}

impl AnswerArgs {
    fn outcome(self, global: &Global, output: &Output) -> Result<CorrectionOutcome, CliError> {
        if let Some(reasons) = self.upheld {
            return Ok(CorrectionOutcome::Upheld { reasons });
        }
        let object = match self.file {
            Some(file) => Some(Client::of(global, output.language())?.put_object(&file)?),
            None => None,
        };
        Ok(CorrectionOutcome::Corrected {
            what: self.corrected.unwrap_or_default(),
            object,
        })
    }
}

pub(super) fn run(
    global: &Global,
    command: CorrectionCommand,
    output: &Output,
) -> Result<(), CliError> {
    let act = match command {
        CorrectionCommand::Ask {
            about,
            items,
            wrong,
            evidence,
        } => CorrectionAct::Ask(CorrectionRequest {
            about: about.resolve(global, output)?,
            items,
            wrong,
            evidence,
        }),
        CorrectionCommand::Answer(args) => CorrectionAct::Answer {
            docket: args.docket.resolve(global, output)?,
            outcome: args.outcome(global, output)?,
        },
        CorrectionCommand::List => {
            let corrections = |case: &Case| matches!(case, Case::Correction(_));
            return list_of(global, output, corrections);
        }
    };
    carry_out(global, output, ActBody::Correction(act)).map(drop)
}
