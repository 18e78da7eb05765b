//! Supervision (监督检查): who finds a breach, orders its correction (责令改正) and circulates it (通报). R29, R39 to R41.
//!
//! A department answers to the authority of its own level (R39, R40); an authority to the people's government of its level or to a superior
//! authority (R41). Places are whatever the caller has; here stands only what they must be to each other.

use std::fmt::Display;

use crate::article::Article;
use crate::calendar::Calendar;
use crate::duty::{Duty, due, is_overdue};
use crate::instrument::Instrument;
use crate::profile::Profile;
use crate::refusal::{Refusal, RefusalReason};
use crate::role::Role;
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// As what one answers for a breach (责任主体), R39 to R41.
    pub enum Liable {
        /// A providing department (提供部门), R39.
        Provider = "provider", "政务数据提供部门", "providing department";
        /// A requesting department (需求部门), R40.
        Requester = "requester", "政务数据需求部门", "requesting department";
        /// A competent authority (主管部门), R41.
        Authority = "authority", "政务数据共享主管部门", "competent authority";
    }
}

terms! {
    /// Who orders a correction (责令改正机关), R39 to R41.
    pub enum Supervisor {
        /// The competent authority.
        Authority = "authority", "主管部门", "competent authority";
        /// The people's government of the authority's level (本级人民政府), R41.
        Government = "government", "本级人民政府", "people's government of that level";
    }
}

terms! {
    /// Why discipline (处分) is recommended, R39 to R41.
    pub enum EscalationGround {
        /// The correction is refused (拒不改正).
        RefusesToCorrect = "refuses-to-correct", "拒不改正", "refuses to correct";
        /// The circumstances are serious (情节严重).
        Serious = "serious", "情节严重", "serious circumstances";
    }
}

impl Liable {
    /// The article of the liability.
    #[must_use]
    pub const fn article(self) -> Article {
        match self {
            Liable::Provider => Article::R39,
            Liable::Requester => Article::R40,
            Liable::Authority => Article::R41,
        }
    }

    /// Whose breach an item of chapter 7 is; none for any other article.
    #[must_use]
    pub fn of_breach(breach: Article) -> Option<Liable> {
        let of_chapter = breach.instrument() == Instrument::Regulation && breach.item().is_some();
        Liable::ALL
            .iter()
            .copied()
            .find(|liable| of_chapter && liable.article().number() == breach.number())
    }
}

impl Supervisor {
    /// As whom a person of this role supervises.
    #[must_use]
    pub const fn of_role(role: Role) -> Supervisor {
        match role {
            Role::Government => Supervisor::Government,
            Role::Operator
            | Role::SharingOfficeHead
            | Role::DepartmentHead
            | Role::AuthorityReviewer
            | Role::AuthorityHead
            | Role::Auditor => Supervisor::Authority,
        }
    }
}

/// A breach is an item of the article of whoever is accused: R39 for providers, R40 for requesters, R41 for authorities. `as_whom` is as what
/// the accused may answer: where nothing says whether a department provided or requested, both.
///
/// # Errors
/// [`RefusalReason::NotTheirBreach`] under the article of the accused.
pub fn check_breach_article(as_whom: &[Liable], breach: Article) -> Result<(), Refusal> {
    let theirs = Liable::of_breach(breach).is_some_and(|liable| as_whom.contains(&liable));
    if theirs || rule::is_off(Rule::Supervision) {
        return Ok(());
    }
    let article = as_whom
        .first()
        .map_or(Article::R39, |liable| liable.article());
    let of = as_whom.to_vec();
    Err(RefusalReason::NotTheirBreach { breach, of }.under(article))
}

/// A department is ordered by the authority of its own level, which does not judge itself; R39, R40. `own_case` is whether the department is that
/// authority.
///
/// # Errors
/// [`RefusalReason::NotTheSupervisor`] under `article`.
pub fn check_orders_department<Place: PartialEq + Display>(
    orderer: &Place,
    department: &Place,
    own_case: bool,
    article: Article,
) -> Result<(), Refusal> {
    if rule::is_off(Rule::Supervision) || (orderer == department && !own_case) {
        return Ok(());
    }
    Err(not_the_supervisor(orderer, department, article))
}

