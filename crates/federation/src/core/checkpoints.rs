//! Checkpoints of this node's ledger: signed, offered to the parent (the hub: to its children) and to witnesses, cosigned, and the same
//! for others.

mod weighing;
mod witnesses;

use identity::{Certificate, Digest, Moment, Path, Signed};
use sharing::ledger::{Checkpoint, Cosignature, checkpoint, merkle};

use super::tables::{CheckpointRow, View, counter, merkle_key, meta};
use super::{Context, Core, LinkId, Record};
use crate::store::{Fault, Table};
use crate::wire::Frame;
use weighing::{ELSEWHERE, Weighed, tell_denied};

/// A checkpoint is signed at most this often, milliseconds: one signature for all that happened in between.
const CHECKPOINT_EVERY_MS: i64 = 1_000;
/// A refused checkpoint is offered again after this long, milliseconds: a wrong clock is not set right within seconds.
const REOFFER_AFTER_MS: i64 = 60_000;
/// Children of the hub that are asked to cosign its checkpoints.
const HUB_COSIGNERS: usize = 3;
/// Most bytes of an encoded checkpoint.
pub(super) const MAX_CHECKPOINT_BYTES: usize = 1_024;

/// The ledger's Merkle nodes in the tables.
pub(super) struct Nodes<'v, V: View + ?Sized>(pub(super) &'v V);

impl<V: View + ?Sized> merkle::Nodes for Nodes<'_, V> {
    type Error = Fault;
    fn node(&self, level: u8, index: u64) -> Result<Option<Digest>, Fault> {
        self.0.row(Table::LedgerNodes, &merkle_key(level, index))
    }
}

/// Where the offering of this node's checkpoints stands on one link, and what was refused to the other side on it.
#[derive(Debug, Default)]
pub(super) struct Offering {
    running: Option<Offer>,
    /// Refused: not offered again before.
    rest_until: Option<Moment>,
    /// The neighbour's own checkpoint was refused, and the operator has been told.
    refused: bool,
}

/// A checkpoint offered and not yet answered.
#[derive(Debug, Clone, Copy)]
struct Offer {
    /// The size from which its proof starts.
    from: u64,
    /// Whether the neighbour named that size itself, so that it has no reason to name another.
    corrected: bool,
}

/// Whose history another node holds of this one.
enum Held {
    /// This node's own, up to this size.
    Ours(u64),
    /// Another, signed with this node's key.
    Foreign(Checkpoint),
}

impl Core {
    /// Signs a checkpoint when something happened since the last one.
    pub(super) fn sign_checkpoint(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let due = self
            .last_checkpoint
            .is_none_or(|last| ctx.now < last || ctx.now.millis_since(last) >= CHECKPOINT_EVERY_MS);
        let (Some(member), true) = (self.member.clone(), due) else {
            return Ok(());
        };
        if counter(&*ctx.txn, meta::SIGNIFICANT)? == counter(&*ctx.txn, meta::SIGNIFICANT_SIGNED)? {
            return Ok(());
        }
        let size = counter(&*ctx.txn, meta::LEAVES)?;
        let root = merkle::root(size, &Nodes(&*ctx.txn))
            .map_err(|error| Fault(format!("ledger root: {error}")))?;
        let statement = Checkpoint {
            node: member.place().clone(),
            epoch: member.certificate().epoch,
            size,
            root,
            at: ctx.now,
        };
        let signed = checkpoint::sign(&statement, &self.me.signing);
        self.last_checkpoint = Some(ctx.now);
        ctx.record(&Record::CheckpointSigned { checkpoint: signed })?;
        self.offer_checkpoint(ctx)
    }

