//! Catalogue sync between neighbours: a child offers, the parent takes what it lacks; authors' signatures go along untouched.

use std::collections::{BTreeMap, BTreeSet};

use identity::{
    Chain, Code, Digest, Domain, Member, MembershipError, Moment, Path, Signed, VerifyKey,
};
use sharing::catalogue::Change;

use super::tables::{HeadRow, View, code_key, counter, decode_row, meta, segment_key};
use super::{Context, Core, Effect, LinkId, Record, revoked};
use crate::store::{Fault, Table};
use crate::sync::{self, Head, LogState, MAX_HEAD_BYTES, MAX_SEGMENT_BYTES, Segment, SyncError};
use crate::wire::Frame;

/// Heads in one page: a head is about 400 bytes.
const HEADS_PER_PAGE: usize = 512;
/// Most publishers whose heads one node compares: the nation, twice.
const MAX_PUBLISHERS: usize = 8_192;
/// Body bytes in one answer to a pull.
const PULL_BYTES: usize = 4 * MAX_SEGMENT_BYTES - MAX_SEGMENT_BYTES / 2;
/// Publishers pulled at the same time from one child.
const PULLS_AT_ONCE: usize = 4;
/// Logs given back to a child in one exchange: bounds memory to this many times [`PULL_BYTES`]; the rest follow as it offers anew.
const GIVE_BACK_AT_ONCE: usize = 4;
/// An exchange in which nothing moved for this long is over, milliseconds: ten minutes, beyond the slowest answer.
const EXCHANGE_LIFE_MS: i64 = 600_000;
/// Segments read for one answer.
const SEGMENTS_AT_ONCE: usize = 64;

/// What runs on one link.
#[derive(Debug, Default)]
pub(super) struct LinkSync {
    /// Digest last offered to the parent on this link.
    offered: Option<Digest>,
    /// Digest this child offered last.
    heard: Option<Digest>,
    /// The page of heads asked for and not yet here.
    asking: Option<Asked>,
    /// Publishers still to be pulled from this child, with the sequence its head names.
    wanted: BTreeMap<Code, u64>,
    /// Pulls under way.
    pulling: BTreeMap<Code, u64>,
    /// Publishers whose segments from this neighbour did not hold: left alone until the link is made anew.
    barred: BTreeSet<Code>,
    /// When something was last asked or answered in an exchange.
    moved: Option<Moment>,
}

/// A page of heads that was asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// The publisher after which it begins.
    after: Option<Code>,
    /// Logs given back so far in this exchange.
    given_back: usize,
}

impl Core {
    /// Publishes changes in this node's own log, cut into signed segments.
    pub(super) fn publish(
        &mut self,
        ctx: &mut Context<'_, '_>,
        changes: Vec<Change>,
    ) -> Result<(), Fault> {
        let Some(place) = self.place().cloned() else {
            return Ok(());
        };
        for batch in sync::batches(changes) {
            let log = self.log_of(ctx, place.code())?;
            let (segment, _) = sync::cut(&place, &log, &batch, ctx.now, &self.me.signing)
                .map_err(|error| Fault(format!("cutting a segment: {error}")))?;
            self.store_segment(ctx, &place, &segment, batch)?;
        }
        self.offer_sync(ctx, false)
    }

    fn log_of(&self, ctx: &Context<'_, '_>, publisher: Code) -> Result<LogState, Fault> {
        Ok(ctx
            .txn
            .row::<HeadRow>(Table::Heads, &code_key(&publisher))?
            .map_or_else(LogState::default, |row| row.log))
    }

    /// Records a segment that is the publisher's (own, or verified) and brings the index in step.
    fn store_segment(
        &mut self,
        ctx: &mut Context<'_, '_>,
        publisher: &Path,
        segment: &Segment,
        changes: Vec<Change>,
    ) -> Result<(), Fault> {
        ctx.raw_body(segment.body.clone());
        let at = ctx.now;
        ctx.record(&Record::Segment {
            head: segment.head.clone(),
            at,
        })?;
        let members = changes
            .into_iter()
            .filter(|change| {
                matches!(
                    change,
                    Change::MemberCertified { .. } | Change::MemberRevoked { .. }
                )
            })
            .collect();
        let applied = counter(&*ctx.txn, meta::CHANGES)?;
        ctx.effects.push(Effect::Index {
            publisher: publisher.clone(),
            body: Digest::of(identity::Domain::Body, &segment.body),
            applied,
        });
        self.members_changed(ctx, publisher, members)
    }

