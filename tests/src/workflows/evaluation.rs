//! Reports to the government on a period, and their publication.

use crate::stage::code;
use federation::core::query;
use sharing::act::ActBody;
use sharing::docket::Case;
use sharing::evaluation::EvaluationAct;
use statute::EvaluationPeriod;

use crate::scene::{Drawn, Scene};

/// A report as the ledger gives it or otherwise, on a period that is over or not; or its publication.
pub fn draws(scene: &mut Scene) -> Option<Drawn> {
    let reported = scene.docket(|case| matches!(case, Case::Evaluation(_)));
    if let Some(view) = reported.filter(|_| scene.either()) {
        let advice = if scene.chance.once_in(4) {
            ""
        } else {
            "加强数据质量校核"
        };
        let publish = EvaluationAct::Publish {
            docket: view.id,
            advice: advice.into(),
        };
        let body = ActBody::Evaluation(publish);
        let at = vec![view.home.code()];
        return Some(Drawn::Act { body, at });
    }
    // The last month, or the one that runs.
    let day = statute::beijing_date(scene.world.now.as_millis());
    let mut period = EvaluationPeriod::month(day.year(), day.month()).ok()?;
    if !scene.chance.once_in(5) {
        let before = if day.month() == 1 {
            (day.year() - 1, 12)
        } else {
            (day.year(), day.month() - 1)
        };
        period = EvaluationPeriod::month(before.0, before.1).ok()?;
    }
    let nodes = ["210102", "210102", "210100", "440106", "440100"].map(code);
    let node = scene.pick(&nodes)?;
    let computed = query::evaluation(scene.world.read(node), period, scene.world.now);
    let mut report = computed.expect("memory")?.computed.report;
    if scene.chance.once_in(4) {
        report.authority.uses.recorded += 1;
    }
    let body = ActBody::Evaluation(EvaluationAct::Report(report));
    let at = vec![node];
    Some(Drawn::Act { body, at })
}
