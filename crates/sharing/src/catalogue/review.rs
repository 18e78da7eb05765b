//! What an entry must be (R12-R15), and its way from draft to publication (R13, R16, R17).

use std::collections::BTreeSet;

use identity::{Code, CreditCodeWarning};
use serde::{Deserialize, Serialize};
use statute::{
    ActKind, Article, CatalogueField, Grade, Profile, Refusal, RefusalReason, Secrecy,
    check_not_secret,
};

use super::{
    Assessment, Entry, EntryState, EntryVersion, MAX_ITEMS, MAX_NAME_CHARS, MAX_SUMMARY_CHARS,
    ReviewVerdict,
};
use crate::act::{Doer, at_most};

/// Something to be looked at that does not keep an entry out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Warning {
    /// The provider's credit code has a wrong check character, as some issued codes have.
    #[error(transparent)]
    CreditCode(CreditCodeWarning),
}

/// Words of classification of the law on state secrets, which no name or summary of government data bears (R3).
const STATE_SECRET_MARKS: [&str; 3] = ["绝密", "机密", "国家秘密"];
/// The lowest classification mark; it is also part of everyday words, so it counts only as a mark: bracketed, or before ★.
const SECRET_MARKS: [&str; 6] = [
    "秘密★",
    "【秘密】",
    "［秘密］",
    "[秘密]",
    "（秘密）",
    "(秘密)",
];

/// Checks an entry as its department compiled it: R3, R12 to R15.
///
/// # Errors
/// `StateSecret`, `WorkSecret` (R3); `MissingField` with all that is missing (R13, R15); `TooLong`; `WrongState` for a grade below that of an item.
pub fn check_entry(entry: &Entry) -> Result<Vec<Warning>, Refusal> {
    no_secrets(entry)?;
    statute::check_catalogue_fields(&stated_fields(entry))?;
    within_bounds(entry)?;
    statute::check_terms(&entry.terms)?;
    items_differ(entry)?;
    grade_is_that_of_strictest_item(entry)?;
    Ok(entry
        .provider
        .warning()
        .map(Warning::CreditCode)
        .into_iter()
        .collect())
}

/// Neither state secrets nor work secrets are government data (R3): what is marked so, or assessed so, is not entered.
fn no_secrets(entry: &Entry) -> Result<(), Refusal> {
    let items = entry.items.iter().map(|item| item.name.as_str());
    for text in [entry.name.as_str(), entry.summary.as_str()]
        .into_iter()
        .chain(items)
    {
        check_not_secret(secrecy_marked(text))?;
    }
    Ok(())
}

fn secrecy_marked(text: &str) -> Secrecy {
    let bears = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    if bears(&STATE_SECRET_MARKS) || bears(&SECRET_MARKS) || text.trim() == "秘密" {
        Secrecy::StateSecret
    } else if text.contains("工作秘密") {
        Secrecy::WorkSecret
    } else {
        Secrecy::NotSecret
    }
}

/// What of R13 the entry states: the nine fields and both assessments. With personal information, its assessment must have been done.
/// What the mark of a collection demands of an entry under the profile in force: base items are shared unconditionally (Shenyang S19).
/// Under a profile that knows no such collection the mark is a word to find the entry by.
///
/// # Errors
/// Those of [`statute::check_collection`].
pub fn check_marked(entry: &Entry, profile: &Profile) -> Result<(), Refusal> {
    match entry.collection {
        Some(mark) => statute::check_collection(mark, entry.terms.class(), profile),
        None => Ok(()),
    }
}

fn stated_fields(entry: &Entry) -> Vec<CatalogueField> {
    let text = |text: &str| !text.trim().is_empty();
    let stated = [
        (CatalogueField::Name, text(&entry.name)),
        (
            CatalogueField::DataItems,
            !entry.items.is_empty()
                && entry
                    .items
                    .iter()
                    .all(|item| text(&item.name) && text(&item.kind)),
        ),
        (CatalogueField::Provider, text(&entry.provider_name)),
        (CatalogueField::Format, text(&entry.format)),
        (CatalogueField::UpdateFrequency, true),
        (CatalogueField::ShareClass, true),
        (CatalogueField::Method, !entry.methods.is_empty()),
        (CatalogueField::UseConditions, true),
        (CatalogueField::Grade, true),
        (
            CatalogueField::SecrecyAssessment,
            is_done(&entry.secrecy_assessment),
        ),
        (
            CatalogueField::PersonalInformationAssessment,
            if entry.personal_information {
                is_done(&entry.privacy_assessment)
            } else {
                is_stated(&entry.privacy_assessment)
            },
        ),
    ];
    stated
        .into_iter()
        .filter(|(_, is_stated)| *is_stated)
        .map(|(field, _)| field)
        .collect()
}

