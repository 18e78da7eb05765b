//! R29: what a record of use says is given to the provider, the requester and its authority, to a superior on a recorded order, and to nobody else;
//! each reading is on record at every node that holds the docket.

use federation::core::{
    Allowed, Answer, Caller, ReadBy, ReadWhat, Refused, UseGiven, UsesGiven, query,
};
use guantong_tests::stage::Acting;
use guantong_tests::{Department, Person, World};
use identity::{Code, Path};
use sharing::act::ActBody;
use sharing::application::UseTexts;
use sharing::docket::{Case, DocketId};
use sharing::reading::{InspectionState, ReadingAct, ReadingOrder};
use statute::{Article, Reader, Refusal, RefusalReason, Role};

use crate::stage::{
    application, apply, circuit, code, conditional, demo, events, findings, grant, provider, reply,
    share, tells_use, use_record, use_texts,
};

pub(crate) struct Used {
    pub(crate) world: World,
    pub(crate) provider: Department,
    pub(crate) requester: Department,
    pub(crate) docket: DocketId,
}

/// 天河区 was granted data of 公安部, and recorded what it did with it.
pub(crate) fn used(seed: u64) -> Used {
    let mut world = demo(seed);
    let (ministry, entry) = provider(&mut world, "mps", conditional());
    let requester = world.department(code("440106"), 2, "政务服务数据管理局");
    let wanted = application(&world, &requester, &ministry, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let agreed = grant(&world, &entry);
    reply(&mut world, &ministry, docket, agreed);
    let object = world.upload(ministry.node, "低保对象.csv", b"code,name\n1,a\n");
    let operator = world.staff(&ministry, Role::Operator);
    let provided = ActBody::Provide { docket, object };
    world
        .act(ministry.node, &operator, provided)
        .expect("provided");
    world.settle();
    let user = world.staff(&requester, Role::Operator);
    let record = use_record(&mut world, requester.node);
    let act = ActBody::RecordUse { docket, record };
    world.act(requester.node, &user, act).expect("recorded");
    world.settle();
    Used {
        world,
        provider: ministry,
        requester,
        docket,
    }
}

impl Used {
    fn does(&mut self, node: Code, person: &Person, act: ReadingAct) -> Result<Answer, Refusal> {
        let answer = self.world.act(node, person, ActBody::Reading(act));
        self.world.settle();
        answer.map_err(|refused| match refused {
            Refused::Lawful(refusal) => refusal,
            other => panic!("{other}"),
        })
    }

    pub(crate) fn reads(
        &mut self,
        node: Code,
        person: &Person,
        docket: DocketId,
    ) -> Result<UsesGiven, Refusal> {
        let answer = self.does(node, person, ReadingAct::Read { docket, from: 0 })?;
        Ok(answer.uses.expect("a reading gives what was read"))
    }

    /// What a record that was given says, from the vault of the node that gave it.
    pub(crate) fn said(&self, node: Code, given: &UseGiven) -> Option<UseTexts> {
        let content = self.world.content(node, &given.record.said)?;
        given.record.texts(&content)
    }

    fn refused(&mut self, node: Code, person: &Person) {
        let docket = self.docket;
        let refusal = self.reads(node, person, docket).unwrap_err();
        assert_eq!(refusal.reason, RefusalReason::NotEntitledToRead, "{node}");
        assert_eq!(refusal.article, Article::R29);
    }

    /// As whom the docket says that it was read, as a node holds it.
    fn readers(&self, node: Code) -> Vec<Reader> {
        use sharing::application::ApplicationEvent::UsesRead;
        use sharing::docket::DocketBody::Application;
        let held = events(&self.world, node, self.docket);
        held.into_iter()
            .filter_map(|event| match event.body {
                Application(UsesRead { reader, .. }) => Some(reader),
                _ => None,
            })
            .collect()
    }

    /// The nodes of those who read a docket, newest first, as a node has it on record.
    pub(crate) fn on_record(&self, node: Code, of: DocketId) -> Vec<Code> {
        let readings = self
            .world
            .ask(node, |store| query::readings(store, None, 100));
        readings
            .into_iter()
            .filter_map(|it| match (it.by, it.what) {
                (ReadBy::Person(doer), ReadWhat::Uses { docket, .. }) if docket == of => {
                    Some(doer.node)
                }
                _ => None,
            })
            .collect()
    }

    pub(crate) fn order(
        &mut self,
        from: Code,
        reader: &Person,
        reason: &str,
    ) -> Result<DocketId, Refusal> {
        let head = self.world.authority_head(from);
        let order = ReadingOrder {
            about: self.docket,
            keeper: self.world.place(self.requester.node),
            reason: reason.into(),
            reader: reader.key.verify_key(),
        };
        let answer = self.does(from, &head, ReadingAct::Order(order))?;
        Ok(answer.docket.expect("a docket"))
    }

    pub(crate) fn inspection(&self, node: Code, docket: DocketId) -> Option<InspectionState> {
        let held = self.world.ask(node, |store| query::docket(store, docket))?;
        match held.docket.state.case {
            Case::Inspection(state) => Some(*state),
            _ => None,
        }
    }
}

/// Everything that a node's views of its dockets show.
fn shown(world: &World, node: Code) -> String {
    let dockets = world.ask(node, |store| query::dockets(store, None, 1_000));
    let mut text = String::new();
    for docket in dockets {
        let detail = world.ask(node, |store| query::docket(store, docket.id));
        text += &serde_json::to_string(&detail).expect("a view");
    }
    text
}

/// Everything that a node holds of its dockets.
fn kept(world: &World, node: Code) -> String {
    let dockets = world.ask(node, |store| query::dockets(store, None, 1_000));
    let copy = |id| world.ask(node, |store| query::docket_copy(store, id));
    let copies = dockets.iter().map(|docket| copy(docket.id));
    serde_json::to_string(&copies.collect::<Vec<_>>()).expect("copies")
}

#[test]
pub(crate) fn those_whom_the_law_names_read_on_record_and_others_are_refused() {
    let mut used = used(80);
    let (here, there, docket) = (used.requester.node, used.provider.node, used.docket);
    let keeper = used.world.staff(&used.requester, Role::SharingOfficeHead);
    let provider = used.world.staff(&used.provider, Role::SharingOfficeHead);
    let authority = used.world.authority(here, Role::AuthorityReviewer);
    for (node, person) in [(here, &keeper), (there, &provider), (here, &authority)] {
        let given = used.reads(node, person, docket).expect("entitled");
        assert_eq!(given.next, None);
        let [one] = given.uses.as_slice() else {
            panic!("{:?}", given.uses)
        };
        assert_eq!(one.by.node, here);
        assert_eq!(used.said(node, one), Some(use_texts()), "at {node}");
    }
    let entitled = vec![Reader::Keeper, Reader::Provider, Reader::SameLevelAuthority];
    for node in [here, there] {
        assert_eq!(used.readers(node), entitled, "as {node} holds it");
        assert_eq!(used.on_record(node, docket), [here, there, here], "{node}");
    }
    let neighbour = used.world.department(here, 3, "教育局");
    let other = used.world.staff(&neighbour, Role::SharingOfficeHead);
    let auditor = used.world.authority(here, Role::Auditor);
    let providers_authority = used.world.authority(there, Role::AuthorityReviewer);
    used.refused(here, &other);
    used.refused(here, &auditor);
    used.refused(there, &providers_authority);
    for elsewhere in ["440100", "440000", "210102", "210100"] {
        let head = used.world.authority_head(code(elsewhere));
        used.refused(code(elsewhere), &head);
    }
    assert_eq!(used.readers(there), entitled, "refusals are no readings");
    assert_eq!(used.on_record(here, docket).len(), 3);
}

#[test]
fn an_operator_does_not_read_and_a_reading_is_answered_once() {
    let mut used = used(81);
    let (there, docket) = (used.provider.node, used.docket);
    let operator = used.world.staff(&used.provider, Role::Operator);
    let read = ReadingAct::Read { docket, from: 0 };
    let refusal = used.does(there, &operator, read.clone()).unwrap_err();
    assert!(matches!(
        refusal.reason,
        RefusalReason::RoleNotEntitled { .. }
    ));
    assert_eq!(refusal.article, Article::R29);
    let office = used.world.staff(&used.provider, Role::SharingOfficeHead);
    let signed = used.world.sign(there, &office, ActBody::Reading(read));
    let first = used.world.post(there, &signed).expect("read");
    assert!(first.uses.is_some());
    let again = used.world.post(there, &signed).expect("taken before");
    assert!(again.repeated && again.uses.is_none(), "{again:?}");
    let after = ReadingAct::Read {
        docket,
        from: first.uses.unwrap().uses[0].sequence + 1,
    };
    let rest = used.does(there, &office, after).expect("read").uses;
    assert_eq!(rest.map(|given| given.uses.len()), Some(0));
}

#[test]
fn no_view_of_any_docket_at_any_node_says_what_a_record_of_use_says() {
    let mut used = used(82);
    let (here, there) = (used.requester.node, used.provider.node);
    let docket = used.docket;
    let user = used.world.staff(&used.requester, Role::Operator);
    let claim = "提供的数据项不全".into();
    let raise = ActBody::RaiseDispute { docket, claim };
    used.world.act(here, &user, raise).expect("raised");
    used.world.settle();
    let step = sharing::dispute::NegotiationStep {
        statement: "协商不成".into(),
        outcome: sharing::dispute::NegotiationOutcome::Failed,
    };
    let negotiate = ActBody::Negotiate { docket, step };
    let office = used.world.staff(&used.provider, Role::SharingOfficeHead);
    let failed = used.world.act(there, &office, negotiate);
    failed.expect("negotiated");
    used.world.settle();
    let reader = used
        .world
        .authority(code("440100"), Role::AuthorityReviewer);
    used.order(code("440100"), &reader, "专项检查")
        .expect("ordered");
    for node in [here, there, code("100000"), code("440100")] {
        let text = shown(&used.world, node);
        assert!(!text.is_empty(), "{node} holds a docket");
        assert!(!tells_use(&text), "at {node}");
        let kept = kept(&used.world, node);
        assert!(!tells_use(&kept), "no ledger at {node} says it either");
    }
    let hub = shown(&used.world, code("100000"));
    assert!(
        hub.contains(&docket.to_string()),
        "the hub hears the dispute"
    );
    for node in [here, there] {
        let held = used.world.ask(node, |store| query::docket(store, docket));
        let uses = held.expect("held").uses;
        let by: Vec<_> = uses.iter().filter_map(|it| it.by.as_ref()).collect();
        assert!(matches!(by.as_slice(), [one] if one.department == used.requester.code));
    }
}

#[test]
fn a_superior_reads_on_a_recorded_order_by_the_reader_it_names_and_the_keeper_sees_it() {
    let mut used = used(83);
    let (here, province) = (used.requester.node, code("440000"));
    let reader = used.world.authority(province, Role::AuthorityReviewer);
    used.refused(province, &reader);
    let inspection = used
        .order(province, &reader, "核查使用情况")
        .expect("ordered");
    for node in [here, province] {
        let state = used.inspection(node, inspection).expect("held");
        assert_eq!((state.attached, state.readings), (1, 0), "at {node}");
    }
    assert!(used.inspection(used.provider.node, inspection).is_none());
    let told = findings(&used.world, here);
    assert!(
        told.iter()
            .any(|it| it.contains("440000 ordered a reading")),
        "{told:?}"
    );
    let head = used.world.authority_head(province);
    let keepers = used.world.authority(here, Role::AuthorityReviewer);
    for (node, person) in [(province, &head), (here, &keepers)] {
        let refusal = used.reads(node, person, inspection).unwrap_err();
        assert_eq!(refusal.reason, RefusalReason::NotEntitledToRead, "{node}");
        assert_eq!(refusal.article, Article::R29);
    }
    let given = used.reads(province, &reader, inspection).expect("named");
    assert_eq!(given.uses.len(), 1);
    assert_eq!(used.said(province, &given.uses[0]), Some(use_texts()));
    for node in [here, province] {
        assert_eq!(used.inspection(node, inspection).unwrap().readings, 1);
        assert_eq!(used.on_record(node, inspection), [province], "at {node}");
    }
    used.refused(province, &reader);
}

#[test]
fn a_sibling_and_an_order_without_reason_are_refused_and_so_is_one_about_another_docket() {
    let mut used = used(84);
    let (city, sibling) = (code("440100"), code("210100"));
    let reader = used.world.authority(sibling, Role::AuthorityReviewer);
    let refusal = used.order(sibling, &reader, "检查").unwrap_err();
    assert!(matches!(
        refusal.reason,
        RefusalReason::NotTheSupervisor { .. }
    ));
    assert_eq!(refusal.article, Article::R29);
    let own = used
        .world
        .authority(used.requester.node, Role::AuthorityReviewer);
    let refusal = used.order(used.requester.node, &own, "检查").unwrap_err();
    assert!(matches!(
        refusal.reason,
        RefusalReason::NotTheSupervisor { .. }
    ));
    let reader = used.world.authority(city, Role::AuthorityReviewer);
    let refusal = used.order(city, &reader, " ").unwrap_err();
    assert_eq!(refusal.reason, RefusalReason::ReasonsRequired);
    assert_eq!(refusal.article, Article::R29);
    let reviewer = ActBody::Reading(ReadingAct::Order(ReadingOrder {
        about: used.docket,
        keeper: used.world.place(used.requester.node),
        reason: "检查".into(),
        reader: reader.key.verify_key(),
    }));
    let refused = used.world.act(city, &reader, reviewer);
    assert!(
        matches!(&refused, Err(Refused::Lawful(it)) if matches!(it.reason, RefusalReason::RoleNotEntitled { .. })),
        "{refused:?}"
    );
    // A keeper that the order names and that keeps no such records refuses it when it arrives.
    let head = used.world.authority_head(code("440000"));
    let elsewhere: Path = used.world.place(city);
    let order = ReadingOrder {
        about: used.docket,
        keeper: elsewhere,
        reason: "检查".into(),
        reader: reader.key.verify_key(),
    };
    let sent = used.does(code("440000"), &head, ReadingAct::Order(order));
    let inspection = sent.expect("sent").docket.expect("a docket");
    assert!(used.inspection(city, inspection).is_none());
    let told = findings(&used.world, code("440000"));
    assert!(
        told.iter().any(|it| it.contains("refused an act")),
        "{told:?}"
    );
}

#[test]
pub(crate) fn whoever_carries_data_reads_none_of_it_and_a_program_reads_no_file_without_a_trace() {
    let mut world = demo(85);
    let (ministry, entry) = provider(&mut world, "mps", conditional());
    let requester = world.department(code("440106"), 2, "政务服务数据管理局");
    let (docket, object) = share(&mut world, &requester, &ministry, &entry);
    let here = requester.node;
    let content = world.object(here, &object.digest).expect("held").to_vec();
    for between in ["440100", "440000", "100000"] {
        let between = code(between);
        assert!(!world.keeps(between, &content), "{between} only forwards");
        let refused = circuit(&world, (between, ministry.node), docket, &object).unwrap_err();
        assert!(matches!(
            (refused.reason, refused.article),
            (RefusalReason::UnknownDocket { .. }, Article::R22)
        ));
    }
    let by = Caller {
        token: identity::Digest::object(b"token"),
        allowed: Allowed::Viewer,
        note: "运维单位".into(),
    };
    world
        .read_object(here, object.digest, &by)
        .expect("may be read");
    let readings = world.ask(here, |store| query::readings(store, None, 10));
    let traced = readings.iter().any(|it| {
        it.by == ReadBy::Program(by.clone())
            && it.what
                == ReadWhat::Object {
                    digest: object.digest,
                }
    });
    assert!(traced, "a file was read without a trace");
}
