//! The three classes of sharing (共享属性) and what each must state: R14, R15.

use serde::{Deserialize, Serialize};

use crate::article::Article;
use crate::completeness::{ClassField, RequiredField, none_missing};
use crate::profile::Profile;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// Class of sharing (共享属性), R14. There are three, and an entry has exactly one.
    pub enum ShareClass {
        /// May be given to every department (无条件共享), R14(1).
        Unconditional = "unconditional", "无条件共享", "shared unconditionally";
        /// May be given to certain departments on certain conditions (有条件共享), R14(2).
        Conditional = "conditional", "有条件共享", "shared on conditions";
        /// May not be given, as a law, an administrative regulation or a State Council decision says (不予共享), R14(3).
        NotShared = "not-shared", "不予共享", "not shared";
    }
}

terms! {
    /// The only instruments that can keep data from being shared, R14(3).
    pub enum BasisInstrument {
        /// Law (法律).
        Law = "law", "法律", "law";
        /// Administrative regulation (行政法规).
        AdministrativeRegulation = "administrative-regulation", "行政法规", "administrative regulation";
        /// Decision of the State Council (国务院决定).
        StateCouncilDecision = "state-council-decision", "国务院决定", "State Council decision";
    }
}

/// Provision that says data may not be shared, R14(3), R15.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalBasis {
    /// Kind of instrument.
    pub instrument: BasisInstrument,
    /// Its title.
    pub title: String,
    /// The article or passage.
    pub provision: String,
}

/// Where a local profile says so, departments take what is shared unconditionally straight from the platform; everything else, and
/// everywhere else, is applied for. Returns the article that lets it be taken.
///
/// # Errors
/// [`RefusalReason::ApplicationRequired`]; R20.
pub fn check_may_take_directly(class: ShareClass, profile: &Profile) -> Result<Article, Refusal> {
    match (class, profile.straight_from_platform()) {
        (ShareClass::Unconditional, Some(article)) => Ok(article),
        (ShareClass::Unconditional, None) if rule::is_off(Rule::ApplicationFirst) => {
            Ok(Article::R20)
        }
        (ShareClass::Unconditional | ShareClass::Conditional | ShareClass::NotShared, _) => {
            Err(RefusalReason::ApplicationRequired { class }.under(Article::R20))
        }
    }
}

/// Class of an entry together with what that class must state, R14, R15.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClassTerms {
    /// Shared unconditionally: there is nothing to state, and no place for a condition.
    Unconditional,
    /// Shared on the conditions listed here, and no others.
    Conditional {
        /// Who may have it (共享范围).
        scope: Vec<String>,
        /// What it may be used for (使用用途).
        uses: Vec<String>,
        /// Further conditions of sharing (其他共享使用条件).
        conditions: Vec<String>,
    },
    /// Not shared.
    NotShared {
        /// Why (理由).
        reason: String,
        /// Where it says so (依据).
        legal_basis: Vec<LegalBasis>,
    },
}

/// Most lines in one list of terms. A published entry lists a handful; 64 leaves room and keeps an entry near 1 KB.
pub const MAX_TERMS_LISTED: usize = 64;

/// Longest single line of terms, in characters: a paragraph.
pub const MAX_TERM_CHARS: usize = 500;

impl ClassTerms {
    /// The class itself.
    #[must_use]
    pub const fn class(&self) -> ShareClass {
        match self {
            ClassTerms::Unconditional => ShareClass::Unconditional,
            ClassTerms::Conditional { .. } => ShareClass::Conditional,
            ClassTerms::NotShared { .. } => ShareClass::NotShared,
        }
    }
}

