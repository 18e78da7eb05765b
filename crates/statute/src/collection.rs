//! Base data and theme data (基础数据、主题数据): collections that a locality marks, and what the mark demands. Shenyang S19.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::class::ShareClass;
use crate::profile::Profile;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::{UnknownTerm, terms};

terms! {
    /// Collection of base data (基础数据资源), S19. There are four.
    pub enum BaseCollection {
        /// Population (人口).
        Population = "population", "人口", "population";
        /// Legal persons (法人单位).
        LegalPersons = "legal-persons", "法人单位", "legal persons";
        /// Natural resources and space (自然资源和空间地理).
        NaturalResources = "natural-resources", "自然资源和空间地理", "natural resources and space";
        /// Electronic certificates (电子证照).
        ElectronicCertificates = "electronic-certificates", "电子证照", "electronic certificates";
    }
}

terms! {
    /// Collection of theme data (主题政务数据资源), built by several departments together, S19.
    pub enum ThemeCollection {
        /// Health (健康保障).
        Health = "health", "健康保障", "health";
        /// Social security (社会保障).
        SocialSecurity = "social-security", "社会保障", "social security";
        /// Food and drug safety (食品药品安全).
        FoodAndDrugs = "food-and-drugs", "食品药品安全", "food and drug safety";
        /// Emergency management (应急管理).
        Emergency = "emergency", "应急管理", "emergency management";
        /// Price supervision (价格监管).
        Prices = "prices", "价格监管", "price supervision";
        /// Credit (信用体系).
        Credit = "credit", "信用体系", "credit";
        /// Urban and rural construction (城乡建设).
        Construction = "construction", "城乡建设", "urban and rural construction";
        /// Community governance (社区治理).
        Community = "community", "社区治理", "community governance";
        /// Ecology and environment (生态环保).
        Environment = "environment", "生态环保", "ecology and environment";
        /// Social stability (社会维稳).
        Stability = "stability", "社会维稳", "social stability";
        /// Business environment (营商环境).
        Business = "business", "营商环境", "business environment";
    }
}

/// What marks an entry of the catalogue as part of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CollectionMark {
    /// Base items (基础数据项): what every department needs for its duties.
    BaseItems(BaseCollection),
    /// Business items (业务数据项) of a base collection: shared through the platform, in whatever class they have.
    BusinessItems(BaseCollection),
    /// Theme data.
    Theme(ThemeCollection),
}

impl CollectionMark {
    /// The mark in Chinese, such as `基础数据项（人口）`.
    #[must_use]
    pub fn zh(self) -> String {
        match self {
            Self::BaseItems(it) => format!("基础数据项（{}）", it.zh()),
            Self::BusinessItems(it) => format!("业务数据项（{}）", it.zh()),
            Self::Theme(it) => format!("主题数据（{}）", it.zh()),
        }
    }

    /// The mark in English.
    #[must_use]
    pub fn en(self) -> String {
        match self {
            Self::BaseItems(it) => format!("base items ({})", it.en()),
            Self::BusinessItems(it) => format!("business items ({})", it.en()),
            Self::Theme(it) => format!("theme data ({})", it.en()),
        }
    }

    /// The collection that it is a mark of.
    #[must_use]
    pub fn collection(self) -> Collection {
        match self {
            Self::BaseItems(it) | Self::BusinessItems(it) => Collection::Base(it),
            Self::Theme(it) => Collection::Theme(it),
        }
    }
}

/// A collection that can be asked for by its word alone: no base collection is named as a theme is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// Of base data.
    Base(BaseCollection),
    /// Of theme data.
    Theme(ThemeCollection),
}

impl FromStr for Collection {
    type Err = UnknownTerm;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let base = word.parse::<BaseCollection>().map(Self::Base);
        base.or_else(|base: UnknownTerm| {
            let theme = word.parse::<ThemeCollection>().map(Self::Theme);
            theme.map_err(|theme| UnknownTerm {
                kind: "Collection",
                found: theme.found,
                expected: format!("{}, {}", base.expected, theme.expected),
            })
        })
    }
}

/// Base items are shared unconditionally, where the profile of law in force lists their collection. Business items and
/// theme data are shared through the platform and keep the class that R14 gives them.
///
/// # Errors
/// [`RefusalReason::BaseItemNotUnconditional`]; Shenyang S19.
pub fn check_collection(
    mark: CollectionMark,
    class: ShareClass,
    profile: &Profile,
) -> Result<(), Refusal> {
    let collection = match mark {
        CollectionMark::BaseItems(collection) => collection,
        CollectionMark::BusinessItems(_) | CollectionMark::Theme(_) => return Ok(()),
    };
    match (profile.base_data(collection), class) {
        (None, _) | (Some(_), ShareClass::Unconditional) => Ok(()),
        (Some(_), ShareClass::Conditional | ShareClass::NotShared)
            if rule::is_off(Rule::BaseData) =>
        {
            Ok(())
        }
        (Some(article), ShareClass::Conditional | ShareClass::NotShared) => {
            Err(RefusalReason::BaseItemNotUnconditional { collection, class }.under(article))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Article;

    #[test]
    fn a_base_item_that_is_not_unconditional_is_refused_under_article_19_of_shenyang() {
        let shenyang = Profile::shenyang();
        for collection in BaseCollection::ALL.iter().copied() {
            for class in ShareClass::ALL.iter().copied() {
                let refused = RefusalReason::BaseItemNotUnconditional { collection, class };
                let expected = match class {
                    ShareClass::Unconditional => Ok(()),
                    ShareClass::Conditional | ShareClass::NotShared => {
                        Err(refused.under(Article::S19))
                    }
                };
                let mark = CollectionMark::BaseItems(collection);
                assert_eq!(check_collection(mark, class, &shenyang), expected);
                assert_eq!(check_collection(mark, class, &Profile::national()), Ok(()));
            }
        }
    }

    #[test]
    fn every_collection_is_found_by_its_id_and_by_its_word_and_none_by_two() {
        let base = BaseCollection::ALL.iter().copied();
        let theme = ThemeCollection::ALL.iter().copied();
        let named = base
            .map(|it| (it.id(), it.zh(), Collection::Base(it)))
            .chain(theme.map(|it| (it.id(), it.zh(), Collection::Theme(it))));
        for (id, zh, collection) in named {
            assert_eq!(id.parse(), Ok(collection));
            assert_eq!(zh.parse(), Ok(collection));
        }
        let unknown = "天气".parse::<Collection>().unwrap_err();
        assert!(unknown.expected.contains("population") && unknown.expected.contains("health"));
    }

    #[test]
    fn business_items_and_theme_data_keep_the_class_they_have() {
        let shenyang = Profile::shenyang();
        let business = BaseCollection::ALL
            .iter()
            .map(|collection| CollectionMark::BusinessItems(*collection));
        let themes = ThemeCollection::ALL
            .iter()
            .map(|collection| CollectionMark::Theme(*collection));
        for mark in business.chain(themes) {
            for class in ShareClass::ALL {
                assert_eq!(check_collection(mark, *class, &shenyang), Ok(()));
            }
        }
    }
}
