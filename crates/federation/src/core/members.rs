//! Membership: installing this node's chain, certifying and revoking children, telling the descendants.

use std::collections::BTreeSet;

use identity::membership::MAX_CERTIFICATE_BYTES;
use identity::place::MAX_DEPTH;
use identity::planted::{self, Bug};
use identity::{
    Chain, Code, EnrolmentRequest, MembershipError, Moment, Path, Revocation, Signed, Terms,
};
use sharing::act::VerifiedAct;
use sharing::catalogue::Change;
use statute::{Article, Refusal, RefusalReason};

use super::acts::Outcome;
use super::tables::{View, counter, decode_row, meta, serial_key};
use super::view::CutOff;
use super::{Answer, Context, Core, Effect, LinkId, Record, Refused, Token, revoked};
use crate::store::{Fault, Table};
use crate::wire::Frame;

/// Most days a certificate is valid: renewed well before.
const MAX_VALID_DAYS: u16 = 400;
/// A certificate is valid from a little before it was issued, for clocks that lag, milliseconds.
pub(super) const BACKDATED_MS: i64 = 300_000;
/// Revocations told at a greeting, newest knowledge of a whole federation.
const MAX_REVOCATIONS: usize = 8_192;
/// Most bytes of an encoded revocation.
const MAX_REVOCATION_BYTES: usize = 1_024;
/// Unknown issuers of revocations whose chains are asked for after one message; the others at the next greeting.
const ISSUERS_ASKED_AT_ONCE: usize = 64;

impl Core {
    /// Takes a chain as this node's own: at enrolment, renewal, or start.
    pub(super) fn adopt(&mut self, ctx: &Context<'_, '_>, chain: &Chain) -> Result<(), Fault> {
        let now = chain.verify(&self.me.root, ctx.now, &revoked(&*ctx.txn));
        let before = self.cut_off.take();
        self.cut_off = match &now {
            Err(MembershipError::Revoked { .. }) => cut_off(&*ctx.txn, chain)?,
            Ok(_) | Err(_) => None,
        };
        if before.is_some() && self.cut_off.is_none() {
            // Dockets with others were left alone meanwhile.
            self.last_warned = None;
        }
        // An expired or revoked certificate keeps its place: the node reads and serves what it has, and signs nothing (see `membership`).
        let verified = now.or_else(|_| {
            let until = chain
                .claimed()
                .map_or(Moment::MIN, |certificate| certificate.valid_from);
            chain.verify_historic(&self.me.root, until)
        });
        self.member = verified.ok();
        Ok(())
    }

    pub(super) fn install(
        &mut self,
        ctx: &mut Context<'_, '_>,
        token: Token,
        chain: Chain,
    ) -> Result<(), Fault> {
        let answer = match self.check_own_chain(ctx, &chain) {
            Err(reason) => Err(Refused::NotAuthentic(reason)),
            Ok(()) => {
                let known = ctx.txn.row::<Chain>(Table::Meta, meta::CHAIN)?;
                let repeated = known.as_ref() == Some(&chain);
                if !repeated {
                    let at = ctx.now;
                    ctx.record(&Record::Installed {
                        chain: chain.clone(),
                        at,
                    })?;
                }
                self.adopt(ctx, &chain)?;
                self.announce_neighbours(ctx)?;
                self.resume_tables(ctx)?;
                self.resume_passing_on(ctx)?;
                for link in self.links.keys().copied().collect::<Vec<_>>() {
                    ctx.close(link, "new certificate installed: greeting again");
                }
                Ok(Answer {
                    repeated,
                    ..Answer::at(ctx.now)
                })
            }
        };
        ctx.effects.push(Effect::Answer { token, answer });
        Ok(())
    }

    fn check_own_chain(&self, ctx: &Context<'_, '_>, chain: &Chain) -> Result<(), String> {
        let member = chain
            .verify(&self.me.root, ctx.now, &revoked(&*ctx.txn))
            .map_err(|error| error.to_string())?;
        if member.certificate().signing_key != self.me.signing.verify_key() {
            return Err(format!(
                "{} 的证书不是签发给本节点密钥的 (not for this node's key)",
                member.place()
            ));
        }
        let sealing = &member.certificate().sealing_key;
        let held = |key: &identity::OpeningKey| key.sealing_key(sealing.valid_until) == *sealing;
        if !self.me.opening.iter().any(held) {
            return Err(format!(
                "本节点没有证书所载的第 {} 号加密密钥：重启节点使其读取密钥，再行装入 (restart it so that it reads its keys, then install again)",
                sealing.id
            ));
        }
        match self.place() {
            Some(place) if place != member.place() => Err(format!(
                "本节点是 {place}，证书是 {} 的 (a certificate for another place)",
                member.place()
            )),
            _ => Ok(()),
        }
    }