/// The terms state what their class requires: scope and uses for conditional sharing, reason and legal basis for data
/// not shared.
///
/// # Errors
/// [`RefusalReason::TooLong`] when a list or line exceeds its bound, [`RefusalReason::MissingField`] with all that is
/// missing; R15.
pub fn check_terms(terms: &ClassTerms) -> Result<(), Refusal> {
    let required = match terms {
        ClassTerms::Unconditional => vec![],
        ClassTerms::Conditional {
            scope,
            uses,
            conditions,
        } => {
            check_bounds(scope.iter().chain(uses).chain(conditions), Article::R15)?;
            for list in [scope, uses, conditions] {
                check_length(list.len(), MAX_TERMS_LISTED, Article::R15)?;
            }
            vec![
                (ClassField::Scope, states(scope)),
                (ClassField::Uses, states(uses)),
            ]
        }
        ClassTerms::NotShared {
            reason,
            legal_basis,
        } => {
            check_length(legal_basis.len(), MAX_TERMS_LISTED, Article::R15)?;
            let cited = legal_basis
                .iter()
                .flat_map(|basis| [&basis.title, &basis.provision]);
            check_bounds(std::iter::once(reason).chain(cited), Article::R15)?;
            let complete = |basis: &LegalBasis| {
                !basis.title.trim().is_empty() && !basis.provision.trim().is_empty()
            };
            vec![
                (ClassField::Reason, !reason.trim().is_empty()),
                (
                    ClassField::LegalBasis,
                    !legal_basis.is_empty() && legal_basis.iter().all(complete),
                ),
            ]
        }
    };
    let missing = required.into_iter().filter(|(_, stated)| !stated);
    none_missing(
        missing
            .map(|(field, _)| RequiredField::Class(field))
            .collect(),
        Article::R15,
    )
}

/// A list states something when it has a line and no line is blank.
pub(crate) fn states(list: &[String]) -> bool {
    !list.is_empty() && list.iter().all(|line| !line.trim().is_empty())
}

/// No line of terms is longer than [`MAX_TERM_CHARS`].
pub(crate) fn check_bounds<'a>(
    lines: impl Iterator<Item = &'a String>,
    article: Article,
) -> Result<(), Refusal> {
    for line in lines {
        check_length(line.chars().count(), MAX_TERM_CHARS, article)?;
    }
    Ok(())
}

pub(crate) fn check_length(found: usize, limit: usize, article: Article) -> Result<(), Refusal> {
    if found > limit {
        return Err(RefusalReason::TooLong { found, limit }.under(article));
    }
    Ok(())
}

/// No condition is put on an application that the catalogue does not list.
///
/// # Errors
/// [`RefusalReason::ConditionNotCatalogued`] with the first such condition, R15; to do it is a breach under R39(2).
pub fn may_add_condition(catalogued: &ClassTerms, asked: &[String]) -> Result<(), Refusal> {
    if rule::is_off(Rule::Conditions) {
        return Ok(());
    }
    let listed: &[String] = match catalogued {
        ClassTerms::Unconditional | ClassTerms::NotShared { .. } => &[],
        ClassTerms::Conditional { conditions, .. } => conditions,
    };
    let is_listed = |condition: &str| listed.iter().any(|line| line.trim() == condition.trim());
    match asked.iter().find(|condition| !is_listed(condition)) {
        None => Ok(()),
        Some(condition) => {
            let condition = condition.chars().take(MAX_TERM_CHARS).collect();
            Err(RefusalReason::ConditionNotCatalogued { condition }.under(Article::R15))
        }
    }
}

/// Data of the third class cannot be applied for.
///
/// # Errors
/// [`RefusalReason::EntryNotShared`], R14.
pub fn check_shareable(class: ShareClass) -> Result<(), Refusal> {
    match class {
        ShareClass::Unconditional | ShareClass::Conditional => Ok(()),
        ShareClass::NotShared => Err(RefusalReason::EntryNotShared.under(Article::R14)),
    }
}

