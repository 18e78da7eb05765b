//! Searches: what a node's catalogue answers, and what an operator hears from the levels above.

use federation::wire::{Question, SearchHit};
use sharing::need::{LevelAsked, Said};

use super::*;

/// Most hits that are asked for.
const LIMIT: u16 = 100;

impl World {
    /// What a node's catalogue answers; there is no index of words here.
    pub(super) fn hits(&self, code: Code, question: &Question, limit: usize) -> Vec<SearchHit> {
        match question {
            Question::Words(_) => Vec::new(),
            Question::Items(names) => {
                query::holding(self.read(code), names, limit).expect("memory does not fail")
            }
        }
    }

    /// An operator asks the levels above for items and waits until everything is quiet: what each said, the nearest first.
    pub fn ask_above(&mut self, node: Code, items: &[String]) -> Vec<LevelAsked> {
        let token = self.token();
        let question = Question::Items(items.to_vec());
        let search = Input::Search {
            token,
            question,
            limit: LIMIT,
        };
        self.input(node, search);
        self.settle();
        self.searches.retain(|_, (of, _)| *of == token);
        let mut heard = self.searches.values().flat_map(|(_, levels)| levels);
        let heard: Vec<LevelAsked> = heard.by_ref().map(LevelAnswer::of_a_need).collect();
        let above = std::iter::successors(self.place(node).parent(), Path::parent);
        let asked = above.map(|level| {
            let silent = LevelAsked {
                node: level.clone(),
                said: Said::Silent,
            };
            let answered = heard.iter().find(|it| it.node == level);
            answered.cloned().unwrap_or(silent)
        });
        asked.collect()
    }
}
