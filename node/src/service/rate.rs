//! How many calls a minute a grant is given: evenly, with a minute's calls at once at most.

use std::collections::BTreeMap;

use identity::Moment;
use sharing::docket::DocketId;

/// Grants whose calls are counted at a time; those with room for a whole minute are forgotten first.
const MAX_COUNTED: usize = 4_096;
/// A minute, microseconds.
const MINUTE_US: i64 = 60_000_000;

/// What the calls so far have used up.
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<DocketId, Used>);

#[derive(Debug, Clone, Copy)]
struct Used {
    /// Until when calls are spoken for, microseconds since 1970.
    until_us: i64,
    /// Whether the present shortage was told.
    told: bool,
}

/// A call beyond the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beyond {
    /// When there is room again, seconds from now.
    pub(super) retry_after_s: u32,
    /// Whether it is the first since a call was let through: the one that goes on record.
    pub(super) first: bool,
}

impl Rates {
    /// Counts a call.
    ///
    /// # Errors
    /// [`Beyond`] when it is one too many; then it does not count.
    pub(super) fn take(
        &mut self,
        docket: DocketId,
        per_minute: u32,
        now: Moment,
    ) -> Result<(), Beyond> {
        let now_us = now.as_millis().saturating_mul(1_000);
        if self.0.len() >= MAX_COUNTED && !self.0.contains_key(&docket) {
            self.0.retain(|_, used| used.until_us > now_us);
            if self.0.len() >= MAX_COUNTED {
                return Err(Beyond {
                    retry_after_s: 60,
                    first: false,
                });
            }
        }
        let used = self.0.entry(docket).or_insert(Used {
            until_us: now_us,
            told: false,
        });
        let each_us = MINUTE_US / i64::from(per_minute.max(1));
        let until_us = used.until_us.max(now_us).saturating_add(each_us);
        let over_us = until_us - now_us - MINUTE_US;
        if over_us > 0 {
            let first = !std::mem::replace(&mut used.told, true);
            let retry_after_s = u32::try_from(over_us.unsigned_abs().div_ceil(1_000_000));
            return Err(Beyond {
                retry_after_s: retry_after_s.unwrap_or(u32::MAX),
                first,
            });
        }
        *used = Used {
            until_us,
            told: false,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use identity::Digest;

    use super::*;

    #[test]
    fn a_minutes_calls_at_once_and_then_evenly() {
        let mut rates = Rates::default();
        let docket = DocketId(Digest::object(b"1"));
        let at = |seconds: i64| Moment::from_millis(1_000_000 + seconds * 1_000);
        for _ in 0..3 {
            assert_eq!(rates.take(docket, 3, at(0)), Ok(()));
        }
        let beyond = |retry_after_s, first| {
            Err(Beyond {
                retry_after_s,
                first,
            })
        };
        assert_eq!(rates.take(docket, 3, at(0)), beyond(20, true));
        assert_eq!(rates.take(docket, 3, at(5)), beyond(15, false));
        let other = DocketId(Digest::object(b"2"));
        assert_eq!(
            rates.take(other, 3, at(5)),
            Ok(()),
            "each grant has its own"
        );
        assert_eq!(rates.take(docket, 3, at(20)), Ok(()));
        assert_eq!(rates.take(docket, 3, at(20)), beyond(20, true));
    }

    #[test]
    fn what_is_counted_is_bounded() {
        let mut rates = Rates::default();
        let docket = |n: usize| DocketId(Digest::object(&n.to_le_bytes()));
        let at = Moment::from_millis(0);
        for n in 0..MAX_COUNTED {
            assert_eq!(rates.take(docket(n), 60, at), Ok(()));
        }
        assert!(rates.take(docket(MAX_COUNTED), 60, at).is_err());
        let later = Moment::from_millis(1_000);
        assert_eq!(rates.take(docket(MAX_COUNTED), 60, later), Ok(()));
    }
}
