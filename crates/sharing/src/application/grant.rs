//! The rules of replies, grants and uses, one function each.

use std::collections::BTreeSet;

use identity::planted::{self, Bug};
use identity::{Digest, Moment};
use statute::class::MAX_TERMS_LISTED;
use statute::purpose::{check_granted_period, check_granted_purpose, check_period};
use statute::{
    ApplicationMaterial, Article, CatalogueField, Citation, CitedInstrument, ClassTerms,
    Instrument, Profile, Refusal, RefusalReason, RequiredField, ShareClass, beijing_date,
    check_use_record, may_add_condition, reply,
};

use super::rules::{below, counts_as_complete, echo, items_within, no_consent, unstated};
use super::{ApplicationState, GrantTerms, MAX_USES, Reply, UseRecord};
use crate::act::{ObjectRef, at_most, text_within_bounds};
use crate::docket::Step;

/// Most characters of an object's name: a file name everywhere.
pub const MAX_OBJECT_NAME_CHARS: usize = 255;

/// A reply follows on an application that is complete: what is incomplete is told and never refused (R21), nor granted unstated (R20).
///
/// # Errors
/// `IncompleteMayNotBeRefused` (R21), `MissingField` (R20).
pub fn reply_follows_completeness(
    state: &ApplicationState,
    reply: &Reply,
    step: &Step<'_>,
) -> Result<(), Refusal> {
    let missing = unstated(&state.application);
    if missing.is_empty() || counts_as_complete(state, step) {
        return Ok(());
    }
    match reply {
        Reply::Refuse { reasons, .. } => reply::check_may_refuse(&missing, reasons),
        Reply::Grant { .. } => {
            let fields = missing
                .into_iter()
                .map(RequiredField::Application)
                .collect();
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
pub fn refusal_is_grounded(
    state: &ApplicationState,
    reasons: &str,
    basis: &str,
) -> Result<(), Refusal> {
    reply::check_may_refuse(&[], reasons)?;
    if basis.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::R21));
    }
    text_within_bounds([reasons, basis], Article::R21)?;
    let class = state.entry.entry.terms.class();
    if class == ShareClass::Unconditional
        && CONDITION_WORDS
            .iter()
            .any(|word| reasons.to_lowercase().contains(word))
    {
        return Err(RefusalReason::ConditionNotCatalogued {
            condition: echo(reasons),
        }
        .under(Article::R15));
    }
    Ok(())
}

/// What a basis cites, by the titles in it: 《…法》 is a law, 《…条例》 a regulation, anything else (《…办法》 too) a rule; `R25` and the like count as what they name.
pub fn cited(basis: &str) -> Vec<Citation> {
    let titles = basis
        .split('《')
        .skip(1)
        .filter_map(|rest| rest.split_once('》'))
        .map(|(title, _)| {
            let instrument = match title.trim() {
                title if title.ends_with('法') && !title.ends_with("办法") => {
                    CitedInstrument::Law
                }
                title if title.ends_with("条例") => CitedInstrument::Regulation,
                _ => CitedInstrument::Rule,
            };
            Citation {
                instrument,
                provision: echo(title),
            }
        });
    let short = basis
        .split_whitespace()
        .filter_map(|word| word.parse::<Article>().ok())
        .map(|article| {
            let instrument = match article.instrument() {
                Instrument::Regulation | Instrument::Shenyang => CitedInstrument::Regulation,
                Instrument::CivilCode | Instrument::PersonalInformation => CitedInstrument::Law,
            };
            Citation {
                instrument,
                provision: article.short(),
            }
        });
    titles.chain(short).take(MAX_TERMS_LISTED).collect()
}

/// Words by which a refusal pleads that a condition is not met.
const CONDITION_WORDS: [&str; 2] = ["条件", "condition"];

