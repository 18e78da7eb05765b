//! Evaluations: the page for the government (R38), the page for everyone where local rules say so (Shenyang S8), and the words for both.

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use federation::core::query::{self, EvaluationView};
use maud::{Markup, html};
use sharing::evaluation::{
    EvaluationEvent, EvaluationPhase, EvaluationState, Figures, Report, csv, lines,
};
use statute::{Article, Dimension, EvaluationPeriod};

use super::clock::Facts;
use super::{Asked, labels, layout, shown};
use crate::api::{Api, Problem};
use crate::language::Language;

/// What happened, in Chinese and in English, and under which article.
pub fn name(event: &EvaluationEvent) -> (&'static str, &'static str, Article) {
    match event {
        EvaluationEvent::Reported { .. } => (
            "向本级人民政府报告",
            "reported to the government",
            Article::R38,
        ),
        EvaluationEvent::Published { article, .. } => {
            ("公布评估结果", "evaluation published", *article)
        }
    }
}

/// What an event says beyond its name.
pub fn facts(event: &EvaluationEvent, language: Language) -> Facts {
    match event {
        EvaluationEvent::Reported { .. } => Vec::new(),
        EvaluationEvent::Published { advice, .. } => {
            vec![(language.pick("改进意见", "Advice"), advice.clone())]
        }
    }
}

/// Where a report stands.
pub fn phase(phase: &EvaluationPhase, language: Language) -> &'static str {
    match phase {
        EvaluationPhase::Reported => {
            language.pick("已向本级人民政府报告", "reported to the government")
        }
        EvaluationPhase::Published { .. } => language.pick("已公布", "published"),
    }
}

/// What a report is on, in a line.
pub fn subject(state: &EvaluationState) -> String {
    format!(
        "{} · {}",
        state.report.place.code(),
        state.report.period.zh()
    )
}

fn period_of(text: &str) -> Result<EvaluationPeriod, Problem> {
    text.parse().map_err(|error: statute::PeriodError| {
        Problem::malformed(error.to_string(), error.to_string())
    })
}

async fn computed(api: &Api, period: EvaluationPeriod) -> Result<EvaluationView, Problem> {
    let now = api.backend().now();
    let found = api.read(move |read| query::evaluation(read, period, now));
    found
        .await?
        .ok_or_else(|| Problem::not_found("节点尚未入网", "the node is not enrolled"))
}

/// `/evaluations`: the reports known here, and the way to the newest periods.
pub(super) async fn list_page(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let language = asked.language();
    let now = api.backend().now();
    let reports = api.read(|read| query::evaluations(read, None)).await?;
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    let mut periods = Vec::new();
    if let Some(month) = EvaluationPeriod::month_of(now.as_millis()) {
        let before = EvaluationPeriod::month_of(month.starts_ms() - 1);
        periods.extend(before.into_iter().chain([month, month.whole_year()]));
    }
    let title = pick("政务数据共享评估", "Evaluation of sharing");
    let body = html! {
        div.lead { h1 { (title) } span.path { (labels::cite(Article::R38, language)) } }
        section {
            h2 { (pick("按期间计算", "Computed by period")) }
            p { @for period in periods { a.tag href=(address(period, language)) { (period) } " " } }
        }
        section { h2 { (pick("报告", "Reports")) } (report_table(&reports, language)) }
    };
    Ok(shown(layout::page(title, language, false, &body)))
}

/// `/evaluations/{period}`: the figures as the ledger gives them now.
pub(super) async fn period_page(
    State(api): State<Api>,
    Path(period): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let language = asked.language();
    let period = period_of(&period)?;
    let view = computed(&api, period).await?;
    let reports = api
        .read(move |read| query::evaluations(read, Some(period)))
        .await?;
    Ok(shown(page(&view, &reports, language)))
}

/// `/evaluations/{period}/csv`: the same as a table.
pub(super) async fn period_csv(
    State(api): State<Api>,
    Path(period): Path<String>,
) -> Result<Response, Problem> {
    let period = period_of(&period)?;
    let text = csv(&computed(&api, period).await?.computed.report);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"evaluation-{period}.csv\""),
        ),
    ];
    Ok((headers, text).into_response())
}

