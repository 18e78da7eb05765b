//! Refusals (拒绝): what the law does not let pass, each with its article and with what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::article::Article;
use crate::class::ShareClass;
use crate::classification::Grade;
use crate::collection::BaseCollection;
use crate::completeness::{ApplicationMaterial, RequiredField};
use crate::dispute::DisputeStage;
use crate::duty::Duty;
use crate::opening::ProtectedContent;
use crate::profile::Loosening;
use crate::role::{ActKind, Role};
use crate::sharing_method::Method;
use crate::standing::GrantStanding;
use crate::supervision::Liable;

/// A lawful refusal: expected, recorded, answered with the article and with what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Refusal {
    /// Why.
    pub reason: RefusalReason,
    /// Under which article.
    pub article: Article,
}

/// Why something is refused, in the order in which reasons win: who acts, on what, with what, when, and in which state.
///
/// Two nodes that find several reasons state the same one: the least (see [`Refusal::first`]).
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error,
)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// A local profile would loosen what the Regulation sets. The refusal is under the Regulation's article.
    #[error("profile {profile:?} under {article}: {}", .loosening.en())]
    ProfileLoosens {
        /// Id of the profile.
        profile: String,
        /// The profile's own article.
        article: Article,
        /// What it would loosen, with both values.
        loosening: Loosening,
    },
    /// The rules that hold here do not provide for opening data to the public.
    #[error("the rules that hold here do not provide for opening data to the public")]
    OpeningNotProvided,
    /// What is not shared unconditionally, or where no local profile lets it be taken, is applied for, R20.
    #[error("data of the class \"{}\" is applied for here", .class.en())]
    ApplicationRequired {
        /// The class of the entry.
        class: ShareClass,
    },
    /// A base item is shared with every department, Shenyang S19.
    #[error(
        "a base item of the collection \"{}\" is shared unconditionally, not \"{}\"", .collection.en(), .class.en()
    )]
    BaseItemNotUnconditional {
        /// The base collection.
        collection: BaseCollection,
        /// The class it states.
        class: ShareClass,
    },
    /// Data of this class is not opened, Shenyang S24.
    #[error("the data is of the class \"not opened\"")]
    NotOpened,
    /// Whoever wants data that is open to everyone takes it, Shenyang S25.
    #[error("the data is open to everyone and needs no application")]
    NoApplicationNeeded,
    /// A file for everyone of data that is not open to everyone, Shenyang S25.
    #[error("the data is opened on application only; no file of it is put before everyone")]
    NotOpenToEveryone,
    /// What is protected cannot be open to everyone, Shenyang S36.
    #[error("data that contains {} cannot be opened to everyone", list(.contains, ProtectedContent::en, ", "))]
    ProtectedContentOpened {
        /// What it contains.
        contains: Vec<ProtectedContent>,
    },
    /// The applicant asked for a reply in writing, Shenyang S26.
    #[error("the applicant asked for a reply in writing")]
    WrittenReplyRequired,
    /// Neither a government department nor an organisation authorised by law, R2.
    #[error("{party:?} is neither a government department nor an organisation authorised by law")]
    NotADepartment {
        /// Who it is.
        party: String,
    },
    /// The person's enrolment has ended or not begun.
    #[error("the person's term of office does not cover this time")]
    TermOver,
    /// The person's enrolment was ended, or that of whoever enrolled the person had ended before, R11.
    #[error("the person's enrolment here was ended, or was made under one that had ended")]
    EnrolmentEnded,
    /// The person's role does not entitle to the act.
    #[error("the role \"{}\" may not {}", .role.en(), .act.en())]
    RoleNotEntitled {
        /// The person's role.
        role: Role,
        /// The act tried.
        act: ActKind,
    },
    /// The act belongs to another department.
    #[error("the act belongs to another department")]
    NotYourDepartment,
    /// The reader is not among those who may read these records, R29.
    #[error(
        "these records may be read by the provider, the requester's authority, and a superior on a recorded order"
    )]
    NotEntitledToRead,
    /// Holiday notices are installed by the national authority alone, R8.
    #[error("a holiday notice is installed at the national hub alone")]
    NotTheNationalAuthority,
    /// Correction is asked for by whoever was provided with the data, R26.
    #[error("this department was not provided with the data whose correction it asks for")]
    NotProvidedWithData,
    /// No such docket.
    #[error("there is no docket {docket:?} here")]
    UnknownDocket {
        /// The docket asked for.
        docket: String,
    },
    /// No such department at that node, R20.
    #[error("no department {department} is known at {node}")]
    UnknownDepartment {
        /// Its credit code.
        department: String,
        /// The node named.
        node: String,
    },
    /// The grant is none under which data is provided at this node, R35.
    #[error("docket {docket:?} is no grant under which data is provided here")]
    GrantNotProvidedHere {
        /// The docket named.
        docket: String,
    },
    /// The certificate is not in force at this node, or is older than the incident, R35.
    #[error("certificate {serial} of {node} is not in force here, or is older than the incident")]
    CertificateNotInForce {
        /// The node.
        node: String,
        /// The number of the certificate.
        serial: u64,
    },
    /// This node was cut off: nothing goes out of it, and nothing is signed that another node would have to believe, R35.
    #[error("this node is cut off: {by} revoked certificate {serial} of {node}")]
    NodeCutOff {
        /// Whose certificate was revoked: this node's, or that of one above it.
        node: String,
        /// Who revoked it.
        by: String,
        /// The number of the certificate.
        serial: u64,
    },
    /// It has been done or exists already.
    #[error("{what:?} is here already")]
    Duplicate {
        /// What it is.
        what: String,
    },
    /// A change that has not happened yet makes no update due, R17.
    #[error("the change has not happened yet")]
    ChangeToCome,
    /// What was not noticed yet is not reported, R35.
    #[error("the incident is not noticed yet")]
    NotNoticedYet,
    /// The data concerned is of a stricter grade, R35.
    #[error("the data concerned is {}, not {}", .found.en(), .stated.en())]
    GradeUnderstated {
        /// The grade stated.
        stated: Grade,
        /// That of the strictest data.
        found: Grade,
    },
    /// State secrets cannot be entered, R3.
    #[error("state secrets are not government data and cannot be entered")]
    StateSecret,
    /// Work secrets cannot be entered, R3.
    #[error("work secrets are not government data and cannot be entered")]
    WorkSecret,
    /// The entry is not published, R16.
    #[error("the catalogue entry is not published")]
    EntryNotPublished,
    /// A need is put on record for what no published entry gives, R20.
    #[error("the published entry {entry} holds all the items wanted")]
    SharedAlready {
        /// The entry and its publisher.
        entry: String,
    },
    /// A need is put on record once every level above was asked, R20.
    #[error(
        "what {level} answered to a search for these items is not stated as this node heard it"
    )]
    NotLookedUp {
        /// The level above.
        level: String,
    },
    /// A need is met by what holds all the items wanted, R20.
    #[error("the entry does not hold: {}", .missing.join(", "))]
    ItemsNotHeld {
        /// Names of the items.
        missing: Vec<String>,
    },
    /// The entry is of the third class, R14.
    #[error("the catalogue entry is of the class \"not shared\"")]
    EntryNotShared,
    /// An entry states more than one class, R14.
    #[error("the entry states two classes, \"{}\" and \"{}\"", .first.en(), .second.en())]
    TwoClasses {
        /// One.
        first: ShareClass,
        /// The other.
        second: ShareClass,
    },
    /// Something that must be stated is missing: all of it is named at once.
    #[error("missing: {}", list(.fields, RequiredField::en, ", "))]
    MissingField {
        /// What is missing, in the order of the article.
        fields: Vec<RequiredField>,
    },
    /// A text or list exceeds its bound.
    #[error("{found} is more than the {limit} that are allowed")]
    TooLong {
        /// Length found.
        found: usize,
        /// Longest allowed.
        limit: usize,
    },
    /// A holiday notice that cannot be one, R8.
    #[error("this is no holiday notice: {defect}")]
    NotANotice {
        /// What is wrong with it.
        defect: String,
    },
    /// A holiday notice that was signed before the one in force for the same year, R8.
    #[error("a notice for {year} that was signed later is in force")]
    NoticeSuperseded {
        /// The year.
        year: i16,
    },
    /// A condition that the catalogue does not list, R15.
    #[error("the condition {condition:?} is not in the catalogue")]
    ConditionNotCatalogued {
        /// The condition.
        condition: String,
    },
    /// Return flow carries no condition, R24.
    #[error("return flow carries no condition, and here is one: {condition:?}")]
    ConditionOnReturnFlow {
        /// The condition.
        condition: String,
    },
    /// An incomplete application may not be refused, R21.
    #[error("an incomplete application may not be refused; missing: {}", list(.missing, ApplicationMaterial::en, ", "))]
    IncompleteMayNotBeRefused {
        /// What is missing.
        missing: Vec<ApplicationMaterial>,
    },
    /// What is missing is told once, and it has been, R21.
    #[error("what is missing has been told already, and it is told once")]
    MissingAlreadyToldOnce,
    /// What is missing is told in full or not at all, R21.
    #[error("not everything that is missing is told; left out: {}", list(.left_out, ApplicationMaterial::en, ", "))]
    MissingNotToldInFull {
        /// What was left out.
        left_out: Vec<ApplicationMaterial>,
    },
    /// A refusal carries reasons, R21.
    #[error("a refusal states its reasons")]
    ReasonsRequired,
    /// A local profile wants a refusal to cite a law, a regulation or, beside one, a rule.
    #[error("a refusal here cites a law or regulation; a rule alone does not suffice")]
    CitationRequired,
    /// A consent that the article requires is missing.
    #[error("the consent of the {} is missing", .of.en())]
    ConsentMissing {
        /// Whose consent.
        of: Role,
    },
    /// A service is ended or changed after negotiation only, R27.
    #[error("the change of the service has not been negotiated with the requester")]
    ChangeNotNegotiated,
    /// A service is ended or changed once on file with the authority, R27.
    #[error("the change of the service is not on file with the authority")]
    ChangeNotFiled,
    /// The grant is suspended, terminated, ended or used up, R27.
    #[error("the grant is not in force: {}", .standing.en())]
    GrantNotInForce {
        /// Where it stands.
        standing: GrantStanding,
    },
    /// Rectification may still be made, R27.
    #[error("the date for rectification is not over and no rectification has been reported")]
    RectificationOpen,
    /// A date that a person sets lies ahead and within bounds, R27.
    #[error("the date set to {} is past or too far off", .duty.en())]
    DateOutOfBounds {
        /// For which duty.
        duty: Duty,
    },
    /// Data is shared in the way that was granted, R22.
    #[error("shared by {}, not by {}", .granted.en(), .asked.en())]
    MethodNotGranted {
        /// The way granted.
        granted: Method,
        /// The way tried.
        asked: Method,
    },
    /// Use beyond the granted scope, R25.
    #[error("{asked:?} is beyond the granted scope")]
    ScopeExceeded {
        /// What was asked or done.
        asked: String,
    },
    /// Use for another purpose, R25.
    #[error("{asked:?} is not among the granted purposes")]
    PurposeExceeded {
        /// The purpose.
        asked: String,
    },
    /// What the department could join is a grave risk, and the authority has not consented to it, R25.
    #[error(
        "what could be joined with what was granted before has the risk {score}: the authority's consent is needed"
    )]
    AggregationConsentRequired {
        /// The sum of the weights of the rules that are hit.
        score: u32,
    },
    /// Shared data passed on, R25.
    #[error("shared data may not be passed on to a third party without the provider's consent")]
    ThirdParty,
    /// The granted period is over.
    #[error("the granted period ended on {ended}")]
    PeriodExpired {
        /// Its last day, as YYYY-MM-DD.
        ended: String,
    },
    /// A grant beyond the period applied for, R20.
    #[error("the grant would run beyond the period applied for, which ends on {asked}")]
    PeriodExceeded {
        /// Its last day, as YYYY-MM-DD.
        asked: String,
    },
    /// What the law lets nobody extend.
    #[error("the time limit to {} cannot be extended", .duty.en())]
    NotExtensible {
        /// The duty.
        duty: Duty,
    },
    /// The time limit is over, R17, R21.
    #[error("the time limit to {} is over", .duty.en())]
    TimeLimitPassed {
        /// The duty.
        duty: Duty,
    },
    /// One extension only, R21, R17.
    #[error("the time limit has been extended once already")]
    ExtensionAlreadyUsed,
    /// An extension beyond the article's limit, R21, R17.
    #[error("an extension of {asked} working days is more than the {limit} allowed")]
    ExtensionTooLong {
        /// Working days asked for.
        asked: u16,
        /// Working days allowed.
        limit: u16,
    },
    /// Records of use are kept for longer, R29.
    #[error("records are kept {kept} years; {asked} would be shorter")]
    RetentionShortened {
        /// Years that hold now.
        kept: u16,
        /// Years asked for.
        asked: u16,
    },
    /// Records are still to be kept, R29.
    #[error("the records are kept until {until}")]
    StillRetained {
        /// Last day of keeping, as YYYY-MM-DD.
        until: String,
    },
    /// The matter is not settled, so what was said in it is still needed, PIPL 47.
    #[error("the matter is not settled yet; what was said in it is still needed")]
    StillNeeded,
    /// The docket holds no such personal content, or it was erased, PIPL 47.
    #[error("there is no such personal content, or it was lawfully erased")]
    NoSuchContent,
    /// Negotiation comes first, R28.
    #[error("the parties have not negotiated")]
    NotNegotiated,
    /// Coordination comes before decision, R28.
    #[error("coordination has not been tried; the dispute stands at \"{}\"", .stage.en())]
    CoordinationNotTried {
        /// Where the dispute stands.
        stage: DisputeStage,
    },
    /// Another authority is the common superior, R28.
    #[error("the common superior of the parties is {common_superior}, not {hearer}")]
    NotCommonSuperior {
        /// Who would hear the case.
        hearer: String,
        /// Who is to.
        common_superior: String,
    },
    /// The authority is a party to the case, R28.
    #[error("{authority} is a party to this case and cannot hear it")]
    AuthorityIsParty {
        /// The authority.
        authority: String,
    },
    /// Another one supervises there, R29, R39 to R41.
    #[error("{orderer} does not supervise {of} in this")]
    NotTheSupervisor {
        /// Who would order or circulate.
        orderer: String,
        /// Whom.
        of: String,
    },
    /// The article is no breach of whoever is accused, R39 to R41.
    #[error("{breach} is no breach of a {}", list(.of, Liable::en, " or a "))]
    NotTheirBreach {
        /// The article named.
        breach: Article,
        /// As what the accused answers.
        of: Vec<Liable>,
    },
    /// An order sets a date that lies ahead, R39 to R41.
    #[error("the date of a correction lies ahead, and on {latest} at the latest")]
    CorrectionDate {
        /// The latest day that may be set, as YYYY-MM-DD.
        latest: String,
    },
    /// Nothing shows yet that correction is refused, R39 to R41.
    #[error("nothing shows yet that the correction is refused")]
    NotRefusedYet,
    /// The plan was not started, R35.
    #[error("the plan was not started")]
    PlanNotStarted,
    /// No measure was taken, R35.
    #[error("no measure was taken to contain the incident")]
    NotContained,
    /// A period that is not over is not reported on, R38.
    #[error("the period {period} is not over; its figures are provisional")]
    PeriodNotOver {
        /// The period, as YYYY-MM or YYYY.
        period: String,
    },
    /// The figures reported are not those that the ledger gives, R38.
    #[error("these are not the figures that the node's ledger gives for the period")]
    NotTheFigures,
    /// No local rule says that an evaluation is published.
    #[error("the rules that hold here do not provide for publishing an evaluation")]
    EvaluationNotPublished,
    /// An evaluation is published with advice on what to improve, Shenyang S8.
    #[error("an evaluation is published with the advice on what to improve")]
    AdviceRequired,
    /// The case is in another state.
    #[error("this needs the state {expected:?}; the case is in {found:?}")]
    WrongState {
        /// State or states in which the act is possible.
        expected: String,
        /// State of the case.
        found: String,
    },
}

