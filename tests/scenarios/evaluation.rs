//! R38, Shenyang S8: what departments did is counted from the ledger, reported by the authority's head, seen above, and published where local
//! rules say so.

use federation::core::{Refused, query};
use guantong_tests::{Department, Person, World};
use identity::Code;
use sharing::act::ActBody;
use sharing::application::Reply;
use sharing::correction::{CorrectionAct, CorrectionOutcome, CorrectionRequest};
use sharing::docket::DocketId;
use sharing::evaluation::{
    Computed, EvaluationAct, EvaluationPhase, EvaluationState, Figures, Kept, Quality, Report,
    Uses, csv,
};
use statute::{Article, Duty, EvaluationPeriod, Profile, Refusal, RefusalReason, Role};

use crate::stage::{
    Acting, application, apply, code, conditional, demo, grant, provider, publish, reply,
    use_record,
};

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// The story of March 2026: 和平区民政局 publishes two entries; two departments of 天河区 apply. One application is answered, granted, provided,
/// used twice and corrected once, and its grant ends in March; the other's reply comes a day late, with a grant that runs on. The authority then
/// finds itself in April.
struct March {
    world: World,
    provider: Department,
    user: Department,
    other: Department,
}

fn period(text: &str) -> EvaluationPeriod {
    text.parse().expect("a period")
}

fn does(world: &mut World, department: &Department, role: Role, body: ActBody) -> Option<DocketId> {
    let person = world.staff(department, role);
    let answer = world.act(department.node, &person, body).expect("taken");
    world.settle();
    answer.docket
}

impl March {
    fn told(seed: u64) -> Self {
        let mut world = demo(seed);
        let (provider, entry) = provider(&mut world, "210102", conditional());
        let mut second = entry.clone();
        second.version = 2;
        second.summary.push_str("按日更新。");
        publish(&mut world, &provider, vec![second.clone()]);
        world.settle();
        let user = world.department(code("440106"), 2, "民政局");
        let other = world.department(code("440106"), 3, "教育局");
        let wanted = application(&world, &user, &provider, &second);
        let first = apply(&mut world, &user, wanted);
        let wanted = application(&world, &other, &provider, &second);
        let late = apply(&mut world, &other, wanted);
        world.settle();
        // The grant ends on Wednesday 2026-03-25.
        let mut short = grant(&world, &second);
        if let Reply::Grant { terms } = &mut short {
            terms.until = world.now.plus_days(16);
        }
        reply(&mut world, &provider, first, short);
        let object = world.upload(provider.node, "低保对象.csv", b"code,name\n1,a\n");
        let provide = |docket| ActBody::Provide {
            docket,
            object: object.clone(),
        };
        does(&mut world, &provider, Role::Operator, provide(first));
        for _ in 0..2 {
            let record = use_record(&mut world, user.node);
            let body = ActBody::RecordUse {
                docket: first,
                record,
            };
            does(&mut world, &user, Role::Operator, body);
        }
        let ask = ActBody::Correction(CorrectionAct::Ask(CorrectionRequest {
            about: first,
            items: vec!["名称".into()],
            wrong: world.private(user.node, "第一户名称有误"),
            evidence: world.private(user.node, "营业执照"),
        }));
        let docket = does(&mut world, &user, Role::Operator, ask).expect("a docket");
        let outcome = CorrectionOutcome::Corrected {
            what: world.private(provider.node, "第一户名称改为甲商行"),
            object: None,
        };
        let answer = ActBody::Correction(CorrectionAct::Answer { docket, outcome });
        does(&mut world, &provider, Role::Operator, answer);
        // Received on 2026-03-09, the reply was due by the end of 2026-03-23; it is given on 2026-03-24 and provided at once.
        world.step(15 * DAY);
        world.settle();
        let given = grant(&world, &second);
        reply(&mut world, &provider, late, given);
        does(&mut world, &provider, Role::Operator, provide(late));
        world.step(10 * DAY);
        world.settle();
        Self {
            world,
            provider,
            user,
            other,
        }
    }

    fn officer(&self, node: Code, role: Role) -> Person {
        match role {
            Role::AuthorityHead => self.world.authority_head(node),
            other => self.world.authority(node, other),
        }
    }

    fn computed(&self, node: Code, period: EvaluationPeriod) -> Computed {
        let view = query::evaluation(self.world.read(node), period, self.world.now);
        view.expect("memory").expect("a place").computed
    }

