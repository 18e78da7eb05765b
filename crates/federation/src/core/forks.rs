//! Forks: two signed heads of one log that cannot both be true, kept side by side as the proof.

use identity::planted::{self, Bug};
use identity::{Code, Domain, Signed};

use super::tables::{View, code_key, decode_row, segment_key};
use super::{Context, Core, Record};
use crate::store::{Fault, Table};
use crate::sync::{self, Head, MAX_HEAD_BYTES};

/// Forks of one publisher kept as proof; one is enough to convict, and a signer must not fill the ledger with more.
const MAX_FORKS_KEPT: usize = 8;

impl Core {
    /// Whether a head contradicts what is known of its log. If so both are kept side by side as the proof, once.
    pub(super) fn note_fork(
        &self,
        ctx: &mut Context<'_, '_>,
        head: &Head,
        signed: &Signed<Head>,
    ) -> Result<bool, Fault> {
        let publisher = head.publisher.code();
        let Some(first) = self.contradicted(ctx, head)? else {
            return Ok(false);
        };
        let signers = self.signers(ctx, &publisher)?;
        if !signers
            .iter()
            .any(|(_, key)| signed.check(Domain::Segment, key).is_ok())
        {
            return Ok(false);
        }
        let known =
            ctx.txn
                .raw_scan(Table::Seen, &fork_prefix(&publisher), None, MAX_FORKS_KEPT)?;
        let key = fork_key(&publisher, head.last);
        if known.len() >= MAX_FORKS_KEPT || known.iter().any(|(seen, _)| *seen == key) {
            return Ok(true);
        }
        if planted::is(Bug::ForkProofNotKept) {
            return Ok(true);
        }
        let at = ctx.now;
        ctx.record(&Record::ForkFound {
            first,
            second: signed.clone(),
            at,
        })?;
        ctx.finding(
            format!(
                "{publisher}对目录序号{}签署了两个不同的版本；双方签名已存证",
                head.last
            ),
            format!(
                "{publisher} signed two histories for sequence {}; both are kept as proof",
                head.last
            ),
            None,
        )?;
        Ok(true)
    }

    /// The stored head of the same log with which this one cannot both be true: of the segment before it, of those it lies across, or of
    /// the one after it.
    fn contradicted(
        &self,
        ctx: &Context<'_, '_>,
        head: &Head,
    ) -> Result<Option<Signed<Head>>, Fault> {
        let publisher = head.publisher.code();
        let before = segment_key(&publisher, head.first.saturating_sub(2));
        let stored = ctx.txn.raw_scan(
            Table::Segments,
            &code_key(&publisher),
            (head.first > 1).then_some(before.as_slice()),
            NEIGHBOURING_HEADS,
        )?;
        for (_, row) in stored {
            let known: Signed<Head> = decode_row(Table::Segments, &row)?;
            let claimed = known
                .claimed(MAX_HEAD_BYTES)
                .map_err(|error| Fault(format!("stored head: {error}")))?;
            if sync::conflict(&claimed, head).is_some() {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }
}

/// Stored heads from the one before a head on: that one, one that begins inside it, and the one that follows.
const NEIGHBOURING_HEADS: usize = 3;

/// Where the forks found of one publisher are remembered.
fn fork_prefix(publisher: &Code) -> Vec<u8> {
    let mut key = vec![b'f'];
    key.extend_from_slice(&code_key(publisher));
    key
}

/// Where a found fork is remembered, so that it is reported once.
pub(super) fn fork_key(publisher: &Code, last: u64) -> Vec<u8> {
    let mut key = vec![b'f'];
    key.extend_from_slice(&segment_key(publisher, last));
    key
}
