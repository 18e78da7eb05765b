//! Every kind of rule: that it holds, and that loosening it is refused.

use super::*;
use crate::calendar::{Calendar, end_of_day_ms};
use crate::duty::{Extension, check_reply_extension, due, extend};
use jiff::civil::date;

const HEAD: &str = "id = \"x\"\nversion = \"1\"\nname_zh = \"某市\"\nname_en = \"X\"\n";

fn parse(rules: &str) -> Result<Profile, ProfileError> {
    Profile::parse(&format!("{HEAD}{rules}"))
}

fn duty(duty: Duty, days: u16, article: &str) -> String {
    format!(
        "[[duty]]\nduty = \"{duty}\"\nworking_days = {days}\narticle = \"{article}\"\nbreach = \"S34\"\n"
    )
}

fn encode(profile: &impl Serialize) -> Vec<u8> {
    bincode::serde::encode_to_vec(profile, bincode::config::standard()).unwrap()
}

fn decode(bytes: &[u8]) -> Result<Profile, String> {
    bincode::serde::decode_from_slice(bytes, bincode::config::standard())
        .map(|(profile, _)| profile)
        .map_err(|error| error.to_string())
}

/// A rule that does not loosen, the same rule loosened, and the refusal of that.
fn loosened() -> Vec<(String, String, Loosening, Article, Article)> {
    let limits = Duty::ALL.iter().map(|limited| {
        let national = limited.working_days();
        let local = WorkingDays::set_by_law(national.get() + 1);
        (
            duty(*limited, national.get(), "S20"),
            duty(*limited, local.get(), "S20"),
            Loosening::TimeLimit {
                duty: *limited,
                local,
                national,
            },
            Article::S20,
            limited.article(),
        )
    });
    let kept = |years: u16| format!("[retention]\nyears = {years}\narticle = \"S23\"\n");
    let retention = [0, 2].map(|local| {
        let national = RetentionYears::MIN;
        (
            kept(3),
            kept(local),
            Loosening::Retention { local, national },
            Article::S23,
            Article::R29,
        )
    });
    let coordinates = |disputes: CoordinatedDisputes| {
        format!("[disputes]\ncoordinates = \"{disputes}\"\narticle = \"S21\"\n")
    };
    let disputes = (
        coordinates(CoordinatedDisputes::AsCommonSuperior),
        coordinates(CoordinatedDisputes::Every),
        Loosening::Disputes {
            local: CoordinatedDisputes::Every,
            national: CoordinatedDisputes::AsCommonSuperior,
        },
        Article::S21,
        Article::R28,
    );
    let threshold =
        |consent: u16| format!("[aggregation]\nkeys = [\"税号\"]\nwarn = 1\nconsent = {consent}\n");
    let national = Profile::national().aggregation().consent;
    let aggregation = (
        threshold(national),
        threshold(national + 1),
        Loosening::Aggregation {
            local: national + 1,
            national,
        },
        Article::R25,
        Article::R25,
    );
    let others = [disputes, aggregation];
    limits.chain(retention).chain(others).collect()
}

#[test]
fn a_profile_that_loosens_is_refused_with_both_articles_and_both_values() {
    let table = loosened();
    assert_eq!(table.len(), Duty::ALL.len() + 4);
    for (as_the_law, looser, loosening, own, national) in table {
        assert!(parse(&as_the_law).is_ok(), "{as_the_law}");
        let reason = RefusalReason::ProfileLoosens {
            profile: "x".into(),
            article: own,
            loosening,
        };
        let refusal = reason.under(national);
        let refused = parse(&looser);
        assert_eq!(refused, Err(ProfileError::Loosens(refusal.clone())));
        let error = refused.unwrap_err();
        assert!(error.to_string().contains(&own.short()), "{error}");
        assert!(error.to_string().contains(&national.short()), "{error}");
        assert!(error.zh().contains(&own.cite_zh()), "{}", error.zh());
        assert!(error.zh().contains(&national.cite_zh()), "{}", error.zh());
        let values = match loosening {
            Loosening::TimeLimit {
                local, national, ..
            } => [local.to_string(), national.to_string()],
            Loosening::Retention { local, national } => {
                [local.to_string(), national.get().to_string()]
            }
            Loosening::Aggregation { local, national } => [local.to_string(), national.to_string()],
            Loosening::Disputes { .. } => ["一切争议".into(), "共同的上级".into()],
        };
        for value in values {
            assert!(error.zh().contains(&value), "{value}: {}", error.zh());
        }
        assert!(!refusal.what_to_do_zh().is_empty());
    }
}

