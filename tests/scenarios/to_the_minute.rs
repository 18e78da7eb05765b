//! Every duty to the minute, over the holidays of 2025 and 2026: met in the last minute of its last day and on record as late nowhere; missed by one
//! minute and on record once at every node that holds the docket, with its article and its own date, also when all of them were away at midnight.
//!
//! The days are written by hand from the State Council's notices: they are what the calendar of `statute` is measured by, and not taken from it.

mod owed;

use federation::core::query;
use guantong_tests::World;
use guantong_tests::live::{beijing, two_provinces};
use identity::{Code, Moment};
use sharing::return_flow::Divisions;
use statute::{Article, Duty, DutyStatus};

use owed::{Owed, owe};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// A working day before a holiday, on which a duty arises, and the days on which so many working days after it end.
struct Holiday {
    name: &'static str,
    arises: &'static str,
    one: &'static str,
    two: &'static str,
    five: &'static str,
    ten: &'static str,
    fifteen: &'static str,
    twenty: &'static str,
}

const HOLIDAYS: &[Holiday] = &[
    // Off: 1 January alone; then the Spring Festival from 28 January to 4 February, with Sunday 26 January worked.
    Holiday {
        name: "New Year's Day 2025",
        arises: "2024-12-31",
        one: "2025-01-02",
        two: "2025-01-03",
        five: "2025-01-08",
        ten: "2025-01-15",
        fifteen: "2025-01-22",
        twenty: "2025-02-05",
    },
    // Off: 1 to 8 October. Worked: Sunday 28 September, Saturday 11 October.
    Holiday {
        name: "National Day 2025",
        arises: "2025-09-26",
        one: "2025-09-28",
        two: "2025-09-29",
        five: "2025-10-10",
        ten: "2025-10-16",
        fifteen: "2025-10-23",
        twenty: "2025-10-30",
    },
    // Off: 1 to 3 January. Worked: Sunday 4 January.
    Holiday {
        name: "New Year's Day 2026",
        arises: "2025-12-31",
        one: "2026-01-04",
        two: "2026-01-05",
        five: "2026-01-08",
        ten: "2026-01-15",
        fifteen: "2026-01-22",
        twenty: "2026-01-29",
    },
    // Off: 15 to 23 February. Worked: Saturdays 14 and 28 February.
    Holiday {
        name: "Spring Festival 2026",
        arises: "2026-02-13",
        one: "2026-02-14",
        two: "2026-02-24",
        five: "2026-02-27",
        ten: "2026-03-05",
        fifteen: "2026-03-12",
        twenty: "2026-03-19",
    },
    // Off: 25 to 27 September and 1 to 7 October. Worked: Sunday 20 September, Saturday 10 October.
    Holiday {
        name: "Mid-Autumn and National Day 2026",
        arises: "2026-09-18",
        one: "2026-09-20",
        two: "2026-09-21",
        five: "2026-09-24",
        ten: "2026-10-09",
        fifteen: "2026-10-15",
        twenty: "2026-10-22",
    },
    Holiday {
        name: "National Day 2026",
        arises: "2026-09-30",
        one: "2026-10-08",
        two: "2026-10-09",
        five: "2026-10-13",
        ten: "2026-10-20",
        fifteen: "2026-10-27",
        twenty: "2026-11-03",
    },
];

/// Return flow is due at the hour of its schedule, not at a day's end: `return_flow` watches it.
pub const ITS_OWN_HOUR: &str = "the schedule of a return flow sets its hour";

/// The last day of a duty, as the article that sets it has it, or the local rules that the story runs under (S26, a complaint's ten days). An extension
/// counts on from the first last day. Where a person sets the date, it is the fifth working day's end.
fn last_day(holiday: &Holiday, duty: Duty) -> (Article, &'static str) {
    match duty {
        Duty::ReplyUnconditional => (Article::R21, holiday.one),
        Duty::ReviewUpdate => (Article::R17, holiday.two),
        Duty::UpdateEntry => (Article::R17, holiday.ten),
        Duty::UpdateExtension => (Article::R17, holiday.fifteen),
        Duty::ReplyConditional => (Article::R21, holiday.ten),
        Duty::ReplyExtension => (Article::R21, holiday.twenty),
        Duty::Provide => (Article::R22, holiday.twenty),
        Duty::Correct => (Article::R26, holiday.ten),
        Duty::ReplyOpening => (Article::S26, holiday.fifteen),
        Duty::AnswerComplaint => (Article::R37, holiday.ten),
        Duty::Comply => (Article::R28, holiday.five),
        Duty::RectifyOrder => (Article::R39, holiday.five),
        Duty::Rectify | Duty::Dispose => (Article::R27, holiday.five),
        Duty::MeetNeed => (Article::R20, holiday.five),
        Duty::ReturnRows => unreachable!("{ITS_OWN_HOUR}"),
    }
}

/// What time makes of the duty: more time is no duty of its own, it is the first one that is late.
fn becomes_late(duty: Duty) -> Duty {
    match duty {
        Duty::UpdateExtension => Duty::UpdateEntry,
        Duty::ReplyExtension => Duty::ReplyConditional,
        other => other,
    }
}

/// A duty that arose at ten o'clock before a holiday, a minute before its end.
struct LastMinute {
    world: World,
    owed: Owed,
    duty: Duty,
    article: Article,
    due: Moment,
    said: String,
}

