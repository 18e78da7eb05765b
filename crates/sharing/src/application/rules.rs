//! The rules of an application, one function each, in the order of the articles.

use std::collections::BTreeSet;

use identity::planted::{self, Bug};
use identity::{CreditCode, Digest, Domain, Moment, codec};
use statute::rule::{self, Rule};
use statute::{
    ApplicationMaterial, Article, CatalogueField, Publication, Refusal, RefusalReason,
    RequiredField, Role, check_may_apply, missing_materials, reply,
};

use super::{
    Application, ApplicationState, MAX_ATTEMPTS, MAX_MATERIALS, MAX_MISSING, MAX_NEGOTIATION_STEPS,
    Material, MissingItem, Reply,
};
use crate::act::{ActBody, VerifiedAct, at_most, text_within_bounds};
use crate::catalogue::PublishedEntry;
use crate::clock::{Clock, OpenDuty};
use crate::dispute::{NegotiationOutcome, NegotiationStep, Party};
use crate::docket::{Step, Workflow};

/// Longest part of an item or reason that a refusal repeats.
const MAX_ECHO_CHARS: usize = 60;

/// The digest of a reply, to which consent is given (R20).
pub fn reply_document(reply: &Reply) -> Digest {
    Digest::of_parts(Domain::Docket, &[b"reply", &codec::encode(reply)])
}

/// Only a published entry can be applied for (R16), in the version that stands, and only one that is shared at all (R14).
///
/// # Errors
/// `EntryNotPublished` (R16) when none is published or another version is, `EntryNotShared` (R14).
pub fn entry_may_be_applied_for<'a>(
    application: &Application,
    published: Option<&'a PublishedEntry>,
) -> Result<&'a PublishedEntry, Refusal> {
    let of_this_name = |it: &&PublishedEntry| {
        it.entry.id == application.entry && it.publisher == application.provider_node
    };
    let published = published
        .filter(of_this_name)
        .ok_or_else(|| RefusalReason::EntryNotPublished.under(Article::R16))?;
    // Another version than the one that stands was never published, or is no longer.
    let publication = if published.entry.version == application.entry_version {
        Publication::Published
    } else {
        Publication::Unpublished
    };
    check_may_apply(publication, published.entry.terms.class())?;
    Ok(published)
}

/// The person acts for this party (R20, R21): its department, on the node that hosts it.
///
/// # Errors
/// `NotYourDepartment` under `article`.
pub fn acts_for(party: &Party, act: &VerifiedAct, article: Article) -> Result<(), Refusal> {
    if party.includes(act.doer()) {
        Ok(())
    } else {
        Err(RefusalReason::NotYourDepartment.under(article))
    }
}

/// The person acts for one of these parties (R28).
///
/// # Errors
/// `NotYourDepartment`, R28.
pub fn acts_for_either(
    requester: &Party,
    provider: &Party,
    act: &VerifiedAct,
) -> Result<(), Refusal> {
    acts_for(requester, act, Article::R28).or_else(|_| acts_for(provider, act, Article::R28))
}

/// The applicant applies for its own department, within bounds, for items (R20).
///
/// What R20 requires to be stated may be missing: that is told, once, by the provider (R21).
///
/// # Errors
/// `TooLong`, `NotYourDepartment`, `MissingField`; R20.
pub fn requester_states_its_need(
    apply: &VerifiedAct,
    application: &Application,
) -> Result<(), Refusal> {
    if apply.doer().department != application.requester {
        return Err(RefusalReason::NotYourDepartment.under(Article::R20));
    }
    at_most(
        application.items.len(),
        crate::catalogue::MAX_ITEMS,
        Article::R20,
    )?;
    text_within_bounds(
        application
            .items
            .iter()
            .chain([&application.requester_name]),
        Article::R20,
    )?;
    materials_within_bounds(&application.materials, Article::R20)
}

/// Materials are bounded in number and length.
///
/// # Errors
/// `TooLong` under `article`.
pub fn materials_within_bounds(materials: &[Material], article: Article) -> Result<(), Refusal> {
    at_most(materials.len(), MAX_MATERIALS, article)?;
    text_within_bounds(materials.iter().map(|it| &it.text), article)
}

