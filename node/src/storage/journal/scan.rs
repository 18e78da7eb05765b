//! Reading the ledger's files from end to end: at start, to find what is whole, and afterwards, to replay.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::frame::{self, CHECKSUM_BYTES, Checksum, Frame, Header};
use super::reader::{Found, Reader};
use super::{JournalError, Location, Replayed, file_path};
use crate::storage::disk;

/// What opening the ledger found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Whole batches.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// The torn end that was cut off, if there was one.
    pub torn: Option<TornTail>,
}

/// The end of the last file that was no whole batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// In which file.
    pub file: PathBuf,
    /// From which byte.
    pub offset: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Where they are kept.
    pub kept_in: PathBuf,
}

/// The ledger as it stands.
#[derive(Debug)]
pub(super) struct Scanned {
    /// Name of the last file.
    pub(super) name: u64,
    /// Its bytes up to the end of the last whole batch.
    pub(super) good_length: u64,
    /// Its bytes.
    pub(super) length: u64,
    pub(super) next_batch: u64,
    pub(super) next_record: u64,
    pub(super) previous: Checksum,
    pub(super) earlier_bytes: u64,
}

/// Reads every file and checks every batch and the chain. Changes nothing.
pub(super) fn scan(dir: &Path) -> Result<Scanned, JournalError> {
    let names = file_names(dir)?;
    let mut state = Scanned {
        name: names.first().copied().unwrap_or(1),
        good_length: 0,
        length: 0,
        next_batch: 1,
        next_record: 0,
        previous: [0; CHECKSUM_BYTES],
        earlier_bytes: 0,
    };
    for (index, name) in names.iter().enumerate() {
        let path = file_path(dir, *name);
        if *name != state.next_batch {
            return Err(gap(
                &path,
                0,
                format!("batch {}", state.next_batch),
                format!("batch {name}"),
            ));
        }
        let is_last = index + 1 == names.len();
        state.earlier_bytes += state.good_length;
        state.name = *name;
        scan_file(&path, is_last, &mut state)?;
    }
    Ok(state)
}

fn scan_file(path: &Path, is_last: bool, state: &mut Scanned) -> Result<(), JournalError> {
    let mut reader = Reader::open(path)?;
    state.length = reader.length;
    state.good_length = 0;
    loop {
        let offset = reader.offset;
        match reader.next()? {
            Found::End => break,
            Found::Batch(batch) => {
                check_order(path, offset, &batch, state)?;
                state.next_batch += 1;
                state.next_record += u64::from(batch.header.records);
                state.previous = batch.checksum;
            }
            Found::Broken(what) => {
                // Only the very end may be torn: a batch that follows was written after this one was durable.
                if !is_last || reader.a_header_follows(offset)? {
                    return Err(JournalError::Damaged {
                        file: path.to_path_buf(),
                        offset,
                        what,
                    });
                }
                break;
            }
        }
        state.good_length = reader.offset;
    }
    Ok(())
}

fn check_order(
    path: &Path,
    offset: u64,
    batch: &Frame<'_>,
    state: &Scanned,
) -> Result<(), JournalError> {
    let Header {
        batch: number,
        first_record,
        previous,
        ..
    } = batch.header;
    if number != state.next_batch {
        return Err(gap(
            path,
            offset,
            format!("batch {}", state.next_batch),
            format!("batch {number}"),
        ));
    }
    if first_record != state.next_record {
        return Err(gap(
            path,
            offset,
            format!("record {}", state.next_record),
            format!("record {first_record}"),
        ));
    }
    if previous != state.previous {
        let what = "the batch does not follow the one before it".to_owned();
        return Err(JournalError::Damaged {
            file: path.to_path_buf(),
            offset,
            what,
        });
    }
    Ok(())
}

