//! Matching supply and need (供需对接): a department needs what no published entry gives; the need is put on record, matched to a department that
//! could provide, and followed up. R20.
//!
//! The article has the authority set up the mechanism and its steps and sets no terms: the date that the matched department names itself is
//! watched ([`crate::Duty::MeetNeed`]).

use std::fmt::Display;

use crate::article::Article;
use crate::completeness::{RequiredField, none_missing};
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// What a need states, so that somebody can be found to meet it, R20.
    pub enum NeedField {
        /// What it is called.
        Title = "title", "需求名称", "title";
        /// The data items wanted.
        Items = "items", "所需数据项", "the items wanted";
        /// For what they are wanted.
        Purpose = "purpose", "使用场景", "scenario of use";
        /// By which law or duty.
        Basis = "basis", "使用依据", "legal basis";
        /// What of the catalogue was looked through before.
        Searched = "searched", "目录检索情况", "what was searched for";
        /// Why an entry that was found does not meet it.
        WhyNot = "why-not", "所查目录不能满足的理由", "why the entry found does not do";
    }
}

/// A need states everything by which it can be matched, and that the catalogue was looked through; R20.
///
/// # Errors
/// [`RefusalReason::MissingField`] with all that is missing, R20.
pub fn check_need_stated(blank: &[NeedField]) -> Result<(), Refusal> {
    if rule::is_off(Rule::Matching) {
        return Ok(());
    }
    let missing = blank.iter().copied().map(RequiredField::Need).collect();
    none_missing(missing, Article::R20)
}

/// What a published entry gives is applied for: a need is put on record only for what none gives. `covering` is a published entry that holds all the
/// items wanted and of which the need does not say why it does not do; R20.
///
/// # Errors
/// [`RefusalReason::SharedAlready`] naming the entry, R20.
pub fn check_not_shared_already(covering: Option<String>) -> Result<(), Refusal> {
    match covering {
        Some(entry) if !rule::is_off(Rule::Matching) => {
            Err(RefusalReason::SharedAlready { entry }.under(Article::R20))
        }
        Some(_) | None => Ok(()),
    }
}

/// Every level above is asked before a need is put on record, and the record says what each answered; one that could not be reached is named as such
/// and holds nothing up. `level` is one of which that is not so; R20.
///
/// # Errors
/// [`RefusalReason::NotLookedUp`] naming the level, R20.
pub fn check_levels_asked(level: Option<String>) -> Result<(), Refusal> {
    match level {
        Some(level) if !rule::is_off(Rule::Matching) => {
            Err(RefusalReason::NotLookedUp { level }.under(Article::R20))
        }
        Some(_) | None => Ok(()),
    }
}

/// A need is matched to a department that there is; R20. `known` is whether the node named is one, and knows the department.
///
/// # Errors
/// [`RefusalReason::UnknownDepartment`], R20.
pub fn check_department_known(
    known: bool,
    department: impl Display,
    node: impl Display,
) -> Result<(), Refusal> {
    if known || rule::is_off(Rule::Matching) {
        return Ok(());
    }
    let reason = RefusalReason::UnknownDepartment {
        department: department.to_string(),
        node: node.to_string(),
    };
    Err(reason.under(Article::R20))
}

/// An entry meets a need when it holds every item wanted; `missing` are those that it does not hold, R20.
///
/// # Errors
/// [`RefusalReason::ItemsNotHeld`] naming them, R20.
pub fn check_holds_items(missing: Vec<String>) -> Result<(), Refusal> {
    if missing.is_empty() || rule::is_off(Rule::Matching) {
        return Ok(());
    }
    Err(RefusalReason::ItemsNotHeld { missing }.under(Article::R20))
}

