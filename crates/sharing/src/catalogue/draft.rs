//! An entry as people write it: one JSON object a line, words of the law in Chinese or by their id.
//!
//! ```json
//! {"id": "440106/MZ/0001", "version": 1, "name": "低保家庭信息", "summary": "本区在保低保家庭及成员",
//!  "provider": "11440106007512345X", "provider_name": "天河区民政局",
//!  "items": [{"name": "户主姓名", "kind": "C50", "grade": "一般数据"}],
//!  "format": "CSV", "frequency": "每月",
//!  "terms": {"有条件共享": {"scope": ["县级以上民政部门"], "uses": ["社会救助核对"], "conditions": []}},
//!  "methods": ["文件下载"], "personal_information": true,
//!  "secrecy_assessment": {"done": {"by": "李四", "on": "2026-01-05", "conclusion": "不涉密"}},
//!  "privacy_assessment": {"done": {"by": "李四", "on": "2026-01-05", "conclusion": "风险可控"}}}
//! ```
//!
//! Every field may be absent here, so that one refusal names all that is missing (R13) instead of the first.

use std::fmt;
use std::str::FromStr;

use identity::Moment;
use serde::{Deserialize, Serialize};
use statute::{
    BaseCollection, CatalogueField, ClassTerms, CollectionMark, Grade, LegalBasis, Method, Refusal,
    ShareClass, ThemeCollection, UpdateFrequency,
};

use super::{Assessment, DataItem, Entry, EntryIdError};

/// One entry as written by people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EntryDraft {
    /// 目录代码.
    #[serde(alias = "目录代码")]
    pub id: String,
    /// Version; 1 when absent.
    #[serde(alias = "版本", skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// 目录名称.
    #[serde(alias = "目录名称")]
    pub name: String,
    /// 摘要.
    #[serde(alias = "摘要")]
    pub summary: String,
    /// 提供单位: its credit code.
    #[serde(alias = "提供单位代码")]
    pub provider: String,
    /// 提供单位: its name.
    #[serde(alias = "提供单位")]
    pub provider_name: String,
    /// 数据项.
    #[serde(alias = "数据项")]
    pub items: Vec<ItemDraft>,
    /// 数据格式.
    #[serde(alias = "数据格式")]
    pub format: String,
    /// 数据更新频率.
    #[serde(
        alias = "数据更新频率",
        alias = "更新频率",
        skip_serializing_if = "Option::is_none"
    )]
    pub frequency: Option<Word<UpdateFrequency>>,
    /// 共享属性 with 使用条件.
    #[serde(alias = "共享属性")]
    pub terms: TermsDraft,
    /// 共享方式.
    #[serde(alias = "共享方式")]
    pub methods: Vec<Word<Method>>,
    /// 数据分级 of the whole; that of the strictest item when absent.
    #[serde(alias = "数据分级", skip_serializing_if = "Option::is_none")]
    pub grade: Option<Word<Grade>>,
    /// 含个人信息.
    #[serde(alias = "含个人信息")]
    pub personal_information: bool,
    /// 保密风险评估.
    #[serde(alias = "保密风险评估", skip_serializing_if = "Option::is_none")]
    pub secrecy_assessment: Option<AssessmentDraft>,
    /// 个人信息保护影响评估; not applicable when absent and there is no personal information.
    #[serde(
        alias = "个人信息保护影响评估",
        skip_serializing_if = "Option::is_none"
    )]
    pub privacy_assessment: Option<AssessmentDraft>,
    /// 资源集合: of base or theme data.
    #[serde(alias = "资源集合", skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionDraft>,
}

/// One data item as written by people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemDraft {
    /// 名称.
    #[serde(alias = "名称")]
    pub name: String,
    /// 数据类型.
    #[serde(alias = "数据类型")]
    pub kind: String,
    /// 数据分级.
    #[serde(alias = "数据分级")]
    pub grade: Word<Grade>,
}

/// The class as written by people: exactly one of the three is to be there, and two are refused as two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TermsDraft {
    /// 无条件共享.
    #[serde(alias = "无条件共享", skip_serializing_if = "Option::is_none")]
    pub unconditional: Option<NothingDraft>,
    /// 有条件共享.
    #[serde(alias = "有条件共享", skip_serializing_if = "Option::is_none")]
    pub conditional: Option<ConditionsDraft>,
    /// 不予共享.
    #[serde(
        rename = "not-shared",
        alias = "不予共享",
        skip_serializing_if = "Option::is_none"
    )]
    pub not_shared: Option<NotSharedDraft>,
}

