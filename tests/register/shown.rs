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
        tests: &["secrets_are_not_entered", "each_step_belongs_to_its_role_department_and_node"],
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
        row: "A1",
        rules: &["statute::completeness::missing_materials", "sharing::application::rules::consent_to_apply"],
        tests: &["the_consent_is_to_this_very_document_and_of_the_same_department", "a_county_applies_to_a_ministry_is_granted_and_holds_the_file", "a_county_applies_across_provinces_is_answered_and_granted"],
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
        tests: &["each_level_receives_exactly_its_own_rows_and_the_hub_carries_what_it_cannot_read", "there_is_no_field_in_which_a_condition_could_be_put", "a_wrong_count_at_the_source_is_found_before_anything_is_sent"],
        commands: &["return-flow subscribe", "return-flow publish", "return-flow verify"],
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
        tests: &["a_failed_negotiation_goes_by_itself_to_the_hub_which_coordinates_and_the_government_decides", "an_authority_that_is_a_party_passes_its_case_on_and_the_next_above_hears_it", "a_case_of_the_national_authority_is_the_state_councils_to_decide"],
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
        tests: &["a_use_is_recorded_whole_by_the_requester_within_the_period", "retention_is_three_years_at_least_and_only_grows"],
        commands: &["reply use"],
    },
    Shown {
        row: "P1",
        rules: &["identity::chain::verify", "sharing::person::enrols"],
        tests: &["the_hub_sees_every_node_and_notices_one_that_falls_silent", "a_county_applies_to_a_ministry_is_granted_and_holds_the_file"],
        commands: &["enroll approve", "enroll person"],
    },
];

/// The rows that are not shown yet, and what is lacking.
pub const OUTSTANDING: &[(&str, &str)] = &[
    (
        "X3",
        "the decision is recorded; that the parties act on it is not watched by the clock yet",
    ),
    (
        "F2",
        "a recipient splits its own part offline; the next level down does not subscribe at it yet",
    ),
    (
        "U2",
        "what a department could join from all its grants is not computed yet",
    ),
    (
        "V2",
        "records of use are seen by both parties; readings are not recorded yet",
    ),
    ("G1", "grades are recorded; incidents have no docket yet"),
    (
        "G2",
        "transit nodes hold ciphertext alone; readings at rest leave no trace yet",
    ),
    ("G3", "complaints have no docket yet"),
    (
        "G4",
        "assessments are required with the entry; lawful erasure is not built yet",
    ),
    ("E1", "no report to the government yet"),
    (
        "L1",
        "the terms and citations of the profile bind; what is unconditional still needs an application",
    ),
    (
        "L2",
        "the rules of opening stand in statute; no workflow uses them yet",
    ),
    (
        "L3",
        "the rules of collections stand in statute; entries do not bear the mark yet",
    ),
    ("L4", "no evaluation yet"),
    (
        "L5",
        "the profile names the coordinator; a dispute does not cite it yet",
    ),
    ("A0", "needs have no docket yet"),
    ("U1", "widening has no act yet"),
    ("D1", "disposal has no act yet"),
    ("D2", "suspension has no act yet"),
    ("D3", "ending a service has no act yet"),
    ("K1", "corrections have no docket yet"),
    ("K2", "corrections have no docket yet"),
    ("V3", "orders have no docket yet"),
    ("C4", "updates have no docket yet"),
    ("C5", "updates have no docket yet"),
    ("C6", "source departments are not named yet"),
    (
        "P2",
        "an older platform's catalogue is pulled; its services are not called yet",
    ),
];
