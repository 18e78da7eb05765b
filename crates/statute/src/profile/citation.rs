//! What a refusal cites (拒绝依据), where a locality asks for it: Shenyang S20, within R14 and R15.

use crate::article::Article;
use crate::refusal::{Refusal, RefusalReason};
use crate::term::terms;

terms! {
    /// Instrument that a refusal cites (拒绝依据), Shenyang S20.
    pub enum CitedInstrument {
        /// Law (法律).
        Law = "law", "法律", "law";
        /// Regulation, administrative or local (法规).
        Regulation = "regulation", "法规", "regulation";
        /// Rule of a ministry or local government (规章).
        Rule = "rule", "规章", "rule";
    }
}

/// Provision that a refusal cites.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// Kind of instrument.
    pub instrument: CitedInstrument,
    /// Title and article.
    pub provision: String,
}

/// A law or regulation is cited; a rule (规章) stands only beside one, since R14 and R15 let no rule alone keep data from
/// being shared.
pub(super) fn check_cited(cited: &[Citation], article: Article) -> Result<(), Refusal> {
    let suffices = |citation: &Citation| {
        !citation.provision.trim().is_empty() && citation.instrument != CitedInstrument::Rule
    };
    if cited.iter().any(suffices) {
        Ok(())
    } else {
        Err(RefusalReason::CitationRequired.under(article))
    }
}
