//! Cases: people's acts, dockets and their duties, drafts, tables to be returned.

use identity::{Chain, Code, Digest, Domain, Moment, Path, Signed};
use serde::{Deserialize, Serialize};
use sharing::act::{ActBody, ActId, Doer, MAX_ACT_BYTES, SignedAct};
use sharing::application::{ApplicationEvent, ApplicationState, DirectAct, Phase};
use sharing::catalogue::{EntryState, ReviewVerdict};
use sharing::clock::OpenDuty;
use sharing::correction::{CorrectionEvent, CorrectionOutcome};
use sharing::docket::{Case, DocketBody, DocketEvent, DocketId, DocketState, Workflow};
use sharing::node_act::NodeAct;
use sharing::return_flow::ReturnFlowEvent;

use super::catalogue::{compiled, own_states};
use super::{clock, members, personal};
use crate::core::tables::{
    DocketRow, PlacedRow, SeenRow, View, WantedRow, act_key, counter, dataset_received,
    dataset_subscribers, docket_key, entry_holders, evaluations_of, event_key, grants_of, meta,
    person_key, put, receipt_key, set_counter, updates_of,
};
use crate::store::{Fault, Table, Txn};

/// A drafted application, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftRow {
    /// The operator's act.
    pub act: SignedAct,
    /// Who.
    pub doer: Doer,
    /// When.
    pub at: Moment,
    /// What the authority answered on its risk of aggregation last, if it did (R25).
    pub answer: Option<SignedAct>,
}

/// A person's act: what it changes here, and that it was taken.
pub(super) fn act(
    txn: &mut Txn<'_>,
    id: ActId,
    doer: &Doer,
    body: &Digest,
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
        } => members::enrolled(txn, &signed.signer, certificate, department_name, at),
        ActBody::CompileEntries { entries } => compiled(txn, entries)?,
        ActBody::ApproveEntries { entries } => {
            own_states(txn, entries, EntryState::Approved, None)?
        }
        ActBody::SubmitEntries { entries } => {
            own_states(txn, entries, EntryState::Submitted, None)?
        }
        ActBody::ReviewEntries { entries, verdict } => match verdict {
            ReviewVerdict::Publish => own_states(txn, entries, EntryState::Published, None)?,
            ReviewVerdict::Return { reason } => {
                own_states(txn, entries, EntryState::Draft, Some(reason))?
            }
        },
        ActBody::WithdrawEntry { entry, .. } => {
            let entry = std::slice::from_ref(entry);
            own_states(txn, entry, EntryState::Withdrawn, None)?
        }
        ActBody::Apply { .. } => docket = Some(drafted(txn, id, &signed, doer, at)),
        ActBody::ConsentToApply { docket, .. } => txn.delete(Table::Drafts, docket_key(docket)),
        ActBody::Subscribe(_) => docket = Some(DocketId(id.0)),
        ActBody::ReturnTable { .. } => put(txn, Table::Datasets, splitting_key(&id), body),
        ActBody::Direct(DirectAct::Place { entry, object }) => {
            let key = entry.id.as_str().as_bytes().to_vec();
            let (act, entry, object) = (id, entry.clone(), object.clone());
            let row = PlacedRow {
                act,
                entry,
                object,
                at,
            };
            put(txn, Table::Placed, key, &row);
        }
        ActBody::Node(NodeAct::EndEnrolment { person, ending }) => {
            put(txn, Table::Endings, person_key(person), ending);
        }
        ActBody::Aggregation(said) => {
            let key = docket_key(&said.draft);
            if let Some(draft) = txn.row::<DraftRow>(Table::Drafts, &key)? {
                let answer = Some(signed.clone());
                put(txn, Table::Drafts, key, &DraftRow { answer, ..draft });
            }
        }
        // Steps in dockets, notices and certificates have records of their own; a docket opened by its act is named after it.
        other => {
            if other.opens().is_some() {
                docket = Some(DocketId(id.0));
            }
        }
    }
    members::authority_head(txn, &signed, at)?;
    personal::said(txn, id, &act.body)?;
    put(txn, Table::Seen, act_key(&id), &SeenRow::Act { docket, at });
    Ok(())
}

/// An application drafted, to await consent under the number its docket will have.
fn drafted(txn: &mut Txn<'_>, id: ActId, act: &SignedAct, doer: &Doer, at: Moment) -> DocketId {
    let docket = DocketId(id.0);
    let row = DraftRow {
        act: act.clone(),
        doer: doer.clone(),
        at,
        answer: None,
    };
    put(txn, Table::Drafts, docket_key(&docket), &row);
    docket
}

