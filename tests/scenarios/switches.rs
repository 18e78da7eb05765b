//! Every rule matters: with a rule switched off, the scenario of each row that it decides fails, and says why. The switches are in test builds alone.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::catch_unwind;

use statute::obligation::OBLIGATIONS;
use statute::rule::{Rule, without};

use crate::rows::SCENARIOS;

/// A scenario of a row that fails without a rule.
struct Case {
    row: &'static str,
    rule: Rule,
    name: &'static str,
    scenario: fn(),
    /// What the failing assertion says: the unlawful twin passed, and nothing else broke.
    says: &'static str,
}

macro_rules! cases {
    ($($row:ident, $rule:ident, $file:ident::$name:ident, $says:literal;)+) => {
        &[$(Case {
            row: stringify!($row),
            rule: Rule::$rule,
            name: stringify!($name),
            scenario: crate::$file::$name,
            says: $says,
        }),+]
    };
}

#[rustfmt::skip] // A case each.
const CASES: &[Case] = cases! {
    C1, Compilation, catalogue::what_r13_lists_is_stated_or_the_entry_is_not_entered, "a lawful refusal: Ok(";
    C7, Secrecy, catalogue::what_is_marked_secret_is_not_entered, "a lawful refusal: Ok(";
    C2, Conditions, replies::a_grant_sets_no_condition_that_the_catalogue_does_not_hold, "a lawful refusal: Ok(";
    C3, Publication, catalogue::a_version_that_awaits_its_review_is_not_applied_for, "opened at 210102";
    C4, Deadlines, update::an_update_that_is_not_made_in_ten_working_days_is_recorded_overdue, "ten working days are over";
    C5, Deadlines, update::a_change_is_updated_with_more_time_reviewed_late_and_seen_at_the_hub, "two working days are over";
    C6, Source, source::nobody_names_a_source_department_elsewhere_or_without_the_office, "Ok(Answer";
    A0, Matching, need::what_a_published_entry_gives_is_applied_for_and_is_no_need, "refused: DocketId(";
    A1, ConsentToApply, replies::an_application_goes_out_with_the_consent_of_its_own_office_alone, "a lawful refusal: Ok(";
    A2, ToldInTime, time_limits::what_is_missing_is_told_within_the_term_or_not_at_all, "missed by a minute";
    A2, ToldOnce, sharing_application::what_is_missing_is_told_once_and_a_new_term_runs_from_the_supplement, "once only: Ok(";
    A3, Deadlines, sharing_application::a_reply_not_given_in_time_is_recorded_overdue_once, "overdue once";
    A4, Extension, time_limits::eleven_days_an_unasked_consent_and_a_late_request_are_refused, "ExtensionTooLong";
    A5, Reasons, replies::a_refusal_without_reasons_reaches_nobody_and_one_with_reasons_the_requester, "a lawful refusal: Ok(";
    A6, Deadlines, replies::what_was_granted_and_is_not_shared_in_twenty_working_days_is_recorded_overdue, "late, as 210102 holds it";
    F1, Completeness, return_flow::a_wrong_count_at_the_source_is_found_before_anything_is_sent, "nothing is sent";
    F2, OwnRows, return_flow::rows_of_another_division_are_not_to_be_had_at_any_level, "440104 at 440000";
    U1, Use, services::a_service_is_called_for_the_granted_purpose_and_items_alone, "PurposeExceeded";
    U2, Aggregation, aggregation::a_grave_risk_goes_out_only_with_the_authoritys_consent_to_this_very_risk, "a lawful refusal: Ok(";
    K1, Correction, correction::an_upheld_record_needs_reasons_and_tells_the_asker_alone, "correction(&world, provider.node, beyond).is_none()";
    K2, CorrectionAnswer, correction::an_upheld_record_needs_reasons_and_tells_the_asker_alone, "a lawful refusal: Ok(";
    K2, Deadlines, correction::a_request_not_answered_in_ten_working_days_is_recorded_overdue_once, "overdue once";
    D1, Standing, grants::the_certificate_of_disposal_is_seen_at_the_provider_and_the_data_is_used_no_more, "GrantNotInForce { standing: Disposed }";
    D2, Standing, grants::a_suspended_grant_opens_no_circuit_and_ends_only_after_rectification_failed, "GrantNotInForce { standing: Suspended }";
    D3, ServiceChange, grants::a_service_ends_only_after_negotiation_and_filing, "no lawful refusal: Ok(";
    X1, Negotiation, dispute::the_respondent_does_not_settle_a_dispute_over_the_complainants_head, "a lawful refusal: Ok(";
    X2, Hearing, dispute::an_authority_that_is_a_party_passes_its_case_on_and_the_next_above_hears_it, "the province hears it";
    X3, Decision, dispute::a_failed_negotiation_goes_by_itself_to_the_hub_which_coordinates_and_the_government_decides, "a lawful refusal: Ok(";
    V1, UseRecord, replies::a_record_of_use_that_leaves_out_a_point_is_not_taken, "a use was taken that leaves out a point";
    V2, Reading, reading::those_whom_the_law_names_read_on_record_and_others_are_refused, "called `Result::unwrap_err()` on an `Ok` value";
    V3, Supervision, supervision::another_level_another_kind_and_a_lapse_that_is_not_there_are_refused, "called `Result::unwrap_err()` on an `Ok` value";
    P1, Neighbours, bad_input::strangers_and_wrong_certificates_are_turned_away, "a member from another place is no neighbour";
    P2, WayOfSharing, services::a_platforms_service_is_called_under_a_grant_of_service_alone, "MethodNotGranted";
    G1, Incidents, incident::no_grade_is_understated_and_nothing_is_closed_before_plan_and_measure, "called `Result::unwrap_err()` on an `Ok` value";
    G2, Trace, reading::whoever_carries_data_reads_none_of_it_and_a_program_reads_no_file_without_a_trace, "a file was read without a trace";
    G3, Complaint, complaint::an_authority_complained_of_does_not_answer_and_its_superior_does, "a lawful refusal: Ok(";
    G4, Retention, erasure::nothing_is_erased_before_its_last_day_of_keeping_nor_by_anyone_else, "a lawful refusal: Ok(";
    E1, Evaluation, evaluation::a_report_of_other_figures_or_of_a_period_that_runs_is_refused, "a lawful refusal: Ok(";
    L1, ApplicationFirst, profile::what_the_national_rules_share_is_applied_for, "a lawful refusal: Ok(";
    L2, Opening, open_data::data_is_opened_only_where_local_rules_open_it_and_leaks_nothing, "a lawful refusal: Ok(";
    L3, BaseData, profile::base_items_of_shenyang_are_shared_unconditionally_and_found_by_their_collection, "a lawful refusal: Ok(";
    L4, PublishedEvaluation, evaluation::the_signed_report_is_seen_above_where_it_is_the_districts_row_and_the_city_publishes, "a lawful refusal: Ok(";
    L5, LocalCoordination, profile::the_authority_of_shenyang_coordinates_under_its_own_article_too, "as seen at 210102";
};