/// `/evaluation/{period}`, open to everyone: what the government published of this place, and nothing else.
pub(super) async fn published_page(
    State(api): State<Api>,
    Path(period): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let language = asked.language();
    let period = period_of(&period)?;
    let found = api.read(move |read| query::published_evaluations(read, period));
    let newest = found.await?.into_iter().next().ok_or_else(|| {
        Problem::not_found(
            "该期间没有公布的评估结果",
            "no evaluation of this period was published",
        )
    })?;
    Ok(shown(published(&newest, language)))
}

fn address(period: EvaluationPeriod, language: Language) -> String {
    layout::address(&format!("/evaluations/{period}"), language)
}

fn title(period: EvaluationPeriod, language: Language) -> String {
    match language {
        Language::Chinese => format!("{}政务数据共享评估", period.zh()),
        Language::English => format!("Evaluation of sharing, {period}"),
    }
}

fn page(view: &EvaluationView, reports: &[EvaluationState], language: Language) -> Markup {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    let report = &view.computed.report;
    let title = title(report.period, language);
    let csv = format!("/evaluations/{}/csv", report.period);
    let body = html! {
        div.lead {
            h1 { (title) }
            span.path.mono { (report.place) }
            @if view.provisional { span.tag.warn { (pick("期间未满，暂计", "provisional: the period runs")) } }
            @if view.computed.reported.is_some() { span.tag.ok { (pick("已报告", "reported")) } }
            a href=(csv) { "CSV" }
        }
        (contents(report, language))
        section { h2 { (pick("本期报告", "Reports on this period")) } (report_table(reports, language)) }
    };
    layout::page(&title, language, false, &body)
}

fn published(state: &EvaluationState, language: Language) -> Markup {
    let report = &state.report;
    let title = title(report.period, language);
    let body = html! {
        div.lead {
            h1 { (title) }
            span.path.mono { (report.place) }
            @match &state.phase {
                EvaluationPhase::Published { at, .. } => span.path { (language.pick("公布于 ", "published ")) (labels::time(*at)) },
                EvaluationPhase::Reported => {},
            }
        }
        @match &state.phase {
            EvaluationPhase::Published { advice, .. } => section { h2 { (language.pick("改进意见", "Advice")) } p { (advice) } },
            EvaluationPhase::Reported => {},
        }
        (contents(report, language))
    };
    layout::page(&title, language, false, &body)
}

/// Everything a report says: all units in one table, then each with its figures.
fn contents(report: &Report, language: Language) -> Markup {
    let units = units(report, language);
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    html! {
        section {
            h2 { (pick("各单位", "Units")) }
            (summary(&units, language))
            p.note { (pick("“甲 / 乙”：乙中有甲。及时性以期间内履行或者逾期的义务为基数。", "\"a / b\": a of b. Timeliness is counted of the duties that were met or fell overdue in the period.")) }
            @if report.left_out > 0 { p.note.bad { (pick("未列入的单位：", "units left out: ")) (report.left_out) } }
            p.note { (pick("报告摘要 ", "digest ")) span.mono { (report.digest()) } }
        }
        @for unit in &units { (details(unit, language)) }
    }
}

struct Unit<'a> {
    name: String,
    code: String,
    figures: &'a Figures,
}

fn units(report: &Report, language: Language) -> Vec<Unit<'_>> {
    let mut units = vec![Unit {
        name: language.pick("主管部门", "competent authority").to_owned(),
        code: report.place.code().to_string(),
        figures: &report.authority,
    }];
    units.extend(report.departments.iter().map(|it| Unit {
        name: it.name.clone(),
        code: it.department.to_string(),
        figures: &it.figures,
    }));
    units.extend(report.districts.iter().map(|it| Unit {
        name: language.pick("下级地区合计", "district, in sum").to_owned(),
        code: it.place.code().to_string(),
        figures: &it.totals,
    }));
    units
}

