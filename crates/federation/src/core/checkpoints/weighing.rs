//! Another node's checkpoint, judged: for a child, for the hub, and for whoever named this node as its witness.

use identity::planted::{self, Bug};
use identity::{Certificate, Code, Digest, Signed};
use sharing::ledger::{Checkpoint, CheckpointError, checkpoint};

use super::MAX_CHECKPOINT_BYTES;
use crate::core::tables::{View, code_key, refused_key};
use crate::core::{Context, Core, Record};
use crate::store::{Fault, Table};

/// The reason given when a proof does not start where this node cosigned last.
pub(super) const ELSEWHERE: &str = "proof starts elsewhere";

/// What came of judging another node's checkpoint.
pub(super) enum Weighed {
    /// It extends what was cosigned here before, or is it.
    Holds,
    /// Its proof starts elsewhere than at the newest cosigned here.
    Elsewhere(Option<Signed<Checkpoint>>),
    /// It does not hold against the newest cosigned here.
    Refused(Option<Signed<Checkpoint>>, CheckpointError),
}

impl Core {
    /// Judges another node's checkpoint by the newest of its own that was cosigned here. What holds is recorded; of two that cannot both be
    /// true both signatures are kept.
    pub(super) fn weigh(
        &self,
        ctx: &mut Context<'_, '_>,
        of: &Certificate,
        signed: &Signed<Checkpoint>,
        from: u64,
        proof: &[Digest],
    ) -> Result<Weighed, Fault> {
        if planted::is(Bug::CosignedUnchecked) {
            return Ok(Weighed::Holds);
        }
        let mut previous: Option<Signed<Checkpoint>> =
            ctx.txn.row(Table::Cosigned, &code_key(&of.code()))?;
        if planted::is(Bug::WitnessForgets) {
            previous = None;
        }
        if previous.as_ref() == Some(signed) {
            // Cosigned before; the answer was lost on the way.
            return Ok(Weighed::Holds);
        }
        let before = previous
            .as_ref()
            .and_then(|signed| signed.claimed(MAX_CHECKPOINT_BYTES).ok());
        // A successor begins its own ledger: the old one's size means nothing to it.
        let same_epoch = before.as_ref().filter(|before| before.epoch >= of.epoch);
        let new = match checkpoint::verify(signed, of) {
            Ok(new) => new,
            Err(error) => return Ok(Weighed::Refused(previous, error)),
        };
        let forked = same_epoch.is_some_and(|it| it.size == new.size && it.root != new.root);
        let starts = same_epoch.map(|before| before.size);
        if !forked && (starts.is_some_and(|size| size != from) || (before.is_none() && from != 0)) {
            return Ok(Weighed::Elsewhere(previous));
        }
        let Err(error) = checkpoint::check_extends(before.as_ref(), &new, proof, ctx.now) else {
            let (checkpoint, at) = (signed.clone(), ctx.now);
            ctx.record(&Record::ChildCosigned { checkpoint, at })?;
            return Ok(Weighed::Holds);
        };
        if let Some(held) = &previous
            && contradicts(&error)
            && !planted::is(Bug::CheckpointForkNotKept)
            && ctx
                .txn
                .raw(Table::Seen, &refused_key(&of.code()))?
                .is_none()
        {
            let (held, refused, at) = (held.clone(), signed.clone(), ctx.now);
            ctx.record(&Record::CheckpointRefused { held, refused, at })?;
        }
        Ok(Weighed::Refused(previous, error))
    }
}

/// Whether two signed checkpoints of one node cannot both be of one history.
pub(super) fn contradicts(error: &CheckpointError) -> bool {
    match error {
        CheckpointError::Shrunk { .. }
        | CheckpointError::Forked { .. }
        | CheckpointError::BadProof(_) => true,
        CheckpointError::Signature(_)
        | CheckpointError::WrongNode { .. }
        | CheckpointError::EpochNotCertified { .. }
        | CheckpointError::FromTheFuture { .. }
        | CheckpointError::EpochBack { .. }
        | CheckpointError::TimeBack => false,
    }
}

/// Tells the operator that another node's checkpoint is not cosigned here.
pub(super) fn tell_denied(
    ctx: &mut Context<'_, '_>,
    of: &Code,
    error: &CheckpointError,
) -> Result<(), Fault> {
    ctx.finding(
        format!("拒绝为{of}的账本检查点联署：{error}"),
        format!("checkpoint of {of} not cosigned: {error}"),
        None,
    )
}
