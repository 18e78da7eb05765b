//! A record of use (使用记录, R29): that all five points are stated stands in the act; what they say is personal content, one text in which they follow
//! one another, and is erased as such.

use serde::{Deserialize, Serialize};
use statute::UseRecordField;

use crate::private::{Content, Private};

/// A record of use as the act and the ledger hold it. What it says of its lengths counts until the content is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseRecord {
    /// The commitment to the text of all points.
    pub said: Private,
    /// Bytes of 使用场景.
    pub scenario: u32,
    /// Bytes of 使用过程.
    pub process: u32,
    /// Bytes of 应用成效.
    pub result: u32,
    /// Bytes of 存储情况.
    pub storage: u32,
    /// Bytes of 销毁情况.
    pub destruction: u32,
}

/// What a record of use says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseTexts {
    /// 使用场景.
    pub scenario: String,
    /// 使用过程.
    pub process: String,
    /// 应用成效.
    pub result: String,
    /// 存储情况.
    pub storage: String,
    /// 销毁情况.
    pub destruction: String,
}

impl UseRecord {
    /// The points that are stated; none where the lengths are not those of the text.
    pub fn stated(&self) -> Vec<UseRecordField> {
        if self.ends() != Some(self.said.length) {
            return Vec::new();
        }
        let points = UseRecordField::ALL.iter().zip(self.lengths());
        points
            .filter(|(_, length)| *length > 0)
            .map(|(field, _)| *field)
            .collect()
    }

    /// What it says, if the content is that committed to and falls into the points as stated.
    pub fn texts(&self, content: &Content) -> Option<UseTexts> {
        if content.private() != self.said || self.ends() != Some(self.said.length) {
            return None;
        }
        let mut rest = content.text();
        let mut points = self.lengths().map(|length| {
            let (point, after) = rest.split_at_checked(length as usize)?;
            rest = after;
            Some(point.to_owned())
        });
        let mut next = || points.iter_mut().find_map(Option::take);
        Some(UseTexts {
            scenario: next()?,
            process: next()?,
            result: next()?,
            storage: next()?,
            destruction: next()?,
        })
    }

    /// In the order of [`UseRecordField::ALL`].
    fn lengths(&self) -> [u32; 5] {
        [
            self.scenario,
            self.process,
            self.result,
            self.storage,
            self.destruction,
        ]
    }

    fn ends(&self) -> Option<u32> {
        self.lengths()
            .into_iter()
            .try_fold(0, |sum: u32, length| sum.checked_add(length))
    }
}

impl UseTexts {
    /// The text of all points, as it is committed to.
    pub fn text(&self) -> String {
        self.points().concat()
    }

    /// The record of these points whose [`Self::text`] is the content.
    pub fn record(&self, content: &Content) -> UseRecord {
        // A content is bounded far below.
        let lengths = self
            .points()
            .map(|point| u32::try_from(point.len()).unwrap_or(u32::MAX));
        let [scenario, process, result, storage, destruction] = lengths;
        UseRecord {
            said: content.private(),
            scenario,
            process,
            result,
            storage,
            destruction,
        }
    }

    /// In the order of [`UseRecordField::ALL`]; a blank one is none.
    fn points(&self) -> [&str; 5] {
        [
            self.scenario.trim(),
            self.process.trim(),
            self.result.trim(),
            self.storage.trim(),
            self.destruction.trim(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> UseTexts {
        UseTexts {
            scenario: "资格核验".into(),
            process: " 逐户比对".into(),
            result: "核验三百户".into(),
            storage: "政务云".into(),
            destruction: "未销毁".into(),
        }
    }

    fn content(salt: u8, texts: &UseTexts) -> Content {
        Content::new([salt; 32], texts.text()).unwrap()
    }

    #[test]
    fn the_points_come_out_of_the_content_as_they_went_in_and_of_no_other() {
        let said = content(1, &texts());
        let record = texts().record(&said);
        assert_eq!(record.stated(), UseRecordField::ALL);
        let trimmed = UseTexts {
            process: "逐户比对".into(),
            ..texts()
        };
        assert_eq!(record.texts(&said), Some(trimmed));
        assert_eq!(record.texts(&content(2, &texts())), None);
    }

    #[test]
    fn a_point_left_out_and_lengths_that_are_not_the_texts_are_seen_without_the_content() {
        let bare = UseTexts {
            storage: " ".into(),
            ..texts()
        };
        let record = bare.record(&content(1, &bare));
        assert!(!record.stated().contains(&UseRecordField::Storage));
        assert_eq!(record.stated().len(), 4);
        let said = content(1, &texts());
        let mut lying = texts().record(&said);
        lying.scenario += 1;
        assert_eq!((lying.stated(), lying.texts(&said)), (Vec::new(), None));
        lying.process -= 1;
        assert_eq!(lying.texts(&said), None, "within a character");
        lying.scenario = u32::MAX;
        assert_eq!((lying.stated(), lying.texts(&said)), (Vec::new(), None));
    }
}
