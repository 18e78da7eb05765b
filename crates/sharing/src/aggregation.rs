//! Aggregation (汇聚、关联): what one department could join from all that it was granted, and whether that is a risk. R25.
//!
//! Entries that share an identifier can be joined, and so can what can be joined with those. A rule is hit by the items of such a whole, unless one
//! entry alone holds all of them. It is assessed at the requester's node when an application is drafted and again when its head consents; a grave
//! risk goes out only with the consent of the authority of that level, and the provider sees both before it answers.

use std::collections::BTreeSet;

use identity::{CreditCode, Digest, Domain, Moment, codec};
use serde::{Deserialize, Serialize};
use statute::{
    ActKind, AggregationLevel, AggregationRules, Article, Refusal, RefusalReason, beijing_date,
};

use crate::act::{ActBody, Deed, SignedAct, VerifiedAct, at_most};
use crate::application::{Application, ApplicationState};
use crate::catalogue::EntryId;
use crate::docket::DocketId;

/// Most entries listed in one exposure; all are weighed.
pub const MAX_JOINED_LISTED: usize = 32;

/// An entry that a department holds or asks for, with the items that matter here: identifiers and what a rule names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holding {
    /// The entry.
    pub entry: EntryId,
    /// Items, by name.
    pub items: Vec<String>,
    /// The application under which it is held, or by which it is asked for.
    pub docket: DocketId,
}

/// A rule that is hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHit {
    /// Its name.
    pub name: String,
    /// Its article.
    pub article: Article,
    /// Its weight.
    pub weight: u16,
}

/// What could be joined (汇聚风险评估).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// Whose.
    pub department: CreditCode,
    /// The entries that can be joined with each other, at most [`MAX_JOINED_LISTED`].
    pub entries: Vec<Holding>,
    /// Entries beyond those listed.
    pub left_out: u32,
    /// The identifiers over which.
    pub keys: Vec<String>,
    /// The rules hit.
    pub hits: Vec<RuleHit>,
    /// The sum of their weights.
    pub score: u32,
    /// What follows.
    pub level: AggregationLevel,
}

/// An exposure as an application carries it to the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// As the requester's node computed it.
    pub exposure: Exposure,
    /// The consent of the authority of the requester's level, where it is required.
    pub consent: Option<SignedAct>,
}

/// What the authority says of a risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AggregationAct {
    /// The drafted application.
    pub draft: DocketId,
    /// The very exposure that is answered on.
    pub exposure: Digest,
    /// Whether it may go out.
    pub consents: bool,
    /// Why.
    pub grounds: String,
}

impl Deed for AggregationAct {
    fn kind(&self) -> ActKind {
        ActKind::AnswerAggregation
    }

    fn docket(&self) -> Option<DocketId> {
        // A draft is no docket yet.
        None
    }

    fn texts(&self) -> Vec<&str> {
        vec![&self.grounds]
    }
}

impl Exposure {
    /// The digest by which it is answered on.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Body, &codec::encode(self))
    }

    /// Whether anybody is told of it.
    pub fn matters(&self) -> bool {
        match self.level {
            AggregationLevel::Ordinary => false,
            AggregationLevel::Warned | AggregationLevel::ConsentRequired => true,
        }
    }
}

/// What is asked for, as a holding.
pub fn wanted(docket: DocketId, application: &Application) -> Holding {
    Holding {
        entry: application.entry.clone(),
        items: application.items.clone(),
        docket,
    }
}

/// What is held under a grant that is in force or may still be used; none else.
pub fn held(state: &ApplicationState, now: Moment) -> Option<Holding> {
    let terms = state.phase.terms()?;
    let runs = beijing_date(now.as_millis()) <= beijing_date(terms.until.as_millis());
    (runs && !state.standing.access.is_over()).then(|| Holding {
        entry: state.entry.entry.id.clone(),
        items: terms.items.clone(),
        docket: state.docket,
    })
}

/// What a department could join with one holding.
pub fn exposure(
    department: CreditCode,
    with: &Holding,
    held: &[Holding],
    rules: &AggregationRules,
) -> Exposure {
    let mut keys = keys_of(with, rules);
    let mut joined: BTreeSet<&Holding> = BTreeSet::from([with]);
    // As many rounds as there are keys: each adds one or is the last.
    loop {
        let before = keys.len();
        for holding in held {
            let own = keys_of(holding, rules);
            if !own.is_disjoint(&keys) {
                keys.extend(own);
                joined.insert(holding);
            }
        }
        if keys.len() == before {
            break;
        }
    }
    let hits: Vec<RuleHit> = rules
        .rule
        .iter()
        .filter(|rule| {
            let all_in = |holdings: &[&Holding]| {
                rule.items.iter().all(|class| {
                    let mut items = holdings.iter().flat_map(|it| &it.items);
                    items.any(|item| class.holds(item))
                })
            };
            let together: Vec<&Holding> = joined.iter().copied().collect();
            all_in(&together) && !joined.iter().any(|it| all_in(&[it]))
        })
        .map(|rule| RuleHit {
            name: rule.name.clone(),
            article: rule.article,
            weight: rule.weight,
        })
        .collect();
    let score = hits.iter().map(|hit| u32::from(hit.weight)).sum();
    let left_out = joined.len().saturating_sub(MAX_JOINED_LISTED);
    Exposure {
        department,
        entries: joined
            .into_iter()
            .take(MAX_JOINED_LISTED)
            .map(|it| telling(it, rules))
            .collect(),
        left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        hits,
        score,
        level: rules.level(score),
    }
}

