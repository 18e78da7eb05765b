//! A search as an operator sees it: the local answer at once, then one answer or a silence for each level above.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use federation::core::Token;
use federation::wire::{LevelAnswer, SearchId};
use identity::Path;
use tokio::sync::mpsc;

/// Searches of this node's operators that may run at a time.
pub const MAX_SEARCHES: usize = 256;
/// Answers that may wait for one search: a path has at most eight codes.
const ANSWERS: usize = identity::place::MAX_DEPTH;

/// What came of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchOutcome {
    /// This node's own answer.
    pub local: LevelAnswer,
    /// The levels above, nearest first.
    pub levels: Vec<(Path, LevelState)>,
}

/// How one level answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LevelState {
    /// It answered in time.
    Answered(LevelAnswer),
    /// 未能联系: no answer within the time the operator gave.
    Unreachable,
}

/// Searches that wait for answers.
#[derive(Debug, Default)]
pub(super) struct Searches(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    asked: HashMap<Token, mpsc::Sender<LevelAnswer>>,
    running: HashMap<SearchId, (Token, mpsc::Sender<LevelAnswer>)>,
}

impl Searches {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits for the answers to a search that will be asked under `token`; `None` when too many run.
    pub(super) fn open(&self, token: Token) -> Option<mpsc::Receiver<LevelAnswer>> {
        let mut waiting = self.lock();
        if waiting.asked.len() + waiting.running.len() >= MAX_SEARCHES {
            return None;
        }
        let (answers, received) = mpsc::channel(ANSWERS);
        waiting.asked.insert(token, answers);
        Some(received)
    }

    /// The core has given the search its id.
    pub(super) fn started(&self, token: Token, query: SearchId) {
        let mut waiting = self.lock();
        if let Some(answers) = waiting.asked.remove(&token) {
            waiting.running.insert(query, (token, answers));
        }
    }

    /// A level answered; an answer to a search that is over is dropped.
    pub(super) fn answered(&self, query: SearchId, answer: LevelAnswer) {
        if let Some((_, answers)) = self.lock().running.get(&query) {
            // A full queue means a level answered twice.
            let _ = answers.try_send(answer);
        }
    }

    /// The search is over.
    pub(super) fn close(&self, token: Token) {
        let mut waiting = self.lock();
        waiting.asked.remove(&token);
        waiting.running.retain(|_, (asked, _)| *asked != token);
    }
}

/// The levels above a place, nearest first.
pub(super) fn levels_above(place: &Path) -> Vec<Path> {
    std::iter::successors(place.parent(), Path::parent).collect()
}

#[cfg(test)]
mod tests {
    use identity::{Code, Moment};

    use super::*;

    fn answer(node: &str) -> LevelAnswer {
        LevelAnswer {
            node: node.parse().unwrap(),
            as_of: Moment::from_millis(1),
            catalogue: 0,
            hits: Vec::new(),
        }
    }

    #[test]
    fn answers_find_the_search_they_belong_to() {
        let searches = Searches::default();
        let query = |number| SearchId {
            origin: Code::HUB,
            number,
        };
        let mut first = searches.open(Token(1)).unwrap();
        let mut second = searches.open(Token(2)).unwrap();
        searches.started(Token(1), query(10));
        searches.started(Token(2), query(11));
        searches.answered(query(11), answer("100000"));
        assert!(first.try_recv().is_err());
        assert_eq!(second.try_recv().unwrap(), answer("100000"));
    }

    #[test]
    fn late_answers_and_closed_searches_leave_nothing_behind() {
        let searches = Searches::default();
        let query = SearchId {
            origin: Code::HUB,
            number: 1,
        };
        let mut received = searches.open(Token(1)).unwrap();
        searches.started(Token(1), query);
        searches.close(Token(1));
        searches.answered(query, answer("100000"));
        assert!(received.try_recv().is_err());
        assert!(searches.lock().running.is_empty());
    }

    #[test]
    fn too_many_searches_are_turned_away() {
        let searches = Searches::default();
        let open: Vec<_> = (0..MAX_SEARCHES as u64)
            .map(|n| searches.open(Token(n)).unwrap())
            .collect();
        assert!(searches.open(Token(9_999)).is_none());
        searches.close(Token(0));
        assert!(searches.open(Token(9_999)).is_some());
        drop(open);
    }

    #[test]
    fn levels_above_are_the_ancestors_nearest_first() {
        let place: Path = "100000/440000/440100/440106".parse().unwrap();
        let levels: Vec<String> = levels_above(&place).iter().map(Path::to_string).collect();
        assert_eq!(levels, ["100000/440000/440100", "100000/440000", "100000"]);
        assert!(levels_above(&Path::hub()).is_empty());
    }
}
