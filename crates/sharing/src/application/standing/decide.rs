//! Whether a step in the life of a grant may be taken: who takes it, and in which standing. R25, R27.

use std::collections::BTreeSet;

use identity::Moment;
use statute::class::MAX_TERMS_LISTED;
use statute::purpose::{check_purpose, check_recipient, check_scope};
use statute::service_change::{ServiceChangeStep, check_service_change};
use statute::standing::check_may_provide;
use statute::{
    ApplicationMaterial, Article, Duty, Refusal, RefusalReason, RequiredField, Role,
    UseRecordField, check_date_set, check_may_restore, check_may_terminate,
};

use super::{
    Access, GrantAct, GrantEvent, GrantStep, MAX_GRANT_MATTERS, MAX_RECIPIENTS, ProposedChange,
    Wider,
};
use crate::act::{VerifiedAct, at_most};
use crate::application::grant::grant_runs;
use crate::application::rules::{acts_for, below, echo, items_within};
use crate::application::{ApplicationState, GrantTerms, Phase};
use crate::clock::Term;
use crate::docket::Step;

/// What a step brings about. `terms` are those of the data at the requester's disposal: before that, R21 and R22 govern, but for what an
/// incident suspends (R35).
///
/// # Errors
/// The [`Refusal`] of the rule that does not let it pass.
pub(in crate::application) fn decide(
    state: &ApplicationState,
    terms: &GrantTerms,
    done: &GrantAct,
    act: &VerifiedAct,
    step: &Step<'_>,
) -> Result<GrantEvent, Refusal> {
    match &done.step {
        GrantStep::AskWidening { wider, grounds } => {
            ask_widening(state, terms, (wider, grounds), act, step.now)
        }
        GrantStep::AnswerWidening { consents, reasons } => {
            answer_widening(state, terms, (*consents, reasons), act, step.now)
        }
        GrantStep::Suspend {
            reasons,
            rectify_by,
        } => suspend(state, (reasons, *rectify_by), act, step),
        GrantStep::ReportRectified { statement } => report_rectified(state, statement, act),
        GrantStep::Restore { reasons } => restore(state, reasons, act),
        GrantStep::Terminate { reasons } => terminate(state, reasons, act, step.now),
        GrantStep::RequireDisposal { how, by } => require_disposal(state, (how, *by), act, step),
        GrantStep::Dispose { how, certificate } => dispose(state, (how, certificate), act),
        GrantStep::ProposeChange { what: _, reasons } => propose_change(state, reasons, act),
        GrantStep::AnswerChange {
            agrees: _,
            statement,
        } => answer_change(state, statement, act),
        GrantStep::FileChange => file_change(state, act),
        GrantStep::CarryOutChange => carry_out_change(state, act),
    }?;
    Ok(GrantEvent {
        act: act.signed().clone(),
        step: done.step.clone(),
        provide: provide_by(state, &done.step, step),
    })
}

/// R25: the requester asks for what lies beyond the grant.
fn ask_widening(
    state: &ApplicationState,
    terms: &GrantTerms,
    (wider, grounds): (&Wider, &str),
    act: &VerifiedAct,
    now: Moment,
) -> Result<(), Refusal> {
    acts_for(&state.requester, act, Article::R25)?;
    stated(grounds, Article::R25)?;
    in_force_and_running(state, terms, now)?;
    if state.standing.asked.is_some() {
        return Err(duplicate("widening-asked", Article::R25));
    }
    lies_beyond_the_grant(state, terms, wider)?;
    one_more(state, Article::R25)
}

/// R25: the provider consents to all of it, or says why not.
fn answer_widening(
    state: &ApplicationState,
    terms: &GrantTerms,
    (consents, reasons): (bool, &str),
    act: &VerifiedAct,
    now: Moment,
) -> Result<(), Refusal> {
    acts_for(&state.provider, act, Article::R25)?;
    if state.standing.asked.is_none() {
        return Err(wrong_state("widening-asked", "none", Article::R25));
    }
    if consents {
        in_force_and_running(state, terms, now)
    } else {
        stated(reasons, Article::R25)
    }
}

/// R27: access is suspended, with reasons and a date for rectification.
fn suspend(
    state: &ApplicationState,
    (reasons, rectify_by): (&str, Moment),
    act: &VerifiedAct,
    step: &Step<'_>,
) -> Result<(), Refusal> {
    may_suspend(state, act)?;
    stated(reasons, Article::R27)?;
    check_may_provide(state.standing.access.standing())?;
    date_set(Duty::Rectify, rectify_by, step)?;
    one_more(state, Article::R27)
}

/// R27: the requester says what it rectified.
fn report_rectified(
    state: &ApplicationState,
    statement: &str,
    act: &VerifiedAct,
) -> Result<(), Refusal> {
    acts_for(&state.requester, act, Article::R27)?;
    stated(statement, Article::R27)?;
    match &state.standing.access {
        Access::Suspended { .. } => Ok(()),
        access @ (Access::InForce
        | Access::Rectified { .. }
        | Access::Terminated
        | Access::ServiceEnded
        | Access::Disposed) => Err(not_suspended(access)),
    }
}