/// The head of the requester's sharing office consented to exactly this application (R20).
///
/// That the consenting person holds that role was settled when the act was verified; here it is the same department and document.
///
/// # Errors
/// `ConsentMissing` when the second act is no consent to the first, `NotYourDepartment` when it is another department's; R20.
pub fn consent_to_apply(apply: &VerifiedAct, consent: &VerifiedAct) -> Result<(), Refusal> {
    if rule::is_off(Rule::ConsentToApply) {
        return Ok(());
    }
    let document = apply.id().0;
    let any = planted::is(Bug::ConsentToAnotherApplication);
    match &consent.act().body {
        ActBody::ConsentToApply {
            docket,
            document: named,
        } if docket.0 == document && (*named == document || any) => {}
        _ => return Err(no_consent()),
    }
    let same = consent.doer().department == apply.doer().department
        && consent.doer().node == apply.doer().node;
    if same {
        Ok(())
    } else {
        Err(RefusalReason::NotYourDepartment.under(Article::R20))
    }
}

/// What is asked lies within the entry: its items, one of its ways of sharing (R20).
///
/// # Errors
/// `ScopeExceeded`, `MissingField`; R20, R22.
pub fn within_the_entry(
    application: &Application,
    published: &PublishedEntry,
) -> Result<(), Refusal> {
    let offered: BTreeSet<&str> = published
        .entry
        .items
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    items_within(&application.items, &offered, Article::R20)?;
    if published.entry.methods.contains(&application.method) {
        Ok(())
    } else {
        Err(RefusalReason::ScopeExceeded {
            asked: application.method.zh().to_owned(),
        }
        .under(Article::R22))
    }
}

/// Items are some of those offered, each once.
pub(super) fn items_within(
    items: &[String],
    offered: &BTreeSet<&str>,
    article: Article,
) -> Result<(), Refusal> {
    if items.is_empty() {
        return Err(RefusalReason::MissingField {
            fields: vec![RequiredField::Catalogue(CatalogueField::DataItems)],
        }
        .under(article));
    }
    let mut seen = BTreeSet::new();
    for item in items {
        if !offered.contains(item.as_str()) || !seen.insert(item.as_str()) {
            return Err(RefusalReason::ScopeExceeded { asked: echo(item) }.under(article));
        }
    }
    Ok(())
}

/// What R20 requires and the application does not state. The way of sharing is a field of its own and always stated; the period of use is one as
/// well, and words about it do not state it.
pub fn unstated(application: &Application) -> Vec<ApplicationMaterial> {
    let stated = application
        .materials
        .iter()
        .filter(|it| it.kind != ApplicationMaterial::Period && !it.text.trim().is_empty())
        .map(|it| it.kind);
    let period = application.until.map(|_| ApplicationMaterial::Period);
    let fields = [ApplicationMaterial::Method].into_iter().chain(period);
    let present: Vec<_> = stated.chain(fields).collect();
    missing_materials(&present)
}

/// What is missing is told once, all of it (R21).
///
/// # Errors
/// `MissingAlreadyToldOnce` the second time; `MissingNotToldInFull` when nothing, or not everything that is missing, is told; R21.
pub fn missing_is_told_once(state: &ApplicationState, told: &[MissingItem]) -> Result<(), Refusal> {
    at_most(told.len(), MAX_MISSING, Article::R21)?;
    text_within_bounds(told.iter().map(|it| &it.what), Article::R21)?;
    let stated: Vec<_> = told
        .iter()
        .filter(|it| !it.what.trim().is_empty())
        .map(|it| it.kind)
        .collect();
    // What is named without saying what exactly is to be supplied is not told.
    let mut missing = unstated(&state.application);
    missing.extend(told.iter().map(|it| it.kind));
    reply::check_tells_missing(&missing, &stated, usize::from(state.told_missing_once))?;
    if told.is_empty() {
        return Err(RefusalReason::MissingNotToldInFull {
            left_out: Vec::new(),
        }
        .under(Article::R21));
    }
    Ok(())
}

/// What is missing is told within the term of the reply (R21).
///
/// # Errors
/// `TimeLimitPassed`, R21.
pub fn missing_is_told_in_time(state: &ApplicationState, step: &Step<'_>) -> Result<(), Refusal> {
    match reply_due(state, step) {
        Some(open) => {
            reply::check_told_in_time(open.duty, open.term.due.as_millis(), step.now.as_millis())
        }
        None => Ok(()),
    }
}

/// Whether the term of the reply has passed without a word on what is missing: the application then counts as complete.
pub(super) fn counts_as_complete(state: &ApplicationState, step: &Step<'_>) -> bool {
    let past =
        |open: OpenDuty| reply::counts_as_complete(open.term.due.as_millis(), step.now.as_millis());
    !state.told_missing_once && reply_due(state, step).is_some_and(past)
}

