//! Return flow (R24) at a node: its own tables split for those who subscribe to them, parts that come fetched and verified, and passed on to the
//! level below, which subscribes here to rows of its own.
//!
//! What is passed on keeps the source's manifest and number; the proof is made longer by what lies between. So the levels below believe the
//! source alone, and one delivery has one number all the way down.

use identity::{Chain, Code, Digest, Domain, Member, Moment, Signed};
use sharing::act::{ActBody, ActId, MAX_ACT_BYTES, SignedAct};
use sharing::docket::{Case, DocketBody, DocketId};
use sharing::return_flow::workflow::MAX_MANIFEST_BYTES;
use sharing::return_flow::{
    self, DatasetId, Manifest, PartNotice, ReturnFlowEvent, ReturnTable, SubscriptionState, SumNode,
};
use statute::{Article, RefusalReason};

use super::dockets::bodies;
use super::project::{dataset_key, splitting_key};
use super::tables::{View, dataset_received, dataset_subscribers, decode_row};
use super::{Context, Core, Effect, Record, SplitFor, SplitPart, SplitTable, revoked};
use crate::store::{Fault, Table};

/// Tables taken up again after a restart.
const TABLES_RESUMED_AT_ONCE: usize = 64;
/// Most subscribers of one dataset: every node of the nation, twice, and the townships of a county.
const MAX_SUBSCRIBERS: usize = 8_192;
/// Most datasets that a node receives.
const MAX_RECEIVED: usize = 8_192;

