//! Search that climbs: every ancestor answers for its own catalogue; the driver answers for this node's at once.

use identity::{Code, Moment};

use super::tables::{counter, meta};
use super::{Context, Core, Effect, LinkId, Token};
use crate::store::Fault;
use crate::wire::{Frame, LevelAnswer, SearchHit, SearchId};

/// Searches of descendants that may run at once; beyond, the oldest is forgotten and its asker sees this level as unreachable.
const MAX_SEARCHES: usize = 1_024;
/// Most characters of a search text.
pub const MAX_SEARCH_CHARS: usize = 256;
/// Most hits a level gives.
pub const MAX_SEARCH_HITS: u16 = 100;

/// How long a level may take to answer, milliseconds; whoever asked has long shown it as unreachable.
const SEARCH_LIFE_MS: i64 = 60_000;

/// A search of a descendant that may still be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// Where answers go.
    pub(super) asker: LinkId,
    since: Moment,
}

impl Core {
    pub(super) fn search(
        &mut self,
        ctx: &mut Context<'_, '_>,
        token: Token,
        text: String,
        limit: u16,
    ) -> Result<(), Fault> {
        self.search_number += 1;
        let origin = self.place().map_or(Code::HUB, |place| place.code());
        // The time keeps numbers of two runs of one node apart.
        let number = (ctx.now.as_millis().unsigned_abs() << 16) | (self.search_number & 0xffff);
        let query = SearchId { origin, number };
        ctx.effects.push(Effect::SearchStarted { token, query });
        if let Some(parent) = self.parent_link() {
            ctx.send(
                parent,
                Frame::Search {
                    query,
                    text: clip(&text),
                    limit: limit.min(MAX_SEARCH_HITS),
                },
            );
        }
        Ok(())
    }

    pub(super) fn search_from_below(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        query: SearchId,
        text: String,
        limit: u16,
    ) -> Result<(), Fault> {
        if self.peer(link).is_none_or(|peer| peer.parent) {
            return Ok(());
        }
        // An id that is in use belongs to who asked first: no neighbour draws another's answers to itself.
        let other = |waiting: &Waiting| waiting.asker != link;
        if self.searches.get(&query).is_some_and(other) {
            return Ok(());
        }
        while self.searches.len() >= MAX_SEARCHES {
            let oldest = self
                .searches
                .iter()
                .min_by_key(|(_, waiting)| waiting.since);
            let Some(oldest) = oldest.map(|(query, _)| *query) else {
                break;
            };
            self.searches.remove(&oldest);
        }
        let since = ctx.now;
        self.searches.insert(query, Waiting { asker: link, since });
        let (text, limit) = (clip(&text), limit.min(MAX_SEARCH_HITS));
        ctx.effects.push(Effect::SearchLocal {
            query,
            text: text.clone(),
            limit,
        });
        if let Some(parent) = self.parent_link() {
            ctx.send(parent, Frame::Search { query, text, limit });
        }
        Ok(())
    }

    pub(super) fn search_done(
        &mut self,
        ctx: &mut Context<'_, '_>,
        query: SearchId,
        hits: Vec<SearchHit>,
    ) -> Result<(), Fault> {
        let (Some(link), Some(node)) = (
            self.searches.get(&query).map(|waiting| waiting.asker),
            self.place().cloned(),
        ) else {
            return Ok(());
        };
        let catalogue = counter(&*ctx.txn, meta::CATALOGUE)?;
        let as_of = super::query::catalogue_as_of(&*ctx.txn)?.unwrap_or(ctx.now);
        ctx.send(
            link,
            Frame::SearchAnswer {
                query,
                level: LevelAnswer {
                    node,
                    as_of,
                    catalogue,
                    hits,
                },
            },
        );
        Ok(())
    }

    pub(super) fn search_answered(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        query: SearchId,
        level: LevelAnswer,
    ) -> Result<(), Fault> {
        // Only a level above answers. Its hits are what that level says; what is applied for is checked at the provider, against its own log.
        let above = self
            .place()
            .is_some_and(|place| level.node.is_ancestor_of(place));
        if self.parent_link() != Some(link)
            || !above
            || level.hits.len() > usize::from(MAX_SEARCH_HITS)
            || !level.hits.iter().all(SearchHit::is_within_bounds)
        {
            return Ok(());
        }
        if self
            .place()
            .is_some_and(|place| place.code() == query.origin)
        {
            ctx.effects.push(Effect::SearchLevel {
                query,
                answer: level,
            });
        } else if let Some(below) = self.searches.get(&query).map(|waiting| waiting.asker) {
            ctx.send(below, Frame::SearchAnswer { query, level });
        }
        Ok(())
    }

    /// Forgets searches that nobody waits for any more.
    pub(super) fn forget_searches(&mut self, now: Moment) {
        self.searches
            .retain(|_, waiting| now.millis_since(waiting.since) < SEARCH_LIFE_MS);
    }
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_SEARCH_CHARS).collect()
}
