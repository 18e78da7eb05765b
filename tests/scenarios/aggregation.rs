//! R25: what a department could join from all its grants is weighed before it applies for more; a grave risk goes out only with the consent of the
//! authority of its level, and the provider sees both.

use federation::core::{Answer, Refused, query};
use guantong_tests::{Department, World};
use identity::Digest;
use sharing::act::ActBody;
use sharing::aggregation::AggregationAct;
use sharing::catalogue::Entry;
use sharing::docket::DocketId;
use statute::{AggregationLevel, Article, ClassTerms, Profile, Refusal, RefusalReason, Role};

use crate::profile::take;
use crate::stage::{application, apply, code, conditional, demo, grant, publish, reply, seen};

/// An entry of a department of these items.
fn entry(world: &World, department: &Department, serial: u32, items: &[&str]) -> Entry {
    let mut entry = guantong_tests::entry(department, serial, "个人信息", conditional(), world.now);
    let item = entry.items[0].clone();
    let named = |name: &&str| {
        let name = (*name).to_owned();
        sharing::catalogue::DataItem {
            name,
            ..item.clone()
        }
    };
    entry.items = items.iter().map(named).collect();
    entry
}

/// 天河区民政局 was granted names and wages of persons; 和平区 has two more entries about them.
struct Joined {
    world: World,
    requester: Department,
    provider: Department,
    /// Addresses: the wages of a named person would have a place.
    addresses: Entry,
    /// Addresses and medical histories: two rules at once.
    histories: Entry,
}

impl Joined {
    fn granted(seed: u64) -> Self {
        let mut world = demo(seed);
        let provider = world.department(code("210102"), 1, "民政局");
        let requester = world.department(code("440106"), 2, "民政局");
        let wages = entry(&world, &provider, 1, &["公民身份号码", "姓名", "工资"]);
        let addresses = entry(&world, &provider, 2, &["公民身份号码", "家庭住址"]);
        let histories = entry(&world, &provider, 3, &["公民身份号码", "家庭住址", "病史"]);
        let entries = vec![wages.clone(), addresses.clone(), histories.clone()];
        publish(&mut world, &provider, entries);
        world.settle();
        let wanted = application(&world, &requester, &provider, &wages);
        let docket = apply(&mut world, &requester, wanted);
        world.settle();
        let given = grant(&world, &wages);
        reply(&mut world, &provider, docket, given);
        world.settle();
        let first = seen(&world, provider.node, docket).expect("received");
        assert_eq!(first.risk, None, "one entry joins nothing");
        Self {
            world,
            requester,
            provider,
            addresses,
            histories,
        }
    }

    fn draft(&mut self, entry: &Entry) -> Answer {
        let application = application(&self.world, &self.requester, &self.provider, entry);
        let operator = self.world.staff(&self.requester, Role::Operator);
        let body = ActBody::Apply { application };
        let answer = self.world.act(self.requester.node, &operator, body);
        answer.expect("drafted")
    }

    fn consent(&mut self, docket: DocketId) -> Result<(), Refused> {
        let office = self.world.staff(&self.requester, Role::SharingOfficeHead);
        let document = docket.0;
        let body = ActBody::ConsentToApply { docket, document };
        self.world.act(self.requester.node, &office, body)?;
        self.world.settle();
        Ok(())
    }

    /// The authority's head of the requester's level answers.
    fn answer(&mut self, draft: DocketId, exposure: Digest, consents: bool) -> Result<(), Refused> {
        let node = self.requester.node;
        let head = self.world.authority_head(node);
        let grounds = "仅限救助核对，专人专机".into();
        let body = ActBody::Aggregation(AggregationAct {
            draft,
            exposure,
            consents,
            grounds,
        });
        self.world.act(node, &head, body).map(drop)
    }

    /// The digest of the risk of a draft, as the node shows it.
    fn exposure(&self, draft: DocketId) -> Digest {
        let rules = Profile::national().aggregation();
        let read = self.world.read(self.requester.node);
        let risks = query::risks(read, None, &rules, self.world.now).expect("memory");
        let risk = risks.iter().find(|risk| risk.draft == Some(draft));
        risk.expect("a draft").exposure.digest()
    }
}