/// What an unconditional entry must list: nothing. A condition written here is an unknown field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NothingDraft {}

/// What a conditional entry must list (R15).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConditionsDraft {
    /// 共享范围.
    #[serde(alias = "共享范围")]
    pub scope: Vec<String>,
    /// 使用用途.
    #[serde(alias = "使用用途")]
    pub uses: Vec<String>,
    /// 其他共享使用条件.
    #[serde(alias = "共享使用条件")]
    pub conditions: Vec<String>,
}

/// What an entry that is not shared must list (R15).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotSharedDraft {
    /// 理由.
    #[serde(alias = "理由")]
    pub reason: String,
    /// 依据.
    #[serde(alias = "依据")]
    pub legal_basis: Vec<LegalBasis>,
}

/// The collection as written by people: `{"base-items": "population"}`, `{"基础数据项": "人口"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CollectionDraft {
    /// 基础数据项.
    #[serde(alias = "基础数据项")]
    BaseItems(Word<BaseCollection>),
    /// 业务数据项.
    #[serde(alias = "业务数据项")]
    BusinessItems(Word<BaseCollection>),
    /// 主题数据.
    #[serde(alias = "主题数据")]
    Theme(Word<ThemeCollection>),
}

impl From<CollectionDraft> for CollectionMark {
    fn from(draft: CollectionDraft) -> Self {
        match draft {
            CollectionDraft::BaseItems(Word(it)) => Self::BaseItems(it),
            CollectionDraft::BusinessItems(Word(it)) => Self::BusinessItems(it),
            CollectionDraft::Theme(Word(it)) => Self::Theme(it),
        }
    }
}

impl From<CollectionMark> for CollectionDraft {
    fn from(mark: CollectionMark) -> Self {
        match mark {
            CollectionMark::BaseItems(it) => Self::BaseItems(Word(it)),
            CollectionMark::BusinessItems(it) => Self::BusinessItems(Word(it)),
            CollectionMark::Theme(it) => Self::Theme(Word(it)),
        }
    }
}

/// An assessment as written by people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AssessmentDraft {
    /// Done.
    #[serde(alias = "已评估")]
    Done {
        /// Who assessed.
        #[serde(alias = "评估人")]
        by: String,
        /// The day, `2026-01-05`.
        #[serde(alias = "评估日期")]
        on: String,
        /// What was concluded.
        #[serde(alias = "评估结论")]
        conclusion: String,
    },
    /// Not applicable.
    #[serde(alias = "不适用")]
    NotApplicable {
        /// Why not.
        #[serde(alias = "理由")]
        reason: String,
    },
}

/// A word of the law, read by its id or in Chinese, written by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word<T>(pub T);

impl<T: fmt::Display> Serialize for Word<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Word<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        word.parse().map(Word).map_err(serde::de::Error::custom)
    }
}

/// Why a draft is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// The law does not allow it.
    #[error("{0}")]
    Refused(Refusal),
    /// The id is malformed.
    #[error("id: {0}")]
    Id(#[from] EntryIdError),
    /// The credit code is malformed.
    #[error("provider: {0}")]
    Provider(String),
    /// A day that is none.
    #[error("{found:?} is not a day; write it as 2026-01-05")]
    Day {
        /// What was found, cut short.
        found: String,
    },
}

