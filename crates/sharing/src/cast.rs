//! The cast of the tests: nodes with their membership chains, departments with their people, all keys derived from names.

use identity::{
    Certificate, Chain, Code, CreditCode, Digest, Domain, EnrolmentRequest, Level, Moment, Path,
    Signed, SigningKey, Terms, VerifyKey, issue, issue_hub,
};
use statute::{ApplicationMaterial, ClassTerms, Grade, Method, Role, UpdateFrequency};

use crate::act::{Act, ActBody, SignedAct, VerifiedAct};
use crate::application::{Application, Material};
use crate::catalogue::{Assessment, DataItem, Entry, PublishedEntry};
use crate::person::{PersonCertificate, PersonChain, authority_head_certificate, enrol};

/// 2026-03-02T02:00Z, a Monday morning in Beijing.
pub(crate) const NOW: Moment = Moment::from_millis(1_772_416_800_000);
pub(crate) const HUB: &str = "100000";
pub(crate) const TIANHE: &str = "100000/440000/440100/440106";
pub(crate) const HEPING: &str = "100000/210000/210100/210102";
pub(crate) const GUANGZHOU: &str = "100000/440000/440100";

/// The key of a name.
pub(crate) fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(*Digest::of(Domain::Id, name.as_bytes()).as_bytes())
}

pub(crate) fn root() -> VerifyKey {
    key("root").verify_key()
}

pub(crate) fn path(text: &str) -> Path {
    text.parse().unwrap()
}

/// Terms of office and certificates run a thousand days around [`NOW`].
pub(crate) fn term() -> (Moment, Moment) {
    (NOW.plus_days(-1_000), NOW.plus_days(1_000))
}

/// The key by which a node signs.
pub(crate) fn node_key(code: Code) -> SigningKey {
    key(&format!("node {code}"))
}

fn request(code: Code, level: Level) -> Signed<EnrolmentRequest> {
    let key = node_key(code);
    let request = EnrolmentRequest {
        code,
        name: format!("节点{code}"),
        level,
        signing_key: key.verify_key(),
        transport_key: [7; 32],
        sealing_key: identity::OpeningKey::from_seed(1, [9; 32]).sealing_key(Moment::MAX),
        authority_head: self::key(&format!("head {code}")).verify_key(),
        created: NOW,
    };
    request.sign(&key)
}

fn terms(serial: u64) -> Terms {
    Terms {
        serial,
        epoch: 1,
        witnesses: vec![],
        valid_from: term().0,
        valid_until: term().1,
    }
}

/// The membership chain of a place.
pub(crate) fn membership(place: &Path) -> Chain {
    let mut chain = Chain::new(vec![
        issue_hub(&request(Code::HUB, Level::Hub), &key("root"), terms(1)).unwrap(),
    ]);
    let levels = [Level::Province, Level::Prefecture, Level::County];
    for (serial, (code, level)) in (2..).zip(place.codes().iter().skip(1).zip(levels)) {
        let level = if code.is_label() {
            Level::Ministry
        } else {
            level
        };
        let parent = chain.verify(&root(), NOW, &|_, _| false).unwrap();
        let issued = issue(
            &request(*code, level),
            parent.certificate(),
            &node_key(parent.code()),
            terms(serial),
        )
        .unwrap();
        chain = chain.with(issued);
    }
    chain
}

/// The membership certificate of a place.
pub(crate) fn certificate(place: &Path) -> Certificate {
    membership(place)
        .verify(&root(), NOW, &|_, _| false)
        .unwrap()
        .certificate()
        .clone()
}

/// A department and its people.
#[derive(Debug, Clone)]
pub(crate) struct Department {
    pub(crate) place: Path,
    pub(crate) code: CreditCode,
    pub(crate) node: Certificate,
}

impl Department {
    /// The department whose credit code begins with these 17 characters.
    pub(crate) fn new(place: &str, code: &str) -> Self {
        let place = path(place);
        let node = certificate(&place);
        Self {
            place,
            code: CreditCode::compute(code).unwrap(),
            node,
        }
    }

    pub(crate) fn authority_head(&self) -> Signed<PersonCertificate> {
        let key = key(&format!("head {}", self.place.code()));
        authority_head_certificate("主任", self.code, self.place.code(), term(), &key)
    }

    /// The key of the department's person in a role.
    pub(crate) fn key(&self, role: Role) -> SigningKey {
        match role {
            Role::AuthorityHead => key(&format!("head {}", self.place.code())),
            _ => key(&format!("{} {role}", self.code)),
        }
    }