/// An entry has exactly one class.
///
/// # Errors
/// [`RefusalReason::MissingField`] for none, [`RefusalReason::TwoClasses`] for more than one; R14.
pub fn one_class(stated: &[ShareClass]) -> Result<ShareClass, Refusal> {
    match stated {
        [] => {
            let fields = vec![RequiredField::Catalogue(crate::CatalogueField::ShareClass)];
            Err(RefusalReason::MissingField { fields }.under(Article::R14))
        }
        [class] => Ok(*class),
        [first, second, ..] => Err(RefusalReason::TwoClasses {
            first: *first,
            second: *second,
        }
        .under(Article::R14)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    fn conditional() -> ClassTerms {
        ClassTerms::Conditional {
            scope: lines(&["县级以上民政部门"]),
            uses: lines(&["社会救助核对"]),
            conditions: lines(&["仅限核验，不得留存"]),
        }
    }

    fn missing(terms: &ClassTerms) -> Result<(), (Article, Vec<RequiredField>)> {
        check_terms(terms).map_err(|refusal| match refusal.reason {
            RefusalReason::MissingField { fields } => (refusal.article, fields),
            _ => (refusal.article, vec![]),
        })
    }

    #[test]
    fn conditional_sharing_lists_scope_and_uses() {
        assert_eq!(missing(&conditional()), Ok(()));
        let blank = ClassTerms::Conditional {
            scope: lines(&[" "]),
            uses: vec![],
            conditions: vec![],
        };
        let expected = vec![
            RequiredField::Class(ClassField::Scope),
            RequiredField::Class(ClassField::Uses),
        ];
        assert_eq!(missing(&blank), Err((Article::R15, expected)));
    }

    #[test]
    fn data_not_shared_lists_reason_and_provision() {
        let basis = LegalBasis {
            instrument: BasisInstrument::Law,
            title: "中华人民共和国统计法".into(),
            provision: "第二十五条".into(),
        };
        let stated = |reason: &str, legal_basis: Vec<LegalBasis>| ClassTerms::NotShared {
            reason: reason.into(),
            legal_basis,
        };
        assert_eq!(
            missing(&stated("统计调查对象的个体资料", vec![basis.clone()])),
            Ok(())
        );
        let expected = vec![RequiredField::Class(ClassField::LegalBasis)];
        assert_eq!(
            missing(&stated("内部掌握", vec![])),
            Err((Article::R15, expected.clone()))
        );
        let vague = LegalBasis {
            provision: String::new(),
            ..basis
        };
        assert_eq!(
            missing(&stated("内部掌握", vec![vague])),
            Err((Article::R15, expected))
        );
    }

    #[test]
    fn a_condition_that_is_not_catalogued_can_never_be_added() {
        assert_eq!(
            may_add_condition(&conditional(), &lines(&["仅限核验，不得留存"])),
            Ok(())
        );
        assert_eq!(may_add_condition(&ClassTerms::Unconditional, &[]), Ok(()));
        for catalogued in [conditional(), ClassTerms::Unconditional] {
            let expected = RefusalReason::ConditionNotCatalogued {
                condition: "另行缴费".into(),
            };
            let refused = may_add_condition(&catalogued, &lines(&["另行缴费"]));
            assert_eq!(refused, Err(expected.under(Article::R15)));
        }
    }

    #[test]
    fn only_the_third_class_cannot_be_applied_for() {
        let open: Vec<_> = ShareClass::ALL
            .iter()
            .map(|class| check_shareable(*class).is_ok())
            .collect();
        assert_eq!(open, [true, true, false]);
    }

    #[test]
    fn an_entry_with_two_classes_or_none_is_refused() {
        use ShareClass::{Conditional, NotShared};
        assert_eq!(one_class(&[Conditional]), Ok(Conditional));
        let two = RefusalReason::TwoClasses {
            first: Conditional,
            second: NotShared,
        };
        assert_eq!(
            one_class(&[Conditional, NotShared]),
            Err(two.under(Article::R14))
        );
        assert!(one_class(&[]).is_err());
    }

    #[test]
    fn terms_beyond_their_bounds_are_refused() {
        let long = ClassTerms::Conditional {
            scope: lines(&["甲"]),
            uses: vec!["用".repeat(MAX_TERM_CHARS + 1)],
            conditions: vec![],
        };
        let expected = RefusalReason::TooLong {
            found: MAX_TERM_CHARS + 1,
            limit: MAX_TERM_CHARS,
        };
        assert_eq!(check_terms(&long), Err(expected.under(Article::R15)));
    }
}
