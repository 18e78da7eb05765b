//! Publication of the catalogue (发布): only what the authority has reviewed and published can be applied for. R16, R20.

use crate::article::Article;
use crate::class::{ShareClass, check_shareable};
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// Where an entry stands before the public of departments, R16.
    pub enum Publication {
        /// Compiled, not yet published (未发布).
        Unpublished = "unpublished", "未发布", "not published";
        /// Reviewed and published (已发布).
        Published = "published", "已发布", "published";
        /// Withdrawn (已撤销).
        Withdrawn = "withdrawn", "已撤销", "withdrawn";
    }
}

/// An application is made for a published entry.
///
/// # Errors
/// [`RefusalReason::EntryNotPublished`]; R16.
pub fn check_published(publication: Publication) -> Result<(), Refusal> {
    match publication {
        Publication::Published => Ok(()),
        Publication::Unpublished | Publication::Withdrawn if rule::is_off(Rule::Publication) => {
            Ok(())
        }
        Publication::Unpublished | Publication::Withdrawn => {
            Err(RefusalReason::EntryNotPublished.under(Article::R16))
        }
    }
}

/// An application is made for a published entry that is shared.
///
/// # Errors
/// [`RefusalReason::EntryNotPublished`], R16; [`RefusalReason::EntryNotShared`], R14.
pub fn check_may_apply(publication: Publication, class: ShareClass) -> Result<(), Refusal> {
    check_published(publication)?;
    check_shareable(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_published_and_shared_entries_can_be_applied_for() {
        let open: Vec<_> = Publication::ALL
            .iter()
            .flat_map(|publication| {
                ShareClass::ALL
                    .iter()
                    .map(move |class| (*publication, *class))
            })
            .filter(|(publication, class)| check_may_apply(*publication, *class).is_ok())
            .collect();
        let published = Publication::Published;
        let expected = [
            (published, ShareClass::Unconditional),
            (published, ShareClass::Conditional),
        ];
        assert_eq!(open, expected);
        let withdrawn = check_may_apply(Publication::Withdrawn, ShareClass::NotShared);
        assert_eq!(
            withdrawn,
            Err(RefusalReason::EntryNotPublished.under(Article::R16))
        );
    }
}