/// A grant lies within the application in items, way of sharing, purpose and period, and adds no condition to those catalogued (R15, R20, R25).
/// The scope that was stated (使用范围) holds as it was stated: a grant has no other.
///
/// # Errors
/// `ScopeExceeded`, `PurposeExceeded`, `PeriodExceeded`, `PeriodExpired`, `ConditionNotCatalogued`, `MissingField`, `TooLong`.
pub fn grant_is_within_application(
    state: &ApplicationState,
    terms: &GrantTerms,
    now: Moment,
) -> Result<(), Refusal> {
    let asked: BTreeSet<&str> = state.application.items.iter().map(String::as_str).collect();
    at_most(terms.items.len(), crate::catalogue::MAX_ITEMS, Article::R21)?;
    items_within(&terms.items, &asked, Article::R25)?;
    if terms.method != state.application.method {
        return Err(RefusalReason::ScopeExceeded {
            asked: terms.method.zh().to_owned(),
        }
        .under(Article::R22));
    }
    at_most(terms.conditions.len(), MAX_TERMS_LISTED, Article::R15)?;
    may_add_condition(&state.entry.entry.terms, &terms.conditions)?;
    all_of_unconditional_data(&state.entry.entry.terms, &asked, terms)?;
    if terms.purpose.trim().is_empty() {
        return Err(RefusalReason::MissingField {
            fields: vec![RequiredField::Application(ApplicationMaterial::Scope)],
        }
        .under(Article::R25));
    }
    text_within_bounds([&terms.purpose], Article::R25)?;
    let stated = state.application.scenarios();
    check_granted_purpose(&state.entry.entry.terms, &stated, &terms.purpose)?;
    grant_runs(terms, now)?;
    match state.application.until {
        Some(asked) => check_granted_period(
            beijing_date(asked.as_millis()),
            beijing_date(terms.until.as_millis()),
        ),
        // It counts as complete, and its period is the provider's to set (R21).
        None => Ok(()),
    }
}

/// What every department may have is granted whole: to hold back an item that was asked for is a condition (R14(1), R15).
fn all_of_unconditional_data(
    catalogued: &ClassTerms,
    asked: &BTreeSet<&str>,
    terms: &GrantTerms,
) -> Result<(), Refusal> {
    match catalogued {
        ClassTerms::Unconditional => match asked
            .iter()
            .find(|item| !terms.items.iter().any(|it| it == *item))
        {
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
    if proposed == consented || planted::is(Bug::ConsentToAnotherReply) {
        Ok(())
    } else {
        Err(no_consent())
    }
}

/// Data is put at disposal only while the grant runs (R22, R25), and as a file with content and a name.
///
/// # Errors
/// `PeriodExpired` (R25), `TooLong`, `MissingField` (R22).
pub fn may_provide(terms: &GrantTerms, object: &ObjectRef, now: Moment) -> Result<(), Refusal> {
    grant_runs(terms, now)?;
    object_is_named(object, Article::R22)
}

/// A file has a name that a file system takes.
///
/// # Errors
/// `TooLong`, `MissingField` under `article`.
pub(crate) fn object_is_named(object: &ObjectRef, article: Article) -> Result<(), Refusal> {
    at_most(object.name.chars().count(), MAX_OBJECT_NAME_CHARS, article)?;
    if object.name.trim().is_empty() {
        let fields = vec![RequiredField::Catalogue(CatalogueField::Name)];
        return Err(RefusalReason::MissingField { fields }.under(article));
    }
    Ok(())
}

/// A use lies within the period granted, its last day in Beijing included (R20).
///
/// # Errors
/// `PeriodExpired`, R20.
pub fn grant_runs(terms: &GrantTerms, now: Moment) -> Result<(), Refusal> {
    check_period(
        beijing_date(terms.until.as_millis()),
        beijing_date(now.as_millis()),
    )
}

/// A record of use states all five points (R29).
///
/// # Errors
/// `MissingField` with every point missing, `TooLong`; R29.
pub fn use_record_is_whole(state: &ApplicationState, record: &UseRecord) -> Result<(), Refusal> {
    record.said.within_bounds(Article::R29)?;
    check_use_record(&record.stated())?;
    below(state.uses, MAX_USES, Article::R29)
}
