//! Who marks, opens a file, applies and answers.

use identity::{Moment, Path};
use statute::{Article, OpeningTerms, ProtectedContent, Refusal, RefusalReason};

use super::{
    OpenAnswer, OpenDataAct, OpenDataEvent, OpenFile, OpenPhase, OpenRequestState, OpeningMark,
};
use crate::act::{ActBody, VerifiedAct};
use crate::application::object_is_named;
use crate::catalogue::{Entry, EntryVersion};
use crate::clock::Law;
use crate::dispute::Party;
use crate::public::Intake;

/// S24: the head of the department whose entry stands published marks how it is opened. Files stay only where everyone may still have them.
///
/// # Errors
/// `EntryNotPublished`, `NotYourDepartment`, and those of [`statute::check_opening_mark`].
pub fn mark(
    act: &VerifiedAct,
    (version, terms, contains): (&EntryVersion, &OpeningTerms, &[ProtectedContent]),
    (published, before): (Option<&Entry>, Option<&OpeningMark>),
    law: &Law<'_>,
    now: Moment,
) -> Result<OpeningMark, Refusal> {
    law.profile.check_opens()?;
    let entry = published
        .filter(|entry| entry.version_ref() == *version)
        .ok_or_else(|| RefusalReason::EntryNotPublished.under(Article::S24))?;
    own(act, entry, Article::S24)?;
    let contains = protected(entry, contains);
    statute::check_opening_mark(terms, &contains, law.profile)?;
    let files = before.map_or_else(Vec::new, |before| before.files.clone());
    let stays = |file: &OpenFile| statute::check_open_file(terms, file.format).is_ok();
    Ok(OpeningMark {
        entry: entry.id.clone(),
        terms: terms.clone(),
        contains,
        files: files.into_iter().filter(stays).collect(),
        at: now,
    })
}

/// What a department says is protected, and the personal information that its entry says it holds.
fn protected(entry: &Entry, said: &[ProtectedContent]) -> Vec<ProtectedContent> {
    let personal = entry.personal_information;
    let held = |it: &ProtectedContent| match it {
        ProtectedContent::PersonalInformation => personal || said.contains(it),
        ProtectedContent::TradeSecret => said.contains(it),
    };
    ProtectedContent::ALL.iter().copied().filter(held).collect()
}

/// S25: a file for everyone; the newest of a format stands.
///
/// # Errors
/// `EntryNotPublished`, `NotYourDepartment`, `MissingField`, and those of [`statute::check_open_file`].
pub fn publish(
    act: &VerifiedAct,
    file: &OpenFile,
    (published, before): (Option<&Entry>, Option<&OpeningMark>),
    law: &Law<'_>,
    now: Moment,
) -> Result<OpeningMark, Refusal> {
    law.profile.check_opens()?;
    let (entry, before) = published
        .zip(before)
        .ok_or_else(|| RefusalReason::EntryNotPublished.under(Article::S25))?;
    own(act, entry, Article::S25)?;
    object_is_named(&file.object, Article::S25)?;
    statute::check_open_file(&before.terms, file.format)?;
    // The entry may have come to hold what it did not hold when it was marked.
    let contains = protected(entry, &before.contains);
    statute::check_opening_mark(&before.terms, &contains, law.profile)?;
    let mut mark = before.clone();
    mark.files.retain(|it| it.format != file.format);
    mark.files.push(file.clone());
    (mark.contains, mark.at) = (contains, now);
    Ok(mark)
}

fn own(act: &VerifiedAct, entry: &Entry, article: Article) -> Result<(), Refusal> {
    if act.doer().department == entry.provider {
        Ok(())
    } else {
        Err(RefusalReason::NotYourDepartment.under(article))
    }
}

/// S26: what an application of the public brings about at the node of the department that it is for; the term runs from here.
///
/// # Errors
/// `OpeningNotProvided`, R2; `EntryNotPublished`, `TooLong`, `MissingField`, and those of [`statute::check_may_apply_for_opening`].
pub fn receive(
    intake: Intake,
    (published, mark): (Option<&Entry>, Option<&OpeningMark>),
    here: &Path,
    law: &Law<'_>,
) -> Result<OpenDataEvent, Refusal> {
    law.profile.check_opens()?;
    let statement = intake.request.statement();
    statement.check_bounds(Article::S26)?;
    statute::check_opening_application(statement.text.is_some())?;
    let (entry, mark) = published
        .zip(mark)
        .ok_or_else(|| RefusalReason::EntryNotPublished.under(Article::S24))?;
    let duty = statute::check_may_apply_for_opening(mark.terms.class())?;
    let provider = Party {
        department: entry.provider,
        node: here.clone(),
    };
    let term = law.term(duty, intake.at);
    Ok(OpenDataEvent::Received {
        intake: Box::new(intake),
        provider,
        entry_name: entry.name.clone(),
        term,
    })
}

/// S26: the department answers, once; a refusal says why, and who asked for a reply in writing gets one.
pub(super) fn answer(
    state: &OpenRequestState,
    act: &VerifiedAct,
) -> Result<OpenDataEvent, Refusal> {
    let wrong_state = |expected: &str| {
        RefusalReason::WrongState {
            expected: expected.to_owned(),
            found: state.phase.name().to_owned(),
        }
        .under(Article::S26)
    };
    let ActBody::OpenData(OpenDataAct::Answer { form, answer, .. }) = &act.act().body else {
        return Err(wrong_state("another docket"));
    };
    if !state.provider.includes(act.doer()) {
        return Err(RefusalReason::NotYourDepartment.under(Article::S26));
    }
    match &state.phase {
        OpenPhase::Received { .. } => {}
        OpenPhase::Answered { .. } => return Err(wrong_state("opening-applied-for")),
    }
    statute::check_opening_reply_form(state.form(), *form)?;
    match answer {
        OpenAnswer::Opened { how: _, object } => object
            .iter()
            .try_for_each(|object| object_is_named(object, Article::S26))?,
        OpenAnswer::Refused { reasons } => statute::check_opening_refusal(reasons)?,
    }
    Ok(OpenDataEvent::Answered {
        act: act.signed().clone(),
        form: *form,
        answer: answer.clone(),
    })
}