impl From<Refusal> for DraftError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl EntryDraft {
    /// The entry that this draft states.
    ///
    /// # Errors
    /// [`DraftError::Refused`] with everything that is missing (R13), with two classes (R14), or as [`super::check_entry`]; the others when an id,
    /// a credit code or a day is malformed.
    pub fn into_entry(self) -> Result<Entry, DraftError> {
        statute::check_catalogue_fields(&self.stated())?;
        let class = self.terms.class()?;
        let assessed = |draft: Option<AssessmentDraft>| {
            draft.map(AssessmentDraft::into_assessment).transpose()
        };
        let missing = |field| DraftError::Refused(super::missing(field));
        let privacy_assessment = match assessed(self.privacy_assessment)? {
            Some(assessment) => assessment,
            None => Assessment::NotApplicable {
                reason: "不含个人信息".to_owned(),
            },
        };
        let items: Vec<DataItem> = self.items.into_iter().map(ItemDraft::into_item).collect();
        let grade = match self.grade {
            Some(Word(grade)) => grade,
            None => Grade::of_all(items.iter().map(|item| item.grade)),
        };
        let entry = Entry {
            id: self.id.parse()?,
            version: self.version.unwrap_or(1),
            name: self.name,
            summary: self.summary,
            provider: self.provider.trim().parse().map_err(
                |error: identity::CreditCodeError| DraftError::Provider(error.to_string()),
            )?,
            provider_name: self.provider_name,
            items,
            format: self.format,
            frequency: self
                .frequency
                .ok_or_else(|| missing(CatalogueField::UpdateFrequency))?
                .0,
            terms: class,
            methods: self
                .methods
                .into_iter()
                .map(|Word(method)| method)
                .collect(),
            grade,
            personal_information: self.personal_information,
            secrecy_assessment: assessed(self.secrecy_assessment)?
                .ok_or_else(|| missing(CatalogueField::SecrecyAssessment))?,
            privacy_assessment,
            collection: self.collection.map(CollectionMark::from),
        };
        super::check_entry(&entry)?;
        Ok(entry)
    }

    /// What is absent beyond R13, in Chinese and in English: an entry cannot be named without its id, nor found without its summary.
    #[must_use]
    pub fn blank(&self) -> Vec<(&'static str, &'static str)> {
        [
            (&self.id, ("目录代码", "id")),
            (&self.summary, ("摘要", "summary")),
        ]
        .into_iter()
        .filter(|(text, _)| text.trim().is_empty())
        .map(|(_, name)| name)
        .collect()
    }

    /// What of R13 the draft states. A missing grade or privacy assessment follows from the rest.
    fn stated(&self) -> Vec<CatalogueField> {
        let privacy = self.privacy_assessment.is_some() || !self.personal_information;
        let stated = [
            (CatalogueField::Name, !self.name.trim().is_empty()),
            (CatalogueField::DataItems, !self.items.is_empty()),
            (
                CatalogueField::Provider,
                !self.provider.trim().is_empty() && !self.provider_name.trim().is_empty(),
            ),
            (CatalogueField::Format, !self.format.trim().is_empty()),
            (CatalogueField::UpdateFrequency, self.frequency.is_some()),
            (CatalogueField::ShareClass, !self.terms.classes().is_empty()),
            (CatalogueField::Method, !self.methods.is_empty()),
            (
                CatalogueField::UseConditions,
                !self.terms.classes().is_empty(),
            ),
            (CatalogueField::Grade, true),
            (
                CatalogueField::SecrecyAssessment,
                self.secrecy_assessment.is_some(),
            ),
            (CatalogueField::PersonalInformationAssessment, privacy),
        ];
        stated
            .into_iter()
            .filter(|(_, is_stated)| *is_stated)
            .map(|(field, _)| field)
            .collect()
    }
}

impl TermsDraft {
    fn classes(&self) -> Vec<ShareClass> {
        let named = [
            (ShareClass::Unconditional, self.unconditional.is_some()),
            (ShareClass::Conditional, self.conditional.is_some()),
            (ShareClass::NotShared, self.not_shared.is_some()),
        ];
        named
            .into_iter()
            .filter(|(_, is_named)| *is_named)
            .map(|(class, _)| class)
            .collect()
    }

    /// Exactly one class (R14).
    fn class(&self) -> Result<ClassTerms, Refusal> {
        let class = statute::one_class(&self.classes())?;
        let terms = match (class, &self.conditional, &self.not_shared) {
            (ShareClass::Unconditional, _, _) => Some(ClassTerms::Unconditional),
            (ShareClass::Conditional, Some(draft), _) => Some(ClassTerms::Conditional {
                scope: draft.scope.clone(),
                uses: draft.uses.clone(),
                conditions: draft.conditions.clone(),
            }),
            (ShareClass::NotShared, _, Some(draft)) => Some(ClassTerms::NotShared {
                reason: draft.reason.clone(),
                legal_basis: draft.legal_basis.clone(),
            }),
            (ShareClass::Conditional, None, _) | (ShareClass::NotShared, _, None) => None,
        };
        terms.ok_or_else(|| super::missing(CatalogueField::ShareClass))
    }
}

