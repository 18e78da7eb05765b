//! What came of the personal content that the events of a docket commit to: the text itself while it is kept and shown, or that it was lawfully
//! erased, which a later event of the same docket says.

use identity::{Moment, Path};
use serde::{Deserialize, Serialize};
use statute::ErasureGround;

use super::hexadecimal;
use crate::docket::{DocketBody, DocketEvent};
use crate::erasure::ErasureEvent;
use crate::private::{Content, Private};

/// The bytes of a content, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentBytes(#[serde(with = "hexadecimal")] pub Vec<u8>);

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

/// A content that no event commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a content is not what was committed to")]
pub struct AnotherContent;

/// What came of each content that the events of one docket commit to, in their order. The events are verified before.
///
/// # Errors
/// [`AnotherContent`] for one that none of them commits to, or that is there twice.
pub fn shown(
    events: &[DocketEvent],
    contents: &[ContentBytes],
) -> Result<Vec<(Private, Shown)>, AnotherContent> {
    let committed = events.iter().flat_map(|event| event.body.private());
    let mut shown: Vec<(Private, Shown)> = committed.map(|it| (it, Shown::Withheld)).collect();
    for bytes in contents {
        let opened = shown
            .iter_mut()
            .filter(|(_, shown)| *shown == Shown::Withheld)
            .find_map(|(private, shown)| Some((private.open(&bytes.0).ok()?, shown)));
        let (content, place) = opened.ok_or(AnotherContent)?;
        *place = Shown::Text(content.text().to_owned());
    }
    for event in events {
        let DocketBody::Erasure(ErasureEvent::Decided {
            contents, ground, ..
        }) = &event.body
        else {
            continue;
        };
        for (private, shown) in &mut shown {
            if contents.contains(&private.digest) {
                *shown = Shown::Erased {
                    home: event.home.clone(),
                    at: event.at,
                    ground: *ground,
                };
            }
        }
    }
    Ok(shown)
}

/// The bytes of a content, for an evidence file.
impl From<&Content> for ContentBytes {
    fn from(content: &Content) -> Self {
        Self(content.bytes())
    }
}
