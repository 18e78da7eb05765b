//! Witnesses (见证节点): nodes outside this one's line that its certificate names. They are asked by the clock, in routed envelopes, so that
//! not even a parent and its child together rewrite what one of them recorded.
//!
//! ```text
//! Free ──ask──► Asked ──cosigned──► Free
//!                 │ another start named        ┌─► Refused (told once; asked again after a while)
//!                 └──► Corrected ──ask──► AskedAgain ──cosigned──► Free
//! ```

use identity::{Code, Digest, Member, Signed};
use sharing::ledger::{Checkpoint, Cosignature, MAX_CLOCK_AHEAD_MS, checkpoint, merkle};

use super::weighing::{ELSEWHERE, Weighed, contradicts, tell_denied};
use super::{Held, MAX_CHECKPOINT_BYTES, Nodes};
use crate::core::clock::elapsed;
use crate::core::tables::{
    CheckpointRow, Standing, View, WitnessRow, code_key, counter, meta, refused_key, witness_key,
};
use crate::core::{Context, Core, Record};
use crate::store::{Fault, Table};
use crate::wire::Payload;

/// A witness is asked at most this often, milliseconds: one cosignature for all that happened in between.
const ASK_EVERY_MS: i64 = 10_000;
/// A witness that refused is asked again after this long, milliseconds: what is wrong is not set right within minutes.
const REFUSED_REST_MS: i64 = 3_600_000;
/// A witness that does not answer is asked again after this long, milliseconds: a day, for the envelope itself waits thirty.
const UNANSWERED_MS: i64 = 24 * 3_600 * 1_000;

impl WitnessRow {
    /// How long after it was last asked this witness may be asked again, milliseconds.
    fn rest_ms(&self) -> i64 {
        match self.standing {
            Standing::Free | Standing::Corrected => ASK_EVERY_MS,
            Standing::Asked | Standing::AskedAgain => UNANSWERED_MS,
            Standing::Refused => REFUSED_REST_MS,
        }
    }
}

impl Core {
    /// Asks each witness to cosign the newest checkpoint, when something that matters is not covered by what it cosigned.
    pub(in crate::core) fn ask_witnesses(
        &mut self,
        ctx: &mut Context<'_, '_>,
    ) -> Result<(), Fault> {
        let Some(member) = self.member.clone() else {
            return Ok(());
        };
        let witnesses = &member.certificate().witnesses;
        if witnesses.is_empty() {
            return Ok(());
        }
        let Some(newest) = ctx
            .txn
            .row::<Signed<Checkpoint>>(Table::Meta, meta::CHECKPOINT)?
        else {
            return Ok(());
        };
        // One signed before a renewal into another epoch does not verify any more; the next one does.
        let Ok(claimed) = checkpoint::verify(&newest, member.certificate()) else {
            return Ok(());
        };
        let row: Option<CheckpointRow> = ctx
            .txn
            .row(Table::Checkpoints, &claimed.size.to_be_bytes())?;
        let matters = row.map_or(0, |row| row.matters);
        for witness in witnesses {
            let row = witness_row(ctx, witness)?;
            let news = matters > row.covered && claimed.size > row.size;
            if !news || !elapsed(row.asked, ctx.now, row.rest_ms()) {
                continue;
            }
            // A question that has not even left, because nobody knows the way, is not asked a second time.
            let unsent = ctx
                .txn
                .raw_scan(Table::Unsealed, &code_key(witness), None, 1)?;
            if !unsent.is_empty() {
                continue;
            }
            let proof = merkle::consistency(row.size, claimed.size, &Nodes(&*ctx.txn))
                .map_err(|error| Fault(format!("consistency proof: {error}")))?;
            ctx.record(&Record::WitnessAsked {
                witness: *witness,
                size: claimed.size,
                at: ctx.now,
            })?;
            let wanted = Payload::WitnessWanted {
                checkpoint: newest.clone(),
                from: row.size,
                proof,
            };
            self.queue(ctx, *witness, wanted)?;
        }
        Ok(())
    }

    /// A node asks this one to witness its checkpoint. Only one whose certificate names this node is answered.
    pub(in crate::core) fn witness_wanted(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        signed: &Signed<Checkpoint>,
        start: u64,
        proof: &[Digest],
    ) -> Result<(), Fault> {
        let Some(here) = self.place().cloned() else {
            return Ok(());
        };
        let certificate = from.certificate();
        if !certificate.witnesses.contains(&here.code()) {
            return Ok(());
        }
        let told = ctx
            .txn
            .raw(Table::Seen, &refused_key(&from.code()))?
            .is_some();
        let answer = match self.weigh(ctx, certificate, signed, start, proof)? {
            Weighed::Holds => match signed.claimed(MAX_CHECKPOINT_BYTES) {
                Ok(claimed) => Payload::Witnessed {
                    size: claimed.size,
                    cosignature: checkpoint::cosign(signed, &here, ctx.now, &self.me.signing),
                },
                Err(_) => return Ok(()),
            },
            Weighed::Elsewhere(newest) => Payload::WitnessRefused {
                newest,
                reason: ELSEWHERE.into(),
            },
            Weighed::Refused(newest, error) => {
                if contradicts(&error) && !told {
                    tell_denied(ctx, &from.code(), &error)?;
                }
                let reason = error.to_string();
                Payload::WitnessRefused { newest, reason }
            }
        };
        self.queue(ctx, from.code(), answer)
    }