impl ItemDraft {
    fn into_item(self) -> DataItem {
        DataItem {
            name: self.name,
            kind: self.kind,
            grade: self.grade.0,
        }
    }
}

impl AssessmentDraft {
    fn into_assessment(self) -> Result<Assessment, DraftError> {
        match self {
            Self::Done { by, on, conclusion } => Ok(Assessment::Done {
                by,
                on: day(&on)?,
                conclusion,
            }),
            Self::NotApplicable { reason } => Ok(Assessment::NotApplicable { reason }),
        }
    }
}

impl From<&Entry> for EntryDraft {
    fn from(entry: &Entry) -> Self {
        let mut terms = TermsDraft::default();
        match &entry.terms {
            ClassTerms::Unconditional => terms.unconditional = Some(NothingDraft {}),
            ClassTerms::Conditional {
                scope,
                uses,
                conditions,
            } => {
                let (scope, uses, conditions) = (scope.clone(), uses.clone(), conditions.clone());
                terms.conditional = Some(ConditionsDraft {
                    scope,
                    uses,
                    conditions,
                });
            }
            ClassTerms::NotShared {
                reason,
                legal_basis,
            } => {
                let (reason, legal_basis) = (reason.clone(), legal_basis.clone());
                terms.not_shared = Some(NotSharedDraft {
                    reason,
                    legal_basis,
                });
            }
        }
        let item = |item: &DataItem| ItemDraft {
            name: item.name.clone(),
            kind: item.kind.clone(),
            grade: Word(item.grade),
        };
        Self {
            id: entry.id.to_string(),
            version: Some(entry.version),
            name: entry.name.clone(),
            summary: entry.summary.clone(),
            provider: entry.provider.to_string(),
            provider_name: entry.provider_name.clone(),
            items: entry.items.iter().map(item).collect(),
            format: entry.format.clone(),
            frequency: Some(Word(entry.frequency)),
            terms,
            methods: entry.methods.iter().copied().map(Word).collect(),
            grade: Some(Word(entry.grade)),
            personal_information: entry.personal_information,
            secrecy_assessment: Some((&entry.secrecy_assessment).into()),
            privacy_assessment: Some((&entry.privacy_assessment).into()),
            collection: entry.collection.map(CollectionDraft::from),
        }
    }
}

impl From<&Assessment> for AssessmentDraft {
    fn from(assessment: &Assessment) -> Self {
        match assessment {
            Assessment::Done { by, on, conclusion } => Self::Done {
                by: by.clone(),
                on: statute::beijing_date(on.as_millis()).to_string(),
                conclusion: conclusion.clone(),
            },
            Assessment::NotApplicable { reason } => Self::NotApplicable {
                reason: reason.clone(),
            },
        }
    }
}

/// Beijing is eight hours ahead of UTC, all year.
const BEIJING_AHEAD_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// The first moment of a day in Beijing, written `2026-01-05`.
fn day(text: &str) -> Result<Moment, DraftError> {
    let wrong = || DraftError::Day {
        found: text.chars().take(20).collect(),
    };
    let parts: Vec<&str> = text.trim().split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return Err(wrong());
    };
    let right = [(year, 4), (month, 2), (day, 2)]
        .iter()
        .all(|(part, length)| part.len() == *length && part.bytes().all(|it| it.is_ascii_digit()));
    let number = |part: &str| part.parse::<i64>().map_err(|_| wrong());
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    if !right || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(wrong());
    }
    // Count years from March, so that the leap day ends one.
    let (from_march, year) = ((month + 9) % 12, year - i64::from(month <= 2));
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leap_days + (153 * from_march + 2) / 5 + day - 1 - DAYS_TO_1970;
    let moment = Moment::from_millis(days * DAY_MS - BEIJING_AHEAD_MS);
    // A day that the month does not have comes out as another day.
    if statute::beijing_date(moment.as_millis()).to_string() == text.trim() {
        Ok(moment)
    } else {
        Err(wrong())
    }
}