fn lawfully(refused: Result<(), Refused>) -> Refusal {
    match refused {
        Err(Refused::Lawful(refusal)) => refusal,
        other => panic!("a lawful refusal: {other:?}"),
    }
}

#[test]
fn what_could_be_joined_is_told_when_drafting_and_seen_by_the_provider() {
    let mut story = Joined::granted(160);
    let wanted = story.addresses.clone();
    let drafted = story.draft(&wanted);
    let docket = drafted.docket.expect("a docket");
    let [warning] = &drafted.warnings[..] else {
        panic!("one warning: {:?}", drafted.warnings)
    };
    assert!(warning.contains("个人身份、住址与收入") && warning.contains("R25"));
    story.consent(docket).expect("a warning keeps nothing back");
    let held = seen(&story.world, story.provider.node, docket).expect("received");
    let risk = held.risk.expect("the assessment");
    assert_eq!(
        (risk.exposure.score, risk.exposure.level),
        (40, AggregationLevel::Warned)
    );
    let entries: Vec<_> = risk.exposure.entries.iter().map(|it| &it.entry).collect();
    assert_eq!(entries.len(), 2);
    assert!(entries.contains(&&wanted.id) && risk.consent.is_none());
}

#[test]
pub(crate) fn a_grave_risk_goes_out_only_with_the_authoritys_consent_to_this_very_risk() {
    let mut story = Joined::granted(161);
    let wanted = story.histories.clone();
    let docket = story.draft(&wanted).docket.expect("a docket");
    let provider = story.provider.node;
    let needed = RefusalReason::AggregationConsentRequired { score: 90 }.under(Article::R25);
    assert_eq!(lawfully(story.consent(docket)), needed);
    assert_eq!(seen(&story.world, provider, docket), None);
    // A refusal of the authority keeps it back, and so does a consent to something else.
    let exposure = story.exposure(docket);
    story.answer(docket, exposure, false).expect("answered");
    assert_eq!(lawfully(story.consent(docket)), needed);
    let other = lawfully(story.answer(docket, docket.0, true));
    assert!(matches!(other.reason, RefusalReason::WrongState { .. }));
    assert_eq!(other.article, Article::R25);
    let office = story.world.staff(&story.requester, Role::SharingOfficeHead);
    let itself = ActBody::Aggregation(AggregationAct {
        draft: docket,
        exposure,
        consents: true,
        grounds: "自行同意".into(),
    });
    let node = story.requester.node;
    let itself = lawfully(story.world.act(node, &office, itself).map(drop));
    assert!(matches!(
        itself.reason,
        RefusalReason::RoleNotEntitled { .. }
    ));
    story.answer(docket, exposure, true).expect("consented");
    story.consent(docket).expect("goes out");
    let held = seen(&story.world, provider, docket).expect("received");
    let risk = held.risk.expect("the assessment");
    assert_eq!(risk.exposure.digest(), exposure);
    let signer = risk.consent.expect("the consent").signer.holder();
    assert_eq!(signer.map(|it| it.role), Some(Role::AuthorityHead));
}

/// Where a local profile lets unconditional data be taken without an application, a grave risk is applied for all the same.
#[test]
fn a_grave_risk_is_not_taken_straight_from_the_platform() {
    let mut story = Joined::granted(162);
    let provider = story.provider.clone();
    story.world.runs_under(provider.node, &Profile::shenyang());
    let mut open = entry(
        &story.world,
        &provider,
        4,
        &["公民身份号码", "家庭住址", "病史"],
    );
    open.terms = ClassTerms::Unconditional;
    let mut plain = entry(&story.world, &provider, 5, &["办事大厅名称", "办公电话"]);
    plain.terms = ClassTerms::Unconditional;
    publish(
        &mut story.world,
        &provider,
        vec![open.clone(), plain.clone()],
    );
    let requester = story.requester.clone();
    let taken = take(&mut story.world, &requester, &provider, &open);
    let needed = RefusalReason::AggregationConsentRequired { score: 90 }.under(Article::R25);
    assert_eq!(lawfully(taken.map(drop)), needed);
    let taken = take(&mut story.world, &requester, &provider, &plain).expect("taken");
    assert!(seen(&story.world, provider.node, taken).is_some());
}
