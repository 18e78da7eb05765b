//! What the clock of whoever holds a copy found, in the words of operators.

use sharing::clock::bounds::{Doubt, DoubtedTime, HomeStanding, Outcome, OwnLapse};

use super::clock::debtor;
use super::labels;
use crate::language::Language;

/// That a duty was found overdue by the clock here.
pub const SEEN: (&str, &str) = ("逾期（本节点所见）", "overdue as this node sees it");

/// One line of what was found overdue here: which duty, by when, whose, how the home stood, and what it made of it.
pub fn lapse(lapse: &OwnLapse, language: Language) -> Vec<String> {
    let pick = |zh, en| language.pick(zh, en);
    let outcome = match &lapse.outcome {
        Some(outcome) => self::outcome(outcome, language),
        None => standing(lapse.home, language),
    };
    vec![
        pick(SEEN.0, SEEN.1).to_owned(),
        pick(lapse.duty.zh(), lapse.duty.en()).to_owned(),
        labels::cite(lapse.article, language),
        debtor(&lapse.who, language),
        labels::due(lapse.term.due),
        labels::time(lapse.at),
        outcome,
    ]
}

fn standing(home: HomeStanding, language: Language) -> String {
    match home {
        HomeStanding::Unreachable => language
            .pick("主办节点失联", "its home cannot be reached")
            .into(),
        HomeStanding::Silent => language
            .pick("主办节点无消息", "its home says nothing")
            .into(),
        HomeStanding::Contradicts { their_clock } => format!(
            "{} {}",
            language.pick("主办节点时钟不符，为", "its home's clock shows"),
            labels::time(their_clock)
        ),
    }
}

fn outcome(outcome: &Outcome, language: Language) -> String {
    let pick = |zh, en| language.pick(zh, en);
    match outcome {
        Outcome::Agreed { at, .. } => format!(
            "{} {}",
            pick("主办节点亦记逾期", "its home recorded it too"),
            labels::time(*at)
        ),
        Outcome::DoneLate { at, .. } => {
            format!("{} {}", pick("逾期后办理", "done late"), labels::time(*at))
        }
        Outcome::Claimed { at, received, .. } => format!(
            "{} {}{} {}",
            pick("答复时间存疑：称", "time in doubt: in time, it says, at"),
            labels::time(*at),
            pick("，收到", ", came"),
            labels::time(*received)
        ),
        Outcome::BorneOut { at, cosigned, by } => format!(
            "{} {}{} {} {}",
            pick("按期办理", "done in time"),
            labels::time(*at),
            pick("，联署", ", cosigned"),
            by.code(),
            labels::time(*cosigned)
        ),
        Outcome::Moved { due, .. } => format!(
            "{} {}",
            pick("期限重新计算", "time limit computed again"),
            labels::due(*due)
        ),
    }
}

/// One line of an event whose time is in doubt: which, both times, why, and who else had it.
pub fn doubted(doubted: &DoubtedTime, language: Language) -> Vec<String> {
    let pick = |zh, en| language.pick(zh, en);
    let why: Vec<&str> = doubted.doubts.iter().map(|it| why(it, language)).collect();
    let standing = match &doubted.borne_out {
        Some(shown) => format!(
            "{} {} {}",
            pick("联署", "cosigned by"),
            shown.by.code(),
            labels::time(shown.cosigned)
        ),
        None if doubted.is_disputed() => {
            pick("可提出异议（第二十八条）", "may be disputed (R28)").into()
        }
        None => String::new(),
    };
    vec![
        pick("时间存疑", "time in doubt").to_owned(),
        format!("#{}", doubted.sequence),
        format!(
            "{} {}",
            pick("主办节点所记", "dated"),
            labels::time(doubted.claimed)
        ),
        format!(
            "{} {}",
            pick("收到", "came"),
            labels::time(doubted.received)
        ),
        why.join(pick("；", "; ")),
        standing,
    ]
}

fn why(doubt: &Doubt, language: Language) -> &'static str {
    let (zh, en) = match doubt {
        Doubt::FromTheFuture { .. } => ("晚于本节点时钟", "ahead of the clock here"),
        Doubt::BeforeThePrevious { .. } => ("早于前一事项", "before the event it follows"),
        Doubt::BeforeItsCheckpoint { .. } => (
            "早于其所依检查点",
            "before a checkpoint that it comes after",
        ),
        Doubt::SignedLater { .. } => ("早于人员签署时间", "before the person signed"),
        Doubt::ClaimedInTime { .. } => (
            "称按期，期限过后才收到",
            "says it was in time, and came after the end",
        ),
    };
    language.pick(zh, en)
}

#[cfg(test)]
mod tests {
    use identity::Moment;
    use sharing::clock::Debtor;
    use sharing::clock::Term;
    use statute::Duty;

    use super::*;

    #[test]
    fn a_doubted_answer_is_shown_with_both_times() {
        let (due, day) = (Moment::from_millis(1_774_281_600_000), 1);
        let claim = DoubtedTime {
            sequence: 4,
            claimed: due.plus_days(-day),
            received: due.plus_days(day),
            doubts: vec![Doubt::ClaimedInTime {
                duty: Duty::ReplyConditional,
                arises: due.plus_days(-14),
                due,
            }],
            borne_out: None,
        };
        let shown = doubted(&claim, Language::Chinese).join(" ");
        for text in [
            labels::time(claim.claimed),
            labels::time(claim.received),
            "第二十八条".into(),
        ] {
            assert!(shown.contains(&text), "{shown}");
        }
        let found = OwnLapse {
            duty: Duty::ReplyConditional,
            article: Duty::ReplyConditional.article(),
            term: Term::fixed(due.plus_days(-14), due),
            who: Debtor::Authority(identity::Path::hub()),
            home: HomeStanding::Silent,
            at: due.plus_days(day),
            outcome: Some(Outcome::Claimed {
                sequence: 4,
                at: claim.claimed,
                received: claim.received,
            }),
        };
        let shown = lapse(&found, Language::English).join(" ");
        assert!(shown.contains(&labels::time(claim.claimed)), "{shown}");
        assert!(shown.contains(&labels::time(claim.received)), "{shown}");
    }
}
