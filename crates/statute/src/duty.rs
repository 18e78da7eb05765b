//! Duties with a time limit (法定期限): which article sets it, how long it is, and which article a default breaches.

use crate::article::Article;
use crate::calendar::{Calendar, beijing_date};
use crate::class::ShareClass;
use crate::deadline::{Due, Ground, WorkingDays, deadline};
use crate::profile::Profile;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// Duty with a time limit (限期义务).
    pub enum Duty {
        /// Update the catalogue after a change of law or duty, R17.
        UpdateEntry = "update-entry", "更新政务数据目录", "update the catalogue";
        /// More time to update, with the authority's consent, R17.
        UpdateExtension = "update-extension", "延长更新期限", "extension of an update";
        /// Review and publish an update, R17.
        ReviewUpdate = "review-update", "审核并发布更新后的目录", "review an update";
        /// Reply to an application for data shared unconditionally, R21.
        ReplyUnconditional = "reply-unconditional", "答复无条件共享类申请", "reply, unconditional class";
        /// Reply to an application for data shared on conditions, R21.
        ReplyConditional = "reply-conditional", "答复有条件共享类申请", "reply, conditional class";
        /// More time to reply, with the authority's consent, R21.
        ReplyExtension = "reply-extension", "延长答复期限", "extension of a reply";
        /// Share the data after consenting, R22.
        Provide = "provide", "共享政务数据", "share the data";
        /// Verify, correct and report back, R26.
        Correct = "correct", "核实、更正并反馈", "verify and correct";
        /// Carry out the decision on a dispute by the date it sets, R28.
        Comply = "comply", "执行争议决定", "carry out a decision";
        /// Answer an application to open data, Shenyang S26.
        ReplyOpening = "reply-opening", "答复数据开放申请", "reply to an application for opening";
        /// Answer a complaint, where a local profile sets a term; R37 sets none.
        AnswerComplaint = "answer-complaint", "处理投诉举报", "answer a complaint";
        /// Correct by the date that an order (责令改正) sets, R39 to R41.
        RectifyOrder = "rectify-order", "按责令期限改正", "correct as ordered";
        /// Rectify while access is suspended, by the date that was ordered, R27.
        Rectify = "rectify", "限期整改", "rectify the use";
        /// Dispose of shared data as the provider requires and by its date, R27.
        Dispose = "dispose", "按要求处置数据", "dispose of the data";
        /// Meet a matched need by the date that the department named itself, R20.
        MeetNeed = "meet-need", "按所定日期满足需求", "meet the need";
        /// Return the rows of a level below by the subscription's schedule, R24.
        ReturnRows = "return-rows", "按订阅周期回流数据", "return the rows on schedule";
    }
}

impl Duty {
    /// The duty to reply that an application for this class creates; none where data is not shared.
    #[must_use]
    pub const fn reply_to(class: ShareClass) -> Option<Duty> {
        match class {
            ShareClass::Unconditional => Some(Duty::ReplyUnconditional),
            ShareClass::Conditional => Some(Duty::ReplyConditional),
            ShareClass::NotShared => None,
        }
    }

    /// The article that sets the duty and its time limit.
    #[must_use]
    pub const fn article(self) -> Article {
        match self {
            Duty::UpdateEntry | Duty::UpdateExtension | Duty::ReviewUpdate => Article::R17,
            Duty::ReplyUnconditional | Duty::ReplyConditional | Duty::ReplyExtension => {
                Article::R21
            }
            Duty::Provide => Article::R22,
            Duty::Correct => Article::R26,
            Duty::Comply => Article::R28,
            Duty::ReplyOpening => Article::S26,
            Duty::AnswerComplaint => Article::R37,
            Duty::RectifyOrder => Article::R39,
            Duty::Rectify | Duty::Dispose => Article::R27,
            Duty::MeetNeed => Article::R20,
            Duty::ReturnRows => Article::R24,
        }
    }

    /// The article that a default breaches. That of an order not carried out is the last item of R39, also where R40 or R41 is what the order rests
    /// on: the order names the accused and the article of the breach itself.
    #[must_use]
    pub const fn breach(self) -> Article {
        match self {
            Duty::UpdateEntry | Duty::UpdateExtension => Article::R39_1,
            Duty::ReviewUpdate => Article::R41_3,
            Duty::ReplyUnconditional
            | Duty::ReplyConditional
            | Duty::ReplyExtension
            | Duty::Provide => Article::R39_4,
            Duty::Correct => Article::R39_6,
            Duty::ReturnRows => Article::R39_5,
            // Requesters too may have to act: R40(7) says the same of them.
            Duty::Comply => Article::R39_9,
            Duty::ReplyOpening => Article::S35,
            Duty::RectifyOrder | Duty::MeetNeed => Article::R39_9,
            // An authority that owes it answers for it under R41, as for all it owes.
            Duty::AnswerComplaint => Article::R39_9,
            Duty::Rectify => Article::R40_2,
            Duty::Dispose => Article::R40_4,
        }
    }

