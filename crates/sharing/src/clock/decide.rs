//! What follows from the passing of time, from a new calendar, and from what people do about a time limit.

use identity::Moment;
use identity::planted::{self, Bug};
use statute::{
    Article, Calendar, Extension, Refusal, RefusalReason, check_reply_extension,
    check_update_extension,
};

use super::{
    Clock, ClockAct, ClockEvent, Debtor, Law, MAX_ASKED, MAX_JUSTIFIED, OpenDuty, Term, updates,
};
use crate::act::{ActBody, SignedAct, VerifiedAct, at_most};

/// What time alone brings about: each warning and each default once. `duties` are as amended.
pub fn tick(
    clock: &Clock,
    duties: &[OpenDuty],
    calendar: &Calendar,
    now: Moment,
) -> Vec<ClockEvent> {
    let of = |open: &OpenDuty| {
        let (duty, Term { arises, due, .. }) = (open.duty, open.term);
        if statute::is_overdue(due.as_millis(), now.as_millis()) {
            let who = open.who.clone();
            let overdue = ClockEvent::Overdue {
                duty,
                arises,
                due,
                who,
            };
            let known = clock.is_overdue(duty, arises) && !planted::is(Bug::OverdueTwice);
            (!known).then_some(overdue)
        } else if statute::is_due_soon(due.as_millis(), now.as_millis(), calendar) {
            let told = clock.warned.contains(&(duty, arises));
            (!told).then_some(ClockEvent::Warned { duty, arises, due })
        } else {
            None
        }
    };
    duties.iter().filter_map(of).collect()
}

/// What a holiday notice changes: time limits that were provisional are computed again. What is overdue stays so. `duties` are as amended.
pub fn recompute(clock: &Clock, duties: &[OpenDuty], law: &Law<'_>) -> Vec<ClockEvent> {
    let of = |open: &OpenDuty| {
        if !open.term.provisional || clock.is_overdue(open.duty, open.term.arises) {
            return None;
        }
        let term = computed(clock, open, law);
        (term != open.term).then_some(ClockEvent::Recomputed {
            duty: open.duty,
            term,
        })
    };
    duties.iter().filter_map(of).collect()
}

/// The time limit under this calendar, extension included.
fn computed(clock: &Clock, open: &OpenDuty, law: &Law<'_>) -> Term {
    let arises = open.term.arises;
    let mut due = statute::due(open.duty, arises.as_millis(), law.calendar, law.profile);
    let extended = clock
        .amended
        .iter()
        .rev()
        .filter(|it| it.duty == open.duty && it.term.arises == arises)
        .find_map(|it| it.extended_by);
    if let Some(Ok(extension)) = extended.map(|days| extension(open.duty, days, 0, law)) {
        due = statute::extend(&due, extension, law.calendar);
    }
    Term {
        arises,
        due: Moment::from_millis(due.ends_ms),
        provisional: due.provisional,
    }
}

fn extension(
    duty: statute::Duty,
    days: statute::WorkingDays,
    granted_before: usize,
    law: &Law<'_>,
) -> Result<Extension, Refusal> {
    if updates(duty) {
        check_update_extension(days, granted_before, law.profile)
    } else {
        check_reply_extension(days, granted_before, law.profile)
    }
}

/// What a person's act about a time limit brings about. `duties` are those that run, as amended.
///
/// # Errors
/// The [`Refusal`] of the rule that does not let it pass.
pub fn act(
    clock: &Clock,
    duties: &[OpenDuty],
    done: &ClockAct,
    act: &VerifiedAct,
    law: &Law<'_>,
    now: Moment,
) -> Result<Vec<ClockEvent>, Refusal> {
    let event = match done {
        ClockAct::AskExtension {
            duty,
            days,
            grounds,
            ..
        } => {
            let open = running(duties, *duty)?;
            debtor_acts(&open.who, act, duty.article())?;
            statute::check_may_be_extended(*duty)?;
            extension(*duty, *days, clock.extensions(*duty, open.term.arises), law)?;
            in_time(open, now)?;
            stated(grounds, duty.article())?;
            unanswered_none(clock, *duty)?;
            ClockEvent::ExtensionAsked {
                act: act.signed().clone(),
                duty: *duty,
                arises: open.term.arises,
                days: *days,
                grounds: grounds.clone(),
            }
        }
        ClockAct::AnswerExtension {
            duty,
            consents,
            grounds,
            ..
        } => answer_extension(clock, duties, *duty, (*consents, grounds), act, law, now)?,
        ClockAct::Justify { duty, grounds, .. } => justify(clock, *duty, grounds, act)?,
    };
    Ok(vec![event])
}

