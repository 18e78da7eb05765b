//! What shows each obligation, and which are outstanding.

/// What shows one row.
pub struct Shown {
    /// The row.
    pub row: &'static str,
    /// The rules, as paths of functions.
    pub rules: &'static [&'static str],
    /// Tests by name.
    pub tests: &'static [&'static str],
    /// Commands, without the program's name.
    pub commands: &'static [&'static str],
}

/// The rows that are shown.
#[rustfmt::skip] // A row each, its three lists below each other.
pub const SHOWN: &[Shown] = &[
    Shown {
        row: "C1",
        rules: &["statute::completeness::check_catalogue_fields", "statute::reply::check_head_approval", "sharing::catalogue::review::check_entry"],
        tests: &["each_of_the_nine_fields_and_both_assessments_is_required", "an_entry_is_not_published_without_its_heads_approval"],
        commands: &["catalogue import", "catalogue approve"],
    },
    Shown {
        row: "C7",
        rules: &["statute::secrecy::check_not_secret"],
        tests: &["secrets_are_not_entered", "a_secret_mark_anywhere_keeps_a_new_version_out_and_what_stands_published_stands", "each_step_belongs_to_its_role_department_and_node"],
        commands: &["catalogue import"],
    },
    Shown {
        row: "C2",
        rules: &["statute::class::one_class", "statute::class::check_terms", "statute::class::may_add_condition"],
        tests: &["an_entry_with_two_classes_or_none_is_refused", "a_condition_that_is_not_catalogued_can_never_be_added", "a_grant_lies_within_the_application_and_adds_no_condition"],
        commands: &["catalogue import", "reply propose"],
    },
    Shown {
        row: "C3",
        rules: &["statute::publication::check_may_apply", "sharing::catalogue::review::decide"],
        tests: &["published_entries_climb_to_every_ancestor_and_nowhere_else", "an_unpublished_entry_cannot_be_applied_for_and_the_requester_is_told_why"],
        commands: &["catalogue submit", "catalogue review"],
    },
    Shown {
        row: "A0",
        rules: &["statute::need::check_need_stated", "statute::need::check_not_shared_already", "statute::need::check_levels_asked", "statute::need::check_department_known", "statute::need::check_matches_within", "statute::need::check_meets_published", "statute::need::check_holds_items", "statute::need::check_need_reasons"],
        tests: &["a_countys_need_is_matched_across_provinces_met_by_a_new_entry_and_confirmed", "what_a_published_entry_gives_is_applied_for_and_is_no_need", "what_another_province_shares_is_found_from_a_county_and_is_no_need", "with_the_parent_unreachable_a_need_is_reported_as_checked_so_far_as_the_levels_answered", "a_need_is_matched_to_a_department_that_there_is_and_met_by_what_holds_every_item", "an_authority_beyond_its_reach_another_role_and_another_department_are_refused", "the_department_matched_answers_for_itself_with_a_date_ahead_and_its_own_published_entry", "a_date_that_the_department_named_and_missed_is_recorded_overdue_once_at_both"],
        commands: &["need report", "need match", "need pass-on", "need answer", "need fulfil", "need confirm"],
    },
    Shown {
        row: "A1",
        rules: &["statute::completeness::missing_materials", "sharing::application::rules::consent_to_apply"],
        tests: &["the_consent_is_to_this_very_document_and_of_the_same_department", "a_county_applies_to_a_ministry_is_granted_and_holds_the_file", "a_county_applies_across_provinces_is_answered_granted_and_given_the_data", "words_about_a_period_do_not_state_it"],
        commands: &["apply draft", "apply consent"],
    },
    Shown {
        row: "A2",
        rules: &["statute::reply::check_tells_missing", "statute::reply::check_told_in_time", "statute::reply::check_may_refuse"],
        tests: &["what_is_missing_is_told_once_and_a_new_term_runs_from_the_supplement", "what_is_not_told_in_time_is_not_told_and_the_application_counts_as_complete", "an_incomplete_application_is_neither_refused_nor_granted"],
        commands: &["reply missing", "reply supplement"],
    },
    Shown {
        row: "A3",
        rules: &["statute::duty::due", "statute::duty::is_overdue", "sharing::application::grant::consent_to_reply"],
        tests: &["a_reply_in_the_last_minute_of_the_make_up_day_is_in_time", "a_reply_missed_by_a_minute_is_recorded_overdue_and_the_requester_learns_it", "a_reply_not_given_in_time_is_recorded_overdue_once"],
        commands: &["reply propose", "reply consent", "status"],
    },
    Shown {
        row: "A4",
        rules: &["statute::duty::check_reply_extension", "statute::duty::check_extended_in_time", "sharing::clock::decide::act"],
        tests: &["a_reply_is_extended_once_with_the_authoritys_consent_and_the_requester_is_told", "eleven_days_an_unasked_consent_and_a_late_request_are_refused", "without_consent_the_first_time_limit_stands", "a_default_is_justified_by_whoever_owed_and_both_sides_hold_it", "whoever_owes_is_warned_once_before_the_day"],
        commands: &["extension ask", "extension answer", "extension justify"],
    },
    Shown {
        row: "A5",
        rules: &["statute::reply::check_may_refuse", "sharing::application::grant::refusal_is_grounded"],
        tests: &["refusal_without_grounds_is_rejected", "a_refusal_states_reasons_and_basis"],
        commands: &["reply propose"],
    },
    Shown {
        row: "A6",
        rules: &["statute::duty::due", "sharing::application::grant::may_provide"],
        tests: &["data_is_provided_as_intent_and_received_as_outcome_once", "a_county_applies_to_a_ministry_is_granted_and_holds_the_file"],
        commands: &["reply provide"],
    },
    Shown {
        row: "F1",
        rules: &["statute::return_flow::check_no_condition", "sharing::return_flow::manifest::verify_part"],
        tests: &["each_level_receives_exactly_its_own_rows_and_the_hub_carries_what_it_cannot_read", "there_is_no_field_in_which_a_condition_could_be_put", "a_wrong_count_at_the_source_is_found_before_anything_is_sent", "what_no_division_claims_is_named_in_the_manifest_and_settled_by_the_source", "after_the_first_delivery_only_the_difference_moves_and_it_leads_to_the_same_root", "a_delivery_missed_is_recorded_overdue_once_at_source_and_child_and_one_in_time_is_not"],
        commands: &["return-flow subscribe", "return-flow publish", "return-flow remainder", "return-flow verify"],
    },
    Shown {
        row: "F2",
        rules: &["statute::return_flow::check_own_rows", "sharing::return_flow::manifest::pass_on"],
        tests: &["a_province_passes_on_to_its_county_and_the_county_to_its_townships_under_the_sources_root", "rows_of_another_division_are_not_to_be_had_at_any_level", "a_level_that_never_received_has_nothing_to_pass_on_and_is_overdue_for_it", "what_was_received_is_passed_on_down_to_the_village_under_the_sources_own_root"],
        commands: &["return-flow subscribe", "return-flow list"],
    },
    Shown {
        row: "X1",
        rules: &["statute::dispute::check_may_coordinate", "sharing::application::rules::negotiation_step_is_lawful"],
        tests: &["nothing_is_referred_before_negotiation_failed", "negotiation_comes_first"],
        commands: &["dispute raise", "dispute negotiate"],
    },
    Shown {
        row: "X2",
        rules: &["statute::dispute::check_hearer", "sharing::dispute::decide::hearing_place"],
        tests: &["a_failed_negotiation_goes_by_itself_to_the_hub_which_coordinates_and_the_government_decides", "an_authority_that_is_a_party_passes_its_case_on_and_the_next_above_hears_it", "a_case_of_the_national_authority_is_the_state_councils_to_decide", "the_agreed_table_of_common_superiors_holds"],
        commands: &["dispute coordinate", "dispute answer"],
    },
    Shown {
        row: "X3",
        rules: &["statute::dispute::check_may_decide", "sharing::dispute::decide::comply"],
        tests: &["one_rejection_brings_the_case_before_the_government_whose_decision_is_final", "the_parties_act_on_the_decision_and_the_clock_watches_whoever_does_not"],
        commands: &["dispute decide", "dispute comply"],
    },
    Shown {
        row: "V1",
        rules: &["statute::completeness::check_use_record", "statute::retention::check_retention"],
        tests: &["a_use_is_recorded_whole_by_the_requester_within_the_period", "a_point_left_out_and_lengths_that_are_not_the_texts_are_seen_without_the_content", "what_a_record_of_use_says_stands_in_vaults_alone_and_after_its_erasure_nowhere", "retention_is_three_years_at_least_and_only_grows"],
        commands: &["reply use"],
    },
    Shown {
        row: "P1",
        rules: &["identity::chain::verify", "sharing::person::enrols", "federation::core::people::check_enrolment"],
        tests: &["the_hub_sees_every_node_and_notices_one_that_falls_silent", "a_department_without_a_platform_is_hosted_at_its_level_and_acts_there_and_nowhere_else", "a_county_applies_to_a_ministry_is_granted_and_holds_the_file"],
        commands: &["enroll approve", "enroll person"],
    },
    Shown {
        row: "C4",
        rules: &["statute::update::check_has_happened", "statute::duty::check_update_extension", "sharing::update::decide::report"],
        tests: &["a_change_is_updated_with_more_time_reviewed_late_and_seen_at_the_hub", "a_change_to_come_and_the_change_of_another_department_are_not_reported"],
        commands: &["update report", "extension ask"],
    },
    Shown {
        row: "C5",
        rules: &["statute::duty::due", "sharing::update::decide::submitted"],
        tests: &["a_change_is_updated_with_more_time_reviewed_late_and_seen_at_the_hub", "an_ordinary_new_version_has_its_review_watched_and_a_first_version_has_not"],
        commands: &["catalogue review", "catalogue history"],
    },
    Shown {
        row: "C6",
        rules: &["sharing::source::name", "sharing::source::coverage"],
        tests: &["a_source_department_is_known_above_and_found_with_what_it_shares", "nobody_names_a_source_department_elsewhere_or_without_the_office", "what_another_province_shares_is_found_from_a_county_and_is_no_need"],
        commands: &["catalogue name-source", "catalogue sources", "catalogue already"],
    },
    Shown {
        row: "U1",
        rules: &["statute::purpose::check_scope", "statute::purpose::check_purpose", "statute::purpose::check_recipient", "statute::purpose::check_granted_purpose", "statute::purpose::check_granted_period"],
        tests: &["wider_use_and_passing_on_need_the_consent_of_the_providers_sharing_office", "use_beyond_scope_or_purpose_is_refused_under_article_25", "a_grant_goes_beyond_neither_the_period_nor_the_purpose_applied_for", "a_use_that_the_catalogue_does_not_list_is_applied_for_and_granted_only_as_one_that_it_lists"],
        commands: &["grant widen", "grant answer"],
    },
    Shown {
        row: "K1",
        rules: &["statute::correction::check_may_ask_correction", "statute::correction::check_correction_stated"],
        tests: &["one_holder_asks_the_provider_corrects_and_both_holders_learn_of_it", "who_holds_nothing_learns_nothing_and_cannot_ask"],
        commands: &["correction ask", "reply use"],
    },
    Shown {
        row: "K2",
        rules: &["statute::correction::check_correction_answer", "sharing::correction::told_to"],
        tests: &["one_holder_asks_the_provider_corrects_and_both_holders_learn_of_it", "a_request_not_answered_in_ten_working_days_is_recorded_overdue_once", "an_upheld_record_needs_reasons_and_tells_the_asker_alone"],
        commands: &["correction answer", "correction list"],
    },
    Shown {
        row: "D1",
        rules: &["statute::standing::check_may_use", "statute::standing::check_date_set"],
        tests: &["the_certificate_of_disposal_is_seen_at_the_provider_and_the_data_is_used_no_more", "a_disposal_not_made_by_the_date_set_is_overdue_at_both_once_and_nobody_else_certifies_it"],
        commands: &["grant require-disposal", "grant dispose"],
    },
    Shown {
        row: "D2",
        rules: &["statute::standing::check_may_provide", "statute::standing::check_may_terminate", "statute::standing::check_may_restore"],
        tests: &["a_suspended_grant_opens_no_circuit_and_ends_only_after_rectification_failed", "access_restored_without_a_report_needs_reasons_and_counts_as_no_rectification", "whoever_is_suspended_is_shown_the_article_the_reasons_and_the_date"],
        commands: &["grant suspend", "grant rectified", "grant restore", "grant terminate"],
    },
    Shown {
        row: "D3",
        rules: &["statute::service_change::check_service_change"],
        tests: &["a_service_ends_only_after_negotiation_and_filing", "a_service_changes_only_after_negotiation_and_filing"],
        commands: &["grant propose-change", "grant answer-change", "grant file-change", "grant carry-out"],
    },
    Shown {
        row: "V3",
        rules: &["statute::supervision::check_breach_article", "statute::supervision::check_orders_department", "statute::supervision::check_orders_authority", "statute::supervision::check_circulates_to"],
        tests: &["an_overdue_reply_is_seen_by_the_authority_which_orders_its_correction_and_accepts_the_report", "an_authoritys_default_is_told_above_and_the_superior_orders_it_with_a_copy_at_both", "another_level_another_kind_and_a_lapse_that_is_not_there_are_refused", "a_notice_is_shown_at_the_places_it_names_below_and_nowhere_else", "whoever_may_not_order_a_requester_is_refused_under_article_40"],
        commands: &["supervise order", "supervise report", "supervise accept", "supervise circulate", "supervise escalate"],
    },
    Shown {
        row: "L1",
        rules: &["statute::class::check_may_take_directly", "statute::profile::Profile::check_refusal_cites_law", "sharing::application::direct::take", "sharing::application::direct::place"],
        tests: &["unconditional_data_of_shenyang_is_taken_straight_from_the_platform", "what_the_national_rules_share_is_applied_for", "data_is_placed_by_its_own_department_in_the_version_that_stands", "a_county_of_shenyang_has_five_working_days_for_a_conditional_entry", "what_is_applied_for_first_is_not_placed_on_the_platform"],
        commands: &["apply take", "catalogue place"],
    },
    Shown {
        row: "L3",
        rules: &["statute::collection::check_collection", "sharing::catalogue::review::check_marked"],
        tests: &["base_items_of_shenyang_are_shared_unconditionally_and_found_by_their_collection", "a_base_item_that_is_not_unconditional_is_refused_under_article_19_of_shenyang", "a_published_base_item_stays_unconditional_and_what_is_none_keeps_its_class"],
        commands: &["catalogue import", "catalogue list"],
    },
    Shown {
        row: "L5",
        rules: &["statute::profile::Profile::coordination", "statute::dispute::check_hearer"],
        tests: &["the_authority_of_shenyang_coordinates_under_its_own_article_too", "beyond_the_city_the_common_superior_coordinates_and_cites_no_article_of_the_city"],
        commands: &["dispute coordinate", "docket show"],
    },
    Shown {
        row: "G1",
        rules: &["statute::incident::told_at_every_level", "statute::incident::check_grade_stated", "statute::incident::check_answers_for_it", "statute::incident::check_may_close", "statute::standing::check_may_provide", "statute::deadline::resumed", "statute::incident::check_cut_off"],
        tests: &["an_incident_is_seen_by_the_superior_and_a_major_one_up_to_the_hub_which_instructs", "grants_are_suspended_by_one_act_where_the_data_is_provided_and_the_requester_sees_why", "grants_not_provided_here_an_unknown_docket_and_the_wrong_role_suspend_nothing", "a_node_that_is_cut_off_neither_links_nor_sends_and_every_level_learns_of_it", "rotated_keys_are_recorded_once_the_new_certificate_is_in_force", "no_grade_is_understated_and_nothing_is_closed_before_plan_and_measure", "a_grant_that_is_not_provided_yet_is_suspended_in_an_incident_and_its_time_rests", "a_node_that_was_cut_off_goes_on_with_what_its_own_departments_and_its_public_are_owed", "what_must_leave_a_node_that_was_cut_off_is_refused_and_what_it_published_goes_up_later"],
        commands: &["incident report", "incident start-plan", "incident contain suspend", "incident contain cut-off", "incident contain rotated", "incident acknowledge", "incident close", "incident list"],
    },
    Shown {
        row: "V2",
        rules: &["statute::retention::check_may_read", "statute::retention::check_orders_reading", "sharing::reading::reader_of"],
        tests: &["those_whom_the_law_names_read_on_record_and_others_are_refused", "a_superior_reads_on_a_recorded_order_by_the_reader_it_names_and_the_keeper_sees_it", "a_sibling_and_an_order_without_reason_are_refused_and_so_is_one_about_another_docket", "no_view_of_any_docket_at_any_node_says_what_a_record_of_use_says", "nobody_gets_a_content_by_naming_its_commitment_in_a_docket_of_their_own", "the_api_gives_records_of_use_and_files_to_those_alone_who_are_on_record_as_their_readers"],
        commands: &["reading uses", "reading order", "reading inspections", "reading list"],
    },
    Shown {
        row: "P2",
        rules: &["node::platform::translation::translate", "node::platform::plan::plan", "federation::core::calls::authorise_call", "statute::sharing_method::check_method"],
        tests: &["what_is_added_changed_and_deleted_is_taken_over_and_a_second_pull_changes_nothing", "a_pulled_platforms_service_is_called_and_the_platform_is_not_changed", "a_service_is_called_six_hops_away_and_both_ends_have_the_same_receipt_on_record", "under_a_grant_of_some_items_nothing_else_leaves_the_providers_node"],
        commands: &["platform check", "platform pull", "platform services", "service list", "service call"],
    },
    Shown {
        row: "G4",
        rules: &["statute::completeness::check_catalogue_fields", "statute::retention::check_may_erase", "sharing::erasure::act", "sharing::private::check_complete"],
        tests: &["each_of_the_nine_fields_and_both_assessments_is_required", "what_was_said_is_read_at_both_nodes_then_erased_at_both_and_the_ledger_still_verifies", "nothing_is_erased_before_its_last_day_of_keeping_nor_by_anyone_else", "after_an_erasure_nothing_of_what_was_said_is_left_in_any_file_of_any_node", "evidence_shows_what_was_said_and_after_the_erasure_that_it_was_lawfully_erased"],
        commands: &["catalogue import", "erase docket", "erase list", "evidence export", "evidence verify"],
    },
    Shown {
        row: "L2",
        rules: &["statute::opening::check_opening_mark", "statute::opening::check_open_file", "statute::opening::check_may_apply_for_opening", "statute::opening::check_opening_refusal", "statute::opening::check_opening_reply_form"],
        tests: &["what_a_district_opens_stands_in_the_citys_opening_catalogue_with_its_file", "data_is_opened_only_where_local_rules_open_it_and_leaks_nothing", "an_applicant_without_a_key_is_answered_and_reads_it_by_the_receipt_alone", "a_reply_in_the_last_minute_is_in_time_and_one_a_minute_late_is_recorded_overdue", "whoever_has_no_token_reads_the_opening_catalogue_and_takes_the_file"],
        commands: &["open mark", "open publish-file", "open answer", "open list"],
    },
    Shown {
        row: "G3",
        rules: &["statute::complaint::check_complaint_stated", "statute::complaint::check_complaint_answer", "statute::complaint::check_deals_with_complaint", "sharing::complaint::decide::receive"],
        tests: &["a_complaint_is_passed_up_to_the_department_concerned_which_answers_and_the_receipt_shows_it", "an_authority_complained_of_does_not_answer_and_its_superior_does", "a_term_set_by_local_rules_is_watched_to_the_minute_and_r37_alone_sets_none", "a_complaint_is_taken_without_a_token_and_shown_to_those_alone_who_deal_with_it", "what_was_written_stands_in_vaults_alone_and_after_its_erasure_nowhere"],
        commands: &["complaint list", "complaint pass-on", "complaint answer"],
    },
    Shown {
        row: "U2",
        rules: &["statute::aggregation::check_aggregation", "sharing::aggregation::exposure", "sharing::aggregation::check_risk"],
        tests: &["what_could_be_joined_is_told_when_drafting_and_seen_by_the_provider", "a_grave_risk_goes_out_only_with_the_authoritys_consent_to_this_very_risk", "what_one_entry_holds_by_itself_is_no_aggregation"],
        commands: &["aggregation show", "aggregation consent", "aggregation refuse"],
    },
    Shown {
        row: "G2",
        rules: &["federation::core::readings::program_reads", "identity::at_rest::unwrap", "identity::at_rest::open_chunk", "node::storage::key::find"],
        tests: &["whoever_carries_data_reads_none_of_it_and_a_program_reads_no_file_without_a_trace", "a_file_is_read_on_record_alone_and_no_disk_holds_it_or_what_was_said_in_clear", "no_file_of_the_data_folder_holds_a_stored_file_or_the_key_in_clear", "a_node_whose_key_is_missing_or_another_does_not_start_and_changes_nothing", "a_file_that_was_cut_extended_reordered_or_renamed_is_refused_by_name", "killed_anywhere_a_new_key_leaves_everything_readable_and_the_next_attempt_goes_on"],
        commands: &["reading list", "store seal", "store rekey"],
    },
    Shown {
        row: "E1",
        rules: &["statute::evaluation::check_period_over", "statute::evaluation::check_figures", "sharing::evaluation::open"],
        tests: &["the_figures_of_a_month_are_exactly_what_happened_in_it", "a_grant_that_ends_without_any_record_of_use_is_counted_so", "a_report_of_other_figures_or_of_a_period_that_runs_is_refused", "the_signed_report_is_seen_above_where_it_is_the_districts_row_and_the_city_publishes"],
        commands: &["evaluate month", "evaluate year", "evaluate list"],
    },
    Shown {
        row: "L4",
        rules: &["statute::evaluation::check_publishes"],
        tests: &["an_evaluation_is_published_where_local_rules_say_so_and_with_advice", "the_signed_report_is_seen_above_where_it_is_the_districts_row_and_the_city_publishes"],
        commands: &["evaluate publish"],
    },
];

/// The rows that are not shown yet, and what is lacking.
pub const OUTSTANDING: &[(&str, &str)] = &[];
