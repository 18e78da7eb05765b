//! Dockets, drafts that may become some, and the duties that run in them.

use identity::{Digest, Domain, Moment, Path, Signed};
use serde::de::DeserializeOwned;
use sharing::act::{ActBody, MAX_ACT_BYTES};
use sharing::clock::bounds::OwnLapse;
use sharing::dispute::DisputeEvent;
use sharing::docket::{DocketBody, DocketCopy, DocketEvent, DocketId, MAX_EVENT_BYTES};
use sharing::reading::KeptUse;
use statute::DutyStatus;

use super::{MAX_COUNTED, MAX_PAGE, chain, own_chain};
use crate::core::project::{DraftRow, MAX_OWN_LAPSES};
use crate::core::tables::{
    DocketRow, PrivateRow, PrivateStanding, View, decode_row, docket_key, event_key, private_key,
};
use crate::core::view::{DocketDetail, DocketView, DraftView, DutyView, UseView};
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
        parties: row.state.case.parties(),
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

/// One docket with its events. What a record of use says is in none of it (R29): there is no other way to it than an act of reading.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn docket(read: &dyn Read, id: DocketId) -> Result<Option<DocketDetail>, Fault> {
    let Some(row) = read.row::<DocketRow>(Table::Dockets, &docket_key(&id))? else {
        return Ok(None);
    };
    let (mut events, mut uses) = (Vec::new(), Vec::new());
    for sequence in 0..row.next {
        let mut event = signed_event(read, &id, sequence)?
            .claimed(MAX_EVENT_BYTES)
            .map_err(|error| Fault(format!("stored event: {error}")))?;
        if let Some(kept) = KeptUse::of(&event) {
            uses.push(UseView {
                sequence,
                at: kept.at,
                by: kept.act.signer.holder().map(Into::into),
                digest: kept.digest(),
            });
            continue;
        }
        if let DocketBody::Dispute(DisputeEvent::Referred { copy, .. }) = &mut event.body {
            copy.events.retain(tells_no_use);
        }
        events.push(event);
    }
    let here = here(read)?;
    Ok(Some(DocketDetail {
        docket: docket_view(id, row, here.as_ref()),
        events,
        uses,
        own_lapses: rows_of(read, Table::OwnLapses, &id)?,
        doubted: rows_of(read, Table::DoubtedTimes, &id)?,
    }))
}

/// What the clock here found about a docket at another home.
fn rows_of<T: DeserializeOwned>(
    read: &dyn Read,
    table: Table,
    id: &DocketId,
) -> Result<Vec<T>, Fault> {
    let rows = read.scan(table, &docket_key(id), None, MAX_OWN_LAPSES)?;
    rows.iter().map(|(_, row)| decode_row(table, row)).collect()
}

/// Whether an event can be shown to everyone who sees the docket: one that cannot be read is not.
fn tells_no_use(signed: &Signed<DocketEvent>) -> bool {
    signed
        .claimed(MAX_EVENT_BYTES)
        .is_ok_and(|event| KeptUse::of(&event).is_none())
}
/// Whether a personal content is to be kept here: what no act or event speaks of is not, nor what was erased.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn keeps_content(read: &dyn Read, content: &Digest) -> Result<bool, Fault> {
    let row: Option<PrivateRow> = read.row(Table::Private, &private_key(content))?;
    Ok(row.is_some_and(|row| match row.standing {
        PrivateStanding::Wanted | PrivateStanding::Held => true,
        PrivateStanding::Destroying | PrivateStanding::Destroyed => false,
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
    let calendar = super::calendar(read)?;
    let mut found = Vec::new();
    for (key, row) in read.scan(Table::Dockets, b"", None, MAX_COUNTED)? {
        let row: DocketRow = decode_row(Table::Dockets, &row)?;
        let Some(digest) = key.first_chunk::<32>() else {
            continue;
        };
        let id = DocketId(Digest::from_bytes(*digest));
        let at_home = Some(&row.home) == here.as_ref();
        let own: Vec<OwnLapse> = match at_home {
            true => Vec::new(),
            false => rows_of(read, Table::OwnLapses, &id)?,
        };
        for duty in row.state.duties() {
            let due = duty.term.due;
            let same = |it: &&OwnLapse| (it.duty, it.term.arises) == (duty.duty, duty.term.arises);
            let status = match () {
                () if now >= due => DutyStatus::Overdue,
                () if statute::is_due_soon(due.as_millis(), now.as_millis(), &calendar) => {
                    DutyStatus::DueSoon
                }
                () => DutyStatus::Pending,
            };
            let owed_here = Some(duty.who.node()) == here.as_ref();
            found.push(DutyView {
                docket: id,
                own_lapse: own.iter().rev().find(same).cloned(),
                article: duty.duty.article(),
                duty: duty.duty,
                owed_by: duty.who,
                due,
                provisional: duty.term.provisional,
                owed_here,
                status,
            });
        }
    }
    found.sort_by_key(|duty| duty.due);
    found.truncate(limit.min(MAX_PAGE));
    Ok(found)
}
