//! From what a person typed to a query: every run of the text must occur, in whichever field, as it was typed; or the whole of it is an entry's id.

use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{
    BooleanQuery, BoostQuery, DisjunctionMaxQuery, PhraseQuery, Query, RangeQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::tokenizer::{Run, runs};
use super::{Fields, MAX_QUERY_CHARS};

/// How much it counts to be the entry whose id was typed: more than any word.
const ID_BOOST: f32 = 64.0;
/// How much a hit in a field counts: the name says what an entry is, the summary mentions much else.
const NAME_BOOST: f32 = 8.0;
const PROVIDER_BOOST: f32 = 3.0;
const ITEMS_BOOST: f32 = 2.0;
const SUMMARY_BOOST: f32 = 1.0;
/// What a run adds where it occurs in further fields too.
const FURTHER_FIELDS: f32 = 0.1;

/// The query for a text; none when it holds no word at all.
pub(super) fn query(fields: Fields, text: &str) -> Option<BooleanQuery> {
    let text: String = text.chars().take(MAX_QUERY_CHARS).collect();
    let clauses: Vec<Box<dyn Query>> = runs(&text)
        .iter()
        .map(|run| in_any_field(fields, run))
        .collect();
    let id = Term::from_field_text(fields.id, text.trim());
    let by_id = BoostQuery::new(
        Box::new(TermQuery::new(id, IndexRecordOption::Basic)),
        ID_BOOST,
    );
    (!clauses.is_empty()).then(|| {
        let by_words = BooleanQuery::intersection(clauses);
        BooleanQuery::union(vec![Box::new(by_id), Box::new(by_words)])
    })
}

fn in_any_field(fields: Fields, run: &Run) -> Box<dyn Query> {
    let weighted = [
        (fields.name, NAME_BOOST),
        (fields.provider, PROVIDER_BOOST),
        (fields.items, ITEMS_BOOST),
        (fields.summary, SUMMARY_BOOST),
    ];
    let fields = weighted.map(|(field, boost)| -> Box<dyn Query> {
        Box::new(BoostQuery::new(in_field(field, run), boost))
    });
    Box::new(DisjunctionMaxQuery::with_tie_breaker(
        fields.into(),
        FURTHER_FIELDS,
    ))
}

fn in_field(field: Field, run: &Run) -> Box<dyn Query> {
    let term = |text: &str| Term::from_field_text(field, text);
    let exactly = |text: &str| -> Box<dyn Query> {
        Box::new(TermQuery::new(term(text), IndexRecordOption::WithFreqs))
    };
    match run {
        Run::Word(word) => exactly(word),
        Run::Han(han) => match han.as_slice() {
            // A single character begins a pair wherever it is not the last of its run, and then it stands alone.
            [one] => match char::from_u32(u32::from(*one) + 1) {
                Some(next) => {
                    let bounds = (
                        Bound::Included(term(&one.to_string())),
                        Bound::Excluded(term(&next.to_string())),
                    );
                    Box::new(RangeQuery::new(bounds.0, bounds.1))
                }
                None => exactly(&one.to_string()),
            },
            han => {
                let pairs: Vec<Term> = Run::pairs(han).map(|pair| term(&pair)).collect();
                match pairs.as_slice() {
                    [pair] => Box::new(TermQuery::new(pair.clone(), IndexRecordOption::WithFreqs)),
                    _ => Box::new(PhraseQuery::new(pairs)),
                }
            }
        },
    }
}