    fn report(&mut self, node: Code, role: Role, report: Report) -> Result<DocketId, Refused> {
        let person = self.officer(node, role);
        let act = ActBody::Evaluation(EvaluationAct::Report(report));
        let answer = self.world.act(node, &person, act)?;
        self.world.settle();
        Ok(answer.docket.expect("a docket"))
    }

    fn publish(&mut self, node: Code, role: Role, docket: DocketId) -> Result<(), Refused> {
        let person = self.officer(node, role);
        let advice = "按期答复；加强数据质量核验".into();
        let act = ActBody::Evaluation(EvaluationAct::Publish { docket, advice });
        self.world.act(node, &person, act)?;
        self.world.settle();
        Ok(())
    }

    fn held(&self, node: Code) -> Vec<EvaluationState> {
        query::evaluations(self.world.read(node), None).expect("memory")
    }
}

fn figures<'a>(report: &'a Report, department: &Department) -> &'a Figures {
    let mut rows = report.departments.iter();
    let row = rows.find(|it| it.department == department.code);
    &row.expect("a row of the department").figures
}

fn lawfully(refused: Result<impl std::fmt::Debug, Refused>) -> Refusal {
    match refused {
        Err(Refused::Lawful(refusal)) => refusal,
        other => panic!("a lawful refusal: {other:?}"),
    }
}

#[test]
fn the_figures_of_a_month_are_exactly_what_happened_in_it() {
    let story = March::told(150);
    let (county, district) = (code("210102"), code("440106"));
    let march = story.computed(county, period("2026-03")).report;
    let kept = |in_time, overdue| Kept {
        in_time,
        overdue,
        justified: 0,
    };
    let provider = figures(&march, &story.provider);
    let duties = [
        (Duty::ReplyConditional, kept(1, 1)),
        (Duty::Provide, kept(2, 0)),
        (Duty::Correct, kept(1, 0)),
    ];
    let mut all = provider.duties.clone();
    // Of two reviewed versions the second is an update, which the authority reviewed in time.
    assert_eq!(march.authority.duties[&Duty::ReviewUpdate], kept(1, 0));
    for (duty, expected) in duties {
        assert_eq!(all.remove(&duty), Some(expected), "{duty}");
    }
    assert!(all.is_empty(), "{all:?}");
    let quality = Quality {
        published: 2,
        updates: 1,
        corrections_asked: 1,
        corrected: 1,
        upheld: 0,
    };
    assert_eq!(provider.quality, quality);
    let provided = Uses {
        received: 2,
        granted: 2,
        provided: 2,
        ..Uses::default()
    };
    assert_eq!(provider.uses, provided);
    let march = story.computed(district, period("2026-03")).report;
    let used = Uses {
        made: 1,
        obtained: 1,
        recorded: 2,
        ended: 1,
        ..Uses::default()
    };
    assert_eq!(figures(&march, &story.user).uses, used);
    let unused = Uses {
        made: 1,
        obtained: 1,
        ..Uses::default()
    };
    assert_eq!(figures(&march, &story.other).uses, unused);
    // What happened in March did not happen in another month; the year holds it.
    for month in ["2026-02", "2026-04"] {
        let other = story.computed(county, period(month)).report;
        assert_eq!(other.totals(), Figures::default(), "{month}");
    }
    let year = story.computed(county, period("2026")).report;
    assert_eq!(figures(&year, &story.provider).uses, provided);
    // The same ledger gives the same bytes.
    let again = story.computed(district, period("2026-03")).report;
    assert_eq!((again.digest(), csv(&again)), (march.digest(), csv(&march)));
}

#[test]
fn a_grant_that_ends_without_any_record_of_use_is_counted_so() {
    let mut story = March::told(151);
    // The late grant runs for 200 days from 2026-03-24: until Saturday 2026-10-10.
    let district = code("440106");
    let october = |story: &March| {
        let report = story.computed(district, period("2026-10")).report;
        let uses = figures(&report, &story.other).uses;
        (uses.ended, uses.unrecorded)
    };
    assert_eq!(october(&story), (1, 1));
    let docket = query::dockets(story.world.read(district), None, 100)
        .expect("memory")
        .into_iter()
        .find_map(|it| match it.state.case {
            sharing::docket::Case::Application(state) => {
                (state.requester.department == story.other.code).then_some(it.id)
            }
            _ => None,
        })
        .expect("the late application");
    let record = use_record(&mut story.world, story.other.node);
    let body = ActBody::RecordUse { docket, record };
    let other = story.other.clone();
    does(&mut story.world, &other, Role::Operator, body);
    assert_eq!(october(&story), (1, 0));
}

