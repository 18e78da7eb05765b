//! What is to be done so that the node's own entries are those of the platform: a comparison, without effect.
//!
//! ```text
//! there, not held            ──► compile version 1
//! there, held otherwise      ──► compile the next version (the same one, while it is a draft)
//! there, held the same       ──► what is left of its way: approve, submit, review; nothing when it stands published
//! not there, stands published ──► withdraw
//! not there, never published ──► left alone: a draft that nobody approves
//! ```

use std::collections::BTreeSet;

use federation::core::view::OwnEntry;
use identity::CreditCode;
use sharing::catalogue::{Entry, EntryId, EntryState, EntryVersion};

use super::translation::Translation;

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Entries that are new: version 1.
    pub new: Vec<Entry>,
    /// Entries that changed, with their next version.
    pub changed: Vec<Entry>,
    /// Drafts that await the department's head.
    pub approve: Vec<EntryVersion>,
    /// Approved versions that await submission.
    pub submit: Vec<EntryVersion>,
    /// Submitted versions that await the authority.
    pub review: Vec<EntryVersion>,
    /// Entries that stand published and are gone from the platform.
    pub withdraw: Vec<EntryId>,
    /// Drafts that the authority returned, with its reasons: they wait until the platform or the mapping changes.
    pub returned: Vec<(EntryId, String)>,
    /// Drafts of what is gone from the platform and does not stand published.
    pub left: Vec<EntryId>,
    /// Entries that stand as they are.
    pub unchanged: usize,
    /// Entries of another department under the platform's prefix: nothing is done to them.
    pub foreign: BTreeSet<EntryId>,
}

/// Why nothing may be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The platform gave nothing where entries stand.
    #[error("平台没有给出任何条目，而本节点现有 {held} 条 / the platform gave nothing where {held} entries stand")]
    Empty {
        /// How many stand.
        held: usize,
    },
}

/// Compares what was found with what is held under the prefix.
///
/// # Errors
/// [`PlanError::Empty`] when nothing was found, something is held, and an empty platform was not said to be right.
pub fn plan(
    found: &Translation,
    held: &[OwnEntry],
    provider: CreditCode,
    allow_empty: bool,
) -> Result<Plan, PlanError> {
    let standing = held
        .iter()
        .filter(|own| own.entry.provider == provider && own.state != EntryState::Withdrawn)
        .count();
    let nothing = found.present.is_empty() && found.without_key == 0;
    if nothing && standing > 0 && !allow_empty {
        return Err(PlanError::Empty { held: standing });
    }
    let mut plan = Plan::default();
    let mut known = BTreeSet::new();
    for own in held {
        let id = &own.entry.id;
        known.insert(id);
        if own.entry.provider != provider {
            plan.foreign.insert(id.clone());
            continue;
        }
        match found.entries.get(id) {
            Some(entry) => plan.there(entry, own),
            None if found.present.contains(id) => {}
            None => plan.gone(own),
        }
    }
    plan.new = found
        .entries
        .values()
        .filter(|entry| !known.contains(&entry.id))
        .cloned()
        .collect();
    Ok(plan)
}

impl Plan {
    fn there(&mut self, entry: &Entry, own: &OwnEntry) {
        let mut entry = entry.clone();
        entry.version = own.entry.version;
        let same = entry == own.entry;
        match own.state {
            EntryState::Draft | EntryState::Approved if !same => self.changed.push(entry),
            EntryState::Submitted | EntryState::Published if !same => self.next(entry),
            // What comes back is a new version, whatever it says.
            EntryState::Withdrawn => self.next(entry),
            EntryState::Draft => match &own.returned {
                Some(why) => self.returned.push((entry.id, why.clone())),
                None => self.approve.push(own.entry.version_ref()),
            },
            EntryState::Approved => self.submit.push(own.entry.version_ref()),
            EntryState::Submitted => self.review.push(own.entry.version_ref()),
            EntryState::Published => self.unchanged += 1,
        }
    }

    fn next(&mut self, mut entry: Entry) {
        entry.version = entry.version.saturating_add(1);
        self.changed.push(entry);
    }

    fn gone(&mut self, own: &OwnEntry) {
        match (own.published, own.state) {
            (Some(_), _) => self.withdraw.push(own.entry.id.clone()),
            (None, EntryState::Withdrawn) => {}
            (
                None,
                EntryState::Draft
                | EntryState::Approved
                | EntryState::Submitted
                | EntryState::Published,
            ) => self.left.push(own.entry.id.clone()),
        }
    }
}
