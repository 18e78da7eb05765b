//! R35: a node that was cut off goes on with its own work at its own place, under the same law and the same time limits; what must leave it is refused or
//! waits, and goes when it is admitted again.

use federation::core::{CallSide, Refused, query};
use federation::service::{CallHead, CallId, CallMethod, CallTarget};
use guantong_tests::stage::Acting;
use guantong_tests::{Department, World, entry};
use identity::{Digest, RevocationReason};
use sharing::act::ActBody;
use sharing::application::{Phase, Reply};
use sharing::catalogue::Entry;
use sharing::clock::Debtor;
use sharing::complaint::{ComplaintAct, ComplaintPhase};
use sharing::dispute::{NegotiationOutcome, NegotiationStep, Opinion};
use sharing::docket::{Case, DocketId};
use sharing::incident::{IncidentAct, IncidentReport};
use sharing::public::{PublicRequest, RECEIPT_BYTES, Receipt, Written};
use statute::{Article, Grade, Method, RefusalReason, Role, Severity};

use crate::correction::lawfully;
use crate::stage::{
    application, apply, code, conditional, demo, events, findings, grant, lapses, provider,
    publish, refuse, reply, seen, share, use_record,
};

const CITY: &str = "440100";
const COUNTY: &str = "440104";
const SIBLING: &str = "440106";
const DAY_MS: i64 = 86_400_000;

/// 越秀区, with two departments of its own, one with an entry for downloads, and an application at 天河区 that was received there.
struct CutOff {
    world: World,
    provider: Department,
    entry: Entry,
    requester: Department,
    away: (Department, Entry),
    received: DocketId,
}

fn own(seed: u64) -> CutOff {
    let mut world = demo(seed);
    let county = code(COUNTY);
    let (own_provider, own_entry) = provider(&mut world, COUNTY, conditional());
    let away = provider(&mut world, SIBLING, conditional());
    let requester = world.department(county, 2, "教育局");
    let wanted = application(&world, &requester, &away.0, &away.1);
    let received = apply(&mut world, &requester, wanted);
    world.settle();
    assert!(seen(&world, code(SIBLING), received).is_some());
    CutOff {
        world,
        provider: own_provider,
        entry: own_entry,
        requester,
        away,
        received,
    }
}

impl CutOff {
    /// The authority of 广州市 revokes its certificate, and it is told.
    fn is_cut_off(&mut self) {
        let (city, county) = (code(CITY), code(COUNTY));
        let chain = query::chain(self.world.read(city), county).expect("memory");
        let certificate = chain.expect("a child's chain").0.claimed();
        let revoke = ActBody::RevokeMember {
            node: county,
            serial: certificate.expect("a certificate").serial,
            reason: RevocationReason::Ordered,
        };
        let head = self.world.authority_head(city);
        self.world.act(city, &head, revoke).expect("revoked");
        self.world.step(6_000);
        assert!(self.world.ask(county, query::node).cut_off.is_some());
    }

    fn operator(&mut self, body: ActBody) -> Result<DocketId, Refused> {
        let person = self.world.staff(&self.requester, Role::Operator);
        let answer = self.world.act(code(COUNTY), &person, body)?;
        self.world.settle();
        Ok(answer.docket.expect("a docket"))
    }

    fn authority(&mut self, role: Role, body: ActBody) -> Result<(), Refused> {
        let person = match role {
            Role::AuthorityHead => self.world.authority_head(code(COUNTY)),
            other => self.world.authority(code(COUNTY), other),
        };
        self.world.act(code(COUNTY), &person, body)?;
        self.world.settle();
        Ok(())
    }

    fn complaint(&mut self, salt: u8) -> Result<DocketId, Refused> {
        let written = Written {
            name: "赵六".into(),
            contact: "13900000000".into(),
            subject: "区民政局".into(),
            text: "未经同意使用我的信息".into(),
        };
        let statement = self.world.written(code(COUNTY), written, Article::R37);
        let request = PublicRequest::Complaint {
            about: None,
            statement,
        };
        let receipt = Receipt::new([salt; RECEIPT_BYTES]);
        let answer = self.world.public(code(COUNTY), &receipt, request)?;
        Ok(answer.docket.expect("a docket"))
    }

    /// Own data applied for by an own department.
    fn applied(&mut self) -> DocketId {
        let wanted = application(&self.world, &self.requester, &self.provider, &self.entry);
        let docket = apply(&mut self.world, &self.requester, wanted);
        self.world.settle();
        docket
    }

