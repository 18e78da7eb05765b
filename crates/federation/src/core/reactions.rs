//! What follows by itself: fetching what was put at this node's disposal, referring a failed negotiation to the common superior, telling
//! the disputed docket's home what came of it, splitting a table for its subscribers.

use identity::{Code, Digest, Domain, Path, Signed};
use sharing::act::{ActBody, ActId, MAX_ACT_BYTES, ObjectRef, SignedAct};
use sharing::application::ApplicationEvent;
use sharing::dispute::{self, DisputeEvent};
use sharing::docket::{DocketBody, DocketEvent, DocketId, DocketState, MAX_EVENT_BYTES};
use sharing::return_flow::{self, Manifest, PartNotice, ReturnFlowEvent, ReturnTable, SumNode};
use statute::Article;

use super::dockets::bodies;
use super::project::{dataset_key, splitting_key, wanted_key};
use super::tables::{View, WantedRow, decode_row};
use super::{Context, Core, Effect, FetchedPart, Record, SplitTable};
use crate::store::{Fault, Table};
use crate::wire::Payload;

/// Fetches started again in one tick.
const RESUME_AT_ONCE: usize = 64;

impl Core {
    /// After an event was ordered here.
    pub(super) fn react_at_home(
        &mut self,
        ctx: &mut Context<'_, '_>,
        event: &DocketEvent,
    ) -> Result<(), Fault> {
        match &event.body {
            DocketBody::Application(ApplicationEvent::Providing { object, .. }) => {
                self.provided_here(ctx, event.docket, object)
            }
            DocketBody::Application(ApplicationEvent::Negotiated { .. }) => {
                self.refer_if_failed(ctx, event.docket)
            }
            DocketBody::Dispute(DisputeEvent::Settled | DisputeEvent::Decided { .. }) => {
                self.conclude(ctx, event.docket)
            }
            DocketBody::Application(_) | DocketBody::Dispute(_) | DocketBody::ReturnFlow(_) => {
                Ok(())
            }
        }
    }

    /// After an event of another home was copied here.
    pub(super) fn react_to_copy(
        &mut self,
        ctx: &mut Context<'_, '_>,
        event: &DocketEvent,
    ) -> Result<(), Fault> {
        match &event.body {
            DocketBody::Application(ApplicationEvent::Providing { object, .. }) => {
                self.fetch(ctx, event.docket, object, None)
            }
            DocketBody::Application(ApplicationEvent::Negotiated { .. }) => {
                self.refer_if_failed(ctx, event.docket)
            }
            DocketBody::ReturnFlow(ReturnFlowEvent::Delivering { notice, .. }) => {
                self.fetch(ctx, event.docket, &notice.part, Some(notice))
            }
            DocketBody::Application(_) | DocketBody::Dispute(_) | DocketBody::ReturnFlow(_) => {
                Ok(())
            }
        }
    }

