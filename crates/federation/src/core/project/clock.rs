//! The clock of whoever holds a copy: which duties it watches, what it found, and what the docket's home made of that.

use identity::Moment;
use sharing::clock::OpenDuty;
use sharing::clock::bounds::{BorneOut, DoubtedTime, OwnLapse, words};
use sharing::docket::{DocketEvent, DocketId, DocketState};

use super::cases::duty_key;
use crate::core::tables::{DocketRow, View, decode_row, docket_key, event_key, own_lapses_of, put};
use crate::store::{Fault, Table, Txn};

/// Findings kept of one docket that are looked through for one event: one for each duty and each time it was due.
pub(in crate::core) const MAX_OWN_LAPSES: usize = 1_024;

/// An event came from a docket's home. `ran` are the duties that ran before it.
pub(super) fn heard(
    txn: &mut Txn<'_>,
    event: &DocketEvent,
    ran: &[OpenDuty],
    state: &DocketState,
    received: Moment,
) -> Result<(), Fault> {
    let docket = &event.docket;
    for open in ran {
        txn.delete(Table::Watched, duty_key(&open.term.due, docket, open.duty));
    }
    let runs = state.duties();
    let said = words(ran, &runs, &event.body);
    for (key, mut lapse) in own_lapses(txn, docket)? {
        if lapse.outcome.is_none()
            && let Some(outcome) = lapse.outcome_of(event, &said, received)
        {
            lapse.outcome = Some(outcome);
            put(txn, Table::OwnLapses, key, &lapse);
        }
    }
    for open in runs {
        let known = state.clock.is_overdue(open.duty, open.term.arises);
        if !known && !found_before(txn, docket, &open)? {
            let key = duty_key(&open.term.due, docket, open.duty);
            put(txn, Table::Watched, key, docket);
        }
    }
    Ok(())
}

/// Whether a duty was found overdue here already, with the time limit that it has or a later one.
pub(in crate::core) fn found_before(
    txn: &Txn<'_>,
    docket: &DocketId,
    open: &OpenDuty,
) -> Result<bool, Fault> {
    let key = own_lapses_of(docket, open.duty, &open.term.arises);
    let rows = txn.raw_scan(Table::OwnLapses, &key, None, MAX_OWN_LAPSES)?;
    for (_, row) in rows {
        let lapse: OwnLapse = decode_row(Table::OwnLapses, &row)?;
        if lapse.term.due >= open.term.due {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What was found overdue here in a docket, with the keys.
fn own_lapses(txn: &Txn<'_>, docket: &DocketId) -> Result<Vec<(Vec<u8>, OwnLapse)>, Fault> {
    let rows = txn.raw_scan(Table::OwnLapses, &docket_key(docket), None, MAX_OWN_LAPSES)?;
    let of = |(key, row): (Vec<u8>, Vec<u8>)| Ok((key, decode_row(Table::OwnLapses, &row)?));
    rows.into_iter().map(of).collect()
}

/// A duty is overdue by the clock here: found once, and watched no more.
pub(super) fn seen_overdue(
    txn: &mut Txn<'_>,
    docket: &DocketId,
    lapse: OwnLapse,
) -> Result<(), Fault> {
    let row: Option<DocketRow> = txn.row(Table::Dockets, &docket_key(docket))?;
    let runs = row.map(|row| row.state.duties()).unwrap_or_default();
    let same = |open: &&OpenDuty| (open.duty, open.term.arises) == (lapse.duty, lapse.term.arises);
    for open in runs.iter().filter(same) {
        txn.delete(Table::Watched, duty_key(&open.term.due, docket, open.duty));
    }
    let mut key = own_lapses_of(docket, lapse.duty, &lapse.term.arises);
    key.extend_from_slice(&lapse.term.due.as_millis().to_be_bytes());
    put(txn, Table::OwnLapses, key, &lapse);
    Ok(())
}

/// The time of an event is in doubt.
pub(super) fn doubted(txn: &mut Txn<'_>, docket: &DocketId, doubted: &DoubtedTime) {
    let key = event_key(docket, doubted.sequence);
    put(txn, Table::DoubtedTimes, key, doubted);
}

/// It was shown by when others had the event.
pub(super) fn borne_out(
    txn: &mut Txn<'_>,
    docket: &DocketId,
    sequence: u32,
    shown: BorneOut,
) -> Result<(), Fault> {
    for (key, lapse) in own_lapses(txn, docket)? {
        let lapse = lapse.borne_out(sequence, &shown);
        put(txn, Table::OwnLapses, key, &lapse);
    }
    let key = event_key(docket, sequence);
    if let Some(mut doubted) = txn.row::<DoubtedTime>(Table::DoubtedTimes, &key)? {
        doubted.borne_out = Some(shown);
        put(txn, Table::DoubtedTimes, key, &doubted);
    }
    Ok(())
}
