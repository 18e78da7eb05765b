//! Dockets, drafts that may become some, and the duties that run in them.

use identity::{Digest, Domain, Moment, Path, Signed};
use sharing::act::{ActBody, MAX_ACT_BYTES};
use sharing::docket::{DocketCopy, DocketEvent, DocketId, MAX_EVENT_BYTES};
use statute::{Calendar, DutyStatus};

use super::{MAX_COUNTED, MAX_PAGE, chain, own_chain};
use crate::core::dockets::parties;
use crate::core::project::{DraftRow, duties as open_duties};
use crate::core::tables::{DocketRow, View, decode_row, docket_key, event_key};
use crate::core::view::{DocketDetail, DocketView, DraftView, DutyView};
use crate::store::{Fault, Read, Table};

/// Drafted applications that await consent.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn drafts(read: &dyn Read, limit: usize) -> Result<Vec<DraftView>, Fault> {
    let mut found = Vec::new();
    for (_, row) in read.scan(Table::Drafts, b"", None, limit.min(MAX_PAGE))? {
        let row: DraftRow = decode_row(Table::Drafts, &row)?;
        let Ok(act) = row.act.act.claimed(MAX_ACT_BYTES) else {
            continue;
        };
        if let ActBody::Apply { application } = act.body {
            let document = row.act.act.digest(Domain::Act);
            found.push(DraftView {
                docket: DocketId(document),
                document,
                application,
                by: row.doer.name,
                at: row.at,
            });
        }
    }
    Ok(found)
}

fn docket_view(id: DocketId, row: DocketRow, here: Option<&Path>) -> DocketView {
    DocketView {
        id,
        at_home: Some(&row.home) == here,
        parties: parties(&row.state),
        home: row.home,
        state: row.state,
        events: row.next,
        updated: row.updated,
    }
}

fn here(read: &dyn Read) -> Result<Option<Path>, Fault> {
    Ok(own_chain(read)?
        .and_then(|chain| chain.claimed().ok())
        .map(|certificate| certificate.place))
}

/// Dockets held here, in id order.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn dockets(
    read: &dyn Read,
    after: Option<DocketId>,
    limit: usize,
) -> Result<Vec<DocketView>, Fault> {
    let here = here(read)?;
    let after = after.map(|id| docket_key(&id));
    let mut found = Vec::new();
    for (key, row) in read.scan(Table::Dockets, b"", after.as_deref(), limit.min(MAX_PAGE))? {
        let Some(digest) = key.first_chunk::<32>() else {
            continue;
        };
        found.push(docket_view(
            DocketId(Digest::from_bytes(*digest)),
            decode_row(Table::Dockets, &row)?,
            here.as_ref(),
        ));
    }
    Ok(found)
}

/// One docket with its events.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn docket(read: &dyn Read, id: DocketId) -> Result<Option<DocketDetail>, Fault> {
    let Some(row) = read.row::<DocketRow>(Table::Dockets, &docket_key(&id))? else {
        return Ok(None);
    };
    let mut events = Vec::new();
    for sequence in 0..row.next {
        let signed = signed_event(read, &id, sequence)?;
        events.push(
            signed
                .claimed(MAX_EVENT_BYTES)
                .map_err(|error| Fault(format!("stored event: {error}")))?,
        );
    }
    let here = here(read)?;
    Ok(Some(DocketDetail {
        docket: docket_view(id, row, here.as_ref()),
        events,
    }))
}

fn signed_event(
    read: &dyn Read,
    id: &DocketId,
    sequence: u32,
) -> Result<Signed<DocketEvent>, Fault> {
    let body: Digest = read
        .row(Table::DocketEvents, &event_key(id, sequence))?
        .ok_or_else(|| Fault(format!("event {sequence} of {id} is missing")))?;
    read.body_as(&body)
}

/// A docket as a copy that verifies without its home.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn docket_copy(read: &dyn Read, id: DocketId) -> Result<Option<DocketCopy>, Fault> {
    let Some(row) = read.row::<DocketRow>(Table::Dockets, &docket_key(&id))? else {
        return Ok(None);
    };
    let Some((home, _)) = chain(read, row.home.code())? else {
        return Ok(None);
    };
    let events = (0..row.next)
        .map(|sequence| signed_event(read, &id, sequence))
        .collect::<Result<_, _>>()?;
    Ok(Some(DocketCopy { home, events }))
}

/// Duties that run in the dockets known here, the next due first.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn duties(read: &dyn Read, now: Moment, limit: usize) -> Result<Vec<DutyView>, Fault> {
    let here = here(read)?;
    let calendar = Calendar::national();
    let mut found = Vec::new();
    for (key, row) in read.scan(Table::Dockets, b"", None, MAX_COUNTED)? {
        let row: DocketRow = decode_row(Table::Dockets, &row)?;
        let Some(digest) = key.first_chunk::<32>() else {
            continue;
        };
        for duty in open_duties(&row.state) {
            let status = match () {
                () if now >= duty.due => DutyStatus::Overdue,
                () if is_due_soon(duty.due, now, &calendar) => DutyStatus::DueSoon,
                () => DutyStatus::Pending,
            };
            found.push(DutyView {
                docket: DocketId(Digest::from_bytes(*digest)),
                article: duty.duty.article(),
                duty: duty.duty,
                owed_by: duty.who.department,
                due: duty.due,
                owed_here: Some(&row.home) == here.as_ref(),
                status,
            });
        }
    }
    found.sort_by_key(|duty| duty.due);
    found.truncate(limit.min(MAX_PAGE));
    Ok(found)
}

/// Whether no more than [`statute::deadline::DUE_SOON_WORKING_DAYS`] working days are left.
pub(in crate::core) fn is_due_soon(due: Moment, now: Moment, calendar: &Calendar) -> bool {
    let today = statute::beijing_date(now.as_millis());
    let last = statute::beijing_date(due.as_millis() - 1);
    let mut day = today;
    let mut working = 0;
    while day < last {
        let Ok(next) = day.tomorrow() else {
            return false;
        };
        day = next;
        working += u32::from(calendar.is_working_day(day).0);
        if working > statute::deadline::DUE_SOON_WORKING_DAYS {
            return false;
        }
    }
    true
}
