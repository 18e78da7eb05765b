//! Search that climbs: every ancestor answers for its own catalogue; the driver answers for this node's at once.
//!
//! What the levels said of the items of a search is kept for a day: a need that is reported states it (R20), and this node compares. It is kept in
//! memory: after a restart one asks again.

use identity::{Code, Moment, Path};
use sharing::need::{LevelAsked, Need, Said};

use super::tables::{counter, meta};
use super::{Context, Core, Effect, LinkId, Token};
use crate::store::Fault;
use crate::wire::{Frame, LevelAnswer, MAX_SEARCH_CHARS, Question, SearchHit, SearchId};

/// Searches of descendants that may run at once; beyond, the oldest is forgotten and its asker sees this level as unreachable.
const MAX_SEARCHES: usize = 1_024;
/// Most hits a level gives.
pub const MAX_SEARCH_HITS: u16 = 100;

/// How long a level may take to answer, milliseconds; whoever asked has long shown it as unreachable.
const SEARCH_LIFE_MS: i64 = 60_000;

/// Searches for items whose answers are kept: more than people of one node report needs in a day; each is at most seven levels of
/// [`sharing::need::MAX_CONSIDERED`] entries, 200 KiB. Beyond, the oldest is forgotten.
const MAX_HEARD: usize = 64;
/// How long what was heard stands for a need that is reported, milliseconds: a day, for whoever signs on another machine.
const HEARD_LIFE_MS: i64 = 86_400_000;

/// What levels above said of the items of a search of this node's own people.
#[derive(Debug)]
pub(super) struct Heard {
    query: SearchId,
    items: Vec<String>,
    since: Moment,
    levels: Vec<LevelAsked>,
}

/// A search of a descendant that may still be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// Where answers go.
    pub(super) asker: LinkId,
    since: Moment,
}

impl Heard {
    /// What a level said, if it did.
    fn of(&self, node: &Path) -> Option<&Said> {
        let level = self.levels.iter().find(|it| it.node == *node);
        level.map(|it| &it.said)
    }
}

impl Core {
    pub(super) fn search(
        &mut self,
        ctx: &mut Context<'_, '_>,
        token: Token,
        question: Question,
        limit: u16,
    ) -> Result<(), Fault> {
        self.search_number += 1;
        let origin = self.place().map_or(Code::HUB, |place| place.code());
        // The time keeps numbers of two runs of one node apart.
        let number = (ctx.now.as_millis().unsigned_abs() << 16) | (self.search_number & 0xffff);
        let query = SearchId { origin, number };
        ctx.effects.push(Effect::SearchStarted { token, query });
        let question = clipped(question);
        if !question.is_within_bounds() {
            return Ok(());
        }
        if let Question::Items(items) = &question {
            self.listen(query, items.clone(), ctx.now);
        }
        if let Some(parent) = self.parent_link() {
            let limit = limit.min(MAX_SEARCH_HITS);
            ctx.send(
                parent,
                Frame::Search {
                    query,
                    question,
                    limit,
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
        question: Question,
        limit: u16,
    ) -> Result<(), Fault> {
        if self.peer(link).is_none_or(|peer| peer.parent) {
            return Ok(());
        }
        let question = clipped(question);
        if !question.is_within_bounds() {
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
        let limit = limit.min(MAX_SEARCH_HITS);
        ctx.effects.push(Effect::SearchLocal {
            query,
            question: question.clone(),
            limit,
        });
        if let Some(parent) = self.parent_link() {
            ctx.send(
                parent,
                Frame::Search {
                    query,
                    question,
                    limit,
                },
            );
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
            self.hear(query, &level);
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
        self.heard
            .retain(|heard| now.millis_since(heard.since) < HEARD_LIFE_MS);
    }

    /// Keeps what the levels will say of these items.
    fn listen(&mut self, query: SearchId, items: Vec<String>, since: Moment) {
        if self.heard.len() >= MAX_HEARD {
            self.heard.pop_front();
        }
        let levels = Vec::new();
        self.heard.push_back(Heard {
            query,
            items,
            since,
            levels,
        });
    }

    fn hear(&mut self, query: SearchId, answer: &LevelAnswer) {
        let heard = self.heard.iter_mut().find(|heard| heard.query == query);
        if let Some(heard) = heard
            && heard.levels.iter().all(|it| it.node != answer.node)
        {
            heard.levels.push(answer.of_a_need());
        }
    }

    /// A level above of which a need does not state what this node heard in a search for the same items. One that it states as silent may have
    /// answered late, when it found nothing that the need leaves out.
    pub(super) fn heard_otherwise(&self, need: &Need) -> Option<Path> {
        let here = self.place()?;
        let mut above = std::iter::successors(here.parent(), Path::parent);
        let wanted = need.wanted();
        let same = |heard: &&Heard| heard.items == wanted;
        let searches: Vec<&Heard> = self.heard.iter().filter(same).collect();
        if searches.is_empty() {
            return above.next();
        }
        above.find(|node| {
            let heard: Vec<&Said> = searches.iter().filter_map(|it| it.of(node)).collect();
            let stated = need.asked.iter().find(|it| it.node == *node);
            let stated = stated.map(|it| &it.said);
            // What it states and does not consider is refused as what it is: shared already.
            let states = |it| stated.is_some_and(|said| said.whole().contains(it));
            let left_out = heard.iter().any(|said| {
                let mut whole = said.whole().iter();
                whole.any(|it| !need.considers(it.publisher.code(), &it.entry) && !states(it))
            });
            left_out
                || match stated {
                    None | Some(Said::Silent) => false,
                    Some(answered) => !heard.contains(&answered),
                }
        })
    }
}

/// Words beyond the longest search are left off; names of items are looked for whole or not at all.
fn clipped(question: Question) -> Question {
    match question {
        Question::Words(text) => Question::Words(text.chars().take(MAX_SEARCH_CHARS).collect()),
        Question::Items(names) => Question::Items(names),
    }
}
