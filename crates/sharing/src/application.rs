//! A sharing application (共享申请) and the grant that may follow: R20, R21, R22, R25, R27, R29.
//!
//! ```text
//!                    ┌── supplement ──┐
//!                    ▼                │
//! Received ──tell missing──► Incomplete
//!    │
//!    └─propose reply─► ReplyProposed ──consent──► Granted ──provide──► Providing ──received──► Provided
//!                                        │
//!                                        └──────► Refused
//! in any state after the reply: dispute raised ─► negotiating ─► settled | failed (goes to the common superior)
//! once data is at the requester's disposal: told of every correction of it (R26)
//! from Providing on: the life of the grant, see `standing`
//! ```

mod decide;
pub(crate) mod direct;
mod grant;
mod rules;
mod standing;
mod state;
#[cfg(test)]
mod tests;
mod use_record;

use identity::{CreditCode, Digest, Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{ApplicationMaterial, Method, Profile, Reader};

use crate::act::{ActId, ObjectRef, SignedAct};
use crate::aggregation::Risk;
use crate::catalogue::{EntryId, PublishedEntry};
use crate::clock::Term;
use crate::dispute::NegotiationStep;
use crate::docket::DocketId;

pub use decide::{Command, decide};
pub use direct::{DirectAct, place as check_placed};
pub(crate) use grant::object_is_named;
pub use rules::{
    consent_to_apply, entry_may_be_applied_for, reply_document, requester_states_its_need,
};
pub use standing::{
    Access, GrantAct, GrantEvent, GrantStep, MAX_GRANT_MATTERS, MAX_RECIPIENTS, ProposedChange,
    RequiredDisposal, ServiceChange, Standing, Wider,
};
pub use state::{ApplicationState, evolve};
pub use use_record::{UseRecord, UseTexts};

/// Most materials in an application or a supplement: every kind of R20 several times over.
pub const MAX_MATERIALS: usize = 64;
/// Most items named as missing at once (R21: once, so everything).
pub const MAX_MISSING: usize = 64;
/// Most uses recorded in one docket, well below [`crate::docket::MAX_DOCKET_EVENTS`] so that steps and disputes always fit.
pub const MAX_USES: u32 = 3_000;
/// Most negotiation steps in one docket, for the same reason.
pub const MAX_NEGOTIATION_STEPS: u32 = 256;
/// Most times a reply may be proposed or an object replaced in one docket, for the same reason.
pub const MAX_ATTEMPTS: u32 = 64;

/// What a requester asks for (R20).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// The requesting department.
    pub requester: CreditCode,
    /// Its name as shown.
    pub requester_name: String,
    /// The node that provides.
    pub provider_node: Path,
    /// The entry applied for.
    pub entry: EntryId,
    /// Version of the entry the requester saw.
    pub entry_version: u32,
    /// Data items wanted (names), a subset of the entry's.
    pub items: Vec<String>,
    /// What is stated, by kind (使用依据, 使用场景, 使用范围 …).
    pub materials: Vec<Material>,
    /// Until when it is to be used (使用时限), as a grant holds its period; while none is stated, it is missing (R21).
    pub until: Option<Moment>,
    /// 共享方式.
    pub method: Method,
}

/// One stated material.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Which of R20's requirements it meets.
    pub kind: ApplicationMaterial,
    /// The text.
    pub text: String,
}

/// One thing that is missing, told once (R21).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingItem {
    /// Which requirement.
    pub kind: ApplicationMaterial,
    /// What exactly is to be supplied.
    pub what: String,
}

/// The provider's reply (R21).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Granted within these terms.
    Grant {
        /// The terms of the grant.
        terms: GrantTerms,
    },
    /// Refused, with reasons and their legal basis.
    Refuse {
        /// The reasons.
        reasons: String,
        /// Their legal basis.
        basis: String,
    },
}

/// The bounds of a grant (R25): nothing beyond them is permitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantTerms {
    /// Data items granted.
    pub items: Vec<String>,
    /// Purpose, in words.
    pub purpose: String,
    /// Until when the data may be used.
    pub until: Moment,
    /// How it is shared.
    pub method: Method,
    /// Conditions of use: some of those the catalogue lists, and no others (R15).
    pub conditions: Vec<String>,
}

/// How data came to be at the requester's disposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Provision {
    /// By an act of the provider in this docket.
    Act(SignedAct),
    /// By itself, from what the provider had placed on the platform with this act, which its ledger holds.
    Placed(ActId),
}

