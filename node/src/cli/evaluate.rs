//! Evaluation: how each department shared in a month or a year, reported to the government and published (R38, Shenyang S8).

use federation::core::query::EvaluationView;
use identity::CreditCode;
use sharing::act::ActBody;
use sharing::evaluation::{EvaluationAct, EvaluationState, Figures, Report, csv, lines};
use statute::EvaluationPeriod;

use super::args::DocketArg;
use super::client::Client;
use super::enroll::credit;
use super::error::CliError;
use super::output::{columns, listed};
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::List;
use crate::console::{evaluation, labels};
use crate::language::Language;

/// `guantong evaluate`.
#[derive(Debug, clap::Subcommand)]
pub enum EvaluateCommand {
    /// 一个月的评估 / how departments shared in a month
    Month {
        /// 月份，如 2026-03 / the month, such as 2026-03
        #[arg(value_parser = month, value_name = "MONTH")]
        period: EvaluationPeriod,
        /// 如何输出 / how it is shown
        #[command(flatten)]
        asked: AskedArgs,
    },
    /// 一年的评估 / how departments shared in a year
    Year {
        /// 年份，如 2026 / the year, such as 2026
        #[arg(value_parser = year, value_name = "YEAR")]
        period: EvaluationPeriod,
        /// 如何输出 / how it is shown
        #[command(flatten)]
        asked: AskedArgs,
    },
    /// 本节点所知的评估报告 / the reports known here, own and of the levels below
    List,
    /// 本级人民政府公布评估结果和改进意见（地方规则有要求的）/ the government publishes a report, where local rules say so
    Publish {
        /// 报告案卷 / the docket of the report
        #[arg(long)]
        docket: DocketArg,
        /// 改进意见 / the advice
        #[arg(long)]
        advice: String,
    },
}

/// What is shown and what is done with it.
#[derive(Debug, clap::Args)]
pub struct AskedArgs {
    /// 只看一个部门 / one department alone, by its credit code
    #[arg(long, value_parser = credit, conflicts_with = "sign")]
    pub department: Option<CreditCode>,
    /// 格式 / form
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// 主管部门负责人签署并向本级人民政府报告 / the authority's head signs it and reports to the government
    #[arg(long)]
    pub sign: bool,
}

/// In which form a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// 表格 / lines for people
    Table,
    /// 逗号分隔 / comma-separated values with Chinese headers
    Csv,
    /// JSON
    Json,
}

fn month(text: &str) -> Result<EvaluationPeriod, String> {
    period(text, false)
}

fn year(text: &str) -> Result<EvaluationPeriod, String> {
    period(text, true)
}

fn period(text: &str, whole_year: bool) -> Result<EvaluationPeriod, String> {
    let period: EvaluationPeriod = text
        .parse()
        .map_err(|error: statute::PeriodError| error.to_string())?;
    if period.is_year() == whole_year {
        return Ok(period);
    }
    Err("月写作 2026-03，年写作 2026 / a month is written 2026-03, a year 2026".to_owned())
}

pub(super) fn run(
    global: &Global,
    command: EvaluateCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        EvaluateCommand::Month { period, asked } | EvaluateCommand::Year { period, asked } => {
            evaluated(global, output, period, &asked)
        }
        EvaluateCommand::List => list(global, output),
        EvaluateCommand::Publish { docket, advice } => {
            let docket = docket.resolve(global, output)?;
            let act = EvaluationAct::Publish { docket, advice };
            carry_out(global, output, ActBody::Evaluation(act)).map(drop)
        }
    }
}

fn evaluated(
    global: &Global,
    output: &Output,
    period: EvaluationPeriod,
    asked: &AskedArgs,
) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let mut view: EvaluationView = client.get(&format!("/evaluation?period={period}"))?;
    if asked.sign {
        let act = EvaluationAct::Report(view.computed.report);
        return carry_out(global, output, ActBody::Evaluation(act)).map(drop);
    }
    let report = &mut view.computed.report;
    if let Some(department) = asked.department {
        of_department(report, department)?;
    }
    match asked.format {
        Format::Csv => output.plain(csv(&view.computed.report).as_bytes()),
        Format::Json => {
            Output::new(true, output.language()).print(&view, |_| String::new());
        }
        Format::Table => output.print(&view, |language| table(&view, language)),
    }
    Ok(())
}

/// Leaves one department's figures alone.
fn of_department(report: &mut Report, department: CreditCode) -> Result<(), CliError> {
    report.departments.retain(|it| it.department == department);
    report.districts.clear();
    report.authority = Figures::default();
    if report.departments.is_empty() {
        return Err(CliError::usage(
            format!("本节点没有部门 {department}"),
            format!("there is no department {department} here"),
        ));
    }
    Ok(())
}

fn table(view: &EvaluationView, language: Language) -> String {
    let report = &view.computed.report;
    let mut rows = Vec::new();
    let mut unit = |name: &str, code: &str, figures: &Figures| {
        for line in lines(figures) {
            let of = line.of.unwrap_or_default();
            if line.count == 0 && of == 0 {
                continue;
            }
            let count = match line.of {
                Some(of) => format!("{} / {of}", line.count),
                None => line.count.to_string(),
            };
            rows.push(vec![
                name.to_owned(),
                code.to_owned(),
                language
                    .pick(line.dimension.zh(), line.dimension.en())
                    .to_owned(),
                language.pick(&line.zh, &line.en).to_owned(),
                count,
                labels::cite(line.article, language),
            ]);
        }
    };
    let place = report.place.code().to_string();
    let authority = language.pick("主管部门", "authority");
    unit(authority, &place, &report.authority);
    for it in &report.departments {
        unit(&it.name, &it.department.to_string(), &it.figures);
    }
    for it in &report.districts {
        let name = language.pick("下级地区合计", "district, in sum");
        unit(name, &it.place.code().to_string(), &it.totals);
    }
    let mut text = columns(&rows);
    let digest = report.digest();
    text += &format!("{} {digest}\n", language.pick("报告摘要", "digest"));
    if report.left_out > 0 {
        let left_out = language.pick("未列入的单位", "units left out");
        text += &format!("{left_out} {}\n", report.left_out);
    }
    if view.provisional {
        text += language.pick(
            "期间未满，数据仅为暂计，不能报告",
            "the period runs: these figures are provisional and cannot be reported",
        );
    }
    if let Some(docket) = view.computed.reported {
        text += &format!("{} {docket}", language.pick("已报告，案卷", "reported in"));
    }
    text
}

fn list(global: &Global, output: &Output) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let reports: List<EvaluationState> = client.get("/evaluations")?;
    output.print(&reports.items, |language| {
        let row = |state: &EvaluationState| {
            vec![
                state.docket.to_string(),
                state.report.place.to_string(),
                state.report.period.to_string(),
                evaluation::phase(&state.phase, language).to_owned(),
                labels::time(state.reported_at),
            ]
        };
        listed(
            &reports.items.iter().map(row).collect::<Vec<_>>(),
            language,
            ("没有评估报告。", "There is no evaluation."),
        )
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_no_year_and_a_year_no_month() {
        assert!(month("2026-03").is_ok() && year("2026").is_ok());
        for wrong in [month("2026"), year("2026-03"), month("2026-3"), year("26")] {
            assert!(wrong.is_err());
        }
    }
}
