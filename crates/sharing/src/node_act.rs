//! Acts that concern a node as a whole and no docket: the calendar by which it counts, the people who act at it.

use identity::VerifyKey;
use serde::{Deserialize, Serialize};
use statute::ActKind;

use crate::act::Deed;
use crate::docket::DocketId;
use crate::person::Ending;

/// What is done about a node itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeAct {
    /// The head of the national authority installs the State Council's holiday notice for a year (R8), at the hub alone; from there it goes
    /// down to every node. Of two notices for one year the later accepted stands. The hub accepts none that was signed before the one in
    /// force, so the later accepted is the later signed too, which is how every node below tells them apart.
    InstallCalendar {
        /// The notice as a file, read by `statute::YearNotice::parse`; at most `statute::MAX_NOTICE_BYTES`.
        text: String,
    },
    /// The head of the authority or of the department ends an enrolment before its term (R11): from then on the key signs nothing here, and
    /// neither does whoever is enrolled by it afterwards.
    EndEnrolment {
        /// The key that was enrolled.
        person: VerifyKey,
        /// Why, and from when on.
        ending: Ending,
    },
}

impl Deed for NodeAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::InstallCalendar { .. } => ActKind::InstallCalendar,
            Self::EndEnrolment { .. } => ActKind::RevokePerson,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        None
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            // Bounded in bytes by `statute::national_notice`.
            Self::InstallCalendar { .. } | Self::EndEnrolment { .. } => Vec::new(),
        }
    }
}
