//! The tables, in sled: computed from the ledger, never the only place where anything stands.
//!
//! One tree holds every table behind a prefix of one byte, so that one sled batch changes several tables and the number of the ledger
//! batch they come from together. Two trees would each keep their own pages in the cache and could not be changed as one.
//!
//! sled is asked for little memory: a cache of [`CACHE_BYTES`]. (Its `mode` is not among the means: 0.34.7 stores the setting and reads it
//! nowhere.) Its background flush runs every [`FLUSH_EVERY_MS`]; what a crash takes with it is read from the ledger again.
//!
//! sled treats a page that fails its check as torn and goes on without it: flipping bytes in its file gave tables with holes and no error in
//! 2 of 60 trials. So every change also keeps a sum over all pairs, and opening adds them up again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use federation::store::{Fault, Pair, Table};
use identity::Digest;

use super::disk;
use super::journal::Location;

/// sled's page cache, bytes. A county's tables are some megabytes in all, and its node is to rest under 64 MiB.
const CACHE_BYTES: u64 = 8 << 20;
/// How often sled writes out what it has, milliseconds. Not a promise of durability, only a bound on what a restart replays.
const FLUSH_EVERY_MS: u64 = 500;
/// What the tables mean; raised whenever `federation::core::project` writes something else, and every node then rebuilds.
const MEANING: u64 = 3;
/// Prefix of the projection's own keys; tables begin at 1.
const OWN: u8 = 0;
/// Key of the mark of how far the tables have come.
const MARK: [u8; 2] = [OWN, b'a'];
/// Bytes of that mark: batch, checksum, sum.
const MARK_BYTES: usize = 8 + 32 + 16;
/// Folder of the projection in the data folder.
const FOLDER: &str = "projection";
/// Made when sled reports damage while running, so that the next start rebuilds.
const DAMAGED_MARK: &str = "projection.damaged";
/// Most damaged projections kept aside for study; the oldest go first.
const MAX_KEPT_BAD: usize = 2;

/// How far the tables have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// Number of the last ledger batch in them; 0 for none.
    pub batch: u64,
    /// Checksum of that batch, so that tables of another ledger are known for what they are.
    pub checksum: [u8; 32],
}

/// Why a projection was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discarded {
    /// The reason.
    pub reason: String,
    /// Where it is kept, unless it was dropped on request.
    pub kept_in: Option<PathBuf>,
}

/// The tables.
#[derive(Debug)]
pub struct Projection {
    tree: sled::Db,
    mark: PathBuf,
}

impl Projection {
    /// Opens the tables in the data folder `dir`. Damaged ones, or those of an earlier version, are moved aside and replaced by empty
    /// ones, and the reason is returned.
    ///
    /// # Errors
    /// Only when even empty tables cannot be made: a full disk or a folder without rights.
    pub fn open(dir: &Path) -> io::Result<(Self, Option<Discarded>)> {
        let path = dir.join(FOLDER);
        let mark = dir.join(DAMAGED_MARK);
        let existed = path.exists();
        let found = if mark.exists() {
            Err("sled reported damage while the node ran".to_owned())
        } else {
            Self::try_open(&path, &mark)
        };
        let reason = match found {
            Ok(projection) if !existed => return Ok((projection, None)),
            Ok(projection) => match projection.check_meaning() {
                Ok(()) => return Ok((projection, None)),
                Err(reason) => reason,
            },
            Err(reason) => reason,
        };
        let kept_in = set_aside(dir)?;
        let projection = Self::try_open(&path, &mark).map_err(io::Error::other)?;
        Ok((projection, Some(Discarded { reason, kept_in })))
    }

    /// Drops the tables and begins empty ones.
    ///
    /// # Errors
    /// When the folder cannot be removed or made.
    pub fn fresh(dir: &Path) -> io::Result<Self> {
        let path = dir.join(FOLDER);
        let mark = dir.join(DAMAGED_MARK);
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        if mark.exists() {
            fs::remove_file(&mark)?;
        }
        Self::try_open(&path, &mark).map_err(io::Error::other)
    }

    /// Moves these tables aside and begins empty ones.
    ///
    /// # Errors
    /// When the folder cannot be moved or made.
    pub fn replace(self, dir: &Path, reason: String) -> io::Result<(Self, Discarded)> {
        drop(self);
        let kept_in = set_aside(dir)?;
        let projection =
            Self::try_open(&dir.join(FOLDER), &dir.join(DAMAGED_MARK)).map_err(io::Error::other)?;
        Ok((projection, Discarded { reason, kept_in }))
    }

