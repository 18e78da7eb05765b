//! What follows by itself: fetching what was put at this node's disposal, referring a failed negotiation to the common superior, telling
//! the disputed docket's home what came of it, showing lapses and breaches to whoever supervises. What a correction brings about stands in
//! [`super::corrections`], what return flow does in [`super::returns`].

use sharing::act::ObjectRef;
use sharing::application::ApplicationEvent;
use sharing::clock::ClockEvent;
use sharing::complaint::ComplaintEvent;
use sharing::correction::{CorrectionEvent, CorrectionOutcome};
use sharing::dispute::{self, DisputeEvent};
use sharing::docket::{Case, DocketBody, DocketEvent, DocketId, MAX_EVENT_BYTES};
use sharing::erasure::ErasureEvent;
use sharing::open_data::OpenDataEvent;
use sharing::reading::InspectionEvent;
use sharing::supervision::SupervisionEvent;

use super::readings::reading_in;
use statute::Article;

use super::{Context, Core};
use crate::store::Fault;
use crate::wire::Payload;

impl Core {
    /// After an event was ordered here.
    pub(super) fn react_at_home(
        &mut self,
        ctx: &mut Context<'_, '_>,
        event: &DocketEvent,
    ) -> Result<(), Fault> {
        if let Some(act) = reading_in(&event.body) {
            return self.read_elsewhere(ctx, event.docket, act);
        }
        self.fetch_private(ctx, event)?;
        match &event.body {
            DocketBody::Inspection(InspectionEvent::Ordered { .. }) => {
                self.reading_ordered(ctx, event.docket)
            }
            DocketBody::Application(ApplicationEvent::Providing { object, .. }) => {
                self.provided_here(ctx, event.docket, object)
            }
            DocketBody::Application(ApplicationEvent::Taken { .. }) => {
                self.taken(ctx, event.docket)
            }
            DocketBody::Application(ApplicationEvent::Negotiated { .. }) => {
                self.refer_if_failed(ctx, event.docket)
            }
            DocketBody::Application(ApplicationEvent::Grant(done)) => {
                self.access_suspended(ctx, event.docket, done)
            }
            DocketBody::Dispute(DisputeEvent::Settled | DisputeEvent::Decided { .. }) => {
                self.conclude(ctx, event.docket)
            }
            DocketBody::Correction(CorrectionEvent::Answered { .. }) => {
                self.tell_holders(ctx, event.docket)
            }
            DocketBody::Application(told @ ApplicationEvent::CorrectionTold { .. }) => {
                self.correction_told(ctx, event.docket, told)
            }
            DocketBody::Complaint(ComplaintEvent::Received { .. }) => {
                let what = ("投诉举报", "a complaint");
                self.public_waits(ctx, event.docket, what, Article::R37)
            }
            DocketBody::Complaint(ComplaintEvent::PassedOn { to, .. }) => {
                self.complaint_passed_on(ctx, event.docket, to)
            }
            DocketBody::OpenData(OpenDataEvent::Received { .. }) => {
                let what = ("数据开放申请", "an application for opening data");
                self.public_waits(ctx, event.docket, what, Article::S26)
            }
            DocketBody::Clock(ClockEvent::Overdue { .. }) => self.lapse_recorded(ctx, event),
            DocketBody::Supervision(SupervisionEvent::Ordered { .. }) => {
                self.breach_found(ctx, event.docket)
            }
            DocketBody::Supervision(SupervisionEvent::Circulated { act, text, to }) => {
                self.circulate(ctx, act, (text, to))
            }
            DocketBody::Incident(_) => self.incident_told(ctx, event),
            DocketBody::Need(taken) => self.need_matched(ctx, event.docket, taken),
            DocketBody::Erasure(decided @ ErasureEvent::Decided { .. }) => {
                self.erasure_decided(ctx, event.docket, decided)
            }
            DocketBody::ReturnFlow(ordered) => self.return_ordered(ctx, event.docket, ordered),
            _ => Ok(()),
        }
    }