#[test]
fn a_profile_that_loosens_is_refused_when_it_is_decoded_too() {
    for (as_the_law, looser, ..) in loosened() {
        let form = |rules: &str| -> form::ProfileForm {
            toml::from_str(&format!("{HEAD}{rules}")).expect("a form is not yet checked")
        };
        let lawful = decode(&encode(&form(&as_the_law)));
        assert_eq!(lawful, Ok(parse(&as_the_law).unwrap()));
        let refused = decode(&encode(&form(&looser))).unwrap_err();
        let on_loading = format!("{:?}", parse(&looser).unwrap_err().to_string());
        assert!(refused.contains(&on_loading), "{refused}");
    }
}

#[test]
fn a_profile_decodes_as_it_was_encoded_and_is_small() {
    let duties: String = Duty::ALL
        .iter()
        .map(|limited| {
            format!(
                "[[duty]]\nduty = \"{limited}\"\nworking_days = 1\narticle = \"S34(8)\"\nbreach = \"CC1260\"\n"
            )
        })
        .collect();
    let ids = |ids: Vec<&str>| format!("{ids:?}");
    let base = ids(BaseCollection::ALL.iter().map(|base| base.id()).collect());
    let themes = ids(ThemeCollection::ALL
        .iter()
        .map(|theme| theme.id())
        .collect());
    let (stamp, name) = (
        "x".repeat(MAX_PROFILE_STAMP_CHARS),
        "𠮷".repeat(MAX_PROFILE_NAME_CHARS),
    );
    let rules: String = [
        "straight_from_platform",
        "refusal_cites_law",
        "opening",
        "evaluation_published",
    ]
    .iter()
    .map(|key| format!("[{key}]\narticle = \"CC1260\"\n"))
    .collect();
    let largest = Profile::parse(&format!(
        "id = \"{stamp}\"\nversion = \"{stamp}\"\nname_zh = \"{name}\"\nname_en = \"{name}\"\n{duties}{rules}\
         [retention]\nyears = 200\narticle = \"CC1260\"\n\
         [base_data]\ncollections = {base}\narticle = \"CC1260\"\n\
         [theme_data]\ncollections = {themes}\narticle = \"CC1260\"\n\
         [disputes]\ncoordinates = \"as-common-superior\"\narticle = \"CC1260\"\n"
    ));
    for profile in [Profile::national(), Profile::shenyang(), largest.unwrap()] {
        let bytes = encode(&profile);
        assert!(
            bytes.len() <= MAX_PROFILE_ENCODED_BYTES,
            "{} has {} bytes",
            profile.stamp(),
            bytes.len()
        );
        assert_eq!(decode(&bytes), Ok(profile));
    }
}

#[test]
fn a_stamp_is_checked_when_it_is_decoded() {
    let stamp = Profile::shenyang().stamp().clone();
    assert_eq!(stamp.to_string(), "shenyang 2020-10-01");
    let decode = |bytes: &[u8]| {
        bincode::serde::decode_from_slice::<ProfileStamp, _>(bytes, bincode::config::standard())
            .map(|(stamp, _)| stamp)
    };
    assert_eq!(decode(&encode(&stamp)).ok(), Some(stamp));
    assert!(decode(&encode(&("x\n", "1"))).is_err());
    assert!(decode(&encode(&("x", ""))).is_err());
}

