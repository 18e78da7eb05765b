//! Keeps the search index in step with the catalogue, on a thread of its own.
//!
//! The index remembers how many published changes it has seen. When that is not what the store has, it is filled anew before anything
//! else: after a crash between the two, after a restored backup, or when its folder is gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use federation::core::query;
use federation::store::{Fault, Read};
use federation::sync;
use identity::{Code, Digest, Path};
use sharing::catalogue::{Change, EntryId, PublishedEntry};
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::search::{SearchError, SearchIndex, State};

/// Segments that may wait to be indexed, each a name of some hundred bytes: the whole catalogue of the nation (3,000,000 entries, a thousand a
/// segment) arriving at once. The core waits when there are more.
const QUEUE: usize = 4_096;
/// Segments taken together into one commit of the index: of a thousand entries each, some 24 MB while they are being indexed.
const TOGETHER: usize = 8;
/// Entries read at a time when the index is filled anew.
const PAGE: usize = 512;
/// A burst of segments is over when none came for so long: what a single change waits before it can be found.
const QUIET: Duration = Duration::from_millis(100);
/// A burst that lasts longer is indexed in parts.
const LONGEST_BURST: Duration = Duration::from_secs(5);
/// How often the thread looks whether the node is stopping.
const LOOK: Duration = Duration::from_millis(500);

/// One segment of the catalogue, by name.
struct Stored {
    publisher: Path,
    body: Digest,
    applied: u64,
}

/// The queue's entrance.
#[derive(Clone)]
pub struct IndexQueue(SyncSender<Stored>);

impl std::fmt::Debug for IndexQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IndexQueue")
    }
}

impl IndexQueue {
    /// Puts a stored segment in, waiting for room. When the index has stopped, the segment is found at the next start.
    pub fn put(&self, publisher: Path, body: Digest, applied: u64) {
        if self
            .0
            .send(Stored {
                publisher,
                body,
                applied,
            })
            .is_err()
        {
            tracing::debug!("index stopped");
        }
    }
}

