//! The law on sharing government data, as rules: one rule, one function, each with its [`Article`].
//!
//! Pure: no clock, no randomness, no files. An instant is an argument, in milliseconds since 1970-01-01T00:00Z; a day is a
//! day in Beijing. A rule answers `Ok`, or a [`Refusal`] with its article and with what to do about it. Nothing here knows
//! of keys, nodes or places in the tree.
//!
//! | Law | Module |
//! |---|---|
//! | R3 secrets | [`secrecy`] |
//! | R13, R20, R29 what must be stated | [`completeness`] |
//! | R14, R15 classes of sharing | [`class`] |
//! | R13, R35 grades | [`classification`] |
//! | R20, R21 consents, replies, reasons | [`reply`] |
//! | R20 matching supply and need | [`need`] |
//! | R17, R21, R22, R26 time limits | [`duty`], [`mod@deadline`], [`calendar`], [`notice`] |
//! | R16 publication | [`publication`] |
//! | R17 what makes an update due | [`update`] |
//! | R22 ways of sharing | [`sharing_method`] |
//! | R24 return flow | [`return_flow`] |
//! | R25 limits of use, leakage by aggregation | [`purpose`], [`aggregation`] |
//! | R26 correction | [`correction`] |
//! | R27 standing of a grant | [`standing`] |
//! | R27 ending or changing a service | [`service_change`] |
//! | R28 disputes | [`dispute`] |
//! | R29 records of use | [`retention`] |
//! | R29, R39 to R41 supervision | [`supervision`] |
//! | R34, R35 security incidents | [`incident`] |
//! | R37 complaints | [`complaint`] |
//! | R38, Shenyang S8 evaluation | [`evaluation`] |
//! | who may do what | [`role`] |
//! | the list of rules, and their switches in tests | [`mod@rule`] |
//! | local rules | [`profile`] |
//! | Shenyang S19 base data and theme data | [`collection`] |
//! | Shenyang S24 to S27 opening to the public | [`opening`] |

mod advice;
pub mod aggregation;
pub mod article;
pub mod calendar;
pub mod class;
pub mod classification;
pub mod collection;
pub mod complaint;
pub mod completeness;
pub mod correction;
pub mod deadline;
pub mod dispute;
pub mod duty;
pub mod evaluation;
pub mod incident;
pub mod instrument;
pub mod need;
pub mod notice;
pub mod obligation;
pub mod opening;
pub mod profile;
pub mod publication;
pub mod purpose;
pub mod refusal;
pub mod reply;
pub mod retention;
pub mod return_flow;
pub mod role;
pub mod rule;
pub mod schedule;
pub mod secrecy;
pub mod service_change;
pub mod sharing_method;
pub mod standing;
pub mod supervision;
mod term;
pub mod update;

pub use jiff::civil::Date;

pub use aggregation::{AggregationLevel, AggregationRules, ItemClass, RiskRule, check_aggregation};
pub use article::{Article, ArticleError};
pub use calendar::{Basis, Calendar, beijing_date, end_of_day_ms};
pub use class::{
    BasisInstrument, ClassTerms, LegalBasis, ShareClass, check_may_take_directly, check_shareable,
    check_terms, may_add_condition, one_class,
};
pub use classification::Grade;
pub use collection::{
    BaseCollection, Collection, CollectionMark, ThemeCollection, check_collection,
};
pub use complaint::{
    ComplaintField, check_complaint_answer, check_complaint_stated, check_deals_with_complaint,
};
pub use completeness::{
    ApplicationMaterial, CatalogueField, ClassField, RequiredField, UseRecordField,
    check_catalogue_fields, check_use_record, missing_catalogue_fields, missing_materials,
};
pub use correction::{
    CorrectionField, check_correction_answer, check_correction_stated, check_may_ask_correction,
};
pub use deadline::{
    Due, DutyStatus, Ground, WorkingDays, WorkingDaysError, deadline, is_due_soon, resumed,
};
pub use dispute::{
    DisputeStage, check_hearer, check_may_coordinate, check_may_decide, check_not_party,
};
pub use duty::{
    Duty, Extension, check_extended_in_time, check_may_be_extended, check_reply_extension,
    check_update_extension, due, extend, extend_from, is_overdue,
};
pub use evaluation::{
    Dimension, EvaluationPeriod, PeriodError, check_figures, check_period_over, check_publishes,
};
pub use incident::{
    IncidentField, Reach, Severity, check_answers_for_it, check_cut_off, check_grade_stated,
    check_incident_stated, check_may_close, check_noticed, told_at_every_level,
};
pub use instrument::Instrument;
pub use need::{
    NeedField, check_department_known, check_holds_items, check_levels_asked, check_matches_within,
    check_meets_published, check_need_reasons, check_need_stated, check_not_shared_already,
};
pub use notice::{MAX_NOTICE_BYTES, NOTICE_YEARS, NoticeError, YearNotice, national_notice};
pub use opening::{
    OpenClass, OpenFormat, OpeningField, OpeningReplyForm, OpeningTerms, ProtectedContent,
    check_may_apply_for_opening, check_open_file, check_opening_application, check_opening_mark,
    check_opening_refusal, check_opening_reply_form, check_opening_terms, may_open,
};
pub use profile::{
    Citation, CitedInstrument, CoordinatedDisputes, Loosening, Profile, ProfileError, ProfileStamp,
};
pub use publication::{Publication, check_may_apply, check_published};
pub use refusal::{Refusal, RefusalReason};
pub use retention::{
    ErasureGround, Reader, RetentionYears, check_may_destroy, check_may_erase, check_may_read,
    check_orders_reading, check_retention, erasable_from, kept_until,
};
pub use return_flow::check_own_rows;
pub use role::{
    ActKind, EndReason, Enrolment, Role, check_enrolment, check_in_office, may, may_under,
    required_role,
};
pub use rule::Rule;
pub use schedule::{Schedule, ScheduleError};
pub use secrecy::{Secrecy, check_not_secret};
pub use sharing_method::{Method, UpdateFrequency};
pub use standing::{GrantStanding, check_date_set, check_may_restore, check_may_terminate};
pub use supervision::{
    EscalationGround, Liable, Supervisor, check_breach_article, check_circulates_to,
    check_correction_date, check_escalation, check_orders_authority, check_orders_department,
    check_reports,
};
pub use term::UnknownTerm;
pub use update::{ChangeCause, check_has_happened};
