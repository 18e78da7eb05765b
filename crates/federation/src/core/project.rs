//! The projection: how each ledger record changes the tables. Replaying all records rebuilds them.

use identity::{Chain, Moment, codec};
use serde::{Deserialize, Serialize};
use sharing::act::{ActBody, ActId, Doer, MAX_ACT_BYTES, SignedAct};
use sharing::application::{ApplicationEvent, OpenDuty, Phase};
use sharing::catalogue::{Change, EntryState, ReviewVerdict};
use sharing::docket::{DocketBody, DocketEvent, DocketId, DocketState};
use sharing::ledger::merkle;
use sharing::return_flow::ReturnFlowEvent;

use super::chains::age;
use super::checkpoints::{MAX_CHECKPOINT_BYTES, Nodes};
use super::envelopes::order_key;
use super::forks::fork_key;
use super::record::Record;
use super::tables::{
    ChainRow, CheckpointRow, DocketRow, HeadRow, OutboxRow, PublishedRow, SeenRow, View, WantedRow,
    act_key, code_key, counter, dataset_subscribers, docket_key, entry_key, envelope_key,
    event_key, merkle_key, meta, put, segment_key, serial_key, set_counter,
};
use super::view::OwnEntry;
use crate::store::{Fault, Table, Txn};
use crate::sync;

/// Most bytes of one encoded record.
const MAX_RECORD_BYTES: usize = 256 << 10;

/// A person enrolled at this node, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// The chain that ends with the person.
    pub chain: sharing::person::PersonChain,
    /// The certificate at its end.
    pub certificate: sharing::person::PersonCertificate,
    /// Name of the department.
    pub department_name: String,
    /// When.
    pub since: Moment,
}

/// A drafted application, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftRow {
    /// The operator's act.
    pub act: SignedAct,
    /// Who.
    pub doer: Doer,
    /// When.
    pub at: Moment,
}

/// One line of the ledger's index: what a record is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRow {
    /// The record itself: small, and read back for evidence and audit.
    pub record: Vec<u8>,
}

