//! Aggregation (汇聚、关联): what a department could learn by joining what it was granted one by one. R25, second paragraph.
//!
//! Which combinations are a risk is configured: in the national profile a modest set, to which a local profile adds. A rule is hit by what can be
//! *joined*, never by one entry that holds all of it by itself: that one was judged when it was granted. Items are known by words in their names.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::article::Article;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

/// Most keys, and most rules, of one profile.
pub const MAX_AGGREGATION_RULES: usize = 8;
/// Most classes of items in one rule.
pub const MAX_RULE_ITEMS: usize = 6;
/// Longest class of items, and longest name of a rule, in characters.
pub const MAX_CLASS_CHARS: usize = 30;

terms! {
    /// What follows from a risk of aggregation (汇聚风险等级), R25.
    pub enum AggregationLevel {
        /// Nothing.
        Ordinary = "ordinary", "一般", "ordinary";
        /// Shown to whoever signs.
        Warned = "warned", "提示", "warned";
        /// The competent authority of the requester's level consents first, or it does not go out.
        ConsentRequired = "consent-required", "须经主管部门同意", "the authority's consent required";
    }
}

/// A class of data items by the words in their names: `住址|地址` is every item whose name contains one of the two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ItemClass(String);

impl ItemClass {
    /// Whether an item of this name belongs to the class.
    #[must_use]
    pub fn holds(&self, item: &str) -> bool {
        self.0.split('|').any(|word| item.contains(word))
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ItemClass {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = text.chars().count() <= MAX_CLASS_CHARS && !text.contains(char::is_control);
        if fits && text.split('|').all(|word| !word.trim().is_empty()) {
            return Ok(Self(text));
        }
        Err(format!(
            "a class of items has 1 to {MAX_CLASS_CHARS} characters, words with | between: {text:?}"
        ))
    }
}

impl From<ItemClass> for String {
    fn from(class: ItemClass) -> Self {
        class.0
    }
}

/// Items that together are a risk (风险规则).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskRule {
    /// Its name.
    pub name: String,
    /// The classes, one item of each of which makes the risk.
    pub items: Vec<ItemClass>,
    /// How grave it is.
    pub weight: u16,
    /// Under which article.
    pub article: Article,
}

/// The rules of aggregation of a profile (汇聚风险规则).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AggregationRules {
    /// Identifiers over which entries are joined (关联键).
    pub keys: BTreeSet<ItemClass>,
    /// What together is a risk.
    #[serde(default)]
    pub rule: BTreeSet<RiskRule>,
    /// From which sum of weights on whoever signs is warned.
    pub warn: u16,
    /// From which sum on the authority consents first.
    pub consent: u16,
}

/// Why rules of aggregation are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RulesError {
    /// Too many, or of another form.
    Form(&'static str),
    /// A threshold looser than the national one: the local value and the national one.
    Loosens(u16, u16),
}

impl AggregationRules {
    /// Well-formed by themselves.
    pub(crate) fn check(&self) -> Result<(), RulesError> {
        let many = self.keys.len() > MAX_AGGREGATION_RULES
            || self.rule.len() > MAX_AGGREGATION_RULES
            || self.rule.iter().any(|it| it.items.len() > MAX_RULE_ITEMS);
        if many {
            return Err(RulesError::Form(
                "aggregation has too many keys, rules or items",
            ));
        }
        let named = |it: &RiskRule| {
            let length = it.name.chars().count();
            (1..=MAX_CLASS_CHARS).contains(&length) && !it.name.contains(char::is_control)
        };
        if !self.rule.iter().all(|it| named(it) && it.items.len() >= 2) {
            return Err(RulesError::Form(
                "a rule of aggregation has a name and at least two classes of items",
            ));
        }
        if self.warn == 0 || self.warn > self.consent {
            return Err(RulesError::Form("aggregation: 0 < warn <= consent"));
        }
        Ok(())
    }

    /// No looser than others: what a profile leaves out still holds, what it sets is at most the national threshold.
    pub(crate) fn check_tightens(&self, national: &AggregationRules) -> Result<(), RulesError> {
        for (local, law) in [(self.warn, national.warn), (self.consent, national.consent)] {
            if local > law {
                return Err(RulesError::Loosens(local, law));
            }
        }
        Ok(())
    }

    /// These and the national ones together.
    #[must_use]
    pub(crate) fn with(mut self, national: AggregationRules) -> AggregationRules {
        self.keys.extend(national.keys);
        self.rule.extend(national.rule);
        self.warn = self.warn.min(national.warn);
        self.consent = self.consent.min(national.consent);
        self
    }

    /// What follows from a sum of weights.
    #[must_use]
    pub fn level(&self, score: u32) -> AggregationLevel {
        if score >= u32::from(self.consent) {
            AggregationLevel::ConsentRequired
        } else if score >= u32::from(self.warn) {
            AggregationLevel::Warned
        } else {
            AggregationLevel::Ordinary
        }
    }
}

/// An application by which a department could join what is a grave risk goes out only with the consent of the competent authority of its level. R25.
///
/// # Errors
/// [`RefusalReason::AggregationConsentRequired`]; R25.
pub fn check_aggregation(
    level: AggregationLevel,
    score: u32,
    consented: bool,
) -> Result<(), Refusal> {
    match level {
        AggregationLevel::Ordinary | AggregationLevel::Warned => Ok(()),
        AggregationLevel::ConsentRequired if consented || rule::is_off(Rule::Aggregation) => Ok(()),
        AggregationLevel::ConsentRequired => {
            Err(RefusalReason::AggregationConsentRequired { score }.under(Article::R25))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    #[test]
    fn an_item_belongs_to_a_class_by_a_word_in_its_name() {
        let class = ItemClass::try_from("身份证号|身份号码".to_owned()).unwrap();
        assert!(class.holds("申请人身份证号码") && class.holds("公民身份号码"));
        assert!(!class.holds("姓名"));
        for wrong in ["", "甲|", " |乙", "甲\n"] {
            assert!(ItemClass::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn consent_is_needed_from_the_threshold_on() {
        let rules = Profile::national().aggregation();
        let (warn, consent) = (u32::from(rules.warn), u32::from(rules.consent));
        assert_eq!(rules.level(warn - 1), AggregationLevel::Ordinary);
        assert_eq!(rules.level(warn), AggregationLevel::Warned);
        assert_eq!(rules.level(consent), AggregationLevel::ConsentRequired);
        let check = |score, consented| check_aggregation(rules.level(score), score, consented);
        assert_eq!(
            [check(consent - 1, false), check(consent, true)],
            [Ok(()), Ok(())]
        );
        let refused = check(consent, false).unwrap_err();
        assert_eq!(refused.article, Article::R25);
    }
}
