//! Search in the catalogue, in Chinese, within a county node's memory.
//!
//! Text is cut into overlapping pairs of characters ([`tokenizer`]), so that 农业 is found inside 中国农业发展银行 without a dictionary (the
//! usual one takes 55 MB by itself), and a query is the phrase of its pairs, so that scattered characters are no hit.
//!
//! What the index costs, and how it is kept small:
//!
//! - *Writing* takes up to [`WRITER_BYTES`], tantivy's least, one indexing and one merging thread. The writer lives for one call of
//!   [`SearchIndex::apply`] and is gone when the node rests.
//! - *Searching* runs on the caller's thread. Index files are mapped, not read into the heap, so the kernel may take their pages back.
//! - *Stored* is only what a hit shows, about 300 bytes an entry in compressed blocks of 16 KiB, of which [`STORE_BLOCKS`] stay
//!   decompressed per segment. Summaries are indexed and not stored: they lie in the ledger's segments already.
//!
//! Whoever asks by an entry's exact id is going to apply for it: those hits, and no others, carry the names of its data items.
//!
//! The index is derived from the catalogue. Where it is missing, damaged or of another version it is emptied, and [`State::NeedsRebuild`]
//! asks for [`SearchIndex::rebuild_from`].

mod query;
mod tokenizer;

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use federation::core::query as tables;
use federation::store::Read;
use federation::wire::{MAX_HIT_ITEMS_BYTES, Question, SearchHit};
use identity::{Code, codec};
use sharing::catalogue::{EntryId, PublishedEntry};
use tantivy::collector::TopDocs;
use tantivy::indexer::IndexWriterOptions;
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions, Value,
};
use tantivy::{
    Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError,
    Term,
};

/// Most hits one search returns: more than a person reads, and a level's answer on the wire stays below 64 KiB.
pub const MAX_HITS: usize = 100;
/// Most characters of a query that count; what follows is ignored.
pub const MAX_QUERY_CHARS: usize = 256;
/// Memory a writer may fill before it writes a segment, bytes: the least tantivy takes.
const WRITER_BYTES: usize = 15_000_000;
/// Decompressed blocks of stored hits kept per segment.
const STORE_BLOCKS: usize = 2;
/// Most bytes of one stored hit: name and provider of a few hundred characters, and [`MAX_HIT_ITEMS_BYTES`].
const MAX_HIT_BYTES: usize = 32 << 10;
/// Most hits of one answer that carry data items, so that they add at most 32 KiB to it; only entries of one id and several publishers are more than one.
const MAX_HITS_WITH_ITEMS: usize = 4;
/// What the index means; raised when fields, cutting or stored hits change, and every node then rebuilds.
const VERSION: u32 = 2;
/// Name under which the tokenizer is registered.
const TOKENIZER: &str = "pairs";

/// Why the index cannot be used. It is derived: nothing is lost by emptying it.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// tantivy failed.
    #[error("检索索引：{0} (search index)")]
    Index(#[from] TantivyError),
    /// The folder cannot be used.
    #[error("检索索引 {}：{source} (search index)", .folder.display())]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A stored hit cannot be read: the index must be rebuilt.
    #[error("检索索引中有损坏的条目，请重建索引 (rebuild the search index)")]
    DamagedHit,
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The index is whole and has seen the catalogue up to this count of ledger records.
    Ready {
        /// As given to the last [`SearchIndex::apply`].
        applied: u64,
    },
    /// The index is empty and must be filled by [`SearchIndex::rebuild_from`].
    NeedsRebuild {
        /// Why.
        reason: String,
    },
}

/// The hits of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Best first, at most [`MAX_HITS`].
    pub hits: Vec<SearchHit>,
    /// Entries in the whole index.
    pub catalogue: u64,
}

/// What this node's catalogue answers to a question: the index where it is words, the tables where it is items.
///
/// # Errors
/// What went wrong, for the log.
pub fn hits(
    index: &SearchIndex,
    store: &dyn Read,
    question: &Question,
    limit: usize,
) -> Result<Vec<SearchHit>, String> {
    match question {
        Question::Words(text) => {
            let found = index.search(text, limit);
            found.map(|it| it.hits).map_err(|error| error.to_string())
        }
        Question::Items(names) => {
            tables::holding(store, names, limit).map_err(|fault| fault.to_string())
        }
    }
}

/// The index of one node's catalogue. Searches run beside a writer and see the last commit.
pub struct SearchIndex {
    index: Index,
    reader: IndexReader,
    fields: Fields,
    writing: Mutex<()>,
}

