//! Acts about the correction of shared data.

use sharing::correction::{CorrectionAct, CorrectionOutcome, CorrectionRequest};

use super::Text;

/// What the person is about to sign.
pub(super) fn step(act: &CorrectionAct) -> Text {
    match act {
        CorrectionAct::Ask(request) => asked(request),
        CorrectionAct::Answer { docket, outcome } => {
            let Text { zh, en } = answered(outcome);
            let docket = docket.0.short();
            Text::new(
                format!("案卷 {docket}：{zh}"),
                format!("docket {docket}: {en}"),
            )
        }
    }
}

fn asked(request: &CorrectionRequest) -> Text {
    let CorrectionRequest {
        about,
        items,
        wrong,
        evidence,
    } = request;
    let about = about.0.short();
    Text::new(
        format!(
            "就案卷 {about} 所获数据提出校核，数据项 {}：{wrong}；佐证：{evidence}",
            items.join("、")
        ),
        format!(
            "ask for correction of {} in the data of docket {about}: {wrong}; evidence: {evidence}",
            items.join(", ")
        ),
    )
}

fn answered(outcome: &CorrectionOutcome) -> Text {
    match outcome {
        CorrectionOutcome::Corrected { what, object } => {
            let (zh, en) = object.as_ref().map_or_else(Default::default, |object| {
                let (name, digest) = (&object.name, &object.digest);
                (
                    format!("；更正后的文件 {name}（{digest}）"),
                    format!("; corrected file {name} ({digest})"),
                )
            });
            Text::new(
                format!("已核实并更正：{what}{zh}"),
                format!("verified and corrected: {what}{en}"),
            )
        }
        CorrectionOutcome::Upheld { reasons } => Text::new(
            format!("经核实无需更正，理由：{reasons}"),
            format!("verified and right as it stands, because: {reasons}"),
        ),
    }
}