fn last_minute(duty: Duty, holiday: &Holiday) -> LastMinute {
    let (article, last) = last_day(holiday, duty);
    let due = beijing(&format!("{last}T00:00")).plus_days(1);
    let divisions = Divisions::from_csv(include_bytes!("../../topology/data/divisions.csv"))
        .expect("the divisions");
    let arises = beijing(&format!("{}T10:00", holiday.arises));
    let mut world = World::new(&two_provinces(), divisions, arises, 400);
    let owed = owe(&mut world, duty, due);
    let before = due.millis_since(world.now) - MINUTE_MS;
    world.step(before);
    let last = LastMinute {
        world,
        owed,
        duty: becomes_late(duty),
        article,
        due,
        said: format!("{duty} over {}", holiday.name),
    };
    last.is_late_nowhere();
    last
}

impl LastMinute {
    /// What a node has on record as late in the docket: which duty, since when.
    fn lapses(&self, node: Code) -> Vec<(Duty, Moment)> {
        let held = query::docket(self.world.read(node), self.owed.docket).expect("memory");
        let held = held.unwrap_or_else(|| panic!("{}: {node} holds the docket", self.said));
        let lapses = held.docket.state.clock.lapses.iter();
        lapses.map(|lapse| (lapse.duty, lapse.due)).collect()
    }

    /// What a node shows as late in the docket: under which article, since when.
    fn shown_late(&self, node: Code) -> Vec<(Article, Moment)> {
        let duties = query::duties(self.world.read(node), self.world.now, 100).expect("memory");
        duties
            .into_iter()
            .filter(|it| it.docket == self.owed.docket && it.status == DutyStatus::Overdue)
            .map(|it| (it.article, it.due))
            .collect()
    }

    fn is_late_nowhere(&self) {
        for node in &self.owed.holders {
            assert_eq!(self.lapses(*node), [], "{} at {node}", self.said);
        }
    }

    fn is_late_once_everywhere(&self) {
        let debtors = self.owed.debtors;
        for node in &self.owed.holders {
            let lapse = (self.duty, self.due);
            let said = format!("{} at {node}", self.said);
            assert_eq!(self.lapses(*node), vec![lapse; debtors], "{said}");
            let shown = (self.article, self.due);
            assert_eq!(self.shown_late(*node), vec![shown; debtors], "{said}");
        }
    }

    fn meets_it(mut self) {
        for (node, person, body) in std::mem::take(&mut self.owed.met_by) {
            let taken = self.world.act(node, &person, body);
            taken.unwrap_or_else(|refused| panic!("{}: {refused}", self.said));
            self.world.step(MINUTE_MS / 10);
        }
        self.world.step(2 * MINUTE_MS);
        self.world.settle();
        assert!(self.world.now > self.due);
        self.is_late_nowhere();
    }

    fn goes_by(mut self) {
        self.world.step(2 * MINUTE_MS);
        self.world.settle();
        self.is_late_once_everywhere();
        self.world.step(DAY_MS);
        self.world.settle();
        self.is_late_once_everywhere();
    }

    /// Whoever holds the docket is away from a minute before to three days after.
    fn goes_by_unseen(mut self) {
        for node in &self.owed.holders {
            self.world.stop(*node);
        }
        self.world.step(3 * DAY_MS);
        self.is_late_nowhere();
        for node in self.owed.holders.clone() {
            self.world.restart(node);
        }
        self.world.settle();
        self.is_late_once_everywhere();
    }
}

fn to_the_minute(duties: &[Duty]) {
    for duty in duties {
        for holiday in HOLIDAYS {
            last_minute(*duty, holiday).meets_it();
            last_minute(*duty, holiday).goes_by();
        }
        last_minute(*duty, &HOLIDAYS[1]).goes_by_unseen();
    }
}

/// R21.
const REPLIES: &[Duty] = &[
    Duty::ReplyUnconditional,
    Duty::ReplyConditional,
    Duty::ReplyExtension,
];
/// R17.
const UPDATES: &[Duty] = &[Duty::UpdateEntry, Duty::UpdateExtension, Duty::ReviewUpdate];
/// R22, R26.
const DATA: &[Duty] = &[Duty::Provide, Duty::Correct];
/// Set by local rules.
const PUBLIC: &[Duty] = &[Duty::ReplyOpening, Duty::AnswerComplaint];
/// By a date that a person set.
const DATES: &[Duty] = &[
    Duty::Comply,
    Duty::RectifyOrder,
    Duty::Rectify,
    Duty::Dispose,
    Duty::MeetNeed,
];

#[test]
fn every_duty_is_watched_to_the_minute() {
    let watched = [REPLIES, UPDATES, DATA, PUBLIC, DATES].concat();
    for duty in Duty::ALL.iter().filter(|it| **it != Duty::ReturnRows) {
        assert!(watched.contains(duty), "{duty}");
    }
}

#[test]
fn a_reply_is_met_by_a_minute_or_missed_by_a_minute() {
    to_the_minute(REPLIES);
}

#[test]
fn an_update_and_its_review_are_met_by_a_minute_or_missed_by_a_minute() {
    to_the_minute(UPDATES);
}

#[test]
fn data_is_shared_and_corrected_by_a_minute_or_late_by_a_minute() {
    to_the_minute(DATA);
}

#[test]
fn the_public_is_answered_by_a_minute_or_late_by_a_minute() {
    to_the_minute(PUBLIC);
}

#[test]
fn a_date_that_a_person_set_is_met_by_a_minute_or_missed_by_a_minute() {
    to_the_minute(DATES);
}
