//! Local profiles of law (地方规则): what a locality's own rules add to the Regulation. A profile tightens, never
//! loosens: the stricter of two time limits wins, and one that loosens is refused when it is loaded.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::article::Article;
use crate::deadline::WorkingDays;
use crate::duty::Duty;
use crate::refusal::{Refusal, RefusalReason};
use crate::term::terms;

const NATIONAL: &str = include_str!("../../../topology/profiles/national.toml");
const SHENYANG: &str = include_str!("../../../topology/profiles/shenyang.toml");

/// Longest profile file, in bytes. Shenyang's has about 1 KB.
pub const MAX_PROFILE_BYTES: usize = 16 * 1024;

/// Longest name or id of a profile, in characters.
pub const MAX_PROFILE_NAME_CHARS: usize = 60;

/// A locality's rules on top of the Regulation.
///
/// Invariant: no time limit here is longer than the Regulation's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    id: String,
    name_zh: String,
    name_en: String,
    duties: BTreeMap<Duty, LocalDuty>,
    straight_from_platform: Option<Article>,
    refusal_cites_law: Option<Article>,
}

/// Why a profile file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Too long to be a profile.
    #[error("the profile has {found} bytes, more than the {MAX_PROFILE_BYTES} allowed")]
    TooLarge {
        /// Its length in bytes.
        found: usize,
    },
    /// Not of the expected form; an unknown key is named.
    #[error("the profile cannot be read: {0}")]
    Syntax(String),
    /// An id or name that is empty or too long.
    #[error("an id or name of a profile has 1 to {MAX_PROFILE_NAME_CHARS} characters")]
    Name,
    /// A duty listed twice.
    #[error("profile {profile:?} lists the duty {duty} twice")]
    Twice {
        /// Id of the profile.
        profile: String,
        /// The duty.
        duty: Duty,
    },
    /// It loosens what the Regulation sets: [`RefusalReason::ProfileLoosens`].
    #[error("{0}")]
    Loosens(Refusal),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalDuty {
    duty: Duty,
    working_days: WorkingDays,
    article: Article,
    breach: Article,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    id: String,
    name_zh: String,
    name_en: String,
    #[serde(default)]
    duty: Vec<LocalDuty>,
    straight_from_platform: Option<LocalRule>,
    refusal_cites_law: Option<LocalRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalRule {
    article: Article,
}

impl Profile {
    /// Reads a profile file.
    ///
    /// # Errors
    /// [`ProfileError`], which names the key or the duty that is wrong.
    pub fn parse(text: &str) -> Result<Profile, ProfileError> {
        if text.len() > MAX_PROFILE_BYTES {
            return Err(ProfileError::TooLarge { found: text.len() });
        }
        let file: ProfileFile =
            toml::from_str(text).map_err(|error| ProfileError::Syntax(error.to_string()))?;
        for name in [&file.id, &file.name_zh, &file.name_en] {
            if name.trim().is_empty() || name.chars().count() > MAX_PROFILE_NAME_CHARS {
                return Err(ProfileError::Name);
            }
        }
        let mut duties = BTreeMap::new();
        for local in file.duty {
            check_tightens(&file.id, &local).map_err(ProfileError::Loosens)?;
            if duties.insert(local.duty, local).is_some() {
                return Err(ProfileError::Twice {
                    profile: file.id,
                    duty: local.duty,
                });
            }
        }
        Ok(Profile {
            id: file.id,
            name_zh: file.name_zh,
            name_en: file.name_en,
            duties,
            straight_from_platform: file.straight_from_platform.map(|rule| rule.article),
            refusal_cites_law: file.refusal_cites_law.map(|rule| rule.article),
        })
    }

    /// The Regulation alone.
    ///
    /// # Panics
    /// Never: the file is part of the program and a test reads it.
    #[must_use]
    pub fn national() -> Profile {
        Profile::parse(NATIONAL).expect("the national profile is part of the program")
    }

    /// Shenyang's rules (沈阳市政务数据资源共享开放条例).
    ///
    /// # Panics
    /// Never: the file is part of the program and a test reads it.
    #[must_use]
    pub fn shenyang() -> Profile {
        Profile::parse(SHENYANG).expect("Shenyang's profile is part of the program")
    }

    /// Its id, as topology and configuration files name it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its Chinese name.
    #[must_use]
    pub fn name_zh(&self) -> &str {
        &self.name_zh
    }

    /// Its English name.
    #[must_use]
    pub fn name_en(&self) -> &str {
        &self.name_en
    }

    /// The time limit that holds here: the stricter of the Regulation's and the locality's.
    #[must_use]
    pub fn working_days(&self, duty: Duty) -> WorkingDays {
        let national = duty.working_days();
        self.duties
            .get(&duty)
            .map_or(national, |local| local.working_days.min(national))
    }

    /// The article that sets the time limit that holds here.
    #[must_use]
    pub fn article(&self, duty: Duty) -> Article {
        self.duties
            .get(&duty)
            .map_or(duty.article(), |local| local.article)
    }

    /// The articles that a default breaches here: the Regulation's first, then the locality's own.
    #[must_use]
    pub fn breaches(&self, duty: Duty) -> Vec<Article> {
        let local = self.duties.get(&duty).map(|local| local.breach);
        let local = local.filter(|article| *article != duty.breach());
        std::iter::once(duty.breach()).chain(local).collect()
    }

    /// The article under which data shared unconditionally is taken straight from the platform, without an application;
    /// none where an application is needed. Shenyang S20.
    #[must_use]
    pub const fn straight_from_platform(&self) -> Option<Article> {
        self.straight_from_platform
    }

    /// A refusal cites what the locality wants it to cite. Shenyang S20 asks for a law, regulation or rule; a rule
    /// (规章) stands only beside a law or regulation, since R14 and R15 let no rule alone keep data from being shared.
    ///
    /// # Errors
    /// [`RefusalReason::CitationRequired`] under the local article.
    pub fn check_refusal_cites_law(&self, cited: &[Citation]) -> Result<(), Refusal> {
        let Some(article) = self.refusal_cites_law else {
            return Ok(());
        };
        let suffices = |citation: &Citation| {
            !citation.provision.trim().is_empty() && citation.instrument != CitedInstrument::Rule
        };
        if cited.iter().any(suffices) {
            Ok(())
        } else {
            Err(RefusalReason::CitationRequired.under(article))
        }
    }
}

/// A time limit of a profile is no longer than the Regulation's.
fn check_tightens(profile: &str, local: &LocalDuty) -> Result<(), Refusal> {
    let national = local.duty.working_days();
    if local.working_days > national {
        return Err(RefusalReason::ProfileLoosens {
            profile: profile.to_owned(),
            duty: local.duty,
            local: local.working_days.get(),
            national: national.get(),
        }
        .under(local.duty.article()));
    }
    Ok(())
}

terms! {
    /// Instrument that a refusal cites (拒绝依据), Shenyang S20.
    pub enum CitedInstrument {
        /// Law (法律).
        Law = "law", "法律", "law";
        /// Regulation, administrative or local (法规).
        Regulation = "regulation", "法规", "regulation";
        /// Rule of a ministry or local government (规章).
        Rule = "rule", "规章", "rule";
    }
}

/// Provision that a refusal cites.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// Kind of instrument.
    pub instrument: CitedInstrument,
    /// Title and article.
    pub provision: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Calendar, end_of_day_ms};
    use crate::duty::due;
    use jiff::civil::date;

    const HEAD: &str = "id = \"x\"\nname_zh = \"某市\"\nname_en = \"X\"\n";

    fn with_duty(duty: &str, days: u16) -> Result<Profile, ProfileError> {
        Profile::parse(&format!(
            "{HEAD}[[duty]]\nduty = \"{duty}\"\nworking_days = {days}\narticle = \"S20\"\nbreach = \"S34\"\n"
        ))
    }

    #[test]
    fn the_national_profile_is_the_regulation() {
        let national = Profile::national();
        for duty in Duty::ALL {
            assert_eq!(national.working_days(*duty), duty.working_days());
            assert_eq!(national.article(*duty), duty.article());
            assert_eq!(national.breaches(*duty), [duty.breach()]);
        }
        assert_eq!(national.straight_from_platform(), None);
        assert_eq!(national.check_refusal_cites_law(&[]), Ok(()));
    }

    #[test]
    fn in_shenyang_a_conditional_reply_is_due_in_five_working_days() {
        let shenyang = Profile::shenyang();
        let received_ms = end_of_day_ms(date(2026, 3, 2)) - 1;
        let due = due(
            Duty::ReplyConditional,
            received_ms,
            &Calendar::national(),
            &shenyang,
        );
        assert_eq!(due.date, date(2026, 3, 9));
        assert!(
            due.basis_zh()
                .concat()
                .contains("《沈阳市政务数据资源共享开放条例》第二十条")
        );
        assert_eq!(
            shenyang.breaches(Duty::ReplyConditional).first(),
            Some(&Article::R39_4)
        );
        assert_eq!(shenyang.working_days(Duty::Provide).get(), 20);
        assert_eq!(shenyang.straight_from_platform(), Some(Article::S20));
    }

    #[test]
    fn in_shenyang_a_refusal_cites_law_or_regulation_and_not_a_rule_alone() {
        let shenyang = Profile::shenyang();
        let cite = |instrument, provision: &str| Citation {
            instrument,
            provision: provision.into(),
        };
        let rule = cite(CitedInstrument::Rule, "某部规章第三条");
        let regulation = cite(CitedInstrument::Regulation, "《政务数据共享条例》第十五条");
        let refused = Err(RefusalReason::CitationRequired.under(Article::S20));
        assert_eq!(shenyang.check_refusal_cites_law(&[]), refused);
        assert_eq!(
            shenyang.check_refusal_cites_law(std::slice::from_ref(&rule)),
            refused
        );
        assert_eq!(
            shenyang.check_refusal_cites_law(&[cite(CitedInstrument::Law, " ")]),
            refused
        );
        assert_eq!(
            shenyang.check_refusal_cites_law(&[rule, regulation]),
            Ok(())
        );
    }

    #[test]
    fn a_profile_that_loosens_a_deadline_is_refused_by_name() {
        for duty in Duty::ALL {
            let national = duty.working_days().get();
            assert!(with_duty(duty.id(), national).is_ok());
            let reason = RefusalReason::ProfileLoosens {
                profile: "x".into(),
                duty: *duty,
                local: national + 1,
                national,
            };
            let expected = Err(ProfileError::Loosens(reason.under(duty.article())));
            assert_eq!(with_duty(duty.id(), national + 1), expected);
        }
    }

    #[test]
    fn an_unknown_key_article_or_duty_is_named() {
        let message = |text: &str| {
            Profile::parse(text)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default()
        };
        assert!(message(&format!("{HEAD}working_day = 3\n")).contains("working_day"));
        assert!(
            message(&format!(
                "{HEAD}[straight_from_platform]\narticle = \"R99\"\n"
            ))
            .contains("99")
        );
        let unknown = with_duty("reply-someday", 1)
            .err()
            .map(|error| error.to_string());
        assert!(unknown.is_some_and(|message| message.contains("reply-someday")));
        assert!(with_duty("provide", 0).is_err());
    }

    #[test]
    fn a_duty_listed_twice_is_refused() {
        let one =
            "[[duty]]\nduty = \"provide\"\nworking_days = 9\narticle = \"S20\"\nbreach = \"S34\"\n";
        let twice = Profile::parse(&format!("{HEAD}{one}{one}"));
        assert_eq!(
            twice,
            Err(ProfileError::Twice {
                profile: "x".into(),
                duty: Duty::Provide
            })
        );
    }
}
