//! The catalogue: own entries in any state, and the publication logs of all publishers.

use identity::planted::{self, Bug};
use identity::{Chain, Code, Digest, Moment, Path, Signed};
use sharing::catalogue::{Change, Entry, EntryId, EntryState, EntryVersion};

use sharing::open_data::OpeningMark;
use sharing::source::NamedSource;

use crate::core::checkpoints::MAX_CHECKPOINT_BYTES;
use crate::core::forks::fork_key;
use crate::core::query::SourceView;
use crate::core::tables::{
    HeadRow, PublishedRow, View, code_key, counter, entry_key, meta, put, segment_key, set_counter,
    sources_of, version_key,
};
use crate::core::view::OwnEntry;
use crate::store::{Fault, Table, Txn};
use crate::sync;

/// Entries compiled: drafts, whatever stands published of them.
pub(super) fn compiled(txn: &mut Txn<'_>, entries: &[Entry]) -> Result<(), Fault> {
    for entry in entries {
        let before: Option<OwnEntry> = own_entry(txn, &entry.id)?;
        let row = OwnEntry {
            state: EntryState::Draft,
            entry: entry.clone(),
            digest: entry.version_ref().digest,
            published: before.and_then(|before| before.published),
            returned: None,
        };
        put(
            txn,
            Table::OwnEntries,
            entry.id.as_str().as_bytes().to_vec(),
            &row,
        );
    }
    Ok(())
}

/// One own entry.
pub(in crate::core) fn own_entry<V: View + ?Sized>(
    view: &V,
    id: &EntryId,
) -> Result<Option<OwnEntry>, Fault> {
    view.row(Table::OwnEntries, id.as_str().as_bytes())
}

/// Own entries step to another state.
pub(super) fn own_states(
    txn: &mut Txn<'_>,
    entries: &[EntryVersion],
    state: EntryState,
    returned: Option<&String>,
) -> Result<(), Fault> {
    for version in entries {
        if let Some(mut row) = own_entry(txn, &version.id)? {
            // What is withdrawn while a newer version is under way leaves that one as it is.
            if state != EntryState::Withdrawn || row.entry.version == version.version {
                row.state = state;
                row.returned = returned.cloned();
            }
            match state {
                EntryState::Published => row.published = Some(version.version),
                EntryState::Withdrawn => row.published = None,
                EntryState::Draft | EntryState::Approved | EntryState::Submitted => {}
            }
            put(
                txn,
                Table::OwnEntries,
                version.id.as_str().as_bytes().to_vec(),
                &row,
            );
        }
    }
    Ok(())
}

/// A segment of a publication log, own or another's.
pub(super) fn segment(
    txn: &mut Txn<'_>,
    signed: &Signed<sync::Head>,
    at: Moment,
) -> Result<(), Fault> {
    let head = signed
        .claimed(MAX_CHECKPOINT_BYTES * 4)
        .map_err(|error| Fault(format!("stored head: {error}")))?;
    let publisher = head.publisher.code();
    let before: Option<HeadRow> = txn.row(Table::Heads, &code_key(&publisher))?;
    let log = before.map_or_else(sync::LogState::default, |row| row.log);
    let log = log
        .after(&head)
        .map_err(|error| Fault(format!("stored segment of {publisher}: {error}")))?;
    let body = txn
        .raw_body(&head.body)?
        .ok_or_else(|| Fault(format!("segment body {} is missing", head.body)))?;
    let changes = sync::changes(&body)
        .map_err(|error| Fault(format!("stored segment of {publisher}: {error}")))?;
    put(
        txn,
        Table::Heads,
        code_key(&publisher),
        &HeadRow {
            head: signed.clone(),
            publisher: head.publisher.clone(),
            log,
            as_of: at,
        },
    );
    put(
        txn,
        Table::Segments,
        segment_key(&publisher, head.last),
        signed,
    );
    let own = txn
        .row::<Chain>(Table::Meta, meta::CHAIN)?
        .and_then(|chain| chain.claimed().ok())
        .is_some_and(|me| me.place.code() == publisher);
    let count = changes.len() as u64;
    let live = entries_changed(txn, &head.publisher, &head.body, changes)?;
    add(txn, meta::CHANGES, i64::try_from(count).unwrap_or(i64::MAX))?;
    add(txn, meta::CATALOGUE, live)?;
    if own {
        add(txn, meta::OWN_ENTRIES, live)?;
    }
    Ok(())
}

