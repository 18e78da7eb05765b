//! Acts about who collects for all.

use sharing::source::SourceAct;

use super::Text;

/// What the person is about to sign.
pub(super) fn act(act: &SourceAct) -> Text {
    match act {
        SourceAct::Name {
            matter,
            department,
            node,
        } => Text::new(
            format!("明确 {department}（{node}）为“{matter}”的数源部门"),
            format!("name {department} ({node}) the source department of {matter}"),
        ),
    }
}