    /// Offers the subtree's state to the parent if it changed since the last offer on this link (or anyway, when `greeting`).
    pub(super) fn offer_sync(
        &mut self,
        ctx: &mut Context<'_, '_>,
        greeting: bool,
    ) -> Result<(), Fault> {
        let (Some(parent), Some(here)) = (self.parent_link(), self.place().cloned()) else {
            return Ok(());
        };
        let (digest, heads) = self.subtree_digest(ctx, &here)?;
        let Some(link) = self.links.get_mut(&parent) else {
            return Ok(());
        };
        if greeting || link.sync.offered != Some(digest) {
            link.sync.offered = Some(digest);
            ctx.send(parent, Frame::SyncOffer { digest, heads });
        }
        Ok(())
    }

    /// Digest over the heads of all publishers at or below a place, and their number.
    fn subtree_digest(&self, ctx: &Context<'_, '_>, top: &Path) -> Result<(Digest, u64), Fault> {
        let rows = self.subtree_heads(ctx, top, None, MAX_PUBLISHERS)?;
        let heads = rows.len() as u64;
        Ok((
            sync::heads_digest(
                rows.iter()
                    .map(|row| (row.publisher.code(), row.log.last, row.log.root)),
            ),
            heads,
        ))
    }

    fn subtree_heads(
        &self,
        ctx: &Context<'_, '_>,
        top: &Path,
        after: Option<Code>,
        limit: usize,
    ) -> Result<Vec<HeadRow>, Fault> {
        let after = after.map(|code| code_key(&code));
        let mut heads = Vec::new();
        for (_, bytes) in ctx
            .txn
            .raw_scan(Table::Heads, b"", after.as_deref(), MAX_PUBLISHERS)?
        {
            let row: HeadRow = decode_row(Table::Heads, &bytes)?;
            if row.publisher == *top || top.is_ancestor_of(&row.publisher) {
                heads.push(row);
                if heads.len() == limit {
                    break;
                }
            }
        }
        Ok(heads)
    }

    /// The child this link leads to, by place.
    fn child_place(&self, link: LinkId) -> Option<Path> {
        self.peer(link)
            .filter(|peer| !peer.parent)
            .map(|peer| peer.place().clone())
    }

    pub(super) fn sync_offered(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        digest: Digest,
        _heads: u64,
    ) -> Result<(), Fault> {
        if self.child_place(link).is_none() {
            return Ok(());
        }
        if let Some(state) = self.links.get_mut(&link) {
            let sync = &mut state.sync;
            sync.heard = Some(digest);
            if sync
                .moved
                .is_some_and(|moved| ctx.now.millis_since(moved) >= EXCHANGE_LIFE_MS)
            {
                sync.asking = None;
                sync.wanted.clear();
                sync.pulling.clear();
            }
        }
        self.compare(ctx, link)
    }

    /// Asks a child for its heads when what it offered last is not what is here; once for each offer, one exchange at a time.
    fn compare(&mut self, ctx: &mut Context<'_, '_>, link: LinkId) -> Result<(), Fault> {
        let Some(child) = self.child_place(link) else {
            return Ok(());
        };
        let Some(sync) = self.links.get(&link).map(|state| &state.sync) else {
            return Ok(());
        };
        let busy = sync.asking.is_some() || !sync.pulling.is_empty() || !sync.wanted.is_empty();
        let Some(offer) = sync.heard.filter(|_| !busy) else {
            return Ok(());
        };
        let (ours, _) = self.subtree_digest(ctx, &child)?;
        if let Some(state) = self.links.get_mut(&link) {
            state.sync.heard = None;
            if ours != offer {
                state.sync.asking = Some(Asked {
                    after: None,
                    given_back: 0,
                });
                state.sync.moved = Some(ctx.now);
                ctx.send(link, Frame::SyncHeadsWanted { after: None });
            }
        }
        Ok(())
    }