/// The fields of an entry in the index.
#[derive(Debug, Clone, Copy)]
struct Fields {
    /// Publisher and id; names the entry.
    key: Field,
    /// The id by itself, as it stands.
    id: Field,
    name: Field,
    provider: Field,
    items: Field,
    summary: Field,
    /// The encoded [`SearchHit`].
    hit: Field,
}

impl SearchIndex {
    /// Opens the index in `folder`, checking its files, or makes an empty one. The data folder's lock must be held.
    ///
    /// # Errors
    /// Only when not even an empty index can be made.
    pub fn open(folder: &Path) -> Result<(Self, State), SearchError> {
        let found = if folder.join("meta.json").exists() {
            // tantivy asserts in places where a file may be damaged.
            catch_unwind(AssertUnwindSafe(|| Self::open_whole(folder)))
                .unwrap_or_else(|_| Err("tantivy panicked while opening".to_owned()))
        } else {
            Err("there is no index yet".to_owned())
        };
        match found {
            Ok((index, applied)) => Ok((index, State::Ready { applied })),
            Err(reason) => Ok((Self::create(folder)?, State::NeedsRebuild { reason })),
        }
    }

    fn open_whole(folder: &Path) -> Result<(Self, u64), String> {
        let text = |error: TantivyError| error.to_string();
        let index = Index::open_in_dir(folder).map_err(text)?;
        let (schema, fields) = schema();
        if index.schema() != schema {
            return Err("the index has other fields".to_owned());
        }
        let payload = index
            .load_metas()
            .map_err(text)?
            .payload
            .unwrap_or_default();
        let applied =
            parse_payload(&payload).ok_or("the index was never filled, or by another version")?;
        let damaged = index.validate_checksum().map_err(text)?;
        if let Some(file) = damaged.iter().next() {
            return Err(format!("{} is damaged", file.display()));
        }
        Ok((Self::with(index, fields).map_err(text)?, applied))
    }

