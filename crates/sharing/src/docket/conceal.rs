//! What readers without the right to it are not shown: what somebody of the public wrote, which may be personal.

use super::{Case, DocketBody};
use crate::complaint::ComplaintEvent;
use crate::open_data::OpenDataEvent;
use crate::public::Intake;

impl Case {
    /// What the public asked, where the case began with that.
    pub fn intake(&self) -> Option<&Intake> {
        match self {
            Self::OpenData(state) => Some(&state.intake),
            Self::Complaint(state) => Some(&state.intake),
            Self::Application(_)
            | Self::Dispute(_)
            | Self::ReturnFlow(_)
            | Self::Update(_)
            | Self::Correction(_)
            | Self::Supervision(_)
            | Self::Need(_)
            | Self::Incident(_)
            | Self::Inspection(_)
            | Self::Evaluation(_) => None,
        }
    }

    /// Leaves what may be shown to everyone with access to the node.
    pub fn conceal(&mut self) {
        match self {
            Self::OpenData(state) => state.intake.conceal(),
            Self::Complaint(state) => state.intake.conceal(),
            Self::Application(_)
            | Self::Dispute(_)
            | Self::ReturnFlow(_)
            | Self::Update(_)
            | Self::Correction(_)
            | Self::Supervision(_)
            | Self::Need(_)
            | Self::Incident(_)
            | Self::Inspection(_)
            | Self::Evaluation(_) => {}
        }
    }
}

impl DocketBody {
    /// Leaves what may be shown to everyone with access to the node.
    pub fn conceal(&mut self) {
        match self {
            Self::OpenData(OpenDataEvent::Received { intake, .. })
            | Self::Complaint(ComplaintEvent::Received { intake, .. }) => intake.conceal(),
            Self::OpenData(OpenDataEvent::Answered { .. })
            | Self::Complaint(ComplaintEvent::PassedOn { .. } | ComplaintEvent::Answered { .. })
            | Self::Application(_)
            | Self::Dispute(_)
            | Self::ReturnFlow(_)
            | Self::Update(_)
            | Self::Correction(_)
            | Self::Supervision(_)
            | Self::Need(_)
            | Self::Incident(_)
            | Self::Inspection(_)
            | Self::Evaluation(_)
            | Self::Erasure(_)
            | Self::Clock(_) => {}
        }
    }
}
