//! What a department here could join from all its grants (R25): weighed when it drafts an application, and again before that goes out.

use identity::{CreditCode, Moment};
use sharing::act::{ActBody, ActId, SignedAct};
use sharing::aggregation::{self, AggregationAct, Exposure, Holding, Risk};
use sharing::application::Application;
use sharing::docket::{Case, DocketId};
use statute::{AggregationLevel, Article, Refusal, RefusalReason};

use super::acts::Outcome;
use super::project::DraftRow;
use super::tables::{DocketRow, View, docket_key, docket_of_key, grants_of};
use super::{Context, Core};
use crate::store::{Fault, Table};

/// Most grants of one department that are weighed together.
const MAX_WEIGHED: usize = 2_000;

/// What a department of this node holds under grants.
pub(super) fn holdings<V: View + ?Sized>(
    view: &V,
    department: &CreditCode,
    now: Moment,
) -> Result<Vec<Holding>, Fault> {
    let mut found = Vec::new();
    let prefix = grants_of(department);
    for (key, _) in view.raw_scan(Table::Grants, &prefix, None, MAX_WEIGHED)? {
        let Some(docket) = docket_of_key(&key) else {
            continue;
        };
        let row: Option<DocketRow> = view.row(Table::Dockets, &docket_key(&docket))?;
        if let Some(Case::Application(state)) = row.map(|row| row.state.case) {
            found.extend(aggregation::held(&state, now));
        }
    }
    Ok(found)
}

impl Core {
    /// What the requester of a draft could join with it.
    fn exposure(
        &self,
        ctx: &Context<'_, '_>,
        draft: DocketId,
        application: &Application,
    ) -> Result<Exposure, Fault> {
        let held = holdings(&*ctx.txn, &application.requester, ctx.now)?;
        let wanted = aggregation::wanted(draft, application);
        let rules = self.me.profile.aggregation();
        let requester = application.requester;
        Ok(aggregation::exposure(requester, &wanted, &held, &rules))
    }

    /// What whoever drafts is told at once.
    pub(super) fn warnings_of_risk(
        &self,
        ctx: &Context<'_, '_>,
        act: ActId,
        application: &Application,
    ) -> Result<Vec<String>, Fault> {
        let exposure = self.exposure(ctx, DocketId(act.0), application)?;
        Ok(match exposure.level {
            AggregationLevel::Ordinary => Vec::new(),
            AggregationLevel::Warned | AggregationLevel::ConsentRequired => vec![told(&exposure)],
        })
    }

    /// The authority's answer is on the risk as it is now, of a draft that is still here.
    pub(super) fn judge_risk_answered(
        &self,
        ctx: &Context<'_, '_>,
        said: &AggregationAct,
    ) -> Result<Outcome, Fault> {
        let draft: Option<DraftRow> = ctx.txn.row(Table::Drafts, &docket_key(&said.draft))?;
        let Some(ActBody::Apply { application }) = draft.and_then(|draft| draft.act.body()) else {
            let docket = said.draft.to_string();
            let unknown = RefusalReason::UnknownDocket { docket };
            return Ok(Outcome::Refused(unknown.under(Article::R25)));
        };
        let exposure = self.exposure(ctx, said.draft, &application)?;
        Ok(match aggregation::may_answer(said, &exposure) {
            Ok(()) => Outcome::Accepted {
                docket: Some(said.draft),
                warnings: Vec::new(),
            },
            Err(refusal) => Outcome::Refused(refusal),
        })
    }

    /// Whether a draft may go out, whatever its head says of it.
    pub(super) fn risk_may_go_out(
        &self,
        ctx: &Context<'_, '_>,
        draft: DocketId,
        application: &Application,
        answer: Option<&SignedAct>,
    ) -> Result<Result<(), Refusal>, Fault> {
        let exposure = self.exposure(ctx, draft, application)?;
        let consented = answer.is_some_and(|act| aggregation::consents(act, draft, &exposure));
        let (level, score) = (exposure.level, exposure.score);
        Ok(statute::check_aggregation(level, score, consented))
    }

    /// What goes out with an application, where it matters.
    pub(super) fn risk_sent(
        &self,
        ctx: &Context<'_, '_>,
        draft: &DraftRow,
        application: &Application,
    ) -> Result<Option<Risk>, Fault> {
        let docket = DocketId(draft.act.id().0);
        let exposure = self.exposure(ctx, docket, application)?;
        let consent = draft.answer.clone();
        let consent = consent.filter(|act| aggregation::consents(act, docket, &exposure));
        Ok(exposure.matters().then_some(Risk { exposure, consent }))
    }
}

fn told(exposure: &Exposure) -> String {
    let rules: Vec<&str> = exposure.hits.iter().map(|hit| hit.name.as_str()).collect();
    let (level, score, rules) = (exposure.level, exposure.score, rules.join("、"));
    format!(
        "与已获共享的数据汇聚、关联后有风险（{score}，{}）：{rules} (risk of aggregation {score}, {}; R25)",
        level.zh(),
        level.en()
    )
}
