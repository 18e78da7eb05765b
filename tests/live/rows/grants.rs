//! R25, R27, R29: what becomes of a grant, who may read what was done with it.

use federation::core::UsesGiven;
use guantong_tests::stage::{recorded, tells_use, use_texts};
use sharing::application::{GrantAct, GrantStep, ServiceChange, UseTexts, Wider};
use sharing::reading::ReadingAct;

use super::*;

impl Applied {
    fn step(&self, who: &Department, role: Role, step: GrantStep) -> Answered {
        let docket = self.docket;
        let body = ActBody::Grant(GrantAct { docket, step });
        match role {
            Role::AuthorityReviewer => officer(&self.live, who.node.as_str(), role, body),
            _ => staff(&self.live, who, role, body),
        }
    }

    fn by_requester(&self, step: GrantStep) -> Answered {
        self.step(&self.requester, Role::Operator, step)
    }

    fn by_office(&self, step: GrantStep) -> Answered {
        self.step(&self.provider, Role::SharingOfficeHead, step)
    }

    fn at_requester(&self, event: &str) {
        after(&self.live, self.requester.node, self.docket, event);
    }

    fn at_provider(&self, event: &str) {
        after(&self.live, self.provider.node, self.docket, event);
    }
}

/// Row U1.
#[test]
fn wider_use_needs_the_consent_of_the_providers_office() {
    let (story, _) = shared();
    let ask = GrantStep::AskWidening {
        wider: Wider {
            purposes: vec!["医疗救助资格核验".into()],
            ..Wider::default()
        },
        grounds: "医疗救助以低保身份为条件".into(),
    };
    story.by_requester(ask).expect("asked");
    story.at_provider("widening-asked");
    let consent = || GrantStep::AnswerWidening {
        consents: true,
        reasons: String::new(),
    };
    refused(
        story.step(&story.provider, Role::Operator, consent()),
        "R25",
    );
    story.by_office(consent()).expect("consented");
    story.at_requester("widened");
}

/// Row D1.
#[test]
fn data_is_disposed_of_as_required_and_the_provider_sees_the_certificate() {
    let (story, _) = shared();
    let by = story.live.now().plus_days(5);
    let require = |by| GrantStep::RequireDisposal {
        how: "删除全部副本".into(),
        by,
    };
    let past = require(story.live.now().plus_days(-1));
    refused(story.by_office(past), "R27");
    story.by_office(require(by)).expect("required");
    story.at_requester("disposal-required");
    story.live.advance_to(by.plus_millis(-60_000));
    let held = shown(&story.live, story.provider.node, story.docket, |_| true);
    assert_eq!(held.docket.state.clock.lapses, []);
    story.live.advance_to(by.plus_millis(60_000));
    story.at_requester("overdue");
    let disposed = GrantStep::Dispose {
        how: "删除全部副本".into(),
        certificate: "处置证明1号".into(),
    };
    story.by_requester(disposed).expect("disposed");
    story.at_provider("disposed");
    refused(story.by_office(require(by.plus_days(5))), "R27");
}

/// Row D2.
#[test]
fn use_is_suspended_rectified_restored_and_ended_only_after_its_date() {
    let (story, _) = shared();
    let suspend = || GrantStep::Suspend {
        reasons: "擅自用于信用评级".into(),
        rectify_by: story.live.now().plus_days(5),
    };
    let terminate = || GrantStep::Terminate {
        reasons: "拒不整改".into(),
    };
    story.by_office(suspend()).expect("suspended");
    story.at_requester("suspended");
    refused(story.by_office(terminate()), "R27");
    let statement = "已停止".into();
    let report = GrantStep::ReportRectified { statement };
    story.by_requester(report).expect("reported");
    story.at_provider("rectification-reported");
    story
        .by_office(GrantStep::Restore {
            reasons: String::new(),
        })
        .expect("restored");
    story.at_requester("restored");
    story.by_office(suspend()).expect("suspended again");
    let due = story.live.now().plus_days(5);
    story.live.advance_to(due.plus_millis(60_000));
    story.by_office(terminate()).expect("terminated");
    story.at_requester("terminated");
}

/// Row D3.
#[test]
fn a_service_ends_after_negotiation_and_filing_alone() {
    let (story, _) = shared();
    let propose = GrantStep::ProposeChange {
        what: ServiceChange::End,
        reasons: "系统停用".into(),
    };
    story.by_office(propose).expect("proposed");
    refused(story.by_office(GrantStep::CarryOutChange), "R27");
    story.at_requester("change-proposed");
    let answer = GrantStep::AnswerChange {
        agrees: true,
        statement: "同意".into(),
    };
    story.by_requester(answer).expect("answered");
    story.at_provider("change-answered");
    refused(story.by_office(GrantStep::CarryOutChange), "R27");
    let reviewer = Role::AuthorityReviewer;
    let filed = story.step(&story.provider, reviewer, GrantStep::FileChange);
    filed.expect("on file");
    story.by_office(GrantStep::CarryOutChange).expect("ended");
    story.at_requester("change-carried-out");
}

/// Rows V1, V2.
#[test]
fn a_use_is_recorded_whole_and_read_by_those_alone_whom_the_law_names() {
    let (story, _) = shared();
    let (live, docket) = (&story.live, story.docket);
    let record = |record| ActBody::RecordUse { docket, record };
    let does = |texts: &UseTexts| {
        let (told, said) = recorded(texts);
        let user = Person::of(&story.requester, Role::Operator, live.now());
        let signed = live.sign(story.requester.node, &user, record(told));
        live.post_with(story.requester.node, &signed, &[said])
    };
    let mut part = use_texts();
    part.storage.clear();
    // The requester's node sends it on; the home refuses it, and the requester's people are told.
    does(&part).expect("sent to the home");
    live.until("the refusal at the requester's node", |live| {
        let findings = live.get(story.requester.node, "/findings")["items"].clone();
        let findings = findings.as_array()?.iter();
        let of_r29 = |it: &&serde_json::Value| it["article"] == "R29";
        (findings.filter(of_r29).count() == 1).then_some(())
    });
    does(&use_texts()).expect("recorded");
    let held = shown(live, story.provider.node, docket, |it| it.uses.len() == 1);
    assert!(!tells_use(&format!("{held:?}")), "that, and not what");
    let read = || ActBody::Reading(ReadingAct::Read { docket, from: 0 });
    let neighbour = Department::hosted(story.provider.node, 9, "教育局");
    let other = staff(live, &neighbour, Role::SharingOfficeHead, read());
    refused(other, "R29");
    // What it says comes after the event that commits to it.
    live.until("what the record says, at the provider's", |live| {
        let given = staff(live, &story.provider, Role::SharingOfficeHead, read());
        let given: UsesGiven = given.expect("entitled").uses.expect("what was read");
        (given.uses[0].texts == Some(use_texts())).then_some(())
    });
    story.at_requester("uses-read");
    live.until("the reading on record at the requester's", |live| {
        let readings = live.get(story.requester.node, "/readings");
        (readings["items"][0]["by"]["person"]["node"] == "210102").then_some(())
    });
}