/// Why the index could not follow.
#[derive(Debug, thiserror::Error)]
enum IndexFault {
    #[error(transparent)]
    Store(#[from] Fault),
    #[error(transparent)]
    Index(#[from] SearchError),
}

/// Starts the thread on an index as it was found at opening; `running` is held as long as it runs.
///
/// # Errors
/// When the system gives no thread.
pub fn start<R>(
    index: Arc<SearchIndex>,
    found: State,
    store: Arc<R>,
    stop: CancellationToken,
    running: TaskTrackerToken,
) -> std::io::Result<IndexQueue>
where
    R: Read + Send + Sync + 'static,
{
    let (sender, changes) = sync_channel(QUEUE);
    std::thread::Builder::new()
        .name("index".into())
        .spawn(move || {
            run(&index, &found, &*store, &changes, &stop);
            drop((index, store));
            drop(running);
        })?;
    Ok(IndexQueue(sender))
}

fn run(
    index: &SearchIndex,
    found: &State,
    store: &dyn Read,
    changes: &Receiver<Stored>,
    stop: &CancellationToken,
) {
    let mut in_step = follow(at_start(index, found, store));
    while !stop.is_cancelled() {
        let first = match changes.recv_timeout(LOOK) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        for together in burst(first, changes).chunks(TOGETHER) {
            if stop.is_cancelled() {
                return;
            }
            // After a failure the index lacks something, so it is filled anew.
            in_step = follow(if in_step {
                apply(index, store, together)
            } else {
                fill(index, store)
            });
        }
    }
}

/// A burst of segments is indexed when it is over: while it lasts, the processors are the core's and the search's.
fn burst(first: Stored, segments: &Receiver<Stored>) -> Vec<Stored> {
    let begun = Instant::now();
    let mut taken = vec![first];
    while taken.len() < QUEUE && begun.elapsed() < LONGEST_BURST {
        match segments.recv_timeout(QUIET) {
            Ok(next) => taken.push(next),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    taken
}

/// Tells the operator when the index could not follow.
fn follow(outcome: Result<(), IndexFault>) -> bool {
    if let Err(error) = &outcome {
        tracing::error!(%error, "search index not in step; it will be filled anew");
    }
    outcome.is_ok()
}

fn apply(index: &SearchIndex, store: &dyn Read, segments: &[Stored]) -> Result<(), IndexFault> {
    let applied = segments
        .iter()
        .map(|segment| segment.applied)
        .max()
        .unwrap_or_default();
    // Of several changes of one entry the last counts.
    let mut last: BTreeMap<(Code, EntryId), Option<PublishedEntry>> = BTreeMap::new();
    for Stored {
        publisher, body, ..
    } in segments
    {
        let code = publisher.code();
        for change in stored_changes(store, body)? {
            match change {
                Change::Published { entry, at } => {
                    let published = PublishedEntry {
                        publisher: publisher.clone(),
                        published_at: at,
                        entry,
                    };
                    last.insert((code, published.entry.id.clone()), Some(published));
                }
                Change::Withdrawn { id, .. } => {
                    last.insert((code, id), None);
                }
                Change::MemberCertified { .. }
                | Change::MemberRevoked { .. }
                | Change::SourceNamed { .. }
                | Change::OpeningMarked { .. } => {}
            }
        }
    }
    let (mut put, mut remove) = (Vec::new(), Vec::new());
    for (key, entry) in last {
        match entry {
            Some(entry) => put.push(entry),
            None => remove.push(key),
        }
    }
    Ok(index.apply(&put, &remove, applied)?)
}

/// The changes of a segment that the store holds.
fn stored_changes(store: &dyn Read, body: &Digest) -> Result<Vec<Change>, Fault> {
    let bytes = store
        .body(body)?
        .ok_or_else(|| Fault(format!("segment body {body} is missing")))?;
    sync::changes(&bytes).map_err(|error| Fault(format!("segment body {body}: {error}")))
}

fn at_start(index: &SearchIndex, found: &State, store: &dyn Read) -> Result<(), IndexFault> {
    let published = query::published_changes(store)?;
    match found {
        State::Ready { applied } if *applied == published => Ok(()),
        State::Ready { applied } => {
            tracing::info!(published, applied, "search index is behind");
            fill(index, store)
        }
        State::NeedsRebuild { reason } => {
            tracing::info!(published, reason, "search index is filled anew");
            fill(index, store)
        }
    }
}

fn fill(index: &SearchIndex, store: &dyn Read) -> Result<(), IndexFault> {
    let published = query::published_changes(store)?;
    let mut pages = Pages {
        store,
        after: None,
        page: Vec::new().into_iter(),
        fault: None,
    };
    index.rebuild_from(&mut pages, published)?;
    match pages.fault {
        None => Ok(()),
        Some(fault) => {
            // What was filled is not all: the next start must not take it for whole.
            index.apply(&[], &[], 0)?;
            Err(fault.into())
        }
    }
}

/// All published entries, read a page at a time; ends early at a fault, which it keeps.
struct Pages<'s> {
    store: &'s dyn Read,
    after: Option<(Code, EntryId)>,
    page: std::vec::IntoIter<PublishedEntry>,
    fault: Option<Fault>,
}

impl Iterator for Pages<'_> {
    type Item = PublishedEntry;

    fn next(&mut self) -> Option<PublishedEntry> {
        if self.page.len() == 0 && self.fault.is_none() {
            match query::published(self.store, None, self.after.clone(), PAGE) {
                Ok(page) => self.page = page.into_iter(),
                Err(fault) => self.fault = Some(fault),
            }
        }
        let next = self.page.next()?;
        self.after = Some((next.publisher.code(), next.entry.id.clone()));
        Some(next)
    }
}