fn is_done(assessment: &Assessment) -> bool {
    match assessment {
        Assessment::Done { by, conclusion, .. } => {
            !by.trim().is_empty() && !conclusion.trim().is_empty()
        }
        Assessment::NotApplicable { .. } => false,
    }
}

fn is_stated(assessment: &Assessment) -> bool {
    match assessment {
        Assessment::Done { .. } => is_done(assessment),
        Assessment::NotApplicable { reason } => !reason.trim().is_empty(),
    }
}

fn within_bounds(entry: &Entry) -> Result<(), Refusal> {
    at_most(entry.items.len(), MAX_ITEMS, Article::R13)?;
    at_most(
        entry.methods.len(),
        statute::Method::ALL.len(),
        Article::R13,
    )?;
    let names = entry.items.iter().flat_map(|item| [&item.name, &item.kind]);
    for name in names.chain([&entry.name, &entry.provider_name, &entry.format]) {
        at_most(name.chars().count(), MAX_NAME_CHARS, Article::R13)?;
    }
    at_most(
        entry.summary.chars().count(),
        MAX_SUMMARY_CHARS,
        Article::R13,
    )?;
    for assessment in [&entry.secrecy_assessment, &entry.privacy_assessment] {
        let (by, text) = match assessment {
            Assessment::Done { by, conclusion, .. } => (by.as_str(), conclusion),
            Assessment::NotApplicable { reason } => ("", reason),
        };
        at_most(by.chars().count(), MAX_NAME_CHARS, Article::R13)?;
        at_most(text.chars().count(), MAX_SUMMARY_CHARS, Article::R13)?;
    }
    Ok(())
}

/// Items are named, so no two bear one name; nor is a way of sharing or the version given twice or not at all.
fn items_differ(entry: &Entry) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for item in &entry.items {
        if !seen.insert(item.name.as_str()) {
            return Err(RefusalReason::Duplicate {
                what: item.name.clone(),
            }
            .under(Article::R13));
        }
    }
    let mut seen = BTreeSet::new();
    for method in &entry.methods {
        if !seen.insert(method) {
            return Err(RefusalReason::Duplicate {
                what: method.zh().to_owned(),
            }
            .under(Article::R13));
        }
    }
    if entry.version == 0 {
        return Err(RefusalReason::WrongState {
            expected: "version 1".into(),
            found: "version 0".into(),
        }
        .under(Article::R13));
    }
    Ok(())
}

/// The whole has the grade of its strictest item (GB/T 43697-2024), R13.
fn grade_is_that_of_strictest_item(entry: &Entry) -> Result<(), Refusal> {
    let strictest = Grade::of_all(entry.items.iter().map(|item| item.grade));
    if entry.grade == strictest {
        return Ok(());
    }
    let (expected, found) = (strictest.zh().to_owned(), entry.grade.zh().to_owned());
    Err(RefusalReason::WrongState { expected, found }.under(Article::R13))
}

/// A version of an entry as its node holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// Where it stands.
    pub state: EntryState,
    /// The version.
    pub entry: &'a Entry,
}

