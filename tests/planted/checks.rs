//! The checks, the cheapest first. None knows which bug is planted, if any: each says what must hold, and panics where it does not.

use crate::{correction, dispute, hostile, papers, relay};

/// One check.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name, as the page gives it.
    pub name: &'static str,
    /// The seed of its world, where it is drawn from one.
    pub seed: Option<u64>,
    /// Runs it.
    run: Run,
}

#[derive(Clone, Copy)]
enum Run {
    /// Always the same.
    Fixed(fn()),
    /// Drawn from a seed.
    Seeded(fn(u64)),
}

impl Check {
    /// Panics where something does not hold.
    pub fn run(&self) {
        match (self.run, self.seed) {
            (Run::Fixed(check), _) => check(),
            (Run::Seeded(check), seed) => check(seed.unwrap_or_default()),
        }
    }
}

/// Seeds of the short runs over three hops.
const RELAY_SEEDS: std::ops::Range<u64> = 0..6;
/// Seeds of the simulation's whole story.
const STORY_SEEDS: std::ops::Range<u64> = 0..2;

/// The simulation: a short seeded run under faults, then healing, then its invariants. Whatever else runs under a seed goes in here.
fn simulation(seed: u64) {
    let faults = guantong_tests::Faults {
        crash_before_commit: 40,
        crash_after_commit: 40,
        break_link: 60,
        ..guantong_tests::Faults::default()
    };
    let world = crate::story::run(seed, faults);
    crate::invariants::of_the_honest(seed, &world);
}

macro_rules! fixed {
    ($($module:ident::$name:ident),+ $(,)?) => {
        vec![$(Check {
            name: concat!(stringify!($module), "::", stringify!($name)),
            seed: None,
            run: Run::Fixed($module::$name),
        }),+]
    };
}

/// All of them.
pub fn all() -> Vec<Check> {
    let mut checks = fixed![
        papers::streams,
        papers::sealing,
        papers::certificates,
        papers::checkpoints,
        papers::ledgers,
        papers::parts,
        papers::segments,
        hostile::an_envelope_whose_time_is_over_is_not_taken,
        hostile::an_envelope_comes_from_where_it_began,
        hostile::an_act_is_for_the_node_that_it_names,
        hostile::a_revocation_that_its_issuer_did_not_sign_is_not_believed,
        hostile::two_checkpoints_of_one_size_are_kept_as_proof,
        hostile::consent_is_to_this_very_document,
        hostile::a_grant_serves_its_holder_for_its_period,
        hostile::nobody_rewrites_a_docket_by_letter,
        hostile::a_sender_is_told_what_never_arrived,
    ];
    let seeded = |name, run: fn(u64)| {
        move |seed| Check {
            name,
            seed: Some(seed),
            run: Run::Seeded(run),
        }
    };
    checks.extend(RELAY_SEEDS.map(seeded("relay", relay::holds)));
    checks.extend(scenarios());
    checks.extend(STORY_SEEDS.map(seeded("simulation", simulation)));
    checks
}

/// Scenarios as checks. Their files are modules of this function, so that their tests do not run here a second time.
#[allow(
    unnameable_test_items,
    dead_code,
    reason = "the files are those of another test target"
)]
fn scenarios() -> Vec<Check> {
    #[path = "../scenarios/bad_input.rs"]
    mod bad_input;
    #[path = "../scenarios/both_clocks.rs"]
    mod both_clocks;
    #[path = "../scenarios/catalogue.rs"]
    mod catalogue;
    #[path = "../scenarios/erasure.rs"]
    mod erasure;
    #[path = "../scenarios/grants.rs"]
    mod grants;
    #[path = "../scenarios/membership.rs"]
    mod membership;
    #[path = "../scenarios/people.rs"]
    mod people;
    #[path = "../scenarios/sharing_application.rs"]
    mod sharing_application;
    #[path = "../scenarios/time_limits.rs"]
    mod time_limits;
    fixed![
        people::a_term_of_office_ends_on_time,
        people::an_operator_cannot_consent_in_the_heads_name,
        bad_input::an_act_for_another_node_or_by_a_stranger_is_not_authentic,
        bad_input::envelopes_out_of_place_replayed_or_forged_have_no_effect,
        bad_input::segments_with_a_gap_a_wrong_root_or_a_fork_are_refused_and_a_fork_is_proved,
        membership::a_revoked_county_is_cut_off_and_the_hub_learns_of_it,
        membership::a_rewritten_ledger_is_refused_by_its_witnesses,
        catalogue::a_withdrawal_reaches_the_hub_and_a_silent_child_withdraws_nothing,
        sharing_application::a_reply_not_given_in_time_is_recorded_overdue_once,
        sharing_application::a_proposed_reply_is_not_known_to_the_requester_before_consent,
        time_limits::a_reply_is_extended_once_with_the_authoritys_consent_and_the_requester_is_told,
        grants::a_suspended_grant_opens_no_circuit_and_ends_only_after_rectification_failed,
        dispute::an_authority_that_is_a_party_passes_its_case_on_and_the_next_above_hears_it,
        both_clocks::a_home_that_was_stopped_over_the_deadline_is_found_overdue_once_and_agrees_when_it_is_back,
        correction::one_holder_asks_the_provider_corrects_and_both_holders_learn_of_it,
        erasure::what_was_said_is_read_at_both_nodes_then_erased_at_both_and_the_ledger_still_verifies,
    ]
}