/// Applies one record to the tables and appends its leaf.
///
/// # Errors
/// [`Fault`] when the medium fails or the record does not decode (which its checksum had excluded).
pub fn project(bytes: &[u8], txn: &mut Txn<'_>) -> Result<(), Fault> {
    let record: Record = codec::decode(bytes, MAX_RECORD_BYTES)
        .map_err(|error| Fault(format!("ledger record: {error}")))?;
    append_leaf(bytes, &record, txn)?;
    match record {
        Record::Installed { chain, at } => {
            put(txn, Table::Meta, meta::CHAIN.to_vec(), &chain);
            remember_chain(txn, &chain, at)?;
        }
        Record::Act { id, doer, body, at } => act(txn, id, &doer, &body, at)?,
        Record::Refused { .. } | Record::Served { .. } => {}
        Record::Certified { chain, at } => certified(txn, &chain, at)?,
        Record::Revoked { revocation, at } => revoked(txn, &revocation, at)?,
        Record::Segment { head, at } => segment(txn, &head, at)?,
        Record::ForkFound { first, second, .. } => {
            if let Ok(head) = second.claimed(MAX_CHECKPOINT_BYTES * 4) {
                put(
                    txn,
                    Table::Seen,
                    fork_key(&head.publisher.code(), head.last),
                    &(first, second),
                );
            }
        }
        Record::Event {
            docket,
            sequence,
            body,
            home,
            at,
        } => event(txn, docket, sequence, &body, home, at)?,
        Record::Queued {
            to, order, payload, ..
        } => {
            put(txn, Table::Meta, order_key(&to), &order);
            let mut key = code_key(&to);
            key.extend_from_slice(&order.to_be_bytes());
            put(txn, Table::Unsealed, key, &payload);
        }
        Record::Sealed {
            to,
            order,
            envelope,
            next,
            body,
            expires,
            ..
        } => {
            let mut key = code_key(&to);
            key.extend_from_slice(&order.to_be_bytes());
            txn.delete(Table::Unsealed, key);
            into_outbox(
                txn,
                &next,
                OutboxRow {
                    envelope,
                    body,
                    expires,
                },
            )?;
        }
        Record::Taken {
            envelope,
            next,
            body,
            expires,
            ..
        } => match (next, body) {
            (Some(next), Some(body)) => into_outbox(
                txn,
                &next,
                OutboxRow {
                    envelope,
                    body,
                    expires,
                },
            )?,
            _ => put(
                txn,
                Table::Seen,
                envelope_key(&envelope),
                &SeenRow::Envelope {
                    outbox: None,
                    expires,
                },
            ),
        },
        Record::Passed { envelope, .. } | Record::Undeliverable { envelope, .. } => {
            if let Some(SeenRow::Envelope {
                outbox: Some(key),
                expires,
            }) = txn.row(Table::Seen, &envelope_key(&envelope))?
            {
                txn.delete(Table::Outbox, key);
                put(
                    txn,
                    Table::Seen,
                    envelope_key(&envelope),
                    &SeenRow::Envelope {
                        outbox: None,
                        expires,
                    },
                );
            }
        }
        Record::ChainLearned { chain, as_of } => remember_chain(txn, &chain, as_of)?,
        Record::Fetched { docket, object, .. } => {
            txn.delete(Table::Objects, wanted_key(&docket, &object))
        }
        Record::Delivery {
            act,
            dataset,
            delivery,
            ..
        } => {
            put(txn, Table::Datasets, dataset_key(&dataset), &delivery);
            txn.delete(Table::Datasets, splitting_key(&act));
        }
        Record::CheckpointSigned { checkpoint } => {
            let significant = counter(txn, meta::SIGNIFICANT)?;
            set_counter(txn, meta::SIGNIFICANT_SIGNED, significant);
            put(txn, Table::Meta, meta::CHECKPOINT.to_vec(), &checkpoint);
            if let Ok(claimed) = checkpoint.claimed(MAX_CHECKPOINT_BYTES) {
                put(
                    txn,
                    Table::Checkpoints,
                    claimed.size.to_be_bytes().to_vec(),
                    &CheckpointRow {
                        checkpoint,
                        cosignatures: Vec::new(),
                    },
                );
            }
        }
        Record::Cosigned { size, cosignature } => {
            if let Some(mut row) =
                txn.row::<CheckpointRow>(Table::Checkpoints, &size.to_be_bytes())?
            {
                row.cosignatures.push(cosignature);
                put(txn, Table::Checkpoints, size.to_be_bytes().to_vec(), &row);
                let newest = counter(txn, meta::COSIGNED)?.max(size);
                set_counter(txn, meta::COSIGNED, newest);
            }
        }
        Record::ChildCosigned { checkpoint, .. } => {
            if let Ok(claimed) = checkpoint.claimed(MAX_CHECKPOINT_BYTES) {
                put(
                    txn,
                    Table::Cosigned,
                    code_key(&claimed.node.code()),
                    &checkpoint,
                );
            }
        }
        Record::Finding {
            text_zh,
            text_en,
            article,
            at,
        } => {
            let number = counter(txn, meta::FINDINGS)? + 1;
            set_counter(txn, meta::FINDINGS, number);
            let view = super::view::FindingView {
                number,
                zh: text_zh,
                en: text_en,
                article,
                at,
            };
            put(
                txn,
                Table::Findings,
                (u64::MAX - number).to_be_bytes().to_vec(),
                &view,
            );
        }
    }
    Ok(())
}