/// R17, R21: the authority of the debtor's own level consents to what was asked, or says why not.
fn answer_extension(
    clock: &Clock,
    duties: &[OpenDuty],
    duty: statute::Duty,
    (consents, grounds): (bool, &str),
    act: &VerifiedAct,
    law: &Law<'_>,
    now: Moment,
) -> Result<ClockEvent, Refusal> {
    let Some(asked) = clock.asked.as_ref().filter(|it| it.duty == duty) else {
        return Err(wrong_state("extension-asked", "none", duty.article()));
    };
    let open = running(duties, duty)?;
    if act.doer().node != open.who.node().code() {
        return Err(RefusalReason::NotYourDepartment.under(duty.article()));
    }
    if !consents {
        stated(grounds, duty.article())?;
        return Ok(ClockEvent::ExtensionRefused {
            act: act.signed().clone(),
            duty,
            grounds: grounds.to_owned(),
        });
    }
    in_time(open, now)?;
    let arises = open.term.arises;
    let granted = clock.extensions(duty, arises);
    let extension = extension(duty, asked.days, granted, law)?;
    let last = statute::beijing_date(open.term.due.as_millis() - 1);
    let due = statute::extend_from(last, open.term.provisional, extension, law.calendar);
    Ok(ClockEvent::Extended {
        act: act.signed().clone(),
        duty,
        term: Term {
            arises,
            due: Moment::from_millis(due.ends_ms),
            provisional: due.provisional,
        },
    })
}

/// R39(4): whoever owed it says why it was not done in time.
fn justify(
    clock: &Clock,
    duty: statute::Duty,
    grounds: &str,
    act: &VerifiedAct,
) -> Result<ClockEvent, Refusal> {
    let article = Article::R39_4;
    let Some(lapse) = clock.lapses.iter().rev().find(|it| it.duty == duty) else {
        return Err(wrong_state("overdue", "none", article));
    };
    debtor_acts(&lapse.who, act, article)?;
    stated(grounds, article)?;
    let justified = clock
        .lapses
        .iter()
        .filter(|it| it.justification.is_some())
        .count();
    at_most(justified + 1, MAX_JUSTIFIED, article)?;
    Ok(ClockEvent::Justified {
        act: act.signed().clone(),
        duty,
        arises: lapse.arises,
        grounds: grounds.to_owned(),
    })
}

fn running(duties: &[OpenDuty], duty: statute::Duty) -> Result<&OpenDuty, Refusal> {
    duties
        .iter()
        .find(|it| it.duty == duty)
        .ok_or_else(|| wrong_state(duty.id(), "none", duty.article()))
}

fn debtor_acts(who: &Debtor, act: &VerifiedAct, article: Article) -> Result<(), Refusal> {
    let own = match who {
        Debtor::Department(party) => party.includes(act.doer()),
        Debtor::Authority(node) | Debtor::Government(node) => act.doer().node == node.code(),
    };
    if own {
        Ok(())
    } else {
        Err(RefusalReason::NotYourDepartment.under(article))
    }
}

/// More time is given before the time is over.
fn in_time(open: &OpenDuty, now: Moment) -> Result<(), Refusal> {
    statute::check_extended_in_time(open.duty, open.term.due.as_millis(), now.as_millis())
}

fn stated(grounds: &str, article: Article) -> Result<(), Refusal> {
    if grounds.trim().is_empty() {
        Err(RefusalReason::ReasonsRequired.under(article))
    } else {
        Ok(())
    }
}

fn unanswered_none(clock: &Clock, duty: statute::Duty) -> Result<(), Refusal> {
    if clock.asked.is_some() {
        let what = duty.id().to_owned();
        return Err(RefusalReason::Duplicate { what }.under(duty.article()));
    }
    at_most(
        clock.times_asked as usize + 1,
        MAX_ASKED as usize,
        duty.article(),
    )
}

fn wrong_state(expected: &str, found: &str, article: Article) -> Refusal {
    RefusalReason::WrongState {
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
    .under(article)
}

/// Whether an event says what the person's act in it says.
pub fn rests_on_its_act(event: &ClockEvent) -> bool {
    let said = |act: &SignedAct| match act.body() {
        Some(ActBody::Clock(said)) => Some(said),
        Some(_) | None => None,
    };
    match event {
        ClockEvent::ExtensionAsked {
            act,
            duty,
            days,
            grounds,
            ..
        } => matches!(
            said(act),
            Some(ClockAct::AskExtension { duty: a, days: b, grounds: c, .. }) if (a, b, &c) == (*duty, *days, grounds)
        ),
        ClockEvent::Extended { act, duty, .. } => matches!(
            said(act),
            Some(ClockAct::AnswerExtension { duty: it, consents: true, .. }) if it == *duty
        ),
        ClockEvent::ExtensionRefused { act, duty, grounds } => matches!(
            said(act),
            Some(ClockAct::AnswerExtension { duty: a, consents: false, grounds: b, .. }) if (a, &b) == (*duty, grounds)
        ),
        ClockEvent::Justified {
            act, duty, grounds, ..
        } => matches!(
            said(act),
            Some(ClockAct::Justify { duty: a, grounds: b, .. }) if (a, &b) == (*duty, grounds)
        ),
        ClockEvent::Warned { .. }
        | ClockEvent::Overdue { .. }
        | ClockEvent::Recomputed { .. }
        | ClockEvent::BreachFound { .. } => true,
    }
}