#[test]
fn a_profile_that_comes_with_the_program_is_known_by_its_own_id() {
    for profile in [Profile::national(), Profile::shenyang()] {
        assert_eq!(Profile::built_in(profile.id()), Some(profile));
    }
    assert_eq!(Profile::built_in("shenyan"), None);
}

#[test]
fn the_national_profile_is_the_regulation() {
    let national = Profile::national();
    for duty in Duty::ALL {
        assert_eq!(national.working_days(*duty), duty.working_days());
        assert_eq!(national.article(*duty), duty.article());
        assert_eq!(national.breaches(*duty), [duty.breach()]);
    }
    assert_eq!(national.stamp().to_string(), "national 2025-08-01");
    assert_eq!(national.retention(), (RetentionYears::MIN, Article::R29));
    assert_eq!(national.straight_from_platform(), None);
    assert_eq!(national.check_refusal_cites_law(&[]), Ok(()));
    assert_eq!(national.base_data(BaseCollection::Population), None);
    assert_eq!(national.theme_data(ThemeCollection::Health), None);
    let not_here = RefusalReason::OpeningNotProvided.under(Article::R2);
    assert_eq!(national.check_opens(), Err(not_here));
    assert_eq!(national.evaluation_published(), None);
    assert_eq!(national.coordination(), None);
}

#[test]
fn shenyang_adds_what_its_articles_add() {
    let shenyang = Profile::shenyang();
    let tightened: Vec<_> = Duty::ALL
        .iter()
        .filter(|duty| shenyang.working_days(**duty) < duty.working_days())
        .collect();
    assert_eq!(tightened, [&Duty::ReplyConditional]);
    assert_eq!(shenyang.working_days(Duty::ReplyOpening).get(), 15);
    assert_eq!(shenyang.article(Duty::ReplyOpening), Article::S26);
    assert_eq!(shenyang.retention(), (RetentionYears::MIN, Article::R29));
    for base in BaseCollection::ALL {
        assert_eq!(shenyang.base_data(*base), Some(Article::S19));
    }
    for theme in ThemeCollection::ALL {
        assert_eq!(shenyang.theme_data(*theme), Some(Article::S19));
    }
    assert_eq!(shenyang.straight_from_platform(), Some(Article::S20));
    assert_eq!(shenyang.check_opens(), Ok(Article::S24));
    assert_eq!(shenyang.evaluation_published(), Some(Article::S8));
    assert_eq!(shenyang.coordination(), Some(Article::S21));
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
        shenyang.breaches(Duty::ReplyConditional),
        [
            Article::R39_4,
            Article::new(crate::Instrument::Shenyang, 34, Some(8)).unwrap()
        ]
    );
}

#[test]
fn a_shorter_extension_holds_and_names_its_own_article() {
    let local = parse(&duty(Duty::ReplyExtension, 3, "S20")).unwrap();
    let days = WorkingDays::set_by_law;
    let too_long = RefusalReason::ExtensionTooLong { asked: 4, limit: 3 }.under(Article::S20);
    assert_eq!(check_reply_extension(days(4), 0, &local), Err(too_long));
    let calendar = Calendar::national();
    let received_ms = end_of_day_ms(date(2026, 3, 2)) - 1;
    let first = due(Duty::ReplyConditional, received_ms, &calendar, &local);
    let granted: Extension = check_reply_extension(days(3), 0, &local).unwrap();
    let extended = extend(&first, granted, &calendar);
    assert_eq!(extended.date, date(2026, 3, 19));
    assert!(
        extended
            .basis_zh()
            .contains(&"《沈阳市政务数据资源共享开放条例》第二十条：3个工作日".to_owned())
    );
}

