//! Every rule matters: with a rule switched off, the scenario of its obligation fails. The switches are in test builds alone.

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use statute::rule::{Rule, without};

use crate::{
    aggregation, complaint, correction, erasure, evaluation, grants, incident, need, open_data,
    profile, reading, sharing_application, supervision, time_limits,
};

/// A scenario that fails without the rule.
const SCENARIOS: &[(Rule, fn())] = &[
    (
        Rule::Deadlines,
        sharing_application::a_reply_not_given_in_time_is_recorded_overdue_once,
    ),
    (
        Rule::Extension,
        time_limits::eleven_days_an_unasked_consent_and_a_late_request_are_refused,
    ),
    (
        Rule::ToldInTime,
        time_limits::what_is_missing_is_told_within_the_term_or_not_at_all,
    ),
    (
        Rule::Correction,
        correction::an_upheld_record_needs_reasons_and_tells_the_asker_alone,
    ),
    (
        Rule::Supervision,
        supervision::another_level_another_kind_and_a_lapse_that_is_not_there_are_refused,
    ),
    (
        Rule::Matching,
        need::what_a_published_entry_gives_is_applied_for_and_is_no_need,
    ),
    (
        Rule::Aggregation,
        aggregation::a_grave_risk_goes_out_only_with_the_authoritys_consent_to_this_very_risk,
    ),
    (
        Rule::Evaluation,
        evaluation::a_report_of_other_figures_or_of_a_period_that_runs_is_refused,
    ),
    (
        Rule::Standing,
        grants::a_suspended_grant_opens_no_circuit_and_ends_only_after_rectification_failed,
    ),
    (
        Rule::ApplicationFirst,
        profile::what_the_national_rules_share_is_applied_for,
    ),
    (
        Rule::Incidents,
        incident::no_grade_is_understated_and_nothing_is_closed_before_plan_and_measure,
    ),
    (
        Rule::Reading,
        reading::those_whom_the_law_names_read_on_record_and_others_are_refused,
    ),
    (
        Rule::Retention,
        erasure::nothing_is_erased_before_its_last_day_of_keeping_nor_by_anyone_else,
    ),
    (
        Rule::Complaint,
        complaint::an_authority_complained_of_does_not_answer_and_its_superior_does,
    ),
    (
        Rule::Opening,
        open_data::data_is_opened_only_where_local_rules_open_it_and_leaks_nothing,
    ),
];

#[test]
fn without_its_rule_each_scenario_fails() {
    for (rule, scenario) in SCENARIOS {
        let outcome = catch_unwind(|| without(*rule, scenario));
        assert!(outcome.is_err(), "without {rule} nothing is noticed");
    }
}

#[test]
fn every_rule_has_a_scenario() {
    let shown: BTreeSet<_> = SCENARIOS.iter().map(|(rule, _)| *rule).collect();
    let all: BTreeSet<_> = Rule::ALL.iter().copied().collect();
    assert_eq!(shown, all);
}
