//! Calls of a service (服务接口, R22): each end checks the grant and has the use on record before it goes on.
//!
//! ```text
//! Input::CallBegun ──► authorised ──► Record::Call Begun   ──► answered once durable: the call may go on
//!                        └──────────► Record::Call Refused ──► answered with the refusal
//! Input::CallEnded ──────────────────► Record::Call Ended
//! ```
//!
//! A call that began and has no end on record was broken off by the end of the process. Who is no party to the docket learns that there is
//! nothing for it here, and that leaves no record: there is no case to put it to.

use identity::{Digest, Moment, Path, Signed};
use serde::{Deserialize, Serialize};
use sharing::application::{ApplicationState, Phase};
use sharing::catalogue::EntryId;
use sharing::docket::{Case, DocketId};
use statute::purpose::{check_purpose, check_scope};
use statute::sharing_method::check_method;
use statute::standing::check_may_provide;
use statute::{Article, Method, Refusal, RefusalReason};

use super::circuits::ended;
use super::tables::{DocketRow, View, docket_key};
use super::{Answer, Context, Core, Effect, Record, Refused, Token, members};
use crate::service::{CallAnswer, CallCut, CallHead, CallId, Unavailable};
use crate::store::{Fault, Read, Table};

/// Which end of a call a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CallSide {
    /// The requester's node.
    Asked,
    /// The provider's node.
    Answered,
}

/// What a call is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallGrant {
    /// The provider's node, the docket's home.
    pub provider: Path,
    /// The entry, which names the backend.
    pub entry: EntryId,
    /// The data items of the answer: those named by the call, or all that are granted.
    pub items: Vec<String>,
    /// Whether the entry has further items, so that an answer must be reduced to these.
    pub limited: bool,
}

/// A step of a call, as an end has it on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallStep {
    /// It was lawful and began.
    Begun {
        /// The requester's node.
        requester: Path,
        /// The provider's node.
        provider: Path,
        /// For what, in the words of the grant.
        purpose: String,
        /// Digest of the request's head: what was asked may be personal, so it is not kept.
        head: Digest,
    },
    /// It was refused by law at this end.
    Refused {
        /// The requester's node.
        requester: Path,
        /// Why, with its article.
        refusal: Refusal,
    },
    /// It ended.
    Ended(CallEnd),
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallEnd {
    /// All of the answer came, and it is the one that was sent.
    Whole {
        /// The provider's receipt with its signature.
        receipt: Signed<CallAnswer>,
    },
    /// The requester's program or node hung up.
    Cancelled {
        /// Bytes of the answer until then.
        bytes: u64,
    },
    /// It was cut in the middle, at this end or the other.
    Cut {
        /// Bytes of the answer until then.
        bytes: u64,
        /// Why.
        cut: CallCut,
    },
    /// The other end refused it by law.
    Refused(Refusal),
    /// The service takes no more calls now.
    TooMany,
    /// The provider's end could not serve it.
    Unavailable(Unavailable),
    /// The circuit broke.
    Lost {
        /// Bytes of the answer until then.
        bytes: u64,
    },
    /// What came is not what the provider's node signed for.
    Mismatch {
        /// Bytes that came.
        bytes: u64,
    },
}

/// Checks a call against the live grant, at either end: `caller` is the requester's node, the way is a service interface (R22), the grant is
/// in force (R27) and still runs, and purpose and fields lie within it (R25).
///
/// # Errors
/// The outer [`Fault`] when the medium fails; the inner [`Refusal`] when the law does not allow it.
pub fn authorise_call(
    read: &dyn Read,
    caller: &Path,
    head: &CallHead,
    now: Moment,
) -> Result<Result<CallGrant, Refusal>, Fault> {
    Ok(match party_state(read, caller, head.docket)? {
        Some(state) => authorised(&state, head, now),
        None => Err(unknown(head.docket)),
    })
}

fn unknown(docket: DocketId) -> Refusal {
    RefusalReason::UnknownDocket {
        docket: docket.to_string(),
    }
    .under(Article::R22)
}

