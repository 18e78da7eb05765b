//! The rules of an application, one function each, in the order of the articles.

use std::collections::BTreeSet;

use identity::{CreditCode, Digest, Domain, Moment, codec};
use statute::class::MAX_TERMS_LISTED;
use statute::purpose::check_period;
use statute::{
    ApplicationMaterial, Article, CatalogueField, Citation, CitedInstrument, ClassTerms, Instrument, Profile,
    Publication, Refusal, RefusalReason, RequiredField, Role, ShareClass, UseRecordField, beijing_date,
    check_may_apply, check_use_record, may_add_condition, missing_materials, reply,
};

use super::{
    Application, ApplicationState, GrantTerms, MAX_ATTEMPTS, MAX_MATERIALS, MAX_MISSING, MAX_NEGOTIATION_STEPS,
    MAX_USES, Material, MissingItem, Reply, UseRecord,
};
use crate::act::{ActBody, ObjectRef, VerifiedAct, at_most, text_within_bounds};
use crate::catalogue::PublishedEntry;
use crate::dispute::{NegotiationOutcome, NegotiationStep, Party};

/// Most characters of an object's name: a file name everywhere.
pub const MAX_OBJECT_NAME_CHARS: usize = 255;
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
    let published = published
        .filter(|it| it.entry.id == application.entry && it.entry.version == application.entry_version)
        .filter(|it| it.publisher == application.provider_node);
    match published {
        Some(published) => {
            check_may_apply(Publication::Published, published.entry.terms.class())?;
            Ok(published)
        }
        None => Err(RefusalReason::EntryNotPublished.under(Article::R16)),
    }
}

/// The person acts for this party (R20, R21): its department, on the node that hosts it.
///
/// # Errors
/// `NotYourDepartment` under `article`.
pub fn acts_for(party: &Party, act: &VerifiedAct, article: Article) -> Result<(), Refusal> {
    if party.includes(act.doer()) { Ok(()) } else { Err(RefusalReason::NotYourDepartment.under(article)) }
}

/// The person acts for one of these parties (R28).
///
/// # Errors
/// `NotYourDepartment`, R28.
pub fn acts_for_either(requester: &Party, provider: &Party, act: &VerifiedAct) -> Result<(), Refusal> {
    acts_for(requester, act, Article::R28).or_else(|_| acts_for(provider, act, Article::R28))
}

/// The applicant applies for its own department, within bounds, for items (R20).
///
/// What R20 requires to be stated may be missing: that is told, once, by the provider (R21).
///
/// # Errors
/// `TooLong`, `NotYourDepartment`, `MissingField`; R20.
pub fn requester_states_its_need(apply: &VerifiedAct, application: &Application) -> Result<(), Refusal> {
    if apply.doer().department != application.requester {
        return Err(RefusalReason::NotYourDepartment.under(Article::R20));
    }
    at_most(application.items.len(), crate::catalogue::MAX_ITEMS, Article::R20)?;
    text_within_bounds(application.items.iter().chain([&application.requester_name]), Article::R20)?;
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
    let document = apply.id().0;
    match &consent.act().body {
        ActBody::ConsentToApply { docket, document: named } if docket.0 == document && *named == document => {}
        _ => return Err(no_consent()),
    }
    let same = consent.doer().department == apply.doer().department && consent.doer().node == apply.doer().node;
    if same { Ok(()) } else { Err(RefusalReason::NotYourDepartment.under(Article::R20)) }
}

/// What is asked lies within the entry: its items, one of its ways of sharing (R20).
///
/// # Errors
/// `ScopeExceeded`, `MissingField`; R20, R22.
pub fn within_the_entry(application: &Application, published: &PublishedEntry) -> Result<(), Refusal> {
    let offered: BTreeSet<&str> = published.entry.items.iter().map(|it| it.name.as_str()).collect();
    items_within(&application.items, &offered, Article::R20)?;
    if published.entry.methods.contains(&application.method) {
        Ok(())
    } else {
        Err(RefusalReason::ScopeExceeded { asked: application.method.zh().to_owned() }.under(Article::R22))
    }
}