/// The Merkle leaf, the index line, and whether the record says something beyond the ledger's own bookkeeping.
fn append_leaf(bytes: &[u8], record: &Record, txn: &mut Txn<'_>) -> Result<(), Fault> {
    let size = counter(txn, meta::LEAVES)?;
    let nodes = merkle::append(size, merkle::leaf(bytes), &Nodes(&*txn))
        .map_err(|error| Fault(format!("ledger: {error}")))?;
    for (level, index, digest) in nodes {
        put(txn, Table::LedgerNodes, merkle_key(level, index), &digest);
    }
    set_counter(txn, meta::LEAVES, size + 1);
    put(
        txn,
        Table::Index,
        size.to_be_bytes().to_vec(),
        &IndexRow {
            record: bytes.to_vec(),
        },
    );
    match record {
        Record::CheckpointSigned { .. }
        | Record::Cosigned { .. }
        | Record::ChildCosigned { .. }
        | Record::Passed { .. } => {}
        Record::Installed { .. }
        | Record::Act { .. }
        | Record::Refused { .. }
        | Record::Certified { .. }
        | Record::Revoked { .. }
        | Record::Segment { .. }
        | Record::ForkFound { .. }
        | Record::Event { .. }
        | Record::Queued { .. }
        | Record::Sealed { .. }
        | Record::Taken { .. }
        | Record::Undeliverable { .. }
        | Record::ChainLearned { .. }
        | Record::Fetched { .. }
        | Record::Served { .. }
        | Record::Delivery { .. }
        | Record::Finding { .. } => {
            let significant = counter(txn, meta::SIGNIFICANT)?;
            set_counter(txn, meta::SIGNIFICANT, significant + 1);
        }
    }
    Ok(())
}

fn act(
    txn: &mut Txn<'_>,
    id: ActId,
    doer: &Doer,
    body: &identity::Digest,
    at: Moment,
) -> Result<(), Fault> {
    let signed: SignedAct = txn.body_as(body)?;
    let act = signed
        .act
        .claimed(MAX_ACT_BYTES)
        .map_err(|error| Fault(format!("stored act: {error}")))?;
    let mut docket = act.body.docket();
    match &act.body {
        ActBody::EnrolPerson {
            certificate,
            department_name,
        } => {
            let mut chain = signed.signer.clone();
            chain.0.push(certificate.clone());
            if let Ok(claimed) = certificate.claimed(MAX_ACT_BYTES) {
                let row = PersonRow {
                    chain,
                    certificate: claimed.clone(),
                    department_name: department_name.clone(),
                    since: at,
                };
                put(
                    txn,
                    Table::People,
                    claimed.key.to_string().into_bytes(),
                    &row,
                );
            }
        }
        ActBody::CompileEntries { entries } => {
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
        }
        ActBody::ApproveEntries { entries } => {
            own_states(txn, entries, EntryState::Approved, None)?
        }
        ActBody::SubmitEntries { entries } => {
            own_states(txn, entries, EntryState::Submitted, None)?
        }
        ActBody::ReviewEntries {
            entries,
            verdict: ReviewVerdict::Publish,
        } => own_states(txn, entries, EntryState::Published, None)?,
        ActBody::ReviewEntries {
            entries,
            verdict: ReviewVerdict::Return { reason },
        } => own_states(txn, entries, EntryState::Draft, Some(reason))?,
        ActBody::WithdrawEntry { entry, .. } => own_states(
            txn,
            std::slice::from_ref(entry),
            EntryState::Withdrawn,
            None,
        )?,
        ActBody::Apply { .. } => {
            let opened = DocketId(id.0);
            docket = Some(opened);
            put(
                txn,
                Table::Drafts,
                docket_key(&opened),
                &DraftRow {
                    act: signed.clone(),
                    doer: doer.clone(),
                    at,
                },
            );
        }
        ActBody::ConsentToApply { docket, .. } => txn.delete(Table::Drafts, docket_key(docket)),
        ActBody::Subscribe { .. } => docket = Some(DocketId(id.0)),
        ActBody::ReturnTable { .. } => put(txn, Table::Datasets, splitting_key(&id), body),
        ActBody::TellMissing { .. }
        | ActBody::Supplement { .. }
        | ActBody::ProposeReply { .. }
        | ActBody::ConsentToReply { .. }
        | ActBody::Provide { .. }
        | ActBody::RecordUse { .. }
        | ActBody::RaiseDispute { .. }
        | ActBody::Negotiate { .. }
        | ActBody::Coordinate { .. }
        | ActBody::AnswerOpinion { .. }
        | ActBody::Decide { .. }
        | ActBody::CertifyMember { .. }
        | ActBody::RevokeMember { .. } => {}
    }
    authority_head(txn, &signed, at)?;
    put(txn, Table::Seen, act_key(&id), &SeenRow::Act { docket, at });
    Ok(())
}

