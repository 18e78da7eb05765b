//! Needs (R20): what this node knows of catalogue and departments, before an act about a need stands. What is published where is known at the
//! publisher and at every node above it, so the node of whoever names an entry looks it up; the docket's home may lie below and not know it. What
//! lies above the node of a need that is reported was asked for by a search; the act states what each level said, and it is compared with what this
//! node heard. Who the departments of a place are is known there alone: a node that is matched for one that it does not know says so.

use identity::{Code, CreditCode};
use sharing::act::{SignedAct, VerifiedAct};
use sharing::catalogue::PublishedEntry;
use sharing::dispute::Party;
use sharing::docket::{Case, DocketId};
use sharing::need::{EntryAt, Need, NeedAct, NeedEvent, NeedStep};
use sharing::source::{coverage, lacking};
use statute::{Article, Refusal, RefusalReason};

use super::project::PersonRow;
use super::query::{MAX_PAGE, published_in, published_page};
use super::tables::{View, decode_row};
use super::{Context, Core};
use crate::store::{Fault, Table};

/// Entries compared with a need before it is taken: a prefecture's catalogue. What holds the items beyond these is for whoever matches it to see.
const MAX_COMPARED: usize = 10_000;

impl Core {
    /// Whether what an act about a need says of the catalogue is so.
    pub(super) fn check_need(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: &VerifiedAct,
        said: &NeedAct,
    ) -> Result<Result<(), Refusal>, Fault> {
        let (docket, step) = match said {
            NeedAct::Report(need) => {
                let covering = covering(ctx, need)?.map(|it| {
                    let (code, entry) = (it.publisher.code(), it.entry);
                    format!("{code} {}《{}》", entry.id, entry.name)
                });
                let otherwise = self.heard_otherwise(need).map(|it| it.to_string());
                return Ok(statute::check_not_shared_already(covering)
                    .and_then(|()| statute::check_levels_asked(otherwise)));
            }
            NeedAct::Take { docket, step } => (docket, step),
        };
        match step {
            NeedStep::PointTo { entry } => {
                let stands = standing(ctx, entry)?.is_some();
                Ok(statute::check_meets_published(stands))
            }
            NeedStep::Match { department } => {
                let known = self.knows_department(ctx, department)?;
                let (department, node) = (department.department, department.node.code());
                Ok(statute::check_department_known(known, department, node))
            }
            NeedStep::Fulfil { entry, .. } => {
                let found = standing(ctx, entry)?;
                let another = |it: &PublishedEntry| it.entry.provider != act.doer().department;
                if found.as_ref().is_some_and(another) {
                    return Ok(Err(RefusalReason::NotYourDepartment.under(Article::R20)));
                }
                let missing = match (&found, self.docket_row(ctx, docket)?) {
                    (Some(it), Some(row)) => match &row.state.case {
                        Case::Need(state) => lacking(&it.entry, &state.need.wanted()),
                        _ => Vec::new(),
                    },
                    (None, _) | (_, None) => Vec::new(),
                };
                Ok(statute::check_meets_published(found.is_some())
                    .and_then(|()| statute::check_holds_items(missing)))
            }
            NeedStep::PassOn { .. }
            | NeedStep::Decline { .. }
            | NeedStep::Promise { .. }
            | NeedStep::Cannot { .. }
            | NeedStep::ConfirmMet
            | NeedStep::NotMet { .. }
            | NeedStep::Withdraw => Ok(Ok(())),
        }
    }

    /// Whether there is such a department, as far as this node knows: one of its own by its people and entries, one elsewhere by the chain of its node,
    /// which then says itself whether it knows the department.
    fn knows_department(
        &mut self,
        ctx: &mut Context<'_, '_>,
        named: &Party,
    ) -> Result<bool, Fault> {
        if self.place() == Some(&named.node) {
            return hosts(&*ctx.txn, named.node.code(), &named.department);
        }
        let code = named.node.code();
        let Some(row) = self.known_chain(ctx, &code)? else {
            // Whoever names it again may find it known.
            self.ask_chain(ctx, code)?;
            return Ok(false);
        };
        let there = |it: identity::Certificate| it.place == named.node;
        Ok(row.chain.claimed().is_ok_and(there))
    }

    /// A need was matched to a department of this node: whoever matched it is told when there is none such.
    pub(super) fn need_matched(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        event: &NeedEvent,
    ) -> Result<(), Fault> {
        let NeedEvent::Taken {
            act,
            step: NeedStep::Match { department },
        } = event
        else {
            return Ok(());
        };
        if self.place() != Some(&department.node) {
            return Ok(());
        }
        let (node, code) = (department.node.code(), &department.department);
        let known = hosts(&*ctx.txn, node, code)?;
        match (
            statute::check_department_known(known, code, node),
            signed_at(act),
        ) {
            (Err(refusal), Some(to)) => self.refuse(ctx, to, docket, act, refusal),
            (Ok(()) | Err(_), _) => Ok(()),
        }
    }
}

/// The node of whoever signed.
fn signed_at(act: &SignedAct) -> Option<Code> {
    act.signer.holder().map(|holder| holder.node)
}

/// Whether a department has people or a published entry at this node.
fn hosts<V: View + ?Sized>(view: &V, here: Code, department: &CreditCode) -> Result<bool, Fault> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = view.raw_scan(Table::People, b"", after.as_deref(), MAX_PAGE)?;
        for (_, row) in &rows {
            let row: PersonRow = decode_row(Table::People, row)?;
            if row.certificate.department == *department {
                return Ok(true);
            }
        }
        match rows.into_iter().last() {
            Some((last, _)) => after = Some(last),
            None => break,
        }
    }
    let its = |it: &PublishedEntry| it.entry.provider == *department;
    Ok(!published_page(view, Some(here), None, 1, its)?.is_empty())
}

/// The entry, where exactly this version of it stands published as this node knows it.
fn standing(ctx: &Context<'_, '_>, named: &EntryAt) -> Result<Option<PublishedEntry>, Fault> {
    let found = published_in(&*ctx.txn, &named.publisher.code(), &named.entry.id)?;
    Ok(found.filter(|it| it.publisher == named.publisher && it.entry.version_ref() == named.entry))
}

/// A published entry that holds everything a need wants and of which the need does not say why it does not do.
fn covering(ctx: &Context<'_, '_>, need: &Need) -> Result<Option<PublishedEntry>, Fault> {
    let wanted = need.wanted();
    let mut after: Option<(Code, _)> = None;
    for _ in 0..MAX_COMPARED / MAX_PAGE {
        let page = published_page(&*ctx.txn, None, after.take(), MAX_PAGE, |_| true)?;
        let whole = |it: &PublishedEntry| {
            coverage(it, &wanted).is_some_and(|found| found.whole)
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
