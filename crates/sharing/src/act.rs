//! Acts: what a person does, signed with that person's own key over the canonical document.
//!
//! Every change that an operator, a head, an authority or a government makes enters a node as a [`SignedAct`]. The node and
//! whoever administers it hold no key that could make one.

mod verify;

use identity::{Code, CreditCode, Digest, EnrolmentRequest, Moment, RevocationReason, Signed};
use serde::{Deserialize, Serialize};
use statute::{ActKind, Article, Refusal, RefusalReason};

use crate::aggregation::AggregationAct;
use crate::application::{
    Application, DirectAct, GrantAct, Material, MissingItem, Reply, UseRecord,
};
use crate::catalogue::{Entry, EntryVersion, ReviewVerdict};
use crate::clock::ClockAct;
use crate::complaint::ComplaintAct;
use crate::correction::CorrectionAct;
use crate::dispute::{Decision, NegotiationStep, Opinion};
use crate::docket::DocketId;
use crate::erasure::ErasureAct;
use crate::evaluation::EvaluationAct;
use crate::incident::IncidentAct;
use crate::need::NeedAct;
use crate::node_act::NodeAct;
use crate::open_data::OpenDataAct;
use crate::person::{PersonCertificate, PersonChain};
use crate::private::{MAX_PRIVATE_PER_ACT, Private};
use crate::reading::ReadingAct;
use crate::return_flow::{ReturnTable, Subscription};
use crate::source::SourceAct;
use crate::supervision::SupervisionAct;
use crate::update::UpdateAct;

pub use verify::{ActError, VerifiedAct};

/// Most bytes an encoded act may have: a batch of [`MAX_ENTRIES_PER_ACT`] entries of 2 KiB.
pub const MAX_ACT_BYTES: usize = 4 << 20;
/// Most catalogue entries in one act.
pub const MAX_ENTRIES_PER_ACT: usize = 2_000;
/// How far a person's clock may be ahead of the node's, milliseconds: ten minutes, beyond any clock that is looked after.
pub const MAX_ACT_AHEAD_MS: i64 = 10 * 60_000;
/// How old an act may be when it takes effect, milliseconds: ninety days, beyond any outage in which it may lie in an outbox.
pub const MAX_ACT_AGE_MS: i64 = 90 * 86_400_000;
/// Most characters of a reason, name or other text that an act carries outside an application.
pub const MAX_ACT_TEXT_CHARS: usize = 8_000;

/// The document a person signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Chosen at random on the person's side, so that two equal intentions are two acts and one act sent twice is one.
    pub nonce: [u8; 16],
    /// The person's own clock when signing; the home's order decides, this is evidence only.
    pub at: Moment,
    /// The node this act is addressed to (the signer's own); an act is void anywhere else.
    pub node: Code,
    /// What is done.
    pub body: ActBody,
}

