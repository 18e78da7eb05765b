//! Reading a topology, and every way in which it can fail to be a tree.

use std::collections::{BTreeMap, BTreeSet};

use identity::membership::MAX_NAME_BYTES;
use identity::{Code, Level, Path, PathError};
use serde::Deserialize;

use super::{Endpoint, MAX_NODES, MAX_TOPOLOGY_BYTES, Node, Topology};

/// Why a text is no topology. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// Longer than [`MAX_TOPOLOGY_BYTES`].
    #[error("拓扑文件过大：{0} 字节，上限 {MAX_TOPOLOGY_BYTES} (file too large)")]
    TooLarge(usize),
    /// No TOML of this form: an unknown or missing key, a bad code or level; the text says which and in which line.
    #[error("拓扑文件格式错误：{0} (malformed topology)")]
    Format(String),
    /// More than [`MAX_NODES`].
    #[error("节点过多：{0} 个，上限 {MAX_NODES} (too many nodes)")]
    TooMany(usize),
    /// A name that is empty, longer than a certificate allows, or has control characters.
    #[error("节点 {0} 的名称为空、过长或含控制字符 (bad name)")]
    Name(Code),
    /// Two nodes have the same code.
    #[error("代码重复：{0} 既是“{1}”又是“{2}” (code repeated)")]
    Repeated(Code, String, String),
    /// No node is the hub.
    #[error("没有国家枢纽：应有且仅有一个 level = \"hub\" 的节点 (no hub)")]
    NoHub,
    /// Two nodes are the hub.
    #[error("有两个国家枢纽：{0} 与 {1} (two roots)")]
    TwoHubs(Code, Code),
    /// The hub names a parent.
    #[error("国家枢纽 {0} 不得有上级 {1} (the hub has no parent)")]
    HubBelow(Code, Code),
    /// A node other than the hub names no parent.
    #[error("孤立节点：{0}“{1}”没有上级 (orphan: no parent)")]
    Orphan(Code, String),
    /// A node's parent is not in the topology.
    #[error("节点 {0} 的上级 {1} 不在拓扑中 (unknown parent)")]
    UnknownParent(Code, Code),
    /// Nodes that are each other's superiors, in order.
    #[error("上下级成环：{} (cycle)", list(.0))]
    Cycle(Vec<Code>),
    /// A node stands under one of a level it cannot stand under.
    #[error(
        "层级错误：{code}（{}）不能直接置于 {parent}（{}）之下 (wrong level order)", .level.zh(), .parent_level.zh()
    )]
    LevelOrder {
        /// The node.
        code: Code,
        /// Its level.
        level: Level,
        /// Its parent.
        parent: Code,
        /// The parent's level.
        parent_level: Level,
    },
    /// A code that does not suit the level: a ministry has a label, a place a division code, the hub 100000.
    #[error("代码 {0} 与层级“{level}”不符 (code does not suit the level)", level = .1.zh())]
    CodeKind(Code, Level),
    /// A division given for a node that is itself one, or one that is no division code.
    #[error(
        "节点 {0} 不能以 {1} 为所在区划：只有部门的派出机构才有所在区划 (division out of place)"
    )]
    Division(Code, Code),
    /// The tree is deeper than a path may be.
    #[error("节点 {0}：{1}")]
    Path(Code, PathError),
}

