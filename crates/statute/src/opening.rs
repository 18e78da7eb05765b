//! Opening data to the public (政务数据资源开放): three types, what each lists, and what a reply owes the applicant.
//! Shenyang S24 to S27; the Regulation is silent on it, so only a local profile opens data
//! ([`Profile::check_opens`](crate::Profile::check_opens)).

use serde::{Deserialize, Serialize};

use crate::article::Article;
use crate::class::{MAX_TERM_CHARS, MAX_TERMS_LISTED, check_bounds, check_length, states};
use crate::completeness::{RequiredField, none_missing};
use crate::duty::Duty;
use crate::profile::Profile;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::secrecy::{Secrecy, check_not_secret};
use crate::term::terms;

terms! {
    /// Type of opening (开放类型), S24. There are three.
    pub enum OpenClass {
        /// Open to everyone, without an application (无条件开放), S25.
        Unconditional = "unconditional", "无条件开放", "opened unconditionally";
        /// Opened to whoever applies and is answered so (依申请开放), S26.
        OnApplication = "on-application", "依申请开放", "opened on application";
        /// Not opened (不予开放), S27.
        NotOpened = "not-opened", "不予开放", "not opened";
    }
}

impl OpenClass {
    /// The duty to reply that an application for this type creates; none where no application is needed or possible.
    #[must_use]
    pub const fn reply_duty(self) -> Option<Duty> {
        match self {
            OpenClass::OnApplication => Some(Duty::ReplyOpening),
            OpenClass::Unconditional | OpenClass::NotOpened => None,
        }
    }
}

terms! {
    /// Machine-readable standard format (可机读标准格式), S25.
    pub enum OpenFormat {
        /// Comma-separated values.
        Csv = "csv", "CSV", "CSV";
        /// JSON.
        Json = "json", "JSON", "JSON";
        /// XML.
        Xml = "xml", "XML", "XML";
        /// RDF.
        Rdf = "rdf", "RDF", "RDF";
        /// Office Open XML spreadsheet.
        Xlsx = "xlsx", "XLSX", "XLSX";
    }
}

terms! {
    /// What the type of opening requires to be listed (开放目录要素), S25, S27.
    pub enum OpeningField {
        /// Formats (可机读标准格式), S25.
        Formats = "formats", "可机读标准格式", "machine-readable formats";
        /// Grounds of restricting or not opening (相关依据), S27.
        Grounds = "grounds", "不予开放或者限制开放的依据", "grounds of the restriction";
        /// What an application asks for and what for (开放申请内容), S26.
        Wanted = "wanted", "申请开放的内容和用途", "what is asked for and what for";
    }
}

impl OpeningField {
    /// The article that requires it.
    #[must_use]
    pub const fn article(self) -> Article {
        match self {
            OpeningField::Formats => Article::S25,
            OpeningField::Grounds => Article::S27,
            OpeningField::Wanted => Article::S26,
        }
    }
}

/// Type of opening together with what it must list, S25, S27. It stands in the opening catalogue, which is public: so
/// are the grounds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OpeningTerms {
    /// Open to everyone: there is no place for a restriction.
    Unconditional {
        /// The formats in which it stands on the platform.
        formats: Vec<OpenFormat>,
    },
    /// Opened on application.
    OnApplication {
        /// On what the restriction rests.
        grounds: Vec<String>,
    },
    /// Not opened.
    NotOpened {
        /// On what that rests.
        grounds: Vec<String>,
    },
}

impl OpeningTerms {
    /// The type itself.
    #[must_use]
    pub const fn class(&self) -> OpenClass {
        match self {
            OpeningTerms::Unconditional { .. } => OpenClass::Unconditional,
            OpeningTerms::OnApplication { .. } => OpenClass::OnApplication,
            OpeningTerms::NotOpened { .. } => OpenClass::NotOpened,
        }
    }
}

/// The terms list what their type requires: formats for unconditional opening (S25); for the other two the grounds,
/// which are made public (S27).
///
/// # Errors
/// [`RefusalReason::TooLong`] when a list or line exceeds its bound, [`RefusalReason::MissingField`]; S25, S27.
pub fn check_opening_terms(terms: &OpeningTerms) -> Result<(), Refusal> {
    let (field, listed) = match terms {
        OpeningTerms::Unconditional { formats } => {
            check_length(formats.len(), OpenFormat::ALL.len(), Article::S25)?;
            (OpeningField::Formats, !formats.is_empty())
        }
        OpeningTerms::OnApplication { grounds } | OpeningTerms::NotOpened { grounds } => {
            check_length(grounds.len(), MAX_TERMS_LISTED, Article::S27)?;
            check_bounds(grounds.iter(), Article::S27)?;
            (OpeningField::Grounds, states(grounds))
        }
    };
    let missing = (!listed).then_some(RequiredField::Opening(field));
    none_missing(missing.into_iter().collect(), field.article())
}