/// What a person does. Each variant names the article that gives the power in [`ActBody::kind`] and `statute::required_role`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActBody {
    /// The authority's head enrols a department's head or its own staff; a department's head enrols its people.
    EnrolPerson {
        /// The person's certificate, signed by whoever enrols.
        certificate: Signed<PersonCertificate>,
        /// The department's name as shown.
        department_name: String,
    },
    /// Compile catalogue entries, new or a new version (R12).
    CompileEntries {
        /// Which.
        entries: Vec<Entry>,
    },
    /// 部门负责人 approves exactly these versions (R13).
    ApproveEntries {
        /// Which.
        entries: Vec<EntryVersion>,
    },
    /// Submit to the same-level authority for review (R16).
    SubmitEntries {
        /// Which.
        entries: Vec<EntryVersion>,
    },
    /// The authority reviews: publishes or returns (R16).
    ReviewEntries {
        /// Which.
        entries: Vec<EntryVersion>,
        /// The verdict.
        verdict: ReviewVerdict,
    },
    /// Withdraw a published entry, explicitly (R17).
    WithdrawEntry {
        /// Which entry.
        entry: EntryVersion,
        /// Why.
        reason: String,
    },
    /// Draft an application for one published entry (R20).
    Apply {
        /// What is asked for.
        application: Application,
    },
    /// 共享工作机构负责人 of the requester consents to exactly this document (R20).
    ConsentToApply {
        /// Which docket.
        docket: DocketId,
        /// Digest of exactly the document consented to.
        document: Digest,
    },
    /// Tell once everything that is missing (R21).
    TellMissing {
        /// Which docket.
        docket: DocketId,
        /// Everything that is missing.
        missing: Vec<MissingItem>,
    },
    /// Supply what was missing (R21).
    Supplement {
        /// Which docket.
        docket: DocketId,
        /// What is supplied.
        materials: Vec<Material>,
        /// The period of use, where that was missing.
        until: Option<Moment>,
    },
    /// The provider's operator proposes the reply (R21).
    ProposeReply {
        /// Which docket.
        docket: DocketId,
        /// The reply.
        reply: Reply,
    },
    /// 共享工作机构负责人 of the provider consents to exactly this reply, which thereby becomes the answer (R20).
    ConsentToReply {
        /// Which docket.
        docket: DocketId,
        /// Digest of exactly the document consented to.
        document: Digest,
    },
    /// Put the granted data at the requester's disposal (R22).
    Provide {
        /// Which docket.
        docket: DocketId,
        /// The object, by content.
        object: ObjectRef,
    },
    /// Record a use (R26, R29).
    RecordUse {
        /// Which docket.
        docket: DocketId,
        /// The record.
        record: UseRecord,
    },
    /// A party declares a dispute over an application (R28).
    RaiseDispute {
        /// Which docket.
        docket: DocketId,
        /// What it is about.
        claim: String,
    },
    /// A step in the negotiation that must come first (R28).
    Negotiate {
        /// Which docket.
        docket: DocketId,
        /// The step.
        step: NegotiationStep,
    },
    /// The common superior gives its coordination opinion (R28).
    Coordinate {
        /// Which docket.
        docket: DocketId,
        /// The opinion.
        opinion: Opinion,
    },
    /// A party accepts or rejects the coordination opinion (R28).
    AnswerOpinion {
        /// Which docket.
        docket: DocketId,
        /// Whether it is accepted.
        accepted: bool,
        /// Why.
        grounds: String,
    },
    /// The people's government at the authority's level decides (R28).
    Decide {
        /// Which docket.
        docket: DocketId,
        /// The decision.
        decision: Decision,
    },
    /// A party reports what it did to carry out the decision (R28).
    Comply {
        /// Which docket.
        docket: DocketId,
        /// What was done.
        statement: String,
    },
    /// A level asks for the return of its own rows (R24).
    Subscribe(Subscription),
    /// The source returns a snapshot of a table to every subscriber (R24). There is no field for a condition.
    ReturnTable {
        /// The snapshot.
        table: ReturnTable,
    },
    /// The authority certifies a child node (R30).
    CertifyMember {
        /// The child's own signed request.
        request: Signed<EnrolmentRequest>,
        /// Its witnesses.
        witnesses: Vec<Code>,
        /// Days of validity.
        valid_days: u16,
    },
    /// The authority revokes a child node's certificate.
    RevokeMember {
        /// Which node.
        node: Code,
        /// Number of the certificate.
        serial: u64,
        /// Why.
        reason: RevocationReason,
    },
    /// About a grant that was given: wider use, suspension, disposal, the end of a service (R25, R27).
    Grant(GrantAct),
    /// What needs no application: taking what is shared unconditionally, placing it (Shenyang S20).
    Direct(DirectAct),
    /// About a time limit: more time, a justification (R17, R21, R39(4)).
    Clock(ClockAct),
    /// About the node itself: its calendar (R8), its people (R11).
    Node(NodeAct),
    /// About an update of the catalogue that is due (R17).
    Update(UpdateAct),
    /// Who collects for all (R19).
    Source(SourceAct),
    /// About the correction of shared data (R26).
    Correction(CorrectionAct),
    /// About a breach: an order to correct it and what follows (R29, R39 to R41).
    Supervision(SupervisionAct),
    /// About a need that no published entry meets (R20).
    Need(NeedAct),
    /// About a security incident (R34, R35).
    Incident(IncidentAct),
    /// About reading records of use (R29).
    Reading(ReadingAct),
    /// About personal content whose time is over (PIPL 47).
    Erasure(ErasureAct),
    /// About open data: how an entry is opened, files for everyone, answers to the public (S24 to S26).
    OpenData(OpenDataAct),
    /// About a complaint of the public (R37).
    Complaint(ComplaintAct),
    /// A report on how the departments shared, and its publication (R38).
    Evaluation(EvaluationAct),
    /// The authority answers on what a department could join (R25).
    Aggregation(AggregationAct),
}