    /// R30: the authority certifies a child. The certificate climbs with the publication log.
    pub(super) fn certify(
        &mut self,
        ctx: &mut Context<'_, '_>,
        _act: &VerifiedAct,
        request: &Signed<EnrolmentRequest>,
        witnesses: &[Code],
        valid_days: u16,
    ) -> Result<Outcome, Fault> {
        let Some(member) = self.member.clone() else {
            return Ok(Outcome::Invalid("本节点没有证书 (no certificate)".into()));
        };
        if valid_days == 0 || valid_days > MAX_VALID_DAYS {
            return Ok(Outcome::Invalid(format!(
                "证书有效期应为 1 至 {MAX_VALID_DAYS} 天，不是 {valid_days} 天 (a certificate is valid for 1 to {MAX_VALID_DAYS} days)"
            )));
        }
        let asked = match EnrolmentRequest::verify(request) {
            Ok(asked) => asked,
            Err(error) => return Ok(Outcome::Invalid(format!("入网申请：{error}"))),
        };
        let known: Option<Chain> = self.child_chain(ctx, &asked.code)?;
        let epoch = match known.as_ref().and_then(|chain| chain.claimed().ok()) {
            // The same keys renew; other keys at the same place are a successor with the next epoch.
            Some(before) if before.signing_key == asked.signing_key => before.epoch,
            Some(before) => before.epoch + 1,
            None => 1,
        };
        if known.is_none()
            && ctx
                .txn
                .raw_scan(Table::Children, b"", None, super::links::MAX_CHILDREN)?
                .len()
                >= super::links::MAX_CHILDREN
        {
            return Ok(Outcome::Invalid(format!(
                "一个节点至多有 {} 个下级 (too many children)",
                super::links::MAX_CHILDREN
            )));
        }
        let terms = Terms {
            serial: counter(&*ctx.txn, meta::SERIAL)? + 1,
            epoch,
            witnesses: witnesses.to_vec(),
            valid_from: ctx.now.plus_millis(-BACKDATED_MS),
            valid_until: ctx.now.plus_days(i64::from(valid_days)),
        };
        match identity::issue(request, member.certificate(), &self.me.signing, terms) {
            Ok(certificate) => Ok(Outcome::Certified(member.chain().with(certificate))),
            Err(error) => Ok(Outcome::Invalid(error.to_string())),
        }
    }

    pub(super) fn after_certify(
        &mut self,
        ctx: &mut Context<'_, '_>,
        chain: &Chain,
    ) -> Result<(), Fault> {
        let at = ctx.now;
        ctx.record(&Record::Certified {
            chain: chain.clone(),
            at,
        })?;
        self.announce_neighbours(ctx)?;
        self.publish(
            ctx,
            vec![Change::MemberCertified {
                chain: chain.clone(),
            }],
        )
    }

    /// The authority revokes a child: links end, the descendants are told, the log carries it up.
    pub(super) fn after_revoke(
        &mut self,
        ctx: &mut Context<'_, '_>,
        node: Code,
        serial: u64,
        reason: identity::RevocationReason,
    ) -> Result<(), Fault> {
        let Some(here) = self.place().cloned() else {
            return Ok(());
        };
        let revocation = Revocation {
            issuer: here.code(),
            serial,
            node,
            reason,
            at: ctx.now,
        }
        .sign(&self.me.signing);
        let at = ctx.now;
        ctx.record(&Record::Revoked {
            revocation: revocation.clone(),
            at,
        })?;
        self.publish(
            ctx,
            vec![Change::MemberRevoked {
                revocation: revocation.clone(),
            }],
        )?;
        self.revoked_now(ctx, &[revocation])
    }

    /// What a publisher's log says of its own children, once it is in the ledger. It is believed only of those, and only where the signature
    /// holds: a log is its author's word, and no author may certify or revoke in another's place.
    pub(super) fn members_changed(
        &mut self,
        ctx: &mut Context<'_, '_>,
        publisher: &Path,
        changes: Vec<Change>,
    ) -> Result<(), Fault> {
        let mut news = Vec::new();
        for change in changes {
            match change {
                Change::MemberCertified { chain } => {
                    self.member_certified(ctx, publisher, &chain)?;
                }
                Change::MemberRevoked { revocation } => {
                    let Ok(claimed) = revocation.claimed(MAX_REVOCATION_BYTES) else {
                        continue;
                    };
                    let own_to_give = claimed.issuer == publisher.code();
                    if own_to_give && self.take_revocation(ctx, &claimed, &revocation)? {
                        news.push(revocation);
                    }
                }
                Change::Published { .. }
                | Change::Withdrawn { .. }
                | Change::SourceNamed { .. }
                | Change::OpeningMarked { .. } => {}
            }
        }
        self.revoked_now(ctx, &news)
    }

