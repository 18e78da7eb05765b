//! Topology: a federation as an operator writes it down. A tree of places, read from TOML and refused by name when it is none.
//!
//! ```toml
//! [federation]
//! name = "贯通演示联邦"
//!
//! [[node]]
//! code = "440000"          # GB/T 2260, or the label of a ministry or of its office
//! name = "广东省"
//! parent = "100000"        # absent for the hub alone
//! level = "province"       # hub, ministry, province, prefecture, county
//! place = "…"              # optional: the place's own name where the node is called otherwise
//! division = "440000"      # optional, for a ministry's office: where it works
//! link = "127.0.0.1:7000"  # optional: where neighbours connect
//! http = "127.0.0.1:8000"  # optional: where its page is
//! ```
//!
//! A topology plans a federation; who is really a member, and where, is proved by certificates alone.

mod authority;
mod divisions;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use identity::{Code, Level, Path};
use serde::Serialize;

pub use authority::authority_of;
pub use divisions::{Division, DivisionLevel, Divisions, DivisionsError};
pub use parse::TopologyError;

/// Most nodes: three times the nation's 3,268.
pub const MAX_NODES: usize = 10_000;
/// Most bytes of a topology file: 400 for each of [`MAX_NODES`].
pub const MAX_TOPOLOGY_BYTES: usize = 4_000_000;

/// A federation: a tree with the national hub at its root, every code once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    name: String,
    nodes: Vec<Node>,
    index: BTreeMap<Code, usize>,
    children: BTreeMap<Code, Vec<Code>>,
}

/// One node of a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its place in the tree; the last code is its own.
    pub path: Path,
    /// Its name.
    pub name: String,
    /// Name of the place it serves, where that differs from its own: the hub serves 中华人民共和国.
    pub place: Option<String>,
    /// Its level.
    pub level: Level,
    /// For an office of a vertically managed body (垂直管理机构): the division it works in. It is no parent.
    pub division: Option<Code>,
    /// Where it is reached.
    pub endpoint: Endpoint,
}

/// Where a node is reached, for those who start a whole federation from one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Address and port for its neighbours.
    pub link: Option<String>,
    /// Address and port of its page and API.
    pub http: Option<String>,
}

/// The way from one node to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Every node on the way, both ends included: up to the common superior and down again.
    pub hops: Vec<Code>,
    /// The common superior (共同的上级): the lowest common ancestor.
    pub common_superior: Code,
}

/// Why there is no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// The topology has no such node.
    #[error("拓扑中没有节点 {0} (no such node)")]
    Unknown(Code),
}

impl Topology {
    /// The federation's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All nodes, in the order of the file.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One node.
    pub fn node(&self, code: Code) -> Option<&Node> {
        self.index.get(&code).and_then(|at| self.nodes.get(*at))
    }

    /// The place of a node in the tree.
    pub fn path(&self, code: Code) -> Option<Path> {
        self.node(code).map(|node| node.path.clone())
    }

    /// The nodes directly below one, in the order of the file; none for a leaf or an unknown code.
    pub fn children(&self, code: Code) -> &[Code] {
        self.children.get(&code).map_or(&[], Vec::as_slice)
    }

    /// The way from one node to another, and their common superior.
    ///
    /// # Errors
    /// [`RouteError::Unknown`] for the first of the two that is no node.
    pub fn route(&self, from: Code, to: Code) -> Result<Route, RouteError> {
        let from = &self.node(from).ok_or(RouteError::Unknown(from))?.path;
        let to = &self.node(to).ok_or(RouteError::Unknown(to))?.path;
        Ok(Route {
            hops: Path::route(from, to),
            common_superior: Path::common_superior(from, to),
        })
    }

    /// The competent authority (政务数据共享主管部门) of a node's departments, see [`authority_of`]; `None` for an unknown code.
    pub fn authority_of(&self, code: Code) -> Option<Code> {
        self.node(code).map(|node| authority_of(&node.path))
    }
}

impl Node {
    /// Its code.
    pub fn code(&self) -> Code {
        self.path.code()
    }

    /// Its parent's code; `None` for the hub.
    pub fn parent(&self) -> Option<Code> {
        self.path.ancestors().next()
    }

    /// Name of the place it serves.
    pub fn place(&self) -> &str {
        self.place.as_deref().unwrap_or(&self.name)
    }
}
