//! Acts about a grant that was given.

use sharing::application::GrantStep;

use super::{Text, listing};
use crate::console::grant;

/// What the person is about to sign: the step, then all that it says.
pub(super) fn step(step: &GrantStep) -> Text {
    let (zh, en, _) = grant::name(step);
    listing((zh, en), |language| grant::facts(step, language))
}
