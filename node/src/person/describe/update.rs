//! Acts about an update of the catalogue.

use sharing::update::UpdateAct;

use super::Text;
use crate::console::labels::time;

/// What the person is about to sign.
pub(super) fn act(act: &UpdateAct) -> Text {
    match act {
        UpdateAct::Report {
            entry,
            provider,
            changed_on,
            cause,
            text,
        } => Text::new(
            format!(
                "报告目录 {entry}（{provider}）因“{}”需要更新，发生于 {}：{text}",
                cause.zh(),
                time(*changed_on)
            ),
            format!(
                "report that {entry} of {provider} is to be updated ({}, on {}): {text}",
                cause.en(),
                time(*changed_on)
            ),
        ),
    }
}
