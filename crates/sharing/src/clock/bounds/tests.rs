//! What a copy's holder makes of silence, of what the home says later, and of its dates.

use std::slice;

use identity::{Digest, Path};
use statute::{Calendar, Profile, Role, WorkingDays};

use super::*;
use crate::act::ActBody;
use crate::cast::{self, HUB, NOW};
use crate::clock::ClockAct;
use crate::docket::DocketId;

const HOUR_MS: i64 = 3_600_000;
const DUTY: Duty = Duty::ReplyConditional;

fn due() -> Moment {
    NOW.plus_days(14)
}

fn open() -> OpenDuty {
    OpenDuty {
        duty: DUTY,
        term: Term::fixed(NOW, due()),
        who: Debtor::Authority(Path::hub()),
    }
}

fn seen() -> OwnLapse {
    OwnLapse {
        duty: DUTY,
        article: DUTY.article(),
        term: open().term,
        who: open().who,
        home: HomeStanding::Silent,
        at: due().plus_millis(IN_FLIGHT_MS),
        outcome: None,
    }
}

fn overdue() -> DocketBody {
    DocketBody::Clock(ClockEvent::Overdue {
        duty: DUTY,
        arises: NOW,
        due: due(),
        who: open().who,
    })
}

/// Any event that is not about time.
fn other() -> DocketBody {
    DocketBody::Dispute(crate::dispute::DisputeEvent::Settled)
}

fn event(at: Moment, body: DocketBody) -> DocketEvent {
    DocketEvent {
        docket: DocketId(Digest::object(b"case")),
        home: Path::hub(),
        sequence: 3,
        previous: Digest::from_bytes([0; 32]),
        at,
        checkpoint: (7, Digest::from_bytes([1; 32])),
        body,
    }
}

fn doubted(event: &DocketEvent, received: Moment, after: &[OpenDuty]) -> Vec<Doubt> {
    let before = [open()];
    let arrival = Arrival {
        event,
        previous: Some(NOW),
        cosigned: None,
        received,
    };
    let said = words(&before, after, &event.body);
    doubts(&arrival, &Clock::default(), &said)
}

#[test]
fn a_duty_is_overdue_at_a_copy_when_its_end_and_what_may_be_under_way_have_passed() {
    let (calendar, profile) = (Calendar::national(), Profile::national());
    let law = Law {
        calendar: &calendar,
        profile: &profile,
    };
    let late = |clock: &Clock, now| overdue_here(clock, &[open()], &law, now).len();
    let clock = Clock::default();
    assert_eq!(late(&clock, due().plus_millis(IN_FLIGHT_MS - 1)), 0);
    assert_eq!(late(&clock, due().plus_millis(IN_FLIGHT_MS)), 1);
    let DocketBody::Clock(said) = overdue() else {
        panic!("a fact about time");
    };
    let clock = clock.evolve(&said).expect("it follows");
    assert_eq!(late(&clock, due().plus_days(9)), 0, "the home has said so");
}

#[test]
fn a_provisional_time_limit_is_counted_by_the_calendar_of_whoever_holds_the_copy() {
    let (calendar, profile) = (Calendar::national(), Profile::national());
    let law = Law {
        calendar: &calendar,
        profile: &profile,
    };
    let by_law = law.term(DUTY, NOW);
    let provisional = OpenDuty {
        term: Term {
            arises: NOW,
            due: by_law.due.plus_days(-3),
            provisional: true,
        },
        ..open()
    };
    let late = |now| overdue_here(&Clock::default(), slice::from_ref(&provisional), &law, now);
    assert_eq!(late(by_law.due.plus_millis(IN_FLIGHT_MS - 1)), []);
    let found = late(by_law.due.plus_millis(IN_FLIGHT_MS));
    assert_eq!(found.first().map(|it| it.term), Some(by_law));
}

#[test]
fn what_the_home_says_later_is_put_beside_the_finding() {
    let received = due().plus_days(2);
    let outcome = |at, body: DocketBody, after: &[OpenDuty]| {
        let before = [open()];
        let said = words(&before, after, &body);
        seen().outcome_of(&event(at, body), &said, received)
    };
    let late = due().plus_days(1);
    assert_eq!(
        outcome(late, overdue(), &[open()]),
        Some(Outcome::Agreed { at: late, received })
    );
    assert_eq!(
        outcome(late, other(), &[]),
        Some(Outcome::DoneLate { at: late, received })
    );
    let early = due().plus_days(-1);
    let claimed = Outcome::Claimed {
        sequence: 3,
        at: early,
        received,
    };
    assert_eq!(outcome(early, other(), &[]), Some(claimed.clone()));
    let mut more = open();
    more.term.due = due().plus_days(10);
    assert_eq!(
        outcome(early, other(), &[more.clone()]),
        Some(claimed),
        "more time, given in time as it says"
    );
    let moved = DocketBody::Clock(ClockEvent::Recomputed {
        duty: DUTY,
        term: more.term,
    });
    let due = more.term.due;
    assert_eq!(
        outcome(late, moved, &[more]),
        Some(Outcome::Moved { due, received })
    );
    assert_eq!(outcome(late, other(), &[open()]), None, "still owed");
}

