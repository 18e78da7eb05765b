//! The obligations row by row, through the HTTP APIs of running nodes: what a person does is posted to their own node, what came of it is got from
//! the API of another, and the unlawful twin of it is refused as a problem that names its article.
//!
//! The comment of a test names its rows; [`LACKING`] says which rows have none yet.

mod applications;
mod catalogue;
mod correction;
mod disputes;
mod evaluation;
mod grants;
mod local;
mod needs;
mod platform;
mod public;
mod return_flow;
mod sealed;
mod supervision;

use federation::core::Answer;
use federation::core::view::DocketDetail;
use guantong_tests::live::{Federation, beijing, two_provinces};
use guantong_tests::stage::{application, apply, code, conditional, grant, provider, reply};
use guantong_tests::{Department, Person};
use identity::Code;
use node::api::ProblemBody;
use serde::de::DeserializeOwned;
use sharing::act::{ActBody, ObjectRef};
use sharing::catalogue::Entry;
use sharing::docket::DocketId;
use statute::{ClassTerms, Profile, Role};

/// What a node answers to an act.
type Answered = Result<Answer, Box<ProblemBody>>;

/// Monday 2026-03-09, ten o'clock.
const MONDAY: &str = "2026-03-09T10:00";

/// The sources in which rows are named.
const SOURCES: &[&str] = &[
    include_str!("rows/applications.rs"),
    include_str!("rows/catalogue.rs"),
    include_str!("rows/correction.rs"),
    include_str!("rows/disputes.rs"),
    include_str!("rows/evaluation.rs"),
    include_str!("rows/grants.rs"),
    include_str!("rows/local.rs"),
    include_str!("rows/needs.rs"),
    include_str!("rows/platform.rs"),
    include_str!("rows/public.rs"),
    include_str!("rows/return_flow.rs"),
    include_str!("rows/sealed.rs"),
    include_str!("rows/supervision.rs"),
    include_str!("erasure.rs"),
];

/// The rows without a test here, and why. The list only shrinks.
const LACKING: &[(&str, &str)] = &[];

/// The rows that a source's comments name.
fn named(source: &str) -> Vec<&str> {
    let lines = source.lines().map(str::trim);
    lines
        .filter_map(|line| {
            line.strip_prefix("/// Rows ")
                .or_else(|| line.strip_prefix("/// Row "))
        })
        .flat_map(|rows| rows.trim_end_matches('.').split(", "))
        .collect()
}

#[test]
fn every_row_is_driven_over_http_or_is_listed_with_a_reason() {
    let driven: Vec<&str> = SOURCES.iter().flat_map(|source| named(source)).collect();
    let known = |row: &str| {
        statute::obligation::OBLIGATIONS
            .iter()
            .any(|it| it.row == row)
    };
    for row in &driven {
        assert!(known(row), "{row} is no row");
    }
    let lacking: Vec<&str> = statute::obligation::OBLIGATIONS
        .iter()
        .map(|it| it.row)
        .filter(|row| !driven.contains(row))
        .collect();
    println!("not driven over HTTP: {lacking:?}");
    let mut listed: Vec<&str> = LACKING.iter().map(|(row, _)| *row).collect();
    let in_order = |row: &&str| {
        statute::obligation::OBLIGATIONS
            .iter()
            .position(|it| it.row == *row)
    };
    listed.sort_by_key(in_order);
    assert_eq!(lacking, listed, "what is driven is listed no more");
    assert!(LACKING.iter().all(|(_, reason)| !reason.is_empty()));
}

fn start() -> Federation {
    Federation::start(&two_provinces(), beijing(MONDAY))
}

/// 沈阳市 and 和平区 under the city's rules.
fn start_in_shenyang() -> Federation {
    Federation::start_with(&two_provinces(), beijing(MONDAY), |node, me| {
        if ["210100", "210102"].map(code).contains(&node) {
            me.profile = Profile::shenyang();
        }
    })
}