    /// The time limit that the article sets, in working days; for an extension, the longest. An order sets its own date, which the articles do not
    /// bound: sixty working days are the longest that the software lets it give; for what a grant's party sets under R27
    /// and a matched department for itself under R20, half a year.
    #[must_use]
    pub const fn working_days(self) -> WorkingDays {
        WorkingDays::set_by_law(match self {
            Duty::ReplyUnconditional => 1,
            Duty::ReviewUpdate => 2,
            Duty::UpdateExtension => 5,
            Duty::UpdateEntry | Duty::ReplyConditional | Duty::ReplyExtension | Duty::Correct => 10,
            Duty::ReplyOpening => 15,
            Duty::Provide => 20,
            // The decision sets the date; the articles do not bound it, the software does.
            Duty::Comply => 60,
            Duty::RectifyOrder => 60,
            Duty::Rectify | Duty::Dispose | Duty::MeetNeed => 120,
            // The longest that a profile may set; without one no term runs.
            Duty::AnswerComplaint => 60,
            // The subscription's schedule sets the time; a month is the longest, and has at most 23 working days.
            Duty::ReturnRows => 23,
        })
    }
}

/// When a duty is due that arose at an instant (receipt, change or consent), in milliseconds since 1970-01-01T00:00Z,
/// under the profile of law that binds whoever owes it.
#[must_use]
pub fn due(duty: Duty, received_ms: i64, calendar: &Calendar, profile: &Profile) -> Due {
    let days = profile.working_days(duty);
    let mut due = deadline(beijing_date(received_ms), days, calendar);
    due.grounds.insert(
        0,
        Ground::Article {
            article: profile.article(duty),
            days,
        },
    );
    due
}

/// Is it late? A time limit ends with its last day: at that instant it is. Instants in milliseconds since 1970-01-01T00:00Z.
#[must_use]
pub fn is_overdue(due_ms: i64, now_ms: i64) -> bool {
    now_ms >= due_ms && !rule::is_off(Rule::Deadlines)
}

/// Only a reply (R21) and an update of the catalogue (R17) can be extended.
///
/// # Errors
/// [`RefusalReason::NotExtensible`] under the article of the duty.
pub fn check_may_be_extended(duty: Duty) -> Result<(), Refusal> {
    match duty {
        Duty::ReplyUnconditional | Duty::ReplyConditional | Duty::UpdateEntry => Ok(()),
        Duty::UpdateExtension
        | Duty::ReviewUpdate
        | Duty::ReplyExtension
        | Duty::Provide
        | Duty::Correct
        | Duty::ReplyOpening
        | Duty::AnswerComplaint
        | Duty::Comply
        | Duty::Rectify
        | Duty::Dispose
        | Duty::MeetNeed
        | Duty::ReturnRows
        | Duty::RectifyOrder => Err(RefusalReason::NotExtensible { duty }.under(duty.article())),
    }
}

/// More time is asked for, and consented to, before the time is over; R17, R21.
///
/// # Errors
/// [`RefusalReason::TimeLimitPassed`] under the article of the duty.
pub fn check_extended_in_time(duty: Duty, due_ms: i64, now_ms: i64) -> Result<(), Refusal> {
    if is_overdue(due_ms, now_ms) && !rule::is_off(Rule::Extension) {
        return Err(RefusalReason::TimeLimitPassed { duty }.under(duty.article()));
    }
    Ok(())
}

/// A time limit moved by an extension: counting goes on from its last day, which was provisional or not.
#[must_use]
pub fn extend_from(
    last: jiff::civil::Date,
    provisional: bool,
    extension: Extension,
    calendar: &Calendar,
) -> Due {
    let mut extended = deadline(last, extension.days, calendar);
    let article = Ground::Article {
        article: extension.article,
        days: extension.days,
    };
    extended.grounds.insert(0, article);
    extended.provisional |= provisional;
    extended
}

/// A deadline moved by an extension: counting goes on from the day on which it would have ended.
#[must_use]
pub fn extend(due: &Due, extension: Extension, calendar: &Calendar) -> Due {
    let mut extended = deadline(due.date, extension.days, calendar);
    let earlier = due
        .grounds
        .iter()
        .filter(|ground| matches!(ground, Ground::Article { .. }));
    let article = Ground::Article {
        article: extension.article,
        days: extension.days,
    };
    extended
        .grounds
        .splice(0..0, earlier.cloned().chain([article]));
    extended.provisional |= due.provisional;
    extended
}

/// An extension (延长) that the article allows. It still needs the authority's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Extension {
    article: Article,
    days: WorkingDays,
}

impl Extension {
    /// Working days by which the deadline moves.
    #[must_use]
    pub const fn days(self) -> WorkingDays {
        self.days
    }
}

/// A reply is extended once, by at most ten working days; R21. The sentence follows both classes and is open to both.
///
/// # Errors
/// [`RefusalReason::ExtensionAlreadyUsed`], [`RefusalReason::ExtensionTooLong`].
pub fn check_reply_extension(
    asked: WorkingDays,
    granted_before: usize,
    profile: &Profile,
) -> Result<Extension, Refusal> {
    check_extension(Duty::ReplyExtension, asked, granted_before, profile)
}

