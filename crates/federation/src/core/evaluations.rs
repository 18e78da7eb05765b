//! What a node's ledger gives for a period (R38): its dockets replayed and its publication log read, page after page.

use identity::{Digest, Path, Signed};
use sharing::act::{ActBody, VerifiedAct};
use sharing::catalogue::Change;
use sharing::docket::{Case, DocketEvent, DocketId, MAX_EVENT_BYTES};
use sharing::evaluation::{Computed, Course, EvaluationAct, Tally};
use statute::{EvaluationPeriod, Role};

use super::project::PersonRow;
use super::tables::{DocketRow, View, code_key, decode_row, docket_of_key, event_key};
use super::{Context, Core};
use crate::store::{Fault, Table};
use crate::sync::{self, Head, MAX_HEAD_BYTES};

/// Rows read at a time.
const ROWS_AT_ONCE: usize = 256;

impl Core {
    /// The figures of the period that an act reports on; none for another act. They are computed where the report is to stand, so that nobody
    /// writes them.
    pub(super) fn evaluation_reported(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
    ) -> Result<Option<Computed>, Fault> {
        let (ActBody::Evaluation(EvaluationAct::Report(report)), Some(here)) =
            (&act.act().body, self.place())
        else {
            return Ok(None);
        };
        computed(&*ctx.txn, here, report.period).map(Some)
    }
}

/// What the ledger behind these tables gives for a period at a place.
pub(super) fn computed<V: View + ?Sized>(
    view: &V,
    here: &Path,
    period: EvaluationPeriod,
) -> Result<Computed, Fault> {
    let mut tally = Tally::new(here.clone(), period);
    departments(view, &mut tally)?;
    publications(view, here, &mut tally)?;
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = view.raw_scan(Table::Dockets, b"", after.as_deref(), ROWS_AT_ONCE)?;
        for (key, row) in &rows {
            let row: DocketRow = decode_row(Table::Dockets, row)?;
            if let Some(docket) = docket_of_key(key) {
                count(view, docket, &row, &mut tally)?;
            }
        }
        match rows.into_iter().last() {
            Some((last, _)) => after = Some(last),
            None => return Ok(tally.computed()),
        }
    }
}

/// The departments that had people enrolled here before the period's end.
fn departments<V: View + ?Sized>(view: &V, tally: &mut Tally) -> Result<(), Fault> {
    let ends = tally.period().ends_ms();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = view.raw_scan(Table::People, b"", after.as_deref(), ROWS_AT_ONCE)?;
        for (_, row) in &rows {
            let row: PersonRow = decode_row(Table::People, row)?;
            let of_department = match row.certificate.role {
                Role::Operator | Role::SharingOfficeHead | Role::DepartmentHead => true,
                Role::AuthorityReviewer
                | Role::AuthorityHead
                | Role::Government
                | Role::Auditor => false,
            };
            if of_department && row.since.as_millis() < ends {
                tally.department(row.certificate.department, &row.department_name);
            }
        }
        match rows.into_iter().last() {
            Some((last, _)) => after = Some(last),
            None => return Ok(()),
        }
    }
}

/// The entries that this place's own log published; each of its segments is read once.
fn publications<V: View + ?Sized>(view: &V, here: &Path, tally: &mut Tally) -> Result<(), Fault> {
    let prefix = code_key(&here.code());
    let mut after: Option<Vec<u8>> = None;
    loop {
        let rows = view.raw_scan(Table::Segments, &prefix, after.as_deref(), ROWS_AT_ONCE)?;
        for (_, row) in &rows {
            let head: Signed<Head> = decode_row(Table::Segments, row)?;
            let head = head
                .claimed(MAX_HEAD_BYTES)
                .map_err(|error| Fault(format!("stored segment: {error}")))?;
            let body = view
                .raw_body(&head.body)?
                .ok_or_else(|| Fault(format!("segment body {} is missing", head.body)))?;
            let changes =
                sync::changes(&body).map_err(|error| Fault(format!("stored segment: {error}")))?;
            for change in changes {
                match change {
                    Change::Published { entry, at } => {
                        tally.published(entry.provider, &entry.provider_name, entry.version, at);
                    }
                    Change::Withdrawn { .. }
                    | Change::MemberCertified { .. }
                    | Change::MemberRevoked { .. }
                    | Change::SourceNamed { .. }
                    | Change::OpeningMarked { .. } => {}
                }
            }
        }
        match rows.into_iter().last() {
            Some((last, _)) => after = Some(last),
            None => return Ok(()),
        }
    }
}

/// One docket, of whose events no more than one is held.
fn count<V: View + ?Sized>(
    view: &V,
    docket: DocketId,
    row: &DocketRow,
    tally: &mut Tally,
) -> Result<(), Fault> {
    if let Case::Evaluation(state) = &row.state.case {
        tally.report(state);
        return Ok(());
    }
    if row.updated.as_millis() < tally.period().starts_ms() {
        tally.unchanged(&row.state);
        return Ok(());
    }
    let mut course = Course::default();
    for sequence in 0..row.next {
        let body: Digest = view
            .row(Table::DocketEvents, &event_key(&docket, sequence))?
            .ok_or_else(|| Fault(format!("event {sequence} of {docket} is missing")))?;
        let event: DocketEvent = view
            .body_as::<Signed<DocketEvent>>(&body)?
            .claimed(MAX_EVENT_BYTES)
            .map_err(|error| Fault(format!("stored event: {error}")))?;
        let more = tally.step(&mut course, &event);
        if !more.map_err(|error| Fault(format!("stored event of {docket}: {error}")))? {
            break;
        }
    }
    tally.finish(course);
    Ok(())
}
