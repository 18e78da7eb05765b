//! Envelopes: queued durably, sealed to their destination, passed from outbox to outbox, acknowledged hop by hop.

use std::collections::BTreeMap;

use identity::planted::{self, Bug};
use identity::{
    Chain, Code, Domain, Member, MembershipError, Moment, Path, Signed, codec, sealing,
};

use super::links::Peer;
use super::tables::{OutboxRow, SeenRow, View, code_key, counter, envelope_key};
use super::{Context, Core, LinkId, Record};
use crate::store::{Fault, Table};
use crate::wire::{
    ENVELOPE_WINDOW, Envelope, EnvelopeId, Frame, MAX_ENVELOPE_BYTES, NackReason, Payload,
};

/// How long an envelope may be on its way before its sender is told, milliseconds: thirty days, so that a node cut off for weeks still answers.
const ENVELOPE_LIFE_MS: i64 = 30 * 24 * 3_600 * 1_000;
/// Binds the sealing of payloads to this protocol.
const SEAL_INFO: &[u8] = b"guantong envelope v1";
/// Outbox places, and envelopes remembered, looked at for expiry in one tick; the next tick goes on where this one ended.
const EXPIRY_SCAN: usize = 64;
/// How far another node's clock may be ahead of this one's for its envelopes to be taken, milliseconds: a day, for what lies longer in an
/// outbox than it says fills it.
const CLOCK_AHEAD_MS: i64 = 24 * 3_600 * 1_000;
/// Bytes of an envelope around what is sealed in it: two paths of eight codes, numbers, the encapsulated key and the tag.
const ENVELOPE_FRAME_BYTES: usize = 4_096;

/// Envelopes pushed on one link and not yet acknowledged: id to outbox key.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    pushed: BTreeMap<EnvelopeId, Vec<u8>>,
    cursor: Option<Vec<u8>>,
}

/// How far the search for expired envelopes has come, by key; from the beginning when it reached the end.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    outbox: Option<Vec<u8>>,
    seen: Option<Vec<u8>>,
}

/// An envelope that may be taken, its origin, and the next neighbour on its way; none when it is for this node.
type Checked = (Envelope, Member, Option<Code>);

/// Whether the envelope is its signer's own and comes from where its origin lies: from below only what began at or below that child, from above
/// only what began outside this subtree.
fn in_its_place(here: &Path, peer: &Peer, member: &Member, envelope: &Envelope) -> bool {
    let within = |top: &Path| top == &envelope.from || top.is_ancestor_of(&envelope.from);
    let from_there = if peer.parent {
        !within(here)
    } else {
        within(peer.place())
    };
    let from_there = from_there || planted::is(Bug::ForeignEnvelopeAccepted);
    envelope.from == *member.place() && from_there
}

impl Core {
    /// Sends a payload to a node: here at once, elsewhere through the outboxes.
    pub(super) fn queue(
        &mut self,
        ctx: &mut Context<'_, '_>,
        to: Code,
        payload: Payload,
    ) -> Result<(), Fault> {
        let Some(member) = self.member.clone() else {
            return Ok(());
        };
        if to == member.place().code() {
            return self.received(ctx, &member, payload);
        }
        let bytes = codec::encode(&payload);
        if bytes.len() > MAX_ENVELOPE_BYTES {
            let length = bytes.len();
            return ctx.finding(
                format!("发往{to}的内容过大（{length}字节，上限{MAX_ENVELOPE_BYTES}），未能发送"),
                format!("what was to go to {to} is too large ({length} bytes, at most {MAX_ENVELOPE_BYTES}) and was not sent"),
                None,
            );
        }
        let mut order = counter(&*ctx.txn, &order_key(&to))? + 1;
        if planted::is(Bug::EnvelopeNumberReused) {
            order = 1;
        }
        let body = ctx.raw_body(bytes);
        let at = ctx.now;
        ctx.record(&Record::Queued {
            to,
            order,
            payload: body,
            at,
        })?;
        self.seal_pending(ctx, to)
    }

