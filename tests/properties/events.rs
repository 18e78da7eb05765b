//! The kinds of events of each workflow: those that the runs must have reached, and those that they do not or cannot count on, with the reason.

use std::collections::BTreeMap;

use sharing::docket::DocketBody;

/// What is reached, by workflow.
const REACHED: &[(&str, &[&str])] = &[
    (
        "application",
        &[
            "received",
            "taken",
            "reply-proposed",
            "granted",
            "refused",
            "providing",
            "provided",
            "use-recorded",
            "uses-read",
            "dispute-raised",
            "negotiated",
            "correction-told",
            "suspended",
            "restored",
            "disposal-required",
            "disposed",
            "change-proposed",
            "change-answered",
            "change-filed",
        ],
    ),
    ("dispute", &["referred", "opinion-given", "answered"]),
    ("return-flow", &["subscribed", "delivering", "delivered"]),
    ("update", &["reported", "submitted"]),
    ("correction", &["correction-asked", "corrected", "upheld"]),
    (
        "supervision",
        &["ordered", "reported", "accepted", "circulated", "escalated"],
    ),
    (
        "need",
        &[
            "need-reported",
            "need-passed-on",
            "need-matched",
            "need-declined",
            "need-withdrawn",
        ],
    ),
    (
        "incident",
        &[
            "incident-reported",
            "plan-started",
            "measure-taken",
            "progress-reported",
            "acknowledged",
        ],
    ),
    (
        "inspection",
        &["reading-ordered", "use-attached", "uses-read"],
    ),
    ("open-data", &["opening-applied-for", "opened"]),
    (
        "complaint",
        &[
            "complaint-received",
            "complaint-passed-on",
            "complaint-answered",
        ],
    ),
    ("evaluation", &["reported", "published"]),
    ("erasure", &["erasure-decided", "destroyed"]),
    ("clock", &["warned", "overdue", "justified"]),
];

/// What is not, or not in every stream of chance, by workflow and name, and why.
const UNREACHED: &[(&str, &str)] = &[
    (
        "application/missing-told",
        "a run seldom meets an application that lacks something before its reply is proposed",
    ),
    (
        "return-flow/disputed",
        "a subscriber disputes a table whose sums do not hold, which no honest source returns",
    ),
    (
        "update/withdrawn",
        "no entry is withdrawn: all other workflows need them",
    ),
    (
        "clock/recomputed",
        "no calendar is installed while a run goes on",
    ),
    (
        "clock/breach-found",
        "an order over a lapse is drawn: too seldom in so few runs",
    ),
    (
        "application/supplemented",
        "comes after two steps or more of a grant or an application, in their order: too seldom in so few runs",
    ),
    (
        "application/dispute-concluded",
        "comes after two steps or more of a grant or an application, in their order: too seldom in so few runs",
    ),
    (
        "application/widening-asked",
        "comes after two steps or more of a grant or an application, in their order: too seldom in so few runs",
    ),
    (
        "application/widened",
        "comes after two steps or more of a grant or an application, in their order: too seldom in so few runs",
    ),
    (
        "application/widening-refused",
        "comes after two steps or more of a grant or an application, in their order: too seldom in so few runs",
    ),
    (
        "application/rectification-reported",
        "comes after two steps or more of a grant or an application, in their order: too seldom in so few runs",
    ),
    (
        "application/change-carried-out",
        "comes after two steps or more of a grant or an application, in their order: too seldom in so few runs",
    ),
    (
        "dispute/settled",
        "both parties answer an opinion first: too seldom in so few runs",
    ),
    (
        "dispute/decided",
        "both parties answer an opinion first: too seldom in so few runs",
    ),
    (
        "dispute/complied",
        "both parties answer an opinion first: too seldom in so few runs",
    ),
    (
        "update/returned",
        "an entry goes through compiling, approval and submission first: too seldom in so few runs",
    ),
    (
        "supervision/rejected",
        "comes after a report on an order: too seldom in so few runs",
    ),
    (
        "need/need-promised",
        "comes after a matching within reach and its answer: too seldom in so few runs",
    ),
    (
        "need/need-cannot-be-met",
        "comes after a matching within reach and its answer: too seldom in so few runs",
    ),
    (
        "need/need-fulfilled",
        "comes after a matching within reach and its answer: too seldom in so few runs",
    ),
    (
        "need/need-not-met",
        "comes after a matching within reach and its answer: too seldom in so few runs",
    ),
    (
        "incident/node-cut-off",
        "comes in one place alone, or after plan and measure: too seldom in so few runs",
    ),
    (
        "incident/incident-closed",
        "comes in one place alone, or after plan and measure: too seldom in so few runs",
    ),
    (
        "open-data/opening-refused",
        "one entry is opened on application first: too seldom in so few runs",
    ),
    (
        "clock/extended",
        "the debtor asks for more time, its authority answers before the date: too seldom in so few runs",
    ),
    (
        "clock/extension-refused",
        "the debtor asks for more time, its authority answers before the date: too seldom in so few runs",
    ),
    (
        "application/terminated",
        "comes after two steps or more of a grant or an application, in their order: too seldom in so few runs",
    ),
    (
        "update/published",
        "an entry goes through compiling, approval and submission first: too seldom in so few runs",
    ),
    (
        "need/need-entry-found",
        "comes after a matching within reach and its answer: too seldom in so few runs",
    ),
    (
        "need/need-met",
        "comes after a matching within reach and its answer: too seldom in so few runs",
    ),
    (
        "incident/grants-suspended",
        "comes in one place alone, or after plan and measure: too seldom in so few runs",
    ),
    (
        "incident/keys-rotated",
        "comes in one place alone, or after plan and measure: too seldom in so few runs",
    ),
    (
        "clock/extension-asked",
        "the debtor asks for more time, its authority answers before the date: too seldom in so few runs",
    ),
];

