//! Who may do what: the roles of persons and the legal acts that each role is entitled to.

use crate::article::Article;
use crate::refusal::{Refusal, RefusalReason};
use crate::term::terms;

terms! {
    /// Role (角色) in which a person signs.
    pub enum Role {
        /// Operator (操作员): prepares and carries out, consents to nothing.
        Operator = "operator", "操作员", "operator";
        /// Head of the department's sharing office (共享工作机构负责人), R11, R20.
        SharingOfficeHead = "sharing-office-head", "共享工作机构负责人", "head of the sharing office";
        /// Head of the department (部门负责人), R13.
        DepartmentHead = "department-head", "部门负责人", "head of the department";
        /// Reviewer of the competent authority (主管部门审核员), R16.
        AuthorityReviewer = "authority-reviewer", "主管部门审核员", "reviewer of the competent authority";
        /// Head of the competent authority (主管部门负责人), R8.
        AuthorityHead = "authority-head", "主管部门负责人", "head of the competent authority";
        /// The people's government of the authority's own level (本级人民政府), R28, R41.
        Government = "government", "本级人民政府", "people's government of that level";
        /// Auditor (审计): reads, does nothing else.
        Auditor = "auditor", "审计", "auditor";
    }
}

terms! {
    /// Legal act (行为): what a person does that has an effect in law, in the order of the articles.
    pub enum ActKind {
        /// Enrol a person with role and term, R11.
        EnrolPerson = "enrol-person", "登记人员", "enrol a person";
        /// End a person's enrolment, R11.
        RevokePerson = "revoke-person", "撤销人员登记", "end a person's enrolment";
        /// Install a holiday notice at the national hub, R8.
        InstallCalendar = "install-calendar", "装入节假日安排通知", "install a holiday notice";
        /// Compile a catalogue entry, R12.
        CompileEntry = "compile-entry", "编制目录", "compile a catalogue entry";
        /// Approve an entry as head of the department, R13.
        ApproveEntry = "approve-entry", "审核同意目录", "approve a catalogue entry";
        /// Submit an entry to the authority, R16.
        SubmitEntry = "submit-entry", "报送目录", "submit a catalogue entry";
        /// Review and publish, or send back, R16.
        ReviewEntry = "review-entry", "审核并发布目录", "review a catalogue entry";
        /// Update an entry, R17.
        UpdateEntry = "update-entry", "更新目录", "update a catalogue entry";
        /// Consent to five more days for an update, R17.
        ConsentToUpdateExtension =
            "consent-to-update-extension", "同意延长目录更新期限", "consent to an extension of an update";
        /// Report a change of law or of duties that makes an update due, R17.
        ReportChange = "report-change", "报告需要更新目录的变化", "report a change that makes an update due";
        /// Withdraw a published entry, R17.
        WithdrawEntry = "withdraw-entry", "撤销目录", "withdraw a catalogue entry";
        /// Name the authoritative source department (数源部门), R19.
        NameSource = "name-source", "明确数源部门", "name the source department";
        /// Put on record a need that no published entry meets, R20.
        RecordNeed = "record-need", "登记供需对接需求", "record a need";
        /// Match a need to a department that could provide, R20.
        MatchNeed = "match-need", "供需对接", "match a need";
        /// Say, for the department matched, whether and by when it provides, and with which entry, R20.
        AnswerNeed = "answer-need", "答复供需对接需求", "answer a need";
        /// Say, for the department that needs, whether the need is met, R20.
        ConfirmNeed = "confirm-need", "确认需求满足情况", "confirm whether a need is met";
        /// Withdraw one's own need, R20.
        WithdrawNeed = "withdraw-need", "撤回供需对接需求", "withdraw a need";
        /// Apply for sharing, R20.
        Apply = "apply", "提出共享申请", "apply for sharing";
        /// Consent to the application, for the requester, R20.
        ConsentToApply = "consent-to-apply", "同意提出共享申请", "consent to an application";
        /// Withdraw one's own application, R20.
        WithdrawApplication = "withdraw-application", "撤回共享申请", "withdraw an application";
        /// Tell, once, everything that is missing, R21.
        TellMissing = "tell-missing", "一次性告知补充材料", "tell what is missing";
        /// Supplement the application, R21.
        Supplement = "supplement", "补充材料", "supplement an application";
        /// Draft the reply, R21.
        ProposeReply = "propose-reply", "拟定答复", "propose a reply";
        /// Consent to the reply, for the provider, R20.
        ConsentToReply = "consent-to-reply", "同意答复", "consent to a reply";
        /// Ask for more time to reply, R21.
        ExtendReply = "extend-reply", "申请延长答复期限", "ask for an extension of the reply";
        /// Ask for more time to update the catalogue, R17.
        ExtendUpdate = "extend-update", "申请延长目录更新期限", "ask for an extension of an update";
        /// Consent to more time, for the authority, R21.
        ConsentToExtension = "consent-to-extension", "同意延长答复期限", "consent to an extension";
        /// Share the data, R22.
        Provide = "provide", "共享数据", "share the data";
        /// Subscribe to return flow, R24.
        SubscribeReturnFlow = "subscribe-return-flow", "订阅数据回流", "subscribe to return flow";
        /// Return a lower level's own rows, R24.
        ReturnData = "return-data", "回流数据", "return data";
        /// Confirm what was returned, R24.
        AcknowledgeReturn = "acknowledge-return", "确认回流数据", "acknowledge returned data";
        /// Ask to widen scope or purpose, or to pass data on, R25.
        AskWidening = "ask-widening", "申请扩大使用", "ask to widen the use";
        /// Consent to widening, for the provider, R25.
        ConsentToWidening = "consent-to-widening", "同意扩大使用", "consent to wider use";
        /// Answer, for the authority, on a risk of aggregation, R25.
        AnswerAggregation = "answer-aggregation", "审查汇聚风险", "answer on a risk of aggregation";
        /// Ask for correction, R26.
        AskCorrection = "ask-correction", "提出校核申请", "ask for correction";
        /// Verify, correct and report back, R26.
        AnswerCorrection = "answer-correction", "核实更正并反馈", "answer a request for correction";
        /// Dispose of data no longer needed, R27.
        DisposeData = "dispose-data", "处置数据", "dispose of data";
        /// Require the disposal of data by a date, for the provider, R27.
        RequireDisposal = "require-disposal", "要求处置数据", "require the disposal of data";
        /// Report that the use was rectified, R27.
        ReportRectification = "report-rectification", "报告整改情况", "report rectification";
        /// Answer, for the requester, in the negotiation on ending or changing a service, R27.
        AnswerServiceChange =
            "answer-service-change", "答复终止或者变更服务", "answer on a change of service";
        /// Suspend a requester's access, R27.
        SuspendAccess = "suspend-access", "暂停共享权限", "suspend access";
        /// Restore access after rectification, R27.
        RestoreAccess = "restore-access", "恢复共享权限", "restore access";
        /// Terminate sharing, R27.
        TerminateSharing = "terminate-sharing", "终止共享", "terminate sharing";
        /// End or change a service, R27.
        ChangeService = "change-service", "终止或者变更共享服务", "end or change a service";
        /// Take the change of a service on file, for the authority, R27.
        FileServiceChange = "file-service-change", "备案", "take a change of service on file";
        /// Raise a dispute, R28.
        RaiseDispute = "raise-dispute", "提出争议", "raise a dispute";
        /// Negotiate, R28.
        Negotiate = "negotiate", "协商", "negotiate";
        /// Coordinate, R28.
        Coordinate = "coordinate", "协调处理", "coordinate";
        /// Decide, R28.
        Decide = "decide", "决定", "decide";
        /// Report what was done to carry out a decision, R28.
        ReportCompliance = "report-compliance", "报告执行决定情况", "report compliance with a decision";
        /// Take what is shared unconditionally straight from the platform, Shenyang S20.
        TakeDirectly = "take-directly", "直接获取无条件共享数据", "take unconditional data directly";
        /// Place the data of an entry on the platform, R22.
        PlaceOnPlatform = "place-on-platform", "将数据存放于共享平台", "place data on the platform";
        /// Record the use of shared data, R29.
        RecordUse = "record-use", "记录使用情况", "record use";
        /// Read records of use, R29.
        ReadRecords = "read-records", "查阅记录", "read records";
        /// Order a reading of records by a superior, R29.
        OrderReading = "order-reading", "责成查阅记录", "order a reading of records";
        /// Circulate a notice of a breach (通报), R29.
        Circulate = "circulate", "通报", "circulate a notice of a breach";
        /// Mark an entry as opened, opened on application or not opened, S24.
        MarkOpening = "mark-opening", "标注开放类型", "mark how an entry is opened";
        /// Put a machine-readable file before everyone, S25.
        PublishOpenFile = "publish-open-file", "开放数据文件", "open a file to everyone";
        /// Answer an application for opening, S26.
        AnswerOpening = "answer-opening", "答复数据开放申请", "answer an application for opening";
        /// Certify a member of the federation, R30.
        CertifyMember = "certify-member", "签发节点证书", "certify a member";
        /// Revoke a member's certificate, R30.
        RevokeMember = "revoke-member", "撤销节点证书", "revoke a member";
        /// Report a security incident, R35.
        ReportIncident = "report-incident", "报告安全事件", "report an incident";
        /// Start the plan for an incident (启动应急预案), R35.
        StartPlan = "start-plan", "启动应急预案", "start the plan";
        /// Contain an incident (应急处置), R35.
        ContainIncident = "contain-incident", "采取应急处置措施", "contain an incident";
        /// Cut a node off to contain an incident, R35.
        CutOffNode = "cut-off-node", "断开节点", "cut a node off";
        /// Report how far an incident has come, R35.
        ReportProgress = "report-progress", "报告处置进展", "report progress on an incident";
        /// Acknowledge an incident from above and instruct, R35.
        AcknowledgeIncident = "acknowledge-incident", "签收安全事件报告", "acknowledge an incident";
        /// Close an incident, R35.
        CloseIncident = "close-incident", "办结安全事件", "close an incident";
        /// Pass a complaint on to whoever is to deal with it, R37.
        PassOnComplaint = "pass-on-complaint", "转办投诉举报", "pass a complaint on";
        /// Answer a complaint, R37.
        AnswerComplaint = "answer-complaint", "处理投诉举报", "answer a complaint";
        /// Erase personal content of a docket, PIPL 47.
        ErasePersonal = "erase-personal", "删除个人内容", "erase personal content";
        /// Report to the government, R38.
        ReportToGovernment = "report-to-government", "向本级人民政府报告", "report to the government";
        /// Publish an evaluation, for the government, Shenyang S8.
        PublishEvaluation = "publish-evaluation", "公布评估结果", "publish an evaluation";
        /// State a justification for an overdue duty, R39(4).
        Justify = "justify", "说明正当理由", "state a justification";
        /// Find a breach by a department and order its correction (责令改正), R39, R40.
        OrderCorrection = "order-correction", "责令改正", "order correction";
        /// Find a breach by an authority and order its correction, R41.
        OrderAuthority = "order-authority", "责令主管部门改正", "order an authority to correct";
        /// Report what was done on an order (整改报告), R39 to R41.
        ReportOrderDone = "report-order-done", "报告改正情况", "report a correction";
        /// Accept or reject what was reported, R39 to R41.
        JudgeRectification = "judge-rectification", "审查改正情况", "judge a correction";
        /// Recommend discipline (建议给予处分), R39 to R41.
        RecommendDiscipline = "recommend-discipline", "建议给予处分", "recommend discipline";
    }
}

