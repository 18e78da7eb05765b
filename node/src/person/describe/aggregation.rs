//! The authority's answer on a risk of aggregation.

use sharing::aggregation::AggregationAct;

use super::Text;

/// What the person is about to sign.
pub(super) fn act(act: &AggregationAct) -> Text {
    let (draft, exposure, grounds) = (act.draft.0.short(), act.exposure, &act.grounds);
    let (zh, en) = if act.consents {
        ("同意", "consent to")
    } else {
        ("不同意", "refuse")
    };
    Text::new(
        format!("{zh}申请 {draft} 的汇聚风险（评估摘要 {exposure}）：{grounds}"),
        format!("{en} the risk of aggregation of the draft {draft} (digest {exposure}): {grounds}"),
    )
}
