//! A node that was cut off (断开, R35): its own work at its own place goes on, what must leave it is refused or waits.
//!
//! What is signed meanwhile is signed with the key that the revoked certificate names. It stands at this node at once. Elsewhere it is believed when
//! the node is certified anew for the same key: then the ledger is sealed and cosigned from where it stopped, and evidence proves what was done by
//! it. Where the keys were given up (a successor, of the next epoch), what was done in between never proves itself to anybody else: a docket's copy is
//! verified by one key, and whoever holds a stolen one could have signed as much.

use identity::Code;
use sharing::act::{ActBody, Opens, VerifiedAct};
use sharing::application::DirectAct;
use sharing::complaint::ComplaintAct;
use sharing::docket::DocketId;
use sharing::evaluation::EvaluationAct;
use sharing::incident::IncidentAct;
use sharing::need::{NeedAct, NeedStep};
use sharing::node_act::NodeAct;
use sharing::open_data::OpenDataAct;
use sharing::supervision::SupervisionAct;
use statute::{Reach, Refusal};

use super::project::DraftRow;
use super::tables::{DocketRow, View, docket_key};
use super::{Context, Core, members};
use crate::store::{Fault, Table};

impl Core {
    /// R35: what an act at a node that was cut off is refused for, if it is.
    pub(super) fn check_cut_off(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
    ) -> Result<Result<(), Refusal>, Fault> {
        let Some(cut_off) = &self.cut_off else {
            return Ok(Ok(()));
        };
        let reach = match self.stays(ctx, &act.act().body)? {
            true => Reach::OwnPlace,
            false => Reach::Beyond,
        };
        Ok(statute::check_cut_off(reach, members::refusal(cut_off)))
    }

    /// Whether a docket has its home here and no party elsewhere.
    pub(super) fn is_own(&self, row: &DocketRow) -> bool {
        let parties = row.state.case.parties();
        let here = |place: &identity::Path| Some(place) == self.place();
        here(&row.home) && parties.iter().all(here)
    }

    /// Whether the clock may go on with a docket: every one of a member, of a node that was cut off its own.
    pub(super) fn may_go_on(&self, row: &DocketRow) -> bool {
        self.cut_off.is_none() || self.is_own(row)
    }

    /// Whether what an act does concerns this place alone.
    fn stays(&self, ctx: &Context<'_, '_>, body: &ActBody) -> Result<bool, Fault> {
        Ok(match body {
            // The people and the catalogue of this place. What is published goes up when there is a link again.
            ActBody::EnrolPerson { .. }
            | ActBody::CompileEntries { .. }
            | ActBody::ApproveEntries { .. }
            | ActBody::SubmitEntries { .. }
            | ActBody::ReviewEntries { .. }
            | ActBody::WithdrawEntry { .. }
            | ActBody::Source(_)
            | ActBody::Node(NodeAct::EndEnrolment { .. })
            | ActBody::Direct(DirectAct::Place { .. })
            | ActBody::OpenData(OpenDataAct::Mark { .. } | OpenDataAct::Publish { .. })
            // A draft goes nowhere.
            | ActBody::Apply { .. } => true,
            ActBody::ConsentToApply { docket, .. } => self.is_own_draft(ctx, docket)?,
            ActBody::Aggregation(said) => self.is_own_draft(ctx, &said.draft)?,
            ActBody::Subscribe(subscription) => self.is_here(subscription.source),
            // Of other nodes, or for them: rows of the levels below, certificates, the calendar of the levels below, reports that go up.
            ActBody::ReturnTable { .. }
            | ActBody::CertifyMember { .. }
            | ActBody::RevokeMember { .. }
            | ActBody::Node(NodeAct::InstallCalendar { .. })
            | ActBody::Incident(IncidentAct::Report(_))
            | ActBody::Evaluation(EvaluationAct::Report(_)) => false,
            ActBody::Complaint(ComplaintAct::PassOn { docket, to, .. }) => {
                self.is_here(to.node().code()) && self.is_own_docket(ctx, docket)?
            }
            ActBody::Supervision(SupervisionAct::Order(order)) => {
                self.is_here(order.against.node().code())
            }
            ActBody::Supervision(SupervisionAct::Circulate { docket, to, .. }) => {
                to.iter().all(|place| self.is_here(place.code()))
                    && self.is_own_docket(ctx, docket)?
            }
            ActBody::Need(NeedAct::Take { docket, step }) => {
                let stays = match step {
                    NeedStep::PassOn { .. } => false,
                    NeedStep::Match { department } => self.is_here(department.node.code()),
                    NeedStep::PointTo { .. }
                    | NeedStep::Decline { .. }
                    | NeedStep::Promise { .. }
                    | NeedStep::Cannot { .. }
                    | NeedStep::Fulfil { .. }
                    | NeedStep::ConfirmMet
                    | NeedStep::NotMet { .. }
                    | NeedStep::Withdraw => true,
                };
                stays && self.is_own_docket(ctx, docket)?
            }
            ActBody::TellMissing { .. }
            | ActBody::Supplement { .. }
            | ActBody::ProposeReply { .. }
            | ActBody::ConsentToReply { .. }
            | ActBody::Provide { .. }
            | ActBody::RecordUse { .. }
            | ActBody::RaiseDispute { .. }
            | ActBody::Negotiate { .. }
            | ActBody::Coordinate { .. }
            | ActBody::AnswerOpinion { .. }
            | ActBody::Decide { .. }
            | ActBody::Comply { .. }
            | ActBody::Grant(_)
            | ActBody::Direct(DirectAct::Take { .. })
            | ActBody::Clock(_)
            | ActBody::Update(_)
            | ActBody::Correction(_)
            | ActBody::Supervision(
                SupervisionAct::Report { .. }
                | SupervisionAct::Accept { .. }
                | SupervisionAct::Reject { .. }
                | SupervisionAct::Escalate { .. },
            )
            | ActBody::Need(NeedAct::Report(_))
            | ActBody::Incident(IncidentAct::Step { .. })
            | ActBody::Reading(_)
            | ActBody::Erasure(_)
            | ActBody::OpenData(OpenDataAct::Answer { .. })
            | ActBody::Complaint(ComplaintAct::Answer { .. })
            | ActBody::Evaluation(EvaluationAct::Publish { .. }) => match (body.opens(), body.docket()) {
                (Some(Opens::Here), _) => true,
                (Some(Opens::At(code)), _) => self.is_here(code),
                (Some(Opens::HomeOf(docket)), _) | (None, Some(docket)) => {
                    self.is_own_docket(ctx, &docket)?
                }
                (None, None) => false,
            },
        })
    }

    pub(super) fn is_here(&self, code: Code) -> bool {
        self.place().is_some_and(|here| here.code() == code)
    }

    /// What is not known here concerns nobody else: the rule of its own refuses it.
    fn is_own_docket(&self, ctx: &Context<'_, '_>, docket: &DocketId) -> Result<bool, Fault> {
        let row = self.docket_row(ctx, docket)?;
        Ok(row.is_none_or(|row| self.is_own(&row)))
    }

    fn is_own_draft(&self, ctx: &Context<'_, '_>, docket: &DocketId) -> Result<bool, Fault> {
        let draft: Option<DraftRow> = ctx.txn.row(Table::Drafts, &docket_key(docket))?;
        Ok(match draft.and_then(|draft| draft.act.body()) {
            Some(ActBody::Apply { application }) => self.is_here(application.provider_node.code()),
            Some(_) | None => true,
        })
    }
}