/// A department marks an entry of its own as opened, opened on application or not opened, where the profile in force opens data at all. What would
/// leak what is protected is not marked as open to everyone.
///
/// # Errors
/// [`RefusalReason::OpeningNotProvided`], R2; those of [`check_opening_terms`], S25, S27;
/// [`RefusalReason::ProtectedContentOpened`], S36.
pub fn check_opening_mark(
    terms: &OpeningTerms,
    contains: &[ProtectedContent],
    profile: &Profile,
) -> Result<(), Refusal> {
    if rule::is_off(Rule::Opening) {
        return Ok(());
    }
    profile.check_opens()?;
    check_length(contains.len(), ProtectedContent::ALL.len(), Article::S36)?;
    check_opening_terms(terms)?;
    match terms.class() {
        // That it is not opened needs no more than its grounds, S27.
        OpenClass::NotOpened => Ok(()),
        class => may_open(class, Secrecy::NotSecret, contains),
    }
}

/// A file is put before everyone only where the data is opened unconditionally, and in a format that the opening catalogue lists; S25.
///
/// # Errors
/// [`RefusalReason::NotOpened`], S24; [`RefusalReason::NotOpenToEveryone`], [`RefusalReason::MissingField`], S25.
pub fn check_open_file(terms: &OpeningTerms, format: OpenFormat) -> Result<(), Refusal> {
    if rule::is_off(Rule::Opening) {
        return Ok(());
    }
    match terms {
        OpeningTerms::Unconditional { formats } => {
            let missing = (!formats.contains(&format)).then_some(OpeningField::Formats);
            let missing = missing.map(RequiredField::Opening);
            none_missing(missing.into_iter().collect(), Article::S25)
        }
        OpeningTerms::OnApplication { .. } => {
            Err(RefusalReason::NotOpenToEveryone.under(Article::S25))
        }
        OpeningTerms::NotOpened { .. } => Err(RefusalReason::NotOpened.under(Article::S24)),
    }
}

/// The duty that an application for opening creates: only data opened on application is applied for.
///
/// # Errors
/// [`RefusalReason::NoApplicationNeeded`], S25; [`RefusalReason::NotOpened`], S24.
pub fn check_may_apply_for_opening(class: OpenClass) -> Result<Duty, Refusal> {
    match (class, class.reply_duty()) {
        (_, Some(duty)) => Ok(duty),
        (OpenClass::Unconditional, None) => {
            Err(RefusalReason::NoApplicationNeeded.under(Article::S25))
        }
        (OpenClass::NotOpened | OpenClass::OnApplication, None) => {
            Err(RefusalReason::NotOpened.under(Article::S24))
        }
    }
}

/// An application for opening says what is wanted and what for; the text is personal and is not looked at here, only that there is one.
///
/// # Errors
/// [`RefusalReason::MissingField`], S26.
pub fn check_opening_application(wanted: bool) -> Result<(), Refusal> {
    let missing = (!wanted).then_some(OpeningField::Wanted);
    let missing = missing.map(RequiredField::Opening);
    none_missing(missing.into_iter().collect(), Article::S26)
}

/// A department that does not open what was applied for says why.
///
/// # Errors
/// [`RefusalReason::ReasonsRequired`], [`RefusalReason::TooLong`]; S26.
pub fn check_opening_refusal(reasons: &str) -> Result<(), Refusal> {
    if rule::is_off(Rule::Opening) {
        return Ok(());
    }
    if reasons.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::S26));
    }
    check_length(reasons.chars().count(), MAX_TERM_CHARS, Article::S26)
}

terms! {
    /// Form of a reply to an application for opening (答复形式), S26.
    pub enum OpeningReplyForm {
        /// In any form, such as on the spot (当场).
        Any = "any", "当场或者其他形式", "on the spot or in any other form";
        /// In writing (书面).
        Written = "written", "书面", "in writing";
    }
}