#[test]
fn a_longer_retention_holds_and_names_its_own_article() {
    let kept = |years: u16| {
        parse(&format!(
            "[retention]\nyears = {years}\narticle = \"S23\"\n"
        ))
    };
    let five = RetentionYears::new(5).unwrap();
    let local = kept(5).map(|profile| profile.retention());
    assert_eq!(local, Ok((five, Article::S23)));
    let beyond = kept(201).unwrap_err();
    assert!(matches!(beyond, ProfileError::Retention(_)), "{beyond}");
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
fn an_unknown_key_article_duty_or_collection_is_named() {
    let cases = [
        ("working_day = 3\n".to_owned(), "working_day"),
        (
            "[opening]\narticle = \"S24\"\ndays = 3\n".to_owned(),
            "days",
        ),
        (
            "[straight_from_platform]\narticle = \"R99\"\n".to_owned(),
            "99",
        ),
        (
            duty(Duty::Provide, 1, "S20").replace("provide", "reply-someday"),
            "reply-someday",
        ),
        (
            "[base_data]\ncollections = [\"weather\"]\narticle = \"S19\"\n".to_owned(),
            "weather",
        ),
        (
            "[disputes]\ncoordinates = \"none\"\narticle = \"S21\"\n".to_owned(),
            "none",
        ),
        ("[evaluation_published]\n".to_owned(), "article"),
        (duty(Duty::Provide, 0, "S20"), "not 0"),
    ];
    for (rules, named) in cases {
        let error = parse(&rules).unwrap_err();
        assert!(matches!(error, ProfileError::Syntax(_)), "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn a_duty_or_collection_listed_twice_is_refused() {
    let one = duty(Duty::Provide, 9, "S20");
    let twice = |what: &str| {
        Err(ProfileError::Twice {
            profile: "x".into(),
            what: what.into(),
        })
    };
    assert_eq!(parse(&format!("{one}{one}")), twice("provide"));
    let population =
        "[base_data]\ncollections = [\"population\", \"population\"]\narticle = \"S19\"\n";
    assert_eq!(parse(population), twice("population"));
    let health = "[theme_data]\ncollections = [\"health\", \"health\"]\narticle = \"S19\"\n";
    assert_eq!(parse(health), twice("health"));
    let key_twice = "[opening]\narticle = \"S24\"\n".repeat(2);
    assert!(matches!(parse(&key_twice), Err(ProfileError::Syntax(_))));
}

#[test]
fn a_list_without_a_collection_is_refused() {
    let empty = parse("[base_data]\ncollections = []\narticle = \"S19\"\n");
    let expected = ProfileError::Empty {
        profile: "x".into(),
        key: "base_data",
    };
    assert_eq!(empty, Err(expected));
}

#[test]
fn an_oversize_file_is_refused_before_it_is_read() {
    let comment = |bytes: usize| format!("{HEAD}#{}", "x".repeat(bytes - HEAD.len() - 1));
    assert!(Profile::parse(&comment(MAX_PROFILE_BYTES)).is_ok());
    let found = MAX_PROFILE_BYTES + 1;
    assert_eq!(
        Profile::parse(&comment(found)),
        Err(ProfileError::TooLarge { found })
    );
}

#[test]
fn an_id_version_or_name_that_is_none_is_refused() {
    let head = |id: &str, version: &str, name: &str| {
        Profile::parse(&format!(
            "id = \"{id}\"\nversion = \"{version}\"\nname_zh = \"{name}\"\nname_en = \"X\"\n"
        ))
        .map(|profile| profile.stamp().to_string())
    };
    assert_eq!(head("x", "1", "某市"), Ok("x 1".into()));
    let long = "x".repeat(MAX_PROFILE_STAMP_CHARS + 1);
    for (id, version) in [
        ("", "1"),
        ("x", ""),
        ("x y", "1"),
        ("某市", "1"),
        (&long, "1"),
        ("x", &long),
    ] {
        assert_eq!(head(id, version, "某市"), Err(ProfileError::Stamp));
    }
    for name in [" ", "某\\n市", &"市".repeat(MAX_PROFILE_NAME_CHARS + 1)] {
        assert_eq!(head("x", "1", name), Err(ProfileError::Name));
    }
    let without_version = Profile::parse("id = \"x\"\nname_zh = \"某市\"\nname_en = \"X\"\n");
    assert!(without_version.is_err_and(|error| error.to_string().contains("version")));
}
