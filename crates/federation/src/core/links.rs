//! Links: greeting, who may be a neighbour, and what is sent again when a link comes up.

use identity::{Chain, Code, Member, Moment, Path, codec};
use statute::rule::{self, Rule};

use super::tables::{View, code_key, decode_row};
use super::view::{HealthView, LinkView, Status};
use super::{Context, Core, Effect, LinkId, revoked};
use crate::health::{Condition, condition};
use crate::store::{Fault, Table};
use crate::wire::{Frame, MAX_FRAME_BYTES, WIRE_VERSION};

/// Most children a node serves; 2,846 counties stand under 333 prefectures, and no province has more than 200 nodes directly below it.
pub(super) const MAX_CHILDREN: usize = 1_024;
/// Clock difference at greeting beyond which the operator is warned, milliseconds.
const CLOCK_BOUND_MS: u64 = 60_000;

/// One connection.
#[derive(Debug)]
pub(super) struct Link {
    transport_key: [u8; 32],
    pub(super) peer: Option<Peer>,
    pub(super) envelopes: super::envelopes::InFlight,
    pub(super) sync: super::syncing::LinkSync,
    pub(super) checkpoint: super::checkpoints::Offering,
}

/// The neighbour at the other end, verified.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) member: Member,
    pub(super) parent: bool,
    since: Moment,
    pub(super) clock_offset_ms: i64,
}

impl Peer {
    pub(super) fn code(&self) -> Code {
        self.member.place().code()
    }
    pub(super) fn place(&self) -> &Path {
        self.member.place()
    }
}

impl Core {
    pub(super) fn link_up(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        transport_key: [u8; 32],
    ) -> Result<(), Fault> {
        let fresh = Link {
            transport_key,
            peer: None,
            envelopes: Default::default(),
            sync: Default::default(),
            checkpoint: Default::default(),
        };
        self.links.insert(link, fresh);
        match &self.member {
            Some(member) => {
                let chain = member.chain().clone();
                ctx.send(
                    link,
                    Frame::Hello {
                        wire: WIRE_VERSION,
                        chain,
                        software: self.me.software.clone(),
                        now: ctx.now,
                    },
                );
            }
            None => ctx.close(link, "this node has no certificate yet"),
        }
        Ok(())
    }

    pub(super) fn link_down(&mut self, link: LinkId, now: Moment) -> Result<(), Fault> {
        if let Some(peer) = self.links.remove(&link).and_then(|gone| gone.peer) {
            if self.by_code.get(&peer.code()) == Some(&link) {
                self.by_code.remove(&peer.code());
            }
            self.last_seen.insert(peer.code(), now);
            if peer.parent {
                // Who still waits asks again, and is then heard by the next link upward.
                self.chain_askers.clear();
            }
        }
        self.chain_askers.retain(|_, askers| {
            askers.remove(&link);
            !askers.is_empty()
        });
        self.searches.retain(|_, waiting| waiting.asker != link);
        Ok(())
    }

    /// A frame of a link that is there, in this version of the wire, and whether the link was greeted before; none where the link ends by it.
    pub(super) fn heard(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        bytes: &[u8],
    ) -> Result<Option<(bool, Frame)>, Fault> {
        let Some(state) = self.links.get(&link) else {
            return Ok(None);
        };
        let greeted = state.peer.is_some();
        if let Err(refused) = self.membership(ctx.now) {
            // Without membership nothing is signed, so nothing is taken up: neighbours keep it and push it again.
            self.leave(ctx, link, refused.to_string())?;
            return Ok(None);
        }
        match codec::decode(bytes, MAX_FRAME_BYTES) {
            Err(error) => ctx.close(link, format!("malformed frame: {error}")),
            Ok(Frame::Hello { wire, .. }) if wire != WIRE_VERSION => {
                self.speaks_another_version(ctx, link, wire);
            }
            Ok(frame) => return Ok(Some((greeted, frame))),
        }
        Ok(None)
    }

