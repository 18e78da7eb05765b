//! Straight from the platform (Shenyang S20): what a provider placed there goes at once to whoever took its entry.

use sharing::act::VerifiedAct;
use sharing::application::{self, Command, DirectAct};
use sharing::catalogue::{EntryVersion, PublishedEntry};
use sharing::docket::{Case, DocketBody, DocketId};

use super::acts::Outcome;
use super::dockets::bodies;
use super::project::own_entry;
use super::tables::{PlacedRow, View};
use super::{Context, Core};
use crate::store::{Fault, Table};

impl Core {
    /// R22: whether the provider may place this.
    pub(super) fn judge_placing(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        entry: &EntryVersion,
    ) -> Result<Outcome, Fault> {
        let held = own_entry(&*ctx.txn, &entry.id)?;
        let held = held.as_ref().map(|row| (&row.entry, row.state));
        Ok(
            match application::check_placed(act, entry, held, &self.me.profile) {
                Ok(()) => Outcome::Accepted {
                    docket: None,
                    warnings: Vec::new(),
                },
                Err(refusal) => Outcome::Refused(refusal),
            },
        )
    }

    /// What is published here under the id that the act would take.
    pub(super) fn entry_taken(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
    ) -> Result<Option<PublishedEntry>, Fault> {
        use sharing::act::ActBody;
        match (&act.act().body, self.place()) {
            (ActBody::Direct(DirectAct::Take { application, .. }), Some(here)) => {
                super::query::published_in(&*ctx.txn, &here.code(), &application.entry)
            }
            _ => Ok(None),
        }
    }

    /// S20: what lies on the platform goes to whoever took its entry.
    pub(super) fn taken(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
    ) -> Result<(), Fault> {
        let Some(row) = self.docket_row(ctx, &docket)? else {
            return Ok(());
        };
        let Case::Application(state) = &row.state.case else {
            return Ok(());
        };
        let id = &state.entry.entry.id;
        let placed: Option<PlacedRow> = ctx.txn.row(Table::Placed, id.as_str().as_bytes())?;
        let Some(placed) = placed else {
            return Ok(());
        };
        let command = Command::Placed {
            placed: placed.act,
            entry: placed.entry,
            object: placed.object,
        };
        let step = self.step(ctx.now, &row.state.clock);
        if let Ok(events) = application::decide(Some(state), &command, &step) {
            self.append_or_tell(ctx, docket, bodies(DocketBody::Application)(events))?;
        }
        Ok(())
    }
}
