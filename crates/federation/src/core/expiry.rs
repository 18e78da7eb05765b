//! Certificates that end soon: told in time to whoever has them renewed, at the node itself and at its parent.
//!
//! A certificate is the word of an authority's head, and no node renews one by itself. What a node can do is to say early and again that it
//! is due, to both who must act: the node asks (`guantong enroll renew`), the head above certifies.

use identity::{Certificate, Chain, Code, Moment};

use super::links::MAX_CHILDREN;
use super::tables::{View, decode_row};
use super::{Context, Core};
use crate::store::{Fault, Table};

/// Days before the end of a certificate at which the operator is told: two weeks are enough for papers to go up and come back.
const TOLD_DAYS_BEFORE: [i64; 4] = [14, 7, 3, 1];
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// How many days before its end a certificate is to be told of now: the least of [`TOLD_DAYS_BEFORE`] that has been reached.
fn due(valid_until: Moment, now: Moment) -> Option<i64> {
    let left = valid_until.millis_since(now);
    TOLD_DAYS_BEFORE
        .into_iter()
        .filter(|days| left > 0 && left <= days * DAY_MS)
        .min()
}

impl Core {
    /// Tells of this node's certificate and of those that were issued here, once for each number of days and run.
    pub(super) fn warn_of_expiry(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let Some(member) = self.member.clone() else {
            return Ok(());
        };
        let own = member.certificate();
        let sealing = own.sealing_key.valid_until;
        let ends = member.valid_until().min(sealing);
        if let Some(days) = self.untold(own.code(), ends, ctx.now) {
            ctx.finding(
                format!("本节点证书将于 {ends} 到期，不足 {days} 天：请运行 guantong enroll renew 并交上级续签"),
                format!("this node's certificate ends on {ends}, in less than {days} days: run guantong enroll renew and have it certified above"),
                None,
            )?;
        }
        for (_, row) in ctx.txn.raw_scan(Table::Children, b"", None, MAX_CHILDREN)? {
            let chain: Chain = decode_row(Table::Children, &row)?;
            let Ok(child) = chain.claimed() else { continue };
            let Certificate {
                valid_until, name, ..
            } = &child;
            if let Some(days) = self.untold(child.code(), *valid_until, ctx.now) {
                let code = child.code();
                ctx.finding(
                    format!("下级{name}（{code}）的证书将于 {valid_until} 到期，不足 {days} 天：待其续期申请，由主管部门负责人签发"),
                    format!("the certificate of {code} below ends on {valid_until}, in less than {days} days: it is to ask for renewal, and the authority's head certifies"),
                    None,
                )?;
            }
        }
        Ok(())
    }

    fn untold(&mut self, code: Code, ends: Moment, now: Moment) -> Option<i64> {
        let Some(days) = due(ends, now) else {
            self.told_expiry.remove(&code);
            return None;
        };
        (self.told_expiry.insert(code, days) != Some(days)).then_some(days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_told_two_weeks_before_and_again() {
        let end = Moment::from_millis(100 * DAY_MS);
        let told = |days_before: i64| due(end, end.plus_days(-days_before));
        assert_eq!(told(15), None);
        assert_eq!(
            [14, 8, 7, 3, 2, 1].map(told),
            [14, 14, 7, 3, 3, 1].map(Some)
        );
        assert_eq!(told(0), None, "it has ended, and the node says so itself");
    }
}
