//! Who may read what through a circuit: asked by the driver at the destination, read-only.

use identity::planted::{self, Bug};
use identity::{Moment, Path, Signed};
use sharing::act::ObjectRef;
use sharing::application::Phase;
use sharing::docket::{Case, DocketBody, DocketEvent, MAX_EVENT_BYTES};
use sharing::return_flow::ReturnFlowEvent;
use statute::standing::check_may_provide;
use statute::{Article, Refusal, RefusalReason};

use super::Shelf;
use super::erasure::content_grant;
use super::tables::{DocketRow, View, docket_key, event_key};
use crate::store::{Fault, Read, Table};
use crate::wire::ObjectRequest;

/// What a circuit may carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitGrant {
    /// The object.
    pub object: ObjectRef,
    /// Where it is kept.
    pub shelf: Shelf,
}

impl CircuitGrant {
    fn file(object: &ObjectRef) -> Self {
        Self {
            object: object.clone(),
            shelf: Shelf::Objects,
        }
    }
}

/// Checks a request for an object against the live docket at its home: the one who asks is the party, the object is the one put at its
/// disposal, and the grant is in force (R27) and still runs (R25).
/// Personal content is for the holders of its docket, while it stands.
///
/// # Errors
/// The outer [`Fault`] when the medium fails; the inner [`Refusal`] when the law does not allow it.
pub fn authorise_circuit(
    read: &dyn Read,
    from: &Path,
    request: &ObjectRequest,
    now: Moment,
) -> Result<Result<CircuitGrant, Refusal>, Fault> {
    if let Some(granted) = content_grant(read, from, request)? {
        return Ok(granted.ok_or_else(|| RefusalReason::NoSuchContent.under(Article::P47)));
    }
    let unknown = || {
        RefusalReason::UnknownDocket {
            docket: request.docket.to_string(),
        }
        .under(Article::R22)
    };
    let Some(row) = read.row::<DocketRow>(Table::Dockets, &docket_key(&request.docket))? else {
        return Ok(Err(unknown()));
    };
    let anyone = planted::is(Bug::CircuitForAnyone);
    Ok(match &row.state.case {
        Case::Application(state) if state.requester.node == *from || anyone => match &state.phase {
            Phase::Providing { terms, object, .. } | Phase::Provided { terms, object } => {
                let standing = check_may_provide(state.standing.access.standing());
                if let (Err(refusal), false) = (standing, planted::is(Bug::SuspendedGrantServes)) {
                    Err(refusal)
                } else if now >= terms.until && !planted::is(Bug::GrantWithoutPeriod) {
                    Err(ended(terms.until))
                } else if object.digest == request.object {
                    Ok(CircuitGrant::file(object))
                } else {
                    Err(unknown())
                }
            }
            Phase::Received { .. }
            | Phase::Incomplete { .. }
            | Phase::ReplyProposed { .. }
            | Phase::Granted { .. }
            | Phase::Refused { .. } => Err(RefusalReason::WrongState {
                expected: "provided".into(),
                found: state.phase.name().into(),
            }
            .under(Article::R22)),
        },
        // The corrected file is for whoever asked, while its own grant runs (R25, R26).
        Case::Correction(state) if state.requester.node == *from => {
            match state.object().filter(|it| it.digest == request.object) {
                Some(_) if now >= state.until => Err(ended(state.until)),
                Some(object) => Ok(CircuitGrant::file(object)),
                None => Err(unknown()),
            }
        }
        Case::ReturnFlow(state) if state.recipient == *from => {
            delivered_part(read, &row, request)?.ok_or_else(unknown)
        }
        // Who is no party learns no more than that there is nothing for it here.
        _ => Err(unknown()),
    })
}

/// Data is handed out within the granted period only (R25).
pub(super) fn ended(until: Moment) -> Refusal {
    RefusalReason::PeriodExpired {
        ended: statute::beijing_date(until.as_millis()).to_string(),
    }
    .under(Article::R25)
}

/// The part of one of the docket's deliveries, newest first, what leads to it from an earlier one, or its leaves.
fn delivered_part(
    read: &dyn Read,
    row: &DocketRow,
    request: &ObjectRequest,
) -> Result<Option<CircuitGrant>, Fault> {
    for sequence in (0..row.next).rev() {
        let Some(body) = read
            .row::<identity::Digest>(Table::DocketEvents, &event_key(&request.docket, sequence))?
        else {
            continue;
        };
        let signed: Signed<DocketEvent> = read.body_as(&body)?;
        let Ok(event) = signed.claimed(MAX_EVENT_BYTES) else {
            continue;
        };
        if let DocketBody::ReturnFlow(ReturnFlowEvent::Delivering { notice, .. }) = event.body {
            let delta = notice.difference.map(|difference| difference.delta);
            let mut objects = [Some(notice.part), delta, Some(notice.leaves)].into_iter();
            let wanted =
                objects.find(|it| it.as_ref().is_some_and(|it| it.digest == request.object));
            if let Some(object) = wanted.flatten() {
                return Ok(Some(CircuitGrant::file(&object)));
            }
        }
    }
    Ok(None)
}
