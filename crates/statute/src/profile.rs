//! Local profiles of law (地方规则): what a locality's own rules add to the Regulation. A profile tightens or adds, never
//! loosens: one that loosens is refused when it is loaded and when it is decoded, under the Regulation's article and
//! naming its own.
//!
//! | Key | What it does | Shenyang |
//! |---|---|---|
//! | `[[duty]]` | a shorter time limit or extension | S20, S26 |
//! | `retention` | records of use kept longer | |
//! | `straight_from_platform` | unconditional data without an application | S20 |
//! | `refusal_cites_law` | a refusal cites law | S20 |
//! | `base_data`, `theme_data` | marked collections | S19 |
//! | `opening` | data is opened to the public | S24 |
//! | `evaluation_published` | periodic evaluation, published | S8 |
//! | `aggregation` | more rules of what together is a risk, lower thresholds | |
//! | `disputes` | what the locality's authority coordinates, within R28 | S21 |

mod citation;
mod form;
mod loosening;
mod stamp;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use self::citation::{Citation, CitedInstrument};
pub use self::loosening::{CoordinatedDisputes, Loosening};
pub use self::stamp::{MAX_PROFILE_STAMP_CHARS, ProfileStamp};
use crate::aggregation::AggregationRules;
use crate::article::Article;
use crate::collection::{BaseCollection, ThemeCollection};
use crate::deadline::WorkingDays;
use crate::duty::Duty;
use crate::refusal::{Refusal, RefusalReason};
use crate::retention::RetentionYears;
use crate::rule::{self, Rule};

const NATIONAL: &str = include_str!("../../../topology/profiles/national.toml");
/// Id of the national profile.
const NATIONAL_ID: &str = "national";
const SHENYANG: &str = include_str!("../../../topology/profiles/shenyang.toml");

/// Longest profile file, in bytes. Shenyang's has about 3 KB.
pub const MAX_PROFILE_BYTES: usize = 16 * 1024;

/// Longest name of a profile, in characters.
pub const MAX_PROFILE_NAME_CHARS: usize = 60;

/// Longest encoded profile, in bytes: two names of 60 characters, a stamp of 80 bytes, some 40 bytes for each duty, 25 for each of 15
/// collections; and of aggregation 8 keys of 30 characters and 8 rules of 7 such texts, at most four bytes a character.
pub const MAX_PROFILE_ENCODED_BYTES: usize = 10 * 1024;

/// A locality's rules on top of the Regulation.
///
/// Invariant: nothing here is looser than the Regulation; what is decoded has been checked. Encoded it has at most
/// [`MAX_PROFILE_ENCODED_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "form::ProfileForm", into = "form::ProfileForm")]
pub struct Profile {
    stamp: ProfileStamp,
    name_zh: String,
    name_en: String,
    duties: BTreeMap<Duty, LocalDuty>,
    retention: Option<(RetentionYears, Article)>,
    straight_from_platform: Option<Article>,
    refusal_cites_law: Option<Article>,
    base_data: Option<Marked<BaseCollection>>,
    theme_data: Option<Marked<ThemeCollection>>,
    opening: Option<Article>,
    evaluation_published: Option<Article>,
    disputes: Option<Article>,
    aggregation: Option<AggregationRules>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalDuty {
    duty: Duty,
    working_days: WorkingDays,
    article: Article,
    breach: Article,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Marked<T> {
    collections: BTreeSet<T>,
    article: Article,
}

impl<T: Ord> Marked<T> {
    fn article_of(&self, collection: &T) -> Option<Article> {
        self.collections
            .contains(collection)
            .then_some(self.article)
    }
}

/// Why a profile is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Too long to be a profile.
    #[error("the profile has {found} bytes, more than the {MAX_PROFILE_BYTES} allowed")]
    TooLarge {
        /// Its length in bytes.
        found: usize,
    },
    /// Not of the expected form; an unknown key is named.
    #[error("the profile cannot be read: {0}")]
    Syntax(String),
    /// An id or version that is empty, too long or of other characters.
    #[error(
        "id and version of a profile have 1 to {MAX_PROFILE_STAMP_CHARS} ASCII letters, digits, hyphens or dots"
    )]
    Stamp,
    /// A name that is empty, too long or not of one line.
    #[error("a name of a profile has 1 to {MAX_PROFILE_NAME_CHARS} characters on one line")]
    Name,
    /// A duty or collection listed twice.
    #[error("profile {profile:?} lists {what} twice")]
    Twice {
        /// Id of the profile.
        profile: String,
        /// Id of the duty or collection.
        what: String,
    },
    /// A list of collections that has none.
    #[error("profile {profile:?} has {key} without a collection")]
    Empty {
        /// Id of the profile.
        profile: String,
        /// The key.
        key: &'static str,
    },
    /// A retention beyond what the calendar holds: [`RefusalReason::TooLong`].
    #[error("retention: {0}")]
    Retention(Refusal),
    /// It loosens what the Regulation sets: [`RefusalReason::ProfileLoosens`].
    #[error("{0}")]
    Loosens(Refusal),
}

