//! The form in which a profile is written, in a file and in a docket, and how it becomes a [`Profile`]: decoded, then
//! checked, then believed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::loosening::{Loosening, check_disputes, check_retention_kept, check_time_limit};
use super::{
    CoordinatedDisputes, LocalDuty, MAX_PROFILE_NAME_CHARS, Marked, Profile, ProfileError,
    ProfileStamp,
};
use crate::aggregation::{AggregationRules, RulesError};
use crate::article::Article;
use crate::collection::{BaseCollection, ThemeCollection};
use crate::refusal::RefusalReason;
use crate::retention::RetentionYears;

/// A profile as it is written. Optional keys are all written out when encoded, so that a positional encoding can hold it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileForm {
    id: String,
    version: String,
    name_zh: String,
    name_en: String,
    #[serde(default)]
    duty: Vec<LocalDuty>,
    retention: Option<RetentionForm>,
    straight_from_platform: Option<RuleForm>,
    refusal_cites_law: Option<RuleForm>,
    base_data: Option<CollectionsForm<BaseCollection>>,
    theme_data: Option<CollectionsForm<ThemeCollection>>,
    opening: Option<RuleForm>,
    evaluation_published: Option<RuleForm>,
    disputes: Option<DisputesForm>,
    aggregation: Option<AggregationRules>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleForm {
    article: Article,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionForm {
    years: u16,
    article: Article,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CollectionsForm<T> {
    collections: Vec<T>,
    article: Article,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputesForm {
    coordinates: CoordinatedDisputes,
    article: Article,
}

impl TryFrom<ProfileForm> for Profile {
    type Error = ProfileError;

    fn try_from(form: ProfileForm) -> Result<Self, Self::Error> {
        let stamp = ProfileStamp::new(form.id, form.version)?;
        check_name(&form.name_zh)?;
        check_name(&form.name_en)?;
        let id = stamp.id().to_owned();
        Ok(Profile {
            stamp,
            name_zh: form.name_zh,
            name_en: form.name_en,
            duties: duties(&id, form.duty)?,
            retention: form
                .retention
                .map(|retention| retention_kept(&id, &retention))
                .transpose()?,
            straight_from_platform: form.straight_from_platform.map(|rule| rule.article),
            refusal_cites_law: form.refusal_cites_law.map(|rule| rule.article),
            base_data: form
                .base_data
                .map(|form| marked(&id, "base_data", form))
                .transpose()?,
            theme_data: form
                .theme_data
                .map(|form| marked(&id, "theme_data", form))
                .transpose()?,
            opening: form.opening.map(|rule| rule.article),
            evaluation_published: form.evaluation_published.map(|rule| rule.article),
            disputes: form
                .disputes
                .map(|disputes| coordinated(&id, &disputes))
                .transpose()?,
            aggregation: form
                .aggregation
                .map(|rules| aggregation(&id, rules))
                .transpose()?,
        })
    }
}

impl From<Profile> for ProfileForm {
    fn from(profile: Profile) -> Self {
        let rule = |article: Option<Article>| article.map(|article| RuleForm { article });
        ProfileForm {
            id: profile.stamp.id().to_owned(),
            version: profile.stamp.version().to_owned(),
            name_zh: profile.name_zh,
            name_en: profile.name_en,
            duty: profile.duties.into_values().collect(),
            retention: profile.retention.map(|(years, article)| RetentionForm {
                years: years.get(),
                article,
            }),
            straight_from_platform: rule(profile.straight_from_platform),
            refusal_cites_law: rule(profile.refusal_cites_law),
            base_data: profile.base_data.map(CollectionsForm::from),
            theme_data: profile.theme_data.map(CollectionsForm::from),
            opening: rule(profile.opening),
            evaluation_published: rule(profile.evaluation_published),
            disputes: profile.disputes.map(|article| DisputesForm {
                coordinates: CoordinatedDisputes::AsCommonSuperior,
                article,
            }),
            aggregation: profile.aggregation,
        }
    }
}

impl<T> From<Marked<T>> for CollectionsForm<T> {
    fn from(marked: Marked<T>) -> Self {
        CollectionsForm {
            collections: marked.collections.into_iter().collect(),
            article: marked.article,
        }
    }
}

fn check_name(name: &str) -> Result<(), ProfileError> {
    let fits = name.chars().count() <= MAX_PROFILE_NAME_CHARS;
    if fits && !name.trim().is_empty() && !name.contains(char::is_control) {
        Ok(())
    } else {
        Err(ProfileError::Name)
    }
}

fn loosens(profile: &str, article: Article, loosening: Loosening) -> ProfileError {
    let reason = RefusalReason::ProfileLoosens {
        profile: profile.to_owned(),
        article,
        loosening,
    };
    ProfileError::Loosens(reason.under(loosening.article()))
}

fn twice(profile: &str, what: impl Display) -> ProfileError {
    ProfileError::Twice {
        profile: profile.to_owned(),
        what: what.to_string(),
    }
}

fn duties(
    profile: &str,
    listed: Vec<LocalDuty>,
) -> Result<BTreeMap<crate::Duty, LocalDuty>, ProfileError> {
    let mut duties = BTreeMap::new();
    for local in listed {
        check_time_limit(local.duty, local.working_days)
            .map_err(|loosening| loosens(profile, local.article, loosening))?;
        if duties.insert(local.duty, local).is_some() {
            return Err(twice(profile, local.duty));
        }
    }
    Ok(duties)
}

fn retention_kept(
    profile: &str,
    form: &RetentionForm,
) -> Result<(RetentionYears, Article), ProfileError> {
    check_retention_kept(form.years)
        .map_err(|loosening| loosens(profile, form.article, loosening))?;
    let years = RetentionYears::new(form.years).map_err(ProfileError::Retention)?;
    Ok((years, form.article))
}

fn marked<T: Copy + Ord + Display>(
    profile: &str,
    key: &'static str,
    form: CollectionsForm<T>,
) -> Result<Marked<T>, ProfileError> {
    if form.collections.is_empty() {
        return Err(ProfileError::Empty {
            profile: profile.to_owned(),
            key,
        });
    }
    let mut collections = BTreeSet::new();
    for collection in form.collections {
        if !collections.insert(collection) {
            return Err(twice(profile, collection));
        }
    }
    Ok(Marked {
        collections,
        article: form.article,
    })
}

fn coordinated(profile: &str, form: &DisputesForm) -> Result<Article, ProfileError> {
    check_disputes(form.coordinates)
        .map_err(|loosening| loosens(profile, form.article, loosening))?;
    Ok(form.article)
}

/// Rules of aggregation are well-formed, and their thresholds no looser than the national ones, which the national profile itself sets.
fn aggregation(profile: &str, rules: AggregationRules) -> Result<AggregationRules, ProfileError> {
    let wrong = |error| match error {
        RulesError::Form(what) => ProfileError::Syntax(what.to_owned()),
        RulesError::Loosens(local, national) => {
            let loosening = Loosening::Aggregation { local, national };
            loosens(profile, Article::R25, loosening)
        }
    };
    rules.check().map_err(wrong)?;
    if profile != super::NATIONAL_ID {
        let national = super::national_aggregation();
        rules.check_tightens(&national).map_err(wrong)?;
    }
    Ok(rules)
}