    fn case(&self, docket: DocketId) -> Case {
        let held = self
            .world
            .ask(code(COUNTY), |store| query::docket(store, docket));
        held.expect("held").docket.state.case
    }

    /// Refused because the node is cut off, under R35.
    fn is_refused<T: std::fmt::Debug>(&self, refused: Result<T, Refused>) {
        let (reason, article) = lawfully(refused);
        assert!(
            matches!(reason, RefusalReason::NodeCutOff { .. }),
            "{reason:?}"
        );
        assert_eq!(article, Article::R35);
    }
}

#[test]
fn a_node_that_was_cut_off_goes_on_with_what_its_own_departments_and_its_public_are_owed() {
    let mut it = own(78);
    it.is_cut_off();
    let county = code(COUNTY);
    // R20 to R22, R29: applied for, answered, provided, used, and read on record.
    let (docket, _) = share(&mut it.world, &it.requester, &it.provider, &it.entry);
    let state = seen(&it.world, county, docket).expect("at home");
    assert!(matches!(state.phase, Phase::Provided { .. }), "{state:?}");
    let record = use_record(&mut it.world, county);
    it.operator(ActBody::RecordUse { docket, record })
        .expect("recorded");
    assert_eq!(seen(&it.world, county, docket).expect("held").uses, 1);
    // R28: its own authority coordinates between its own departments.
    let refused = it.applied();
    reply(&mut it.world, &it.provider, refused, refuse());
    let claim = "拒绝理由不成立".into();
    let step = NegotiationStep {
        statement: "协商不成".into(),
        outcome: NegotiationOutcome::Failed,
    };
    for body in [
        ActBody::RaiseDispute {
            docket: refused,
            claim,
        },
        ActBody::Negotiate {
            docket: refused,
            step,
        },
    ] {
        it.operator(body).expect("taken");
    }
    let dockets = it
        .world
        .ask(county, |store| query::dockets(store, None, 100));
    let dispute = dockets
        .iter()
        .find(|view| matches!(view.state.case, Case::Dispute(_)));
    let dispute = dispute.expect("heard here").id;
    let opinion = Opinion {
        proposal: "应予共享".into(),
        grounds: "第十五条".into(),
    };
    let coordinate = ActBody::Coordinate {
        docket: dispute,
        opinion,
    };
    it.authority(Role::AuthorityReviewer, coordinate)
        .expect("coordinated");
    assert_eq!(it.case(dispute).phase(), "opinion-given");
    // R37: the public complains and is answered.
    let complaint = it.complaint(1).expect("received");
    let answer = ComplaintAct::Answer {
        docket: complaint,
        answer: "已核实并停止使用".into(),
    };
    it.authority(Role::AuthorityReviewer, ActBody::Complaint(answer))
        .expect("answered");
    let Case::Complaint(state) = it.case(complaint) else {
        panic!("a complaint")
    };
    assert!(matches!(state.phase, ComplaintPhase::Answered { .. }));
    // R21: what it does not answer itself is overdue, once.
    let late = it.applied();
    it.world.step(20 * DAY_MS);
    it.world.step(DAY_MS);
    assert_eq!(lapses(&it.world, county, late), 1);
    // Nothing of it left.
    for node in [CITY, SIBLING, "440000", "100000"] {
        for docket in [docket, refused, dispute, complaint, late] {
            let held = it
                .world
                .ask(code(node), |store| query::docket(store, docket));
            assert!(held.is_none(), "{docket} at {node}");
        }
    }
    it.world
        .rebuild(county)
        .unwrap_or_else(|difference| panic!("{difference}"));
    // Admitted again for the same keys, it proves what it did meanwhile to whoever asks.
    it.world.certify_anew(county);
    it.world.settle();
    for docket in [docket, dispute, complaint, late] {
        let evidence = it
            .world
            .ask(county, |store| query::docket_evidence(store, docket));
        let evidence = evidence.expect("its ledger is sealed again");
        evidence.verify(&it.world.root()).expect("it holds");
    }
}

