//! Security incidents (安全事件): the plan is started at once, the harm contained, the cause removed, and the authorities above told. R34, R35.
//!
//! R35 says 按照规定 of the report and names no time: there is no time limit here. How far up a report goes is the software's reading
//! (`docs/deviations`), as is that the levels are those of GB/T 20986.

use crate::article::Article;
use crate::classification::Grade;
use crate::completeness::{RequiredField, none_missing};
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// How severe an incident is (事件级别), mildest first, as in GB/T 20986.
    pub enum Severity {
        /// General (一般).
        General = "general", "一般", "general";
        /// Larger (较大).
        Larger = "larger", "较大", "larger";
        /// Major (重大).
        Major = "major", "重大", "major";
        /// Especially major (特别重大).
        EspeciallyMajor = "especially-major", "特别重大", "especially major";
    }
}

terms! {
    /// What is stated in the course of an incident, R35.
    pub enum IncidentField {
        /// What happened.
        Happened = "happened", "事件情况", "what happened";
        /// Which plan is started (应急预案).
        Plan = "plan", "应急预案", "the plan";
        /// What is done to contain it (应急处置措施).
        Measure = "measure", "应急处置措施", "the measure";
        /// How far it has come.
        Progress = "progress", "处置进展", "progress";
        /// What the authority above instructs.
        Instructions = "instructions", "上级意见", "instructions";
        /// What caused it.
        Cause = "cause", "事件原因", "the cause";
        /// How the hidden danger was removed (消除安全隐患).
        Remedy = "remedy", "消除隐患情况", "the remedy";
        /// The report on the whole (处置报告).
        Report = "report", "处置报告", "the report";
    }
}

/// Whether every level up to the hub is told, or the next above alone: of what is major or worse, and of core data whatever the severity. Controls
/// follow the grade, R35.
#[must_use]
pub const fn told_at_every_level(severity: Severity, grade: Grade) -> bool {
    let grave = matches!(severity, Severity::Major | Severity::EspeciallyMajor);
    grave || matches!(grade, Grade::Core)
}

/// What is to be stated is stated.
///
/// # Errors
/// [`RefusalReason::MissingField`] with all that is missing, R35.
pub fn check_incident_stated(stated: &[(IncidentField, &str)]) -> Result<(), Refusal> {
    let empty = stated.iter().filter(|(_, text)| text.trim().is_empty());
    let fields = empty.map(|(field, _)| RequiredField::Incident(*field));
    none_missing(fields.collect(), Article::R35)
}

/// An incident is reported once it was noticed, by the clock of whoever reports. Instants in milliseconds since 1970-01-01T00:00Z.
///
/// # Errors
/// [`RefusalReason::NotNoticedYet`]; R35.
pub fn check_noticed(noticed_ms: i64, reported_ms: i64) -> Result<(), Refusal> {
    if noticed_ms <= reported_ms {
        return Ok(());
    }
    Err(RefusalReason::NotNoticedYet.under(Article::R35))
}

/// How far an act reaches, seen from the node where it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It concerns the node's own place and nobody else: departments hosted there, cases that it deals with itself, its own catalogue.
    OwnPlace,
    /// It must leave the node, or another node must take it.
    Beyond,
}

/// What is still done at a node that was cut off (断开): all that concerns its own place alone, for its departments owe one another and the public
/// what they owed before (R21, R22, R37). What must leave the node is refused until it is a member again. What is published at home waits and goes up then.
///
/// # Errors
/// `cut_off`, the refusal of what reaches beyond.
pub fn check_cut_off(reach: Reach, cut_off: Refusal) -> Result<(), Refusal> {
    match reach {
        Reach::OwnPlace => Ok(()),
        Reach::Beyond => Err(cut_off),
    }
}

/// The grade stated is not below that of the strictest data concerned (就高从严): what follows depends on it, R34, R35.
///
/// # Errors
/// [`RefusalReason::GradeUnderstated`]; R35.
pub fn check_grade_stated(stated: Grade, found: Grade) -> Result<(), Refusal> {
    if stated >= found || rule::is_off(Rule::Incidents) {
        return Ok(());
    }
    Err(RefusalReason::GradeUnderstated { stated, found }.under(Article::R35))
}

/// Whoever answers for the data acts: at the node where it happened its authority, or the department itself (谁管理谁负责、谁使用谁负责), R34.
///
/// # Errors
/// [`RefusalReason::NotYourDepartment`]; R34.
pub fn check_answers_for_it(
    at_its_node: bool,
    authority_or_department: bool,
) -> Result<(), Refusal> {
    if (at_its_node && authority_or_department) || rule::is_off(Rule::Incidents) {
        return Ok(());
    }
    Err(RefusalReason::NotYourDepartment.under(Article::R34))
}

/// An incident is closed after its plan was started and at least one measure taken, R35. Measures wait for nothing: harm is contained at once.
///
/// # Errors
/// [`RefusalReason::PlanNotStarted`], [`RefusalReason::NotContained`]; R35.
pub fn check_may_close(plan_started: bool, measures: u32) -> Result<(), Refusal> {
    if rule::is_off(Rule::Incidents) {
        return Ok(());
    }
    if !plan_started {
        return Err(RefusalReason::PlanNotStarted.under(Article::R35));
    }
    if measures == 0 {
        return Err(RefusalReason::NotContained.under(Article::R35));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_told_of_what_is_major_and_of_core_data() {
        let told = |severity, grade| told_at_every_level(severity, grade);
        assert!(!told(Severity::General, Grade::General));
        assert!(!told(Severity::Larger, Grade::Important));
        assert!(told(Severity::General, Grade::Core));
        assert!(told(Severity::Major, Grade::General));
        assert!(told(Severity::EspeciallyMajor, Grade::General));
    }

    #[test]
    fn the_grade_stated_is_not_below_that_of_the_data() {
        assert_eq!(check_grade_stated(Grade::Core, Grade::Important), Ok(()));
        let (stated, found) = (Grade::General, Grade::Important);
        let refused = RefusalReason::GradeUnderstated { stated, found };
        assert_eq!(
            check_grade_stated(stated, found),
            Err(refused.under(Article::R35))
        );
    }

    #[test]
    fn an_incident_is_closed_after_plan_and_measure_and_all_that_is_missing_is_named() {
        let refused = |reason: RefusalReason| Err(reason.under(Article::R35));
        assert_eq!(
            check_may_close(false, 1),
            refused(RefusalReason::PlanNotStarted)
        );
        assert_eq!(
            check_may_close(true, 0),
            refused(RefusalReason::NotContained)
        );
        assert_eq!(check_may_close(true, 1), Ok(()));
        let stated = [
            (IncidentField::Cause, " "),
            (IncidentField::Remedy, "已修补"),
            (IncidentField::Report, ""),
        ];
        let fields = [IncidentField::Cause, IncidentField::Report].map(RequiredField::Incident);
        assert_eq!(
            check_incident_stated(&stated),
            refused(RefusalReason::MissingField {
                fields: fields.to_vec()
            })
        );
    }

    #[test]
    fn nothing_is_reported_before_it_was_noticed_nor_by_whom_it_does_not_concern() {
        assert_eq!(check_noticed(5, 5), Ok(()));
        assert_eq!(
            check_noticed(6, 5),
            Err(RefusalReason::NotNoticedYet.under(Article::R35))
        );
        assert_eq!(check_answers_for_it(true, true), Ok(()));
        for (here, theirs) in [(true, false), (false, true)] {
            assert_eq!(
                check_answers_for_it(here, theirs),
                Err(RefusalReason::NotYourDepartment.under(Article::R34))
            );
        }
    }
}