/// An authority is ordered by the government of its own level, or by an authority above it; never by itself, R41. `above` is whether the first
/// place lies above the second.
///
/// # Errors
/// [`RefusalReason::NotTheSupervisor`]; R41.
pub fn check_orders_authority<Place: PartialEq + Display>(
    orderer: (&Place, Supervisor),
    authority: &Place,
    above: impl Fn(&Place, &Place) -> bool,
) -> Result<(), Refusal> {
    let (place, supervisor) = orderer;
    let entitled = match supervisor {
        Supervisor::Government => place == authority,
        Supervisor::Authority => above(place, authority),
    };
    if entitled || rule::is_off(Rule::Supervision) {
        return Ok(());
    }
    Err(not_the_supervisor(place, authority, Article::R41))
}

/// A notice is circulated by the authority, within its own jurisdiction: at its place and below; R29.
///
/// # Errors
/// [`RefusalReason::NotTheSupervisor`] naming the first place outside; R29.
pub fn check_circulates_to<'a, Place: PartialEq + Display + 'a>(
    authority: &Place,
    to: impl IntoIterator<Item = &'a Place>,
    above: impl Fn(&Place, &Place) -> bool,
) -> Result<(), Refusal> {
    let outside = to
        .into_iter()
        .find(|place| *place != authority && !above(authority, place));
    match outside {
        Some(place) if !rule::is_off(Rule::Supervision) => {
            Err(not_the_supervisor(authority, place, Article::R29))
        }
        Some(_) | None => Ok(()),
    }
}

/// The date of a correction lies ahead, and no further than an order gives time for; R39 to R41. Instants in milliseconds since
/// 1970-01-01T00:00Z.
///
/// # Errors
/// [`RefusalReason::CorrectionDate`] under `article`.
pub fn check_correction_date(
    (now_ms, correct_by_ms): (i64, i64),
    calendar: &Calendar,
    profile: &Profile,
    article: Article,
) -> Result<(), Refusal> {
    let latest = due(Duty::RectifyOrder, now_ms, calendar, profile);
    if !is_overdue(correct_by_ms, now_ms) && correct_by_ms <= latest.ends_ms {
        return Ok(());
    }
    let latest = latest.date.to_string();
    Err(RefusalReason::CorrectionDate { latest }.under(article))
}

/// Discipline is recommended where correction is refused, which a passed date or a rejected report shows, or where circumstances are serious;
/// R39 to R41.
///
/// # Errors
/// [`RefusalReason::NotRefusedYet`] under `article`.
pub fn check_escalation(
    ground: EscalationGround,
    uncorrected: bool,
    article: Article,
) -> Result<(), Refusal> {
    match ground {
        EscalationGround::RefusesToCorrect if !uncorrected => {
            Err(RefusalReason::NotRefusedYet.under(article))
        }
        EscalationGround::RefusesToCorrect | EscalationGround::Serious => Ok(()),
    }
}

/// Who reports a correction: for a department its own people, for an authority its own; R39 to R41.
///
/// # Errors
/// [`RefusalReason::NotYourDepartment`] under the article of the accused.
pub fn check_reports(role: Role, liable: Liable) -> Result<(), Refusal> {
    let theirs = match liable {
        Liable::Provider | Liable::Requester => matches!(
            role,
            Role::Operator | Role::SharingOfficeHead | Role::DepartmentHead
        ),
        Liable::Authority => matches!(role, Role::AuthorityReviewer | Role::AuthorityHead),
    };
    if theirs {
        Ok(())
    } else {
        Err(RefusalReason::NotYourDepartment.under(liable.article()))
    }
}