impl ProfileError {
    /// The refusal, when it is the law that refuses.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Retention(refusal) | Self::Loosens(refusal) => Some(refusal),
            Self::TooLarge { .. }
            | Self::Syntax(_)
            | Self::Stamp
            | Self::Name
            | Self::Twice { .. }
            | Self::Empty { .. } => None,
        }
    }

    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::TooLarge { found } => {
                format!("地方规则长{found}字节，超过上限{MAX_PROFILE_BYTES}字节")
            }
            Self::Syntax(error) => format!("地方规则无法读取：{error}"),
            Self::Stamp => format!(
                "地方规则的 id 和 version 应为1至{MAX_PROFILE_STAMP_CHARS}个英文字母、数字、连字符或者点"
            ),
            Self::Name => {
                format!("地方规则的名称应为一行，1至{MAX_PROFILE_NAME_CHARS}个字")
            }
            Self::Twice { profile, what } => format!("地方规则“{profile}”重复列有 {what}"),
            Self::Empty { profile, key } => format!("地方规则“{profile}”的 {key} 未列任何数据"),
            Self::Retention(refusal) => format!("保存期限：{}", refusal.zh()),
            Self::Loosens(refusal) => refusal.zh(),
        }
    }
}

impl Profile {
    /// Reads a profile file.
    ///
    /// # Errors
    /// [`ProfileError`], which names the key, the duty or the rule that is wrong.
    pub fn parse(text: &str) -> Result<Profile, ProfileError> {
        if text.len() > MAX_PROFILE_BYTES {
            return Err(ProfileError::TooLarge { found: text.len() });
        }
        let form: form::ProfileForm =
            toml::from_str(text).map_err(|error| ProfileError::Syntax(error.to_string()))?;
        Profile::try_from(form)
    }

    /// The Regulation alone.
    ///
    /// # Panics
    /// Never: the file is part of the program and a test reads it.
    #[must_use]
    pub fn national() -> Profile {
        Profile::parse(NATIONAL).expect("the national profile is part of the program")
    }

    /// Shenyang's rules (沈阳市政务数据资源共享开放条例).
    ///
    /// # Panics
    /// Never: the file is part of the program and a test reads it.
    #[must_use]
    pub fn shenyang() -> Profile {
        Profile::parse(SHENYANG).expect("Shenyang's profile is part of the program")
    }

    /// The profile of this id that comes with the program, if one does.
    #[must_use]
    pub fn built_in(id: &str) -> Option<Profile> {
        match id {
            "national" => Some(Profile::national()),
            "shenyang" => Some(Profile::shenyang()),
            _ => None,
        }
    }

    /// Its id and version.
    #[must_use]
    pub fn stamp(&self) -> &ProfileStamp {
        &self.stamp
    }

    /// Its id, as topology and configuration files name it.
    #[must_use]
    pub fn id(&self) -> &str {
        self.stamp.id()
    }

    /// Its Chinese name.
    #[must_use]
    pub fn name_zh(&self) -> &str {
        &self.name_zh
    }

    /// Its English name.
    #[must_use]
    pub fn name_en(&self) -> &str {
        &self.name_en
    }