fn list(codes: &[Code]) -> String {
    codes
        .iter()
        .map(Code::as_str)
        .collect::<Vec<_>>()
        .join(" → ")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTopology {
    federation: RawFederation,
    #[serde(default)]
    node: Vec<RawNode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFederation {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNode {
    code: Code,
    name: String,
    parent: Option<Code>,
    level: Level,
    place: Option<String>,
    division: Option<Code>,
    link: Option<String>,
    http: Option<String>,
}

impl Topology {
    /// Reads a topology from TOML.
    ///
    /// # Errors
    /// [`TopologyError`] names the first defect, in the order of its variants.
    pub fn parse(text: &str) -> Result<Self, TopologyError> {
        if text.len() > MAX_TOPOLOGY_BYTES {
            return Err(TopologyError::TooLarge(text.len()));
        }
        let raw: RawTopology =
            toml::from_str(text).map_err(|error| TopologyError::Format(error.to_string()))?;
        if raw.node.len() > MAX_NODES {
            return Err(TopologyError::TooMany(raw.node.len()));
        }
        check_names(&raw.node)?;
        let by_code = index(&raw.node)?;
        check_roots(&raw.node)?;
        check_parents(&raw.node, &by_code)?;
        let mut nodes = Vec::with_capacity(raw.node.len());
        let mut children: BTreeMap<Code, Vec<Code>> = BTreeMap::new();
        for node in &raw.node {
            check_place(node, &raw.node, &by_code)?;
            if let Some(parent) = node.parent {
                children.entry(parent).or_default().push(node.code);
            }
            nodes.push(Node {
                path: path(node, &raw.node, &by_code)?,
                name: node.name.clone(),
                place: node.place.clone(),
                level: node.level,
                division: node.division,
                endpoint: Endpoint {
                    link: node.link.clone(),
                    http: node.http.clone(),
                },
            });
        }
        Ok(Self {
            name: raw.federation.name,
            nodes,
            index: by_code,
            children,
        })
    }
}

fn check_names(nodes: &[RawNode]) -> Result<(), TopologyError> {
    let bad = |name: &str| {
        name.trim().is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control)
    };
    match nodes
        .iter()
        .find(|node| bad(&node.name) || node.place.as_deref().is_some_and(bad))
    {
        Some(node) => Err(TopologyError::Name(node.code)),
        None => Ok(()),
    }
}

fn index(nodes: &[RawNode]) -> Result<BTreeMap<Code, usize>, TopologyError> {
    let mut index = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        if let Some(earlier) = index.insert(node.code, at) {
            return Err(TopologyError::Repeated(
                node.code,
                nodes[earlier].name.clone(),
                node.name.clone(),
            ));
        }
    }
    Ok(index)
}

/// Exactly one hub, and nothing else without a parent.
fn check_roots(nodes: &[RawNode]) -> Result<(), TopologyError> {
    let mut hubs = nodes.iter().filter(|node| node.level == Level::Hub);
    let hub = hubs.next().ok_or(TopologyError::NoHub)?;
    if let Some(second) = hubs.next() {
        return Err(TopologyError::TwoHubs(hub.code, second.code));
    }
    if let Some(parent) = hub.parent {
        return Err(TopologyError::HubBelow(hub.code, parent));
    }
    match nodes
        .iter()
        .find(|node| node.parent.is_none() && node.level != Level::Hub)
    {
        Some(orphan) => Err(TopologyError::Orphan(orphan.code, orphan.name.clone())),
        None => Ok(()),
    }
}

/// Every parent is there, and every way up ends.
fn check_parents(nodes: &[RawNode], index: &BTreeMap<Code, usize>) -> Result<(), TopologyError> {
    for node in nodes {
        if let Some(parent) = node.parent
            && !index.contains_key(&parent)
        {
            return Err(TopologyError::UnknownParent(node.code, parent));
        }
    }
    let mut rooted: BTreeSet<Code> = BTreeSet::new();
    for node in nodes {
        let (mut way, mut seen) = (Vec::new(), BTreeSet::new());
        let mut next = Some(node.code);
        while let Some(code) = next.filter(|code| !rooted.contains(code)) {
            if !seen.insert(code) {
                let from = way.iter().position(|c| *c == code).unwrap_or(0);
                way.push(code);
                return Err(TopologyError::Cycle(way.split_off(from)));
            }
            way.push(code);
            next = index.get(&code).and_then(|at| nodes[*at].parent);
        }
        rooted.extend(way);
    }
    Ok(())
}

/// Level and code suit the place under the parent.
fn check_place(
    node: &RawNode,
    nodes: &[RawNode],
    index: &BTreeMap<Code, usize>,
) -> Result<(), TopologyError> {
    let parent = node
        .parent
        .and_then(|code| index.get(&code))
        .map(|at| &nodes[*at]);
    if let Some(parent) = parent
        && !node.level.may_be_under(parent.level)
    {
        return Err(TopologyError::LevelOrder {
            code: node.code,
            level: node.level,
            parent: parent.code,
            parent_level: parent.level,
        });
    }
    if !node
        .level
        .suits(node.code, node.parent.unwrap_or(Code::HUB))
    {
        return Err(TopologyError::CodeKind(node.code, node.level));
    }
    match node.division {
        Some(division) if node.code.is_division() || division.is_label() => {
            Err(TopologyError::Division(node.code, division))
        }
        Some(_) | None => Ok(()),
    }
}

/// The codes from the hub down to a node. The ways up have been found to end.
fn path(
    node: &RawNode,
    nodes: &[RawNode],
    index: &BTreeMap<Code, usize>,
) -> Result<Path, TopologyError> {
    let mut codes = vec![node.code];
    let mut next = node.parent;
    while let Some(code) = next {
        codes.push(code);
        next = index.get(&code).and_then(|at| nodes[*at].parent);
    }
    codes.reverse();
    Path::new(codes).map_err(|error| TopologyError::Path(node.code, error))
}