/// The reply that is owed, as amended.
fn reply_due(state: &ApplicationState, step: &Step<'_>) -> Option<OpenDuty> {
    let owed = state
        .duties()
        .into_iter()
        .find(|open| open.duty.article() == Article::R21)?;
    Some(step.clock.on(owed))
}

/// A supplement supplies everything that was told to be missing (R21).
///
/// # Errors
/// `MissingField` with what is still missing, `TooLong`; R21.
pub fn supplement_is_whole(
    state: &ApplicationState,
    told: &[MissingItem],
    (materials, until): (&[Material], Option<Moment>),
) -> Result<(), Refusal> {
    materials_within_bounds(materials, Article::R21)?;
    at_most(
        state
            .application
            .materials
            .len()
            .saturating_add(materials.len()),
        MAX_MATERIALS,
        Article::R21,
    )?;
    let supplied = |kind| match kind {
        ApplicationMaterial::Period => until.is_some(),
        ApplicationMaterial::Basis
        | ApplicationMaterial::Scenario
        | ApplicationMaterial::Scope
        | ApplicationMaterial::Method => materials
            .iter()
            .any(|it| it.kind == kind && !it.text.trim().is_empty()),
    };
    let mut fields: Vec<_> = told
        .iter()
        .map(|it| it.kind)
        .filter(|kind| !supplied(*kind))
        .collect();
    fields.dedup();
    if fields.is_empty() {
        return Ok(());
    }
    let fields = fields.into_iter().map(RequiredField::Application).collect();
    Err(RefusalReason::MissingField { fields }.under(Article::R21))
}

/// A dispute is about an answer, or about its being overdue (R28).
///
/// # Errors
/// `NothingToDispute`, R28.
pub fn there_is_something_to_dispute(
    state: &ApplicationState,
    clock: &Clock,
) -> Result<(), Refusal> {
    if state.phase.is_answered() || !clock.lapses.is_empty() {
        Ok(())
    } else {
        let expected = "granted, refused or overdue".to_owned();
        Err(RefusalReason::WrongState {
            expected,
            found: state.phase.name().to_owned(),
        }
        .under(Article::R28))
    }
}

/// A dispute states what it is about (R28).
///
/// # Errors
/// `ReasonsRequired`, `TooLong`; R28.
pub fn claim_is_stated(claim: &str) -> Result<(), Refusal> {
    if claim.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::R28));
    }
    text_within_bounds([claim], Article::R28)
}

/// Negotiation has a bounded number of steps, over all disputes of a docket (R28).
///
/// # Errors
/// `TooLong`, R28.
pub fn may_negotiate_again(state: &ApplicationState) -> Result<(), Refusal> {
    below(state.negotiation_steps, MAX_NEGOTIATION_STEPS, Article::R28)
}

/// The complainant alone says that the dispute it raised is settled; either party may say that negotiation failed (R28).
///
/// # Errors
/// `NotYourDepartment`, `TooLong`; R28.
pub fn negotiation_step_is_lawful(
    state: &ApplicationState,
    complainant: &CreditCode,
    step: &NegotiationStep,
    act: &VerifiedAct,
) -> Result<(), Refusal> {
    text_within_bounds([&step.statement], Article::R28)?;
    match step.outcome {
        NegotiationOutcome::Continues => may_negotiate_again(state),
        NegotiationOutcome::Failed => Ok(()),
        NegotiationOutcome::Settled
            if act.doer().department == *complainant || rule::is_off(Rule::Negotiation) =>
        {
            Ok(())
        }
        NegotiationOutcome::Settled => Err(RefusalReason::NotYourDepartment.under(Article::R28)),
    }
}

/// Replies and objects are proposed a bounded number of times.
///
/// # Errors
/// `TooLong` under `article`.
pub fn may_try_again(state: &ApplicationState, article: Article) -> Result<(), Refusal> {
    below(state.attempts, MAX_ATTEMPTS, article)
}

pub(super) fn below(count: u32, limit: u32, article: Article) -> Result<(), Refusal> {
    at_most(count as usize + 1, limit as usize, article)
}

pub(super) fn no_consent() -> Refusal {
    RefusalReason::ConsentMissing {
        of: Role::SharingOfficeHead,
    }
    .under(Article::R20)
}

/// The beginning of what was asked, enough to recognise it.
pub(super) fn echo(text: &str) -> String {
    text.chars().take(MAX_ECHO_CHARS).collect()
}
