//! What follows by itself: fetching what was put at this node's disposal, referring a failed negotiation to the common superior, telling
//! the disputed docket's home what came of it, splitting a table for its subscribers, showing lapses and breaches to whoever supervises. What a
//! correction brings about stands in [`super::corrections`].

use identity::{Code, Digest, Domain, Signed};
use sharing::act::{ActBody, ActId, MAX_ACT_BYTES, ObjectRef, SignedAct};
use sharing::application::ApplicationEvent;
use sharing::clock::ClockEvent;
use sharing::complaint::ComplaintEvent;
use sharing::correction::{CorrectionEvent, CorrectionOutcome};
use sharing::dispute::{self, DisputeEvent};
use sharing::docket::{Case, DocketBody, DocketEvent, DocketId, MAX_EVENT_BYTES};
use sharing::erasure::ErasureEvent;
use sharing::open_data::OpenDataEvent;
use sharing::reading::InspectionEvent;
use sharing::return_flow::{self, Manifest, PartNotice, ReturnFlowEvent, ReturnTable, SumNode};
use sharing::supervision::SupervisionEvent;
use statute::Article;

use super::dockets::bodies;
use super::project::{dataset_key, splitting_key};
use super::readings::reading_in;
use super::tables::{View, decode_row};
use super::{Context, Core, Effect, Record, SplitTable};
use crate::store::{Fault, Table};
use crate::wire::Payload;

/// Tables taken up again after a restart.
const TABLES_RESUMED_AT_ONCE: usize = 64;

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
            DocketBody::Erasure(ErasureEvent::Decided { contents, .. }) => {
                self.destroy(ctx, event.docket, contents)
            }
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
            DocketBody::ReturnFlow(ReturnFlowEvent::Delivering { delivery, notice }) => {
                if self.manifest_holds(ctx, event.docket, notice)? {
                    return self.fetch(ctx, event.docket, &notice.part, Some(notice));
                }
                let wrong = "the manifest is not signed by the source";
                self.part_outcome(ctx, event.docket, *delivery, Err(wrong.into()))
            }
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
            DocketBody::Erasure(ErasureEvent::Decided { contents, .. }) => {
                self.destroy(ctx, event.docket, contents)
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

    /// R24: a table is to be split for its subscribers; the driver does it and comes back with [`Core::table_split`].
    pub(super) fn split(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: ActId,
        table: &ReturnTable,
    ) -> Result<(), Fault> {
        let Some(source) = self.place().cloned() else {
            return Ok(());
        };
        let delivery = ctx
            .txn
            .row::<u64>(Table::Datasets, &dataset_key(table.dataset.as_str()))?
            .unwrap_or(0)
            + 1;
        let subscribers: Vec<(DocketId, Code)> = self.subscribers(ctx, &table.dataset)?;
        let manifest = Manifest {
            source,
            dataset: table.dataset.clone(),
            delivery,
            at: ctx.now,
            query: table.query.clone(),
            division_column: table.division_column.clone(),
            header: String::new(),
            rows: table.source_rows,
            remainder_rows: 0,
            root: SumNode {
                rows: 0,
                digest: Digest::from_bytes([0; 32]),
            },
        };
        let secret = ctx.random();
        ctx.effects.push(Effect::SplitTable {
            act,
            manifest: Box::new(manifest),
            table: table.table.clone(),
            secret,
            subscribers,
        });
        Ok(())
    }

    /// Tables accepted before a restart and not yet split.
    pub(super) fn resume_tables(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        for (_, bytes) in ctx
            .txn
            .raw_scan(Table::Datasets, b"s/", None, TABLES_RESUMED_AT_ONCE)?
        {
            let body: Digest = decode_row(Table::Datasets, &bytes)?;
            self.split_stored(ctx, &body)?;
        }
        Ok(())
    }

    fn split_stored(&mut self, ctx: &mut Context<'_, '_>, body: &Digest) -> Result<(), Fault> {
        let signed: SignedAct = ctx.txn.body_as(body)?;
        match signed.act.claimed(MAX_ACT_BYTES).map(|act| act.body) {
            Ok(ActBody::ReturnTable { table }) => self.split(ctx, signed.id(), &table),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The parts lie in the object store: commit to the manifest and tell every recipient.
    pub(super) fn table_split(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: ActId,
        outcome: Result<SplitTable, String>,
    ) -> Result<(), Fault> {
        let Some(body) = ctx
            .txn
            .row::<Digest>(Table::Datasets, &splitting_key(&act))?
        else {
            return Ok(());
        };
        let split = match outcome {
            Ok(split) => split,
            Err(reason) => {
                return ctx.finding(
                    format!("回流数据表未能拆分：{reason}"),
                    format!("table could not be split: {reason}"),
                    Some(Article::R39_5),
                );
            }
        };
        let (dataset, delivery) = (
            split.manifest.dataset.as_str().to_owned(),
            split.manifest.delivery,
        );
        let newest = ctx
            .txn
            .row::<u64>(Table::Datasets, &dataset_key(&dataset))?
            .unwrap_or(0);
        if delivery <= newest {
            // Another table of this dataset was committed to meanwhile: this one comes after it, under the next number.
            return self.split_stored(ctx, &body);
        }
        let (rows, remainder, at) = (split.manifest.rows, split.manifest.remainder_rows, ctx.now);
        ctx.record(&Record::Delivery {
            act,
            dataset: dataset.clone(),
            delivery,
            rows,
            remainder,
            at,
        })?;
        if remainder > 0 {
            ctx.finding(
                format!("数据集{dataset}第{delivery}次回流有{remainder}行无法确定所属行政区划，须由数源单位处理"),
                format!("{remainder} rows of {dataset} delivery {delivery} belong to no known division: for the source to settle"),
                Some(Article::R24),
            )?;
        }
        let manifest = Signed::sign(&split.manifest, Domain::Manifest, &self.me.signing);
        for part in split.parts {
            let Some(Case::ReturnFlow(state)) = self
                .docket_row(ctx, &part.docket)?
                .map(|row| row.state.case)
            else {
                continue;
            };
            let notice = PartNotice {
                manifest: manifest.clone(),
                division: part.division,
                proof: part.proof,
                salt: part.salt,
                part: part.part,
            };
            let command = return_flow::Command::Deliver {
                delivery,
                notice: Box::new(notice),
            };
            if let Ok(events) = return_flow::decide(Some(&state), &command, ctx.now) {
                self.append_or_tell(ctx, part.docket, bodies(DocketBody::ReturnFlow)(events))?;
            }
        }
        Ok(())
    }
}
