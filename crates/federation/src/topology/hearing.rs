//! Who is competent, found from places in the tree and never chosen by hand.

use identity::{Code, Path};
use serde::{Deserialize, Serialize};

/// Before whom a dispute comes (R28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hearing {
    /// The competent authority that runs this node.
    Node(Code),
    /// The State Council (国务院): the national authority is itself a party and nothing else stands above it (R41).
    StateCouncil,
}

/// The node whose competent authority (政务数据共享主管部门) reviews and supervises the departments of `place`.
///
/// A division has its own. A ministry is a department, not an authority, and so is each of its offices wherever they work: theirs is
/// the nearest division above, which is the national hub (R16, R30).
pub fn authority_of(place: &Path) -> Code {
    authorities(place).next().unwrap_or(Code::HUB)
}

/// The authorities at and above a place, nearest first.
fn authorities(place: &Path) -> impl Iterator<Item = Code> + '_ {
    std::iter::once(place.code())
        .chain(place.ancestors())
        .filter(Code::is_division)
}

/// Before whom a dispute between a department at `a` and one at `b` comes (R28).
///
/// Departments of one node come before its authority, others before the authority of their common superior. `parties` are the places
/// whose authority is itself a party: such a one never hears the case, the next above does, and above the hub the State Council (R41).
pub fn hearing_node(a: &Path, b: &Path, parties: &[Path]) -> Hearing {
    let common = Path::common_path(a, b);
    let barred = |code: &Code| parties.iter().any(|party| authority_of(party) == *code);
    authorities(&common)
        .find(|code| !barred(code))
        .map_or(Hearing::StateCouncil, Hearing::Node)
}
