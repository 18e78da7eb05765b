//! Catalogue sync between neighbours: a child offers, the parent takes what it lacks; authors' signatures go along untouched.

use std::collections::VecDeque;

use identity::{Chain, Code, Digest, Path, Signed};
use sharing::catalogue::{Change, EntryId, PublishedEntry};

use super::tables::{HeadRow, View, code_key, counter, decode_row, meta, segment_key};
use super::{Context, Core, Effect, LinkId, Record, revoked};
use crate::store::{Fault, Table};
use crate::sync::{self, Head, LogState, MAX_SEGMENT_BYTES, Segment, SyncError};
use crate::wire::Frame;

/// Heads in one page: a head is about 400 bytes.
const HEADS_PER_PAGE: usize = 512;
/// Most publishers whose heads one node compares: the nation, twice.
const MAX_PUBLISHERS: usize = 8_192;
/// Body bytes in one answer to a pull.
const PULL_BYTES: usize = 4 * MAX_SEGMENT_BYTES - MAX_SEGMENT_BYTES / 2;
/// Publishers pulled at the same time from one child.
const PULLS_AT_ONCE: usize = 4;
/// Most bytes of an encoded head.
const MAX_HEAD_BYTES: usize = 4_096;

/// What runs on one link.
#[derive(Debug, Default)]
pub(super) struct LinkSync {
    /// Digest last offered to the parent on this link.
    offered: Option<Digest>,
    /// Publishers still to be pulled from this child, with the sequence its head names.
    wanted: VecDeque<(Code, u64)>,
    /// Pulls under way.
    pulling: Vec<(Code, u64)>,
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
        let members = changes.iter().any(|change| {
            matches!(
                change,
                Change::MemberCertified { .. } | Change::MemberRevoked { .. }
            )
        });
        ctx.record(&Record::Segment {
            head: segment.head.clone(),
            at,
        })?;
        let mut put: Vec<PublishedEntry> = Vec::new();
        let mut remove: Vec<(Code, EntryId)> = Vec::new();
        for change in changes {
            match change {
                Change::Published { entry, at } => put.push(PublishedEntry {
                    publisher: publisher.clone(),
                    published_at: at,
                    entry,
                }),
                Change::Withdrawn { id, .. } => remove.push((publisher.code(), id)),
                Change::MemberCertified { .. } | Change::MemberRevoked { .. } => {}
            }
        }
        let applied = counter(&*ctx.txn, meta::CHANGES)?;
        ctx.effects.push(Effect::Index {
            put,
            remove,
            applied,
        });
        if members {
            self.close_revoked(ctx)?;
        }
        Ok(())
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
        let Some(child) = self.child_place(link) else {
            return Ok(());
        };
        let (ours, _) = self.subtree_digest(ctx, &child)?;
        if ours != digest {
            ctx.send(link, Frame::SyncHeadsWanted { after: None });
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
        let mut last = None;
        for signed in heads {
            let Ok(head) = signed.claimed(MAX_HEAD_BYTES) else {
                continue;
            };
            if head.publisher != child && !child.is_ancestor_of(&head.publisher) {
                continue;
            }
            let publisher = head.publisher.code();
            last = Some(publisher);
            let ours = self.log_of(ctx, publisher)?;
            if head.last > ours.last {
                if let Some(state) = self.links.get_mut(&link) {
                    state.sync.wanted.push_back((publisher, head.last));
                }
            } else if head.last < ours.last {
                self.give_back(ctx, link, publisher, head.last)?;
            } else if head.root != ours.root {
                self.note_fork(ctx, &head, signed)?;
            }
        }
        if let (true, Some(last)) = (more, last) {
            ctx.send(link, Frame::SyncHeadsWanted { after: Some(last) });
        }
        self.pull_next(ctx, link)
    }

