//! Enrolment of running nodes, from the hub down, over HTTP: each child's request is certified by the head of the authority above it (R30),
//! then each node's people are enrolled by their heads (R11).

use std::time::Instant;

use federation::core::view::{HealthView, NodeView, PersonView};
use federation::health::Condition;
use statute::Role;

use super::Failure;
use super::client::CallError;
use super::command::text;
use super::prepare::{REQUEST, chain_file, witnesses};
use super::roster::{Person, Place};
use super::screen::seconds;
use super::stage::{EFFECT, Stage};
use crate::api::List;

/// Roles enrolled by the head of the authority.
const BY_AUTHORITY: [Role; 3] = [
    Role::AuthorityReviewer,
    Role::Government,
    Role::DepartmentHead,
];
/// Roles enrolled by the head of the department.
const BY_DEPARTMENT: [Role; 2] = [Role::SharingOfficeHead, Role::Operator];

/// Enrols every node and every person; what is enrolled already stays as it is.
///
/// # Errors
/// [`Failure`] of the first that cannot be enrolled.
pub fn enrol(stage: &Stage) -> Result<(), Failure> {
    let begun = Instant::now();
    stage.screen.progress(
        stage.roster.nodes.len(),
        stage.pick("节点入网", "enrolling nodes"),
    );
    for level in stage.roster.levels() {
        stage.side_by_side(&level, |place| node(stage, place))?;
    }
    nodes_told(stage, begun);
    let begun = Instant::now();
    stage.screen.progress(
        stage.roster.nodes.len(),
        stage.pick("登记人员", "enrolling people"),
    );
    let places: Vec<&Place> = stage.roster.nodes.iter().collect();
    stage.side_by_side(&places, |place| people(stage, place))?;
    stage.screen.progress_done();
    let count = stage.layout.people.len();
    stage.screen.line(&match stage.language() {
        crate::language::Language::Chinese => format!("  ✓ {count} 名人员由各自负责人登记，密钥在节点之外  〔R11〕 {}", seconds(begun.elapsed())),
        crate::language::Language::English => {
            format!("  ✓ {count} people enrolled by their heads; their keys lie outside the nodes  〔R11〕 {}", seconds(begun.elapsed()))
        }
    });
    links(stage)
}

fn nodes_told(stage: &Stage, begun: Instant) {
    let count = stage.roster.nodes.len();
    stage.screen.progress_done();
    stage.screen.line(&match stage.language() {
        crate::language::Language::Chinese => {
            format!("  ✓ {count} 个节点自上而下入网：根密钥离线签发枢纽，各级主管部门负责人签发下级  〔R30〕 {}", seconds(begun.elapsed()))
        }
        crate::language::Language::English => format!(
            "  ✓ {count} nodes enrolled from the top: the offline root signed the hub, each authority's head its children  〔R30〕 {}",
            seconds(begun.elapsed())
        ),
    });
}

/// One node: certified by the authority above, unless it is a member already.
fn node(stage: &Stage, place: &Place) -> Result<(), Failure> {
    let site = stage.site(place.code())?;
    stage.await_ready(site)?;
    let what = format!(
        "{} {} {}",
        stage.pick("入网", "enrol"),
        site.code,
        site.name
    );
    if stage
        .await_effect(&what, EFFECT, || {
            stage.client.get::<NodeView>(site, "/api/v1/node").map(Some)
        })?
        .place
        .is_some()
    {
        return Ok(());
    }
    let chain = text(&stage.layout.work(&chain_file(place.code())));
    if let Some(parent) = site.parent {
        let request = text(&stage.layout.data(site).join(REQUEST));
        let witnesses = witnesses(&stage.roster, place);
        let mut args = vec!["enroll", "approve", "--request", &request, "--out", &chain];
        args.extend(
            witnesses
                .iter()
                .flat_map(|code| ["--witness", code.as_str()]),
        );
        let above = stage.site(parent)?;
        let key = stage.key(stage.person(parent, Role::AuthorityHead)?)?;
        // Certified twice, the child has two certificates of which it installs the later.
        stage.repeat(&what, above, || stage.commands.signed(above, &key, &args))?;
    }
    stage.repeat(&what, site, || {
        stage
            .commands
            .at(site, &["enroll", "install", "--chain", &chain])
    })?;
    stage.await_effect(&what, EFFECT, || {
        Ok(stage
            .client
            .get::<NodeView>(site, "/api/v1/node")?
            .place
            .filter(|installed| *installed == place.path))
    })?;
    Ok(())
}

/// The people of one node: those of the authority and the head of the department first, then the department's.
fn people(stage: &Stage, place: &Place) -> Result<(), Failure> {
    let site = stage.site(place.code())?;
    let what = format!(
        "{} {} {}",
        stage.pick("登记人员", "enrol people"),
        site.code,
        site.name
    );
    let known: List<PersonView> = stage.await_effect(&what, EFFECT, || {
        stage.client.get(site, "/api/v1/people?limit=500").map(Some)
    })?;
    let by = [
        (Role::AuthorityHead, BY_AUTHORITY.as_slice()),
        (Role::DepartmentHead, BY_DEPARTMENT.as_slice()),
    ];
    for (enroller, roles) in by {
        for person in roles.iter().filter_map(|role| place.person(*role)) {
            let enrolled = |view: &PersonView| {
                view.certificate.role == person.role && view.certificate.name == person.name
            };
            if !known.items.iter().any(enrolled) {
                person_of(stage, person, enroller)?;
            }
        }
    }
    Ok(())
}

fn person_of(stage: &Stage, person: &Person, enroller: Role) -> Result<(), Failure> {
    let site = stage.site(person.node)?;
    let key = stage.key(stage.person(person.node, enroller)?)?;
    let public = text(&stage.key(person)?.with_extension("pub"));
    let credit = person.department.to_string();
    let args = [
        "enroll",
        "person",
        "--public",
        &public,
        "--role",
        person.role.id(),
        "--name",
        &person.name,
        "--department",
        &credit,
        "--department-name",
        &person.department_name,
    ];
    let what = format!("{} {}", stage.pick("登记", "enrol"), stage.who(person));
    stage
        .repeat(&what, site, || stage.commands.signed(site, &key, &args))
        .map(drop)
}

/// Every node has greeted its parent, and the hub has heard of all.
fn links(stage: &Stage) -> Result<(), Failure> {
    let begun = Instant::now();
    let hub = stage.site(identity::Code::HUB)?;
    let count = stage.roster.nodes.len();
    let what = stage.pick(
        "各节点连通并报告枢纽",
        "all nodes are linked and report to the hub",
    );
    stage.await_effect(what, EFFECT, || {
        all_up(&stage.client.get(hub, "/api/v1/health")?, count)
    })?;
    stage
        .screen
        .line(&format!("  ✓ {what}  {}", seconds(begun.elapsed())));
    Ok(())
}

fn all_up(health: &List<HealthView>, count: usize) -> Result<Option<()>, CallError> {
    let up = health
        .items
        .iter()
        .filter(|node| node.condition == Condition::Up && node.report.is_some())
        .count();
    Ok((up >= count).then_some(()))
}
