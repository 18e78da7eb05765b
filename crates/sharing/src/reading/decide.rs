//! Who reads, and who orders a reading.

use identity::Path;
use statute::{Article, Reader, Refusal, RefusalReason, Role};

use super::{
    InspectionEvent, InspectionState, MAX_INSPECTION_READINGS, MAX_READINGS_BY_ONE, ReadingAct,
    ReadingOrder,
};
use crate::act::{ActBody, Doer, VerifiedAct, at_most};
use crate::application::{ApplicationEvent, ApplicationState};
use crate::docket::{Case, DocketId, Opening};

/// As whom someone would read the records of use of an application (R29).
pub fn reader_of(application: &ApplicationState, doer: &Doer) -> Reader {
    let keeper = &application.requester;
    if keeper.includes(doer) {
        return Reader::Keeper;
    }
    if application.provider.includes(doer) {
        return Reader::Provider;
    }
    let authority = matches!(doer.role, Role::AuthorityReviewer | Role::AuthorityHead);
    match authority {
        true if keeper.node.code() == doer.node => Reader::SameLevelAuthority,
        true if keeper.node.ancestors().any(|it| it == doer.node) => Reader::Superior,
        true | false => Reader::Other,
    }
}

/// R29: a reading of an application's records of use, by whoever is entitled.
///
/// # Errors
/// `NotEntitledToRead`, `TooLong`; R29.
pub fn reads(
    application: &ApplicationState,
    act: &VerifiedAct,
) -> Result<ApplicationEvent, Refusal> {
    let reader = reader_of(application, act.doer());
    statute::check_may_read(reader)?;
    let before = application.readings.get(&reader).copied().unwrap_or(0);
    room(before, MAX_READINGS_BY_ONE)?;
    Ok(ApplicationEvent::UsesRead {
        act: act.signed().clone(),
        reader,
    })
}

/// R29: a reading in an inspection, by the reader whom the order names.
pub(super) fn inspected(
    state: &InspectionState,
    act: &VerifiedAct,
) -> Result<InspectionEvent, Refusal> {
    let ActBody::Reading(ReadingAct::Read { docket, .. }) = &act.act().body else {
        return Err(RefusalReason::WrongState {
            expected: "another docket".into(),
            found: "reading-ordered".into(),
        }
        .under(Article::R29));
    };
    if *docket != state.docket {
        return Err(unknown(*docket));
    }
    let reader = state.reader(act.signed());
    statute::check_may_read(reader)?;
    room(state.readings, MAX_INSPECTION_READINGS)?;
    Ok(InspectionEvent::Read {
        act: act.signed().clone(),
        reader,
    })
}

/// What can be said of an order before it leaves the node of whoever orders: it comes from above, with a reason.
///
/// # Errors
/// `NotTheSupervisor`, `ReasonsRequired`; R29.
pub fn check_ordered_from_above(order: &ReadingOrder, from: &Path) -> Result<(), Refusal> {
    statute::check_orders_reading(from, &order.keeper, &order.reason, Path::is_ancestor_of)
}

/// What an order brings about at the node of whoever keeps the records.
///
/// # Errors
/// `NotTheSupervisor`, `ReasonsRequired`, `UnknownDocket`; R29.
pub fn open(
    act: &VerifiedAct,
    order: &ReadingOrder,
    opening: &Opening<'_>,
) -> Result<InspectionEvent, Refusal> {
    check_ordered_from_above(order, opening.from)?;
    let application = match opening.about.map(|about| &about.case) {
        Some(Case::Application(state)) => state,
        Some(_) | None => return Err(unknown(order.about)),
    };
    let kept_here = application.requester.node == order.keeper && order.keeper == *opening.here;
    if !kept_here || application.docket != order.about {
        return Err(unknown(order.about));
    }
    Ok(InspectionEvent::Ordered {
        act: act.signed().clone(),
        by: opening.from.clone(),
        order: order.clone(),
        keeper: application.requester.clone(),
        entry_name: application.entry.entry.name.clone(),
    })
}

fn room(before: u32, limit: u32) -> Result<(), Refusal> {
    let (found, limit) = (before.saturating_add(1) as usize, limit as usize);
    at_most(found, limit, Article::R29)
}

fn unknown(docket: DocketId) -> Refusal {
    RefusalReason::UnknownDocket {
        docket: docket.to_string(),
    }
    .under(Article::R29)
}