terms! {
    /// Why a person's enrolment is ended before its term, R11.
    pub enum EndReason {
        /// The office ended (任期结束).
        TermEnded = "term-ended", "任期结束", "the office ended";
        /// The person went to another department or office (调离).
        Moved = "moved", "调离", "moved to another office";
        /// The key was lost (密钥遗失).
        KeyLost = "key-lost", "密钥遗失", "the key was lost";
        /// Somebody else may have the key (密钥泄露).
        KeyCompromised = "key-compromised", "密钥泄露", "the key may be in other hands";
    }
}

const OPERATOR: &[Role] = &[Role::Operator];
const SHARING_OFFICE_HEAD: &[Role] = &[Role::SharingOfficeHead];
const DEPARTMENT_HEAD: &[Role] = &[Role::DepartmentHead];
const DEPARTMENT: &[Role] = &[
    Role::Operator,
    Role::SharingOfficeHead,
    Role::DepartmentHead,
];
const DEPARTMENT_HEADS: &[Role] = &[Role::SharingOfficeHead, Role::DepartmentHead];
const HEADS: &[Role] = &[
    Role::SharingOfficeHead,
    Role::DepartmentHead,
    Role::AuthorityHead,
];
const AUTHORITY: &[Role] = &[Role::AuthorityReviewer, Role::AuthorityHead];
const AUTHORITY_HEAD: &[Role] = &[Role::AuthorityHead];
const GOVERNMENT: &[Role] = &[Role::Government];
const ENROLLERS: &[Role] = &[Role::DepartmentHead, Role::AuthorityHead];
const DISPOSAL_REQUIRERS: &[Role] = &[Role::Operator, Role::SharingOfficeHead];
const SUSPENDERS: &[Role] = &[
    Role::SharingOfficeHead,
    Role::AuthorityReviewer,
    Role::AuthorityHead,
];
const READERS: &[Role] = &[
    Role::SharingOfficeHead,
    Role::AuthorityReviewer,
    Role::AuthorityHead,
    Role::Auditor,
];
const COMPLAINT_ANSWERERS: &[Role] = &[
    Role::Operator,
    Role::SharingOfficeHead,
    Role::DepartmentHead,
    Role::AuthorityReviewer,
    Role::AuthorityHead,
    Role::Government,
];
const CHANGE_REPORTERS: &[Role] = &[Role::Operator, Role::AuthorityReviewer, Role::AuthorityHead];
const CORRECTORS_OF_AUTHORITIES: &[Role] = &[Role::Government, Role::AuthorityHead];
const SUPERVISORS: &[Role] = &[
    Role::AuthorityReviewer,
    Role::AuthorityHead,
    Role::Government,
];
/// Whoever answers for what was ordered or has happened.
const SUPERVISED: &[Role] = &[
    Role::Operator,
    Role::SharingOfficeHead,
    Role::DepartmentHead,
    Role::AuthorityReviewer,
    Role::AuthorityHead,
];

