//! Who may order, report, judge, circulate and escalate, and what follows.

use identity::Path;
use statute::{Article, Liable, Refusal, RefusalReason, Supervisor};

use super::{
    About, Accused, MAX_CIRCULATED, MAX_CIRCULATED_TO, MAX_REJECTED, Order, SupervisionAct,
    SupervisionEvent, SupervisionPhase, SupervisionState,
};
use crate::act::{ActBody, VerifiedAct, at_most};
use crate::clock::{ClockEvent, Lapse, Term};
use crate::docket::{Case, DocketId, DocketState, Opening, Step};

/// R39 to R41: what an order brings about at the node of whoever orders.
///
/// # Errors
/// The [`Refusal`] of the rule that does not let it pass.
pub fn open(
    act: &VerifiedAct,
    order: &Order,
    opening: &Opening<'_>,
) -> Result<SupervisionEvent, Refusal> {
    let supervisor = Supervisor::of_role(act.doer().role);
    let article = order.liable().article();
    entitled(act, order, (opening.here, supervisor))?;
    // An order is given at home: another node's person has no docket to open here.
    if opening.from != opening.here {
        return Err(RefusalReason::NotTheSupervisor {
            orderer: opening.from.to_string(),
            of: order.against.node().to_string(),
        }
        .under(article));
    }
    let as_whom = liable(&order.against, opening.about);
    statute::check_breach_article(&as_whom, order.breach)?;
    if let Some(about) = &order.about {
        follows_from_lapse(order, about, opening)?;
    }
    stated([order.facts.as_str(), &order.measures], article)?;
    let times = (opening.now.as_millis(), order.correct_by.as_millis());
    statute::check_correction_date(times, opening.law.calendar, opening.law.profile, article)?;
    Ok(SupervisionEvent::Ordered {
        act: act.signed().clone(),
        by: opening.here.clone(),
        supervisor,
        order: order.clone(),
        term: Term::fixed(opening.now, order.correct_by),
    })
}

/// R39, R40: the same-level authority over a department; R41: its government or a superior over an authority.
fn entitled(
    act: &VerifiedAct,
    order: &Order,
    (here, supervisor): (&Path, Supervisor),
) -> Result<(), Refusal> {
    match &order.against {
        Accused::Department(party) => {
            let own_case = act.doer().department == party.department;
            let article = order.liable().article();
            statute::check_orders_department(here, &party.node, own_case, article)
        }
        Accused::Authority(node) => {
            statute::check_orders_authority((here, supervisor), node, Path::is_ancestor_of)
        }
    }
}

/// As what the accused answers: what a department was in the application that it is about, else either.
fn liable(against: &Accused, about: Option<&DocketState>) -> Vec<Liable> {
    let party = match against {
        Accused::Authority(_) => return vec![Liable::Authority],
        Accused::Department(party) => party,
    };
    let sides = |provider: &crate::dispute::Party, requester: &crate::dispute::Party| {
        [
            (provider == party, Liable::Provider),
            (requester == party, Liable::Requester),
        ]
    };
    let known = match about.map(|state| &state.case) {
        Some(Case::Application(state)) => sides(&state.provider, &state.requester),
        Some(Case::Correction(state)) => sides(&state.provider, &state.requester),
        Some(Case::Need(state)) => [
            (state.matched() == Some(party), Liable::Provider),
            (state.department == *party, Liable::Requester),
        ],
        Some(Case::Update(state)) => [
            (state.provider == *party, Liable::Provider),
            (false, Liable::Requester),
        ],
        Some(Case::OpenData(state)) => [
            (state.provider == *party, Liable::Provider),
            (false, Liable::Requester),
        ],
        // No other docket has two sides of an application.
        Some(_) | None => [(true, Liable::Provider), (true, Liable::Requester)],
    };
    let kinds: Vec<Liable> = known
        .into_iter()
        .filter_map(|(was, kind)| was.then_some(kind))
        .collect();
    if kinds.is_empty() {
        vec![Liable::Provider, Liable::Requester]
    } else {
        kinds
    }
}

