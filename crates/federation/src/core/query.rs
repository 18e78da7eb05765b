//! Read-only questions to the tables, for the API, the console and the commands. All are bounded; lists page with `after`.

use identity::{Chain, Code, Digest, Domain, Moment, Path, Signed, VerifyKey};
use sharing::act::{ActBody, MAX_ACT_BYTES};
use sharing::catalogue::{Change, EntryId, PublishedEntry};
use sharing::docket::{DocketCopy, DocketEvent, DocketId, MAX_EVENT_BYTES};
use sharing::ledger::{Checkpoint, Evidence, merkle};
use sharing::person::PersonChain;
use statute::{Calendar, DutyStatus};

use super::checkpoints::{MAX_CHECKPOINT_BYTES, Nodes};
use super::dockets::{is_open, parties};
use super::project::{DraftRow, IndexRow, PersonRow, duties as open_duties, event_leaf_key};
use super::record::Record;
use super::tables::{
    ChainRow, CheckpointRow, DocketRow, HeadRow, OutboxRow, PublishedRow, View, code_key, counter,
    decode_row, docket_key, entry_key, event_key, key_tail_u64, meta,
};
use super::view::{
    DocketDetail, DocketView, DraftView, DutyView, FindingView, NodeView, OwnEntry, PersonView,
};
use crate::store::{Fault, Read, Table};
use crate::sync;

/// Most rows of one page.
pub const MAX_PAGE: usize = 1_000;
/// Rows counted where only a number is asked.
const MAX_COUNTED: usize = 100_000;

/// This node.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn node(read: &dyn Read) -> Result<NodeView, Fault> {
    let certificate = own_chain(read)?.and_then(|chain| chain.claimed().ok());
    let place = certificate
        .as_ref()
        .map(|certificate| certificate.place.clone());
    let mut outbox: std::collections::BTreeMap<Code, u64> = std::collections::BTreeMap::new();
    for (key, _) in read.scan(Table::Outbox, b"", None, MAX_COUNTED)? {
        if let Some(code) = leading_code(&key) {
            *outbox.entry(code).or_default() += 1;
        }
    }
    let mut children = Vec::new();
    for (key, _) in read.scan(Table::Children, b"", None, MAX_PAGE)? {
        children.extend(leading_code(&key));
    }
    let mut open_dockets = 0;
    for (_, row) in read.scan(Table::Dockets, b"", None, MAX_COUNTED)? {
        let row: DocketRow = decode_row(Table::Dockets, &row)?;
        open_dockets += u64::from(Some(&row.home) == place.as_ref() && is_open(&row.state));
    }
    Ok(NodeView {
        name: certificate
            .as_ref()
            .map_or_else(String::new, |certificate| certificate.name.clone()),
        valid_until: certificate.map(|certificate| certificate.valid_until),
        place,
        ledger: counter(read, meta::LEAVES)?,
        checkpoint: read
            .row::<Signed<Checkpoint>>(Table::Meta, meta::CHECKPOINT)?
            .and_then(|signed| signed.claimed(MAX_CHECKPOINT_BYTES).ok())
            .map_or(0, |claimed| claimed.size),
        cosigned: counter(read, meta::COSIGNED)?,
        own_entries: counter(read, meta::OWN_ENTRIES)?,
        catalogue: counter(read, meta::CATALOGUE)?,
        open_dockets,
        children,
        outbox: outbox.into_iter().collect(),
        unsealed: read.scan(Table::Unsealed, b"", None, MAX_COUNTED)?.len() as u64,
    })
}

fn leading_code(key: &[u8]) -> Option<Code> {
    std::str::from_utf8(key.split(|byte| *byte == 0).next()?)
        .ok()?
        .parse()
        .ok()
}

/// Own entries in any state, in id order.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn own_entries(
    read: &dyn Read,
    after: Option<&EntryId>,
    limit: usize,
) -> Result<Vec<OwnEntry>, Fault> {
    let after = after.map(|id| id.as_str().as_bytes());
    let rows = read.scan(Table::OwnEntries, b"", after, limit.min(MAX_PAGE))?;
    rows.iter()
        .map(|(_, row)| decode_row(Table::OwnEntries, row))
        .collect()
}

/// One own entry.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn own_entry(read: &dyn Read, id: &EntryId) -> Result<Option<OwnEntry>, Fault> {
    super::project::own_entry(read, id)
}