    pub(super) fn frame(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        bytes: &[u8],
    ) -> Result<(), Fault> {
        let Some((greeted, frame)) = self.heard(ctx, link, bytes)? else {
            return Ok(());
        };
        match frame {
            Frame::Hello { chain, now, .. } if !greeted => self.greet(ctx, link, &chain, now),
            _ if !greeted => {
                ctx.close(link, "spoke before greeting");
                Ok(())
            }
            Frame::Hello { .. } => {
                ctx.close(link, "greeted twice");
                Ok(())
            }
            Frame::Push { envelope, origin } => self.pushed(ctx, link, &envelope, &origin),
            Frame::Ack { envelope } => self.acked(ctx, link, envelope),
            Frame::Nack { envelope, reason } => self.nacked(ctx, link, envelope, reason),
            Frame::SyncOffer { digest, heads } => self.sync_offered(ctx, link, digest, heads),
            Frame::SyncHeadsWanted { after } => self.sync_heads_wanted(ctx, link, after),
            Frame::SyncHeads { heads, more } => self.sync_heads(ctx, link, &heads, more),
            Frame::SyncPull { publisher, after } => self.sync_pulled(ctx, link, publisher, after),
            Frame::SyncSegments {
                publisher,
                segments,
            } => self.sync_segments(ctx, link, &publisher, &segments),
            Frame::CheckpointOffer {
                checkpoint,
                from,
                proof,
            } => self.checkpoint_offered(ctx, link, &checkpoint, from, &proof),
            Frame::Cosigned { size, cosignature } => self.cosigned(ctx, link, size, cosignature),
            Frame::CosignRefused { newest, reason } => {
                self.cosign_refused(ctx, link, newest, &reason)
            }
            Frame::ChainWanted { code } => self.chain_wanted(ctx, link, code),
            Frame::ChainFound { code, chain, as_of } => {
                self.chain_found(ctx, link, code, &chain, as_of)
            }
            Frame::ChainUnknown { code, as_of } => self.chain_unknown(ctx, link, code, as_of),
            Frame::Health { reports } => self.health_received(ctx, link, reports),
            Frame::Revocations { list } => self.revocations_received(ctx, link, &list),
            Frame::Notices { list } => self.notices_received(ctx, link, &list),
            Frame::Search {
                query,
                question,
                limit,
            } => self.search_from_below(ctx, link, query, question, limit),
            Frame::SearchAnswer { query, level } => self.search_answered(ctx, link, query, level),
        }
    }

    /// Ends a link whose other end means something else by what it says.
    pub(super) fn speaks_another_version(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        wire: u16,
    ) {
        ctx.close(
            link,
            format!("it speaks wire version {wire}, this node {WIRE_VERSION}: one of the two is to be brought up to date"),
        );
    }

    /// Ends a link of a node that is no member. A child below a node that was cut off is cut off with it, and hears why.
    pub(super) fn leave(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        reason: impl Into<String>,
    ) -> Result<(), Fault> {
        if let Some(chain) = self.member.as_ref().map(|member| member.chain()) {
            self.send_revocations_of(ctx, link, chain)?;
        }
        ctx.close(link, reason);
        // At once: it is said once, and what still arrives is not taken up.
        self.link_down(link, ctx.now)
    }

    fn greet(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        chain: &Chain,
        their_now: Moment,
    ) -> Result<(), Fault> {
        let peer = match self.check_neighbour(ctx, link, chain, their_now) {
            Ok(peer) => peer,
            Err(reason) => {
                // Only the holder of a key that was certified here gets so far.
                self.send_revocations_of(ctx, link, chain)?;
                ctx.close(link, reason);
                return Ok(());
            }
        };
        if peer.clock_offset_ms.unsigned_abs() > CLOCK_BOUND_MS {
            let (code, off) = (peer.code(), peer.clock_offset_ms / 1_000);
            ctx.finding(
                format!("与{code}的时钟相差{off}秒"),
                format!("clock of {code} differs by {off} s"),
                None,
            )?;
        }
        let (code, parent) = (peer.code(), peer.parent);
        self.learn(ctx, chain, ctx.now)?;
        if let Some(old) = self.by_code.insert(code, link)
            && old != link
        {
            ctx.close(old, "replaced by a newer connection");
            self.links.remove(&old);
            self.searches.retain(|_, waiting| waiting.asker != old);
        }
        if let Some(state) = self.links.get_mut(&link) {
            state.peer = Some(peer);
        }
        self.pump(ctx, code)?;
        if parent {
            self.offer_sync(ctx, true)?;
            self.ask_pending_chains(ctx)?;
            self.send_health(ctx, true)?;
        } else {
            self.send_revocations(ctx, link)?;
            self.send_notices(ctx, link)?;
        }
        self.offer_checkpoint(ctx)
    }

    /// Only the parent and certified children are neighbours, each proved by its chain and by holding the connection's key.
    pub(super) fn check_neighbour(
        &self,
        ctx: &Context<'_, '_>,
        link: LinkId,
        chain: &Chain,
        their_now: Moment,
    ) -> Result<Peer, String> {
        let me = self.place().ok_or("this node has no certificate")?;
        let member = chain
            .verify(&self.me.root, ctx.now, &revoked(&*ctx.txn))
            .map_err(|error| format!("not a member: {error}"))?;
        let held = self.links.get(&link).map(|state| state.transport_key);
        if held != Some(member.certificate().transport_key) {
            return Err("the certificate is not for this connection's key".into());
        }
        let parent = me.parent().as_ref() == Some(member.place());
        let child = member.place().parent().as_ref() == Some(me);
        if !parent && !child && !rule::is_off(Rule::Neighbours) {
            return Err(format!(
                "{} is neither parent nor child of {me}",
                member.place()
            ));
        }
        Ok(Peer {
            member,
            parent,
            since: ctx.now,
            clock_offset_ms: their_now.millis_since(ctx.now),
        })
    }

