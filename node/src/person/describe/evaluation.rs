//! Acts about evaluations.

use sharing::evaluation::{EvaluationAct, Report};

use super::Text;

/// What the person is about to sign.
pub(super) fn act(act: &EvaluationAct) -> Text {
    match act {
        EvaluationAct::Report(report) => reported(report),
        EvaluationAct::Publish { advice, .. } => Text::new(
            format!("公布评估结果，改进意见：{advice}"),
            format!("publish the evaluation with the advice: {advice}"),
        ),
    }
}

fn reported(report: &Report) -> Text {
    let totals = report.totals();
    let (in_time, overdue) = totals.duties.values().fold((0_u64, 0_u64), |sum, kept| {
        (
            sum.0 + u64::from(kept.in_time),
            sum.1 + u64::from(kept.overdue),
        )
    });
    let (place, departments) = (report.place.code(), report.departments.len());
    let (period, digest) = (report.period, report.digest());
    Text::new(
        format!(
            "向本级人民政府报告 {place} {}政务数据共享情况：{departments} 个部门，按时履行 {in_time} 件，逾期 {overdue} 件，报告摘要 {digest}",
            period.zh()
        ),
        format!(
            "report to the government how {departments} departments of {place} shared in {period}: {in_time} duties in time, {overdue} overdue; digest {digest}"
        ),
    )
}