/// What a group of acts says of each: the acts of one workflow stand together beside its rules.
pub trait Deed {
    /// The legal kind, by which `statute` knows who may do it.
    fn kind(&self) -> ActKind;

    /// The docket it steps, if it steps one that exists already.
    fn docket(&self) -> Option<DocketId>;

    /// Where the docket it opens has its home, if it opens one.
    fn opens(&self) -> Option<Opens> {
        None
    }

    /// The docket that what it opens is about, if it is about one.
    fn about(&self) -> Option<DocketId> {
        match self.opens() {
            Some(Opens::HomeOf(docket)) => Some(docket),
            Some(Opens::Here | Opens::At(_)) | None => None,
        }
    }

    /// Every text in it that no later rule bounds.
    fn texts(&self) -> Vec<&str>;

    /// The article that it rests on, under which whoever is not entitled to it is refused.
    fn article(&self) -> Article {
        statute::required_role(self.kind()).1
    }

    /// The personal content that it commits to.
    fn private(&self) -> Vec<Private> {
        Vec::new()
    }
}

/// Where a docket that an act opens has its home: at whoever owes the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// At the signer's own node.
    Here,
    /// At this node.
    At(Code),
    /// Where the docket has its home that it is about.
    HomeOf(DocketId),
}

impl ActBody {
    /// The group that this act belongs to, where it belongs to one.
    fn deed(&self) -> Option<&dyn Deed> {
        match self {
            Self::Clock(act) => Some(act),
            Self::Direct(act) => Some(act),
            Self::Node(act) => Some(act),
            Self::Update(act) => Some(act),
            Self::Source(act) => Some(act),
            Self::Correction(act) => Some(act),
            Self::Supervision(act) => Some(act),
            Self::Need(act) => Some(act),
            Self::Incident(act) => Some(act),
            Self::Erasure(act) => Some(act),
            Self::Evaluation(act) => Some(act),
            Self::Aggregation(act) => Some(act),
            Self::Grant(act) => Some(act),
            Self::Reading(act) => Some(act),
            Self::OpenData(act) => Some(act),
            Self::Complaint(act) => Some(act),
            Self::EnrolPerson { .. }
            | Self::CompileEntries { .. }
            | Self::ApproveEntries { .. }
            | Self::SubmitEntries { .. }
            | Self::ReviewEntries { .. }
            | Self::WithdrawEntry { .. }
            | Self::Apply { .. }
            | Self::ConsentToApply { .. }
            | Self::TellMissing { .. }
            | Self::Supplement { .. }
            | Self::ProposeReply { .. }
            | Self::ConsentToReply { .. }
            | Self::Provide { .. }
            | Self::RecordUse { .. }
            | Self::RaiseDispute { .. }
            | Self::Negotiate { .. }
            | Self::Coordinate { .. }
            | Self::AnswerOpinion { .. }
            | Self::Decide { .. }
            | Self::Comply { .. }
            | Self::Subscribe(_)
            | Self::ReturnTable { .. }
            | Self::CertifyMember { .. }
            | Self::RevokeMember { .. } => None,
        }
    }

