//! Who acts in the story: the nodes of `topology/demo.toml` and the people of `topology/demo/people.toml`.

use std::collections::BTreeMap;

use federation::topology::{Topology, TopologyError};
use identity::{Code, CreditCode, Level, Path};
use serde::Deserialize;
use statute::Role;

/// The demo's federation.
const TOPOLOGY: &str = include_str!("../../../topology/demo.toml");
/// Its people.
const PEOPLE: &str = include_str!("../../../topology/demo/people.toml");

/// The cast.
#[derive(Debug, Clone)]
pub struct Roster {
    /// Every node, parents before children.
    pub nodes: Vec<Place>,
}

/// One node and its people.
#[derive(Debug, Clone)]
pub struct Place {
    /// Where it stands in the tree.
    pub path: Path,
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub level: Level,
    /// Its people: one for each role.
    pub people: Vec<Person>,
}

/// One person in one role at one node. Who heads the authority of several nodes is one person, with one key, in each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The node.
    pub node: Code,
    /// The role.
    pub role: Role,
    /// The name.
    pub name: String,
    /// The department the person acts for.
    pub department: CreditCode,
    /// Its name.
    pub department_name: String,
    /// The node under which the key is kept: that of the authority, for the head of a ministry's authority (R16).
    pub keeper: Code,
}

/// Why the cast cannot be read: a defect of the build, found by a test.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The topology is no tree.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// The list of people is malformed.
    #[error("people.toml: {0}")]
    People(#[from] toml::de::Error),
    /// A node has no people.
    #[error("people.toml names nobody at {0}")]
    Nobody(Code),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPeople {
    node: Vec<RawNode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNode {
    code: Code,
    authority: Option<RawBody>,
    government: Option<RawBody>,
    department: Option<RawBody>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBody {
    name: String,
    credit_code: CreditCode,
    head: String,
    reviewer: Option<String>,
    sharing_office_head: Option<String>,
    operator: Option<String>,
}

impl Roster {
    /// The cast of the demo.
    ///
    /// # Errors
    /// [`RosterError`], which a test excludes.
    pub fn load() -> Result<Self, RosterError> {
        let topology = Topology::parse(TOPOLOGY)?;
        let raw: RawPeople = toml::from_str(PEOPLE)?;
        let bodies: BTreeMap<Code, RawNode> =
            raw.node.into_iter().map(|node| (node.code, node)).collect();
        let mut nodes = Vec::with_capacity(topology.nodes().len());
        for node in topology.nodes() {
            let code = node.code();
            let own = bodies.get(&code).ok_or(RosterError::Nobody(code))?;
            // A ministry's authority is the national one, which runs the hub.
            let keeper = topology.authority_of(code).unwrap_or(Code::HUB);
            let keeper = if own.authority.is_some() {
                code
            } else {
                keeper
            };
            let authority = bodies
                .get(&keeper)
                .and_then(|kept| kept.authority.as_ref())
                .ok_or(RosterError::Nobody(code))?;
            nodes.push(Place {
                path: node.path.clone(),
                name: node.name.clone(),
                level: node.level,
                people: people(code, keeper, authority, own),
            });
        }
        nodes.sort_by_key(|place| place.path.depth());
        Ok(Self { nodes })
    }

    /// A node of the cast.
    pub fn place(&self, code: Code) -> Option<&Place> {
        self.nodes.iter().find(|place| place.path.code() == code)
    }

    /// Nodes by their depth, the hub first: those of one level depend on the level before only.
    pub fn levels(&self) -> Vec<Vec<&Place>> {
        let depth = self
            .nodes
            .iter()
            .map(|place| place.path.depth())
            .max()
            .unwrap_or(0);
        (1..=depth)
            .map(|d| {
                self.nodes
                    .iter()
                    .filter(|place| place.path.depth() == d)
                    .collect()
            })
            .collect()
    }
}

impl Place {
    /// Its code.
    pub fn code(&self) -> Code {
        self.path.code()
    }

    /// Who holds a role here.
    pub fn person(&self, role: Role) -> Option<&Person> {
        self.people.iter().find(|person| person.role == role)
    }
}

impl Person {
    /// Whether the key is the one that this person has at the node of the authority.
    pub fn shares_key(&self) -> bool {
        self.keeper != self.node
    }
}

fn people(node: Code, keeper: Code, authority: &RawBody, own: &RawNode) -> Vec<Person> {
    let person = |body: &RawBody, role: Role, name: &str, keeper: Code| Person {
        node,
        role,
        name: name.to_owned(),
        department: body.credit_code,
        department_name: body.name.clone(),
        keeper,
    };
    let mut people = vec![person(
        authority,
        Role::AuthorityHead,
        &authority.head,
        keeper,
    )];
    if keeper == node {
        people.extend(
            authority
                .reviewer
                .iter()
                .map(|name| person(authority, Role::AuthorityReviewer, name, node)),
        );
    }
    people.extend(
        own.government
            .iter()
            .map(|body| person(body, Role::Government, &body.head, node)),
    );
    if let Some(body) = &own.department {
        people.push(person(body, Role::DepartmentHead, &body.head, node));
        people.extend(
            body.sharing_office_head
                .iter()
                .map(|name| person(body, Role::SharingOfficeHead, name, node)),
        );
        people.extend(
            body.operator
                .iter()
                .map(|name| person(body, Role::Operator, name, node)),
        );
    }
    people
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_has_an_authority_head_and_every_department_its_three_people() {
        let roster = Roster::load().unwrap();
        assert_eq!(roster.nodes.len(), 15);
        for place in &roster.nodes {
            assert!(
                place.person(Role::AuthorityHead).is_some(),
                "{}",
                place.name
            );
            let department = [
                Role::DepartmentHead,
                Role::SharingOfficeHead,
                Role::Operator,
            ];
            let expected = if place.code() == Code::HUB { 0 } else { 3 };
            assert_eq!(
                department
                    .iter()
                    .filter(|role| place.person(**role).is_some())
                    .count(),
                expected,
                "{}",
                place.name
            );
        }
    }

    #[test]
    fn the_national_authority_heads_the_ministries_too() {
        let roster = Roster::load().unwrap();
        for ministry in ["mps", "mca", "samr"] {
            let head = roster
                .place(ministry.parse().unwrap())
                .unwrap()
                .person(Role::AuthorityHead)
                .unwrap();
            assert_eq!(head.keeper, Code::HUB);
            assert!(head.shares_key());
        }
    }

    #[test]
    fn credit_codes_are_valid_and_marked_as_invented() {
        for person in Roster::load()
            .unwrap()
            .nodes
            .iter()
            .flat_map(|place| &place.people)
        {
            assert!(
                person.department.check_is_valid(),
                "{}",
                person.department_name
            );
            assert!(
                person.department.as_str().contains("DEM"),
                "{}",
                person.department_name
            );
        }
    }

    #[test]
    fn parents_come_before_their_children() {
        let roster = Roster::load().unwrap();
        for (at, place) in roster.nodes.iter().enumerate() {
            let parent = place.path.ancestors().next();
            assert!(parent.is_none_or(|parent| {
                roster.nodes[..at]
                    .iter()
                    .any(|before| before.code() == parent)
            }));
        }
    }
}