    /// Offers the newest checkpoint where no offer is under way.
    pub(super) fn offer_checkpoint(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let Some(newest) = ctx
            .txn
            .row::<Signed<Checkpoint>>(Table::Meta, meta::CHECKPOINT)?
        else {
            return Ok(());
        };
        let Ok(claimed) = newest.claimed(MAX_CHECKPOINT_BYTES) else {
            return Ok(());
        };
        let from = counter(&*ctx.txn, meta::COSIGNED)?;
        if claimed.size <= from {
            return Ok(());
        }
        let cosigners: Vec<LinkId> = match self.parent_link() {
            Some(parent) => vec![parent],
            None if self.place().is_some_and(|place| place.depth() == 1) => {
                self.child_links().into_iter().take(HUB_COSIGNERS).collect()
            }
            None => Vec::new(),
        };
        for link in cosigners {
            let busy = self.links.get(&link).is_some_and(|state| {
                let resting = |until| ctx.now < until;
                state.checkpoint.running.is_some()
                    || state.checkpoint.rest_until.is_some_and(resting)
            });
            if busy {
                continue;
            }
            let proof = merkle::consistency(from, claimed.size, &Nodes(&*ctx.txn))
                .map_err(|error| Fault(format!("consistency proof: {error}")))?;
            if let Some(state) = self.links.get_mut(&link) {
                let corrected = false;
                state.checkpoint.running = Some(Offer { from, corrected });
            }
            ctx.send(
                link,
                Frame::CheckpointOffer {
                    checkpoint: newest.clone(),
                    from,
                    proof,
                },
            );
        }
        Ok(())
    }

    /// A neighbour asks for a cosignature: given when its ledger extends what was cosigned before.
    pub(super) fn checkpoint_offered(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        signed: &Signed<Checkpoint>,
        from: u64,
        proof: &[Digest],
    ) -> Result<(), Fault> {
        let (Some(peer), Some(here)) = (self.peer(link), self.place().cloned()) else {
            return Ok(());
        };
        match self.weigh(ctx, peer.member.certificate(), signed, from, proof)? {
            Weighed::Holds => self.cosign(ctx, link, &here, signed),
            Weighed::Elsewhere(newest) => {
                let reason = ELSEWHERE.into();
                ctx.send(link, Frame::CosignRefused { newest, reason });
                Ok(())
            }
            Weighed::Refused(newest, error) => {
                let told = self
                    .links
                    .get_mut(&link)
                    .is_some_and(|state| std::mem::replace(&mut state.checkpoint.refused, true));
                if !told {
                    tell_denied(ctx, &peer.code(), &error)?;
                }
                let reason = error.to_string();
                ctx.send(link, Frame::CosignRefused { newest, reason });
                Ok(())
            }
        }
    }

    /// Signs a neighbour's checkpoint that was recorded here as extending what was cosigned before.
    fn cosign(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        here: &Path,
        signed: &Signed<Checkpoint>,
    ) -> Result<(), Fault> {
        let Ok(claimed) = signed.claimed(MAX_CHECKPOINT_BYTES) else {
            return Ok(());
        };
        if let Some(state) = self.links.get_mut(&link) {
            state.checkpoint.refused = false;
        }
        let cosignature = checkpoint::cosign(signed, here, ctx.now, &self.me.signing);
        ctx.send(
            link,
            Frame::Cosigned {
                size: claimed.size,
                cosignature,
            },
        );
        Ok(())
    }

    pub(super) fn cosigned(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        size: u64,
        cosignature: Cosignature,
    ) -> Result<(), Fault> {
        let Some(peer) = self.peer(link) else {
            return Ok(());
        };
        if let Some(state) = self.links.get_mut(&link) {
            state.checkpoint.running = None;
            state.checkpoint.rest_until = None;
        }
        let Some(row) = ctx
            .txn
            .row::<CheckpointRow>(Table::Checkpoints, &size.to_be_bytes())?
        else {
            return Ok(());
        };
        if cosignature.by != *peer.place()
            || checkpoint::verify_cosignature(
                &row.checkpoint,
                &cosignature,
                peer.member.certificate(),
            )
            .is_err()
        {
            return Ok(());
        }
        if row
            .cosignatures
            .iter()
            .any(|known| known.by == cosignature.by)
        {
            return Ok(());
        }
        ctx.record(&Record::Cosigned { size, cosignature })?;
        self.offer_checkpoint(ctx)
    }