    pub(super) fn sync_heads_wanted(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        after: Option<Code>,
    ) -> Result<(), Fault> {
        let (true, Some(here)) = (self.parent_link() == Some(link), self.place().cloned()) else {
            return Ok(());
        };
        let mut rows = self.subtree_heads(ctx, &here, after, HEADS_PER_PAGE + 1)?;
        let more = rows.len() > HEADS_PER_PAGE;
        rows.truncate(HEADS_PER_PAGE);
        ctx.send(
            link,
            Frame::SyncHeads {
                heads: rows.into_iter().map(|row| row.head).collect(),
                more,
            },
        );
        Ok(())
    }

    /// One page of a child's heads, in code order, as this node asked for it.
    pub(super) fn sync_heads(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        heads: &[Signed<Head>],
        more: bool,
    ) -> Result<(), Fault> {
        let Some(child) = self.child_place(link) else {
            return Ok(());
        };
        if heads.len() > HEADS_PER_PAGE {
            ctx.close(link, "more heads than a page holds");
            return Ok(());
        }
        let asked = self
            .links
            .get_mut(&link)
            .and_then(|state| state.sync.asking.take());
        let Some(mut asked) = asked else {
            return Ok(());
        };
        let mut theirs = BTreeMap::new();
        for signed in heads {
            let Ok(head) = signed.claimed(MAX_HEAD_BYTES) else {
                continue;
            };
            let below = head.publisher == child || child.is_ancestor_of(&head.publisher);
            if below
                && asked
                    .after
                    .is_none_or(|after| head.publisher.code() > after)
            {
                theirs.insert(head.publisher.code(), (head, signed));
            }
        }
        let last = theirs.keys().next_back().copied().filter(|_| more);
        self.give_back_unheard(ctx, link, &child, &mut asked, &theirs, last)?;
        for (publisher, (head, signed)) in &theirs {
            self.weigh_head(ctx, link, &mut asked, *publisher, head, signed)?;
        }
        if let (Some(last), Some(state)) = (last, self.links.get_mut(&link)) {
            asked.after = Some(last);
            state.sync.asking = Some(asked);
            state.sync.moved = Some(ctx.now);
            ctx.send(link, Frame::SyncHeadsWanted { after: Some(last) });
        }
        self.pull_next(ctx, link)
    }

    /// What one head of a child calls for: its segments, ours, or a note that two histories were signed.
    fn weigh_head(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        asked: &mut Asked,
        publisher: Code,
        head: &Head,
        signed: &Signed<Head>,
    ) -> Result<(), Fault> {
        let ours = self.log_of(ctx, publisher)?;
        if head.last > ours.last {
            if let Some(state) = self.links.get_mut(&link)
                && !state.sync.barred.contains(&publisher)
                && state.sync.wanted.len() < MAX_PUBLISHERS
            {
                state.sync.wanted.insert(publisher, head.last);
            }
            return Ok(());
        }
        if (head.last, head.root) == (ours.last, ours.root) {
            return Ok(());
        }
        if self.note_fork(ctx, head, signed)? || head.last == ours.last {
            return Ok(());
        }
        self.give_back(ctx, link, asked, publisher, head.last)
    }

    /// Logs below a child that are known here and that the child does not name at all: it lost them whole.
    fn give_back_unheard(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        child: &Path,
        asked: &mut Asked,
        theirs: &BTreeMap<Code, (Head, &Signed<Head>)>,
        until: Option<Code>,
    ) -> Result<(), Fault> {
        for row in self.subtree_heads(ctx, child, asked.after, MAX_PUBLISHERS)? {
            let publisher = row.publisher.code();
            if until.is_some_and(|until| publisher > until) {
                break;
            }
            if !theirs.contains_key(&publisher) {
                self.give_back(ctx, link, asked, publisher, 0)?;
            }
        }
        Ok(())
    }

    fn pull_next(&mut self, ctx: &mut Context<'_, '_>, link: LinkId) -> Result<(), Fault> {
        loop {
            let Some(state) = self.links.get_mut(&link) else {
                return Ok(());
            };
            if state.sync.pulling.len() >= PULLS_AT_ONCE {
                return Ok(());
            }
            let Some((publisher, until)) = state.sync.wanted.pop_first() else {
                break;
            };
            state.sync.pulling.insert(publisher, until);
            state.sync.moved = Some(ctx.now);
            let after = self.log_of(ctx, publisher)?.last;
            ctx.send(link, Frame::SyncPull { publisher, after });
        }
        // An offer that came during the exchange is looked at now.
        self.compare(ctx, link)
    }