    /// Seals what waits for this destination, in order, once its chain is known; else asks for the chain.
    pub(super) fn seal_pending(
        &mut self,
        ctx: &mut Context<'_, '_>,
        to: Code,
    ) -> Result<(), Fault> {
        // R35: nobody would take it under the certificate that was revoked. It is sealed under the next.
        if self.cut_off.is_some() {
            return Ok(());
        }
        let Some(destination) = self.known_member(ctx, &to)? else {
            return self.ask_chain(ctx, to);
        };
        // Nothing is sealed to a key whose time is over: its holder is to renew, and the ancestors are asked for the newer certificate.
        if destination.certificate().sealing_key.valid_until <= ctx.now {
            self.ask_chain(ctx, to)?;
            return self.tell_unsealable(ctx, &to);
        }
        let Some(here) = self.place().cloned() else {
            return Ok(());
        };
        let Some(next) = here.next_hop(destination.place()) else {
            return Ok(());
        };
        loop {
            let waiting = ctx
                .txn
                .raw_scan(Table::Unsealed, &code_key(&to), None, 16)?;
            if waiting.is_empty() {
                break;
            }
            for (key, row) in waiting {
                let payload: identity::Digest = super::tables::decode_row(Table::Unsealed, &row)?;
                let plain = ctx
                    .txn
                    .raw_body(&payload)?
                    .ok_or_else(|| Fault(format!("payload {payload} is missing")))?;
                let order = super::tables::key_tail_u64(&key);
                if !self.seal_one(ctx, &destination, next, order, &plain)? {
                    return self.tell_unsealable(ctx, &to);
                }
            }
        }
        self.pump(ctx, next)
    }

    /// The destination's certificate names a sealing key that is none, or one whose time is over. What is addressed to it waits for another certificate.
    fn tell_unsealable(&mut self, ctx: &mut Context<'_, '_>, to: &Code) -> Result<(), Fault> {
        if !self.tell_unknown(*to) {
            return Ok(());
        }
        ctx.finding(
            format!("{to}的证书所载封装公钥无效或已到期；发给它的信件留在本节点，待其续期"),
            format!("the sealing key in the certificate of {to} is none or has ended; what is addressed to it waits here until it renews"),
            None,
        )
    }

    /// Seals one payload and puts it into the outbox; false when the destination's key is none.
    fn seal_one(
        &mut self,
        ctx: &mut Context<'_, '_>,
        destination: &Member,
        next: Code,
        order: u64,
        plain: &[u8],
    ) -> Result<bool, Fault> {
        let Some(member) = self.member.as_ref() else {
            return Ok(false);
        };
        let entropy = ctx.random();
        let aad = seal_aad(member.place(), destination.place(), order);
        let Ok(sealed) = sealing::seal(
            &destination.certificate().sealing_key,
            SEAL_INFO,
            &aad,
            plain,
            entropy,
        ) else {
            return Ok(false);
        };
        let envelope = Envelope {
            from: member.place().clone(),
            to: destination.place().clone(),
            order,
            created: ctx.now,
            expires: ctx.now.plus_millis(ENVELOPE_LIFE_MS),
            sealed,
        };
        let signed = Signed::sign(&envelope, Domain::Envelope, &self.me.signing);
        let id = EnvelopeId(signed.digest(Domain::Envelope));
        let chain = member.chain().clone();
        let body = ctx.body(&(signed, chain));
        let at = ctx.now;
        ctx.record(&Record::Sealed {
            to: envelope.to.code(),
            order,
            envelope: id,
            next,
            body,
            expires: envelope.expires,
            at,
        })?;
        Ok(true)
    }

    /// Pushes from the outbox of a neighbour while the window has room.
    pub(super) fn pump(&mut self, ctx: &mut Context<'_, '_>, neighbour: Code) -> Result<(), Fault> {
        let Some(link) = self.by_code.get(&neighbour).copied() else {
            return Ok(());
        };
        let Some(state) = self.links.get_mut(&link) else {
            return Ok(());
        };
        let room = ENVELOPE_WINDOW.saturating_sub(state.envelopes.pushed.len());
        if room == 0 {
            return Ok(());
        }
        let prefix = code_key(&neighbour);
        let waiting = ctx.txn.raw_scan(
            Table::Outbox,
            &prefix,
            state.envelopes.cursor.as_deref(),
            room,
        )?;
        for (key, row) in waiting {
            let row: OutboxRow = super::tables::decode_row(Table::Outbox, &row)?;
            let (envelope, origin): (Signed<Envelope>, Chain) = ctx.txn.body_as(&row.body)?;
            state.envelopes.cursor = Some(key.clone());
            state.envelopes.pushed.insert(row.envelope, key);
            ctx.send(link, Frame::Push { envelope, origin });
        }
        Ok(())
    }

