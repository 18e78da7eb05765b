//! For tests alone, under the feature `remembered`, which no program that is shipped is built with: a key or a signature that held once on this
//! thread is not computed again. It holds or not for the same bytes for ever, so that nothing is decided otherwise; only what held is kept.

/// Whether this holds, computed each time.
#[cfg(not(feature = "remembered"))]
pub(crate) fn once<E>(_what: &[&[u8]], check: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    check()
}

#[cfg(feature = "remembered")]
pub(crate) use memory::once;

#[cfg(feature = "remembered")]
mod memory {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use crate::digest::{Digest, Domain};

    /// Most that is remembered, 32 bytes each; then it begins anew.
    const MOST_REMEMBERED: usize = 200_000;

    thread_local! {
        static HELD: RefCell<BTreeSet<Digest>> = const { RefCell::new(BTreeSet::new()) };
    }

    /// Whether this holds: as it did before on this thread, or as it is computed now.
    pub(crate) fn once<E>(what: &[&[u8]], check: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let what = Digest::of_parts(Domain::Id, what);
        if HELD.with_borrow(|held| held.contains(&what)) {
            return Ok(());
        }
        check()?;
        HELD.with_borrow_mut(|held| {
            if held.len() >= MOST_REMEMBERED {
                held.clear();
            }
            held.insert(what);
        });
        Ok(())
    }
}