/// Items are some of those offered, each once.
fn items_within(items: &[String], offered: &BTreeSet<&str>, article: Article) -> Result<(), Refusal> {
    if items.is_empty() {
        return Err(RefusalReason::MissingField { fields: vec![RequiredField::Catalogue(CatalogueField::DataItems)] }.under(article));
    }
    let mut seen = BTreeSet::new();
    for item in items {
        if !offered.contains(item.as_str()) || !seen.insert(item.as_str()) {
            return Err(RefusalReason::ScopeExceeded { asked: echo(item) }.under(article));
        }
    }
    Ok(())
}

/// What R20 requires and the application does not state. The way of sharing is a field of its own and always stated.
pub fn unstated(application: &Application) -> Vec<ApplicationMaterial> {
    let stated = application.materials.iter().filter(|it| !it.text.trim().is_empty()).map(|it| it.kind);
    let present: Vec<_> = stated.chain([ApplicationMaterial::Method]).collect();
    missing_materials(&present)
}

/// What is missing is told once, all of it (R21).
///
/// # Errors
/// `MissingAlreadyToldOnce` the second time; `MissingNotToldInFull` when nothing, or not everything that is missing, is told; R21.
pub fn missing_is_told_once(state: &ApplicationState, told: &[MissingItem]) -> Result<(), Refusal> {
    at_most(told.len(), MAX_MISSING, Article::R21)?;
    text_within_bounds(told.iter().map(|it| &it.what), Article::R21)?;
    let stated: Vec<_> = told.iter().filter(|it| !it.what.trim().is_empty()).map(|it| it.kind).collect();
    // What is named without saying what exactly is to be supplied is not told.
    let mut missing = unstated(&state.application);
    missing.extend(told.iter().map(|it| it.kind));
    reply::check_tells_missing(&missing, &stated, usize::from(state.told_missing_once))?;
    if told.is_empty() {
        return Err(RefusalReason::MissingNotToldInFull { left_out: Vec::new() }.under(Article::R21));
    }
    Ok(())
}

/// A supplement supplies everything that was told to be missing (R21).
///
/// # Errors
/// `MissingField` with what is still missing, `TooLong`; R21.
pub fn supplement_is_whole(
    state: &ApplicationState,
    told: &[MissingItem],
    materials: &[Material],
) -> Result<(), Refusal> {
    materials_within_bounds(materials, Article::R21)?;
    at_most(state.application.materials.len().saturating_add(materials.len()), MAX_MATERIALS, Article::R21)?;
    let supplied = |kind| materials.iter().any(|it| it.kind == kind && !it.text.trim().is_empty());
    let mut fields: Vec<_> = told.iter().map(|it| it.kind).filter(|kind| !supplied(*kind)).collect();
    fields.dedup();
    if fields.is_empty() {
        return Ok(());
    }
    let fields = fields.into_iter().map(RequiredField::Application).collect();
    Err(RefusalReason::MissingField { fields }.under(Article::R21))
}

/// A reply follows on an application that is complete: what is incomplete is told and never refused (R21), nor granted unstated (R20).
///
/// # Errors
/// `IncompleteMayNotBeRefused` (R21), `MissingField` (R20).
pub fn reply_follows_completeness(state: &ApplicationState, reply: &Reply) -> Result<(), Refusal> {
    let missing = unstated(&state.application);
    if missing.is_empty() {
        return Ok(());
    }
    match reply {
        Reply::Refuse { reasons, .. } => reply::check_may_refuse(&missing, reasons),
        Reply::Grant { .. } => {
            let fields = missing.into_iter().map(RequiredField::Application).collect();
            Err(RefusalReason::MissingField { fields }.under(Article::R20))
        }
    }
}