    /// The neighbour did not cosign. Where it only holds another checkpoint than this node thought, the proof starts from that one, if it is
    /// this node's own history; anything else is told to the operator and tried again later.
    pub(super) fn cosign_refused(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        newest: Option<Signed<Checkpoint>>,
        reason: &str,
    ) -> Result<(), Fault> {
        let Some(member) = self.member.clone() else {
            return Ok(());
        };
        let offer = self
            .links
            .get_mut(&link)
            .and_then(|state| state.checkpoint.running.take());
        let Some(offer) = offer else {
            return Ok(());
        };
        let held = self.held(ctx, member.certificate(), newest.as_ref())?;
        let from = match held {
            Held::Ours(size) => size,
            Held::Foreign(held) => {
                let (from, size) = (held.size, counter(&*ctx.txn, meta::LEAVES)?);
                self.rest(link, Moment::MAX);
                return ctx.finding(
                    format!("上级联署过的账本与本节点账本不符（上级{from}条，本节点{size}条）：疑似从旧备份恢复，请核查"),
                    format!("the ledger the parent cosigned ({from} records) is not this node's ({size}): restored from an old backup? ({reason})"),
                    None,
                );
            }
        };
        let newest_own = ctx
            .txn
            .row::<Signed<Checkpoint>>(Table::Meta, meta::CHECKPOINT)?;
        let claimed = newest_own
            .as_ref()
            .and_then(|signed| signed.claimed(MAX_CHECKPOINT_BYTES).ok());
        let elsewhere = from != offer.from && !offer.corrected;
        let (Some(signed), Some(claimed), true) = (newest_own, claimed, elsewhere) else {
            return self.tell_refused(ctx, link, reason);
        };
        if claimed.size <= from {
            // What the neighbour holds is newer than any checkpoint kept here; the next one covers it.
            self.rest(link, ctx.now.plus_millis(REOFFER_AFTER_MS));
            return Ok(());
        }
        let proof = merkle::consistency(from, claimed.size, &Nodes(&*ctx.txn))
            .map_err(|error| Fault(format!("consistency proof: {error}")))?;
        if let Some(state) = self.links.get_mut(&link) {
            let corrected = true;
            state.checkpoint.running = Some(Offer { from, corrected });
        }
        ctx.send(
            link,
            Frame::CheckpointOffer {
                checkpoint: signed,
                from,
                proof,
            },
        );
        Ok(())
    }

    /// What the other side says it cosigned last: part of this node's own history, or of another.
    fn held(
        &self,
        ctx: &Context<'_, '_>,
        own: &Certificate,
        newest: Option<&Signed<Checkpoint>>,
    ) -> Result<Held, Fault> {
        let Some(known) = newest.and_then(|signed| checkpoint::verify(signed, own).ok()) else {
            return Ok(Held::Ours(0));
        };
        let size = counter(&*ctx.txn, meta::LEAVES)?;
        let ours = if known.size <= size {
            merkle::root(known.size, &Nodes(&*ctx.txn)).ok()
        } else {
            None
        };
        Ok(if ours == Some(known.root) {
            Held::Ours(known.size)
        } else {
            Held::Foreign(known)
        })
    }

    /// Tells the operator, once on a link, that the neighbour does not cosign, and waits before the next offer.
    fn tell_refused(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        reason: &str,
    ) -> Result<(), Fault> {
        let told = self
            .links
            .get(&link)
            .is_some_and(|state| state.checkpoint.rest_until.is_some());
        self.rest(link, ctx.now.plus_millis(REOFFER_AFTER_MS));
        if told {
            return Ok(());
        }
        ctx.finding(
            format!("本节点的账本检查点未获联署：{reason}"),
            format!("this node's checkpoint was not cosigned: {reason}"),
            None,
        )
    }

    fn rest(&mut self, link: LinkId, until: Moment) {
        if let Some(state) = self.links.get_mut(&link) {
            state.checkpoint.rest_until = Some(until);
        }
    }
}
