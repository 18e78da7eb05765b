//! Erasure by its rule and its events; the evidence of an event before and after.

use identity::{Domain, Signed};
use statute::{Calendar, Profile, Role};

use super::*;
use crate::cast::{self, NOW, TIANHE, provider, requester};
use crate::correction::{CorrectionAct, CorrectionEvent, CorrectionOutcome};
use crate::dispute::Party;
use crate::docket::{DocketBody, DocketEvent};
use crate::ledger::evidence::{AnotherContent, ContentBytes, Shown, shown};
use crate::private::{Content, SALT_BYTES};

fn docket() -> DocketId {
    DocketId(Digest::object(b"docket"))
}

fn content(text: &str) -> Content {
    Content::new([7; SALT_BYTES], text.into()).unwrap()
}

fn party(department: &cast::Department) -> Party {
    Party {
        department: department.code,
        node: department.place.clone(),
    }
}

/// A docket with one content, settled a thousand days before a day on which it may be erased.
fn kept(text: &str) -> Personal {
    let mut personal = Personal::default();
    personal.say(content(text).private(), requester().place.code(), NOW);
    personal.settle(false, NOW);
    personal
}

fn decided(
    personal: &Personal,
    by: &cast::Department,
    contents: Vec<Digest>,
    now: Moment,
) -> Result<ErasureEvent, Refusal> {
    let said = ErasureAct::Erase {
        docket: docket(),
        contents,
        ground: ErasureGround::RetentionOver,
    };
    let (calendar, profile) = (Calendar::national(), Profile::national());
    let law = Law {
        calendar: &calendar,
        profile: &profile,
    };
    let verified = by.act(Role::DepartmentHead, ActBody::Erasure(said.clone()));
    let both = [party(&requester()), party(&provider())].map(Debtor::Department);
    act(personal, &both, &said, &verified, &law, now)
}

/// Four years after.
fn later() -> Moment {
    NOW.plus_days(4 * 366)
}

#[test]
fn what_is_kept_is_erased_once_by_a_department_that_holds_it() {
    let personal = kept("张某");
    let digest = content("张某").private().digest;
    let event = decided(&personal, &provider(), vec![digest], later()).unwrap();
    assert!(event.rests_on_its_act(None));
    let erased = personal.clone().evolve(later(), &event).unwrap();
    let again = decided(&erased, &provider(), vec![digest], later());
    let gone = RefusalReason::NoSuchContent.under(Article::P47);
    assert_eq!(again, Err(gone.clone()));
    let twice = decided(&personal, &provider(), vec![digest, digest], later());
    assert_eq!(twice, Err(gone.clone()));
    assert_eq!(decided(&personal, &provider(), vec![], later()), Err(gone));
    assert_eq!(
        erased.clone().evolve(later(), &event),
        None,
        "decided twice"
    );
    let early = decided(&personal, &provider(), vec![digest], NOW.plus_days(1_000));
    assert_eq!(early.map_err(|refusal| refusal.article), Err(Article::R29));
}

#[test]
fn each_holder_says_once_that_it_destroyed_what_was_erased() {
    let personal = kept("张某");
    let contents = vec![content("张某").private().digest];
    let by = cast::path(TIANHE);
    let destroyed = ErasureEvent::Destroyed {
        contents: contents.clone(),
        by: by.clone(),
        at: later(),
    };
    assert_eq!(personal.clone().evolve(later(), &destroyed), None);
    let event = decided(&personal, &requester(), contents.clone(), later()).unwrap();
    let erased = personal.evolve(later(), &event).unwrap();
    assert_eq!(erased.to_be_said_destroyed(&contents, &by), contents);
    let said = erased.evolve(later(), &destroyed).unwrap();
    assert_eq!(said.to_be_said_destroyed(&contents, &by), []);
    assert_eq!(said.evolve(later(), &destroyed), None);
}