const INCIDENT_REPORTERS: &[Role] = SUPERVISED;
const INCIDENT_LEADERS: &[Role] = &[
    Role::DepartmentHead,
    Role::AuthorityReviewer,
    Role::AuthorityHead,
];

/// The roles entitled to an act, and the article that says so.
///
/// Where the Regulation names the person (R13, R20) or the body (R16, R28), only that one is entitled; where it names
/// the department alone, its operators act for it.
#[must_use]
pub const fn required_role(act: ActKind) -> (&'static [Role], Article) {
    match act {
        ActKind::EnrolPerson | ActKind::RevokePerson => (ENROLLERS, Article::R11),
        ActKind::InstallCalendar => (AUTHORITY_HEAD, Article::R8),
        ActKind::CompileEntry => (OPERATOR, Article::R12),
        ActKind::ApproveEntry => (DEPARTMENT_HEAD, Article::R13),
        ActKind::SubmitEntry => (OPERATOR, Article::R16),
        ActKind::ReviewEntry => (AUTHORITY, Article::R16),
        ActKind::UpdateEntry | ActKind::ExtendUpdate => (OPERATOR, Article::R17),
        ActKind::ConsentToUpdateExtension => (AUTHORITY, Article::R17),
        ActKind::ReportChange => (CHANGE_REPORTERS, Article::R17),
        ActKind::WithdrawEntry => (DEPARTMENT_HEAD, Article::R17),
        ActKind::NameSource => (AUTHORITY_HEAD, Article::R19),
        ActKind::RecordNeed
        | ActKind::AnswerNeed
        | ActKind::ConfirmNeed
        | ActKind::WithdrawNeed
        | ActKind::Apply
        | ActKind::WithdrawApplication => (OPERATOR, Article::R20),
        ActKind::MatchNeed => (AUTHORITY, Article::R20),
        ActKind::ConsentToApply | ActKind::ConsentToReply => (SHARING_OFFICE_HEAD, Article::R20),
        ActKind::TellMissing
        | ActKind::Supplement
        | ActKind::ProposeReply
        | ActKind::ExtendReply => (OPERATOR, Article::R21),
        ActKind::ConsentToExtension => (AUTHORITY, Article::R21),
        ActKind::TakeDirectly => (OPERATOR, Article::S20),
        ActKind::Provide | ActKind::PlaceOnPlatform => (OPERATOR, Article::R22),
        ActKind::SubscribeReturnFlow | ActKind::ReturnData | ActKind::AcknowledgeReturn => {
            (OPERATOR, Article::R24)
        }
        ActKind::AnswerAggregation => (AUTHORITY_HEAD, Article::R25),
        ActKind::AskWidening => (OPERATOR, Article::R25),
        ActKind::ConsentToWidening => (SHARING_OFFICE_HEAD, Article::R25),
        ActKind::AskCorrection | ActKind::AnswerCorrection => (OPERATOR, Article::R26),
        ActKind::DisposeData => (OPERATOR, Article::R27),
        ActKind::RequireDisposal => (DISPOSAL_REQUIRERS, Article::R27),
        ActKind::ReportRectification | ActKind::AnswerServiceChange => (DEPARTMENT, Article::R27),
        ActKind::SuspendAccess | ActKind::RestoreAccess | ActKind::TerminateSharing => {
            (SUSPENDERS, Article::R27)
        }
        ActKind::ChangeService => (DEPARTMENT_HEADS, Article::R27),
        ActKind::FileServiceChange => (AUTHORITY, Article::R27),
        ActKind::RaiseDispute | ActKind::Negotiate | ActKind::ReportCompliance => {
            (DEPARTMENT, Article::R28)
        }
        ActKind::Coordinate => (AUTHORITY, Article::R28),
        ActKind::Decide => (GOVERNMENT, Article::R28),
        ActKind::RecordUse => (OPERATOR, Article::R29),
        ActKind::ReadRecords => (READERS, Article::R29),
        ActKind::OrderReading | ActKind::Circulate => (AUTHORITY_HEAD, Article::R29),
        ActKind::CertifyMember | ActKind::RevokeMember => (AUTHORITY_HEAD, Article::R30),
        ActKind::ReportIncident | ActKind::ReportProgress => (INCIDENT_REPORTERS, Article::R35),
        ActKind::StartPlan | ActKind::CloseIncident => (INCIDENT_LEADERS, Article::R35),
        ActKind::ContainIncident | ActKind::AcknowledgeIncident => (AUTHORITY, Article::R35),
        ActKind::CutOffNode => (AUTHORITY_HEAD, Article::R35),
        ActKind::ErasePersonal => (HEADS, Article::P47),
        ActKind::MarkOpening => (DEPARTMENT_HEAD, Article::S24),
        ActKind::PublishOpenFile => (OPERATOR, Article::S25),
        ActKind::AnswerOpening => (DEPARTMENT, Article::S26),
        ActKind::PassOnComplaint => (SUPERVISORS, Article::R37),
        ActKind::AnswerComplaint => (COMPLAINT_ANSWERERS, Article::R37),
        ActKind::ReportToGovernment => (AUTHORITY_HEAD, Article::R38),
        ActKind::PublishEvaluation => (GOVERNMENT, Article::S8),
        ActKind::Justify => (DEPARTMENT, Article::R39_4),
        ActKind::OrderCorrection => (AUTHORITY, Article::R39),
        ActKind::OrderAuthority => (CORRECTORS_OF_AUTHORITIES, Article::R41),
        ActKind::ReportOrderDone => (SUPERVISED, Article::R39),
        ActKind::JudgeRectification => (SUPERVISORS, Article::R39),
        ActKind::RecommendDiscipline => (CORRECTORS_OF_AUTHORITIES, Article::R39),
    }
}

