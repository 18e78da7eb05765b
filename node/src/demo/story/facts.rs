//! What the nodes say: dockets of a kind, states of an application, ranks of a catalogue entry.

use federation::core::view::DocketView;
use identity::Code;
use sharing::application::ApplicationState;
use sharing::catalogue::EntryState;
use sharing::dispute::DisputeState;
use sharing::docket::{Case, DocketId};
use sharing::return_flow::SubscriptionState;

use super::super::client::CallError;
use super::super::stage::Stage;

/// An application's docket as a node knows it; nothing when it does not know it yet.
pub fn application(
    stage: &Stage,
    node: Code,
    id: DocketId,
) -> Result<Option<ApplicationState>, CallError> {
    Ok(
        docket(stage, node, id)?.and_then(|view| match view.state.case {
            Case::Application(state) => Some(*state),
            _ => None,
        }),
    )
}

/// A dispute's docket as a node knows it.
pub fn dispute(stage: &Stage, node: Code, id: DocketId) -> Result<Option<DisputeState>, CallError> {
    Ok(
        docket(stage, node, id)?.and_then(|view| match view.state.case {
            Case::Dispute(state) => Some(*state),
            _ => None,
        }),
    )
}

/// All subscriptions known at a node.
pub fn subscriptions(
    stage: &Stage,
    node: Code,
) -> Result<Vec<(DocketId, SubscriptionState)>, CallError> {
    let all = stage
        .dockets(node)?
        .into_iter()
        .filter_map(|view| match view.state.case {
            Case::ReturnFlow(state) => Some((view.id, *state)),
            _ => None,
        });
    Ok(all.collect())
}

fn docket(stage: &Stage, node: Code, id: DocketId) -> Result<Option<DocketView>, CallError> {
    match stage.docket(node, id) {
        Ok(detail) => Ok(Some(detail.docket)),
        Err(CallError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How far an entry has come.
pub fn rank(state: EntryState) -> u8 {
    match state {
        EntryState::Draft => 0,
        EntryState::Approved => 1,
        EntryState::Submitted => 2,
        EntryState::Published => 3,
        EntryState::Withdrawn => 4,
    }
}
