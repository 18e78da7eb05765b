//! Aggregation: what a department could join from all its grants, and the authority's answer on a grave risk (R25).

use federation::core::query::RiskView;
use identity::CreditCode;
use sharing::act::ActBody;
use sharing::aggregation::AggregationAct;

use super::args::DocketArg;
use super::client::Client;
use super::enroll::credit;
use super::error::CliError;
use super::output::listed;
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::List;
use crate::console::aggregation;

/// `guantong aggregation`.
#[derive(Debug, clap::Subcommand)]
pub enum AggregationCommand {
    /// 待同意申请的汇聚风险；指明部门的，另列其已获共享数据可关联的情况 / risks of drafts, and of what a department holds
    Show {
        /// 部门，统一社会信用代码 / a department, by its credit code
        #[arg(long, value_parser = credit)]
        department: Option<CreditCode>,
    },
    /// 主管部门负责人同意该风险 / the authority's head consents to the risk as it is now
    Consent {
        /// 待同意的申请 / the draft
        #[arg(long)]
        docket: DocketArg,
        /// 理由 / grounds
        #[arg(long, default_value = "")]
        grounds: String,
    },
    /// 主管部门负责人不同意 / the authority's head refuses
    Refuse {
        /// 待同意的申请 / the draft
        #[arg(long)]
        docket: DocketArg,
        /// 理由 / grounds
        #[arg(long)]
        grounds: String,
    },
}

pub(super) fn run(
    global: &Global,
    command: AggregationCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        AggregationCommand::Show { department } => show(global, output, department),
        AggregationCommand::Consent { docket, grounds } => {
            answer(global, output, &docket, (true, grounds))
        }
        AggregationCommand::Refuse { docket, grounds } => {
            answer(global, output, &docket, (false, grounds))
        }
    }
}

/// What is answered on is the risk as the node computes it now.
fn answer(
    global: &Global,
    output: &Output,
    docket: &DocketArg,
    (consents, grounds): (bool, String),
) -> Result<(), CliError> {
    let draft = docket.resolve(global, output)?;
    let client = Client::of(global, output.language())?;
    let risks: List<RiskView> = client.get("/aggregation")?;
    let mut risks = risks.items.into_iter();
    let risk = risks.find(|it| it.draft == Some(draft)).ok_or_else(|| {
        CliError::usage(
            format!("没有待同意的申请 {draft}"),
            format!("there is no draft {draft} that awaits consent"),
        )
    })?;
    output.note(
        &aggregation::joined(&risk.exposure),
        &aggregation::joined(&risk.exposure),
    );
    let act = AggregationAct {
        draft,
        exposure: risk.exposure.digest(),
        consents,
        grounds,
    };
    carry_out(global, output, ActBody::Aggregation(act)).map(drop)
}

fn show(global: &Global, output: &Output, department: Option<CreditCode>) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let asked = department.map_or_else(String::new, |it| format!("?department={it}"));
    let risks: List<RiskView> = client.get(&format!("/aggregation{asked}"))?;
    output.print(&risks.items, |language| {
        let row = |risk: &RiskView| {
            let held = language.pick("已获共享", "held").to_owned();
            vec![
                risk.draft.map_or(held, |draft| draft.0.short()),
                risk.exposure.department.to_string(),
                aggregation::level(&risk.exposure, language),
                aggregation::joined(&risk.exposure),
            ]
        };
        listed(
            &risks.items.iter().map(row).collect::<Vec<_>>(),
            language,
            ("没有汇聚风险。", "There is no risk of aggregation."),
        )
    });
    Ok(())
}