/// R27: whoever may suspend restores, once rectification was reported, or for reasons.
fn restore(state: &ApplicationState, reasons: &str, act: &VerifiedAct) -> Result<(), Refusal> {
    may_suspend(state, act)?;
    rectification(&state.standing.access)?;
    check_may_restore(state.standing.access.standing(), reasons)
}

/// R22: until when what was not provided before the suspension is to be provided after it: the time rested.
fn provide_by(state: &ApplicationState, done: &GrantStep, step: &Step<'_>) -> Option<Term> {
    let (Phase::Granted { term, .. }, GrantStep::Restore { .. }) = (&state.phase, done) else {
        return None;
    };
    let suspended = rectification(&state.standing.access).ok()?.arises;
    let (due, rests) = (term.due.as_millis(), suspended.as_millis());
    let left = statute::resumed(due, rests, step.now.as_millis(), step.law.calendar);
    // What is left of a time limit is not computed again when a holiday notice comes.
    Some(left.map_or(*term, |left| {
        Term::fixed(step.now, Moment::from_millis(left.ends_ms))
    }))
}

/// R27: whoever may suspend terminates, once rectification has failed.
fn terminate(
    state: &ApplicationState,
    reasons: &str,
    act: &VerifiedAct,
    now: Moment,
) -> Result<(), Refusal> {
    may_suspend(state, act)?;
    stated(reasons, Article::R27)?;
    let access = &state.standing.access;
    let due = rectification(access)?.due;
    check_may_terminate(access.standing(), due.as_millis(), now.as_millis())
}

/// R27: the provider requires disposal, and how, by a date.
fn require_disposal(
    state: &ApplicationState,
    (how, by): (&str, Moment),
    act: &VerifiedAct,
    step: &Step<'_>,
) -> Result<(), Refusal> {
    acts_for(&state.provider, act, Article::R27)?;
    stated(how, Article::R27)?;
    not_disposed(state)?;
    if state.standing.disposal.is_some() {
        return Err(duplicate("disposal-required", Article::R27));
    }
    date_set(Duty::Dispose, by, step)?;
    one_more(state, Article::R27)
}

/// R27: the requester has disposed of the data, and certifies it.
fn dispose(
    state: &ApplicationState,
    (how, certificate): (&str, &str),
    act: &VerifiedAct,
) -> Result<(), Refusal> {
    acts_for(&state.requester, act, Article::R27)?;
    not_disposed(state)?;
    if how.trim().is_empty() || certificate.trim().is_empty() {
        let fields = vec![RequiredField::UseRecord(UseRecordField::Destruction)];
        return Err(RefusalReason::MissingField { fields }.under(Article::R27));
    }
    Ok(())
}

/// R27: the provider says that, and why, it would end or change the service.
fn propose_change(
    state: &ApplicationState,
    reasons: &str,
    act: &VerifiedAct,
) -> Result<(), Refusal> {
    acts_for(&state.provider, act, Article::R27)?;
    stated(reasons, Article::R27)?;
    let access = &state.standing.access;
    if access.is_over() {
        let standing = access.standing();
        return Err(RefusalReason::GrantNotInForce { standing }.under(Article::R27));
    }
    if state.standing.change.is_some() {
        return Err(duplicate("change-proposed", Article::R27));
    }
    one_more(state, Article::R27)
}

/// R27: the requester's side of the negotiation.
fn answer_change(
    state: &ApplicationState,
    statement: &str,
    act: &VerifiedAct,
) -> Result<(), Refusal> {
    acts_for(&state.requester, act, Article::R27)?;
    stated(statement, Article::R27)?;
    not_yet(proposed(state)?, ServiceChangeStep::Negotiated)
}

/// R27: the authority of the provider's level takes the change on file.
fn file_change(state: &ApplicationState, act: &VerifiedAct) -> Result<(), Refusal> {
    if act.doer().node != state.provider.node.code() {
        return Err(RefusalReason::NotYourDepartment.under(Article::R27));
    }
    not_yet(proposed(state)?, ServiceChangeStep::Filed)
}

/// R27: negotiated and on file, or it does not take effect. Without a proposal nothing was negotiated either.
fn carry_out_change(state: &ApplicationState, act: &VerifiedAct) -> Result<(), Refusal> {
    acts_for(&state.provider, act, Article::R27)?;
    check_service_change(state.standing.change.as_ref().map_or(&[], |it| &it.done))
}

