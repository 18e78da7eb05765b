//! Checkpoints of this node's ledger: signed, offered to the parent (the hub: to its children), cosigned, and the same for others.

use identity::{Digest, Signed};
use sharing::ledger::{Checkpoint, Cosignature, checkpoint, merkle};

use super::tables::{View, code_key, counter, merkle_key, meta};
use super::{Context, Core, LinkId, Record};
use crate::store::{Fault, Table};
use crate::wire::Frame;

/// A checkpoint is signed at most this often, milliseconds: one signature for all that happened in between.
const CHECKPOINT_EVERY_MS: i64 = 1_000;
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

impl Core {
    /// Signs a checkpoint when something happened since the last one.
    pub(super) fn sign_checkpoint(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let due = self
            .last_checkpoint
            .is_none_or(|last| ctx.now.millis_since(last) >= CHECKPOINT_EVERY_MS);
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
            let offered = self
                .links
                .get(&link)
                .is_some_and(|state| state.checkpoint_offered);
            if offered {
                continue;
            }
            let proof = merkle::consistency(from, claimed.size, &Nodes(&*ctx.txn))
                .map_err(|error| Fault(format!("consistency proof: {error}")))?;
            if let Some(state) = self.links.get_mut(&link) {
                state.checkpoint_offered = true;
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
        let previous: Option<Signed<Checkpoint>> =
            ctx.txn.row(Table::Cosigned, &code_key(&peer.code()))?;
        let before = previous
            .as_ref()
            .and_then(|signed| signed.claimed(MAX_CHECKPOINT_BYTES).ok());
        if before.as_ref().map_or(0, |before| before.size) != from {
            ctx.send(
                link,
                Frame::CosignRefused {
                    newest: previous,
                    reason: "proof starts elsewhere".into(),
                },
            );
            return Ok(());
        }
        let checked = checkpoint::verify(signed, peer.member.certificate()).and_then(|new| {
            checkpoint::check_extends(before.as_ref(), &new, proof, ctx.now).map(|()| new)
        });
        match checked {
            Ok(new) => {
                let at = ctx.now;
                ctx.record(&Record::ChildCosigned {
                    checkpoint: signed.clone(),
                    at,
                })?;
                let cosignature = checkpoint::cosign(signed, &here, at, &self.me.signing);
                ctx.send(
                    link,
                    Frame::Cosigned {
                        size: new.size,
                        cosignature,
                    },
                );
                Ok(())
            }
            Err(error) => {
                ctx.finding(
                    format!("拒绝为{}的账本检查点联署：{error}", peer.code()),
                    format!("checkpoint of {} not cosigned: {error}", peer.code()),
                    None,
                )?;
                ctx.send(
                    link,
                    Frame::CosignRefused {
                        newest: previous,
                        reason: error.to_string(),
                    },
                );
                Ok(())
            }
        }
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
            state.checkpoint_offered = false;
        }
        let Some(row) = ctx
            .txn
            .row::<super::tables::CheckpointRow>(Table::Checkpoints, &size.to_be_bytes())?
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

    /// The parent holds another checkpoint than this node thinks: start the proof from there if it is this node's own history.
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
        let known = newest
            .as_ref()
            .and_then(|signed| checkpoint::verify(signed, member.certificate()).ok());
        let from = known.as_ref().map_or(0, |known| known.size);
        let size = counter(&*ctx.txn, meta::LEAVES)?;
        let ours = if from <= size {
            merkle::root(from, &Nodes(&*ctx.txn)).ok()
        } else {
            None
        };
        if known.as_ref().is_some_and(|known| ours != Some(known.root)) {
            return ctx.finding(
                format!("上级联署过的账本与本节点账本不符（上级{from}条，本节点{size}条）：疑似从旧备份恢复，请核查"),
                format!("the ledger the parent cosigned ({from} records) is not this node's ({size}): restored from an old backup? ({reason})"),
                None,
            );
        }
        let Some(signed) = ctx
            .txn
            .row::<Signed<Checkpoint>>(Table::Meta, meta::CHECKPOINT)?
        else {
            return Ok(());
        };
        let Ok(claimed) = signed.claimed(MAX_CHECKPOINT_BYTES) else {
            return Ok(());
        };
        if claimed.size <= from {
            if let Some(state) = self.links.get_mut(&link) {
                state.checkpoint_offered = false;
            }
            return Ok(());
        }
        let proof = merkle::consistency(from, claimed.size, &Nodes(&*ctx.txn))
            .map_err(|error| Fault(format!("consistency proof: {error}")))?;
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
}
