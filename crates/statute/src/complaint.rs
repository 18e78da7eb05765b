//! Complaints (投诉、举报): any citizen, legal person or other organisation complains of an infringement in the sharing of government data, and
//! whoever receives it deals with it in time. R37.
//!
//! R37 sets no time limit: [`crate::Duty::AnswerComplaint`] runs only where a local profile sets one.

use crate::article::Article;
use crate::completeness::{RequiredField, none_missing};
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// What a complaint states.
    pub enum ComplaintField {
        /// Whom it is about (被投诉、举报的单位).
        About = "about", "被投诉、举报的单位", "whom it is about";
        /// What happened (事实).
        What = "what", "投诉、举报的事实", "what happened";
    }
}

/// A complaint says whom it is about and what happened; nobody has to say who they are. What it says is personal and is not looked at here, only
/// that it is said.
///
/// # Errors
/// [`RefusalReason::MissingField`] with all that is missing, R37.
pub fn check_complaint_stated(about: bool, what: bool) -> Result<(), Refusal> {
    let stated = [(ComplaintField::About, about), (ComplaintField::What, what)];
    let missing = stated
        .into_iter()
        .filter(|(_, said)| !said)
        .map(|(field, _)| RequiredField::Complaint(field));
    none_missing(missing.collect(), Article::R37)
}

/// The answer says what came of it.
///
/// # Errors
/// [`RefusalReason::ReasonsRequired`], R37.
pub fn check_complaint_answer(text: &str) -> Result<(), Refusal> {
    if rule::is_off(Rule::Complaint) || !text.trim().is_empty() {
        return Ok(());
    }
    Err(RefusalReason::ReasonsRequired.under(Article::R37))
}

/// An authority that is complained of does not deal with that complaint itself: it passes it on to its government or a superior. So it is with
/// disputes (R28) and with its own defaults (R41).
///
/// # Errors
/// [`RefusalReason::AuthorityIsParty`], R37.
pub fn check_deals_with_complaint(of_itself: bool, authority: &str) -> Result<(), Refusal> {
    if of_itself && !rule::is_off(Rule::Complaint) {
        let authority = authority.to_owned();
        return Err(RefusalReason::AuthorityIsParty { authority }.under(Article::R37));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_names_everything_it_lacks_at_once_and_nobodys_name() {
        assert_eq!(check_complaint_stated(true, true), Ok(()));
        let fields = ComplaintField::ALL
            .iter()
            .copied()
            .map(RequiredField::Complaint)
            .collect();
        let all = RefusalReason::MissingField { fields }.under(Article::R37);
        assert_eq!(check_complaint_stated(false, false), Err(all));
    }

    #[test]
    fn an_answer_says_something_and_an_authority_does_not_deal_with_a_complaint_of_itself() {
        let bare = RefusalReason::ReasonsRequired.under(Article::R37);
        assert_eq!(check_complaint_answer(" "), Err(bare));
        assert_eq!(check_complaint_answer("已责令改正"), Ok(()));
        let party = check_deals_with_complaint(true, "440106").map_err(|it| it.article);
        assert_eq!(party, Err(Article::R37));
        assert_eq!(check_deals_with_complaint(false, "440106"), Ok(()));
    }
}