#[test]
pub(crate) fn a_report_of_other_figures_or_of_a_period_that_runs_is_refused() {
    let mut story = March::told(152);
    let county = code("210102");
    let found = story.computed(county, period("2026-03"));
    let mut better = found.report.clone();
    for row in &mut better.departments {
        if let Some(kept) = row.figures.duties.get_mut(&Duty::ReplyConditional) {
            kept.overdue = 0;
        }
    }
    let altered = lawfully(story.report(county, Role::AuthorityHead, better));
    assert_eq!(altered, RefusalReason::NotTheFigures.under(Article::R38));
    let running = story.computed(county, period("2026-04")).report;
    let early = lawfully(story.report(county, Role::AuthorityHead, running));
    assert_eq!(early.article, Article::R38);
    assert!(matches!(early.reason, RefusalReason::PeriodNotOver { .. }));
    let role = lawfully(story.report(county, Role::AuthorityReviewer, found.report.clone()));
    assert!(matches!(role.reason, RefusalReason::RoleNotEntitled { .. }));
    assert_eq!(role.article, Article::R38);
    assert!(story.held(county).is_empty());
    let elsewhere = story.computed(code("440106"), period("2026-03")).report;
    let foreign = lawfully(story.report(county, Role::AuthorityHead, elsewhere));
    assert!(matches!(
        foreign.reason,
        RefusalReason::NotTheSupervisor { .. }
    ));
    story
        .report(county, Role::AuthorityHead, found.report.clone())
        .expect("reported");
    let again = lawfully(story.report(county, Role::AuthorityHead, found.report));
    assert!(matches!(again.reason, RefusalReason::Duplicate { .. }));
}

#[test]
pub(crate) fn the_signed_report_is_seen_above_where_it_is_the_districts_row_and_the_city_publishes()
{
    let mut story = March::told(153);
    let (county, city, province) = (code("210102"), code("210100"), code("210000"));
    story.world.runs_under(city, &Profile::shenyang());
    story.world.heal_all();
    story.world.settle();
    let march = period("2026-03");
    let report = story.computed(county, march).report;
    let docket = story
        .report(county, Role::AuthorityHead, report.clone())
        .expect("reported");
    // Another node's store has the very report; the level above that one has not.
    let [held] = story.held(city).try_into().expect("one report");
    assert_eq!((held.docket, &held.report), (docket, &report));
    assert!(story.held(province).is_empty());
    let of_city = story.computed(city, march).report;
    let row = &of_city.districts[0];
    assert_eq!((row.docket, &row.totals), (docket, &report.totals()));
    // The county has no such local rule.
    let national = lawfully(story.publish(county, Role::Government, docket));
    assert_eq!(
        national,
        RefusalReason::EvaluationNotPublished.under(Article::R38)
    );
    let own = story
        .report(city, Role::AuthorityHead, of_city)
        .expect("reported");
    let published = |story: &March| {
        let found = query::published_evaluations(story.world.read(city), march);
        found.expect("memory").len()
    };
    let authority = lawfully(story.publish(city, Role::AuthorityHead, own));
    assert!(matches!(
        authority.reason,
        RefusalReason::RoleNotEntitled { .. }
    ));
    assert_eq!((authority.article, published(&story)), (Article::S8, 0));
    story
        .publish(city, Role::Government, own)
        .expect("published");
    assert_eq!(published(&story), 1);
    let above = story.held(province);
    assert!(
        matches!(&above[..], [state] if matches!(state.phase, EvaluationPhase::Published { .. })),
        "the province holds the published report"
    );
}

#[test]
fn what_is_computed_of_a_running_period_is_marked_provisional() {
    let world = demo(154);
    let county = code("210102");
    let ask = |text: &str| {
        world
            .ask(county, |store| {
                query::evaluation(store, period(text), world.now)
            })
            .expect("a place")
    };
    assert!(ask("2026-03").provisional && !ask("2026-02").provisional);
    assert!(ask("2026").provisional);
}
