//! Corrections: a holder of shared data asks, the provider verifies, corrects and reports back (R26).

use std::path::PathBuf;

use federation::core::view::DocketView;
use sharing::act::ActBody;
use sharing::correction::{CorrectionAct, CorrectionOutcome, CorrectionRequest};
use sharing::docket::Case;

use super::args::DocketArg;
use super::client::Client;
use super::error::CliError;
use super::output::columns;
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::{List, MAX_PAGE};
use crate::console::labels;

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
        CorrectionCommand::List => return list(global, output),
    };
    carry_out(global, output, ActBody::Correction(act)).map(drop)
}

fn list(global: &Global, output: &Output) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let mut found: Vec<DocketView> = Vec::new();
    let mut after = String::new();
    loop {
        let page: List<DocketView> = client.get(&format!("/dockets?limit={MAX_PAGE}{after}"))?;
        let Some(last) = page.items.last() else { break };
        after = format!("&after={}", last.id);
        let corrections = |docket: &DocketView| matches!(docket.state.case, Case::Correction(_));
        found.extend(page.items.into_iter().filter(corrections));
    }
    output.print(&found, |language| {
        let row = |docket: &DocketView| {
            vec![
                docket.id.to_string(),
                labels::docket_phase(&docket.state.case, language),
                labels::docket_subject(&docket.state.case),
                labels::time(docket.updated),
            ]
        };
        columns(&found.iter().map(row).collect::<Vec<_>>())
    });
    Ok(())
}
