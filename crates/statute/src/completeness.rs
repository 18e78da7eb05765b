//! What must be stated: the fields of a catalogue entry (R13, R15), the materials of an application (R20) and the
//! points of a record of use (R29).

use crate::article::Article;
use crate::complaint::ComplaintField;
use crate::correction::CorrectionField;
use crate::incident::IncidentField;
use crate::need::NeedField;
use crate::opening::OpeningField;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// Material that an application states (申请材料), R20.
    pub enum ApplicationMaterial {
        /// Legal basis of the use (使用依据).
        Basis = "basis", "使用依据", "legal basis";
        /// Scenario of the use (使用场景).
        Scenario = "scenario", "使用场景", "scenario";
        /// Scope of the use (使用范围).
        Scope = "scope", "使用范围", "scope";
        /// Way of sharing (共享方式).
        Method = "method", "共享方式", "way of sharing";
        /// Time limit of the use (使用时限).
        Period = "period", "使用时限", "period of use";
    }
}

terms! {
    /// Field that a catalogue entry states (目录要素), R13, with the assessments that precede it.
    pub enum CatalogueField {
        /// Name of the entry (目录名称).
        Name = "name", "数据目录名称", "name";
        /// Data items (数据项).
        DataItems = "data-items", "数据项", "data items";
        /// Providing unit (提供单位).
        Provider = "provider", "提供单位", "provider";
        /// Data format (数据格式).
        Format = "format", "数据格式", "format";
        /// Update frequency (数据更新频率).
        UpdateFrequency = "update-frequency", "数据更新频率", "update frequency";
        /// Class of sharing (共享属性).
        ShareClass = "share-class", "共享属性", "class of sharing";
        /// Way of sharing (共享方式).
        Method = "method", "共享方式", "way of sharing";
        /// Conditions of use (使用条件).
        UseConditions = "use-conditions", "使用条件", "conditions of use";
        /// Classification and grade (数据分类分级).
        Grade = "grade", "数据分类分级", "classification and grade";
        /// Secrecy-risk assessment (保密风险评估).
        SecrecyAssessment = "secrecy-assessment", "保密风险评估", "secrecy-risk assessment";
        /// Personal-information impact assessment (个人信息保护影响评估).
        PersonalInformationAssessment =
            "personal-information-assessment", "个人信息保护影响评估", "personal-information impact assessment";
    }
}

terms! {
    /// What the class of sharing requires to be listed (共享条件), R15.
    pub enum ClassField {
        /// Scope of sharing (共享范围), for conditional sharing.
        Scope = "scope", "共享范围", "scope of sharing";
        /// Uses (使用用途), for conditional sharing.
        Uses = "uses", "使用用途", "uses";
        /// Reason (理由), for data not shared.
        Reason = "reason", "不予共享理由", "reason for not sharing";
        /// Law, administrative regulation or State Council decision (依据), for data not shared.
        LegalBasis = "legal-basis", "法律、行政法规以及国务院决定依据", "legal basis for not sharing";
    }
}

terms! {
    /// Point that a record of use states (使用记录), R29.
    pub enum UseRecordField {
        /// Scenario of the use (使用场景).
        Scenario = "scenario", "使用场景", "scenario";
        /// Course of the use (使用过程).
        Process = "process", "使用过程", "process";
        /// What the use achieved (应用成效).
        Result = "result", "应用成效", "result";
        /// Storage (存储情况).
        Storage = "storage", "存储情况", "storage";
        /// Destruction (销毁情况).
        Destruction = "destruction", "销毁情况", "destruction";
    }
}

/// Anything that the Regulation requires to be stated.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum RequiredField {
    /// Of a catalogue entry, R13.
    Catalogue(CatalogueField),
    /// Of its class, R15.
    Class(ClassField),
    /// Of an application, R20.
    Application(ApplicationMaterial),
    /// Of a record of use, R29.
    UseRecord(UseRecordField),
    /// Of the terms on which data is opened, Shenyang S25, S27.
    Opening(OpeningField),
    /// Of a request for correction or its answer, R26.
    Correction(CorrectionField),
    /// Of a need, R20.
    Need(NeedField),
    /// Of a security incident's report and what follows, R35.
    Incident(IncidentField),
    /// Of a complaint, R37.
    Complaint(ComplaintField),
}