    fn pull_next(&mut self, ctx: &mut Context<'_, '_>, link: LinkId) -> Result<(), Fault> {
        loop {
            let Some(state) = self.links.get_mut(&link) else {
                return Ok(());
            };
            if state.sync.pulling.len() >= PULLS_AT_ONCE {
                return Ok(());
            }
            let Some((publisher, until)) = state.sync.wanted.pop_front() else {
                return Ok(());
            };
            if state
                .sync
                .pulling
                .iter()
                .any(|(code, _)| *code == publisher)
            {
                continue;
            }
            state.sync.pulling.push((publisher, until));
            let after = self.log_of(ctx, publisher)?.last;
            ctx.send(link, Frame::SyncPull { publisher, after });
        }
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

    /// A neighbour below restored an old copy: give it back what it lost of a log it holds the key or the duty for.
    fn give_back(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        publisher: Code,
        after: u64,
    ) -> Result<(), Fault> {
        self.send_segments(ctx, link, publisher, after)
    }

    fn send_segments(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        publisher: Code,
        after: u64,
    ) -> Result<(), Fault> {
        let own = self
            .member
            .as_ref()
            .filter(|member| member.place().code() == publisher)
            .map(|member| member.chain().clone());
        let chain = match own {
            Some(chain) => Some(chain),
            None => ctx
                .txn
                .row::<super::tables::ChainRow>(Table::Chains, &code_key(&publisher))?
                .map(|row| row.chain),
        };
        let Some(chain) = chain else { return Ok(()) };
        let (prefix, from) = (code_key(&publisher), segment_key(&publisher, after));
        let mut segments = Vec::new();
        let mut bytes = 0;
        for (_, row) in ctx
            .txn
            .raw_scan(Table::Segments, &prefix, Some(&from), 64)?
        {
            let head: Signed<Head> = decode_row(Table::Segments, &row)?;
            let claimed = head
                .claimed(MAX_HEAD_BYTES)
                .map_err(|error| Fault(format!("stored head: {error}")))?;
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
        ctx.send(
            link,
            Frame::SyncSegments {
                publisher: chain,
                segments,
            },
        );
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
        let verified = chain.verify(&self.me.root, ctx.now, &revoked(&*ctx.txn));
        let member = match verified {
            Ok(member) => member,
            Err(error) => return self.refuse_segments(ctx, link, &error.to_string()),
        };
        let publisher = member.place().clone();
        // From a child: logs at or below it. From the parent: only what this node itself had lost.
        let expected = if peer.parent {
            publisher == here || here.is_ancestor_of(&publisher)
        } else {
            publisher == *peer.place() || peer.place().is_ancestor_of(&publisher)
        };
        if !expected {
            return self.refuse_segments(
                ctx,
                link,
                &format!("{publisher} is not in its place below {}", peer.place()),
            );
        }
        self.learn(ctx, chain, ctx.now)?;
        for segment in segments {
            let log = self.log_of(ctx, publisher.code())?;
            match sync::accept(&member, &log, segment) {
                Ok(accepted) => self.store_segment(ctx, &publisher, segment, accepted.changes)?,
                Err(SyncError::Stale { .. }) => {}
                Err(SyncError::Fork { .. }) => {
                    if let Ok(head) = segment.head.claimed(MAX_HEAD_BYTES) {
                        self.note_fork(ctx, &head, &segment.head)?;
                    }
                    break;
                }
                Err(error) => return self.refuse_segments(ctx, link, &error.to_string()),
            }
        }
        self.after_segments(ctx, link, publisher.code())
    }

    fn after_segments(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        publisher: Code,
    ) -> Result<(), Fault> {
        let have = self.log_of(ctx, publisher)?.last;
        let mut again = false;
        if let Some(state) = self.links.get_mut(&link)
            && let Some(place) = state
                .sync
                .pulling
                .iter()
                .position(|(code, _)| *code == publisher)
        {
            let (_, until) = state.sync.pulling[place];
            again = have < until;
            if !again {
                state.sync.pulling.swap_remove(place);
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

    /// A bad segment ends the link: nothing already known is touched, and the child starts over when it comes back.
    fn refuse_segments(
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

    /// Two signed heads of one sequence: kept side by side as the proof, once.
    fn note_fork(
        &mut self,
        ctx: &mut Context<'_, '_>,
        head: &Head,
        signed: &Signed<Head>,
    ) -> Result<(), Fault> {
        let publisher = head.publisher.code();
        let Some(known) = self.known_member(ctx, &publisher)? else {
            return Ok(());
        };
        if signed
            .check(identity::Domain::Segment, &known.certificate().signing_key)
            .is_err()
        {
            return Ok(());
        }
        let Some(first) = ctx
            .txn
            .row::<Signed<Head>>(Table::Segments, &segment_key(&publisher, head.last))?
        else {
            return Ok(());
        };
        if first == *signed
            || ctx
                .txn
                .raw(Table::Seen, &fork_key(&publisher, head.last))?
                .is_some()
        {
            return Ok(());
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
        )
    }
}

/// Where a found fork is remembered, so that it is reported once.
pub(super) fn fork_key(publisher: &Code, last: u64) -> Vec<u8> {
    let mut key = vec![b'f'];
    key.extend_from_slice(&segment_key(publisher, last));
    key
}