    /// The time limit that holds here: the stricter of the Regulation's and the locality's.
    #[must_use]
    pub fn working_days(&self, duty: Duty) -> WorkingDays {
        self.duties
            .get(&duty)
            .map_or(duty.working_days(), |local| local.working_days)
    }

    /// Whether the locality sets a time limit of its own for this duty: for a duty to which the law sets none, whether one runs at all.
    #[must_use]
    pub fn sets(&self, duty: Duty) -> bool {
        self.duties.contains_key(&duty)
    }

    /// The article that sets the time limit that holds here.
    #[must_use]
    pub fn article(&self, duty: Duty) -> Article {
        self.duties
            .get(&duty)
            .map_or(duty.article(), |local| local.article)
    }

    /// The articles that a default breaches here: the Regulation's first, then the locality's own.
    #[must_use]
    pub fn breaches(&self, duty: Duty) -> Vec<Article> {
        let local = self.duties.get(&duty).map(|local| local.breach);
        let local = local.filter(|article| *article != duty.breach());
        std::iter::once(duty.breach()).chain(local).collect()
    }

    /// How long records of use are kept here at least, and the article that says so: R29, or a locality's longer period.
    #[must_use]
    pub fn retention(&self) -> (RetentionYears, Article) {
        self.retention
            .unwrap_or((RetentionYears::MIN, Article::R29))
    }

    /// The article under which data shared unconditionally is taken straight from the platform, without an application;
    /// none where an application is needed. Shenyang S20.
    #[must_use]
    pub const fn straight_from_platform(&self) -> Option<Article> {
        self.straight_from_platform
    }

    /// A refusal cites what the locality wants it to cite. Shenyang S20 asks for a law, regulation or rule; a rule
    /// (规章) stands only beside a law or regulation, since R14 and R15 let no rule alone keep data from being shared.
    ///
    /// # Errors
    /// [`RefusalReason::CitationRequired`] under the local article.
    pub fn check_refusal_cites_law(&self, cited: &[Citation]) -> Result<(), Refusal> {
        match self.refusal_cites_law {
            None => Ok(()),
            Some(article) => citation::check_cited(cited, article),
        }
    }

    /// The article that makes this a collection of base data here; none where it is not one. Shenyang S19.
    #[must_use]
    pub fn base_data(&self, collection: BaseCollection) -> Option<Article> {
        self.base_data.as_ref()?.article_of(&collection)
    }

    /// The article that makes this a collection of theme data here; none where it is not one. Shenyang S19.
    #[must_use]
    pub fn theme_data(&self, collection: ThemeCollection) -> Option<Article> {
        self.theme_data.as_ref()?.article_of(&collection)
    }

    /// Data is opened to the public only where local rules provide for it (Shenyang S24): the Regulation covers sharing
    /// among departments (R2). What they then demand stands in [`opening`](crate::opening).
    ///
    /// # Errors
    /// [`RefusalReason::OpeningNotProvided`]; R2.
    pub fn check_opens(&self) -> Result<Article, Refusal> {
        self.opening
            .ok_or_else(|| RefusalReason::OpeningNotProvided.under(Article::R2))
    }

    /// The article under which departments and lower governments are evaluated periodically and the result and the
    /// advice are published; none where nothing says so. Shenyang S8.
    #[must_use]
    pub const fn evaluation_published(&self) -> Option<Article> {
        self.evaluation_published
    }

    /// What together is a risk here (R25): the national rules and the locality's own.
    #[must_use]
    pub fn aggregation(&self) -> AggregationRules {
        let national = national_aggregation();
        match &self.aggregation {
            Some(local) => local.clone().with(national),
            None => national,
        }
    }

    /// The local article that is cited beside R28 when the authority that R28 finds is the locality's own. It never
    /// changes who that is. Shenyang S21.
    #[must_use]
    pub fn coordination(&self) -> Option<Article> {
        self.disputes
            .filter(|_| !rule::is_off(Rule::LocalCoordination))
    }
}

/// The rules of aggregation of the national profile.
fn national_aggregation() -> AggregationRules {
    static RULES: LazyLock<AggregationRules> = LazyLock::new(|| {
        let national = Profile::national().aggregation;
        national.expect("the national profile sets the rules of aggregation, and a test reads it")
    });
    RULES.clone()
}