/// The application under which `caller` is the requester.
fn party_state<V: View + ?Sized>(
    view: &V,
    caller: &Path,
    docket: DocketId,
) -> Result<Option<ApplicationState>, Fault> {
    let row = view.row::<DocketRow>(Table::Dockets, &docket_key(&docket))?;
    Ok(row.and_then(|row| match row.state.case {
        Case::Application(state) if state.requester.node == *caller => Some(*state),
        _ => None,
    }))
}

fn authorised(
    state: &ApplicationState,
    head: &CallHead,
    now: Moment,
) -> Result<CallGrant, Refusal> {
    let terms = match &state.phase {
        Phase::Providing { terms, .. } | Phase::Provided { terms, .. } => terms,
        Phase::Received { .. }
        | Phase::Incomplete { .. }
        | Phase::ReplyProposed { .. }
        | Phase::Granted { .. }
        | Phase::Refused { .. } => {
            return Err(RefusalReason::WrongState {
                expected: "provided".into(),
                found: state.phase.name().into(),
            }
            .under(Article::R22));
        }
    };
    check_method(terms.method, Method::ServiceInterface)?;
    check_may_provide(state.standing.access.standing())?;
    for field in &head.fields {
        check_scope(&terms.items, field)?;
    }
    let purposes = [
        std::slice::from_ref(&terms.purpose),
        &state.standing.purposes,
    ]
    .concat();
    check_purpose(&purposes, &head.purpose)?;
    if now >= terms.until {
        return Err(ended(terms.until));
    }
    let items = if head.fields.is_empty() {
        terms.items.clone()
    } else {
        head.fields
            .iter()
            .map(|field| field.trim().to_owned())
            .collect()
    };
    let mut all = state.entry.entry.items.iter();
    Ok(CallGrant {
        provider: state.provider.node.clone(),
        entry: state.entry.entry.id.clone(),
        limited: all.any(|item| !items.contains(&item.name)),
        items,
    })
}

impl Core {
    /// A call is to begin at this end: decided and on record here, before anyone goes on with it.
    pub(super) fn call_begun(
        &mut self,
        ctx: &mut Context<'_, '_>,
        token: Token,
        (side, from): (CallSide, Option<Path>),
        head: &CallHead,
    ) -> Result<(), Fault> {
        let answer = match self
            .membership_at_home(ctx.now)
            .map(|member| member.place().clone())
        {
            Ok(here) => self.begin(ctx, side, from.unwrap_or(here), head)?,
            Err(refused) => Err(refused),
        };
        ctx.effects.push(Effect::Answer { token, answer });
        Ok(())
    }

    fn begin(
        &self,
        ctx: &mut Context<'_, '_>,
        side: CallSide,
        caller: Path,
        head: &CallHead,
    ) -> Result<Result<Answer, Refused>, Fault> {
        let Some(state) = party_state(&*ctx.txn, &caller, head.docket)? else {
            return Ok(Err(Refused::Lawful(unknown(head.docket))));
        };
        // R35: a node that was cut off serves its own departments alone.
        if let Some(cut_off) = &self.cut_off
            && !(self.is_here(caller.code()) && self.is_here(state.provider.node.code()))
        {
            return Ok(Err(Refused::Lawful(members::refusal(cut_off))));
        }
        let decided = authorised(&state, head, ctx.now);
        let step = match &decided {
            Ok(grant) => CallStep::Begun {
                requester: caller,
                provider: grant.provider.clone(),
                purpose: head.purpose.clone(),
                head: head.digest(),
            },
            Err(refusal) => CallStep::Refused {
                requester: caller,
                refusal: refusal.clone(),
            },
        };
        let at = ctx.now;
        ctx.record(&Record::Call {
            call: head.id,
            docket: head.docket,
            side,
            step,
            at,
        })?;
        Ok(decided.map_err(Refused::Lawful).map(|_| Answer {
            docket: Some(head.docket),
            ..Answer::at(at)
        }))
    }

    /// A call ended at this end.
    pub(super) fn call_ended(
        &mut self,
        ctx: &mut Context<'_, '_>,
        (call, docket, side): (CallId, DocketId, CallSide),
        end: CallEnd,
    ) -> Result<(), Fault> {
        let (step, at) = (CallStep::Ended(end), ctx.now);
        ctx.record(&Record::Call {
            call,
            docket,
            side,
            step,
            at,
        })
    }
}