    /// Where the docket that this act opens by itself has its home. Applications and subscriptions are opened in their own ways.
    pub fn opens(&self) -> Option<Opens> {
        self.deed().and_then(Deed::opens)
    }

    /// The docket that what this act opens is about, if it is about one.
    pub fn about(&self) -> Option<DocketId> {
        self.deed().and_then(Deed::about)
    }

    /// The personal content that it commits to, in no journal and beside the act until it is erased.
    pub fn private(&self) -> Vec<Private> {
        match self {
            Self::RecordUse { record, .. } => vec![record.said],
            _ => self.deed().map_or_else(Vec::new, Deed::private),
        }
    }

    /// The legal kind of this act, by which `statute` knows who may do it.
    pub fn kind(&self) -> ActKind {
        match self {
            Self::EnrolPerson { .. } => ActKind::EnrolPerson,
            Self::CompileEntries { .. } => ActKind::CompileEntry,
            Self::ApproveEntries { .. } => ActKind::ApproveEntry,
            Self::SubmitEntries { .. } => ActKind::SubmitEntry,
            Self::ReviewEntries { .. } => ActKind::ReviewEntry,
            Self::WithdrawEntry { .. } => ActKind::WithdrawEntry,
            Self::Apply { .. } => ActKind::Apply,
            Self::ConsentToApply { .. } => ActKind::ConsentToApply,
            Self::TellMissing { .. } => ActKind::TellMissing,
            Self::Supplement { .. } => ActKind::Supplement,
            Self::ProposeReply { .. } => ActKind::ProposeReply,
            Self::ConsentToReply { .. } => ActKind::ConsentToReply,
            Self::Provide { .. } => ActKind::Provide,
            Self::RecordUse { .. } => ActKind::RecordUse,
            Self::RaiseDispute { .. } => ActKind::RaiseDispute,
            Self::Negotiate { .. } | Self::AnswerOpinion { .. } => ActKind::Negotiate,
            Self::Coordinate { .. } => ActKind::Coordinate,
            Self::Decide { .. } => ActKind::Decide,
            Self::Comply { .. } => ActKind::ReportCompliance,
            Self::Subscribe(_) => ActKind::SubscribeReturnFlow,
            Self::ReturnTable { .. } => ActKind::ReturnData,
            Self::CertifyMember { .. } => ActKind::CertifyMember,
            Self::RevokeMember { .. } => ActKind::RevokeMember,
            Self::Clock(act) => act.kind(),
            Self::Direct(act) => act.kind(),
            Self::Node(act) => act.kind(),
            Self::Update(act) => act.kind(),
            Self::Source(act) => act.kind(),
            Self::Correction(act) => act.kind(),
            Self::Supervision(act) => act.kind(),
            Self::Need(act) => act.kind(),
            Self::Incident(act) => act.kind(),
            Self::Erasure(act) => act.kind(),
            Self::Evaluation(act) => act.kind(),
            Self::Aggregation(act) => act.kind(),
            Self::Grant(act) => act.kind(),
            Self::Reading(act) => act.kind(),
            Self::OpenData(act) => act.kind(),
            Self::Complaint(act) => act.kind(),
        }
    }

    /// The article that this act rests on.
    pub fn article(&self) -> Article {
        self.deed()
            .map_or_else(|| statute::required_role(self.kind()).1, Deed::article)
    }

