//! What an event says, beside the evidence that it stands in the ledger: the signed event, the personal content that it commits to while that
//! is kept, and the signed decision by which content was lawfully erased.

use identity::{Digest, Domain, Moment, Path, Signed, VerifyKey, codec};
use serde::{Deserialize, Serialize};
use statute::ErasureGround;

use super::hexadecimal;
use crate::docket::{DocketBody, DocketEvent, MAX_EVENT_BYTES};
use crate::erasure::ErasureEvent;
use crate::private::{Content, Private};

/// Most contents and most erasures beside one event: those of one act, each erased at most once.
const MAX_BESIDE: usize = crate::private::MAX_PRIVATE_PER_ACT;

/// The bytes of a content, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentBytes(#[serde(with = "hexadecimal")] pub Vec<u8>);

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The event, as its home signed it.
    pub event: Signed<DocketEvent>,
    /// Contents that it commits to.
    pub contents: Vec<ContentBytes>,
    /// Events of the same docket by which contents were erased, as its home signed them.
    pub erasures: Vec<Signed<DocketEvent>>,
}

/// What came of one content that an event commits to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Shown {
    /// It is this text: the salt and the text are what was committed to.
    Text(String),
    /// It was lawfully erased.
    Erased {
        /// Who ordered it: the docket's home.
        home: Path,
        /// When, by the home's clock.
        at: Moment,
        /// Why.
        ground: ErasureGround,
    },
    /// It is not in the file.
    Withheld,
}

/// Why what is beside the evidence does not belong to it. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SaidError {
    /// More than one act commits to.
    #[error("more is beside the event than one act commits to")]
    TooMany,
    /// The event is not the one in the ledger's record.
    #[error("the event is not the one that the record names")]
    AnotherEvent,
    /// The event does not decode.
    #[error("the event does not decode")]
    Malformed,
    /// A content is not what was committed to.
    #[error("a content is not what was committed to")]
    AnotherContent,
    /// An erasure is not of this docket, or its home did not sign it.
    #[error("an erasure is not one of this docket")]
    AnotherErasure,
}

impl Said {
    /// What came of each content that the event commits to, `body` being the digest in the ledger's record. Where the ledger is that of the
    /// docket's home, `home` is its key; a copy's event is held to the record alone.
    ///
    /// # Errors
    /// The first [`SaidError`].
    pub fn verify(
        &self,
        body: &Digest,
        home: Option<&VerifyKey>,
    ) -> Result<Vec<(Private, Shown)>, SaidError> {
        if self.contents.len() > MAX_BESIDE || self.erasures.len() > MAX_BESIDE {
            return Err(SaidError::TooMany);
        }
        if Digest::of(Domain::Body, &codec::encode(&self.event)) != *body {
            return Err(SaidError::AnotherEvent);
        }
        let event = self.event.claimed(MAX_EVENT_BYTES);
        let event = event.map_err(|_| SaidError::Malformed)?;
        let committed = event.body.private();
        let mut shown: Vec<_> = committed.iter().map(|it| (*it, Shown::Withheld)).collect();
        for bytes in &self.contents {
            let opened = shown
                .iter_mut()
                .find_map(|(private, shown)| Some((private.open(&bytes.0).ok()?, shown)));
            let (content, place) = opened.ok_or(SaidError::AnotherContent)?;
            *place = Shown::Text(content.text().to_owned());
        }
        for signed in &self.erasures {
            let (home, at, contents, ground) = erasure(signed, &event, home)?;
            for (private, shown) in &mut shown {
                if contents.contains(&private.digest) {
                    let home = home.clone();
                    *shown = Shown::Erased { home, at, ground };
                }
            }
        }
        Ok(shown)
    }
}

/// What an event of the same docket erased.
fn erasure(
    signed: &Signed<DocketEvent>,
    of: &DocketEvent,
    home: Option<&VerifyKey>,
) -> Result<(Path, Moment, Vec<Digest>, ErasureGround), SaidError> {
    let event = match home {
        Some(key) => signed.verify(Domain::Event, key, MAX_EVENT_BYTES).ok(),
        None => signed.claimed(MAX_EVENT_BYTES).ok(),
    };
    let event = event.ok_or(SaidError::AnotherErasure)?;
    let same = event.docket == of.docket && event.home == of.home;
    match event.body {
        DocketBody::Erasure(ErasureEvent::Decided {
            contents, ground, ..
        }) if same => Ok((event.home, event.at, contents, ground)),
        _ => Err(SaidError::AnotherErasure),
    }
}

/// The bytes of a content, for an evidence file.
impl From<&Content> for ContentBytes {
    fn from(content: &Content) -> Self {
        Self(content.bytes())
    }
}
