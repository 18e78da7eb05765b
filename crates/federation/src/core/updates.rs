//! Updates of the catalogue (R17): what follows in their dockets from the steps of the catalogue, by itself.

use identity::Member;
use sharing::act::{ActBody, ActId, VerifiedAct};
use sharing::catalogue::{EntryId, EntryVersion, ReviewVerdict};
use sharing::dispute::Party;
use sharing::docket::{Case, DocketBody, DocketId};
use sharing::update::{self, MAX_OPEN_UPDATES, UpdateAct, UpdateEvent, UpdateState};
use statute::{Article, Refusal, RefusalReason};

use super::project::own_entry;
use super::tables::{View, docket_of_key, updates_of};
use super::view::OwnEntry;
use super::{Context, Core};
use crate::store::{Fault, Table};

impl Core {
    /// The own entry that an act which opens a docket is about, where a version of it stands published.
    pub(super) fn entry_reported(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
    ) -> Result<Option<OwnEntry>, Fault> {
        let ActBody::Update(UpdateAct::Report { entry, .. }) = &act.act().body else {
            return Ok(None);
        };
        let held = own_entry(&*ctx.txn, entry)?;
        Ok(held.filter(|row| row.published.is_some()))
    }

    /// Whether one more docket may wait for an update of this entry.
    pub(super) fn room_for_update(
        &self,
        ctx: &Context<'_, '_>,
        entry: &EntryId,
    ) -> Result<Result<(), Refusal>, Fault> {
        let (found, limit) = (self.open_updates(ctx, entry)?.len() + 1, MAX_OPEN_UPDATES);
        Ok(if found > limit {
            Err(RefusalReason::TooLong { found, limit }.under(Article::R17))
        } else {
            Ok(())
        })
    }

    /// R17: what was submitted meets the updates that wait for it; a new version that no report called for has its review watched all the same.
    pub(super) fn updates_submitted(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: ActId,
        entries: &[EntryVersion],
    ) -> Result<(), Fault> {
        let Some(home) = self.member.as_ref().map(Member::place).cloned() else {
            return Ok(());
        };
        for version in entries {
            let now = ctx.now;
            let taken = self.follow(ctx, &version.id, |core, state| {
                update::submitted(state, act, version, core.law(), now)
            })?;
            let row = own_entry(&*ctx.txn, &version.id)?;
            let Some(row) = row.filter(|row| !taken && row.published.is_some()) else {
                continue;
            };
            let provider = Party {
                department: row.entry.provider,
                node: home.clone(),
            };
            let event = update::new_version(act, provider, version, self.law(), now);
            let docket = update::docket_of(act, &version.id);
            self.append_or_tell(ctx, docket, vec![DocketBody::Update(event)])?;
        }
        Ok(())
    }

    /// R17: the authority published what it was to review, or returned it.
    pub(super) fn updates_reviewed(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: ActId,
        entries: &[EntryVersion],
        verdict: &ReviewVerdict,
    ) -> Result<(), Fault> {
        for version in entries {
            self.follow(ctx, &version.id, |_, state| {
                update::returned_or_published(state, act, version, verdict)
            })?;
        }
        Ok(())
    }

    /// R17: the entry is withdrawn, and with it what was due of it.
    pub(super) fn updates_withdrawn(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: ActId,
        entry: &EntryVersion,
        reason: &str,
    ) -> Result<(), Fault> {
        self.follow(ctx, &entry.id, |_, state| {
            update::withdrawn(state, act, reason)
        })?;
        Ok(())
    }

    /// Orders in every open update of an entry what follows there; says whether anything did.
    fn follow(
        &mut self,
        ctx: &mut Context<'_, '_>,
        entry: &EntryId,
        what: impl Fn(&Self, &UpdateState) -> Option<UpdateEvent>,
    ) -> Result<bool, Fault> {
        let mut followed = false;
        for (docket, state) in self.open_updates(ctx, entry)? {
            if let Some(event) = what(self, &state) {
                followed = true;
                self.append_or_tell(ctx, docket, vec![DocketBody::Update(event)])?;
            }
        }
        Ok(followed)
    }

    /// The updates of an entry that are open here.
    fn open_updates(
        &self,
        ctx: &Context<'_, '_>,
        entry: &EntryId,
    ) -> Result<Vec<(DocketId, UpdateState)>, Fault> {
        let mut open = Vec::new();
        let rows = ctx
            .txn
            .raw_scan(Table::Updates, &updates_of(entry), None, MAX_OPEN_UPDATES)?;
        for (key, _) in rows {
            let Some(docket) = docket_of_key(&key) else {
                continue;
            };
            if let Some(Case::Update(state)) = self.home_row(ctx, &docket)?.map(|it| it.state.case)
            {
                open.push((docket, *state));
            }
        }
        Ok(open)
    }
}