    /// A neighbour pushed an envelope: take it, pass it on, or say why not.
    pub(super) fn pushed(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        signed: &Signed<Envelope>,
        origin: &Chain,
    ) -> Result<(), Fault> {
        let id = EnvelopeId(signed.digest(Domain::Envelope));
        let taken = ctx.txn.raw(Table::Seen, &envelope_key(&id))?.is_some();
        if taken && !planted::is(Bug::EnvelopeTakenTwice) {
            ctx.send(link, Frame::Ack { envelope: id });
            return Ok(());
        }
        match self.check_envelope(ctx, link, signed, origin)? {
            Ok((envelope, member, next)) => {
                self.take(ctx, link, id, signed, &envelope, &member, next)
            }
            Err(reason) => {
                let from = self
                    .peer(link)
                    .map_or_else(String::new, |peer| peer.code().to_string());
                ctx.finding(
                    format!("拒收{from}转来的信封{}：{reason}", id.0.short()),
                    format!("envelope {} from {from} refused: {reason}", id.0.short()),
                    None,
                )?;
                ctx.send(
                    link,
                    Frame::Nack {
                        envelope: id,
                        reason,
                    },
                );
                Ok(())
            }
        }
    }

    /// What a pushed envelope is and where it goes next. Only what can never change is a reason to refuse it for good: a storage fault is none.
    /// The origin as a member. A neighbour must be one now; of a node further away it counts that it was one when it made the envelope, which
    /// may have waited while its certificate was renewed or ended.
    fn prove_origin(
        &self,
        ctx: &Context<'_, '_>,
        link: LinkId,
        signed: &Signed<Envelope>,
        origin: &Chain,
    ) -> Result<Result<Member, MembershipError>, Fault> {
        let proved = self.prove(ctx, origin)?;
        let made = match (
            &proved,
            signed.claimed(MAX_ENVELOPE_BYTES + ENVELOPE_FRAME_BYTES),
        ) {
            (Err(MembershipError::Expired { .. }), Ok(envelope)) => envelope.created,
            _ => return Ok(proved),
        };
        let oldest = ctx.now.plus_millis(-ENVELOPE_LIFE_MS);
        let from_afar = |member: &Member| {
            self.peer(link)
                .is_some_and(|peer| peer.code() != member.code())
        };
        match self.prove_at(ctx, origin, made)? {
            Ok(member) if made >= oldest && from_afar(&member) => Ok(Ok(member)),
            _ => Ok(proved),
        }
    }

