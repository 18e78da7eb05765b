//! From records to entries. A record that cannot be mapped is told with everything it lacks (R13) and does not stop the others; it still counts as
//! being there.

mod reading;

use std::collections::{BTreeMap, BTreeSet};

use identity::{Digest, Moment, codec};
use sharing::catalogue::{Change, Entry, EntryId, MAX_ENTRY_ID};
use statute::Refusal;

use self::reading::Reading;
use super::mapping::Mapping;
use super::record::Record;
use crate::language::Text;
use crate::person::complete;

/// Hexadecimal digits of a key's digest in an id: 128 bits, so that two keys do not meet.
const KEY_DIGITS: usize = 32;
/// Before a key's digest in an id.
const DIGEST_MARK: &str = "key-";

/// What the records of a pull come to.
#[derive(Debug, Default)]
pub struct Translation {
    /// The entries; all with version 1, as the version depends on what the node holds.
    pub entries: BTreeMap<EntryId, Entry>,
    /// Records that are no entry, in the order of the platform.
    pub defects: Vec<Defect>,
    /// Everything that is there, mapped or not.
    pub present: BTreeSet<EntryId>,
    /// Records without a key. While there are any, nothing can be said to be gone.
    pub without_key: usize,
}

/// Why a record is no entry.
#[derive(Debug, Clone)]
pub struct Defect {
    /// The record's key in the platform, where it has one.
    pub key: Option<String>,
    /// Its name.
    pub name: String,
    /// All that is wrong.
    pub what: Text,
    /// When it is the law that refuses it.
    pub refusal: Option<Refusal>,
}

/// Maps all records.
pub fn translate(mapping: &Mapping, records: &[Record]) -> Translation {
    let mut translation = Translation::default();
    for record in records {
        let key = record.text(&mapping.fields.key);
        let name = record.text(&mapping.fields.name).unwrap_or_default();
        let outcome = match &key {
            None => {
                translation.without_key += 1;
                Err((
                    Text::new(
                        format!("没有 fields.key 所指的“{}”", mapping.fields.key.as_str()),
                        format!(
                            "{:?}, which fields.key names, is absent",
                            mapping.fields.key.as_str()
                        ),
                    ),
                    None,
                ))
            }
            Some(key) => {
                let id = entry_id(mapping, key);
                if translation.present.insert(id.clone()) {
                    entry(mapping, record, &id, &name).map(|entry| {
                        translation.entries.insert(id, entry);
                    })
                } else {
                    // Which of the two is meant cannot be known.
                    translation.entries.remove(&id);
                    Err((
                        Text::new("平台中有两条记录同为此键", "two records have this key"),
                        None,
                    ))
                }
            }
        };
        if let Err((what, refusal)) = outcome {
            translation.defects.push(Defect {
                key,
                name,
                what,
                refusal,
            });
        }
    }
    translation
}

/// The id of a record: its key under the prefix; where the key is no part of an id, the digest of it.
fn entry_id(mapping: &Mapping, key: &str) -> EntryId {
    let prefix = mapping.prefix.with_slash();
    let plain = || {
        let id: EntryId = format!("{prefix}{key}").parse().ok()?;
        (!key.starts_with(DIGEST_MARK)).then_some(id)
    };
    plain().unwrap_or_else(|| {
        let digest = Digest::object(key.as_bytes()).to_string();
        let digits = digest.get(..KEY_DIGITS).unwrap_or_default();
        let id = format!("{prefix}{DIGEST_MARK}{digits}");
        debug_assert!(id.len() <= MAX_ENTRY_ID);
        // A prefix is part of an id, and so are the mark and the digits.
        id.parse().expect("a prefix leaves room for a digest")
    })
}

fn entry(
    mapping: &Mapping,
    record: &Record,
    id: &EntryId,
    name: &str,
) -> Result<Entry, (Text, Option<Refusal>)> {
    let (draft, unread) = Reading::new(mapping, record).draft(id, name);
    let joined = |own: &[Text], rest: Option<&Text>| {
        let all: Vec<&Text> = own.iter().chain(rest).collect();
        let in_one = |pick: fn(&Text) -> &str, between: &str| {
            all.iter()
                .map(|text| pick(text))
                .collect::<Vec<_>>()
                .join(between)
        };
        Text::new(in_one(|text| &text.zh, "；"), in_one(|text| &text.en, "; "))
    };
    match complete(draft) {
        Ok(entry) if !unread.is_empty() => {
            drop(entry);
            Err((joined(&unread, None), None))
        }
        Ok(entry) => fits(entry).map_err(|text| (text, None)),
        Err(incomplete) => Err((joined(&unread, Some(&incomplete.what)), incomplete.refusal)),
    }
}

/// What is too large for a segment of the publication log would be refused with everything that is compiled beside it.
fn fits(entry: Entry) -> Result<Entry, Text> {
    let change = Change::Published {
        entry: entry.clone(),
        at: Moment::from_millis(i64::MAX),
    };
    let (found, limit) = (
        codec::encode(&change).len(),
        federation::sync::MAX_CHANGE_BYTES,
    );
    if found <= limit {
        return Ok(entry);
    }
    Err(Text::new(
        format!("条目共 {found} 字节，超过 {limit}"),
        format!("the entry has {found} bytes, more than {limit}"),
    ))
}

#[cfg(test)]
pub(super) mod tests;