/// An applicant who asks for a reply in writing is given one.
///
/// # Errors
/// [`RefusalReason::WrittenReplyRequired`]; S26.
pub fn check_opening_reply_form(
    asked: OpeningReplyForm,
    given: OpeningReplyForm,
) -> Result<(), Refusal> {
    match (asked, given) {
        (OpeningReplyForm::Written, OpeningReplyForm::Any) => {
            Err(RefusalReason::WrittenReplyRequired.under(Article::S26))
        }
        (OpeningReplyForm::Any, _) | (_, OpeningReplyForm::Written) => Ok(()),
    }
}

terms! {
    /// Content that opening may not leak, beside state secrets (受保护的内容), S36.
    pub enum ProtectedContent {
        /// Trade secrets (商业秘密).
        TradeSecret = "trade-secret", "商业秘密", "trade secrets";
        /// Personal information (个人信息).
        PersonalInformation = "personal-information", "个人信息", "personal information";
    }
}

/// Data is opened when it is not secret, is of a type that is opened and, where everyone may take it, contains nothing
/// that this would leak. On application the department judges case by case, and its reply says so.
///
/// # Errors
/// [`RefusalReason::StateSecret`], [`RefusalReason::WorkSecret`], R3: secrets are no government data at all;
/// [`RefusalReason::NotOpened`], S24; [`RefusalReason::ProtectedContentOpened`], S36.
pub fn may_open(
    class: OpenClass,
    secrecy: Secrecy,
    contains: &[ProtectedContent],
) -> Result<(), Refusal> {
    check_not_secret(secrecy)?;
    match class {
        OpenClass::NotOpened => Err(RefusalReason::NotOpened.under(Article::S24)),
        OpenClass::Unconditional if !contains.is_empty() => {
            check_length(contains.len(), ProtectedContent::ALL.len(), Article::S36)?;
            let contains = contains.to_vec();
            Err(RefusalReason::ProtectedContentOpened { contains }.under(Article::S36))
        }
        OpenClass::Unconditional | OpenClass::OnApplication => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(field: OpeningField) -> Result<(), Refusal> {
        let fields = vec![RequiredField::Opening(field)];
        Err(RefusalReason::MissingField { fields }.under(field.article()))
    }

    fn of_class(class: OpenClass, grounds: Vec<String>) -> OpeningTerms {
        match class {
            OpenClass::Unconditional => OpeningTerms::Unconditional {
                formats: vec![OpenFormat::Csv],
            },
            OpenClass::OnApplication => OpeningTerms::OnApplication { grounds },
            OpenClass::NotOpened => OpeningTerms::NotOpened { grounds },
        }
    }

    #[test]
    fn unconditional_opening_lists_a_machine_readable_format() {
        let terms = |formats| OpeningTerms::Unconditional { formats };
        assert_eq!(check_opening_terms(&terms(vec![OpenFormat::Json])), Ok(()));
        assert_eq!(
            check_opening_terms(&terms(vec![])),
            missing(OpeningField::Formats)
        );
        let long = RefusalReason::TooLong { found: 6, limit: 5 }.under(Article::S25);
        assert_eq!(
            check_opening_terms(&terms(vec![OpenFormat::Csv; 6])),
            Err(long)
        );
    }

    #[test]
    fn a_restriction_lists_the_grounds_that_are_made_public() {
        for class in [OpenClass::OnApplication, OpenClass::NotOpened] {
            let check = |grounds| check_opening_terms(&of_class(class, grounds));
            assert_eq!(of_class(class, vec![]).class(), class);
            assert_eq!(check(vec!["《中华人民共和国统计法》".into()]), Ok(()));
            for none in [vec![], vec![" ".to_owned()]] {
                assert_eq!(check(none), missing(OpeningField::Grounds));
            }
            let too_long = |found, limit| {
                let reason = RefusalReason::TooLong { found, limit };
                Err(reason.under(Article::S27))
            };
            assert_eq!(check(vec!["甲".into(); 65]), too_long(65, 64));
            assert_eq!(check(vec!["甲".repeat(501)]), too_long(501, 500));
        }
    }

    #[test]
    fn a_refusal_to_open_says_why() {
        let expected = RefusalReason::ReasonsRequired.under(Article::S26);
        assert_eq!(check_opening_refusal(" "), Err(expected));
        assert_eq!(check_opening_refusal("含有商业秘密"), Ok(()));
        assert!(check_opening_refusal(&"甲".repeat(MAX_TERM_CHARS + 1)).is_err());
    }

    #[test]
    fn whoever_asks_for_a_reply_in_writing_gets_one() {
        use OpeningReplyForm::{Any, Written};
        let refused = Err(RefusalReason::WrittenReplyRequired.under(Article::S26));
        assert_eq!(check_opening_reply_form(Written, Any), refused);
        for (asked, given) in [(Any, Any), (Any, Written), (Written, Written)] {
            assert_eq!(check_opening_reply_form(asked, given), Ok(()));
        }
    }

    #[test]
    fn only_an_application_for_data_opened_on_application_is_owed_a_reply() {
        let duties: Vec<_> = OpenClass::ALL
            .iter()
            .map(|class| class.reply_duty())
            .collect();
        assert_eq!(duties, [None, Some(Duty::ReplyOpening), None]);
    }

    #[test]
    fn a_mark_needs_a_profile_that_opens_data_and_leaks_nothing() {
        let open = of_class(OpenClass::Unconditional, vec![]);
        let (here, nation) = (Profile::shenyang(), Profile::national());
        assert_eq!(check_opening_mark(&open, &[], &here), Ok(()));
        let not_provided = RefusalReason::OpeningNotProvided.under(Article::R2);
        assert_eq!(check_opening_mark(&open, &[], &nation), Err(not_provided));
        let personal = [ProtectedContent::PersonalInformation];
        let leaks = check_opening_mark(&open, &personal, &here).map_err(|it| it.article);
        assert_eq!(leaks, Err(Article::S36));
        let closed = of_class(OpenClass::NotOpened, vec!["《统计法》".into()]);
        assert_eq!(check_opening_mark(&closed, &personal, &here), Ok(()));
        let bare = of_class(OpenClass::NotOpened, vec![]);
        assert!(check_opening_mark(&bare, &[], &here).is_err());
    }

    #[test]
    fn a_file_for_everyone_is_of_data_open_to_everyone_in_a_listed_format() {
        let of = |class, format| check_open_file(&of_class(class, vec!["依据".into()]), format);
        assert_eq!(of(OpenClass::Unconditional, OpenFormat::Csv), Ok(()));
        assert_eq!(
            of(OpenClass::Unconditional, OpenFormat::Xml),
            missing(OpeningField::Formats)
        );
        let closed = RefusalReason::NotOpened.under(Article::S24);
        assert_eq!(of(OpenClass::NotOpened, OpenFormat::Csv), Err(closed));
        let restricted = RefusalReason::NotOpenToEveryone.under(Article::S25);
        assert_eq!(
            of(OpenClass::OnApplication, OpenFormat::Csv),
            Err(restricted)
        );
    }

    #[test]
    fn only_what_is_opened_on_application_is_applied_for_and_says_what_for() {
        let duty = check_may_apply_for_opening(OpenClass::OnApplication);
        assert_eq!(duty, Ok(Duty::ReplyOpening));
        let needless = RefusalReason::NoApplicationNeeded.under(Article::S25);
        assert_eq!(
            check_may_apply_for_opening(OpenClass::Unconditional),
            Err(needless)
        );
        assert!(check_may_apply_for_opening(OpenClass::NotOpened).is_err());
        assert_eq!(
            check_opening_application(false),
            missing(OpeningField::Wanted)
        );
        assert_eq!(check_opening_application(true), Ok(()));
    }

    #[test]
    fn secrets_are_never_opened_and_what_is_protected_never_to_everyone() {
        for class in OpenClass::ALL.iter().copied() {
            let secret = Err(RefusalReason::StateSecret.under(Article::R3));
            assert_eq!(may_open(class, Secrecy::StateSecret, &[]), secret);
            let work = Err(RefusalReason::WorkSecret.under(Article::R3));
            assert_eq!(may_open(class, Secrecy::WorkSecret, &[]), work);
            let not_opened = Err(RefusalReason::NotOpened.under(Article::S24));
            let protected = RefusalReason::ProtectedContentOpened {
                contains: ProtectedContent::ALL.to_vec(),
            };
            let (plain, with_protected) = match class {
                OpenClass::Unconditional => (Ok(()), Err(protected.under(Article::S36))),
                OpenClass::OnApplication => (Ok(()), Ok(())),
                OpenClass::NotOpened => (not_opened.clone(), not_opened),
            };
            assert_eq!(may_open(class, Secrecy::NotSecret, &[]), plain);
            let contains = ProtectedContent::ALL;
            assert_eq!(
                may_open(class, Secrecy::NotSecret, contains),
                with_protected
            );
        }
    }
}