    /// Requester and provider on one node: what was put here is there.
    fn provided_here(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        object: &ObjectRef,
    ) -> Result<(), Fault> {
        let Some(DocketState::Application(state)) =
            self.docket_row(ctx, &docket)?.map(|row| row.state)
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

    fn fetch(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        object: &ObjectRef,
        part: Option<&PartNotice>,
    ) -> Result<(), Fault> {
        let Some(row) = self.docket_row(ctx, &docket)? else {
            return Ok(());
        };
        let Some(home) = self.known_member(ctx, &row.home.code())? else {
            return Ok(());
        };
        if part.is_some_and(|notice| {
            notice
                .manifest
                .check(Domain::Manifest, home.signing_key())
                .is_err()
        }) {
            return self.part_outcome(
                ctx,
                docket,
                0,
                Err("the manifest is not signed by the source".into()),
            );
        }
        ctx.effects.push(Effect::Fetch {
            from: home.chain().clone(),
            docket,
            object: object.clone(),
            part: part.cloned().map(Box::new),
        });
        Ok(())
    }

    /// Fetches that a restart or a failure left open.
    pub(super) fn resume_fetches(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        for (_, bytes) in ctx
            .txn
            .raw_scan(Table::Objects, b"", None, RESUME_AT_ONCE)?
        {
            let wanted: WantedRow = decode_row(Table::Objects, &bytes)?;
            let event = self.stored_event(ctx, &wanted.docket, wanted.sequence)?;
            let Ok(event) = event.claimed(MAX_EVENT_BYTES) else {
                continue;
            };
            self.react_to_copy(ctx, &event)?;
        }
        Ok(())
    }

    /// The driver's word on a fetch.
    pub(super) fn fetched(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        object: &ObjectRef,
        outcome: Result<FetchedPart, String>,
    ) -> Result<(), Fault> {
        if ctx
            .txn
            .raw(Table::Objects, &wanted_key(&docket, &object.digest))?
            .is_none()
        {
            return Ok(());
        }
        let at = ctx.now;
        match outcome {
            // Tried again by the clock; the operator sees why.
            Err(reason) => ctx.finding(
                format!("案卷{}的数据未能取回，将重试：{reason}", docket.0.short()),
                format!(
                    "data of docket {} could not be fetched, will be tried again: {reason}",
                    docket.0.short()
                ),
                Some(Article::R22),
            ),
            Ok(FetchedPart::File) => {
                ctx.record(&Record::Fetched {
                    docket,
                    object: object.digest,
                    at,
                })?;
                let Some(row) = self.docket_row(ctx, &docket)? else {
                    return Ok(());
                };
                self.queue(
                    ctx,
                    row.home.code(),
                    Payload::ObjectReceived {
                        docket,
                        object: object.digest,
                        at,
                    },
                )
            }
            Ok(FetchedPart::Part { delivery, rows }) => {
                ctx.record(&Record::Fetched {
                    docket,
                    object: object.digest,
                    at,
                })?;
                self.part_outcome(ctx, docket, delivery, rows)
            }
        }
    }

    fn part_outcome(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        delivery: u64,
        rows: Result<u64, String>,
    ) -> Result<(), Fault> {
        let Some(row) = self.docket_row(ctx, &docket)? else {
            return Ok(());
        };
        let at = ctx.now;
        let (rows, finding) = match rows {
            Ok(rows) => (rows, None),
            Err(finding) => {
                ctx.finding(
                    format!(
                        "案卷{}第{delivery}次回流数据核验不符：{finding}",
                        docket.0.short()
                    ),
                    format!(
                        "delivery {delivery} of docket {} found wanting: {finding}",
                        docket.0.short()
                    ),
                    Some(Article::R39_5),
                )?;
                (0, Some(finding))
            }
        };
        self.queue(
            ctx,
            row.home.code(),
            Payload::PartVerified {
                docket,
                delivery,
                rows,
                finding,
                at,
            },
        )
    }

    /// An object was served whole to the other end of a circuit: on record here, as its use is on record there.
    pub(super) fn served(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        object: &ObjectRef,
        to: Path,
    ) -> Result<(), Fault> {
        let at = ctx.now;
        ctx.record(&Record::Served {
            docket,
            object: object.digest,
            to,
            at,
        })
    }

    /// R28: when negotiation failed, the complainant's node takes its own copy to the common superior, by itself.
    fn refer_if_failed(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
    ) -> Result<(), Fault> {
        let Some(DocketState::Application(state)) =
            self.docket_row(ctx, &docket)?.map(|row| row.state)
        else {
            return Ok(());
        };
        let Some((_, complainant, respondent)) = dispute::case(&state) else {
            return Ok(());
        };
        if Some(&complainant.node) != self.place() {
            return Ok(());
        }
        let Some(place) = dispute::hearing_place(&complainant, &respondent, |_| None) else {
            return Ok(());
        };
        let Some(copy) = self.copy(ctx, &docket)? else {
            return Ok(());
        };
        self.queue(
            ctx,
            place.code(),
            Payload::ReferDispute {
                about: docket,
                copy,
            },
        )
    }

    /// The hearing node tells the disputed docket's home.
    fn conclude(&mut self, ctx: &mut Context<'_, '_>, docket: DocketId) -> Result<(), Fault> {
        let Some(DocketState::Dispute(state)) = self.docket_row(ctx, &docket)?.map(|row| row.state)
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
        for (key, bytes) in ctx
            .txn
            .raw_scan(Table::Datasets, b"s/", None, RESUME_AT_ONCE)?
        {
            let body: Digest = decode_row(Table::Datasets, &bytes)?;
            let signed: SignedAct = ctx.txn.body_as(&body)?;
            debug_assert!(key == splitting_key(&signed.id()));
            let Ok(act) = signed.act.claimed(MAX_ACT_BYTES) else {
                continue;
            };
            if let ActBody::ReturnTable { table } = &act.body {
                self.split(ctx, signed.id(), table)?;
            }
        }
        Ok(())
    }

    /// The parts lie in the object store: commit to the manifest and tell every recipient.
    pub(super) fn table_split(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: ActId,
        outcome: Result<SplitTable, String>,
    ) -> Result<(), Fault> {
        let waiting = ctx
            .txn
            .raw(Table::Datasets, &splitting_key(&act))?
            .is_some();
        if !waiting {
            return Ok(());
        }
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
            let Some(DocketState::ReturnFlow(state)) =
                self.docket_row(ctx, &part.docket)?.map(|row| row.state)
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
                self.append(ctx, part.docket, bodies(DocketBody::ReturnFlow)(events))?;
            }
        }
        Ok(())
    }
}