    fn check_envelope(
        &self,
        ctx: &Context<'_, '_>,
        link: LinkId,
        signed: &Signed<Envelope>,
        origin: &Chain,
    ) -> Result<Result<Checked, NackReason>, Fault> {
        if signed.bytes().len() > MAX_ENVELOPE_BYTES + ENVELOPE_FRAME_BYTES {
            return Ok(Err(NackReason::TooLarge));
        }
        let Ok(member) = self.prove_origin(ctx, link, signed, origin)? else {
            return Ok(Err(NackReason::NotAMember));
        };
        let known = self.known_chain(ctx, &member.code())?;
        let successor = known
            .and_then(|row| row.chain.claimed().ok())
            .is_some_and(|known| known.epoch > member.certificate().epoch);
        let Ok(envelope) = signed.verify_unless(
            Bug::EnvelopeSignatureSkipped,
            Domain::Envelope,
            &member.certificate().signing_key,
            MAX_ENVELOPE_BYTES + ENVELOPE_FRAME_BYTES,
        ) else {
            return Ok(Err(NackReason::BadSignature));
        };
        let (Some(here), Some(peer)) = (self.place(), self.peer(link)) else {
            return Ok(Err(NackReason::NoRoute));
        };
        if successor || !in_its_place(here, &peer, &member, &envelope) {
            return Ok(Err(NackReason::NotAMember));
        }
        let latest = ctx.now.plus_millis(ENVELOPE_LIFE_MS + CLOCK_AHEAD_MS);
        let too_long = envelope.created.plus_millis(ENVELOPE_LIFE_MS) < envelope.expires;
        let over = envelope.expires <= ctx.now && !planted::is(Bug::ExpiredEnvelopeAccepted);
        if over || envelope.expires > latest || too_long {
            return Ok(Err(NackReason::Expired));
        }
        let next = here.next_hop(&envelope.to);
        let parent = here.parent().map(|parent| parent.code());
        let reachable = match next {
            None => true,
            Some(next) if next == peer.code() => false,
            Some(next) if Some(next) == parent => true,
            Some(next) => self.child_chain(ctx, &next)?.is_some(),
        };
        Ok(if reachable {
            Ok((envelope, member, next))
        } else {
            Err(NackReason::NoRoute)
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one envelope with everything that was verified about it"
    )]
    fn take(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        id: EnvelopeId,
        signed: &Signed<Envelope>,
        envelope: &Envelope,
        member: &Member,
        next: Option<Code>,
    ) -> Result<(), Fault> {
        let at = ctx.now;
        if let Some(next) = next {
            if planted::is(Bug::AcknowledgedBeforeDurable) {
                ctx.send(link, Frame::Ack { envelope: id });
                if let Some(onward) = self.by_code.get(&next).copied() {
                    let (envelope, origin) = (signed.clone(), member.chain().clone());
                    ctx.send(onward, Frame::Push { envelope, origin });
                }
                return Ok(());
            }
            let body = ctx.body(&(signed.clone(), member.chain().clone()));
            ctx.record(&Record::Taken {
                envelope: id,
                from: envelope.from.clone(),
                order: envelope.order,
                next: Some(next),
                body: Some(body),
                expires: envelope.expires,
                at,
            })?;
            ctx.send(link, Frame::Ack { envelope: id });
            return self.pump(ctx, next);
        }
        let Some(payload) = self.open(envelope) else {
            ctx.send(
                link,
                Frame::Nack {
                    envelope: id,
                    reason: NackReason::Malformed,
                },
            );
            return ctx.finding(
                format!("来自{}的信封无法解封", envelope.from.code()),
                format!(
                    "an envelope from {} could not be opened",
                    envelope.from.code()
                ),
                None,
            );
        };
        ctx.record(&Record::Taken {
            envelope: id,
            from: envelope.from.clone(),
            order: envelope.order,
            next: None,
            body: None,
            expires: envelope.expires,
            at,
        })?;
        ctx.send(link, Frame::Ack { envelope: id });
        self.learn(ctx, member.chain(), at)?;
        self.received(ctx, member, payload)
    }

    fn open(&self, envelope: &Envelope) -> Option<Payload> {
        let key = self
            .me
            .opening
            .iter()
            .find(|key| key.id() == envelope.sealed.key_id)?;
        let aad = seal_aad(&envelope.from, &envelope.to, envelope.order);
        let plain = sealing::open(key, SEAL_INFO, &aad, &envelope.sealed).ok()?;
        codec::decode(&plain, MAX_ENVELOPE_BYTES).ok()
    }

    pub(super) fn acked(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        envelope: EnvelopeId,
    ) -> Result<(), Fault> {
        let Some(neighbour) = self.peer(link).map(|peer| peer.code()) else {
            return Ok(());
        };
        if self
            .links
            .get_mut(&link)
            .and_then(|state| state.envelopes.pushed.remove(&envelope))
            .is_some()
            && !planted::is(Bug::DeliveryNotRecorded)
        {
            ctx.record(&Record::Passed {
                envelope,
                neighbour,
            })?;
        }
        self.pump(ctx, neighbour)
    }

    pub(super) fn nacked(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        envelope: EnvelopeId,
        reason: NackReason,
    ) -> Result<(), Fault> {
        let Some(neighbour) = self.peer(link).map(|peer| peer.code()) else {
            return Ok(());
        };
        if let Some(key) = self
            .links
            .get_mut(&link)
            .and_then(|state| state.envelopes.pushed.remove(&envelope))
        {
            self.give_up(ctx, &key, reason)?;
        }
        self.pump(ctx, neighbour)
    }

    /// Takes an envelope out of its outbox for good and tells its origin.
    fn give_up(
        &mut self,
        ctx: &mut Context<'_, '_>,
        key: &[u8],
        reason: NackReason,
    ) -> Result<(), Fault> {
        let Some(row) = ctx.txn.row::<OutboxRow>(Table::Outbox, key)? else {
            return Ok(());
        };
        let (signed, _): (Signed<Envelope>, Chain) = ctx.txn.body_as(&row.body)?;
        let at = ctx.now;
        ctx.record(&Record::Undeliverable {
            envelope: row.envelope,
            reason,
            at,
        })?;
        // Its place in the window is free again, whoever it was pushed to.
        for state in self.links.values_mut() {
            state.envelopes.pushed.remove(&row.envelope);
        }
        let Some(here) = self.place().cloned() else {
            return Ok(());
        };
        let Ok(envelope) = signed.claimed(MAX_ENVELOPE_BYTES + ENVELOPE_FRAME_BYTES) else {
            return Ok(());
        };
        if envelope.from == here {
            return self.undeliverable(ctx, row.envelope, reason, &here, Some(envelope.to.code()));
        }
        self.queue(
            ctx,
            envelope.from.code(),
            Payload::Undeliverable {
                envelope: row.envelope,
                reason,
                at: here,
            },
        )
    }

    pub(super) fn undeliverable(
        &mut self,
        ctx: &mut Context<'_, '_>,
        envelope: EnvelopeId,
        reason: NackReason,
        at: &Path,
        to: Option<Code>,
    ) -> Result<(), Fault> {
        if planted::is(Bug::UndeliverableSilent) {
            return Ok(());
        }
        let to = to.map_or_else(String::new, |code| code.to_string());
        ctx.finding(
            format!(
                "发往{to}的信封{}未能送达（在{}处）：{reason}",
                envelope.0.short(),
                at.code()
            ),
            format!(
                "envelope {} to {to} could not be delivered (at {}): {reason}",
                envelope.0.short(),
                at.code()
            ),
            None,
        )
    }

    /// Gives up what has expired, and forgets what cannot come again, a bounded number a tick and all in turn.
    pub(super) fn expire_envelopes(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let now: Moment = ctx.now;
        let after = self.sweep.outbox.take();
        let places = ctx
            .txn
            .raw_scan(Table::Outbox, b"", after.as_deref(), EXPIRY_SCAN)?;
        if places.len() == EXPIRY_SCAN {
            self.sweep.outbox = places.last().map(|(key, _)| key.clone());
        }
        for (key, row) in places {
            let row: OutboxRow = super::tables::decode_row(Table::Outbox, &row)?;
            if row.expires <= now {
                self.give_up(ctx, &key, NackReason::Expired)?;
            }
        }
        let after = self.sweep.seen.take();
        let remembered = ctx
            .txn
            .raw_scan(Table::Seen, b"e", after.as_deref(), EXPIRY_SCAN)?;
        if remembered.len() == EXPIRY_SCAN {
            self.sweep.seen = remembered.last().map(|(key, _)| key.clone());
        }
        for (key, row) in remembered {
            if let SeenRow::Envelope {
                outbox: None,
                expires,
            } = super::tables::decode_row(Table::Seen, &row)?
                && expires.plus_millis(ENVELOPE_LIFE_MS) <= now
            {
                ctx.txn.delete(Table::Seen, key);
            }
        }
        Ok(())
    }
}

/// Counter of orders towards one destination.
pub(super) fn order_key(to: &Code) -> Vec<u8> {
    let mut key = b"order/".to_vec();
    key.extend_from_slice(&code_key(to));
    key
}

fn seal_aad(from: &Path, to: &Path, order: u64) -> Vec<u8> {
    codec::encode(&(from, to, order))
}