impl RefusalReason {
    /// The refusal for this reason under an article.
    #[must_use]
    pub fn under(self, article: Article) -> Refusal {
        Refusal {
            reason: self,
            article,
        }
    }
}

impl Refusal {
    /// The refusal that wins among several: the one whose reason is declared first.
    #[must_use]
    pub fn first(refusals: impl IntoIterator<Item = Refusal>) -> Option<Refusal> {
        refusals.into_iter().min()
    }

    /// The reason and the article, in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        format!("{}（{}）", self.reason.zh(), self.article.cite_zh())
    }

    /// The reason and the article, in English.
    #[must_use]
    pub fn en(&self) -> String {
        format!("{} ({})", self.reason, self.article.cite_en())
    }

    /// What to do about it, in Chinese.
    #[must_use]
    pub fn what_to_do_zh(&self) -> &'static str {
        self.reason.advice().0
    }

    /// What to do about it, in English.
    #[must_use]
    pub fn what_to_do_en(&self) -> &'static str {
        self.reason.advice().1
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.article)
    }
}

impl std::error::Error for Refusal {}

pub(crate) fn list<T: Copy>(items: &[T], name: fn(T) -> &'static str, separator: &str) -> String {
    items
        .iter()
        .map(|item| name(*item))
        .collect::<Vec<_>>()
        .join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_reasons_the_one_declared_first_wins() {
        let state = RefusalReason::WrongState {
            expected: "submitted".into(),
            found: "draft".into(),
        };
        let role = RefusalReason::RoleNotEntitled {
            role: Role::Operator,
            act: ActKind::Decide,
        };
        let secret = RefusalReason::StateSecret;
        let refusals = [
            state.under(Article::R20),
            secret.under(Article::R3),
            role.clone().under(Article::R28),
        ];
        assert_eq!(Refusal::first(refusals), Some(role.under(Article::R28)));
    }

    #[test]
    fn a_refusal_reads_in_both_languages_with_its_article() {
        let refusal = RefusalReason::RoleNotEntitled {
            role: Role::Operator,
            act: ActKind::ConsentToApply,
        }
        .under(Article::R20);
        assert_eq!(
            refusal.zh(),
            "角色“操作员”无权“同意提出共享申请”（《政务数据共享条例》第二十条）"
        );
        assert_eq!(
            refusal.en(),
            "the role \"operator\" may not consent to an application (Regulation on Government Data Sharing, Art. 20)"
        );
        assert_eq!(
            refusal.to_string(),
            "the role \"operator\" may not consent to an application (R20)"
        );
    }

    #[test]
    fn everything_missing_is_named_at_once() {
        let missing = vec![ApplicationMaterial::Scope, ApplicationMaterial::Period];
        let refusal = RefusalReason::IncompleteMayNotBeRefused { missing }.under(Article::R21);
        assert!(refusal.zh().contains("使用范围、使用时限"));
        assert!(refusal.en().contains("scope, period of use"));
    }
}