fn not_the_supervisor(orderer: &impl Display, of: &impl Display, article: Article) -> Refusal {
    RefusalReason::NotTheSupervisor {
        orderer: orderer.to_string(),
        of: of.to_string(),
    }
    .under(article)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::end_of_day_ms;
    use jiff::civil::date;

    fn above(a: &&str, b: &&str) -> bool {
        b.len() > a.len() && b.starts_with(a)
    }

    #[test]
    fn each_item_of_chapter_seven_is_the_breach_of_one_kind_alone() {
        let whose = |article| Liable::of_breach(article);
        assert_eq!(whose(Article::R39_4), Some(Liable::Provider));
        assert_eq!(whose(Article::R40_5), Some(Liable::Requester));
        assert_eq!(whose(Article::R41_3), Some(Liable::Authority));
        for none in [Article::R39, Article::R42, Article::R21, Article::S34] {
            assert_eq!(whose(none), None, "{none} is no item of R39 to R41");
        }
    }

    #[test]
    fn an_item_against_another_kind_is_refused_under_the_article_of_the_accused() {
        assert_eq!(
            check_breach_article(&[Liable::Requester], Article::R40_2),
            Ok(())
        );
        let refused = check_breach_article(&[Liable::Requester], Article::R39_4);
        let reason = RefusalReason::NotTheirBreach {
            breach: Article::R39_4,
            of: vec![Liable::Requester],
        };
        assert_eq!(refused, Err(reason.under(Article::R40)));
        let either = [Liable::Provider, Liable::Requester];
        assert_eq!(check_breach_article(&either, Article::R39_9), Ok(()));
        assert!(check_breach_article(&either, Article::R41_1).is_err());
    }

    #[test]
    fn a_department_answers_to_its_own_level_alone() {
        let check = |orderer, own| check_orders_department(&orderer, &"1/44/06", own, Article::R39);
        assert_eq!(check("1/44/06", false), Ok(()));
        for (orderer, own) in [("1/44/05", false), ("1/44", false), ("1/44/06", true)] {
            assert!(check(orderer, own).is_err(), "{orderer} {own}");
        }
    }

    #[test]
    fn an_authority_answers_to_its_government_or_a_superior_and_never_to_itself() {
        let check = |orderer, who| check_orders_authority((&orderer, who), &"1/44/06", above);
        assert_eq!(check("1/44/06", Supervisor::Government), Ok(()));
        assert_eq!(check("1/44", Supervisor::Authority), Ok(()));
        assert_eq!(check("1", Supervisor::Authority), Ok(()));
        for (orderer, who) in [
            ("1/44/06", Supervisor::Authority),
            ("1/44/05", Supervisor::Authority),
            ("1/44", Supervisor::Government),
        ] {
            let refused = check(orderer, who).map_err(|refusal| refusal.article);
            assert_eq!(refused, Err(Article::R41), "{orderer} {who}");
        }
    }

    #[test]
    fn a_notice_stays_within_the_jurisdiction() {
        let check = |to: &[&'static str]| check_circulates_to(&"1/44", to, above);
        assert_eq!(check(&["1/44", "1/44/06"]), Ok(()));
        assert!(check(&["1/44/06", "1/21"]).is_err() && check(&["1"]).is_err());
    }

    #[test]
    fn a_correction_is_due_ahead_and_within_what_an_order_gives() {
        let (calendar, national) = (Calendar::national(), Profile::national());
        let now = end_of_day_ms(date(2026, 3, 2)) - 1;
        let check = |by| check_correction_date((now, by), &calendar, &national, Article::R39);
        let latest = due(Duty::RectifyOrder, now, &calendar, &national).ends_ms;
        assert_eq!([check(now + 1), check(latest)], [Ok(()), Ok(())]);
        assert!(check(now).is_err() && check(latest + 1).is_err() && check(i64::MAX).is_err());
    }

    #[test]
    fn refusal_to_correct_must_have_shown() {
        let check = |ground, shown| check_escalation(ground, shown, Article::R40);
        assert!(check(EscalationGround::RefusesToCorrect, false).is_err());
        assert_eq!(check(EscalationGround::RefusesToCorrect, true), Ok(()));
        assert_eq!(check(EscalationGround::Serious, false), Ok(()));
    }
}