/// An update of the catalogue is extended once, by at most five working days; R17.
///
/// # Errors
/// [`RefusalReason::ExtensionAlreadyUsed`], [`RefusalReason::ExtensionTooLong`].
pub fn check_update_extension(
    asked: WorkingDays,
    granted_before: usize,
    profile: &Profile,
) -> Result<Extension, Refusal> {
    check_extension(Duty::UpdateExtension, asked, granted_before, profile)
}

fn check_extension(
    duty: Duty,
    asked: WorkingDays,
    granted_before: usize,
    profile: &Profile,
) -> Result<Extension, Refusal> {
    let holds = !rule::is_off(Rule::Extension);
    if granted_before > 0 && holds {
        return Err(RefusalReason::ExtensionAlreadyUsed.under(duty.article()));
    }
    let limit = profile.working_days(duty);
    if asked > limit && holds {
        let reason = RefusalReason::ExtensionTooLong {
            asked: asked.get(),
            limit: limit.get(),
        };
        return Err(reason.under(profile.article(duty)));
    }
    Ok(Extension {
        article: profile.article(duty),
        days: asked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::end_of_day_ms;
    use jiff::civil::date;

    fn days(days: u16) -> WorkingDays {
        WorkingDays::set_by_law(days)
    }

    #[test]
    fn every_duty_has_the_time_limit_of_its_article() {
        let limits: Vec<_> = Duty::ALL
            .iter()
            .map(|duty| (duty.article(), duty.working_days().get(), duty.breach()))
            .collect();
        let expected = [
            (Article::R17, 10, Article::R39_1),
            (Article::R17, 5, Article::R39_1),
            (Article::R17, 2, Article::R41_3),
            (Article::R21, 1, Article::R39_4),
            (Article::R21, 10, Article::R39_4),
            (Article::R21, 10, Article::R39_4),
            (Article::R22, 20, Article::R39_4),
            (Article::R26, 10, Article::R39_6),
            (Article::R28, 60, Article::R39_9),
            (Article::S26, 15, Article::S35),
            (Article::R37, 60, Article::R39_9),
            (Article::R39, 60, Article::R39_9),
            (Article::R27, 120, Article::R40_2),
            (Article::R27, 120, Article::R40_4),
            (Article::R20, 120, Article::R39_9),
            (Article::R24, 23, Article::R39_5),
        ];
        assert_eq!(limits, expected);
    }

    #[test]
    fn a_reply_is_due_ten_working_days_after_receipt_and_cites_its_article() {
        let received_ms = end_of_day_ms(date(2026, 2, 13)) - 1;
        let calendar = Calendar::national();
        let due = due(
            Duty::ReplyConditional,
            received_ms,
            &calendar,
            &Profile::national(),
        );
        assert_eq!(due.date, date(2026, 3, 5));
        assert_eq!(
            due.basis_zh().first().map(String::as_str),
            Some("《政务数据共享条例》第二十一条：10个工作日")
        );
        assert_eq!(Duty::reply_to(ShareClass::NotShared), None);
    }

    #[test]
    fn a_millisecond_after_midnight_in_beijing_is_the_next_day() {
        let midnight_ms = end_of_day_ms(date(2026, 3, 2));
        let calendar = Calendar::national();
        let on = |ms| {
            due(
                Duty::ReplyUnconditional,
                ms,
                &calendar,
                &Profile::national(),
            )
            .date
        };
        assert_eq!(
            [on(midnight_ms - 1), on(midnight_ms)],
            [date(2026, 3, 3), date(2026, 3, 4)]
        );
    }

    #[test]
    fn a_reply_is_extended_once_and_by_ten_days_at_most() {
        let national = Profile::national();
        assert_eq!(
            check_reply_extension(days(10), 0, &national).map(Extension::days),
            Ok(days(10))
        );
        let twice = RefusalReason::ExtensionAlreadyUsed.under(Article::R21);
        assert_eq!(check_reply_extension(days(1), 1, &national), Err(twice));
        let long = RefusalReason::ExtensionTooLong {
            asked: 11,
            limit: 10,
        }
        .under(Article::R21);
        assert_eq!(check_reply_extension(days(11), 0, &national), Err(long));
        assert!(check_update_extension(days(6), 0, &national).is_err());
    }

    #[test]
    fn an_extension_counts_on_from_the_first_deadline() {
        let calendar = Calendar::national();
        let national = Profile::national();
        let received_ms = end_of_day_ms(date(2026, 2, 13)) - 1;
        let first = due(Duty::ReplyConditional, received_ms, &calendar, &national);
        let extended = check_reply_extension(days(10), 0, &national)
            .map(|extension| extend(&first, extension, &calendar));
        assert_eq!(extended.map(|due| due.date), Ok(date(2026, 3, 19)));
    }
}