    pub(crate) fn person(&self, role: Role) -> PersonCertificate {
        PersonCertificate {
            key: self.key(role).verify_key(),
            name: format!("{}张三", role.zh()),
            role,
            department: self.code,
            node: self.place.code(),
            term_from: term().0,
            term_until: term().1,
        }
    }

    /// The chain of the department's person in a role.
    pub(crate) fn chain(&self, role: Role) -> PersonChain {
        let head = PersonChain(vec![self.authority_head()]);
        let by = |enroller: Role, role| enrol(&self.person(role), &self.key(enroller));
        match role {
            Role::AuthorityHead => head,
            Role::Operator | Role::SharingOfficeHead => head
                .with(by(Role::AuthorityHead, Role::DepartmentHead))
                .with(by(Role::DepartmentHead, role)),
            Role::DepartmentHead | Role::AuthorityReviewer | Role::Government | Role::Auditor => {
                head.with(by(Role::AuthorityHead, role))
            }
        }
    }

    pub(crate) fn sign(&self, role: Role, body: ActBody) -> SignedAct {
        let act = Act {
            nonce: [1; 16],
            at: NOW,
            node: self.place.code(),
            body,
        };
        SignedAct {
            act: Signed::sign(&act, Domain::Act, &self.key(role)),
            signer: self.chain(role),
        }
    }

    /// The person in this role does this, and it is proved.
    pub(crate) fn act(&self, role: Role, body: ActBody) -> VerifiedAct {
        self.sign(role, body).verify(&self.node, NOW).unwrap()
    }
}

/// The requesting department: 天河区民政局.
pub(crate) fn requester() -> Department {
    Department::new(TIANHE, "11440106007512345")
}

/// The providing department: 和平区市场监管局.
pub(crate) fn provider() -> Department {
    Department::new(HEPING, "11210102001234567")
}

/// The competent authority of the hub.
pub(crate) fn hub_authority() -> Department {
    Department::new(HUB, "11100000000013049")
}

pub(crate) fn unconditional() -> ClassTerms {
    ClassTerms::Unconditional
}

pub(crate) fn conditional() -> ClassTerms {
    ClassTerms::Conditional {
        scope: vec!["县级以上民政部门".into()],
        uses: vec!["社会救助核对".into()],
        conditions: vec!["仅限核验".into()],
    }
}

/// An entry of the provider.
pub(crate) fn entry(terms: ClassTerms) -> Entry {
    let item = |name: &str, grade| DataItem {
        name: name.into(),
        kind: "C50".into(),
        grade,
    };
    Entry {
        id: "210102/SCJG/0001".parse().unwrap(),
        version: 1,
        name: "个体工商户登记信息".into(),
        summary: "本区在册个体工商户".into(),
        provider: provider().code,
        provider_name: "和平区市场监督管理局".into(),
        items: vec![
            item("字号名称", Grade::General),
            item("经营者姓名", Grade::Important),
        ],
        format: "CSV".into(),
        frequency: UpdateFrequency::Daily,
        terms,
        methods: vec![Method::FileDownload, Method::ServiceInterface],
        grade: Grade::Important,
        personal_information: true,
        secrecy_assessment: done(),
        privacy_assessment: done(),
        collection: None,
    }
}

pub(crate) fn done() -> Assessment {
    Assessment::Done {
        by: "李四".into(),
        on: NOW,
        conclusion: "不涉密，风险可控".into(),
    }
}

pub(crate) fn published(terms: ClassTerms) -> PublishedEntry {
    PublishedEntry {
        publisher: path(HEPING),
        published_at: NOW,
        entry: entry(terms),
    }
}

pub(crate) fn material(kind: ApplicationMaterial, text: &str) -> Material {
    Material {
        kind,
        text: text.into(),
    }
}

/// A complete application for both items.
pub(crate) fn application() -> Application {
    Application {
        requester: requester().code,
        requester_name: "天河区民政局".into(),
        provider_node: path(HEPING),
        entry: "210102/SCJG/0001".parse().unwrap(),
        entry_version: 1,
        items: vec!["字号名称".into(), "经营者姓名".into()],
        materials: ApplicationMaterial::ALL
            .iter()
            .map(|kind| match kind {
                ApplicationMaterial::Scenario => material(*kind, "社会救助核对"),
                _ => material(*kind, kind.zh()),
            })
            .collect(),
        until: Some(NOW.plus_days(365)),
        method: Method::FileDownload,
    }
}