impl RequiredField {
    /// The Chinese word of the text.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            RequiredField::Catalogue(field) => field.zh(),
            RequiredField::Class(field) => field.zh(),
            RequiredField::Application(field) => field.zh(),
            RequiredField::UseRecord(field) => field.zh(),
            RequiredField::Opening(field) => field.zh(),
            RequiredField::Correction(field) => field.zh(),
            RequiredField::Need(field) => field.zh(),
            RequiredField::Incident(field) => field.zh(),
            RequiredField::Complaint(field) => field.zh(),
        }
    }

    /// The English word.
    #[must_use]
    pub const fn en(self) -> &'static str {
        match self {
            RequiredField::Catalogue(field) => field.en(),
            RequiredField::Class(field) => field.en(),
            RequiredField::Application(field) => field.en(),
            RequiredField::UseRecord(field) => field.en(),
            RequiredField::Opening(field) => field.en(),
            RequiredField::Correction(field) => field.en(),
            RequiredField::Need(field) => field.en(),
            RequiredField::Incident(field) => field.en(),
            RequiredField::Complaint(field) => field.en(),
        }
    }

    /// The article that requires it.
    #[must_use]
    pub const fn article(self) -> Article {
        match self {
            RequiredField::Catalogue(_) => Article::R13,
            RequiredField::Class(_) => Article::R15,
            RequiredField::Application(_) | RequiredField::Need(_) => Article::R20,
            RequiredField::UseRecord(_) => Article::R29,
            RequiredField::Opening(field) => field.article(),
            RequiredField::Correction(_) => Article::R26,
            RequiredField::Incident(_) => Article::R35,
            RequiredField::Complaint(_) => Article::R37,
        }
    }
}

/// Materials that R20 requires and an application does not state, in the order of the article.
#[must_use]
pub fn missing_materials(present: &[ApplicationMaterial]) -> Vec<ApplicationMaterial> {
    missing(ApplicationMaterial::ALL, present)
}

/// Fields that R13 requires and a catalogue entry does not state, in the order of the article.
#[must_use]
pub fn missing_catalogue_fields(present: &[CatalogueField]) -> Vec<CatalogueField> {
    missing(CatalogueField::ALL, present)
}

/// Points that R29 requires and a record of use does not state, in the order of the article.
#[must_use]
pub fn missing_use_record_fields(present: &[UseRecordField]) -> Vec<UseRecordField> {
    missing(UseRecordField::ALL, present)
}

fn missing<T: Copy + PartialEq>(required: &[T], present: &[T]) -> Vec<T> {
    required
        .iter()
        .copied()
        .filter(|field| !present.contains(field))
        .collect()
}

/// A catalogue entry states everything that R13 lists.
///
/// # Errors
/// [`RefusalReason::MissingField`] with all that is missing, R13.
pub fn check_catalogue_fields(present: &[CatalogueField]) -> Result<(), Refusal> {
    if rule::is_off(Rule::Compilation) {
        return Ok(());
    }
    let missing = missing_catalogue_fields(present)
        .into_iter()
        .map(RequiredField::Catalogue);
    none_missing(missing.collect(), Article::R13)
}

/// A record of use states every point of R29.
///
/// # Errors
/// [`RefusalReason::MissingField`] with all that is missing, R29.
pub fn check_use_record(present: &[UseRecordField]) -> Result<(), Refusal> {
    if rule::is_off(Rule::UseRecord) {
        return Ok(());
    }
    let missing = missing_use_record_fields(present)
        .into_iter()
        .map(RequiredField::UseRecord);
    none_missing(missing.collect(), Article::R29)
}

pub(crate) fn none_missing(fields: Vec<RequiredField>, article: Article) -> Result<(), Refusal> {
    if fields.is_empty() {
        Ok(())
    } else {
        Err(RefusalReason::MissingField { fields }.under(article))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_without_scope_and_period_misses_exactly_those() {
        use ApplicationMaterial::{Basis, Method, Period, Scenario, Scope};
        assert_eq!(
            missing_materials(&[Method, Basis, Scenario]),
            [Scope, Period]
        );
        assert_eq!(missing_materials(ApplicationMaterial::ALL), []);
        assert_eq!(missing_materials(&[]), ApplicationMaterial::ALL);
    }

    #[test]
    fn an_entry_that_lacks_a_field_is_refused_under_article_13_naming_all_it_lacks() {
        let present: Vec<_> = CatalogueField::ALL
            .iter()
            .copied()
            .filter(|field| !matches!(field, CatalogueField::Format | CatalogueField::Grade))
            .collect();
        let fields = vec![
            RequiredField::Catalogue(CatalogueField::Format),
            RequiredField::Catalogue(CatalogueField::Grade),
        ];
        let expected = RefusalReason::MissingField { fields }.under(Article::R13);
        assert_eq!(check_catalogue_fields(&present), Err(expected));
        assert_eq!(check_catalogue_fields(CatalogueField::ALL), Ok(()));
    }

    #[test]
    fn a_record_of_use_without_destruction_is_refused_under_article_29() {
        let present = &UseRecordField::ALL[..4];
        let refused = check_use_record(present).map_err(|refusal| refusal.article);
        assert_eq!(refused, Err(Article::R29));
    }
}
