//! R22, R25, R31: a service that a platform had before stands in the catalogue of all, and is called under a grant of service within the granted
//! purpose and items; both ends judge alike.

use federation::core::authorise_call;
use federation::service::{CallHead, CallId, CallMethod, CallTarget};
use guantong_tests::{Department, World, entry};
use identity::Digest;
use sharing::act::ActBody;
use sharing::application::Reply;
use sharing::docket::DocketId;
use statute::{Article, Method, RefusalReason, Role};

use crate::stage::{
    application, apply, code, conditional, demo, grant, provider, publish, reply, share,
};

const PURPOSE: &str = "社会救助资格核验";

/// A service of a platform of 和平区 that 天河区 was granted.
fn granted(seed: u64) -> (World, [Department; 2], DocketId) {
    let mut world = demo(seed);
    let provider = Department::hosted(code("210102"), 1, "民政局");
    let mut service = entry(&provider, 1, "低保对象核验服务", conditional(), world.now);
    service.methods = vec![Method::ServiceInterface];
    publish(&mut world, &provider, vec![service.clone()]);
    let requester = world.department(code("440106"), 2, "民政局");
    let mut wanted = application(&world, &requester, &provider, &service);
    wanted.method = Method::ServiceInterface;
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let Reply::Grant { mut terms } = grant(&world, &service) else {
        panic!("a grant")
    };
    terms.method = Method::ServiceInterface;
    terms.items.truncate(2);
    reply(&mut world, &provider, docket, Reply::Grant { terms });
    let object = world.upload(provider.node, "接口说明.txt", b"GET /rows");
    let operator = world.staff(&provider, Role::Operator);
    let provide = ActBody::Provide { docket, object };
    world
        .act(provider.node, &operator, provide)
        .expect("provided");
    world.settle();
    (world, [requester, provider], docket)
}

/// What both ends make of a call, which is the same: the items of the answer.
fn calls(
    world: &World,
    ends: &[Department; 2],
    docket: DocketId,
    (purpose, fields): (&str, &[&str]),
) -> Result<Vec<String>, (RefusalReason, Article)> {
    let head = CallHead {
        id: CallId(Digest::object(b"call")),
        docket,
        purpose: purpose.to_owned(),
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
        method: CallMethod::Get,
        target: CallTarget::parse("/rows").expect("a path"),
        content_type: None,
        accept: None,
        body: false,
    };
    let caller = world.place(ends[0].node);
    let [asked, answered] = [&ends[0], &ends[1]].map(|end| {
        authorise_call(world.read(end.node), &caller, &head, world.now)
            .expect("memory")
            .map(|grant| grant.items)
            .map_err(|refusal| (refusal.reason, refusal.article))
    });
    assert_eq!(asked, answered, "both ends judge alike");
    answered
}

#[test]
pub(crate) fn a_service_is_called_for_the_granted_purpose_and_items_alone() {
    let (world, ends, docket) = granted(86);
    let items = ["统一社会信用代码", "名称"];
    let lawful = calls(&world, &ends, docket, (PURPOSE, &["名称"]));
    assert_eq!(lawful, Ok(vec!["名称".to_owned()]));
    let all = calls(&world, &ends, docket, (PURPOSE, &[]));
    assert_eq!(all, Ok(items.map(String::from).to_vec()));
    let asked = "信用评级".to_owned();
    assert_eq!(
        calls(&world, &ends, docket, (&asked, &["名称"])),
        Err((
            RefusalReason::PurposeExceeded {
                asked: asked.clone()
            },
            Article::R25
        ))
    );
    let asked = "登记日期".to_owned();
    assert_eq!(
        calls(&world, &ends, docket, (PURPOSE, &[&asked])),
        Err((
            RefusalReason::ScopeExceeded {
                asked: asked.clone()
            },
            Article::R25
        ))
    );
}

#[test]
pub(crate) fn a_platforms_service_is_called_under_a_grant_of_service_alone() {
    let (world, ends, docket) = granted(87);
    let lawful = calls(&world, &ends, docket, (PURPOSE, &[]));
    assert!(lawful.is_ok(), "{lawful:?}");
    let mut world = demo(88);
    let (department, files) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let (docket, _) = share(&mut world, &requester, &department, &files);
    let ends = [requester, department];
    let reason = RefusalReason::MethodNotGranted {
        granted: Method::FileDownload,
        asked: Method::ServiceInterface,
    };
    assert_eq!(
        calls(&world, &ends, docket, (PURPOSE, &[])),
        Err((reason, Article::R22))
    );
}