/// The lapse is on record, it is the accused's, and no breach was found in it yet. A docket that is not held here can be named only where the
/// accused is a subordinate authority, which holds it.
fn follows_from_lapse(order: &Order, about: &About, opening: &Opening<'_>) -> Result<(), Refusal> {
    let article = order.liable().article();
    let Some(state) = opening.about else {
        if order.against.node() != opening.here {
            return Ok(());
        }
        let docket = about.docket.to_string();
        return Err(RefusalReason::UnknownDocket { docket }.under(article));
    };
    match lapse(order, about, state) {
        None => Err(wrong_state("overdue", "none", article)),
        Some(Lapse {
            order: Some(order), ..
        }) => Err(RefusalReason::Duplicate {
            what: order.to_string(),
        }
        .under(article)),
        Some(Lapse { order: None, .. }) => Ok(()),
    }
}

fn lapse<'a>(order: &Order, about: &About, state: &'a DocketState) -> Option<&'a Lapse> {
    let debtor = order.against.debtor();
    state
        .clock
        .lapses
        .iter()
        .find(|it| it.duty == about.duty && it.arises == about.arises && it.who == debtor)
}

/// What an order writes into the docket that its lapse is in, at that docket's home; nothing where there is no such lapse, or a breach was found in
/// it before.
pub fn finds_breach(order: &Order, docket: DocketId, state: &DocketState) -> Option<ClockEvent> {
    let about = order.about.as_ref()?;
    let lapse = lapse(order, about, state)?;
    lapse.order.is_none().then_some(ClockEvent::BreachFound {
        duty: about.duty,
        arises: about.arises,
        article: order.breach,
        order: docket,
    })
}

/// What a person's act brings about in an order's docket.
pub(super) fn step(
    state: &SupervisionState,
    act: &VerifiedAct,
    step: &Step<'_>,
) -> Result<Vec<SupervisionEvent>, Refusal> {
    let article = state.order.liable().article();
    let ActBody::Supervision(done) = &act.act().body else {
        return Err(wrong_state("another docket", state.phase.name(), article));
    };
    let signed = act.signed().clone();
    let event = match done {
        SupervisionAct::Order(_) => {
            return Err(wrong_state("another docket", state.phase.name(), article));
        }
        SupervisionAct::Report { done, .. } => {
            reports(state, act)?;
            stated([done.as_str()], article)?;
            let done = done.clone();
            SupervisionEvent::Reported { act: signed, done }
        }
        SupervisionAct::Accept { .. } => {
            ordered_it(state, act)?;
            reported(state)?;
            SupervisionEvent::Accepted { act: signed }
        }
        SupervisionAct::Reject {
            reasons,
            correct_by,
            ..
        } => {
            ordered_it(state, act)?;
            reported(state)?;
            stated([reasons.as_str()], article)?;
            let times = (step.now.as_millis(), correct_by.as_millis());
            let law = step.law;
            statute::check_correction_date(times, law.calendar, law.profile, article)?;
            at_most(state.rejected as usize + 1, MAX_REJECTED, article)?;
            SupervisionEvent::Rejected {
                act: signed,
                reasons: reasons.clone(),
                term: Term::fixed(step.now, *correct_by),
            }
        }
        SupervisionAct::Circulate { text, to, .. } => {
            circulates(state, act, text, to)?;
            SupervisionEvent::Circulated {
                act: signed,
                text: text.clone(),
                to: to.clone(),
            }
        }
        SupervisionAct::Escalate {
            ground, reasons, ..
        } => {
            ordered_it(state, act)?;
            still_open(state)?;
            stated([reasons.as_str()], article)?;
            let uncorrected = state.rejected > 0 || !step.clock.lapses.is_empty();
            statute::check_escalation(*ground, uncorrected, article)?;
            SupervisionEvent::Escalated {
                act: signed,
                ground: *ground,
                reasons: reasons.clone(),
            }
        }
    };
    Ok(vec![event])
}

