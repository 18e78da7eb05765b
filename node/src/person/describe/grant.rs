//! Acts about a grant that was given.

use sharing::application::GrantStep;

use super::Text;
use crate::console::grant;
use crate::language::Language;

/// What the person is about to sign: the step, then all that it says.
pub(super) fn step(step: &GrantStep) -> Text {
    let (zh, en, _) = grant::name(step);
    let told = |name: &str, colon: &str, language| {
        let facts = grant::facts(step, language).into_iter();
        let facts: String = facts
            .map(|(fact, text)| format!("；{fact}{colon}{text}"))
            .collect();
        format!("{name}{facts}")
    };
    Text::new(
        told(zh, "：", Language::Chinese),
        told(en, ": ", Language::English).replace('；', "; "),
    )
}