/// What is to be done with one version of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryCommand<'a> {
    /// Compile it, or compile it again before it is submitted.
    Compile(&'a Entry),
    /// Approve exactly this version.
    Approve(&'a EntryVersion),
    /// Submit exactly this version.
    Submit(&'a EntryVersion),
    /// Review exactly this version.
    Review(&'a EntryVersion, &'a ReviewVerdict),
    /// Withdraw exactly this version.
    Withdraw(&'a EntryVersion),
}

impl EntryCommand<'_> {
    /// The legal kind of the act.
    pub fn kind(&self) -> ActKind {
        match self {
            Self::Compile(_) => ActKind::CompileEntry,
            Self::Approve(_) => ActKind::ApproveEntry,
            Self::Submit(_) => ActKind::SubmitEntry,
            Self::Review(..) => ActKind::ReviewEntry,
            Self::Withdraw(_) => ActKind::WithdrawEntry,
        }
    }

    fn article(&self) -> Article {
        statute::required_role(self.kind()).1
    }

    fn named(&self) -> Option<&EntryVersion> {
        match self {
            Self::Compile(_) => None,
            Self::Approve(named)
            | Self::Submit(named)
            | Self::Review(named, _)
            | Self::Withdraw(named) => Some(named),
        }
    }
}

/// The state of a version after a command by `doer` on the node `node`. `standing` is what the node holds under the same id and version, or,
/// for a new version, nothing: the published version stands until the new one is published.
///
/// # Errors
/// `RoleNotEntitled` under the article that names who may, `NotYourDepartment`, `WrongState`, and those of [`check_entry`] when it is compiled.
pub fn decide(
    standing: Option<Standing<'_>>,
    command: EntryCommand<'_>,
    doer: &Doer,
    node: Code,
) -> Result<EntryState, Refusal> {
    statute::may(doer.role, command.kind())?;
    belongs_to(standing, command, doer, node)?;
    if let Some(named) = command.named() {
        is_the_version_named(standing, named, command.article())?;
    }
    let state = standing.map(|it| it.state);
    let (expected, next) = match command {
        EntryCommand::Compile(entry) => {
            check_entry(entry)?;
            ("draft, approved or a new version", compiled(state))
        }
        EntryCommand::Approve(_) => (
            "draft",
            only(state, EntryState::Draft, EntryState::Approved),
        ),
        EntryCommand::Submit(_) => (
            "approved",
            only(state, EntryState::Approved, EntryState::Submitted),
        ),
        EntryCommand::Review(_, ReviewVerdict::Publish) => (
            "submitted",
            only(state, EntryState::Submitted, EntryState::Published),
        ),
        EntryCommand::Review(_, ReviewVerdict::Return { reason }) => {
            if reason.trim().is_empty() {
                return Err(RefusalReason::ReasonsRequired.under(Article::R16));
            }
            (
                "submitted",
                only(state, EntryState::Submitted, EntryState::Draft),
            )
        }
        EntryCommand::Withdraw(_) => (
            "published",
            only(state, EntryState::Published, EntryState::Withdrawn),
        ),
    };
    next.ok_or_else(|| wrong_state(expected, state, command.article()))
}

/// A version may be compiled anew until it is with the authority; to change what was approved is to ask for approval again.
fn compiled(state: Option<EntryState>) -> Option<EntryState> {
    match state {
        None | Some(EntryState::Draft | EntryState::Approved) => Some(EntryState::Draft),
        Some(EntryState::Submitted | EntryState::Published | EntryState::Withdrawn) => None,
    }
}

fn only(state: Option<EntryState>, from: EntryState, to: EntryState) -> Option<EntryState> {
    (state == Some(from)).then_some(to)
}

/// The department acts on its own entries; the authority of the node on all of them (R12, R13, R16).
fn belongs_to(
    standing: Option<Standing<'_>>,
    command: EntryCommand<'_>,
    doer: &Doer,
    node: Code,
) -> Result<(), Refusal> {
    let foreign = || Err(RefusalReason::NotYourDepartment.under(command.article()));
    if doer.node != node {
        return foreign();
    }
    let own = |entry: &Entry| entry.provider == doer.department;
    let held_is_own = standing.is_none_or(|it| own(it.entry));
    match command {
        EntryCommand::Review(..) => Ok(()),
        EntryCommand::Compile(entry) if own(entry) && held_is_own => Ok(()),
        EntryCommand::Approve(_) | EntryCommand::Submit(_) | EntryCommand::Withdraw(_)
            if held_is_own =>
        {
            Ok(())
        }
        EntryCommand::Compile(_)
        | EntryCommand::Approve(_)
        | EntryCommand::Submit(_)
        | EntryCommand::Withdraw(_) => foreign(),
    }
}

/// The act names the version by content, so that nobody approves or publishes what they did not see.
fn is_the_version_named(
    standing: Option<Standing<'_>>,
    named: &EntryVersion,
    article: Article,
) -> Result<(), Refusal> {
    let held = standing.map(|it| it.entry.version_ref());
    if held.as_ref() == Some(named) {
        return Ok(());
    }
    let text = |it: &EntryVersion| format!("{} v{} {}", it.id, it.version, it.digest.short());
    let found = held.as_ref().map_or_else(|| "none".to_owned(), text);
    Err(RefusalReason::WrongState {
        expected: text(named),
        found,
    }
    .under(article))
}

fn wrong_state(expected: &str, found: Option<EntryState>, article: Article) -> Refusal {
    let found = found.map_or("none", EntryState::name).to_owned();
    RefusalReason::WrongState {
        expected: expected.to_owned(),
        found,
    }
    .under(article)
}

impl EntryState {
    /// A short name for errors and pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Approved => "approved",
            Self::Submitted => "submitted",
            Self::Published => "published",
            Self::Withdrawn => "withdrawn",
        }
    }
}