/// May a person of this role do this act?
///
/// # Errors
/// [`RefusalReason::RoleNotEntitled`] under the article that names who may.
pub fn may(role: Role, act: ActKind) -> Result<(), Refusal> {
    may_under(role, act, required_role(act).1)
}

/// As [`may`], for an act that rests on another article than others of its kind: an order to a requester rests on R40, one to a provider on R39.
///
/// # Errors
/// [`RefusalReason::RoleNotEntitled`] under `article`.
pub fn may_under(role: Role, act: ActKind, article: Article) -> Result<(), Refusal> {
    if required_role(act).0.contains(&role) {
        Ok(())
    } else {
        Err(RefusalReason::RoleNotEntitled { role, act }.under(article))
    }
}

/// A person acts in a term of office (任期): from its beginning on, and before its end. Instants are in milliseconds since
/// 1970-01-01T00:00Z.
///
/// # Errors
/// [`RefusalReason::TermOver`]; R11.
pub fn check_in_office(term_ms: &std::ops::Range<i64>, at_ms: i64) -> Result<(), Refusal> {
    if term_ms.contains(&at_ms) {
        return Ok(());
    }
    Err(RefusalReason::TermOver.under(Article::R11))
}

/// When a person was enrolled here and what has ended since. Instants are in milliseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Enrolment {
    /// When this very enrolment was put on record here, if it was.
    pub recorded_ms: Option<i64>,
    /// From when on it is ended, if it is.
    pub ended_ms: Option<i64>,
    /// From when on the first of those who enrolled the person, or enrolled them, was ended, if one was.
    pub enroller_ended_ms: Option<i64>,
}

