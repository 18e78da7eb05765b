//! Acts about a security incident.

use sharing::incident::IncidentAct;

use super::{Text, listing};
use crate::console::incident;
use crate::language::Language;

/// What the person is about to sign: the step, then all that it says.
pub(super) fn act(act: &IncidentAct) -> Text {
    let (zh, en) = incident::act_name(act);
    listing((zh, en), |language: Language| {
        incident::act_facts(act, language)
    })
}