    pub(super) fn sync_pulled(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        publisher: Code,
        after: u64,
    ) -> Result<(), Fault> {
        if self.parent_link() == Some(link) {
            self.send_segments(ctx, link, publisher, after)?;
        }
        Ok(())
    }

    /// A neighbour below restored an old copy: give it back what it lost of a log at or below it.
    fn give_back(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        asked: &mut Asked,
        publisher: Code,
        after: u64,
    ) -> Result<(), Fault> {
        if asked.given_back >= GIVE_BACK_AT_ONCE {
            return Ok(());
        }
        asked.given_back += 1;
        self.send_segments(ctx, link, publisher, after)
    }

    /// Segments of one log after a sequence, as many as one frame takes, all signed by the key in the one chain that goes along.
    fn send_segments(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        publisher: Code,
        after: u64,
    ) -> Result<(), Fault> {
        let signers = self.signers(ctx, &publisher)?;
        let mut chain: Option<(&Chain, VerifyKey)> = None;
        let (prefix, from) = (code_key(&publisher), segment_key(&publisher, after));
        let mut segments = Vec::new();
        let mut bytes = 0;
        for (_, row) in ctx
            .txn
            .raw_scan(Table::Segments, &prefix, Some(&from), SEGMENTS_AT_ONCE)?
        {
            let head: Signed<Head> = decode_row(Table::Segments, &row)?;
            let claimed = head
                .claimed(MAX_HEAD_BYTES)
                .map_err(|error| Fault(format!("stored head: {error}")))?;
            // A log outlives its publisher's keys: each frame carries what one key signed.
            let signed = |key: &VerifyKey| head.check(Domain::Segment, key).is_ok();
            match &chain {
                None => match signers.iter().find(|(_, key)| signed(key)) {
                    Some((by, key)) => chain = Some((by, *key)),
                    None => break,
                },
                Some((_, key)) if signed(key) => {}
                Some(_) => break,
            }
            let body = ctx
                .txn
                .raw_body(&claimed.body)?
                .ok_or_else(|| Fault(format!("segment body {} is missing", claimed.body)))?;
            bytes += body.len();
            if bytes > PULL_BYTES && !segments.is_empty() {
                break;
            }
            segments.push(Segment { head, body });
        }
        // Even an answer without segments is one: whoever asked waits for it.
        let newest = signers.first().map(|(chain, _)| chain);
        if let Some(publisher) = chain.map(|(chain, _)| chain).or(newest).cloned() {
            ctx.send(
                link,
                Frame::SyncSegments {
                    publisher,
                    segments,
                },
            );
        }
        Ok(())
    }

    pub(super) fn sync_segments(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        chain: &Chain,
        segments: &[Segment],
    ) -> Result<(), Fault> {
        let (Some(peer), Some(here)) = (self.peer(link), self.place().cloned()) else {
            return Ok(());
        };
        let Ok(publisher) = chain.claimed().map(|certificate| certificate.place) else {
            return self.end_for(ctx, link, "a chain that is none");
        };
        // From a child: logs at or below it. From the parent: only what this node itself had lost.
        let expected = if peer.parent {
            publisher == here || here.is_ancestor_of(&publisher)
        } else {
            publisher == *peer.place() || peer.place().is_ancestor_of(&publisher)
        };
        if !expected {
            let misplaced = format!("{publisher} is not in its place below {}", peer.place());
            return self.end_for(ctx, link, &misplaced);
        }
        let barred = |state: &super::links::Link| state.sync.barred.contains(&publisher.code());
        if self.links.get(&link).is_some_and(barred) {
            return Ok(());
        }
        let member = match self.member_who_signed(ctx, chain, segments)? {
            Ok(member) => member,
            Err(error) => return self.bar(ctx, link, publisher.code(), &error.to_string()),
        };
        let mut taken = false;
        for segment in segments {
            let log = self.log_of(ctx, publisher.code())?;
            match sync::accept(&member, &log, segment) {
                Ok(accepted) => {
                    self.store_segment(ctx, &publisher, segment, accepted.changes)?;
                    taken = true;
                }
                // Known already, unless its author signed something else in that place.
                Err(SyncError::Stale { .. }) => {
                    self.prove_fork(ctx, segment)?;
                }
                // What lies between is asked for by the next comparison.
                Err(SyncError::Gap { .. }) => break,
                Err(SyncError::Fork { .. }) => {
                    self.prove_fork(ctx, segment)?;
                    break;
                }
                // Its own author sends it: the neighbour is at fault. Else only that log is left alone, for all others still flow.
                Err(error) if publisher == *peer.place() => {
                    return self.end_for(ctx, link, &error.to_string());
                }
                Err(error) => return self.bar(ctx, link, publisher.code(), &error.to_string()),
            }
        }
        self.after_segments(ctx, link, publisher.code(), taken)
    }

