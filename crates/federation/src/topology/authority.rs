//! Who is competent, found from places in the tree and never chosen by hand.

use identity::{Code, Path};

/// The node whose competent authority (政务数据共享主管部门) reviews and supervises the departments of `place`.
///
/// A division has its own. A ministry is a department, not an authority, and so is each of its offices wherever they work: theirs is
/// the nearest division above, which is the national hub (R16, R30).
pub fn authority_of(place: &Path) -> Code {
    std::iter::once(place.code())
        .chain(place.ancestors())
        .find(Code::is_division)
        .unwrap_or(Code::HUB)
}