/// A docket's event: its state, what it gives to be fetched and to be done, and where it lies.
pub(super) fn event(
    txn: &mut Txn<'_>,
    docket: DocketId,
    sequence: u32,
    body: &Digest,
    home: Path,
    at: Moment,
) -> Result<(), Fault> {
    let signed: Signed<DocketEvent> = txn.body_as(body)?;
    let event = signed
        .claimed(MAX_ACT_BYTES * 2)
        .map_err(|error| Fault(format!("stored event: {error}")))?;
    let before: Option<DocketRow> = txn.row(Table::Dockets, &docket_key(&docket))?;
    let (old, released) = before.map_or((None, 0), |row| (Some(row.state), row.released));
    stop_duties(txn, &docket, old.as_ref());
    let ran = old.as_ref().map(DocketState::duties).unwrap_or_default();
    let was_waiting = old.as_ref().is_some_and(|old| old.case.is_open());
    let state = DocketState::evolve(old, &event)
        .map_err(|error| Fault(format!("stored event of {docket}: {error}")))?;
    let me = txn
        .row::<Chain>(Table::Meta, meta::CHAIN)?
        .and_then(|chain| chain.claimed().ok())
        .map(|me| me.code());
    acts_seen(txn, docket, &event, at)?;
    if let Some(me) = me {
        if home.code() == me {
            at_home(txn, &docket, &state);
            public_kept(txn, &docket, was_waiting, &state)?;
        } else {
            object_wanted(txn, docket, sequence, &event, &state)?;
            clock::heard(txn, &event, &ran, &state, at)?;
            received(txn, &docket, &state, me);
        }
    }
    personal::event(txn, &event, me == Some(home.code()))?;
    if let (Case::Application(application), Some(me)) = (&state.case, me) {
        granted(txn, &docket, application, me);
    }
    if let Case::Evaluation(evaluation) = &state.case {
        let mut key = evaluations_of(evaluation.report.period);
        key.extend_from_slice(docket.0.as_bytes());
        put(txn, Table::Evaluations, key, &());
    }
    let withheld = withheld(&event.body, &state);
    let row = DocketRow {
        home,
        next: sequence + 1,
        last: signed.digest(Domain::Event),
        released: if withheld { released } else { sequence + 1 },
        state,
        updated: at,
    };
    put(txn, Table::Dockets, docket_key(&docket), &row);
    put(txn, Table::DocketEvents, event_key(&docket, sequence), body);
    // The record of this event is the leaf just appended.
    let index = counter(txn, meta::LEAVES)?.saturating_sub(1);
    let leaf = event_leaf_key(&docket, sequence);
    put(txn, Table::DocketEvents, leaf, &index);
    Ok(())
}

/// What a department of this node was granted, while it may hold it.
fn granted(txn: &mut Txn<'_>, docket: &DocketId, state: &ApplicationState, me: Code) {
    if state.requester.node.code() != me || state.phase.terms().is_none() {
        return;
    }
    let mut key = grants_of(&state.requester.department);
    key.extend_from_slice(docket.0.as_bytes());
    if state.standing.access.is_over() {
        txn.delete(Table::Grants, key);
    } else {
        put(txn, Table::Grants, key, &());
    }
}

/// The duties of the state before run no more.
fn stop_duties(txn: &mut Txn<'_>, docket: &DocketId, old: Option<&DocketState>) {
    for duty in old.into_iter().flat_map(DocketState::duties) {
        txn.delete(Table::Duties, duty_key(&duty.term.due, docket, duty.duty));
    }
}

/// What the home alone keeps: the duties that it records and recounts (who holds a copy watches them in a table of their own, [`clock`]);
/// subscriptions, and who holds the data of which entry.
fn at_home(txn: &mut Txn<'_>, docket: &DocketId, state: &DocketState) {
    let late = |duty: &OpenDuty| state.clock.is_overdue(duty.duty, duty.term.arises);
    for duty in state.duties().iter().filter(|duty| !late(duty)) {
        let key = duty_key(&duty.term.due, docket, duty.duty);
        put(txn, Table::Duties, key, docket);
    }
    let listed = match &state.case {
        Case::ReturnFlow(subscription) => Some(dataset_subscribers(
            subscription.subscription.dataset.as_str(),
        )),
        Case::Application(application) if application.held().is_some() => Some(entry_holders(
            &application.provider.department,
            &application.entry.entry.id,
        )),
        _ => None,
    };
    if let Some(mut key) = listed {
        key.extend_from_slice(docket.0.as_bytes());
        put(txn, Table::Datasets, key, &());
    }
    if let Case::Update(update) = &state.case {
        let mut key = updates_of(&update.entry);
        key.extend_from_slice(docket.0.as_bytes());
        if update.is_open() {
            put(txn, Table::Updates, key, &());
        } else {
            txn.delete(Table::Updates, key);
        }
    }
}

