//! The kinds of events of each workflow: those that the runs must have reached, and those that they cannot, with the reason.

use std::collections::BTreeSet;

use sharing::docket::DocketBody;

/// What is reached, by workflow.
const REACHED: &[(&str, &[&str])] = &[
    (
        "application",
        &[
            "received",
            "taken",
            "missing-told",
            "supplemented",
            "reply-proposed",
            "granted",
            "refused",
            "providing",
            "provided",
            "use-recorded",
            "uses-read",
            "dispute-raised",
            "negotiated",
            "dispute-concluded",
            "correction-told",
            "widening-asked",
            "widened",
            "widening-refused",
            "suspended",
            "rectification-reported",
            "restored",
            "terminated",
            "disposal-required",
            "disposed",
            "change-proposed",
            "change-answered",
            "change-filed",
            "change-carried-out",
        ],
    ),
    (
        "dispute",
        &[
            "referred",
            "opinion-given",
            "answered",
            "settled",
            "decided",
            "complied",
        ],
    ),
    ("return-flow", &["subscribed", "delivering", "delivered"]),
    (
        "update",
        &["reported", "submitted", "returned", "published"],
    ),
    ("correction", &["correction-asked", "corrected", "upheld"]),
    (
        "supervision",
        &[
            "ordered",
            "reported",
            "accepted",
            "rejected",
            "circulated",
            "escalated",
        ],
    ),
    (
        "need",
        &[
            "need-reported",
            "need-passed-on",
            "need-matched",
            "need-entry-found",
            "need-declined",
            "need-promised",
            "need-cannot-be-met",
            "need-fulfilled",
            "need-met",
            "need-not-met",
            "need-withdrawn",
        ],
    ),
    (
        "incident",
        &[
            "incident-reported",
            "plan-started",
            "grants-suspended",
            "node-cut-off",
            "keys-rotated",
            "measure-taken",
            "progress-reported",
            "acknowledged",
            "incident-closed",
        ],
    ),
    (
        "inspection",
        &["reading-ordered", "use-attached", "uses-read"],
    ),
    (
        "open-data",
        &["opening-applied-for", "opened", "opening-refused"],
    ),
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
    (
        "clock",
        &[
            "warned",
            "overdue",
            "extension-asked",
            "extended",
            "extension-refused",
            "justified",
        ],
    ),
];

/// What is not, by workflow and name, and why.
const UNREACHED: &[(&str, &str)] = &[
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
        "an order over a lapse is drawn too seldom to be sure of",
    ),
];

/// An event as it is named here.
pub fn name(body: &DocketBody) -> String {
    format!("{}/{}", workflow(body), body.name())
}

/// What was to be reached and was not yet.
pub fn missing(reached: &BTreeSet<String>) -> Vec<String> {
    let listed = REACHED.iter().flat_map(|(workflow, events)| {
        let named = |event: &&str| format!("{workflow}/{event}");
        events.iter().map(named).collect::<Vec<_>>()
    });
    listed.filter(|event| !reached.contains(event)).collect()
}

/// What was reached and is listed nowhere.
pub fn unlisted(reached: &BTreeSet<String>) -> Vec<&String> {
    let listed = |event: &&String| {
        let (workflow, event) = event.split_once('/').expect("named here");
        let mut lists = REACHED.iter().filter(|(it, _)| *it == workflow);
        lists.any(|(_, events)| events.contains(&event))
    };
    let seldom = |event: &&String| UNREACHED.iter().any(|(it, _)| it == event);
    let events = reached.iter();
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