#[test]
fn a_claim_is_borne_out_by_a_cosignature_before_the_end_and_by_no_later_one() {
    let claimed = OwnLapse {
        outcome: Some(Outcome::Claimed {
            sequence: 3,
            at: NOW,
            received: due().plus_days(1),
        }),
        ..seen()
    };
    let shown = |cosigned| BorneOut {
        cosigned,
        by: cast::path(HUB),
    };
    let outcome = |sequence, cosigned| {
        let shown = shown(cosigned);
        claimed.clone().borne_out(sequence, &shown).outcome
    };
    let in_time = due().plus_millis(-1);
    assert!(
        matches!(outcome(3, in_time), Some(Outcome::BorneOut { cosigned, .. }) if cosigned == in_time)
    );
    assert_eq!(outcome(3, due()), claimed.outcome);
    assert_eq!(outcome(4, in_time), claimed.outcome, "of another event");
    let doubt = DoubtedTime {
        sequence: 3,
        claimed: NOW,
        received: due().plus_days(1),
        doubts: vec![Doubt::ClaimedInTime {
            duty: DUTY,
            arises: NOW,
            due: due(),
        }],
        borne_out: None,
    };
    let disputed = |borne_out| {
        let doubt = doubt.clone();
        DoubtedTime { borne_out, ..doubt }.is_disputed()
    };
    assert!(disputed(None));
    assert!(disputed(Some(shown(due()))));
    assert!(!disputed(Some(shown(in_time))));
}

#[test]
fn in_time_is_doubted_when_it_came_long_after_the_end_and_not_before() {
    let at = due().plus_days(-1);
    let claim = Doubt::ClaimedInTime {
        duty: DUTY,
        arises: NOW,
        due: due(),
    };
    let came = |received| doubted(&event(at, other()), received, &[]);
    assert_eq!(came(due().plus_millis(IN_FLIGHT_MS - 1)), []);
    assert_eq!(came(due().plus_millis(IN_FLIGHT_MS)), [claim]);
    let late = event(due(), other());
    assert_eq!(
        doubted(&late, due().plus_days(3), &[]),
        [],
        "late, as it says itself"
    );
    assert_eq!(
        doubted(&event(at, other()), due().plus_days(3), &[open()]),
        [],
        "it answers nothing"
    );
}

#[test]
fn a_date_ahead_before_its_predecessor_or_before_its_own_checkpoint_is_doubted() {
    let after = [open()];
    let ahead = |ms| {
        let at = NOW.plus_millis(ms);
        doubted(&event(at, other()), NOW, &after)
    };
    assert_eq!(ahead(MAX_CLOCK_AHEAD_MS), []);
    let ahead_ms = MAX_CLOCK_AHEAD_MS + 1;
    assert_eq!(ahead(ahead_ms), [Doubt::FromTheFuture { ahead_ms }]);
    assert_eq!(ahead(-1), [Doubt::BeforeThePrevious { previous: NOW }]);
    let before = [open()];
    let under = |size, at: Moment| {
        let event = event(NOW.plus_millis(HOUR_MS), other());
        let checkpoint = Checkpoint {
            node: Path::hub(),
            epoch: 1,
            size,
            root: Digest::from_bytes([1; 32]),
            at,
        };
        let arrival = Arrival {
            event: &event,
            previous: None,
            cosigned: Some(&checkpoint),
            received: NOW.plus_millis(HOUR_MS),
        };
        let said = words(&before, &after, &event.body);
        doubts(&arrival, &Clock::default(), &said)
    };
    let later = NOW.plus_millis(2 * HOUR_MS);
    let checkpoint = later;
    assert_eq!(under(7, later), [Doubt::BeforeItsCheckpoint { checkpoint }]);
    assert_eq!(under(8, later), [], "cosigned after the event");
    assert_eq!(under(7, NOW), []);
}

#[test]
fn an_event_dated_before_the_person_signed_is_doubted() {
    let (days, grounds) = (WorkingDays::new(3).expect("a period"), "数据量大");
    let said = ActBody::Clock(ClockAct::AskExtension {
        docket: DocketId(Digest::object(b"case")),
        duty: DUTY,
        days,
        grounds: grounds.into(),
    });
    let asked = |ms: i64| {
        let body = DocketBody::Clock(ClockEvent::ExtensionAsked {
            act: cast::provider().sign(Role::Operator, said.clone()),
            duty: DUTY,
            arises: NOW,
            days,
            grounds: grounds.into(),
        });
        let event = event(NOW.plus_millis(-ms), body);
        let arrival = Arrival {
            event: &event,
            previous: None,
            cosigned: None,
            received: NOW,
        };
        doubts(&arrival, &Clock::default(), &[])
    };
    assert_eq!(asked(MAX_ACT_AHEAD_MS), []);
    assert_eq!(
        asked(MAX_ACT_AHEAD_MS + 1),
        [Doubt::SignedLater { signed: NOW }]
    );
}