/// Someone of a department does something at the department's node.
fn staff(live: &Federation, department: &Department, role: Role, body: ActBody) -> Answered {
    let person = Person::of(department, role, live.now());
    live.act(department.node, &person, body)
}

/// Someone of a place's authority or government does something there.
fn officer(live: &Federation, node: &str, role: Role, body: ActBody) -> Answered {
    let node = code(node);
    let person = match role {
        Role::AuthorityHead => live.authority_head(node),
        other => Person::of_authority(node, other, live.now()),
    };
    live.act(node, &person, body)
}

/// The docket that an act opened or took a step in.
fn docket(answer: Answered) -> DocketId {
    let answer = answer.unwrap_or_else(|problem| panic!("{problem:?}"));
    answer.docket.expect("a docket")
}

/// Refused by law, under this article.
#[track_caller]
fn refused(answer: Answered, article: &str) {
    let problem = answer.expect_err("unlawful");
    let said = (problem.status, problem.article.as_deref());
    assert_eq!(said, (422, Some(article)), "{problem:?}");
    assert_eq!(problem.r#type, "urn:guantong:problem:refusal");
    assert!(problem.what_to_do.is_some(), "{problem:?}");
}

/// What a node's API answers, once it answers so.
fn got<T: DeserializeOwned>(
    live: &Federation,
    node: Code,
    path: &str,
    so: impl Fn(&T) -> bool,
) -> T {
    let what = format!("GET {path} at {node}");
    live.until(&what, |live| {
        let value = live.try_get(node, path).ok()?;
        let found = serde_json::from_value(value).unwrap_or_else(|error| panic!("{what}: {error}"));
        so(&found).then_some(found)
    })
}

/// A docket as a node's API shows it, once it stands so.
fn shown(
    live: &Federation,
    node: Code,
    docket: DocketId,
    so: impl Fn(&DocketDetail) -> bool,
) -> DocketDetail {
    got(live, node, &format!("/dockets/{docket}"), so)
}

/// A docket as a node's API shows it, once it is in this phase.
fn in_phase(live: &Federation, node: Code, docket: DocketId, phase: &str) -> DocketDetail {
    shown(live, node, docket, |it| {
        it.docket.state.case.phase() == phase
    })
}

/// A docket as a node's API shows it, once this has happened in it.
fn after(live: &Federation, node: Code, docket: DocketId, event: &str) -> DocketDetail {
    let happened = |it: &DocketDetail| it.events.iter().any(|it| it.body.name() == event);
    shown(live, node, docket, happened)
}

/// Whether a node's API shows a docket.
fn is_shown(live: &Federation, node: &str, docket: DocketId) -> bool {
    live.try_get(code(node), &format!("/dockets/{docket}"))
        .is_ok()
}

/// 天河区 applied to 和平区, which received it.
struct Applied {
    live: Federation,
    provider: Department,
    requester: Department,
    entry: Entry,
    docket: DocketId,
}

fn applied(mut live: Federation, terms: ClassTerms) -> Applied {
    let (provider, entry) = provider(&mut live, "210102", terms);
    let requester = Department::hosted(code("440106"), 2, "民政局");
    let wanted = application(&live, &requester, &provider, &entry);
    let docket = apply(&mut live, &requester, wanted);
    in_phase(&live, provider.node, docket, "received");
    in_phase(&live, requester.node, docket, "received");
    Applied {
        live,
        provider,
        requester,
        entry,
        docket,
    }
}

/// 天河区 has data of 和平区.
fn shared() -> (Applied, ObjectRef) {
    let mut story = applied(start(), conditional());
    let agreed = grant(&story.live, &story.entry);
    reply(&mut story.live, &story.provider, story.docket, agreed);
    let rows = b"code,name\n1,a\n";
    let object = story.live.upload(story.provider.node, "低保对象.csv", rows);
    let provide = ActBody::Provide {
        docket: story.docket,
        object: object.clone(),
    };
    staff(&story.live, &story.provider, Role::Operator, provide).expect("provided");
    for node in [story.requester.node, story.provider.node] {
        in_phase(&story.live, node, story.docket, "provided");
    }
    (story, object)
}