/// Of a case that the public opened at home here: by which receipt it is read, and whether it waits for an answer.
fn public_kept(
    txn: &mut Txn<'_>,
    docket: &DocketId,
    was_waiting: bool,
    state: &DocketState,
) -> Result<(), Fault> {
    let Some(intake) = state.case.intake() else {
        return Ok(());
    };
    put(txn, Table::Receipts, receipt_key(&intake.receipt), docket);
    let waiting = counter(txn, meta::PUBLIC_WAITING)?;
    let waiting = match (was_waiting, state.case.is_open()) {
        (false, true) => waiting.saturating_add(1),
        (true, false) => waiting.saturating_sub(1),
        (true, true) | (false, false) => return Ok(()),
    };
    set_counter(txn, meta::PUBLIC_WAITING, waiting);
    Ok(())
}

/// What this node can pass on to the level below: its own rows, under the subscription by which they came.
fn received(txn: &mut Txn<'_>, docket: &DocketId, state: &DocketState, me: Code) {
    if let Case::ReturnFlow(returned) = &state.case
        && returned.recipient.code() == me
        && returned.subscription.area.as_str() == me.as_str()
        && returned.held.is_some()
    {
        let subscription = &returned.subscription;
        let key = dataset_received(subscription.origin.as_str(), subscription.dataset.as_str());
        put(txn, Table::Datasets, key, docket);
    }
}

/// Acts that arrive in an event are taken with it.
fn acts_seen(
    txn: &mut Txn<'_>,
    docket: DocketId,
    event: &DocketEvent,
    at: Moment,
) -> Result<(), Fault> {
    for act in event.body.acts() {
        let key = act_key(&act.id());
        if txn.raw(Table::Seen, &key)?.is_none() {
            let docket = Some(docket);
            put(txn, Table::Seen, key, &SeenRow::Act { docket, at });
        }
    }
    Ok(())
}

/// An object put at this party's disposal is to be fetched.
fn object_wanted(
    txn: &mut Txn<'_>,
    docket: DocketId,
    sequence: u32,
    event: &DocketEvent,
    state: &DocketState,
) -> Result<(), Fault> {
    let Some(object) = wanted(event) else {
        return Ok(());
    };
    if matches!(state.case, Case::Application(_)) {
        // One object is at the requester's disposal; an earlier one is no longer to be had.
        let earlier = txn.raw_scan(Table::Objects, &docket_key(&docket), None, MAX_EARLIER)?;
        for (key, _) in earlier {
            txn.delete(Table::Objects, key);
        }
    }
    let row = WantedRow {
        docket,
        sequence,
        tries: 0,
    };
    put(txn, Table::Objects, wanted_key(&docket, &object), &row);
    Ok(())
}

/// A table was split and committed to.
pub(super) fn delivered(txn: &mut Txn<'_>, act: &ActId, dataset: &str, delivery: u64) {
    put(txn, Table::Datasets, dataset_key(dataset), &delivery);
    txn.delete(Table::Datasets, splitting_key(act));
}

/// Where the ledger index of an event's record is kept, beside the event.
pub(in crate::core) fn event_leaf_key(docket: &DocketId, sequence: u32) -> Vec<u8> {
    let mut key = b"leaf/".to_vec();
    key.extend_from_slice(&event_key(docket, sequence));
    key
}

/// A duty, ordered by when it is due.
pub(in crate::core) fn duty_key(due: &Moment, docket: &DocketId, duty: statute::Duty) -> Vec<u8> {
    let mut key = due.as_millis().max(0).to_be_bytes().to_vec();
    key.extend_from_slice(&docket_key(docket));
    key.extend_from_slice(duty.id().as_bytes());
    key
}

/// An object this node is to fetch.
pub(in crate::core) fn wanted_key(docket: &DocketId, object: &Digest) -> Vec<u8> {
    let mut key = docket_key(docket);
    key.extend_from_slice(object.as_bytes());
    key
}

/// The object an event puts at a party's disposal.
fn wanted(event: &DocketEvent) -> Option<Digest> {
    match &event.body {
        DocketBody::Application(ApplicationEvent::Providing { object, .. }) => Some(object.digest),
        DocketBody::ReturnFlow(ReturnFlowEvent::Delivering { notice, .. }) => {
            Some(notice.part.digest)
        }
        DocketBody::Correction(CorrectionEvent::Answered {
            outcome:
                CorrectionOutcome::Corrected {
                    object: Some(object),
                    ..
                },
            ..
        }) => Some(object.digest),
        _ => None,
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
    let proposed = matches!(&state.case, Case::Application(state) if matches!(state.phase, Phase::ReplyProposed { .. }));
    proposed && !disputes
}

/// Number of the last delivery of a dataset.
pub(in crate::core) fn dataset_key(dataset: &str) -> Vec<u8> {
    let mut key = b"d/".to_vec();
    key.extend_from_slice(dataset.as_bytes());
    key
}

/// A table that was accepted for return and is not yet split.
pub(in crate::core) fn splitting_key(act: &ActId) -> Vec<u8> {
    let mut key = b"s/".to_vec();
    key.extend_from_slice(act.0.as_bytes());
    key
}
