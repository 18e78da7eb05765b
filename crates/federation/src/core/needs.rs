//! Needs (R20): what this node's own copy of the catalogue says, before an act about a need stands. What is published where is known at the
//! publisher and at every node above it, so the node of whoever names an entry looks it up; the docket's home may lie below and not know it.

use identity::Code;
use sharing::act::VerifiedAct;
use sharing::catalogue::PublishedEntry;
use sharing::need::{EntryAt, Need, NeedAct, NeedStep};
use sharing::source::coverage;
use statute::{Article, Refusal, RefusalReason};

use super::query::{MAX_PAGE, published_in, published_page};
use super::{Context, Core};
use crate::store::Fault;

/// Entries compared with a need before it is taken: a prefecture's catalogue. What holds the items beyond these is for whoever matches it to see.
const MAX_COMPARED: usize = 10_000;

impl Core {
    /// Whether what an act about a need says of the catalogue is so.
    pub(super) fn check_need(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        said: &NeedAct,
    ) -> Result<Result<(), Refusal>, Fault> {
        let step = match said {
            NeedAct::Report(need) => {
                let covering = covering(ctx, need)?.map(|it| {
                    let (code, entry) = (it.publisher.code(), it.entry);
                    format!("{code} {}《{}》", entry.id, entry.name)
                });
                return Ok(statute::check_not_shared_already(covering));
            }
            NeedAct::Take { step, .. } => step,
        };
        match step {
            NeedStep::PointTo { entry } => {
                let stands = standing(ctx, entry)?.is_some();
                Ok(statute::check_meets_published(stands))
            }
            NeedStep::Fulfil { entry } => {
                let found = standing(ctx, entry)?;
                let another = |it: &PublishedEntry| it.entry.provider != act.doer().department;
                if found.as_ref().is_some_and(another) {
                    return Ok(Err(RefusalReason::NotYourDepartment.under(Article::R20)));
                }
                Ok(statute::check_meets_published(found.is_some()))
            }
            NeedStep::PassOn { .. }
            | NeedStep::Match { .. }
            | NeedStep::Decline { .. }
            | NeedStep::Promise { .. }
            | NeedStep::Cannot { .. }
            | NeedStep::ConfirmMet
            | NeedStep::NotMet { .. }
            | NeedStep::Withdraw => Ok(Ok(())),
        }
    }
}

/// The entry, where exactly this version of it stands published as this node knows it.
fn standing(ctx: &Context<'_, '_>, named: &EntryAt) -> Result<Option<PublishedEntry>, Fault> {
    let found = published_in(&*ctx.txn, &named.publisher.code(), &named.entry.id)?;
    Ok(found.filter(|it| it.publisher == named.publisher && it.entry.version_ref() == named.entry))
}

/// A published entry that holds everything a need wants and of which the need does not say why it does not do.
fn covering(ctx: &Context<'_, '_>, need: &Need) -> Result<Option<PublishedEntry>, Fault> {
    let mut after: Option<(Code, _)> = None;
    for _ in 0..MAX_COMPARED / MAX_PAGE {
        let page = published_page(&*ctx.txn, None, after.take(), MAX_PAGE, |_| true)?;
        let whole = |it: &PublishedEntry| {
            coverage(it, &need.items).is_some_and(|found| found.whole)
                && !need.considers(it.publisher.code(), &it.entry.id)
        };
        if let Some(found) = page.iter().find(|it| whole(it)) {
            return Ok(Some(found.clone()));
        }
        match page.last().filter(|_| page.len() == MAX_PAGE) {
            Some(last) => after = Some((last.publisher.code(), last.entry.id.clone())),
            None => break,
        }
    }
    Ok(None)
}