    /// Lists and texts that no later rule bounds are within their limits.
    ///
    /// # Errors
    /// The refusal that names what is too long, under the act's article.
    pub fn within_bounds(&self) -> Result<(), Refusal> {
        let article = self.article();
        if let Some(deed) = self.deed() {
            let private = deed.private();
            at_most(private.len(), MAX_PRIVATE_PER_ACT, article)?;
            private
                .iter()
                .try_for_each(|it| it.within_bounds(article))?;
            return text_within_bounds(deed.texts(), article);
        }
        let (entries, text) = match self {
            Self::EnrolPerson {
                department_name, ..
            } => (0, department_name.as_str()),
            Self::CompileEntries { entries } => (entries.len(), ""),
            Self::ApproveEntries { entries } | Self::SubmitEntries { entries } => {
                (entries.len(), "")
            }
            Self::ReviewEntries { entries, verdict } => match verdict {
                ReviewVerdict::Publish => (entries.len(), ""),
                ReviewVerdict::Return { reason } => (entries.len(), reason.as_str()),
            },
            Self::WithdrawEntry { reason, .. } => (1, reason.as_str()),
            Self::ReturnTable { table } => (0, table.query.as_str()),
            // What these hold is bounded by the rules of their workflows.
            _ => (0, ""),
        };
        at_most(entries, MAX_ENTRIES_PER_ACT, article)?;
        at_most(text.chars().count(), MAX_ACT_TEXT_CHARS, article)
    }

    /// The docket this act steps, if it steps one that exists already.
    pub fn docket(&self) -> Option<DocketId> {
        match self {
            Self::ConsentToApply { docket, .. }
            | Self::TellMissing { docket, .. }
            | Self::Supplement { docket, .. }
            | Self::ProposeReply { docket, .. }
            | Self::ConsentToReply { docket, .. }
            | Self::Provide { docket, .. }
            | Self::RecordUse { docket, .. }
            | Self::RaiseDispute { docket, .. }
            | Self::Negotiate { docket, .. }
            | Self::Coordinate { docket, .. }
            | Self::AnswerOpinion { docket, .. }
            | Self::Decide { docket, .. }
            | Self::Comply { docket, .. } => Some(*docket),
            _ => self.deed().and_then(Deed::docket),
        }
    }
}

impl SignedAct {
    /// What the act *claims* to do, its signature not looked at.
    pub fn body(&self) -> Option<ActBody> {
        self.act.claimed(MAX_ACT_BYTES).ok().map(|act| act.body)
    }
}

/// An act with its signature and the chain that says who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedAct {
    /// The very bytes the person signed.
    pub act: Signed<Act>,
    /// From the authority's head down to the signer.
    pub signer: PersonChain,
}

/// The digest of a signed act's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActId(pub Digest);

/// A file in an object store, by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRef {
    /// blake3 of the content, also the root of its bao tree.
    pub digest: Digest,
    /// Bytes.
    pub length: u64,
    /// The name a person sees.
    pub name: String,
}

/// A person as verified: who did it, in which role, for which department, at which node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doer {
    /// Display name.
    pub name: String,
    /// The department the person acts for.
    pub department: CreditCode,
    /// The node that hosts the department.
    pub node: Code,
    /// The role in which the act was done.
    pub role: statute::Role,
}

/// A number within its limit.
///
/// # Errors
/// `TooLong` under `article`.
pub(crate) fn at_most(found: usize, limit: usize, article: Article) -> Result<(), Refusal> {
    if found > limit {
        Err(RefusalReason::TooLong { found, limit }.under(article))
    } else {
        Ok(())
    }
}

/// Texts within [`MAX_ACT_TEXT_CHARS`].
///
/// # Errors
/// `TooLong` under `article`.
pub(crate) fn text_within_bounds<T: AsRef<str>>(
    texts: impl IntoIterator<Item = T>,
    article: Article,
) -> Result<(), Refusal> {
    texts
        .into_iter()
        .try_for_each(|text| at_most(text.as_ref().chars().count(), MAX_ACT_TEXT_CHARS, article))
}

#[cfg(test)]
mod tests;
