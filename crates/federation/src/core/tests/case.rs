//! A case to play through: a department of 广州市 applies to one of 辽宁省.

use identity::CreditCode;
use sharing::act::{Act, ActBody, SignedAct};
use sharing::application::{Application, Material};
use sharing::catalogue::{Assessment, DataItem, Entry, ReviewVerdict};
use sharing::docket::DocketId;
use sharing::person::{PersonCertificate, PersonChain, authority_head_certificate, enrol};
use statute::{ApplicationMaterial, ClassTerms, Grade, Method, Role, UpdateFrequency};

use super::*;
use crate::core::{Answer, Refused};

fn department(place: &str) -> CreditCode {
    let division = code(place).to_string();
    CreditCode::compute(&format!("11{division}007512345")).unwrap()
}

fn person(place: &str, role: Role) -> (SigningKey, PersonChain) {
    let (node, department) = (code(place), department(place));
    let term = (NOW.plus_days(-400), NOW.plus_days(900));
    let head = key(&format!("head {node}"));
    let top = authority_head_certificate("主任", department, node, term, &head);
    let mut chain = PersonChain(vec![top]);
    let mut by = head;
    let line: &[Role] = match role {
        Role::AuthorityHead => &[],
        Role::Operator | Role::SharingOfficeHead => &[Role::DepartmentHead, role],
        _ => &[role],
    };
    for role in line {
        let own = key(&format!("{node} {role:?}"));
        let certificate = PersonCertificate {
            key: own.verify_key(),
            name: format!("{}张三", role.zh()),
            role: *role,
            department,
            node,
            term_from: term.0,
            term_until: term.1,
        };
        chain = chain.with(enrol(&certificate, &by));
        by = own;
    }
    (by, chain)
}

/// A person of a place's department signs.
pub(super) fn sign(place: &str, role: Role, nonce: u8, body: ActBody) -> SignedAct {
    let (key, signer) = person(place, role);
    let act = Act {
        nonce: [nonce; 16],
        at: NOW,
        node: code(place),
        body,
    };
    SignedAct {
        act: Signed::sign(&act, Domain::Act, &key),
        signer,
    }
}

/// A person of a place's department acts there.
pub(super) fn act(
    net: &mut Net,
    place: &str,
    role: Role,
    body: ActBody,
) -> Result<Answer, Refused> {
    let act = Box::new(sign(place, role, 1, body));
    let token = Token(77);
    net.input(code(place), Input::Act { token, act });
    let answered = |effect: &(Code, Effect)| match &effect.1 {
        Effect::Answer {
            token: Token(77),
            answer,
        } => Some(answer.clone()),
        _ => None,
    };
    let answer = net.effects.iter().rev().find_map(answered).unwrap();
    net.settle();
    answer
}

pub(in crate::core) fn entry(items: Vec<DataItem>) -> Entry {
    Entry {
        id: "3/210000/000001".parse().unwrap(),
        version: 1,
        name: "个体工商户登记信息".into(),
        summary: "在册个体工商户，依职责收集。".into(),
        provider: department(LIAONING),
        provider_name: "市场监督管理局".into(),
        items,
        format: "CSV".into(),
        frequency: UpdateFrequency::Daily,
        terms: ClassTerms::Unconditional,
        methods: vec![Method::FileDownload],
        grade: Grade::General,
        personal_information: false,
        secrecy_assessment: Assessment::Done {
            by: "保密办".into(),
            on: NOW,
            conclusion: "不涉密".into(),
        },
        privacy_assessment: Assessment::NotApplicable {
            reason: "不含个人信息".into(),
        },
        collection: None,
    }
}

pub(in crate::core) fn item(name: &str) -> DataItem {
    DataItem {
        name: name.to_owned(),
        kind: "C200".into(),
        grade: Grade::General,
    }
}

pub(super) fn application(text: &str) -> Application {
    let material = |kind: &ApplicationMaterial| Material {
        kind: *kind,
        text: text.to_owned(),
    };
    Application {
        requester: department(GUANGZHOU),
        requester_name: "民政局".into(),
        provider_node: path(LIAONING),
        entry: "3/210000/000001".parse().unwrap(),
        entry_version: 1,
        items: vec!["名称".into()],
        materials: ApplicationMaterial::ALL.iter().map(material).collect(),
        until: Some(NOW.plus_days(365)),
        method: Method::FileDownload,
    }
}

/// The federation of four, linked, with the provider's entry published.
pub(super) fn federation() -> Net {
    let mut net = Net::new(&[HUB, GUANGDONG, GUANGZHOU, LIAONING]);
    for (below, above) in [(GUANGZHOU, GUANGDONG), (GUANGDONG, HUB), (LIAONING, HUB)] {
        let child = chain(below);
        net.batch(code(above), |_, ctx| {
            ctx.record(&crate::core::Record::Certified {
                chain: child.clone(),
                at: NOW,
            })
        });
        net.batch(code(above), |core, ctx| {
            core.publish(
                ctx,
                vec![sharing::catalogue::Change::MemberCertified { chain: child }],
            )
        });
    }
    for (below, above) in [(GUANGZHOU, GUANGDONG), (GUANGDONG, HUB), (LIAONING, HUB)] {
        net.link(below, above);
    }
    let entry = entry(vec![item("名称")]);
    let version = vec![entry.version_ref()];
    for (role, body) in [
        (
            Role::Operator,
            ActBody::CompileEntries {
                entries: vec![entry],
            },
        ),
        (
            Role::DepartmentHead,
            ActBody::ApproveEntries {
                entries: version.clone(),
            },
        ),
        (
            Role::Operator,
            ActBody::SubmitEntries {
                entries: version.clone(),
            },
        ),
        (
            Role::AuthorityReviewer,
            ActBody::ReviewEntries {
                entries: version,
                verdict: ReviewVerdict::Publish,
            },
        ),
    ] {
        act(&mut net, LIAONING, role, body).unwrap();
    }
    net
}

/// Drafts and consents.
pub(super) fn apply(net: &mut Net, application: Application) -> DocketId {
    let drafted = act(
        net,
        GUANGZHOU,
        Role::Operator,
        ActBody::Apply { application },
    )
    .unwrap();
    let docket = drafted.docket.unwrap();
    let consent = ActBody::ConsentToApply {
        docket,
        document: docket.0,
    };
    act(net, GUANGZHOU, Role::SharingOfficeHead, consent).unwrap();
    docket
}