/// Keeps the torn end beside the ledger and cuts it off.
pub(super) fn cut_torn_tail(dir: &Path, scanned: &Scanned) -> Result<Recovery, JournalError> {
    let mut recovery = Recovery {
        batches: scanned.next_batch - 1,
        records: scanned.next_record,
        torn: None,
    };
    if scanned.good_length == scanned.length {
        return Ok(recovery);
    }
    let path = file_path(dir, scanned.name);
    let io_at = |source| JournalError::Io {
        file: path.clone(),
        source,
    };
    let kept_in =
        disk::free_name(dir, &format!("torn-batch-{}", scanned.next_batch)).map_err(io_at)?;
    let file = disk::private().open(&path).map_err(io_at)?;
    let mut copy = disk::private()
        .create_new(true)
        .open(&kept_in)
        .map_err(io_at)?;
    let mut rest = &file;
    io::Seek::seek(&mut rest, io::SeekFrom::Start(scanned.good_length)).map_err(io_at)?;
    io::copy(&mut rest, &mut copy).map_err(io_at)?;
    copy.sync_all().map_err(io_at)?;
    disk::sync_folder(dir).map_err(io_at)?;
    file.set_len(scanned.good_length).map_err(io_at)?;
    file.sync_all().map_err(io_at)?;
    let bytes = scanned.length - scanned.good_length;
    recovery.torn = Some(TornTail {
        file: path.clone(),
        offset: scanned.good_length,
        bytes,
        kept_in,
    });
    Ok(recovery)
}

/// Visits batches `from..until`.
pub(super) fn replay<E: From<JournalError>>(
    dir: &Path,
    from: u64,
    until: u64,
    visit: &mut dyn FnMut(Replayed<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let names = file_names(dir)?;
    let start = names
        .partition_point(|name| *name <= from)
        .saturating_sub(1);
    let mut next = from.max(1);
    for name in names.iter().skip(start) {
        let path = file_path(dir, *name);
        let mut reader = Reader::open(&path)?;
        while next < until {
            if reader.skip_before(next)? {
                continue;
            }
            let offset = reader.offset;
            let batch = match reader.next()? {
                Found::Batch(batch) => batch,
                Found::End => break,
                Found::Broken(what) => {
                    return Err(JournalError::Damaged {
                        file: path,
                        offset,
                        what,
                    }
                    .into());
                }
            };
            if batch.header.batch != next {
                return Err(gap(
                    &path,
                    offset,
                    format!("batch {next}"),
                    format!("batch {}", batch.header.batch),
                )
                .into());
            }
            next += 1;
            visit(located(*name, offset, batch))?;
        }
    }
    if next < until {
        let path = file_path(dir, names.last().copied().unwrap_or(1));
        return Err(gap(&path, 0, format!("batch {next}"), "its end".to_owned()).into());
    }
    Ok(())
}

fn located(file: u64, offset: u64, batch: Frame<'_>) -> Replayed<'_> {
    let at = |span: frame::Span| Location {
        file,
        offset: offset + span.start as u64,
        length: span.length,
    };
    Replayed {
        batch: batch.header.batch,
        first_record: batch.header.first_record,
        checksum: batch.checksum,
        records: batch.records,
        bodies: batch
            .bodies
            .into_iter()
            .map(|(digest, span)| (digest, at(span)))
            .collect(),
    }
}

/// Names of the ledger's files, in order.
pub(super) fn file_names(dir: &Path) -> Result<Vec<u64>, JournalError> {
    let io_at = |source| JournalError::Io {
        file: dir.to_path_buf(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(io_at)? {
        let path = entry.map_err(io_at)?.path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .filter(|stem| stem.len() == 20)
            .and_then(|stem| stem.parse().ok());
        match name {
            Some(name) => names.push(name),
            None => {
                return Err(gap(
                    &path,
                    0,
                    "a file named by its first batch".to_owned(),
                    "another name".to_owned(),
                ));
            }
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn gap(file: &Path, offset: u64, expected: String, found: String) -> JournalError {
    JournalError::Gap {
        file: file.to_path_buf(),
        offset,
        expected,
        found,
    }
}