impl Core {
    /// R24: a level subscribes to its own rows.
    pub(super) fn subscribed(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        act: &SignedAct,
    ) -> Result<(), Fault> {
        let docket = DocketId(act.id().0);
        if self.docket_row(ctx, &docket)?.is_some() {
            return Ok(());
        }
        let verified = match self.foreign_act(ctx, from, act) {
            Ok(verified) => verified,
            Err(refusal) => return self.refuse(ctx, from.code(), docket, act, refusal),
        };
        let Some(place) = self.place().cloned() else {
            return Ok(());
        };
        let here = Some(place.code());
        if !matches!(&verified.act().body, ActBody::Subscribe(said) if Some(said.source) == here) {
            let refusal = RefusalReason::UnknownDocket {
                docket: docket.to_string(),
            };
            return self.refuse(ctx, from.code(), docket, act, refusal.under(Article::R24));
        }
        let command = return_flow::Command::Subscribe {
            act: Box::new(verified),
            recipient: from.place().clone(),
            source: place,
        };
        match return_flow::decide(None, &command, ctx.now) {
            Ok(events) => self.append_or_tell(ctx, docket, bodies(DocketBody::ReturnFlow)(events)),
            Err(refusal) => self.refuse(ctx, from.code(), docket, act, refusal),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the payload's own fields")]
    pub(super) fn part_verified(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        docket: DocketId,
        delivery: u64,
        rows: u64,
        finding: Option<String>,
        at: Moment,
    ) -> Result<(), Fault> {
        let Some(row) = self.home_row(ctx, &docket)? else {
            return Ok(());
        };
        let Case::ReturnFlow(state) = &row.state.case else {
            return Ok(());
        };
        if state.recipient != *from.place() {
            return Ok(());
        }
        let command = match finding {
            None => return_flow::Command::Verified { delivery, rows, at },
            Some(finding) => return_flow::Command::FoundWanting { delivery, finding },
        };
        if let Ok(events) = return_flow::decide(Some(state), &command, ctx.now) {
            self.append_or_tell(ctx, docket, bodies(DocketBody::ReturnFlow)(events))?;
        }
        Ok(())
    }

    /// After an event of a subscription was ordered here.
    pub(super) fn return_ordered(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        ordered: &ReturnFlowEvent,
    ) -> Result<(), Fault> {
        match ordered {
            // Who subscribes after a delivery came need not wait for the next.
            ReturnFlowEvent::Subscribed { subscription, .. } => {
                self.pass_rows_on(ctx, (subscription.origin, &subscription.dataset))
            }
            // A unit hosted on this node: what was split here is here.
            ReturnFlowEvent::Delivering { delivery, notice } => {
                let state = self.subscription(ctx, &docket)?;
                match state {
                    Some(state) if Some(&state.recipient) == self.place() => {
                        self.part_outcome(ctx, docket, *delivery, Ok(notice.rows))
                    }
                    Some(_) | None => Ok(()),
                }
            }
            ReturnFlowEvent::Delivered { .. } | ReturnFlowEvent::Disputed { .. } => Ok(()),
        }
    }

    /// After an event of a subscription of this node was copied here.
    pub(super) fn returned(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        returned: &ReturnFlowEvent,
    ) -> Result<(), Fault> {
        match returned {
            ReturnFlowEvent::Delivering { delivery, notice } => {
                if self.manifest_holds(ctx, docket, notice)? {
                    return self.fetch(ctx, docket, &notice.part, Some(notice));
                }
                let wrong = "the manifest is not signed by the source";
                self.part_outcome(ctx, docket, *delivery, Err(wrong.into()))
            }
            ReturnFlowEvent::Delivered { .. } => match self.subscription(ctx, &docket)? {
                Some(state) => {
                    let subscription = state.subscription;
                    self.pass_rows_on(ctx, (subscription.origin, &subscription.dataset))
                }
                None => Ok(()),
            },
            ReturnFlowEvent::Subscribed { .. } | ReturnFlowEvent::Disputed { .. } => Ok(()),
        }
    }

    fn subscription(
        &self,
        ctx: &Context<'_, '_>,
        docket: &DocketId,
    ) -> Result<Option<Box<SubscriptionState>>, Fault> {
        let row = self.docket_row(ctx, docket)?;
        Ok(match row.map(|row| row.state.case) {
            Some(Case::ReturnFlow(state)) => Some(state),
            Some(_) | None => None,
        })
    }

    /// R24, R30: what this node received and verified goes on to those who subscribe here to rows of their own in it.
    fn pass_rows_on(
        &mut self,
        ctx: &mut Context<'_, '_>,
        (origin, dataset): (Code, &DatasetId),
    ) -> Result<(), Fault> {
        let received = dataset_received(origin.as_str(), dataset.as_str());
        let Some(docket) = ctx.txn.row::<DocketId>(Table::Datasets, &received)? else {
            return Ok(());
        };
        let state = self.subscription(ctx, &docket)?;
        let Some((part, notice)) = state.and_then(|state| state.delivered.zip(state.held)) else {
            return Ok(());
        };
        let subscribers = self.subscribers(ctx, (origin, dataset), part.delivery)?;
        if !subscribers.is_empty() {
            ctx.effects.push(Effect::PassOn {
                notice,
                subscribers,
            });
        }
        Ok(())
    }

    /// What was received before a restart and not yet passed on.
    pub(super) fn resume_passing_on(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        for (_, row) in ctx
            .txn
            .raw_scan(Table::Datasets, b"r/", None, MAX_RECEIVED)?
        {
            let docket: DocketId = decode_row(Table::Datasets, &row)?;
            if let Some(state) = self.subscription(ctx, &docket)? {
                let subscription = state.subscription;
                self.pass_rows_on(ctx, (subscription.origin, &subscription.dataset))?;
            }
        }
        Ok(())
    }

    /// The parts for the level below lie in the object store: tell every recipient, under the source's own manifest.
    pub(super) fn passed_on(
        &mut self,
        ctx: &mut Context<'_, '_>,
        notice: &PartNotice,
        outcome: Result<Vec<SplitPart>, String>,
    ) -> Result<(), Fault> {
        let Ok(said) = notice.manifest.claimed(MAX_MANIFEST_BYTES) else {
            return Ok(());
        };
        let delivery = said.delivery;
        let parts = match outcome {
            Ok(parts) => parts,
            Err(reason) => {
                return ctx.finding(
                    format!("第{delivery}次回流数据未能继续下发：{reason}"),
                    format!("delivery {delivery} could not be passed on: {reason}"),
                    Some(Article::R39_5),
                );
            }
        };
        for part in parts {
            self.deliver(ctx, delivery, (&notice.manifest, &notice.signer), part)?;
        }
        Ok(())
    }

    /// Subscriptions to a dataset whose home is here and that were not told of this delivery yet.
    fn subscribers(
        &self,
        ctx: &Context<'_, '_>,
        (origin, dataset): (Code, &DatasetId),
        delivery: u64,
    ) -> Result<Vec<SplitFor>, Fault> {
        let mut found = Vec::new();
        let prefix = dataset_subscribers(dataset.as_str());
        for (key, _) in ctx
            .txn
            .raw_scan(Table::Datasets, &prefix, None, MAX_SUBSCRIBERS)?
        {
            let Some(digest) = key.last_chunk::<32>() else {
                continue;
            };
            let docket = DocketId(Digest::from_bytes(*digest));
            let state = self.subscription(ctx, &docket)?;
            if let Some(state) =
                state.filter(|state| state.subscription.origin == origin && state.newest < delivery)
            {
                found.push(SplitFor {
                    docket,
                    area: state.subscription.area,
                    base: state.held.map(|notice| notice.part),
                });
            }
        }
        Ok(found)
    }

    /// Whether a manifest is the source's: signed by the key that a chain to the root gave it then, and that was not revoked.
    pub(super) fn manifest_holds(
        &self,
        ctx: &Context<'_, '_>,
        docket: DocketId,
        notice: &PartNotice,
    ) -> Result<bool, Fault> {
        let Some(state) = self.subscription(ctx, &docket)? else {
            return Ok(false);
        };
        let Ok(said) = notice.manifest.claimed(MAX_MANIFEST_BYTES) else {
            return Ok(false);
        };
        let then = said.at.min(ctx.now);
        let proved = notice
            .signer
            .verify(&self.me.root, then, &revoked(&*ctx.txn));
        Ok(proved.is_ok_and(|source| {
            *source.place() == said.source
                && source.code() == state.subscription.origin
                && notice
                    .manifest
                    .check(Domain::Manifest, source.signing_key())
                    .is_ok()
        }))
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
        let subscribers = self.subscribers(ctx, (source.code(), &table.dataset), delivery)?;
        let manifest = Manifest {
            source,
            dataset: table.dataset.clone(),
            delivery,
            at: ctx.now,
            query: table.query.clone(),
            division_column: table.division_column.clone(),
            header: String::new(),
            rows: table.source_rows,
            assigned: table.assigned.clone(),
            remainder_rows: 0,
            remainder: Vec::new(),
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
            key_column: table.key_column.clone(),
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
        let Some(signer) = self.member.as_ref().map(|member| member.chain().clone()) else {
            return Ok(());
        };
        for part in split.parts {
            self.deliver(ctx, delivery, (&manifest, &signer), part)?;
        }
        Ok(())
    }

    /// Tells a subscriber of its part.
    fn deliver(
        &mut self,
        ctx: &mut Context<'_, '_>,
        delivery: u64,
        (manifest, signer): (&Signed<Manifest>, &Chain),
        part: SplitPart,
    ) -> Result<(), Fault> {
        let row = self.docket_row(ctx, &part.docket)?;
        let Some(Case::ReturnFlow(state)) = row.map(|row| row.state.case) else {
            return Ok(());
        };
        let notice = PartNotice {
            manifest: manifest.clone(),
            signer: signer.clone(),
            area: part.area,
            rows: part.rows,
            proof: part.proof,
            salt: part.salt,
            part: part.part,
            difference: part.difference,
            leaves: part.leaves,
        };
        let command = return_flow::Command::Deliver {
            delivery,
            notice: Box::new(notice),
        };
        // One that was told of this delivery before is told nothing.
        if let Ok(events) = return_flow::decide(Some(&state), &command, ctx.now) {
            self.append_or_tell(ctx, part.docket, bodies(DocketBody::ReturnFlow)(events))?;
        }
        Ok(())
    }
}