    /// After an event of another home was copied here.
    pub(super) fn react_to_copy(
        &mut self,
        ctx: &mut Context<'_, '_>,
        event: &DocketEvent,
    ) -> Result<(), Fault> {
        if let Some(act) = reading_in(&event.body) {
            return self.read_elsewhere(ctx, event.docket, act);
        }
        self.fetch_private(ctx, event)?;
        match &event.body {
            DocketBody::Application(ApplicationEvent::Providing { object, .. }) => {
                self.fetch(ctx, event.docket, object, None)
            }
            DocketBody::Application(ApplicationEvent::Negotiated { .. }) => {
                self.refer_if_failed(ctx, event.docket)
            }
            DocketBody::Application(ApplicationEvent::Grant(done)) => {
                self.access_suspended(ctx, event.docket, done)
            }
            DocketBody::ReturnFlow(returned) => self.returned(ctx, event.docket, returned),
            DocketBody::Application(told @ ApplicationEvent::CorrectionTold { .. }) => {
                self.correction_told(ctx, event.docket, told)
            }
            DocketBody::Correction(CorrectionEvent::Answered {
                outcome:
                    CorrectionOutcome::Corrected {
                        object: Some(object),
                        ..
                    },
                ..
            }) => self.fetch(ctx, event.docket, object, None),
            DocketBody::Complaint(ComplaintEvent::PassedOn { to, .. }) => {
                self.complaint_passed_on(ctx, event.docket, to)
            }
            DocketBody::Clock(ClockEvent::Overdue { .. }) => self.lapse_recorded(ctx, event),
            DocketBody::Supervision(SupervisionEvent::Ordered { .. }) => {
                self.breach_found(ctx, event.docket)
            }
            DocketBody::Incident(_) => self.incident_told(ctx, event),
            DocketBody::Need(taken) => self.need_matched(ctx, event.docket, taken),
            DocketBody::Erasure(decided @ ErasureEvent::Decided { .. }) => {
                self.erasure_decided(ctx, event.docket, decided)
            }
            _ => Ok(()),
        }
    }

    /// Requester and provider on one node: what was put here is there.
    fn provided_here(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        object: &ObjectRef,
    ) -> Result<(), Fault> {
        let Some(Case::Application(state)) =
            self.docket_row(ctx, &docket)?.map(|row| row.state.case)
        else {
            return Ok(());
        };
        if Some(&state.requester.node) != self.place() {
            return Ok(());
        }
        let Some(member) = self.member.clone() else {
            return Ok(());
        };
        self.received(
            ctx,
            &member,
            Payload::ObjectReceived {
                docket,
                object: object.digest,
                at: ctx.now,
            },
        )
    }

    /// R28: when negotiation failed, the complainant's node takes its own copy to the common superior, by itself.
    fn refer_if_failed(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
    ) -> Result<(), Fault> {
        let Some(Case::Application(state)) =
            self.docket_row(ctx, &docket)?.map(|row| row.state.case)
        else {
            return Ok(());
        };
        let Some((_, complainant, respondent)) = dispute::case(&state) else {
            return Ok(());
        };
        if Some(&complainant.node) != self.place() {
            return Ok(());
        }
        let place = dispute::hearing_place(&complainant, &respondent, |_| false).place;
        let Some(copy) = self.copy(ctx, &docket)? else {
            return Ok(());
        };
        self.queue(
            ctx,
            place.code(),
            Payload::ReferDispute {
                about: docket,
                copy,
                passed_on: Vec::new(),
            },
        )
    }

    /// The hearing node tells the disputed docket's home.
    fn conclude(&mut self, ctx: &mut Context<'_, '_>, docket: DocketId) -> Result<(), Fault> {
        let Some(Case::Dispute(state)) = self.docket_row(ctx, &docket)?.map(|row| row.state.case)
        else {
            return Ok(());
        };
        let Some(outcome) = state.outcome() else {
            return Ok(());
        };
        let opening = self
            .stored_event(ctx, &docket, 0)?
            .claimed(MAX_EVENT_BYTES)
            .map_err(|error| Fault(format!("stored event: {error}")))?;
        let DocketBody::Dispute(DisputeEvent::Referred { copy, .. }) = opening.body else {
            return Ok(());
        };
        let Ok(home) = copy.home.claimed() else {
            return Ok(());
        };
        self.queue(
            ctx,
            home.code(),
            Payload::DisputeConcluded {
                dispute: docket,
                about: state.about,
                outcome,
            },
        )
    }
}