/// A reply is within the law: see [`refusal_is_grounded`] and [`grant_is_within_application`].
///
/// # Errors
/// As those two.
pub fn reply_is_lawful(
    state: &ApplicationState,
    reply: &Reply,
    profile: &Profile,
    now: Moment,
) -> Result<(), Refusal> {
    match reply {
        Reply::Grant { terms } => grant_is_within_application(state, terms, now),
        Reply::Refuse { reasons, basis } => {
            refusal_is_grounded(state, reasons, basis)?;
            profile.check_refusal_cites_law(&cited(basis))
        }
    }
}

/// A refusal carries reasons and their basis (R21); unconditional data is never refused for want of a condition (R14, R15).
///
/// # Errors
/// `ReasonsRequired` (R21), `TooLong` (R21), `ConditionNotCatalogued` (R15).
pub fn refusal_is_grounded(state: &ApplicationState, reasons: &str, basis: &str) -> Result<(), Refusal> {
    reply::check_may_refuse(&[], reasons)?;
    if basis.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::R21));
    }
    text_within_bounds([reasons, basis], Article::R21)?;
    let class = state.entry.entry.terms.class();
    if class == ShareClass::Unconditional && CONDITION_WORDS.iter().any(|word| reasons.to_lowercase().contains(word)) {
        return Err(RefusalReason::ConditionNotCatalogued { condition: echo(reasons) }.under(Article::R15));
    }
    Ok(())
}

/// What a basis cites, by the titles in it: 《…法》 is a law, 《…条例》 a regulation, anything else a rule; `R25` and the like count as what they name.
pub fn cited(basis: &str) -> Vec<Citation> {
    let titles = basis.split('《').skip(1).filter_map(|rest| rest.split_once('》')).map(|(title, _)| {
        let instrument = match title.trim() {
            title if title.ends_with('法') => CitedInstrument::Law,
            title if title.ends_with("条例") => CitedInstrument::Regulation,
            _ => CitedInstrument::Rule,
        };
        Citation { instrument, provision: echo(title) }
    });
    let short = basis.split_whitespace().filter_map(|word| word.parse::<Article>().ok()).map(|article| {
        let instrument = match article.instrument() {
            Instrument::Regulation | Instrument::Shenyang => CitedInstrument::Regulation,
            Instrument::CivilCode | Instrument::PersonalInformation => CitedInstrument::Law,
        };
        Citation { instrument, provision: article.short() }
    });
    titles.chain(short).take(MAX_TERMS_LISTED).collect()
}

/// Words by which a refusal pleads that a condition is not met.
const CONDITION_WORDS: [&str; 2] = ["条件", "condition"];

/// A grant lies within the application, and adds no condition to those catalogued (R15, R25).
///
/// # Errors
/// `ScopeExceeded`, `PeriodExpired`, `ConditionNotCatalogued`, `MissingField`, `TooLong`.
pub fn grant_is_within_application(state: &ApplicationState, terms: &GrantTerms, now: Moment) -> Result<(), Refusal> {
    let asked: BTreeSet<&str> = state.application.items.iter().map(String::as_str).collect();
    at_most(terms.items.len(), crate::catalogue::MAX_ITEMS, Article::R21)?;
    items_within(&terms.items, &asked, Article::R25)?;
    if terms.method != state.application.method {
        return Err(RefusalReason::ScopeExceeded { asked: terms.method.zh().to_owned() }.under(Article::R22));
    }
    at_most(terms.conditions.len(), MAX_TERMS_LISTED, Article::R15)?;
    may_add_condition(&state.entry.entry.terms, &terms.conditions)?;
    all_of_unconditional_data(&state.entry.entry.terms, &asked, terms)?;
    if terms.purpose.trim().is_empty() {
        return Err(RefusalReason::MissingField { fields: vec![RequiredField::Application(ApplicationMaterial::Scope)] }.under(Article::R25));
    }
    text_within_bounds([&terms.purpose], Article::R25)?;
    grant_runs(terms, now)
}

