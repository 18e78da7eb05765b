//! Corrections: when data was corrected, every holder of it learns (R26).

use identity::Digest;
use identity::planted::{self, Bug};
use sharing::application::ApplicationEvent;
use sharing::correction::{self, CorrectionState};
use sharing::docket::{Case, DocketBody, DocketId};
use statute::Article;

use super::tables::{View, entry_holders};
use super::{Context, Core};
use crate::store::{Fault, Table};

/// Holders looked up at once.
const HOLDERS_AT_ONCE: usize = 256;

impl Core {
    /// At the home of a correction that was answered: the docket of every application under which the data is held tells it.
    pub(super) fn tell_holders(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
    ) -> Result<(), Fault> {
        let Some(Case::Correction(corrected)) =
            self.docket_row(ctx, &docket)?.map(|row| row.state.case)
        else {
            return Ok(());
        };
        let one = planted::is(Bug::CorrectionToldToOne);
        let holders = holding(ctx, &corrected)?.into_iter();
        for holder in holders.take(if one { 1 } else { usize::MAX }) {
            let Some(row) = self.home_row(ctx, &holder)? else {
                continue;
            };
            let Case::Application(application) = &row.state.case else {
                continue;
            };
            if let Some(told) = corrected.told_to(application) {
                self.append_or_tell(ctx, holder, vec![DocketBody::Application(told)])?;
            }
        }
        Ok(())
    }

    /// Where an application's docket tells of a correction: the operator of a node that hosts a holder of the data is told too.
    pub(super) fn correction_told(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        told: &ApplicationEvent,
    ) -> Result<(), Fault> {
        let ApplicationEvent::CorrectionTold {
            correction,
            items,
            object: _,
        } = told
        else {
            return Ok(());
        };
        let Some(Case::Application(application)) =
            self.docket_row(ctx, &docket)?.map(|row| row.state.case)
        else {
            return Ok(());
        };
        let holders = correction::holders(&application);
        if !holders.iter().any(|it| Some(&it.node) == self.place()) {
            return Ok(());
        }
        let name = &application.entry.entry.name;
        let (of, by) = (docket.0.short(), correction.0.short());
        ctx.finding(
            format!(
                "案卷{of}所获数据“{name}”已由提供部门更正（校核案卷{by}）：{}。请据此核对本部门持有的数据",
                items.join("、")
            ),
            format!(
                "the data of docket {of} ({name}) was corrected by its provider (correction {by}): {}. Check what is held here",
                items.join(", ")
            ),
            Some(Article::R26),
        )
    }
}

/// Applications at home here under which data of the corrected entry is held.
fn holding(ctx: &Context<'_, '_>, corrected: &CorrectionState) -> Result<Vec<DocketId>, Fault> {
    let prefix = entry_holders(&corrected.provider.department, &corrected.entry);
    let mut found = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = ctx
            .txn
            .raw_scan(Table::Datasets, &prefix, after.as_deref(), HOLDERS_AT_ONCE)?;
        let Some((last, _)) = page.last() else {
            return Ok(found);
        };
        after = Some(last.clone());
        let ids = page.iter().filter_map(|(key, _)| key.last_chunk::<32>());
        found.extend(ids.map(|id| DocketId(Digest::from_bytes(*id))));
    }
}