/// The authority's head comes first in every chain and is remembered from the first act seen.
fn authority_head(txn: &mut Txn<'_>, signed: &SignedAct, at: Moment) -> Result<(), Fault> {
    let Some(head) = signed.signer.0.first() else {
        return Ok(());
    };
    let Ok(certificate) = head.claimed(MAX_ACT_BYTES) else {
        return Ok(());
    };
    let key = certificate.key.to_string().into_bytes();
    if txn.raw(Table::People, &key)?.is_none() {
        let chain = sharing::person::PersonChain(vec![head.clone()]);
        put(
            txn,
            Table::People,
            key,
            &PersonRow {
                chain,
                certificate,
                department_name: String::from("政务数据共享主管部门"),
                since: at,
            },
        );
    }
    Ok(())
}

/// One own entry.
pub(super) fn own_entry<V: View + ?Sized>(
    view: &V,
    id: &sharing::catalogue::EntryId,
) -> Result<Option<OwnEntry>, Fault> {
    view.row(Table::OwnEntries, id.as_str().as_bytes())
}

fn own_states(
    txn: &mut Txn<'_>,
    entries: &[sharing::catalogue::EntryVersion],
    state: EntryState,
    returned: Option<&String>,
) -> Result<(), Fault> {
    for version in entries {
        if let Some(mut row) = own_entry(txn, &version.id)? {
            row.state = state;
            row.returned = returned.cloned();
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

fn certified(txn: &mut Txn<'_>, chain: &Chain, at: Moment) -> Result<(), Fault> {
    let Ok(certificate) = chain.claimed() else {
        return Ok(());
    };
    let newest = counter(txn, meta::SERIAL)?.max(certificate.serial);
    set_counter(txn, meta::SERIAL, newest);
    put(
        txn,
        Table::Children,
        code_key(&certificate.place.code()),
        chain,
    );
    remember_chain(txn, chain, at)
}

/// Under the code the newest chain; beside it, under code and key, the newest of each key, for what was signed with an earlier one.
fn remember_chain(txn: &mut Txn<'_>, chain: &Chain, as_of: Moment) -> Result<(), Fault> {
    if let Ok(certificate) = chain.claimed() {
        let chain = chain.clone();
        let row = ChainRow { chain, as_of };
        let mut by_key = code_key(&certificate.place.code());
        let known: Option<ChainRow> = txn.row(Table::Chains, &by_key)?;
        if known.is_none_or(|known| age(&known.chain) <= age(&row.chain)) {
            put(txn, Table::Chains, by_key.clone(), &row);
        }
        by_key.extend_from_slice(certificate.signing_key.as_bytes());
        put(txn, Table::Chains, by_key, &row);
    }
    Ok(())
}

fn revoked(
    txn: &mut Txn<'_>,
    revocation: &identity::Signed<identity::Revocation>,
    at: Moment,
) -> Result<(), Fault> {
    if let Ok(claimed) = revocation.claimed(MAX_CHECKPOINT_BYTES) {
        put(
            txn,
            Table::Revocations,
            serial_key(&claimed.issuer, claimed.serial),
            revocation,
        );
        put(txn, Table::Meta, meta::REVOCATIONS_AS_OF.to_vec(), &at);
    }
    Ok(())
}

fn into_outbox(txn: &mut Txn<'_>, next: &identity::Code, row: OutboxRow) -> Result<(), Fault> {
    let place = counter(txn, meta::OUTBOX)? + 1;
    set_counter(txn, meta::OUTBOX, place);
    let mut key = code_key(next);
    key.extend_from_slice(&place.to_be_bytes());
    put(
        txn,
        Table::Seen,
        envelope_key(&row.envelope),
        &SeenRow::Envelope {
            outbox: Some(key.clone()),
            expires: row.expires,
        },
    );
    put(txn, Table::Outbox, key, &row);
    Ok(())
}

fn segment(
    txn: &mut Txn<'_>,
    signed: &identity::Signed<sync::Head>,
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
    let mut live: i64 = 0;
    let count = changes.len() as u64;
    for (index, change) in changes.into_iter().enumerate() {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        match change {
            Change::Published { entry, .. } => {
                live += publish_row(
                    txn,
                    &publisher,
                    &entry.id,
                    PublishedRow {
                        body: head.body,
                        index,
                        version: entry.version,
                        live: true,
                    },
                )?;
            }
            Change::Withdrawn { id, version, .. } => {
                live += publish_row(
                    txn,
                    &publisher,
                    &id,
                    PublishedRow {
                        body: head.body,
                        index,
                        version,
                        live: false,
                    },
                )?;
            }
            // Its author's word alone: what holds of it has a record of its own.
            Change::MemberCertified { .. } | Change::MemberRevoked { .. } => {}
        }
    }
    add(txn, meta::CHANGES, i64::try_from(count).unwrap_or(i64::MAX))?;
    add(txn, meta::CATALOGUE, live)?;
    if own {
        add(txn, meta::OWN_ENTRIES, live)?;
    }
    Ok(())
}

/// Writes a row unless an equal or later version stands there; returns by how much the live entries grew.
fn publish_row(
    txn: &mut Txn<'_>,
    publisher: &identity::Code,
    id: &sharing::catalogue::EntryId,
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

fn event(
    txn: &mut Txn<'_>,
    docket: DocketId,
    sequence: u32,
    body: &identity::Digest,
    home: identity::Path,
    at: Moment,
) -> Result<(), Fault> {
    let signed: identity::Signed<DocketEvent> = txn.body_as(body)?;
    let event = signed
        .claimed(MAX_ACT_BYTES * 2)
        .map_err(|error| Fault(format!("stored event: {error}")))?;
    let before: Option<DocketRow> = txn.row(Table::Dockets, &docket_key(&docket))?;
    let (old, released) = before.map_or((None, 0), |row| (Some(row.state), row.released));
    if let Some(old) = &old {
        for duty in duties(old) {
            txn.delete(Table::Duties, duty_key(&duty.due, &docket, duty.duty));
        }
    }
    let state = DocketState::evolve(old, &event)
        .map_err(|error| Fault(format!("stored event of {docket}: {error}")))?;
    let me = txn
        .row::<Chain>(Table::Meta, meta::CHAIN)?
        .and_then(|chain| chain.claimed().ok())
        .map(|me| me.code());
    // The clock of a duty runs at the docket's home; it would only be in the way at those who hold a copy.
    if me.is_some_and(|me| home.code() == me) {
        for duty in duties(&state).iter().filter(|duty| !duty.overdue) {
            let key = duty_key(&duty.due, &docket, duty.duty);
            put(txn, Table::Duties, key, &docket);
        }
    }
    for act in event.body.acts() {
        let key = act_key(&act.id());
        if txn.raw(Table::Seen, &key)?.is_none() {
            let docket = Some(docket);
            put(txn, Table::Seen, key, &SeenRow::Act { docket, at });
        }
    }
    if let Some(object) = wanted(&event)
        && me.is_some_and(|me| home.code() != me)
    {
        if matches!(state, DocketState::Application(_)) {
            // One object is at the requester's disposal; an earlier one is no longer to be had.
            let earlier = txn.raw_scan(Table::Objects, &docket_key(&docket), None, MAX_EARLIER)?;
            for (key, _) in earlier {
                txn.delete(Table::Objects, key);
            }
        }
        put(
            txn,
            Table::Objects,
            wanted_key(&docket, &object),
            &WantedRow {
                docket,
                sequence,
                tries: 0,
            },
        );
    }
    if let (DocketState::ReturnFlow(subscription), Some(true)) =
        (&state, me.map(|me| home.code() == me))
    {
        let mut key = dataset_subscribers(subscription.dataset.as_str());
        key.extend_from_slice(docket.0.as_bytes());
        put(txn, Table::Datasets, key, &());
    }
    let row = DocketRow {
        home,
        next: sequence + 1,
        last: signed.digest(identity::Domain::Event),
        released: if withheld(&event.body, &state) {
            released
        } else {
            sequence + 1
        },
        state,
        updated: at,
    };
    put(txn, Table::Dockets, docket_key(&docket), &row);
    put(txn, Table::DocketEvents, event_key(&docket, sequence), body);
    // The record of this event is the leaf just appended.
    let index = counter(txn, meta::LEAVES)?.saturating_sub(1);
    put(
        txn,
        Table::DocketEvents,
        event_leaf_key(&docket, sequence),
        &index,
    );
    Ok(())
}

/// Where the ledger index of an event's record is kept, beside the event.
pub(super) fn event_leaf_key(docket: &DocketId, sequence: u32) -> Vec<u8> {
    let mut key = b"leaf/".to_vec();
    key.extend_from_slice(&event_key(docket, sequence));
    key
}

/// A duty, ordered by when it is due.
pub(super) fn duty_key(due: &Moment, docket: &DocketId, duty: statute::Duty) -> Vec<u8> {
    let mut key = due.as_millis().max(0).to_be_bytes().to_vec();
    key.extend_from_slice(&docket_key(docket));
    key.extend_from_slice(duty.id().as_bytes());
    key
}

/// An object this node is to fetch.
pub(super) fn wanted_key(docket: &DocketId, object: &identity::Digest) -> Vec<u8> {
    let mut key = docket_key(docket);
    key.extend_from_slice(object.as_bytes());
    key
}

/// The duties that run in a docket.
pub(super) fn duties(state: &DocketState) -> Vec<OpenDuty> {
    match state {
        DocketState::Application(state) => sharing::application::duties(state),
        DocketState::Dispute(_) | DocketState::ReturnFlow(_) => Vec::new(),
    }
}

/// The object an event puts at a party's disposal.
fn wanted(event: &DocketEvent) -> Option<identity::Digest> {
    match &event.body {
        DocketBody::Application(ApplicationEvent::Providing { object, .. }) => Some(object.digest),
        DocketBody::ReturnFlow(ReturnFlowEvent::Delivering { notice, .. }) => {
            Some(notice.part.digest)
        }
        DocketBody::Application(_) | DocketBody::ReturnFlow(_) | DocketBody::Dispute(_) => None,
    }
}

/// Objects of one application that may still be wanted when the next is provided.
const MAX_EARLIER: usize = 64;

/// Whether the newest event is not yet for the other parties: a proposed reply becomes known with the consent that makes it the reply (R20).
/// A step in a dispute is for both sides whatever else waits (R28), and what stands before it in the order goes with it.
fn withheld(body: &DocketBody, state: &DocketState) -> bool {
    let disputes = matches!(
        body,
        DocketBody::Application(
            ApplicationEvent::DisputeRaised { .. }
                | ApplicationEvent::Negotiated { .. }
                | ApplicationEvent::DisputeConcluded { .. }
        )
    );
    let proposed = matches!(state, DocketState::Application(state) if matches!(state.phase, Phase::ReplyProposed { .. }));
    proposed && !disputes
}

/// Number of the last delivery of a dataset.
pub(super) fn dataset_key(dataset: &str) -> Vec<u8> {
    let mut key = b"d/".to_vec();
    key.extend_from_slice(dataset.as_bytes());
    key
}

/// A table that was accepted for return and is not yet split.
pub(super) fn splitting_key(act: &ActId) -> Vec<u8> {
    let mut key = b"s/".to_vec();
    key.extend_from_slice(act.0.as_bytes());
    key
}