    /// A witness cosigned: kept beside the parent's cosignature, where it would hold in evidence.
    pub(in crate::core) fn witnessed(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        size: u64,
        cosignature: Cosignature,
    ) -> Result<(), Fault> {
        let row: Option<CheckpointRow> = ctx.txn.row(Table::Checkpoints, &size.to_be_bytes())?;
        let (true, Some(row)) = (self.names_witness(from), row) else {
            return Ok(());
        };
        let Ok(claimed) = row.checkpoint.claimed(MAX_CHECKPOINT_BYTES) else {
            return Ok(());
        };
        let (certificate, at) = (from.certificate(), cosignature.at);
        let in_time = claimed.at.millis_since(at) <= MAX_CLOCK_AHEAD_MS
            && at.millis_since(ctx.now) <= MAX_CLOCK_AHEAD_MS
            && certificate.valid_from <= at
            && at < from.valid_until();
        let holds =
            checkpoint::verify_cosignature(&row.checkpoint, &cosignature, certificate).is_ok();
        let known = row.cosignatures.iter().any(|it| it.by == cosignature.by);
        if in_time && holds && !known {
            ctx.record(&Record::Cosigned { size, cosignature })?;
        }
        Ok(())
    }

    /// A witness did not cosign. Where it only holds another part of this node's own history, the next proof starts there; a history that is
    /// not this node's is told to the operator, with both signatures kept.
    pub(in crate::core) fn witness_refused(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        newest: Option<&Signed<Checkpoint>>,
        reason: &str,
    ) -> Result<(), Fault> {
        let (true, Some(member)) = (self.names_witness(from), self.member.clone()) else {
            return Ok(());
        };
        let (witness, at) = (from.code(), ctx.now);
        let row = witness_row(ctx, &witness)?;
        let first = match row.standing {
            Standing::Asked => true,
            Standing::AskedAgain => false,
            // Nothing was asked: nothing can be refused.
            Standing::Free | Standing::Corrected | Standing::Refused => return Ok(()),
        };
        let held = self.held(ctx, member.certificate(), newest)?;
        let mut start = None;
        match (&held, newest) {
            (Held::Ours(size), _) if first && *size != row.size => start = Some(*size),
            (Held::Foreign(other), Some(newest)) if !row.told => {
                keep_fork(ctx, other, newest)?;
                let (theirs, ours) = (other.size, counter(&*ctx.txn, meta::LEAVES)?);
                ctx.finding(
                    format!("见证节点{witness}见证过的账本与本节点账本不符（见证{theirs}条，本节点{ours}条）：疑似从旧备份恢复或账本分叉，请核查"),
                    format!("the ledger that witness {witness} cosigned ({theirs} records) is not this node's ({ours}): restored from an old backup, or forked? ({reason})"),
                    None,
                )?;
            }
            (Held::Ours(_), _) if !row.told => ctx.finding(
                format!("见证节点{witness}未联署本节点的账本检查点：{reason}"),
                format!("witness {witness} did not cosign this node's checkpoint: {reason}"),
                None,
            )?,
            (Held::Ours(_) | Held::Foreign(_), _) => {}
        }
        ctx.record(&Record::WitnessRefused {
            witness,
            from: start,
            at,
        })
    }

    /// Whether this node's certificate names the member as a witness.
    fn names_witness(&self, from: &Member) -> bool {
        let named = |member: &Member| member.certificate().witnesses.contains(&from.code());
        self.member.as_ref().is_some_and(named)
    }
}

fn witness_row(ctx: &Context<'_, '_>, witness: &Code) -> Result<WitnessRow, Fault> {
    let row = ctx.txn.row(Table::Meta, &witness_key(witness))?;
    Ok(row.unwrap_or_default())
}

/// Where this node signed another checkpoint of the same size, the two are the proof of the fork.
fn keep_fork(
    ctx: &mut Context<'_, '_>,
    held: &Checkpoint,
    signed: &Signed<Checkpoint>,
) -> Result<(), Fault> {
    let own: Option<CheckpointRow> = ctx.txn.row(Table::Checkpoints, &held.size.to_be_bytes())?;
    if let Some(own) = own {
        let at = ctx.now;
        ctx.record(&Record::CheckpointRefused {
            held: signed.clone(),
            refused: own.checkpoint,
            at,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