/// What a department could join from all that it holds: one exposure for each whole of entries that can be joined.
pub fn exposures(
    department: CreditCode,
    held: &[Holding],
    rules: &AggregationRules,
) -> Vec<Exposure> {
    let mut seen: BTreeSet<DocketId> = BTreeSet::new();
    let mut found = Vec::new();
    for holding in held {
        if seen.contains(&holding.docket) {
            continue;
        }
        let exposure = exposure(department, holding, held, rules);
        seen.extend(exposure.entries.iter().map(|it| it.docket));
        if exposure.entries.len() > 1 {
            found.push(exposure);
        }
    }
    found
}

fn keys_of<'a>(holding: &Holding, rules: &'a AggregationRules) -> BTreeSet<&'a str> {
    let holds = |key: &&statute::ItemClass| holding.items.iter().any(|item| key.holds(item));
    let keys = rules.keys.iter().filter(holds);
    keys.map(statute::ItemClass::as_str).collect()
}

/// The items that tell anything here.
fn telling(holding: &Holding, rules: &AggregationRules) -> Holding {
    let named = |item: &String| {
        let classes = rules.rule.iter().flat_map(|rule| &rule.items);
        rules.keys.iter().chain(classes).any(|it| it.holds(item))
    };
    let items = holding.items.iter().filter(|item| named(item));
    Holding {
        items: items.cloned().collect(),
        ..holding.clone()
    }
}

/// R25: whether this act of the authority lets this exposure go out.
pub fn consents(act: &SignedAct, draft: DocketId, exposure: &Exposure) -> bool {
    matches!(
        act.body(),
        Some(ActBody::Aggregation(said))
            if said.consents && said.draft == draft && said.exposure == exposure.digest()
    )
}

/// R25: the authority answers on the risk as it is computed now, and says why it refuses.
///
/// # Errors
/// `WrongState` for another exposure, `ReasonsRequired`; R25.
pub fn may_answer(said: &AggregationAct, exposure: &Exposure) -> Result<(), Refusal> {
    if said.exposure != exposure.digest() {
        return Err(RefusalReason::WrongState {
            expected: "the risk as computed now".into(),
            found: "another risk".into(),
        }
        .under(Article::R25));
    }
    if !said.consents && said.grounds.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::R25));
    }
    Ok(())
}

/// R25: what arrives with an application is about its requester, and a grave risk has the consent of its authority.
///
/// # Errors
/// `NotYourDepartment`, `TooLong`, `AggregationConsentRequired`; R25.
pub fn check_risk(
    risk: &Risk,
    consent: Option<&VerifiedAct>,
    draft: DocketId,
    requester: CreditCode,
) -> Result<(), Refusal> {
    let exposure = &risk.exposure;
    if exposure.department != requester {
        return Err(RefusalReason::NotYourDepartment.under(Article::R25));
    }
    at_most(exposure.entries.len(), MAX_JOINED_LISTED, Article::R25)?;
    let consented = consent.is_some_and(|act| consents(act.signed(), draft, exposure));
    statute::check_aggregation(exposure.level, exposure.score, consented)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cast;
    use statute::Profile;

    fn holding(number: u8, items: &[&str]) -> Holding {
        Holding {
            entry: format!("e/{number}").parse().unwrap(),
            items: items.iter().map(|it| (*it).to_owned()).collect(),
            docket: DocketId(Digest::object(&[number])),
        }
    }

    fn weigh(with: &Holding, held: &[Holding]) -> Exposure {
        let rules = Profile::national().aggregation();
        exposure(cast::requester().code, with, held, &rules)
    }

    #[test]
    fn what_is_joined_over_two_steps_is_one_whole() {
        let wanted = holding(1, &["公民身份号码", "家庭住址"]);
        let held = [
            holding(2, &["公民身份号码", "手机号"]),
            holding(3, &["手机号", "姓名", "纳税额"]),
            holding(4, &["姓名", "健康状况"]),
        ];
        let found = weigh(&wanted, &held);
        assert_eq!(found.entries.len(), 3, "the fourth has no key");
        let hit: Vec<&str> = found.hits.iter().map(|hit| hit.name.as_str()).collect();
        assert_eq!(hit, ["个人身份、住址与收入"]);
        assert_eq!((found.score, found.level), (40, AggregationLevel::Warned));
    }

    #[test]
    fn what_one_entry_holds_by_itself_is_no_aggregation() {
        let wanted = holding(1, &["公民身份号码", "姓名", "家庭住址", "工资"]);
        let found = weigh(&wanted, &[holding(2, &["公民身份号码", "姓名"])]);
        assert_eq!((found.entries.len(), found.score), (2, 0));
        assert!(!found.matters());
    }

    #[test]
    fn two_rules_hit_together_need_consent_to_this_very_exposure() {
        let wanted = holding(1, &["公民身份号码", "家庭住址", "病史"]);
        let held = [holding(2, &["公民身份号码", "姓名", "工资"])];
        let found = weigh(&wanted, &held);
        assert_eq!(
            (found.score, found.level),
            (90, AggregationLevel::ConsentRequired)
        );
        let said = |exposure, consents, grounds: &str| AggregationAct {
            draft: wanted.docket,
            exposure,
            consents,
            grounds: grounds.into(),
        };
        assert_eq!(may_answer(&said(found.digest(), true, ""), &found), Ok(()));
        assert!(may_answer(&said(found.digest(), false, " "), &found).is_err());
        let other = weigh(&wanted, &[]).digest();
        assert!(may_answer(&said(other, true, ""), &found).is_err());
    }
}