    /// A child certified in a publisher's log. In this node's own log, given back after a loss, it is a child this node had forgotten.
    fn member_certified(
        &mut self,
        ctx: &mut Context<'_, '_>,
        publisher: &Path,
        chain: &Chain,
    ) -> Result<(), Fault> {
        let Ok(member) = chain.verify(&self.me.root, ctx.now, &revoked(&*ctx.txn)) else {
            return Ok(());
        };
        if member.place().parent().as_ref() != Some(publisher) {
            return Ok(());
        }
        let forgotten = Some(publisher) == self.place()
            && member.certificate().serial > counter(&*ctx.txn, meta::SERIAL)?;
        if forgotten {
            let at = ctx.now;
            ctx.record(&Record::Certified {
                chain: chain.clone(),
                at,
            })?;
            return self.announce_neighbours(ctx);
        }
        self.learn(ctx, chain, ctx.now)
    }

    /// After revocations were recorded: links that fall with them end, the driver and the descendants are told, and this node looks at its own
    /// line again.
    fn revoked_now(
        &mut self,
        ctx: &mut Context<'_, '_>,
        news: &[Signed<Revocation>],
    ) -> Result<(), Fault> {
        if news.is_empty() {
            return Ok(());
        }
        if let Some(chain) = ctx.txn.row::<Chain>(Table::Meta, meta::CHAIN)? {
            let stood = self.cut_off.is_none();
            self.adopt(ctx, &chain)?;
            if let Some(cut_off) = self.cut_off.clone().filter(|_| stood) {
                told_cut_off(ctx, &cut_off)?;
            }
        }
        self.close_revoked(ctx)?;
        self.announce_neighbours(ctx)?;
        if planted::is(Bug::RevocationNotPassedDown) {
            return Ok(());
        }
        for below in self.child_links() {
            let list = news.to_vec();
            ctx.send(below, Frame::Revocations { list });
        }
        Ok(())
    }

    /// Ends links to neighbours whose chain no longer stands.
    pub(super) fn close_revoked(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let mut fallen = Vec::new();
        for (link, state) in &self.links {
            if let Some(peer) = &state.peer
                && let Err(error) =
                    peer.member
                        .chain()
                        .verify(&self.me.root, ctx.now, &revoked(&*ctx.txn))
            {
                let chain = peer.member.chain().clone();
                fallen.push((*link, peer.code(), chain, error.to_string()));
            }
        }
        for (link, code, chain, error) in fallen {
            ctx.finding(
                format!("与{code}的连接已断开：{error}"),
                format!("link to {code} ended: {error}"),
                None,
            )?;
            self.send_revocations_of(ctx, link, &chain)?;
            ctx.close(link, error);
            // At once: what still arrives on it is not taken up.
            self.link_down(link, ctx.now)?;
        }
        Ok(())
    }

    /// Tells whoever holds a chain of which a certificate was revoked that it was: the last that is said on the link, and signed by whoever
    /// revoked it, so that it is believed without believing this node.
    pub(super) fn send_revocations_of(
        &self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        chain: &Chain,
    ) -> Result<(), Fault> {
        let list = revocations_of(&*ctx.txn, chain)?;
        if !list.is_empty() {
            ctx.send(link, Frame::Revocations { list });
        }
        Ok(())
    }

    /// At a greeting a child hears of every revocation known here.
    pub(super) fn send_revocations(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
    ) -> Result<(), Fault> {
        let mut list = Vec::new();
        for (_, row) in ctx
            .txn
            .raw_scan(Table::Revocations, b"", None, MAX_REVOCATIONS)?
        {
            list.push(decode_row(Table::Revocations, &row)?);
        }
        if !list.is_empty() {
            ctx.send(link, Frame::Revocations { list });
        }
        Ok(())
    }

    pub(super) fn revocations_received(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        list: &[Signed<Revocation>],
    ) -> Result<(), Fault> {
        if self.parent_link() != Some(link) || list.len() > MAX_REVOCATIONS {
            return Ok(());
        }
        let mut news = Vec::new();
        let mut unknown = BTreeSet::new();
        for signed in list {
            let Ok(claimed) = signed.claimed(MAX_REVOCATION_BYTES) else {
                continue;
            };
            if self.signers(ctx, &claimed.issuer)?.is_empty() {
                if self.unproven.len() < MAX_REVOCATIONS {
                    let named = (claimed.issuer, claimed.serial);
                    self.unproven.insert(named, signed.clone());
                    unknown.insert(claimed.issuer);
                }
            } else if self.take_revocation(ctx, &claimed, signed)? {
                news.push(signed.clone());
            }
        }
        for issuer in unknown.into_iter().take(ISSUERS_ASKED_AT_ONCE) {
            self.ask_chain(ctx, issuer)?;
        }
        self.revoked_now(ctx, &news)
    }

