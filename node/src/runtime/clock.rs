//! The node's clock: whatever runs in a node and needs the time asks the clock that the node was started with.
//!
//! A node in service has the system's clock and no other. The feature `settable-clock`, which no release is built with (`main.rs` does not
//! compile then), adds one that a test sets, so that a term of ten working days passes at once.

use identity::Moment;

use super::driver::now;

/// A clock. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    #[cfg(feature = "settable-clock")]
    Set(std::sync::Arc<std::sync::atomic::AtomicI64>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// What it shows.
    pub fn now(&self) -> Moment {
        match &self.0 {
            Source::System => now(),
            #[cfg(feature = "settable-clock")]
            Source::Set(millis) => {
                Moment::from_millis(millis.load(std::sync::atomic::Ordering::SeqCst))
            }
        }
    }
}

#[cfg(feature = "settable-clock")]
pub use settable::ClockHand;

#[cfg(feature = "settable-clock")]
mod settable {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use identity::Moment;

    use super::{Clock, Source};

    impl Clock {
        /// A clock that stands at a moment until its hand is moved.
        pub fn settable(at: Moment) -> (Self, ClockHand) {
            let millis = Arc::new(AtomicI64::new(at.as_millis()));
            (Self(Source::Set(Arc::clone(&millis))), ClockHand(millis))
        }
    }

    /// Moves a clock that can be set, and with it all nodes that have it, in the same instant.
    #[derive(Debug)]
    pub struct ClockHand(Arc<AtomicI64>);

    impl ClockHand {
        /// Sets the clock, forward or back.
        pub fn set(&self, to: Moment) {
            self.0.store(to.as_millis(), Ordering::SeqCst);
        }

        /// Moves the clock forward.
        pub fn advance(&self, by: Duration) {
            let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            self.0.fetch_add(millis, Ordering::SeqCst);
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_set_clock_stands_still_until_its_hand_is_moved() {
            let (clock, hand) = Clock::settable(Moment::from_millis(1_000));
            let same = clock.clone();
            assert_eq!(clock.now(), Moment::from_millis(1_000));
            hand.advance(Duration::from_millis(500));
            assert_eq!(same.now(), Moment::from_millis(1_500));
            hand.set(Moment::from_millis(7));
            assert_eq!(
                (clock.now(), same.now()),
                (Moment::from_millis(7), Moment::from_millis(7))
            );
        }
    }
}