    /// sled panics on some damage instead of returning it, so a panic while it opens is damage too.
    fn try_open(path: &Path, mark: &Path) -> Result<Self, String> {
        disk::make_folder(path).map_err(|error| error.to_string())?;
        let existed = path.join("conf").exists();
        let opened = catch_unwind(AssertUnwindSafe(|| -> Result<Self, String> {
            let tree = sled::Config::new()
                .path(path)
                .cache_capacity(CACHE_BYTES)
                .flush_every_ms(Some(FLUSH_EVERY_MS))
                .open()
                .map_err(|error| error.to_string())?;
            let projection = Self {
                tree,
                mark: mark.to_path_buf(),
            };
            if !existed {
                projection
                    .write_meaning()
                    .map_err(|error| error.to_string())?;
            }
            projection.check_sum()?;
            Ok(projection)
        }));
        match opened {
            Ok(result) => result,
            Err(_) => Err("sled panicked while opening".to_owned()),
        }
    }

    fn write_meaning(&self) -> sled::Result<()> {
        self.tree
            .insert([OWN, b'm'], &MEANING.to_be_bytes())
            .map(|_| ())
    }

    fn check_meaning(&self) -> Result<(), String> {
        match self.tree.get([OWN, b'm']) {
            Ok(Some(bytes)) if *bytes == MEANING.to_be_bytes() => Ok(()),
            Ok(_) => Err("the tables were made by another version".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// How far the tables have come.
    ///
    /// # Errors
    /// [`Fault`] when sled fails.
    pub fn applied(&self) -> Result<Applied, Fault> {
        self.mark().map(|(applied, _)| applied)
    }

    /// How far the tables have come, and the sum over everything in them.
    fn mark(&self) -> Result<(Applied, u128), Fault> {
        let Some(bytes) = self.tree.get(MARK).map_err(|error| self.fault(&error))? else {
            return Ok((Applied::default(), 0));
        };
        let parts = || {
            let (batch, rest) = bytes.split_first_chunk::<8>()?;
            let (checksum, rest) = rest.split_first_chunk::<32>()?;
            let (sum, rest) = rest.split_first_chunk::<16>()?;
            rest.is_empty().then_some((batch, checksum, sum))
        };
        let (batch, checksum, sum) = parts()
            .ok_or_else(|| Fault("the mark of the last applied batch is malformed".to_owned()))?;
        let applied = Applied {
            batch: u64::from_be_bytes(*batch),
            checksum: *checksum,
        };
        Ok((applied, u128::from_be_bytes(*sum)))
    }

    /// Whether everything that was put into the tables is in them: sled drops what it finds torn, and says nothing.
    fn check_sum(&self) -> Result<(), String> {
        let (_, expected) = self.mark().map_err(|fault| fault.0)?;
        let mut sum = 0_u128;
        for pair in self.tree.range([OWN + 1]..) {
            let (key, value) = pair.map_err(|error| error.to_string())?;
            sum = sum.wrapping_add(weigh(&key, &value));
        }
        if sum == expected {
            Ok(())
        } else {
            Err("sled has lost a part of the tables".to_owned())
        }
    }

    /// Changes the tables, the places of bodies and the mark of the last applied batch as one. One caller at a time.
    ///
    /// # Errors
    /// [`Fault`] when sled fails; then nothing changed.
    pub fn apply(
        &self,
        writes: &BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
        bodies: &[(Digest, Location)],
        applied: Applied,
    ) -> Result<(), Fault> {
        let mut batch = sled::Batch::default();
        let (_, mut sum) = self.mark()?;
        let written = writes
            .iter()
            .map(|((table, key), value)| (table_key(*table, key), value.clone()));
        let located = bodies.iter().map(|(digest, location)| {
            (
                table_key(Table::Bodies, digest.as_bytes()),
                Some(location_bytes(*location).to_vec()),
            )
        });
        for (key, value) in written.chain(located) {
            if let Some(old) = self.tree.get(&key).map_err(|error| self.fault(&error))? {
                sum = sum.wrapping_sub(weigh(&key, &old));
            }
            match value {
                Some(value) => {
                    sum = sum.wrapping_add(weigh(&key, &value));
                    batch.insert(key, value);
                }
                None => batch.remove(key),
            }
        }
        let mut mark = Vec::with_capacity(MARK_BYTES);
        mark.extend_from_slice(&applied.batch.to_be_bytes());
        mark.extend_from_slice(&applied.checksum);
        mark.extend_from_slice(&sum.to_be_bytes());
        batch.insert(&MARK, mark);
        self.tree
            .apply_batch(batch)
            .map_err(|error| self.fault(&error))
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// [`Fault`] when sled fails.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let value = self
            .tree
            .get(table_key(table, key))
            .map_err(|error| self.fault(&error))?;
        Ok(value.map(|bytes| bytes.to_vec()))
    }

    /// At most `limit` pairs whose key starts with `prefix`, in order, strictly after `after` when given.
    ///
    /// # Errors
    /// [`Fault`] when sled fails.
    pub fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        let prefix = table_key(table, prefix);
        let mut from = match after {
            Some(after) => table_key(table, after),
            None => prefix.clone(),
        };
        if after.is_some() {
            // The least key greater than `after`.
            from.push(0);
        }
        let from = from.max(prefix.clone());
        let mut pairs = Vec::new();
        for pair in self.tree.range(from..).take(limit) {
            let (key, value) = pair.map_err(|error| self.fault(&error))?;
            if !key.starts_with(&prefix) {
                break;
            }
            pairs.push((key.get(1..).unwrap_or_default().to_vec(), value.to_vec()));
        }
        Ok(pairs)
    }

    /// Where a body lies.
    ///
    /// # Errors
    /// [`Fault`] when sled fails.
    pub fn location(&self, digest: &Digest) -> Result<Option<Location>, Fault> {
        let bytes = self
            .tree
            .get(table_key(Table::Bodies, digest.as_bytes()))
            .map_err(|error| self.fault(&error))?;
        match bytes {
            None => Ok(None),
            Some(bytes) => match parse_location(&bytes) {
                Some(location) => Ok(Some(location)),
                None => {
                    self.mark_damaged();
                    Err(Fault(format!(
                        "the place of body {digest} is malformed; the next start rebuilds the tables"
                    )))
                }
            },
        }
    }

    /// Makes the next start rebuild. Best effort: if the mark cannot be written, the same damage is met again and marked then.
    pub fn mark_damaged(&self) {
        if let Err(error) = fs::write(&self.mark, b"") {
            tracing::error!(%error, "the damaged projection could not be marked");
        }
    }

    fn fault(&self, error: &sled::Error) -> Fault {
        if matches!(
            error,
            sled::Error::Corruption { .. } | sled::Error::ReportableBug(_)
        ) {
            self.mark_damaged();
        }
        Fault(format!("sled: {error}"))
    }
}

/// What a pair adds to the sum over the tables. The sum does not depend on order, so it follows every write without reading the rest.
fn weigh(key: &[u8], value: &[u8]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&(key.len() as u64).to_be_bytes())
        .update(key)
        .update(value);
    let mut sum = [0; 16];
    hasher.finalize_xof().fill(&mut sum);
    u128::from_be_bytes(sum)
}

fn table_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + key.len());
    out.push(table as u8);
    out.extend_from_slice(key);
    out
}