    /// Revocations that waited for their issuer's chain.
    pub(super) fn prove_revocations(
        &mut self,
        ctx: &mut Context<'_, '_>,
        issuer: Code,
    ) -> Result<(), Fault> {
        let waiting: Vec<_> = self
            .unproven
            .range((issuer, 0)..=(issuer, u64::MAX))
            .map(|(named, signed)| (*named, signed.clone()))
            .collect();
        let mut news = Vec::new();
        for (named, signed) in waiting {
            self.unproven.remove(&named);
            if let Ok(claimed) = signed.claimed(MAX_REVOCATION_BYTES)
                && self.take_revocation(ctx, &claimed, &signed)?
            {
                news.push(signed);
            }
        }
        self.revoked_now(ctx, &news)
    }

    /// Records a revocation that is new and signed by its issuer; says whether it did.
    fn take_revocation(
        &self,
        ctx: &mut Context<'_, '_>,
        claimed: &Revocation,
        signed: &Signed<Revocation>,
    ) -> Result<bool, Fault> {
        let key = serial_key(&claimed.issuer, claimed.serial);
        if ctx.txn.raw(Table::Revocations, &key)?.is_some() {
            return Ok(false);
        }
        let signers = self.signers(ctx, &claimed.issuer)?;
        if !signers
            .iter()
            .any(|(_, key)| Revocation::verify(signed, key).is_ok())
            && !planted::is(Bug::ForgedRevocationBelieved)
        {
            return Ok(false);
        }
        let at = ctx.now;
        ctx.record(&Record::Revoked {
            revocation: signed.clone(),
            at,
        })?;
        Ok(true)
    }
}

/// The revocations known here of the certificates in a chain, from the hub down.
fn revocations_of<V: View + ?Sized>(
    view: &V,
    chain: &Chain,
) -> Result<Vec<Signed<Revocation>>, Fault> {
    let mut found = Vec::new();
    // A chain that was not verified may name one certificate any number of times.
    for signed in chain.certificates().iter().take(MAX_DEPTH) {
        if let Ok(certificate) = signed.claimed(MAX_CERTIFICATE_BYTES) {
            let key = serial_key(&certificate.issuer, certificate.serial);
            found.extend(view.row(Table::Revocations, &key)?);
        }
    }
    Ok(found)
}

/// That a chain was revoked, by whom and why: of its certificates the highest counts.
pub(super) fn cut_off<V: View + ?Sized>(view: &V, chain: &Chain) -> Result<Option<CutOff>, Fault> {
    let revoked = revocations_of(view, chain)?;
    let mut claimed = revoked
        .iter()
        .filter_map(|signed| signed.claimed(MAX_REVOCATION_BYTES).ok());
    Ok(claimed.next().map(|revocation| CutOff {
        node: revocation.node,
        by: revocation.issuer,
        serial: revocation.serial,
        reason: revocation.reason,
        at: revocation.at,
    }))
}

/// What a node that was cut off answers.
pub(super) fn refusal(cut_off: &CutOff) -> Refusal {
    let reason = RefusalReason::NodeCutOff {
        node: cut_off.node.to_string(),
        by: cut_off.by.to_string(),
        serial: cut_off.serial,
    };
    reason.under(Article::R35)
}

fn told_cut_off(ctx: &mut Context<'_, '_>, cut_off: &CutOff) -> Result<(), Fault> {
    let refusal = refusal(cut_off);
    let (zh, en) = (refusal.reason.zh(), refusal.reason.to_string());
    ctx.finding(zh, en, Some(refusal.article))
}

#[cfg(test)]
mod tests {
    use identity::RevocationReason;

    use super::*;
    use crate::core::tests::{GUANGDONG, NOW, chain, code, node_key};
    use crate::store::{Memory, Read};

    #[test]
    fn of_a_chain_that_names_one_certificate_ten_thousand_times_few_revocations_are_looked_up() {
        let revoked = chain(GUANGDONG);
        let certificate = revoked.claimed().unwrap();
        let revocation = Revocation {
            issuer: certificate.issuer,
            serial: certificate.serial,
            node: certificate.code(),
            reason: RevocationReason::KeyCompromise,
            at: NOW,
        };
        let signed = revocation.sign(&node_key(code("100000")));
        let mut store = Memory::default();
        store.tables.insert(
            (
                Table::Revocations,
                serial_key(&certificate.issuer, certificate.serial),
            ),
            identity::codec::encode(&signed),
        );
        let view: &dyn Read = &store;
        let one = revoked.certificates().last().unwrap().clone();
        let deep = Chain::new(vec![one; 10_000]);
        assert_eq!(revocations_of(view, &deep).unwrap().len(), MAX_DEPTH);
        assert_eq!(revocations_of(view, &revoked).unwrap(), [signed]);
    }
}