/// Entries standing published, by publisher and id; with their keys as the cursor of the next page.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn published(
    read: &dyn Read,
    publisher: Option<Code>,
    after: Option<(Code, EntryId)>,
    limit: usize,
) -> Result<Vec<PublishedEntry>, Fault> {
    let prefix = publisher.map_or_else(Vec::new, |code| code_key(&code));
    let mut cursor = after.map(|(code, id)| entry_key(&code, &id));
    let limit = limit.min(MAX_PAGE);
    let mut segments = Segments::default();
    let mut found = Vec::new();
    while found.len() < limit {
        let rows = read.scan(Table::Published, &prefix, cursor.as_deref(), limit)?;
        let Some((last, _)) = rows.last() else { break };
        cursor = Some(last.clone());
        for (key, row) in &rows {
            let row: PublishedRow = decode_row(Table::Published, row)?;
            if let (true, Some(code)) = (row.live, leading_code(key)) {
                found.extend(segments.entry(read, &code, &row)?);
            }
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// One published entry.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn published_entry(
    read: &dyn Read,
    publisher: Code,
    id: &EntryId,
) -> Result<Option<PublishedEntry>, Fault> {
    published_in(read, &publisher, id)
}

pub(super) fn published_in<V: View + ?Sized>(
    view: &V,
    publisher: &Code,
    id: &EntryId,
) -> Result<Option<PublishedEntry>, Fault> {
    match view.row::<PublishedRow>(Table::Published, &entry_key(publisher, id))? {
        Some(row) if row.live => Segments::default().entry(view, publisher, &row),
        Some(_) | None => Ok(None),
    }
}

/// The segment decoded last: neighbouring entries lie in the same one.
#[derive(Default)]
struct Segments {
    newest: Option<(Digest, Vec<Change>)>,
    place: Option<Path>,
}

impl Segments {
    fn entry<V: View + ?Sized>(
        &mut self,
        view: &V,
        publisher: &Code,
        row: &PublishedRow,
    ) -> Result<Option<PublishedEntry>, Fault> {
        if self
            .newest
            .as_ref()
            .is_none_or(|(digest, _)| *digest != row.body)
        {
            let body = view
                .raw_body(&row.body)?
                .ok_or_else(|| Fault(format!("segment body {} is missing", row.body)))?;
            let changes =
                sync::changes(&body).map_err(|error| Fault(format!("stored segment: {error}")))?;
            self.newest = Some((row.body, changes));
        }
        if self
            .place
            .as_ref()
            .is_none_or(|place| place.code() != *publisher)
        {
            self.place = view
                .row::<HeadRow>(Table::Heads, &code_key(publisher))?
                .map(|head| head.publisher);
        }
        let change = self
            .newest
            .as_ref()
            .and_then(|(_, changes)| changes.get(row.index as usize));
        Ok(match (change, &self.place) {
            (Some(Change::Published { entry, at }), Some(place)) => Some(PublishedEntry {
                publisher: place.clone(),
                published_at: *at,
                entry: entry.clone(),
            }),
            _ => None,
        })
    }
}

/// Publishers known, with the length of their log and as of when.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn publishers(read: &dyn Read) -> Result<Vec<(Code, u64, Moment)>, Fault> {
    let mut found = Vec::new();
    for (_, row) in read.scan(Table::Heads, b"", None, MAX_COUNTED)? {
        let row: HeadRow = decode_row(Table::Heads, &row)?;
        found.push((row.publisher.code(), row.log.last, row.as_of));
    }
    Ok(found)
}

/// Published changes projected so far, which the search index compares with its own count.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn published_changes(read: &dyn Read) -> Result<u64, Fault> {
    counter(read, meta::CHANGES)
}

/// As of when the catalogue here is known: its newest accepted head.
pub(super) fn catalogue_as_of<V: View + ?Sized>(view: &V) -> Result<Option<Moment>, Fault> {
    let mut newest = None;
    for (_, row) in view.raw_scan(Table::Heads, b"", None, MAX_COUNTED)? {
        let row: HeadRow = decode_row(Table::Heads, &row)?;
        newest = newest.max(Some(row.as_of));
    }
    Ok(newest)
}

/// As of when the catalogue here is known.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn as_of(read: &dyn Read) -> Result<Option<Moment>, Fault> {
    catalogue_as_of(read)
}

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
pub(super) fn is_due_soon(due: Moment, now: Moment, calendar: &Calendar) -> bool {
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

/// Findings, newest first; `after` is the number of the last one seen.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn findings(
    read: &dyn Read,
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<FindingView>, Fault> {
    let after = after.map(|number| (u64::MAX - number).to_be_bytes());
    let rows = read.scan(
        Table::Findings,
        b"",
        after.as_ref().map(<[u8; 8]>::as_slice),
        limit.min(MAX_PAGE),
    )?;
    rows.iter()
        .map(|(_, row)| decode_row(Table::Findings, row))
        .collect()
}

/// People enrolled here.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn people(read: &dyn Read, limit: usize) -> Result<Vec<PersonView>, Fault> {
    let mut found = Vec::new();
    for (_, row) in read.scan(Table::People, b"", None, limit.min(MAX_PAGE))? {
        let row: PersonRow = decode_row(Table::People, &row)?;
        found.push(PersonView {
            certificate: row.certificate,
            department_name: row.department_name,
            since: row.since,
        });
    }
    Ok(found)
}

