//! Acts of supervision.

use sharing::supervision::{Accused, Order, SupervisionAct};

use super::{Text, time};

/// What the person is about to sign.
pub(super) fn step(act: &SupervisionAct) -> Text {
    match act {
        SupervisionAct::Order(order) => ordered(order),
        SupervisionAct::Report { done, .. } => Text::new(
            format!("报告改正情况：{done}"),
            format!("report what was done: {done}"),
        ),
        SupervisionAct::Accept { .. } => Text::new("认可改正，结案", "accept the correction"),
        SupervisionAct::Reject {
            reasons,
            correct_by,
            ..
        } => {
            let by = time(*correct_by);
            Text::new(
                format!("退回改正报告，理由：{reasons}；改正期限 {by}"),
                format!("reject the report, because: {reasons}; to be corrected by {by}"),
            )
        }
        SupervisionAct::Circulate { text, to, .. } => {
            let to: Vec<String> = to.iter().map(|place| place.code().to_string()).collect();
            Text::new(
                format!("通报至 {}：{text}", to.join("、")),
                format!("circulate to {}: {text}", to.join(", ")),
            )
        }
        SupervisionAct::Escalate {
            ground, reasons, ..
        } => Text::new(
            format!("建议给予处分（{}）：{reasons}", ground.zh()),
            format!("recommend discipline ({}): {reasons}", ground.en()),
        ),
    }
}

fn ordered(order: &Order) -> Text {
    let node = order.against.node();
    let (zh, en) = match &order.against {
        Accused::Department(party) => (
            format!("{node} 的部门 {}", party.department),
            format!("department {} of {node}", party.department),
        ),
        Accused::Authority(_) => (
            format!("{node} 主管部门"),
            format!("the authority of {node}"),
        ),
    };
    let (facts, measures, by) = (&order.facts, &order.measures, time(order.correct_by));
    Text::new(
        format!(
            "认定{zh}有{}的情形：{facts}；责令：{measures}；改正期限 {by}",
            order.breach.cite_zh()
        ),
        format!(
            "find a breach of {} by {en}: {facts}; order: {measures}; to be corrected by {by}",
            order.breach.cite_en()
        ),
    )
}