/// Facts of one application's life, in the order its home gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::large_enum_variant,
    reason = "the opening event is large and comes once a docket"
)]
pub enum ApplicationEvent {
    /// The provider's node accepted the application; the term runs from here (R21).
    Received {
        /// The signed application.
        apply: SignedAct,
        /// The signed consent.
        consent: SignedAct,
        /// The requester's place.
        requester_node: Path,
        /// Which entry.
        entry: PublishedEntry,
        /// The time limit.
        term: Term,
        /// The law in force at the provider's node: it applies to this docket to its end, whatever the node runs under later.
        profile: Profile,
        /// What the requester could join with it, where that is a risk (R25).
        risk: Option<Risk>,
    },
    /// Taken straight from the platform: granted without application and reply (Shenyang S20).
    Taken {
        /// The signed act.
        act: SignedAct,
        /// The requester's place.
        requester_node: Path,
        /// Which entry.
        entry: PublishedEntry,
        /// The terms of the grant.
        terms: GrantTerms,
        /// The time limit to provide, where the data does not lie on the platform already.
        term: Term,
        /// The law in force at the provider's node.
        profile: Profile,
    },
    /// Everything missing was told, once (R21).
    MissingTold {
        /// The signed act.
        act: SignedAct,
        /// Everything that is missing.
        missing: Vec<MissingItem>,
    },
    /// The materials were supplemented; a new term runs.
    Supplemented {
        /// The signed act.
        act: SignedAct,
        /// What is supplied.
        materials: Vec<Material>,
        /// The period of use, where it is supplied.
        until: Option<Moment>,
        /// The time limit.
        term: Term,
    },
    /// A reply was proposed and awaits the consent of R20. Never sent to the requester.
    ReplyProposed {
        /// The signed act.
        act: SignedAct,
        /// The reply.
        reply: Reply,
    },
    /// Granted (R21); to be provided in time (R22).
    Granted {
        /// The signed consent.
        consent: SignedAct,
        /// The terms of the grant.
        terms: GrantTerms,
        /// The time limit.
        term: Term,
    },
    /// Refused with reasons (R21).
    Refused {
        /// The signed consent.
        consent: SignedAct,
        /// The reasons.
        reasons: String,
        /// Their legal basis.
        basis: String,
    },
    /// The data was put at the requester's disposal: intent.
    Providing {
        /// By whom.
        by: Provision,
        /// The object, by content.
        object: ObjectRef,
    },
    /// The requester's node received and verified all of it: outcome.
    Provided {
        /// The object, by content.
        object: ObjectRef,
        /// When, by the requester's node.
        received_at: Moment,
    },
    /// A use was recorded (R29).
    UseRecorded {
        /// The signed act.
        act: SignedAct,
        /// The record.
        record: UseRecord,
    },
    /// The records of use were read (R29).
    UsesRead {
        /// The signed act.
        act: SignedAct,
        /// As whom.
        reader: Reader,
    },
    /// A party raised a dispute (R28).
    DisputeRaised {
        /// The signed act.
        act: SignedAct,
        /// What it is about.
        claim: String,
    },
    /// A negotiation step.
    Negotiated {
        /// The signed act.
        act: SignedAct,
        /// The step.
        step: NegotiationStep,
    },
    /// A step in the life of the grant (R25, R27).
    Grant(GrantEvent),
    /// The outcome of the dispute as the common superior recorded it.
    DisputeConcluded {
        /// The docket at the common superior.
        dispute: DocketId,
        /// What came of it.
        outcome: String,
    },
    /// Data that the requester holds was corrected, whoever asked for it (R26).
    CorrectionTold {
        /// The docket of the correction.
        correction: DocketId,
        /// The data items that it is about.
        items: Vec<String>,
        /// The corrected file that whoever asked received, by name and content: what others hold is told from it.
        object: Option<ObjectRef>,
    },
}

/// Where a docket's dispute stands, beside its own state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisputeStage {
    /// None was raised.
    None,
    /// Raised by the complainant, being negotiated between the parties; `dispute` names it from here on.
    Negotiating {
        /// The docket at the common superior.
        dispute: DocketId,
        /// Which party.
        by: CreditCode,
        /// What it is about.
        claim: String,
    },
    /// Settled by negotiation.
    Settled,
    /// Negotiation failed: goes to the common superior, where its docket is `dispute`.
    Failed {
        /// The docket at the common superior.
        dispute: DocketId,
        /// Which party.
        by: CreditCode,
        /// What it is about.
        claim: String,
    },
    /// Concluded by the common superior or its government.
    Concluded {
        /// The docket at the common superior.
        dispute: DocketId,
    },
}

/// The phase of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Complete as far as known; the reply is due.
    Received {
        /// The time limit.
        term: Term,
    },
    /// Waiting for the requester.
    Incomplete {
        /// Everything that is missing.
        missing: Vec<MissingItem>,
    },
    /// A reply awaits consent.
    ReplyProposed {
        /// The time limit.
        term: Term,
        /// The reply.
        reply: Reply,
        /// Digest of exactly the document consented to.
        document: Digest,
    },
    /// Granted; provision is due.
    Granted {
        /// The terms of the grant.
        terms: GrantTerms,
        /// The time limit.
        term: Term,
    },
    /// Refused.
    Refused {
        /// The reasons.
        reasons: String,
    },
    /// At the requester's disposal, not yet confirmed.
    Providing {
        /// The terms of the grant.
        terms: GrantTerms,
        /// The object, by content.
        object: ObjectRef,
        /// The time limit.
        term: Term,
    },
    /// Delivered and confirmed.
    Provided {
        /// The terms of the grant.
        terms: GrantTerms,
        /// The object, by content.
        object: ObjectRef,
    },
}