/// An enrolment that was ended entitles to nothing from then on. One made by somebody whose own enrolment had ended never does; one that was on
/// record before stands, as an office is no one person's.
///
/// # Errors
/// [`RefusalReason::EnrolmentEnded`]; R11.
pub fn check_enrolment(enrolment: &Enrolment, at_ms: i64) -> Result<(), Refusal> {
    let over = enrolment.ended_ms.is_some_and(|end| end <= at_ms);
    let of_no_effect = enrolment.enroller_ended_ms.is_some_and(|end| {
        let recorded_before = enrolment.recorded_ms.is_some_and(|since| since < end);
        end <= at_ms && !recorded_before
    });
    if over || of_no_effect {
        return Err(RefusalReason::EnrolmentEnded.under(Article::R11));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_acts_before_or_after_the_term_of_office() {
        let acts = [9, 10, 19, 20].map(|at_ms| check_in_office(&(10..20), at_ms).is_ok());
        assert_eq!(acts, [false, true, true, false]);
    }

    #[test]
    fn an_ended_enrolment_entitles_to_nothing_and_what_was_enrolled_before_stands() {
        let holds = |recorded_ms, ended_ms, enroller_ended_ms| {
            let enrolment = Enrolment {
                recorded_ms,
                ended_ms,
                enroller_ended_ms,
            };
            check_enrolment(&enrolment, 10).is_ok()
        };
        assert!(holds(None, None, None) && holds(Some(1), Some(11), Some(11)));
        assert!(!holds(Some(1), Some(10), None));
        assert!(holds(Some(4), None, Some(5)));
        assert!(!holds(Some(5), None, Some(5)) && !holds(None, None, Some(5)));
    }

    fn entitled(act: ActKind) -> Vec<Role> {
        Role::ALL
            .iter()
            .copied()
            .filter(|role| may(*role, act).is_ok())
            .collect()
    }

    #[test]
    fn only_the_head_of_the_department_approves_an_entry() {
        assert_eq!(entitled(ActKind::ApproveEntry), [Role::DepartmentHead]);
    }

    #[test]
    fn only_heads_of_sharing_offices_consent_to_applications_and_replies() {
        assert_eq!(entitled(ActKind::ConsentToApply), [Role::SharingOfficeHead]);
        assert_eq!(entitled(ActKind::ConsentToReply), [Role::SharingOfficeHead]);
    }

    #[test]
    fn only_the_government_decides_a_dispute() {
        assert_eq!(entitled(ActKind::Decide), [Role::Government]);
        let refused = may(Role::AuthorityHead, ActKind::Decide).map_err(|refusal| refusal.article);
        assert_eq!(refused, Err(Article::R28));
    }

    #[test]
    fn an_auditor_reads_and_does_nothing_else() {
        let acts: Vec<_> = ActKind::ALL
            .iter()
            .copied()
            .filter(|act| may(Role::Auditor, *act).is_ok())
            .collect();
        assert_eq!(acts, [ActKind::ReadRecords]);
    }

    #[test]
    fn every_act_has_someone_entitled_to_it_and_every_id_is_its_own() {
        for act in ActKind::ALL {
            assert!(!required_role(*act).0.is_empty(), "nobody may {act}");
            assert_eq!(act.id().parse(), Ok(*act));
        }
    }
}