#[test]
fn a_case_that_opens_again_keeps_what_was_said_in_it() {
    let mut personal = kept("张某");
    personal.settle(true, later());
    let open = decided(
        &personal,
        &provider(),
        vec![content("张某").private().digest],
        later(),
    );
    assert_eq!(open, Err(RefusalReason::StillNeeded.under(Article::P47)));
}

#[test]
fn a_content_comes_from_its_saying_to_its_destruction_at_every_holder() {
    let digest = content("张某").private().digest;
    let holders = [TIANHE, cast::HEPING].map(cast::path);
    let number = |personal: &Personal| match &personal.items[0].erased {
        None => usize::from(personal.settled.is_some()),
        Some(erased) if erased.destroyed.len() < holders.len() => 2,
        Some(_) => 3,
    };
    let moves = |personal: &Personal| {
        let settled = [true, false].map(|open| {
            let mut next = personal.clone();
            next.settle(open, NOW);
            next
        });
        let decided = decided(personal, &provider(), vec![digest], later()).ok();
        let destroyed = holders.iter().map(|by| ErasureEvent::Destroyed {
            contents: vec![digest],
            by: by.clone(),
            at: later(),
        });
        let events = decided.into_iter().chain(destroyed);
        let after = events.filter_map(|event| personal.clone().evolve(later(), &event));
        settled.into_iter().chain(after).collect()
    };
    let mut said = kept("张某");
    said.settle(true, NOW);
    crate::exploration::Model {
        starts: vec![said],
        phases: &["said", "kept", "decided", "destroyed"],
        last: &["destroyed"],
        phase: &number,
        key: &|personal| format!("{personal:?}"),
        moves: &moves,
    }
    .explore();
}

/// An event as its home signs it.
fn signed(body: DocketBody) -> Signed<DocketEvent> {
    let event = DocketEvent {
        docket: docket(),
        home: provider().place,
        sequence: 0,
        previous: Digest::from_bytes([0; 32]),
        at: NOW,
        checkpoint: (0, Digest::from_bytes([0; 32])),
        body,
    };
    Signed::sign(&event, Domain::Event, &cast::key("home"))
}

#[test]
fn evidence_shows_what_was_said_and_after_the_erasure_that_it_was_lawfully_erased() {
    let reasons = content("张某的记录与登记一致");
    let outcome = CorrectionOutcome::Upheld {
        reasons: reasons.private(),
    };
    let body = ActBody::Correction(CorrectionAct::Answer {
        docket: docket(),
        outcome: outcome.clone(),
    });
    let act = provider().act(Role::Operator, body).signed().clone();
    let answered = CorrectionEvent::Answered { act, outcome };
    let claimed = |body| {
        let event = signed(body);
        event.claimed(crate::docket::MAX_EVENT_BYTES).unwrap()
    };
    let mut events = vec![claimed(DocketBody::Correction(answered))];
    let told = |events: &[DocketEvent], contents: &[ContentBytes]| {
        shown(events, contents).map(|shown| shown[0].1.clone())
    };
    let kept_here = [ContentBytes::from(&reasons)];
    let text = Shown::Text(reasons.text().to_owned());
    assert_eq!(told(&events, &kept_here), Ok(text));
    let other = [ContentBytes::from(&content("李某"))];
    assert_eq!(told(&events, &other), Err(AnotherContent));
    let twice = [kept_here[0].clone(), kept_here[0].clone()];
    assert_eq!(told(&events, &twice), Err(AnotherContent));
    assert_eq!(told(&events, &[]), Ok(Shown::Withheld));
    let personal = kept(reasons.text());
    let contents = vec![reasons.private().digest];
    let erasure = decided(&personal, &provider(), contents, later()).unwrap();
    events.push(claimed(DocketBody::Erasure(erasure)));
    let erased = Shown::Erased {
        home: provider().place,
        at: NOW,
        ground: ErasureGround::RetentionOver,
    };
    assert_eq!(told(&events, &[]), Ok(erased));
}