/// Writes where each entry of a segment lies; returns by how much the live entries grew.
fn entries_changed(
    txn: &mut Txn<'_>,
    place: &Path,
    body: &Digest,
    changes: Vec<Change>,
) -> Result<i64, Fault> {
    let (publisher, mut growth) = (&place.code(), 0);
    for (index, change) in changes.into_iter().enumerate() {
        let (id, version, live) = match change {
            Change::Published { entry, .. } => (entry.id, entry.version, true),
            Change::Withdrawn { .. } if planted::is(Bug::WithdrawalForgotten) => continue,
            Change::Withdrawn { id, version, .. } => (id, version, false),
            // Its author's word alone: what holds of it has a record of its own.
            Change::MemberCertified { .. } | Change::MemberRevoked { .. } => continue,
            Change::SourceNamed { source } => {
                source_named(txn, place, source);
                continue;
            }
            Change::OpeningMarked { mark } => {
                opening_marked(txn, publisher, &mark);
                continue;
            }
        };
        let row = PublishedRow {
            body: *body,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            version,
            live,
        };
        if row.live {
            put(
                txn,
                Table::Versions,
                version_key(publisher, &id, version),
                &row,
            );
        }
        growth += publish_row(txn, publisher, &id, row)?;
    }
    Ok(growth)
}

/// A source department, believed only of an authority in whose place it lies (R19).
fn source_named(txn: &mut Txn<'_>, by: &Path, source: NamedSource) {
    if !source.is_within(by) {
        return;
    }
    let mut key = sources_of(&source.matter);
    key.extend_from_slice(&code_key(&by.code()));
    let by = by.clone();
    put(txn, Table::Sources, key, &SourceView { by, source });
}

/// How a publisher opens an entry of its own; what does not list what it must is no mark (S25, S27).
fn opening_marked(txn: &mut Txn<'_>, publisher: &Code, mark: &OpeningMark) {
    if statute::check_opening_terms(&mark.terms).is_ok() {
        let key = entry_key(publisher, &mark.entry);
        put(txn, Table::Openings, key, mark);
    }
}

/// Writes a row unless an equal or later version stands there; returns by how much the live entries grew.
fn publish_row(
    txn: &mut Txn<'_>,
    publisher: &Code,
    id: &EntryId,
    row: PublishedRow,
) -> Result<i64, Fault> {
    let key = entry_key(publisher, id);
    let before: Option<PublishedRow> = txn.row(Table::Published, &key)?;
    if before
        .as_ref()
        .is_some_and(|before| before.version > row.version)
    {
        return Ok(0);
    }
    let growth = i64::from(row.live) - i64::from(before.is_some_and(|before| before.live));
    put(txn, Table::Published, key, &row);
    Ok(growth)
}

fn add(txn: &mut Txn<'_>, name: &[u8], by: i64) -> Result<(), Fault> {
    let value = counter(txn, name)?.saturating_add_signed(by);
    set_counter(txn, name, value);
    Ok(())
}

/// Two heads that cannot both be true, kept side by side.
pub(super) fn fork_found(txn: &mut Txn<'_>, both: &(Signed<sync::Head>, Signed<sync::Head>)) {
    if let Ok(head) = both.1.claimed(MAX_CHECKPOINT_BYTES * 4) {
        let key = fork_key(&head.publisher.code(), head.last);
        put(txn, Table::Seen, key, both);
    }
}
