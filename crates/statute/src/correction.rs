//! Correction (校核纠错): a department that finds shared data wrong or incomplete asks its provider, who verifies, corrects and reports back
//! within the time limit of [`crate::Duty::Correct`]. R26.

use crate::article::Article;
use crate::class::MAX_TERM_CHARS;
use crate::completeness::{RequiredField, none_missing};
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// What a request for correction, or the answer to one, states.
    pub enum CorrectionField {
        /// The data items in question.
        Items = "items", "有误的数据项", "the items in question";
        /// What is wrong or incomplete.
        Wrong = "wrong", "不准确或者不完整之处", "what is wrong or incomplete";
        /// What it was found by.
        Evidence = "evidence", "佐证", "evidence";
        /// What was corrected.
        Corrected = "corrected", "更正内容", "what was corrected";
    }
}

/// The department that asks was provided with the data, and asks about items that were granted to it.
///
/// # Errors
/// [`RefusalReason::NotProvidedWithData`], [`RefusalReason::ScopeExceeded`]; R26.
pub fn check_may_ask_correction(
    granted: Option<&[String]>,
    asked: &[String],
) -> Result<(), Refusal> {
    if rule::is_off(Rule::Correction) {
        return Ok(());
    }
    let granted = granted.ok_or_else(|| RefusalReason::NotProvidedWithData.under(Article::R26))?;
    match asked.iter().find(|item| !granted.contains(item)) {
        None => Ok(()),
        Some(item) => {
            let asked = item.chars().take(MAX_TERM_CHARS).collect();
            Err(RefusalReason::ScopeExceeded { asked }.under(Article::R26))
        }
    }
}

/// A request states which items, what is wrong with them and what that was found by, so that it can be verified. What is said of a person
/// stands outside the record, so whether it is said is what is asked here.
///
/// # Errors
/// [`RefusalReason::MissingField`] with all that is missing, R26.
pub fn check_correction_stated(
    items: &[String],
    wrong: bool,
    evidence: bool,
) -> Result<(), Refusal> {
    let stated = [
        (CorrectionField::Items, !items.is_empty()),
        (CorrectionField::Wrong, wrong),
        (CorrectionField::Evidence, evidence),
    ];
    let missing = stated.into_iter().filter(|(_, stated)| !stated);
    none_missing(
        missing
            .map(|(field, _)| RequiredField::Correction(field))
            .collect(),
        Article::R26,
    )
}

/// The answer says what was corrected, or why nothing was.
///
/// # Errors
/// [`RefusalReason::MissingField`], [`RefusalReason::ReasonsRequired`]; R26.
pub fn check_correction_answer(corrects: bool, stated: bool) -> Result<(), Refusal> {
    if rule::is_off(Rule::CorrectionAnswer) || stated {
        return Ok(());
    }
    if corrects {
        let fields = vec![RequiredField::Correction(CorrectionField::Corrected)];
        return Err(RefusalReason::MissingField { fields }.under(Article::R26));
    }
    Err(RefusalReason::ReasonsRequired.under(Article::R26))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn only_a_holder_asks_and_only_about_what_was_granted() {
        let granted = items(&["名称", "登记日期"]);
        let ask = |granted: Option<&[String]>, asked: &[&str]| {
            check_may_ask_correction(granted, &items(asked))
        };
        assert_eq!(ask(Some(&granted), &["名称"]), Ok(()));
        let nothing = RefusalReason::NotProvidedWithData.under(Article::R26);
        assert_eq!(ask(None, &["名称"]), Err(nothing));
        let beyond = RefusalReason::ScopeExceeded {
            asked: "住址".into(),
        };
        assert_eq!(
            ask(Some(&granted), &["名称", "住址"]),
            Err(beyond.under(Article::R26))
        );
    }

    #[test]
    fn a_request_names_everything_it_lacks_at_once() {
        let fields = vec![
            RequiredField::Correction(CorrectionField::Items),
            RequiredField::Correction(CorrectionField::Evidence),
        ];
        let expected = RefusalReason::MissingField { fields }.under(Article::R26);
        assert_eq!(check_correction_stated(&[], true, false), Err(expected));
        assert_eq!(
            check_correction_stated(&items(&["名称"]), true, true),
            Ok(())
        );
    }

    #[test]
    fn who_corrects_nothing_gives_reasons() {
        let bare = RefusalReason::ReasonsRequired.under(Article::R26);
        assert_eq!(check_correction_answer(false, false), Err(bare));
        assert!(check_correction_answer(true, false).is_err());
        assert_eq!(check_correction_answer(false, true), Ok(()));
    }
}