    /// Tells the driver which transport keys may connect.
    pub(super) fn announce_neighbours(&self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let mut keys = Vec::new();
        if let Some(member) = &self.member {
            // Whoever was cut off has nothing to say to its parent until it has a new certificate.
            let parent = member.issuer().filter(|_| self.cut_off.is_none());
            keys.extend(parent.map(|parent| parent.transport_key));
            for (_, row) in ctx.txn.raw_scan(Table::Children, b"", None, MAX_CHILDREN)? {
                let chain: Chain = decode_row(Table::Children, &row)?;
                // A child that was revoked is let in to be told so, and no further (see `greet`).
                if let Ok(child) = chain.verify_historic(&self.me.root, ctx.now) {
                    keys.push(child.certificate().transport_key);
                }
            }
        }
        ctx.effects.push(Effect::Neighbours { keys });
        Ok(())
    }

    /// The link to the parent, greeted.
    pub(super) fn parent_link(&self) -> Option<LinkId> {
        self.links
            .iter()
            .find(|(_, link)| link.peer.as_ref().is_some_and(|peer| peer.parent))
            .map(|(id, _)| *id)
    }

    /// Links to children, greeted.
    pub(super) fn child_links(&self) -> Vec<LinkId> {
        self.links
            .iter()
            .filter(|(_, link)| link.peer.as_ref().is_some_and(|peer| !peer.parent))
            .map(|(id, _)| *id)
            .collect()
    }

    pub(super) fn peer(&self, link: LinkId) -> Option<Peer> {
        self.links.get(&link).and_then(|state| state.peer.clone())
    }

    /// What the driver publishes for the console and the API.
    pub fn status(&self, view: &dyn crate::store::Read, now: Moment) -> Result<Status, Fault> {
        let mut links: Vec<LinkView> = self
            .links
            .values()
            .filter_map(|link| link.peer.as_ref())
            .map(|peer| LinkView {
                code: peer.code(),
                name: peer.member.certificate().name.clone(),
                parent: peer.parent,
                up: true,
                since: Some(peer.since),
                clock_offset_ms: peer.clock_offset_ms,
            })
            .collect();
        let mut health = Vec::new();
        if let Some(member) = &self.member {
            if let Some(parent) = member
                .issuer()
                .filter(|parent| !self.by_code.contains_key(&parent.place.code()))
            {
                links.push(self.absent(parent.place.code(), parent.name.clone(), true));
            }
            health.push(HealthView {
                report: Some(self.own_report(view, now)?),
                node: member.place().clone(),
                name: member.certificate().name.clone(),
                received: Some(now),
                condition: Condition::Up,
            });
        }
        for (_, row) in view.scan(Table::Children, b"", None, MAX_CHILDREN)? {
            let chain: Chain = decode_row(Table::Children, &row)?;
            if let Some(certificate) = chain
                .claimed()
                .ok()
                .filter(|claimed| !self.by_code.contains_key(&claimed.place.code()))
            {
                links.push(self.absent(certificate.place.code(), certificate.name, false));
            }
        }
        for (key, row) in view.scan(Table::Chains, b"", None, MAX_CHAIN_ROWS)? {
            let known: super::tables::ChainRow = decode_row(Table::Chains, &row)?;
            let Ok(certificate) = known.chain.claimed() else {
                continue;
            };
            if key != code_key(&certificate.place.code()) {
                // The same under one of its keys.
                continue;
            }
            if !self
                .place()
                .is_some_and(|me| me.is_ancestor_of(&certificate.place))
            {
                continue;
            }
            let seen = self.observed.get(&certificate.place.code());
            health.push(HealthView {
                report: seen.map(|seen| seen.report.clone()),
                received: seen.map(|seen| seen.received),
                condition: seen.map_or(Condition::Down, |seen| condition(seen.received, now)),
                node: certificate.place,
                name: certificate.name,
            });
        }
        links.sort_by_key(|link| (!link.parent, link.code));
        Ok(Status {
            cut_off: self.cut_off.clone(),
            risks: Some(self.me.profile.aggregation()),
            links,
            health,
            at: Some(now),
            retention: Some(self.me.profile.retention().0),
            restored: self.restored_view(view)?,
        })
    }

    fn absent(&self, code: Code, name: String, parent: bool) -> LinkView {
        LinkView {
            code,
            name,
            parent,
            up: false,
            since: self.last_seen.get(&code).copied(),
            clock_offset_ms: 0,
        }
    }

    /// The chain known for a child certified here.
    pub(super) fn child_chain(
        &self,
        ctx: &Context<'_, '_>,
        code: &Code,
    ) -> Result<Option<Chain>, Fault> {
        ctx.txn.row(Table::Children, &code_key(code))
    }
}

/// Most rows of chains looked through for one page of status: the nation, each node under its code and under three keys, and room.
const MAX_CHAIN_ROWS: usize = 16_384;
