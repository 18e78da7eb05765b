//! Personal content (个人内容): what a person says of somebody in an act, and which must one day be erased (PIPL 47).
//!
//! ```text
//! Content { salt, text } ──digest──► Private { digest, length }
//!   in each holder's vault             in the act, the event, the ledger, for ever
//! ```
//!
//! An act carries the commitment alone. Whoever has the content can show that it is what was said; once it is erased nobody can tell what it
//! was, not even by guessing, for the salt is gone with it, while every signature and proof over the commitment stands as before.

use std::fmt;

use identity::{Digest, Domain};
use serde::{Deserialize, Serialize};
use statute::{Article, Refusal, RefusalReason};

use crate::act::{ObjectRef, at_most};

/// Most bytes of the text of one personal content: with salt and context it stays below the grain of a transfer (16 KiB), so that no store
/// keeps digests of parts of it; some 5,000 Chinese characters.
pub const MAX_PRIVATE_TEXT_BYTES: usize = 15 << 10;
/// Most personal contents in one act: a statement and its evidence, twice.
pub const MAX_PRIVATE_PER_ACT: usize = 4;
/// Bytes of a salt.
pub const SALT_BYTES: usize = 32;

/// What the bytes of a content begin with, so that they are never taken for something else.
const CONTEXT: &[u8] = Domain::Commitment.context().as_bytes();
/// Most bytes of a content.
pub const MAX_CONTENT_BYTES: usize = CONTEXT.len() + SALT_BYTES + MAX_PRIVATE_TEXT_BYTES;

/// A commitment to personal content (承诺值): what acts and ledgers hold of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Private {
    /// blake3 of the content's bytes: context, salt, text.
    pub digest: Digest,
    /// Bytes of the text; that there is one must be seen without it.
    pub length: u32,
}

/// The content of a commitment: the text with the salt that keeps it from being guessed.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    salt: [u8; SALT_BYTES],
    text: String,
}

/// Why bytes are not the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// More than [`MAX_PRIVATE_TEXT_BYTES`].
    #[error("个人内容过长，最多{MAX_PRIVATE_TEXT_BYTES}字节 (personal content is too long)")]
    TooLong,
    /// Nothing but white space.
    #[error("个人内容为空 (personal content is blank)")]
    Blank,
    /// Not context, salt and text.
    #[error("不是个人内容 (no personal content)")]
    Malformed,
    /// It is something else than what was committed to.
    #[error("内容与承诺值不符 (not what was committed to)")]
    Another,
}

impl Private {
    /// It commits to some text, within bounds. What an act says of it counts until the content is seen.
    ///
    /// # Errors
    /// `TooLong` under `article`.
    pub(crate) fn within_bounds(&self, article: Article) -> Result<(), Refusal> {
        at_most(self.length as usize, MAX_PRIVATE_TEXT_BYTES, article)
    }

    /// Whether it commits to no text at all.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The content as a file, as it travels and is stored.
    pub fn object(&self) -> ObjectRef {
        ObjectRef {
            digest: self.digest,
            length: (CONTEXT.len() + SALT_BYTES) as u64 + u64::from(self.length),
            name: "private".into(),
        }
    }

    /// The content, if these bytes are it.
    ///
    /// # Errors
    /// [`ContentError`].
    pub fn open(&self, bytes: &[u8]) -> Result<Content, ContentError> {
        let content = Content::from_bytes(bytes)?;
        if content.private() == *self {
            Ok(content)
        } else {
            Err(ContentError::Another)
        }
    }
}

impl fmt::Display for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "〔{}〕", self.digest.short())
    }
}

impl Content {
    /// A content; `salt` is random, made for it alone.
    ///
    /// # Errors
    /// [`ContentError::TooLong`], [`ContentError::Blank`].
    pub fn new(salt: [u8; SALT_BYTES], text: String) -> Result<Self, ContentError> {
        if text.len() > MAX_PRIVATE_TEXT_BYTES {
            return Err(ContentError::TooLong);
        }
        if text.trim().is_empty() {
            return Err(ContentError::Blank);
        }
        Ok(Self { salt, text })
    }

    /// What is said.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The commitment to it.
    pub fn private(&self) -> Private {
        Private {
            digest: Digest::object(&self.bytes()),
            // The text is bounded far below.
            length: u32::try_from(self.text.len()).unwrap_or(u32::MAX),
        }
    }