#[rustfmt::skip] // A column a line.
fn summary(units: &[Unit<'_>], language: Language) -> Markup {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    html! {
        div.scroll { table {
            thead {
                tr {
                    th rowspan="2" { (pick("单位", "Unit")) }
                    th.n colspan="2" { (pick(Dimension::Timeliness.zh(), Dimension::Timeliness.en())) }
                    th.n colspan="2" { (pick(Dimension::Quality.zh(), Dimension::Quality.en())) }
                    th.n colspan="5" { (pick(Dimension::Use.zh(), Dimension::Use.en())) }
                    th.n colspan="2" { (pick(Dimension::Security.zh(), Dimension::Security.en())) }
                }
                tr {
                    th.n { (pick("按时", "in time")) } th.n { (pick("逾期", "overdue")) }
                    th.n { (pick("更新目录", "updates")) } th.n { (pick("更正 / 校核", "corrected / asked")) }
                    th.n { (pick("收到申请", "received")) } th.n { (pick("同意 / 答复", "granted / answered")) }
                    th.n { (pick("提出申请", "applied")) } th.n { (pick("使用记录", "uses")) } th.n { (pick("无记录 / 到期", "unrecorded / ended")) }
                    th.n { (pick("违规", "breaches")) } th.n { (pick("暂停", "suspended")) }
                }
            }
            tbody { @for unit in units {
                @let it = unit.figures;
                @let in_time: u64 = it.duties.values().map(|kept| u64::from(kept.in_time)).sum();
                @let overdue: u64 = it.duties.values().map(|kept| u64::from(kept.overdue)).sum();
                tr {
                    td { (unit.name) br; span.path.mono { (unit.code) } }
                    td.n { (in_time) " / " (in_time + overdue) }
                    td.n { span.bad[overdue > 0] { (overdue) } }
                    td.n { (it.quality.updates) }
                    td.n { (it.quality.corrected) " / " (it.quality.corrections_asked) }
                    td.n { (it.uses.received) }
                    td.n { (it.uses.granted) " / " (it.uses.granted.saturating_add(it.uses.refused)) }
                    td.n { (it.uses.made) }
                    td.n { (it.uses.recorded) }
                    td.n { span.bad[it.uses.unrecorded > 0] { (it.uses.unrecorded) } " / " (it.uses.ended) }
                    td.n { span.bad[it.security.breaches > 0] { (it.security.breaches) } }
                    td.n { (it.security.suspensions) }
                }
            } }
        } }
    }
}

/// The figures of one unit that are not nought.
fn details(unit: &Unit<'_>, language: Language) -> Markup {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    let mut lines = lines(unit.figures);
    lines.retain(|line| line.count > 0 || line.of.is_some_and(|of| of > 0));
    html! {
        @if !lines.is_empty() { section {
            h2 { (unit.name) " " span.path.mono { (unit.code) } }
            div.scroll { table {
                thead { tr { th { (pick("维度", "Dimension")) } th { (pick("指标", "Figure")) } th { (pick("依据", "Article")) } th.n { (pick("数量", "Count")) } th.n { (pick("基数", "Of")) } } }
                tbody { @for line in lines { tr {
                    td.t { (pick(line.dimension.zh(), line.dimension.en())) }
                    td { @match language { Language::Chinese => (line.zh), Language::English => (line.en) } }
                    td { (labels::cite(line.article, language)) }
                    td.n { (line.count) }
                    td.n { @if let Some(of) = line.of { (of) } }
                } } }
            } }
        } }
    }
}

fn report_table(reports: &[EvaluationState], language: Language) -> Markup {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    if reports.is_empty() {
        return html! { p.none { (pick("没有报告。", "No report was made.")) } };
    }
    html! {
        div.scroll { table {
            thead { tr { th { (pick("地区", "Place")) } th { (pick("期间", "Period")) } th { (pick("报告时间", "Reported")) } th { (pick("状态", "State")) } th { (pick("案卷", "Docket")) } } }
            tbody { @for state in reports { tr {
                td.mono { (state.report.place) }
                td { a href=(address(state.report.period, language)) { (state.report.period) } }
                td.t { (labels::time(state.reported_at)) }
                td { (phase(&state.phase, language)) }
                td.mono { a href=(layout::address(&format!("/dockets/{}", state.docket), language)) { (state.docket.0.short()) } }
            } } }
        } }
    }
}
