//! Corrections: a holder of shared data asks, the provider verifies, corrects and reports back (R26).

use std::path::PathBuf;

use sharing::act::ActBody;
use sharing::correction::{CorrectionAct, CorrectionOutcome, CorrectionRequest};
use sharing::docket::Case;
use sharing::private::Content;

use super::args::DocketArg;
use super::client::Client;
use super::docket::list_of;
use super::error::CliError;
use super::signer::carry_out_with;
use super::{Global, Output};
use crate::person;

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
        /// 不准确或者不完整之处，作为个人内容不进入账本 / what is wrong or incomplete; personal content, kept out of the ledger
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
    /// 更正内容，作为个人内容不进入账本；其他持有部门获知数据项和文件 / what was corrected; personal content, kept out of the ledger: other holders are told the items and the file
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
    /// The outcome, and the personal content in it.
    fn outcome(
        self,
        global: &Global,
        output: &Output,
    ) -> Result<(CorrectionOutcome, Vec<Content>), CliError> {
        if let Some(reasons) = self.upheld {
            let content = person::private(reasons)?;
            let reasons = content.private();
            return Ok((CorrectionOutcome::Upheld { reasons }, vec![content]));
        }
        let object = match self.file {
            Some(file) => Some(Client::of(global, output.language())?.put_object(&file)?),
            None => None,
        };
        let content = person::private(self.corrected.unwrap_or_default())?;
        let what = content.private();
        Ok((CorrectionOutcome::Corrected { what, object }, vec![content]))
    }
}

pub(super) fn run(
    global: &Global,
    command: CorrectionCommand,
    output: &Output,
) -> Result<(), CliError> {
    let (act, contents) = match command {
        CorrectionCommand::Ask {
            about,
            items,
            wrong,
            evidence,
        } => {
            let (wrong, evidence) = (person::private(wrong)?, person::private(evidence)?);
            let ask = CorrectionAct::Ask(CorrectionRequest {
                about: about.resolve(global, output)?,
                items,
                wrong: wrong.private(),
                evidence: evidence.private(),
            });
            (ask, vec![wrong, evidence])
        }
        CorrectionCommand::Answer(args) => {
            let docket = args.docket.resolve(global, output)?;
            let (outcome, contents) = args.outcome(global, output)?;
            (CorrectionAct::Answer { docket, outcome }, contents)
        }
        CorrectionCommand::List => {
            let corrections = |case: &Case| matches!(case, Case::Correction(_));
            return list_of(global, output, corrections);
        }
    };
    carry_out_with(global, output, ActBody::Correction(act), &contents).map(drop)
}