/// The accused itself reports, while the order stands: also after its date.
fn reports(state: &SupervisionState, act: &VerifiedAct) -> Result<(), Refusal> {
    let liable = state.order.liable();
    if !state.order.against.includes(act.doer()) {
        return Err(RefusalReason::NotYourDepartment.under(liable.article()));
    }
    statute::check_reports(act.doer().role, liable)?;
    match &state.phase {
        SupervisionPhase::Ordered { .. } => Ok(()),
        SupervisionPhase::Reported { .. }
        | SupervisionPhase::Closed
        | SupervisionPhase::Escalated { .. } => {
            Err(wrong_state("ordered", state.phase.name(), liable.article()))
        }
    }
}

/// Who judges and escalates is who ordered: the authority or the government of the same place, in a role that could have ordered.
fn ordered_it(state: &SupervisionState, act: &VerifiedAct) -> Result<(), Refusal> {
    let doer = act.doer();
    statute::may_under(
        doer.role,
        state.order.kind(),
        state.order.liable().article(),
    )?;
    if doer.node == state.by.code() && Supervisor::of_role(doer.role) == state.supervisor {
        return entitled(act, &state.order, (&state.by, state.supervisor));
    }
    Err(RefusalReason::NotTheSupervisor {
        orderer: doer.node.to_string(),
        of: state.order.against.node().to_string(),
    }
    .under(state.order.liable().article()))
}

/// R29: the authority that supervises circulates a notice within its jurisdiction; what is against itself is not its own to circulate.
fn circulates(
    state: &SupervisionState,
    act: &VerifiedAct,
    text: &str,
    to: &[Path],
) -> Result<(), Refusal> {
    let doer = act.doer();
    let own_case = match &state.order.against {
        Accused::Authority(node) => node.code() == doer.node,
        Accused::Department(party) => party.department == doer.department,
    };
    if doer.node != state.by.code() || own_case {
        return Err(RefusalReason::NotTheSupervisor {
            orderer: doer.node.to_string(),
            of: state.order.against.node().to_string(),
        }
        .under(Article::R29));
    }
    stated([text], Article::R29)?;
    at_most(to.len(), MAX_CIRCULATED_TO, Article::R29)?;
    at_most(state.circulated as usize + 1, MAX_CIRCULATED, Article::R29)?;
    statute::check_circulates_to(&state.by, to, Path::is_ancestor_of)
}

fn reported(state: &SupervisionState) -> Result<(), Refusal> {
    match &state.phase {
        SupervisionPhase::Reported { .. } => Ok(()),
        SupervisionPhase::Ordered { .. }
        | SupervisionPhase::Closed
        | SupervisionPhase::Escalated { .. } => {
            let article = state.order.liable().article();
            Err(wrong_state("reported", state.phase.name(), article))
        }
    }
}

fn still_open(state: &SupervisionState) -> Result<(), Refusal> {
    match &state.phase {
        SupervisionPhase::Ordered { .. } | SupervisionPhase::Reported { .. } => Ok(()),
        SupervisionPhase::Closed | SupervisionPhase::Escalated { .. } => {
            let article = state.order.liable().article();
            Err(wrong_state(
                "ordered or reported",
                state.phase.name(),
                article,
            ))
        }
    }
}

/// What is said is said: facts, measures, reasons.
fn stated<'a>(texts: impl IntoIterator<Item = &'a str>, article: Article) -> Result<(), Refusal> {
    if texts.into_iter().any(|text| text.trim().is_empty()) {
        return Err(RefusalReason::ReasonsRequired.under(article));
    }
    Ok(())
}

fn wrong_state(expected: &str, found: &str, article: Article) -> Refusal {
    RefusalReason::WrongState {
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
    .under(article)
}
