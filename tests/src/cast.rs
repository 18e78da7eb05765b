//! Who acts: departments and their people, with keys that derive from their names.

use identity::{Code, CreditCode, Digest, Domain, Moment, Signed, SigningKey};
use sharing::act::{Act, ActBody, SignedAct};
use sharing::catalogue::{Assessment, DataItem, Entry};
use sharing::person::{PersonCertificate, PersonChain, authority_head_certificate, enrol};
use statute::{ClassTerms, Grade, Method, Role, UpdateFrequency};

/// The key of a name.
pub fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(*Digest::of(Domain::Id, name.as_bytes()).as_bytes())
}

/// A synthetic credit code with a right check character, from eight letters or digits that tell departments apart.
pub fn credit_code(division: &str, body: u32) -> CreditCode {
    let division = if division.len() == 6 && division.bytes().all(|byte| byte.is_ascii_digit()) {
        division
    } else {
        "100000"
    };
    CreditCode::compute(&format!("11{division}{body:09}")).expect("a well-formed synthetic code")
}

/// A department and the node that hosts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    /// Its code.
    pub code: CreditCode,
    /// Its name.
    pub name: String,
    /// Where it is hosted.
    pub node: Code,
}

/// A person who can sign: the key and the chain that says who it is.
#[derive(Debug, Clone)]
pub struct Person {
    /// The person's own key.
    pub key: SigningKey,
    /// From the authority's head down.
    pub chain: PersonChain,
}

/// Days for which terms of office are the same, so that a person has one certificate for all of them.
const SAME_TERM_DAYS: i64 = 100;

/// Terms of office around a moment.
fn term(now: Moment) -> (Moment, Moment) {
    let span = SAME_TERM_DAYS * 86_400_000;
    let now = Moment::from_millis(now.as_millis().div_euclid(span) * span);
    (now.plus_days(-400), now.plus_days(4_000))
}

impl Person {
    /// The head of a place's authority. For a ministry the key is the national authority's (R16).
    pub fn authority_head(node: Code, authority: CreditCode, now: Moment) -> Self {
        let key = authority_head_key(node);
        let chain = PersonChain(vec![authority_head_certificate(
            "主管部门负责人",
            authority,
            node,
            term(now),
            &key,
        )]);
        Self { key, chain }
    }

    /// Someone whom this person enrols.
    pub fn enrols(
        &self,
        name: &str,
        role: Role,
        department: CreditCode,
        node: Code,
        now: Moment,
    ) -> Self {
        let key = key(&format!("{node} {department} {role:?} {name}"));
        let (term_from, term_until) = term(now);
        let certificate = PersonCertificate {
            key: key.verify_key(),
            name: name.to_owned(),
            role,
            department,
            node,
            term_from,
            term_until,
        };
        let chain = self.chain.with(enrol(&certificate, &self.key));
        Self { key, chain }
    }
}

impl Person {
    /// Someone of a place's authority itself.
    pub fn of_authority(node: Code, role: Role, now: Moment) -> Self {
        let authority = credit_code(node.as_str(), 1);
        Self::authority_head(node, authority, now).enrols(role.zh(), role, authority, node, now)
    }

    /// Someone of a department.
    pub fn of(department: &Department, role: Role, now: Moment) -> Self {
        let (code, node) = (department.code, department.node);
        let authority = Self::authority_head(node, credit_code(node.as_str(), 1), now);
        let head = authority.enrols("部门负责人", Role::DepartmentHead, code, node, now);
        if role == Role::DepartmentHead {
            head
        } else {
            head.enrols(role.zh(), role, code, node, now)
        }
    }

    /// Signs an act, on the person's side.
    pub fn sign(&self, node: Code, at: Moment, nonce: [u8; 16], body: ActBody) -> SignedAct {
        let act = Act {
            nonce,
            at,
            node,
            body,
        };
        SignedAct {
            act: Signed::sign(&act, Domain::Act, &self.key),
            signer: self.chain.clone(),
        }
    }
}

impl Department {
    /// A department hosted on a node; numbers tell those of one node apart.
    pub fn hosted(node: Code, number: u32, name: &str) -> Self {
        Self {
            code: credit_code(node.as_str(), 100 + number),
            name: name.to_owned(),
            node,
        }
    }
}

/// The key of a place's authority head; of all ministries the hub's.
pub fn authority_head_key(node: Code) -> SigningKey {
    let place = if node.is_label() { Code::HUB } else { node };
    key(&format!("authority head {place}"))
}

/// A lawful entry of a department.
pub fn entry(
    department: &Department,
    serial: u32,
    name: &str,
    terms: ClassTerms,
    now: Moment,
) -> Entry {
    let item = |name: &str, kind: &str| DataItem {
        name: name.to_owned(),
        kind: kind.to_owned(),
        grade: Grade::General,
    };
    Entry {
        id: format!("3/{}/{serial:06}", &department.code.as_str()[2..8])
            .parse()
            .expect("a well-formed entry code"),
        version: 1,
        name: name.to_owned(),
        summary: format!("{name}，由{}依职责收集。", department.name),
        provider: department.code,
        provider_name: department.name.clone(),
        items: vec![
            item("统一社会信用代码", "C18"),
            item("名称", "C200"),
            item("登记日期", "D"),
        ],
        format: "CSV".into(),
        frequency: UpdateFrequency::Daily,
        terms,
        methods: vec![Method::FileDownload, Method::BatchExchange],
        grade: Grade::General,
        personal_information: false,
        secrecy_assessment: Assessment::Done {
            by: "保密办".into(),
            on: now,
            conclusion: "不涉密".into(),
        },
        privacy_assessment: Assessment::NotApplicable {
            reason: "不含个人信息".into(),
        },
        collection: None,
    }
}