/// An authority matches a need to a department of its own place or below; beyond, the need is passed on to the authority above; R8, R20. `reaches`
/// is whether the first place is the second or lies above it; `common` is the common superior of the department that needs and the one matched.
///
/// # Errors
/// [`RefusalReason::NotCommonSuperior`], R20.
pub fn check_matches_within<Place: Display>(
    authority: &Place,
    department: &Place,
    common: impl Display,
    reaches: impl Fn(&Place, &Place) -> bool,
) -> Result<(), Refusal> {
    if reaches(authority, department) || rule::is_off(Rule::Matching) {
        return Ok(());
    }
    let reason = RefusalReason::NotCommonSuperior {
        hearer: authority.to_string(),
        common_superior: common.to_string(),
    };
    Err(reason.under(Article::R20))
}

/// Whoever declines a need, cannot provide, or finds a need not met says why; R20.
///
/// # Errors
/// [`RefusalReason::ReasonsRequired`], R20.
pub fn check_need_reasons(reasons: &str) -> Result<(), Refusal> {
    if reasons.trim().is_empty() && !rule::is_off(Rule::Matching) {
        return Err(RefusalReason::ReasonsRequired.under(Article::R20));
    }
    Ok(())
}

/// A need is met by exactly the version of an entry that stands published; R16, R20.
///
/// # Errors
/// [`RefusalReason::EntryNotPublished`], R20.
pub fn check_meets_published(stands: bool) -> Result<(), Refusal> {
    if stands || rule::is_off(Rule::Matching) {
        return Ok(());
    }
    Err(RefusalReason::EntryNotPublished.under(Article::R20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_a_need_leaves_out_is_named_at_once() {
        let fields = vec![
            RequiredField::Need(NeedField::Items),
            RequiredField::Need(NeedField::Searched),
        ];
        let refused = RefusalReason::MissingField { fields }.under(Article::R20);
        assert!(refused.zh().contains("所需数据项、目录检索情况"));
        let blank = [NeedField::Items, NeedField::Searched];
        assert_eq!(check_need_stated(&blank), Err(refused));
        assert_eq!(check_need_stated(&[]), Ok(()));
    }

    #[test]
    fn a_need_is_matched_within_the_authoritys_reach_and_what_is_shared_is_no_need() {
        let reaches = |authority: &&str, department: &&str| department.starts_with(authority);
        let matched = |department| check_matches_within(&"4401", &department, "1", reaches);
        assert_eq!(matched("440106"), Ok(()));
        let reason = RefusalReason::NotCommonSuperior {
            hearer: "4401".into(),
            common_superior: "1".into(),
        };
        assert_eq!(matched("2101"), Err(reason.under(Article::R20)));
        assert_eq!(check_not_shared_already(None), Ok(()));
        let entry = "3/101/000001".to_owned();
        let shared = RefusalReason::SharedAlready {
            entry: entry.clone(),
        };
        assert_eq!(
            check_not_shared_already(Some(entry)),
            Err(shared.under(Article::R20))
        );
        assert!(check_meets_published(false).is_err());
        assert!(check_need_reasons(" ").is_err());
    }

    #[test]
    fn what_is_not_looked_up_not_known_or_not_held_is_named() {
        let level = "100000/440000".to_owned();
        let refused = |reason: RefusalReason| Err(reason.under(Article::R20));
        let unasked = check_levels_asked(Some(level.clone()));
        assert_eq!(unasked, refused(RefusalReason::NotLookedUp { level }));
        assert_eq!(check_levels_asked(None), Ok(()));
        let unknown = RefusalReason::UnknownDepartment {
            department: "11440106000000001X".into(),
            node: "440106".into(),
        };
        let known = |known| check_department_known(known, "11440106000000001X", "440106");
        assert_eq!((known(true), known(false)), (Ok(()), refused(unknown)));
        let missing = vec!["就业状态".to_owned()];
        let lacking = check_holds_items(missing.clone());
        assert_eq!(lacking, refused(RefusalReason::ItemsNotHeld { missing }));
        assert_eq!(check_holds_items(Vec::new()), Ok(()));
    }
}