/// The authority of the requester's or the provider's level, or the head of the provider's sharing office (R27).
fn may_suspend(state: &ApplicationState, act: &VerifiedAct) -> Result<(), Refusal> {
    let here = act.doer().node;
    let not_yours = || RefusalReason::NotYourDepartment.under(Article::R27);
    match act.doer().role {
        Role::SharingOfficeHead => acts_for(&state.provider, act, Article::R27),
        Role::AuthorityReviewer | Role::AuthorityHead => {
            let levels = [state.requester.node.code(), state.provider.node.code()];
            levels.contains(&here).then_some(()).ok_or_else(not_yours)
        }
        Role::Operator | Role::DepartmentHead | Role::Government | Role::Auditor => {
            Err(not_yours())
        }
    }
}

/// Everything asked for lies within the entry and beyond the grant, so that there is something to consent to (R25).
fn lies_beyond_the_grant(
    state: &ApplicationState,
    terms: &GrantTerms,
    wider: &Wider,
) -> Result<(), Refusal> {
    let standing = &state.standing;
    let (items, purposes) = (&wider.items, &wider.purposes);
    if items.is_empty()
        && purposes.is_empty()
        && wider.until.is_none()
        && wider.recipients.is_empty()
    {
        let fields = vec![RequiredField::Application(ApplicationMaterial::Scope)];
        return Err(RefusalReason::MissingField { fields }.under(Article::R25));
    }
    if !items.is_empty() {
        let offered: BTreeSet<&str> = state
            .entry
            .entry
            .items
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        items_within(items, &offered, Article::R25)?;
    }
    let purposes_after = standing.purposes.len() + purposes.len();
    at_most(purposes_after, MAX_TERMS_LISTED, Article::R25)?;
    let recipients_after = standing.recipients.len() + wider.recipients.len();
    at_most(recipients_after, MAX_RECIPIENTS, Article::R25)?;
    let granted_purposes = [std::slice::from_ref(&terms.purpose), &standing.purposes].concat();
    let granted_item = items
        .iter()
        .find(|it| check_scope(&terms.items, it).is_ok());
    let granted_purpose = purposes
        .iter()
        .find(|it| it.trim().is_empty() || check_purpose(&granted_purposes, it).is_ok());
    if let Some(granted) = granted_item.or(granted_purpose) {
        return Err(duplicate(granted, Article::R25));
    }
    let own = |it| check_recipient(&state.requester.department, it).is_ok();
    if let Some(granted) = wider
        .recipients
        .iter()
        .find(|it| own(*it) || standing.recipients.contains(it))
    {
        return Err(duplicate(&granted.to_string(), Article::R25));
    }
    match wider.until {
        Some(until) if until <= terms.until => Err(duplicate(&until.to_string(), Article::R25)),
        Some(_) | None => Ok(()),
    }
}

fn in_force_and_running(
    state: &ApplicationState,
    terms: &GrantTerms,
    now: Moment,
) -> Result<(), Refusal> {
    check_may_provide(state.standing.access.standing())?;
    grant_runs(terms, now)
}

/// The date that a person sets, against the longest that may be set.
fn date_set(duty: Duty, by: Moment, step: &Step<'_>) -> Result<(), Refusal> {
    let latest = step.law.term(duty, step.now).due;
    check_date_set(
        duty,
        by.as_millis(),
        step.now.as_millis(),
        latest.as_millis(),
    )
}

fn not_disposed(state: &ApplicationState) -> Result<(), Refusal> {
    match &state.standing.access {
        Access::Disposed => Err(duplicate("disposed", Article::R27)),
        Access::InForce
        | Access::Suspended { .. }
        | Access::Rectified { .. }
        | Access::Terminated
        | Access::ServiceEnded => Ok(()),
    }
}

/// The time limit of the rectification that was ordered.
fn rectification(access: &Access) -> Result<&Term, Refusal> {
    match access {
        Access::Suspended { term } | Access::Rectified { term } => Ok(term),
        Access::InForce | Access::Terminated | Access::ServiceEnded | Access::Disposed => {
            Err(not_suspended(access))
        }
    }
}

fn proposed(state: &ApplicationState) -> Result<&ProposedChange, Refusal> {
    let none = || wrong_state("change-proposed", "none", Article::R27);
    state.standing.change.as_ref().ok_or_else(none)
}

fn not_yet(change: &ProposedChange, step: ServiceChangeStep) -> Result<(), Refusal> {
    if change.done.contains(&step) {
        return Err(duplicate(step.id(), Article::R27));
    }
    Ok(())
}

fn one_more(state: &ApplicationState, article: Article) -> Result<(), Refusal> {
    below(state.standing.matters, MAX_GRANT_MATTERS, article)
}

fn stated(text: &str, article: Article) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(article));
    }
    Ok(())
}

fn not_suspended(access: &Access) -> Refusal {
    wrong_state("suspended", access.standing().id(), Article::R27)
}

fn duplicate(what: &str, article: Article) -> Refusal {
    RefusalReason::Duplicate { what: echo(what) }.under(article)
}

fn wrong_state(expected: &str, found: &str, article: Article) -> Refusal {
    RefusalReason::WrongState {
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
    .under(article)
}