/// What every department may have is granted whole: to hold back an item that was asked for is a condition (R14(1), R15).
fn all_of_unconditional_data(
    catalogued: &ClassTerms,
    asked: &BTreeSet<&str>,
    terms: &GrantTerms,
) -> Result<(), Refusal> {
    match catalogued {
        ClassTerms::Unconditional => match asked.iter().find(|item| !terms.items.iter().any(|it| it == *item)) {
            None => Ok(()),
            Some(item) => {
                let condition = format!("不提供“{}”", echo(item));
                Err(RefusalReason::ConditionNotCatalogued { condition }.under(Article::R15))
            }
        },
        ClassTerms::Conditional { .. } | ClassTerms::NotShared { .. } => Ok(()),
    }
}

/// The head of the provider's sharing office consented to exactly the reply that was proposed (R20).
///
/// # Errors
/// `ConsentMissing`, R20.
pub fn consent_to_reply(proposed: Digest, consented: Digest) -> Result<(), Refusal> {
    if proposed == consented { Ok(()) } else { Err(no_consent()) }
}

/// Data is put at disposal only while the grant runs (R22, R25), and as a file with content and a name.
///
/// # Errors
/// `PeriodExpired` (R25), `TooLong`, `MissingField` (R22).
pub fn may_provide(terms: &GrantTerms, object: &ObjectRef, now: Moment) -> Result<(), Refusal> {
    grant_runs(terms, now)?;
    at_most(object.name.chars().count(), MAX_OBJECT_NAME_CHARS, Article::R22)?;
    if object.name.trim().is_empty() {
        let fields = vec![RequiredField::Catalogue(CatalogueField::Name)];
        return Err(RefusalReason::MissingField { fields }.under(Article::R22));
    }
    Ok(())
}

/// A use lies within the period granted, its last day in Beijing included (R20).
///
/// # Errors
/// `PeriodExpired`, R20.
pub fn grant_runs(terms: &GrantTerms, now: Moment) -> Result<(), Refusal> {
    check_period(beijing_date(terms.until.as_millis()), beijing_date(now.as_millis()))
}

/// A record of use states all five points (R29).
///
/// # Errors
/// `MissingField` with every point missing, `TooLong`; R29.
pub fn use_record_is_whole(state: &ApplicationState, record: &UseRecord) -> Result<(), Refusal> {
    let points = [
        (UseRecordField::Scenario, &record.scenario),
        (UseRecordField::Process, &record.process),
        (UseRecordField::Result, &record.result),
        (UseRecordField::Storage, &record.storage),
        (UseRecordField::Destruction, &record.destruction),
    ];
    text_within_bounds(points.iter().map(|(_, text)| text), Article::R29)?;
    let present: Vec<_> = points.iter().filter(|(_, text)| !text.trim().is_empty()).map(|(field, _)| *field).collect();
    check_use_record(&present)?;
    below(state.uses, MAX_USES, Article::R29)
}

/// A dispute is about an answer, or about its being overdue (R28).
///
/// # Errors
/// `NothingToDispute`, R28.
pub fn there_is_something_to_dispute(state: &ApplicationState) -> Result<(), Refusal> {
    if state.phase.is_answered() || !state.overdue.is_empty() {
        Ok(())
    } else {
        let expected = "granted, refused or overdue".to_owned();
        Err(RefusalReason::WrongState { expected, found: state.phase.name().to_owned() }.under(Article::R28))
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
        NegotiationOutcome::Settled if act.doer().department == *complainant => Ok(()),
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

fn below(count: u32, limit: u32, article: Article) -> Result<(), Refusal> {
    at_most(count as usize + 1, limit as usize, article)
}

fn no_consent() -> Refusal {
    RefusalReason::ConsentMissing { of: Role::SharingOfficeHead }.under(Article::R20)
}

/// The beginning of what was asked, enough to recognise it.
fn echo(text: &str) -> String {
    text.chars().take(MAX_ECHO_CHARS).collect()
}
