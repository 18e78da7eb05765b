//! Acts on this node's own catalogue: compile, approve, submit, review, withdraw (R12-R17).

use identity::{Moment, codec};
use sharing::act::VerifiedAct;
use sharing::catalogue::{
    self, Change, Entry, EntryCommand, EntryState, EntryVersion, ReviewVerdict, Standing,
};
use statute::{Article, Refusal, RefusalReason};

use super::acts::Outcome;
use super::project::own_entry;
use super::query::published_in;
use super::view::OwnEntry;
use super::{Context, Core};
use crate::store::Fault;
use crate::sync;

impl Core {
    /// R12, R13: entries are checked before they are kept; a new version follows the one before.
    pub(super) fn compile(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        entries: &[Entry],
    ) -> Result<Outcome, Fault> {
        let mut warnings = Vec::new();
        for entry in entries {
            let before = own_entry(&*ctx.txn, &entry.id)?;
            let standing = before
                .as_ref()
                .filter(|row| row.entry.version == entry.version)
                .map(standing);
            let checked = follows(entry, before.as_ref())
                .and_then(|()| {
                    catalogue::decide(
                        standing,
                        EntryCommand::Compile(entry),
                        act.doer(),
                        act.act().node,
                    )
                })
                .and_then(|_| catalogue::check_entry(entry))
                .and_then(|found| catalogue::check_marked(entry, &self.me.profile).map(|()| found))
                .and_then(|found| fits_a_segment(entry, ctx.now).map(|()| found));
            match checked {
                Ok(found) => warnings.extend(
                    found
                        .into_iter()
                        .map(|warning| format!("{}: {warning}", entry.id)),
                ),
                Err(refusal) => return Ok(Outcome::Refused(refusal)),
            }
        }
        Ok(Outcome::Accepted {
            docket: None,
            warnings,
        })
    }

    /// R13, R16: one step of the catalogue's life for exactly the versions named.
    pub(super) fn step_entries<'e>(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        steps: impl Iterator<Item = (&'e EntryVersion, EntryCommand<'e>)>,
    ) -> Result<Outcome, Fault> {
        for (version, step) in steps {
            let row = own_entry(&*ctx.txn, &version.id)?;
            let node = act.act().node;
            let beside = |named| row.as_ref().is_some_and(|row| stands_beside(row, named));
            let published = match step {
                EntryCommand::Withdraw(named) if beside(named) => {
                    published_in(&*ctx.txn, &node, &named.id)?
                }
                EntryCommand::Compile(_)
                | EntryCommand::Approve(_)
                | EntryCommand::Submit(_)
                | EntryCommand::Review(..)
                | EntryCommand::Withdraw(_) => None,
            };
            let held = match &published {
                Some(published) => Some(Standing {
                    state: EntryState::Published,
                    entry: &published.entry,
                }),
                None => row.as_ref().map(standing),
            };
            let marked = match (step, held) {
                (EntryCommand::Review(_, ReviewVerdict::Publish), Some(held)) => {
                    catalogue::check_marked(held.entry, &self.me.profile)
                }
                _ => Ok(()),
            };
            let stepped = catalogue::decide(held, step, act.doer(), node);
            if let Err(refusal) = stepped.map(drop).and(marked) {
                return Ok(Outcome::Refused(refusal));
            }
        }
        Ok(Outcome::Accepted {
            docket: None,
            warnings: Vec::new(),
        })
    }

    /// R16: what the review publishes goes into the publication log.
    pub(super) fn after_review(
        &mut self,
        ctx: &mut Context<'_, '_>,
        entries: &[EntryVersion],
        verdict: &ReviewVerdict,
    ) -> Result<(), Fault> {
        if *verdict != ReviewVerdict::Publish {
            return Ok(());
        }
        let mut changes = Vec::with_capacity(entries.len());
        for version in entries {
            if let Some(row) = own_entry(&*ctx.txn, &version.id)? {
                changes.push(Change::Published {
                    entry: row.entry,
                    at: ctx.now,
                });
            }
        }
        self.publish(ctx, changes)
    }

    /// R17: a withdrawal is an explicit tombstone in the publication log.
    pub(super) fn after_withdrawal(
        &mut self,
        ctx: &mut Context<'_, '_>,
        entry: &EntryVersion,
        reason: &str,
    ) -> Result<(), Fault> {
        let at = ctx.now;
        self.publish(
            ctx,
            vec![Change::Withdrawn {
                id: entry.id.clone(),
                version: entry.version,
                at,
                reason: reason.to_owned(),
            }],
        )
    }
}

fn standing(row: &OwnEntry) -> Standing<'_> {
    Standing {
        state: row.state,
        entry: &row.entry,
    }
}

/// R17: whether the version named stands published beside a newer one that is under way. It can be withdrawn all the same.
fn stands_beside(row: &OwnEntry, named: &EntryVersion) -> bool {
    row.published == Some(named.version) && row.entry.version != named.version
}

/// A draft may be compiled again under its own number; what was published gets the next one, and stays with its provider.
fn follows(entry: &Entry, before: Option<&OwnEntry>) -> Result<(), Refusal> {
    let newest = before.map_or(0, |before| before.entry.version);
    if before.is_some_and(|before| before.entry.provider != entry.provider) {
        return Err(RefusalReason::Duplicate {
            what: entry.id.to_string(),
        }
        .under(Article::R12));
    }
    if entry.version == newest || entry.version == newest + 1 {
        return Ok(());
    }
    let (expected, found) = (
        format!("version {}", newest + 1),
        format!("version {}", entry.version),
    );
    Err(RefusalReason::WrongState { expected, found }.under(Article::R17))
}

/// R12: what is compiled can be published, so it fits a segment of the publication log.
fn fits_a_segment(entry: &Entry, at: Moment) -> Result<(), Refusal> {
    let entry = entry.clone();
    let found = codec::encode(&Change::Published { entry, at }).len();
    // The time of publication is written later and may take some bytes more.
    let limit = sync::MAX_CHANGE_BYTES - MOMENT_BYTES;
    if found > limit {
        return Err(RefusalReason::TooLong { found, limit }.under(Article::R12));
    }
    Ok(())
}

/// Most bytes of an encoded time.
const MOMENT_BYTES: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tests::case;

    #[test]
    fn an_entry_that_no_segment_holds_is_refused_under_r12_before_it_is_kept() {
        let at = Moment::from_millis(0);
        let small = case::entry(vec![case::item("名称")]);
        assert_eq!(fits_a_segment(&small, at), Ok(()));
        let large = case::entry(vec![case::item(&"长".repeat(sync::MAX_CHANGE_BYTES / 3))]);
        let refusal = fits_a_segment(&large, at).unwrap_err();
        assert_eq!(refusal.article, Article::R12);
        assert!(matches!(refusal.reason, RefusalReason::TooLong { .. }));
    }
}
