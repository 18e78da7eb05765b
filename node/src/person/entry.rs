//! A draft as a person wrote it, checked before anything is signed: everything that is missing is told at once.

use sharing::catalogue::{DraftError, Entry, EntryDraft};
use statute::Refusal;

use crate::language::Text;

/// Why a draft is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// All that is missing, or what else is wrong.
    pub what: Text,
    /// When it is the law that refuses it.
    pub refusal: Option<Refusal>,
}

/// The entry that a draft states.
///
/// # Errors
/// [`Incomplete`] with what R13 requires and what an entry cannot be found without, in one text.
pub fn complete(draft: EntryDraft) -> Result<Entry, Incomplete> {
    let blank = draft.blank();
    let no_id = draft.id.trim().is_empty();
    let lacking = |text: Text| {
        if blank.is_empty() {
            return text;
        }
        let zh: Vec<&str> = blank.iter().map(|(zh, _)| *zh).collect();
        let en: Vec<&str> = blank.iter().map(|(_, en)| *en).collect();
        let join = |one: String, two: &str, between: &str| match two.is_empty() {
            true => one,
            false => format!("{one}{between}{two}"),
        };
        Text::new(
            join(format!("缺少：{}", zh.join("、")), &text.zh, "；"),
            join(format!("missing: {}", en.join(", ")), &text.en, "; "),
        )
    };
    let incomplete = |text, refusal| Incomplete {
        what: lacking(text),
        refusal,
    };
    match draft.into_entry() {
        Ok(entry) if blank.is_empty() => Ok(entry),
        Ok(_) => Err(incomplete(Text::new("", ""), None)),
        Err(DraftError::Refused(refusal)) => Err(incomplete(
            Text::new(refusal.zh(), refusal.en()),
            Some(refusal),
        )),
        Err(DraftError::Id(_)) if no_id => Err(incomplete(Text::new("", ""), None)),
        Err(other) => {
            let text = other.to_string();
            Err(incomplete(Text::new(text.clone(), text), None))
        }
    }
}
