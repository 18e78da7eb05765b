//! Time limits in a docket: more time, asked for and answered (R17, R21), and why something was late (R39(4)).

use sharing::act::ActBody;
use sharing::clock::ClockAct;
use statute::{Duty, WorkingDays};

use super::args::DocketArg;
use super::error::CliError;
use super::signer::carry_out;
use super::{Global, Output};

/// `guantong extension`.
#[derive(Debug, clap::Subcommand)]
pub enum ExtensionCommand {
    /// 因特殊原因申请延长期限 / ask for more time, for special reasons
    Ask {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 义务 / duty: reply-conditional, reply-unconditional, update-entry
        #[arg(long, value_parser = duty)]
        duty: Duty,
        /// 工作日数 / working days
        #[arg(long, value_parser = working_days)]
        working_days: WorkingDays,
        /// 特殊原因 / special reasons
        #[arg(long)]
        grounds: String,
    },
    /// 同级主管部门答复 / the authority of the same level answers
    Answer {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 义务 / duty
        #[arg(long, value_parser = duty)]
        duty: Duty,
        /// 同意 / consent
        #[arg(long, conflicts_with = "refuse", required_unless_present = "refuse")]
        consent: bool,
        /// 不同意 / do not consent
        #[arg(long)]
        refuse: bool,
        /// 理由 / grounds
        #[arg(long, default_value = "", required_if_eq("refuse", "true"))]
        grounds: String,
    },
    /// 就逾期说明正当理由 / state why a duty was not met in time
    Justify {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 义务 / duty
        #[arg(long, value_parser = duty)]
        duty: Duty,
        /// 正当理由 / justification
        #[arg(long)]
        grounds: String,
    },
}

fn duty(text: &str) -> Result<Duty, String> {
    text.parse()
        .map_err(|error: statute::UnknownTerm| error.in_both())
}

fn working_days(text: &str) -> Result<WorkingDays, String> {
    let days: u16 = text.parse().map_err(|_| format!("{text}: 1-250"))?;
    WorkingDays::new(days).map_err(|error| error.to_string())
}

pub(super) fn run(
    global: &Global,
    command: ExtensionCommand,
    output: &Output,
) -> Result<(), CliError> {
    let of = |docket: &DocketArg| docket.resolve(global, output);
    let act = match command {
        ExtensionCommand::Ask {
            docket,
            duty,
            working_days: days,
            grounds,
        } => ClockAct::AskExtension {
            docket: of(&docket)?,
            duty,
            days,
            grounds,
        },
        ExtensionCommand::Answer {
            docket,
            duty,
            consent: consents,
            refuse: _,
            grounds,
        } => ClockAct::AnswerExtension {
            docket: of(&docket)?,
            duty,
            consents,
            grounds,
        },
        ExtensionCommand::Justify {
            docket,
            duty,
            grounds,
        } => ClockAct::Justify {
            docket: of(&docket)?,
            duty,
            grounds,
        },
    };
    carry_out(global, output, ActBody::Clock(act)).map(drop)
}