/// What a panic says.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default()
}

#[test]
fn without_its_rule_the_scenario_of_each_row_fails_and_says_why() {
    let unnoticed: Vec<String> = CASES
        .iter()
        .filter_map(|case| {
            let (row, rule, name) = (case.row, case.rule, case.name);
            match catch_unwind(|| without(rule, case.scenario)) {
                Ok(()) => Some(format!("{row}: without {rule} {name} does not fail")),
                Err(panic) if said(&*panic).contains(case.says) => None,
                Err(panic) => {
                    let said = said(&*panic);
                    Some(format!("{row}: without {rule} {name} says: {said}"))
                }
            }
        })
        .collect();
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}

#[test]
fn every_row_has_a_rule_whose_scenario_is_one_of_its_own() {
    for obligation in OBLIGATIONS {
        let row = obligation.row;
        let decided = |case: &&Case| case.row == row && case.rule.rows().contains(&row);
        assert!(CASES.iter().any(|it| decided(&it)), "{row} has no case");
    }
    for case in CASES {
        let own = SCENARIOS.iter().find(|(row, _)| *row == case.row);
        let listed = own.is_some_and(|(_, names)| names.contains(&case.name));
        assert!(listed, "{} is not listed under {}", case.name, case.row);
    }
}

#[test]
fn every_rule_fails_a_scenario_of_each_of_its_rows() {
    let shown: BTreeSet<_> = CASES.iter().map(|case| (case.rule, case.row)).collect();
    let all: BTreeSet<_> = Rule::ALL
        .iter()
        .flat_map(|rule| rule.rows().iter().map(move |row| (*rule, *row)))
        .collect();
    assert_eq!(shown, all);
}