    /// Keeps a segment's head as proof where it contradicts what is known of its log.
    fn prove_fork(&self, ctx: &mut Context<'_, '_>, segment: &Segment) -> Result<(), Fault> {
        if let Ok(head) = segment.head.claimed(MAX_HEAD_BYTES) {
            self.note_fork(ctx, &head, &segment.head)?;
        }
        Ok(())
    }

    /// The publisher as it was when it signed: a log is not lost because the certificate of its author has expired since. Whoever was
    /// revoked is not believed at any time, for a stolen key can write any date.
    fn member_who_signed(
        &mut self,
        ctx: &mut Context<'_, '_>,
        chain: &Chain,
        segments: &[Segment],
    ) -> Result<Result<Member, MembershipError>, Fault> {
        let now = chain.verify(&self.me.root, ctx.now, &revoked(&*ctx.txn));
        Ok(match now {
            Ok(member) => {
                self.learn(ctx, chain, ctx.now)?;
                Ok(member)
            }
            Err(MembershipError::Expired { .. }) if !segments.is_empty() => {
                let heads = segments
                    .iter()
                    .filter_map(|segment| segment.head.claimed(MAX_HEAD_BYTES).ok());
                let signed = heads.map(|head| head.at).min().unwrap_or(ctx.now);
                let then = signed.min(ctx.now);
                let proved = chain.verify(&self.me.root, then, &revoked(&*ctx.txn));
                if proved.is_ok() {
                    self.learn(ctx, chain, then)?;
                }
                proved
            }
            Err(error) => Err(error),
        })
    }

    /// Goes on with the log while it grows; a neighbour that sends nothing new of it is not asked again before its next offer.
    fn after_segments(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        publisher: Code,
        taken: bool,
    ) -> Result<(), Fault> {
        let have = self.log_of(ctx, publisher)?.last;
        let mut again = false;
        if let Some(state) = self.links.get_mut(&link) {
            state.sync.moved = Some(ctx.now);
            if let Some(until) = state.sync.pulling.remove(&publisher) {
                again = taken && have < until;
                if again {
                    state.sync.pulling.insert(publisher, until);
                }
            }
        }
        if again {
            ctx.send(
                link,
                Frame::SyncPull {
                    publisher,
                    after: have,
                },
            );
        } else {
            self.pull_next(ctx, link)?;
        }
        self.offer_sync(ctx, false)
    }

    /// A log that does not hold is left alone on this link; nothing already known of it is touched, and other logs go on.
    fn bar(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        publisher: Code,
        reason: &str,
    ) -> Result<(), Fault> {
        let from = self
            .peer(link)
            .map_or_else(String::new, |peer| peer.code().to_string());
        if let Some(state) = self.links.get_mut(&link) {
            state.sync.barred.insert(publisher);
            state.sync.wanted.remove(&publisher);
            state.sync.pulling.remove(&publisher);
        }
        ctx.finding(
            format!("拒收{from}送来的{publisher}的目录分段：{reason}"),
            format!("catalogue segments of {publisher} from {from} refused: {reason}"),
            None,
        )?;
        self.pull_next(ctx, link)
    }

    /// A neighbour at fault: the link ends, nothing already known is touched, and it starts over when it comes back.
    fn end_for(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        reason: &str,
    ) -> Result<(), Fault> {
        let from = self
            .peer(link)
            .map_or_else(String::new, |peer| peer.code().to_string());
        ctx.finding(
            format!("拒收{from}送来的目录分段：{reason}"),
            format!("catalogue segments from {from} refused: {reason}"),
            None,
        )?;
        ctx.close(link, format!("bad segment: {reason}"));
        Ok(())
    }
}