/// The chain of a person by key, to be sent along with that person's acts.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn person_chain(read: &dyn Read, key: &VerifyKey) -> Result<Option<PersonChain>, Fault> {
    Ok(read
        .row::<PersonRow>(Table::People, key.to_string().as_bytes())?
        .map(|row| row.chain))
}

/// A node's chain as known here, and as of when.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn chain(read: &dyn Read, code: Code) -> Result<Option<(Chain, Moment)>, Fault> {
    if let Some(own) = own_chain(read)?.and_then(|own| own.upto(code)) {
        let as_of = own
            .claimed()
            .map_or(Moment::MIN, |certificate| certificate.valid_from);
        return Ok(Some((own, as_of)));
    }
    Ok(read
        .row::<ChainRow>(Table::Chains, &code_key(&code))?
        .map(|row| (row.chain, row.as_of)))
}

/// This node's own chain.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn own_chain(read: &dyn Read) -> Result<Option<Chain>, Fault> {
    read.row(Table::Meta, meta::CHAIN)
}

/// Evidence of one event of a docket as it stands in this node's ledger.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn evidence(read: &dyn Read, id: DocketId, sequence: u32) -> Result<Option<Evidence>, Fault> {
    match read.row::<u64>(Table::DocketEvents, &event_leaf_key(&id, sequence))? {
        Some(index) => evidence_at(read, index),
        None => Ok(None),
    }
}

/// Evidence of one ledger record against the newest checkpoint that covers it, a cosigned one where there is one.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn evidence_at(read: &dyn Read, index: u64) -> Result<Option<Evidence>, Fault> {
    let Some(line) = read.row::<IndexRow>(Table::Index, &index.to_be_bytes())? else {
        return Ok(None);
    };
    let cosigned = counter(read, meta::COSIGNED)?;
    let row = match read.row::<CheckpointRow>(Table::Checkpoints, &cosigned.to_be_bytes())? {
        Some(row) if cosigned > index => Some(row),
        Some(_) | None => {
            let newest = read.row::<Signed<Checkpoint>>(Table::Meta, meta::CHECKPOINT)?;
            newest.map(|checkpoint| CheckpointRow {
                checkpoint,
                cosignatures: Vec::new(),
            })
        }
    };
    let (Some(row), Some(chain)) = (row, own_chain(read)?) else {
        return Ok(None);
    };
    let Ok(claimed) = row.checkpoint.claimed(MAX_CHECKPOINT_BYTES) else {
        return Ok(None);
    };
    if claimed.size <= index {
        return Ok(None);
    }
    let inclusion = merkle::inclusion(index, claimed.size, &Nodes(read))
        .map_err(|error| Fault(format!("inclusion proof: {error}")))?;
    let mut cosignatures = Vec::new();
    for cosignature in row.cosignatures {
        if let Some((by, _)) = self::chain(read, cosignature.by.code())? {
            cosignatures.push((cosignature, by));
        }
    }
    Ok(Some(Evidence {
        record: line.record,
        index,
        inclusion,
        checkpoint: row.checkpoint,
        chain,
        cosignatures,
    }))
}

/// Ledger records in order; `after` is the index of the last one seen.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn ledger(
    read: &dyn Read,
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<(u64, Record)>, Fault> {
    let after = after.map(u64::to_be_bytes);
    let mut found = Vec::new();
    for (key, row) in read.scan(
        Table::Index,
        b"",
        after.as_ref().map(<[u8; 8]>::as_slice),
        limit.min(MAX_PAGE),
    )? {
        let line: IndexRow = decode_row(Table::Index, &row)?;
        let record = identity::codec::decode(&line.record, 256 << 10)
            .map_err(|error| Fault(format!("ledger record: {error}")))?;
        found.push((key_tail_u64(&key), record));
    }
    Ok(found)
}

/// Envelopes waiting for a neighbour, oldest first.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn outbox(
    read: &dyn Read,
    neighbour: Code,
    limit: usize,
) -> Result<Vec<(crate::wire::EnvelopeId, Moment)>, Fault> {
    let mut found = Vec::new();
    for (_, row) in read.scan(
        Table::Outbox,
        &code_key(&neighbour),
        None,
        limit.min(MAX_PAGE),
    )? {
        let row: OutboxRow = decode_row(Table::Outbox, &row)?;
        found.push((row.envelope, row.expires));
    }
    Ok(found)
}

/// Whether a certificate was revoked, as far as this node knows. A read that fails counts as revoked.
pub fn is_revoked(read: &dyn Read, issuer: &Code, serial: u64) -> bool {
    super::revoked(read)(issuer, serial)
}