#[test]
fn what_must_leave_a_node_that_was_cut_off_is_refused_and_what_it_published_goes_up_later() {
    let mut it = own(79);
    let complaint = it.complaint(2).expect("received");
    it.is_cut_off();
    let county = code(COUNTY);
    // A department elsewhere: by a new application, or by a step in one that it holds.
    let wanted = application(&it.world, &it.requester, &it.away.0, &it.away.1);
    let draft = it.operator(ActBody::Apply {
        application: wanted,
    });
    let draft = draft.expect("a draft goes nowhere");
    let consent = ActBody::ConsentToApply {
        docket: draft,
        document: draft.0,
    };
    let office = it.world.staff(&it.requester, Role::SharingOfficeHead);
    let refused = it.world.act(county, &office, consent.clone());
    it.is_refused(refused);
    let claim = "逾期未答复".into();
    let raise = ActBody::RaiseDispute {
        docket: it.received,
        claim,
    };
    let refused = it.operator(raise);
    it.is_refused(refused);
    // Another place, or a superior.
    let up = ComplaintAct::PassOn {
        docket: complaint,
        to: Debtor::Authority(it.world.place(code(CITY))),
        note: None,
    };
    let refused = it.authority(Role::AuthorityReviewer, ActBody::Complaint(up));
    it.is_refused(refused);
    let report = IncidentReport {
        happened: "数据库被非法访问".into(),
        noticed: it.world.now,
        severity: Severity::General,
        grade: Grade::General,
        dockets: Vec::new(),
        entries: Vec::new(),
    };
    let report = ActBody::Incident(IncidentAct::Report(report));
    let refused = it.authority(Role::AuthorityHead, report);
    it.is_refused(refused);
    let before = events(&it.world, code(SIBLING), it.received).len();
    // What it publishes stands at home, and goes up when there is a link again.
    let second = entry(&it.provider, 2, "救助机构信息", conditional(), it.world.now);
    publish(&mut it.world, &it.provider, vec![second.clone()]);
    let known = |it: &CutOff, node: &str| {
        let id = &second.id;
        let found = query::published_entry(it.world.read(code(node)), county, id);
        found.expect("memory").is_some()
    };
    it.world.settle();
    assert!(known(&it, COUNTY) && !known(&it, CITY));
    it.world.certify_anew(county);
    it.world.settle();
    for node in [CITY, "440000", "100000"] {
        assert!(known(&it, node), "{node}");
    }
    assert_eq!(events(&it.world, code(SIBLING), it.received).len(), before);
    let office = it.world.staff(&it.requester, Role::SharingOfficeHead);
    it.world
        .act(county, &office, consent)
        .expect("a member again");
    it.world.settle();
    assert!(seen(&it.world, code(SIBLING), draft).is_some());
}

/// A call under a grant.
fn head(docket: DocketId) -> CallHead {
    CallHead {
        id: CallId(Digest::object(b"call")),
        docket,
        purpose: "社会救助资格核验".into(),
        fields: Vec::new(),
        method: CallMethod::Get,
        target: CallTarget::parse("/rows").expect("a path"),
        content_type: None,
        accept: None,
        body: false,
    }
}

/// A service granted to the requester by a provider.
fn granted_service(it: &mut CutOff, of: &Department, number: u32) -> DocketId {
    let mut service = entry(of, number, "低保对象核验服务", conditional(), it.world.now);
    service.methods = vec![Method::ServiceInterface];
    publish(&mut it.world, of, vec![service.clone()]);
    it.world.settle();
    let mut wanted = application(&it.world, &it.requester, of, &service);
    wanted.method = Method::ServiceInterface;
    let docket = apply(&mut it.world, &it.requester, wanted);
    it.world.settle();
    let mut agreed = grant(&it.world, &service);
    if let Reply::Grant { terms } = &mut agreed {
        terms.method = Method::ServiceInterface;
    }
    reply(&mut it.world, of, docket, agreed);
    let object = it.world.upload(of.node, "接口.json", b"{}");
    let operator = it.world.staff(of, Role::Operator);
    let provide = ActBody::Provide { docket, object };
    it.world.act(of.node, &operator, provide).expect("provided");
    it.world.settle();
    docket
}

#[test]
fn a_service_is_called_between_departments_of_a_node_that_was_cut_off_and_beyond_it_is_not() {
    let mut it = own(80);
    let county = code(COUNTY);
    let (here, away) = (it.provider.clone(), it.away.0.clone());
    let own = granted_service(&mut it, &here, 3);
    let beyond = granted_service(&mut it, &away, 3);
    it.is_cut_off();
    for side in [CallSide::Asked, CallSide::Answered] {
        let begun = it.world.begins_call(county, side, &head(own));
        assert_eq!(begun.expect("its own").docket, Some(own));
    }
    let refused = it.world.begins_call(county, CallSide::Asked, &head(beyond));
    it.is_refused(refused);
    assert!(
        findings(&it.world, county)
            .iter()
            .any(|it| it.contains("cut off"))
    );
}