fn location_bytes(location: Location) -> [u8; 20] {
    let mut out = [0; 20];
    out[0..8].copy_from_slice(&location.file.to_be_bytes());
    out[8..16].copy_from_slice(&location.offset.to_be_bytes());
    out[16..20].copy_from_slice(&location.length.to_be_bytes());
    out
}

fn parse_location(bytes: &[u8]) -> Option<Location> {
    let (file, rest) = bytes.split_first_chunk::<8>()?;
    let (offset, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    rest.is_empty().then(|| Location {
        file: u64::from_be_bytes(*file),
        offset: u64::from_be_bytes(*offset),
        length: u32::from_be_bytes(*length),
    })
}

/// Moves the tables and the mark of damage out of the way; drops what was kept earlier beyond [`MAX_KEPT_BAD`].
fn set_aside(dir: &Path) -> io::Result<Option<PathBuf>> {
    let path = dir.join(FOLDER);
    let mark = dir.join(DAMAGED_MARK);
    let mut kept_in = None;
    if path.exists() {
        drop_oldest_bad(dir)?;
        let aside = disk::free_name(dir, &format!("{FOLDER}.bad"))?;
        fs::rename(&path, &aside)?;
        kept_in = Some(aside);
    }
    if mark.exists() {
        fs::remove_file(&mark)?;
    }
    disk::sync_folder(dir)?;
    Ok(kept_in)
}

fn drop_oldest_bad(dir: &Path) -> io::Result<()> {
    let prefix = format!("{FOLDER}.bad-");
    let mut kept: Vec<(std::time::SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(&prefix))
        {
            kept.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    kept.sort();
    let surplus = (kept.len() + 1).saturating_sub(MAX_KEPT_BAD);
    for (_, path) in kept.into_iter().take(surplus) {
        if path.is_dir() {
            fs::remove_dir_all(&path)?
        } else {
            fs::remove_file(&path)?
        }
    }
    Ok(())
}
