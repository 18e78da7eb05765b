//! The government data catalogue (政务数据目录): one entry, its states, and the changes a node publishes.
//!
//! ```text
//! Draft ──approve──► Approved ──submit──► Submitted ──review──► Published ──withdraw──► Withdrawn
//!   ▲                                        │                     │
//!   └───────────────return───────────────────┘        new version: Draft (the published one stands)
//! ```

mod difference;
mod draft;
mod review;

use std::fmt;
use std::str::FromStr;

use identity::{CreditCode, Digest, Domain, Moment, Path, codec};
use serde::{Deserialize, Serialize};
use statute::{
    Article, CatalogueField, ClassTerms, CollectionMark, Grade, Method, Refusal, RefusalReason,
    RequiredField, UpdateFrequency,
};

use crate::open_data::OpeningMark;
use crate::source::NamedSource;

pub use difference::{Changed, FieldChange, difference};
pub use draft::{
    AssessmentDraft, CollectionDraft, ConditionsDraft, DraftError, EntryDraft, ItemDraft,
    NotSharedDraft, NothingDraft, TermsDraft, Word,
};
pub use review::{EntryCommand, Standing, Warning, check_entry, check_marked, decide};

/// Most characters of an [`EntryId`].
pub const MAX_ENTRY_ID: usize = 64;
/// Most data items in one entry: the widest tables in provincial catalogues have some 300 columns.
pub const MAX_ITEMS: usize = 512;
/// Most characters of an entry's name, provider's name, format, or of an item's name or type.
pub const MAX_NAME_CHARS: usize = 200;
/// Most characters of an entry's summary, or of an assessment's conclusion.
pub const MAX_SUMMARY_CHARS: usize = 2_000;

/// The code of a catalogue entry (目录代码): class/item/topic path and a serial, unique in its provider's node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntryId(String);

/// One entry as its department compiled it (R13: the nine fields, and the two assessments).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 目录代码.
    pub id: EntryId,
    /// Version, from 1.
    pub version: u32,
    /// 目录名称.
    pub name: String,
    /// 摘要.
    pub summary: String,
    /// 提供单位: the provider department.
    pub provider: CreditCode,
    /// Name of the provider as shown.
    pub provider_name: String,
    /// 数据项.
    pub items: Vec<DataItem>,
    /// 数据格式, such as `CSV`, `JSON`.
    pub format: String,
    /// 更新频率.
    pub frequency: UpdateFrequency,
    /// 共享属性 and 使用条件 (exactly one class, with what that class must list).
    pub terms: ClassTerms,
    /// 共享方式.
    pub methods: Vec<Method>,
    /// 数据分类分级: the grade of the whole (the strictest of its items).
    pub grade: Grade,
    /// Whether it holds personal information (PIPL 55: an impact assessment is then required).
    pub personal_information: bool,
    /// 保密风险评估.
    pub secrecy_assessment: Assessment,
    /// 个人信息保护影响评估.
    pub privacy_assessment: Assessment,
    /// The collection of base or theme data (基础数据、主题数据) that it is marked as part of, where a local profile knows any.
    pub collection: Option<CollectionMark>,
}

/// One data item (数据项).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataItem {
    /// 名称.
    pub name: String,
    /// 数据类型, such as `C18`, `N4`, `D`.
    pub kind: String,
    /// Grade of this item.
    pub grade: Grade,
}

/// An assessment under R13, recorded with its conclusion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Assessment {
    /// Done: who, when (Unix day is evidence only), what was concluded.
    Done {
        /// Which party.
        by: String,
        /// When.
        on: Moment,
        /// What was concluded.
        conclusion: String,
    },
    /// Not applicable, with the reason (for example: no personal information).
    NotApplicable {
        /// Why.
        reason: String,
    },
}

/// Names exactly one version of an entry by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryVersion {
    /// Which entry.
    pub id: EntryId,
    /// Which version.
    pub version: u32,
    /// Digest of the canonical bytes of the [`Entry`] (`Domain::Entry`).
    pub digest: Digest,
}

/// The reviewing authority's verdict (R16).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReviewVerdict {
    /// Published to all departments.
    Publish,
    /// Returned to the department with reasons.
    Return {
        /// Why.
        reason: String,
    },
}

/// Where an entry stands on its own node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryState {
    /// Being compiled.
    Draft,
    /// Approved by the department's head.
    Approved,
    /// With the authority.
    Submitted,
    /// Published to all.
    Published,
    /// Withdrawn.
    Withdrawn,
}

/// One change in a node's publication log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every change is the large one"
)]
pub enum Change {
    /// This version is published and replaces the earlier one.
    Published {
        /// Which entry.
        entry: Entry,
        /// When.
        at: Moment,
    },
    /// This entry is withdrawn: an explicit tombstone.
    Withdrawn {
        /// Which entry.
        id: EntryId,
        /// Which version.
        version: u32,
        /// When.
        at: Moment,
        /// Why.
        reason: String,
    },
    /// A child node was certified (its chain ends in this certificate).
    MemberCertified {
        /// Its membership chain.
        chain: identity::Chain,
    },
    /// A child node's certificate was revoked.
    MemberRevoked {
        /// The revocation, signed by its issuer.
        revocation: identity::Signed<identity::Revocation>,
    },
    /// The source department of a matter was named (R19); a later naming replaces an earlier one.
    SourceNamed {
        /// Of what, and which department.
        source: NamedSource,
    },
    /// How an entry of the publisher's is opened to the public (S24); a later mark replaces an earlier one.
    OpeningMarked {
        /// The mark.
        mark: OpeningMark,
    },
}

/// A published entry as any node knows it: the entry, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedEntry {
    /// The node that published it.
    pub publisher: Path,
    /// When.
    pub published_at: Moment,
    /// The entry.
    pub entry: Entry,
}

/// Why a text is no entry id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryIdError {
    /// Empty, or longer than [`MAX_ENTRY_ID`].
    #[error("目录代码应为 1 至 {MAX_ENTRY_ID} 个字符，实为 {0} (length of an entry id)")]
    Length(usize),
    /// A character other than letters, digits, `/` and `-`.
    #[error("目录代码只能含数字、字母、“/”和“-”，不能含 {0:?} (character of an entry id)")]
    Character(char),
}

impl EntryId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EntryId {
    type Err = EntryIdError;

    fn from_str(text: &str) -> Result<Self, EntryIdError> {
        let length = text.chars().count();
        if length == 0 || length > MAX_ENTRY_ID {
            return Err(EntryIdError::Length(length));
        }
        match text
            .chars()
            .find(|it| !(it.is_ascii_alphanumeric() || matches!(it, '/' | '-')))
        {
            Some(found) => Err(EntryIdError::Character(found)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for EntryId {
    type Error = EntryIdError;

    fn try_from(text: String) -> Result<Self, EntryIdError> {
        text.parse()
    }
}

impl From<EntryId> for String {
    fn from(id: EntryId) -> String {
        id.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Entry {
    /// Names this version by its content.
    pub fn version_ref(&self) -> EntryVersion {
        let digest = Digest::of(Domain::Entry, &codec::encode(self));
        EntryVersion {
            id: self.id.clone(),
            version: self.version,
            digest,
        }
    }
}

/// The refusal for one field that is not stated (R13).
fn missing(field: CatalogueField) -> Refusal {
    RefusalReason::MissingField {
        fields: vec![RequiredField::Catalogue(field)],
    }
    .under(Article::R13)
}

#[cfg(test)]
mod tests;