    /// Its bytes: context, salt, text.
    pub fn bytes(&self) -> Vec<u8> {
        [CONTEXT, &self.salt, self.text.as_bytes()].concat()
    }

    /// A content from its bytes.
    ///
    /// # Errors
    /// [`ContentError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ContentError> {
        if bytes.len() > MAX_CONTENT_BYTES {
            return Err(ContentError::TooLong);
        }
        let salted = bytes.strip_prefix(CONTEXT);
        let (salt, text) = salted
            .and_then(<[u8]>::split_first_chunk::<SALT_BYTES>)
            .ok_or(ContentError::Malformed)?;
        let text = std::str::from_utf8(text).map_err(|_| ContentError::Malformed)?;
        Self::new(*salt, text.to_owned())
    }
}

/// Neither salt nor text ever gets into a log.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({})", self.private())
    }
}

/// Every content that an act commits to is there, and nothing else.
///
/// # Errors
/// [`RefusalReason::NoSuchContent`], PIPL 47: what nobody keeps could neither be read nor erased.
pub fn check_complete(committed: &[Private], given: &[Content]) -> Result<(), Refusal> {
    let mut committed = committed.to_vec();
    let mut given: Vec<Private> = given.iter().map(Content::private).collect();
    committed.sort_unstable();
    given.sort_unstable();
    if committed == given {
        Ok(())
    } else {
        Err(RefusalReason::NoSuchContent.under(Article::P47))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(salt: u8, text: &str) -> Result<Content, ContentError> {
        Content::new([salt; SALT_BYTES], text.into())
    }

    #[test]
    fn a_commitment_is_opened_by_its_own_salt_and_text_alone() {
        let said = content(1, "张某的住址有误").unwrap();
        let private = said.private();
        assert_eq!(private.open(&said.bytes()), Ok(said.clone()));
        assert_eq!(private.object().length, said.bytes().len() as u64);
        for other in [content(2, "张某的住址有误"), content(1, "李某的住址有误")] {
            assert_eq!(
                private.open(&other.unwrap().bytes()),
                Err(ContentError::Another)
            );
        }
        let lying = Private {
            length: 1,
            ..private
        };
        assert_eq!(lying.open(&said.bytes()), Err(ContentError::Another));
    }

    #[test]
    fn what_is_no_content_is_not_taken_for_one() {
        let said = content(1, "张某").unwrap();
        let bytes = said.bytes();
        assert_eq!(
            Content::from_bytes(&bytes[1..]),
            Err(ContentError::Malformed)
        );
        assert_eq!(Content::from_bytes(CONTEXT), Err(ContentError::Malformed));
        let invalid = [&bytes[..], &[0xff]].concat();
        assert_eq!(Content::from_bytes(&invalid), Err(ContentError::Malformed));
        assert_eq!(content(1, " \n"), Err(ContentError::Blank));
        let longest = "a".repeat(MAX_PRIVATE_TEXT_BYTES);
        assert!(content(1, &longest).is_ok());
        assert_eq!(
            content(1, &format!("{longest}a")),
            Err(ContentError::TooLong)
        );
        let oversize = vec![0; MAX_CONTENT_BYTES + 1];
        assert_eq!(Content::from_bytes(&oversize), Err(ContentError::TooLong));
    }

    #[test]
    fn an_act_comes_with_every_content_it_commits_to_and_with_no_other() {
        let (one, two) = (content(1, "张某").unwrap(), content(2, "李某").unwrap());
        let committed = [one.private(), two.private()];
        assert_eq!(
            check_complete(&committed, &[two.clone(), one.clone()]),
            Ok(())
        );
        let missing = Err(RefusalReason::NoSuchContent.under(Article::P47));
        assert_eq!(
            check_complete(&committed, std::slice::from_ref(&one)),
            missing
        );
        assert_eq!(check_complete(&committed[..1], &[one, two]), missing);
    }

    #[test]
    fn neither_salt_nor_text_gets_into_a_log() {
        let said = content(7, "张某的住址有误").unwrap();
        let shown = format!("{said:?} {}", said.private());
        assert!(!shown.contains("张某") && !shown.contains("0707"));
    }
}