    fn create(folder: &Path) -> Result<Self, SearchError> {
        let at = |source| SearchError::Folder {
            folder: folder.to_path_buf(),
            source,
        };
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(at)?;
        }
        fs::create_dir_all(folder).map_err(at)?;
        let (schema, fields) = schema();
        let settings = IndexSettings {
            docstore_compress_dedicated_thread: false,
            ..IndexSettings::default()
        };
        let directory =
            tantivy::directory::MmapDirectory::open(folder).map_err(TantivyError::from)?;
        let index = Index::create(directory, schema, settings)?;
        Ok(Self::with(index, fields)?)
    }

    fn with(index: Index, fields: Fields) -> Result<Self, TantivyError> {
        index.tokenizers().register(TOKENIZER, tokenizer::Pairs);
        let builder = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(STORE_BLOCKS);
        let reader = builder.try_into()?;
        Ok(Self {
            index,
            reader,
            fields,
            writing: Mutex::new(()),
        })
    }

    /// Puts and removes entries in one commit that also remembers `applied`, the count of ledger records it reflects. A put replaces
    /// the entry's earlier version.
    ///
    /// # Errors
    /// [`SearchError::Index`]; then nothing changed and the same call may be made again.
    pub fn apply(
        &self,
        put: &[PublishedEntry],
        remove: &[(Code, EntryId)],
        applied: u64,
    ) -> Result<(), SearchError> {
        self.write(applied, |writer| {
            for (publisher, id) in remove {
                writer.delete_term(self.key_term(*publisher, id));
            }
            for entry in put {
                writer.delete_term(self.key_term(entry.publisher.code(), &entry.entry.id));
                writer.add_document(self.document(entry))?;
            }
            Ok(())
        })
    }

    /// Empties the index and fills it with `entries`, each of which must occur once, in one commit.
    ///
    /// # Errors
    /// [`SearchError::Index`]; then the index is as it was.
    pub fn rebuild_from(
        &self,
        entries: impl Iterator<Item = PublishedEntry>,
        applied: u64,
    ) -> Result<(), SearchError> {
        self.write(applied, |writer| {
            writer.delete_all_documents()?;
            for entry in entries {
                writer.add_document(self.document(&entry))?;
            }
            Ok(())
        })
    }

    fn write(
        &self,
        applied: u64,
        fill: impl FnOnce(&mut IndexWriter) -> Result<(), TantivyError>,
    ) -> Result<(), SearchError> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(WRITER_BYTES)
            .build();
        let mut writer: IndexWriter = self.index.writer_with_options(options)?;
        fill(&mut writer)?;
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&format!("{VERSION} {applied}"));
        commit.commit()?;
        // Dropping the writer would break off merges, and small segments would pile up.
        writer.wait_merging_threads()?;
        self.reader.reload()?;
        Ok(())
    }

    /// Entries in the index.
    pub fn len(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Whether the index holds no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds the entries that hold every word of `text` or whose id it is, best first. The text is taken as it stands: there is no query syntax.
    ///
    /// # Errors
    /// [`SearchError::Index`], [`SearchError::DamagedHit`].
    pub fn search(&self, text: &str, limit: usize) -> Result<Found, SearchError> {
        let searcher = self.reader.searcher();
        let catalogue = searcher.num_docs();
        let limit = limit.min(MAX_HITS);
        let Some(query) = query::query(self.fields, text).filter(|_| limit > 0) else {
            return Ok(Found {
                hits: Vec::new(),
                catalogue,
            });
        };
        let best = searcher.search(&query, &TopDocs::with_limit(limit).order_by_score())?;
        let mut hits: Vec<SearchHit> = best
            .into_iter()
            .map(|(score, address)| self.hit(score, &searcher.doc(address)?))
            .collect::<Result<_, _>>()?;
        let mut by_id = 0;
        for hit in &mut hits {
            by_id += usize::from(hit.id.as_str() == text.trim());
            if hit.id.as_str() != text.trim() || by_id > MAX_HITS_WITH_ITEMS {
                hit.items.clear();
            }
        }
        Ok(Found { hits, catalogue })
    }

    fn hit(&self, score: f32, document: &TantivyDocument) -> Result<SearchHit, SearchError> {
        let bytes = document
            .get_first(self.fields.hit)
            .and_then(|value| value.as_bytes())
            .ok_or(SearchError::DamagedHit)?;
        let hit: SearchHit =
            codec::decode(bytes, MAX_HIT_BYTES).map_err(|_| SearchError::DamagedHit)?;
        // A float becomes an integer by saturating, so no score can be out of range.
        Ok(SearchHit {
            score: (score * 1000.0) as u32,
            ..hit
        })
    }

    fn key_term(&self, publisher: Code, id: &EntryId) -> Term {
        Term::from_field_text(self.fields.key, &key(publisher, id))
    }

    fn document(&self, published: &PublishedEntry) -> TantivyDocument {
        let entry = &published.entry;
        let items: Vec<&str> = entry.items.iter().map(|item| item.name.as_str()).collect();
        let carried = items.iter().map(|item| item.len()).sum::<usize>() <= MAX_HIT_ITEMS_BYTES;
        let hit = SearchHit {
            publisher: published.publisher.clone(),
            id: entry.id.clone(),
            version: entry.version,
            name: entry.name.clone(),
            provider_name: entry.provider_name.clone(),
            class: entry.terms.class(),
            score: 0,
            method: entry.methods.first().copied(),
            items: items
                .iter()
                .filter(|_| carried)
                .map(|it| (*it).to_owned())
                .collect(),
        };
        let mut document = TantivyDocument::default();
        document.add_text(self.fields.key, key(published.publisher.code(), &entry.id));
        document.add_text(self.fields.id, entry.id.as_str());
        document.add_text(self.fields.name, &entry.name);
        document.add_text(self.fields.provider, &entry.provider_name);
        document.add_text(self.fields.items, items.join("\n"));
        document.add_text(self.fields.summary, &entry.summary);
        if let Some(mark) = entry.collection {
            document.add_text(self.fields.summary, mark.zh());
        }
        document.add_bytes(self.fields.hit, &codec::encode(&hit));
        document
    }
}

fn key(publisher: Code, id: &EntryId) -> String {
    format!("{publisher}/{}", id.as_str())
}

fn parse_payload(payload: &str) -> Option<u64> {
    let (version, applied) = payload.split_once(' ')?;
    if version.parse() == Ok(VERSION) {
        applied.parse().ok()
    } else {
        None
    }
}

fn schema() -> (Schema, Fields) {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(TOKENIZER)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let text = TextOptions::default().set_indexing_options(indexing);
    let mut builder = Schema::builder();
    let fields = Fields {
        key: builder.add_text_field("key", STRING),
        id: builder.add_text_field("id", STRING),
        name: builder.add_text_field("name", text.clone()),
        provider: builder.add_text_field("provider", text.clone()),
        items: builder.add_text_field("items", text.clone()),
        summary: builder.add_text_field("summary", text),
        hit: builder.add_bytes_field("hit", BytesOptions::default().set_stored()),
    };
    (builder.build(), fields)
}

#[cfg(test)]
mod tests;