/// An event as it is named here.
pub fn name(body: &DocketBody) -> String {
    format!("{}/{}", workflow(body), body.name())
}

/// What was to be reached and was not yet.
pub fn missing(reached: &BTreeMap<String, u64>) -> Vec<String> {
    let listed = REACHED.iter().flat_map(|(workflow, events)| {
        let named = |event: &&str| format!("{workflow}/{event}");
        events.iter().map(named).collect::<Vec<_>>()
    });
    listed
        .filter(|event| !reached.contains_key(event))
        .collect()
}

/// What was reached and is listed nowhere.
pub fn unlisted(reached: &BTreeMap<String, u64>) -> Vec<&String> {
    let listed = |event: &&String| {
        let (workflow, event) = event.split_once('/').expect("named here");
        let mut lists = REACHED.iter().filter(|(it, _)| *it == workflow);
        lists.any(|(_, events)| events.contains(&event))
    };
    let seldom = |event: &&String| UNREACHED.iter().any(|(it, _)| it == event);
    let events = reached.keys();
    events.filter(|it| !listed(it) && !seldom(it)).collect()
}

fn workflow(body: &DocketBody) -> &'static str {
    match body {
        DocketBody::Application(_) => "application",
        DocketBody::Dispute(_) => "dispute",
        DocketBody::ReturnFlow(_) => "return-flow",
        DocketBody::Update(_) => "update",
        DocketBody::Correction(_) => "correction",
        DocketBody::Supervision(_) => "supervision",
        DocketBody::Need(_) => "need",
        DocketBody::Incident(_) => "incident",
        DocketBody::Inspection(_) => "inspection",
        DocketBody::OpenData(_) => "open-data",
        DocketBody::Complaint(_) => "complaint",
        DocketBody::Evaluation(_) => "evaluation",
        DocketBody::Erasure(_) => "erasure",
        DocketBody::Clock(_) => "clock",
    }
}
