//! R21: the term of a reply, over the National Day holiday of 2025. The notice makes Sunday 28 September a working day, so what is received on
//! Friday the 26th and is shared unconditionally is to be answered by the end of that Sunday; Shenyang's five days (S20) end on 10 October.

use guantong_tests::Department;
use guantong_tests::live::{Federation, beijing, two_provinces};
use guantong_tests::stage::{
    application, apply, code, conditional, events, grant, provider, reply, seen,
};
use identity::{Code, Moment};
use sharing::application::Phase;
use sharing::catalogue::Entry;
use sharing::clock::ClockEvent;
use sharing::docket::{DocketBody, DocketId};
use statute::{Article, ClassTerms, Duty, Profile};

/// The end of Sunday 2025-09-28 in Beijing: at this instant the reply is late.
const DUE: &str = "2025-09-29T00:00";
const UNCONDITIONAL: Duty = Duty::ReplyUnconditional;

/// An application that was received on Friday 2025-09-26.
struct Received {
    live: Federation,
    provider: Department,
    requester: Code,
    entry: Entry,
    docket: DocketId,
}

fn received_before_national_day(terms: ClassTerms, expected: &str) -> Received {
    let received = beijing("2025-09-26T10:00");
    let mut live = Federation::start_with(&two_provinces(), received, |node, me| {
        if node == code("210102") {
            me.profile = Profile::shenyang();
        }
    });
    let (provider, entry) = provider(&mut live, "210102", terms);
    let requester = Department::hosted(code("440106"), 2, "民政局");
    let wanted = application(&live, &requester, &provider, &entry);
    let docket = apply(&mut live, &requester, wanted);
    let due = live.until("the receipt at the requester's node", |live| {
        match seen(live, requester.node, docket)?.phase {
            Phase::Received { term } => Some(term.due),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(due, beijing(expected));
    Received {
        live,
        provider,
        requester: requester.node,
        entry,
        docket,
    }
}

/// When a node's copy says that a duty became overdue, and since which moment it was late.
fn overdue(
    live: &Federation,
    node: Code,
    docket: DocketId,
    owed: Duty,
) -> Option<(Moment, Moment)> {
    let held = events(live, node, docket);
    let mut found = held.iter().filter_map(|event| match &event.body {
        DocketBody::Clock(ClockEvent::Overdue { duty, due, .. }) if *duty == owed => {
            Some((event.at, *due))
        }
        _ => None,
    });
    let first = found.next();
    assert_eq!(found.next(), None, "a default is recorded once");
    first
}

#[test]
fn a_reply_in_the_last_minute_of_the_make_up_day_is_in_time() {
    let Received {
        mut live,
        provider,
        requester,
        entry,
        docket,
    } = received_before_national_day(ClassTerms::Unconditional, DUE);
    live.advance_to(beijing("2025-09-28T23:59"));
    let agreed = grant(&live, &entry);
    reply(&mut live, &provider, docket, agreed);
    live.advance_to(beijing("2025-09-29T00:01"));
    live.until("the grant at the requester's node", |live| {
        let state = seen(live, requester, docket)?;
        matches!(state.phase, Phase::Granted { .. }).then_some(())
    });
    for node in [provider.node, requester] {
        assert_eq!(
            overdue(&live, node, docket, UNCONDITIONAL),
            None,
            "at {node}"
        );
    }
}

#[test]
fn a_reply_missed_by_a_minute_is_recorded_overdue_and_the_requester_learns_it() {
    let Received {
        live,
        provider,
        requester,
        docket,
        ..
    } = received_before_national_day(ClassTerms::Unconditional, DUE);
    live.advance_to(beijing("2025-09-28T23:59"));
    assert_eq!(
        overdue(&live, provider.node, docket, UNCONDITIONAL),
        None,
        "not yet late"
    );
    live.advance_to(beijing("2025-09-29T00:01"));
    let recorded = Some((beijing("2025-09-29T00:01"), beijing(DUE)));
    assert_eq!(
        overdue(&live, provider.node, docket, UNCONDITIONAL),
        recorded
    );
    let learned = live.until("the default at the requester's node", |live| {
        overdue(live, requester, docket, UNCONDITIONAL)
    });
    assert_eq!(Some(learned), recorded);
    let duties = live.get(provider.node, "/duties");
    let owed = &duties["items"][0];
    assert_eq!(
        (&owed["duty"], &owed["article"], &owed["status"]),
        (
            &serde_json::to_value(UNCONDITIONAL).expect("JSON"),
            &serde_json::to_value(Article::R21).expect("JSON"),
            &"overdue".into()
        ),
        "{duties}"
    );
}

#[test]
fn a_county_of_shenyang_has_five_working_days_for_a_conditional_entry() {
    let Received {
        live,
        provider,
        requester,
        docket,
        ..
    } = received_before_national_day(conditional(), "2025-10-11T00:00");
    let owed = Duty::ReplyConditional;
    live.advance_to(beijing("2025-10-10T23:59"));
    assert_eq!(overdue(&live, provider.node, docket, owed), None);
    live.advance_to(beijing("2025-10-11T00:01"));
    let recorded = Some((beijing("2025-10-11T00:01"), beijing("2025-10-11T00:00")));
    assert_eq!(overdue(&live, provider.node, docket, owed), recorded);
    let learned = live.until("the default at the requester's node", |live| {
        overdue(live, requester, docket, owed)
    });
    assert_eq!(Some(learned), recorded);
}
