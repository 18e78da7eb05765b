//! People, their roles and terms: who signed an act, and whether that person could.
//!
//! ```text
//! membership certificate of the node (names the 主管部门负责人's key, signed by the parent authority)
//!   └─ authority head (self-signed certificate of the same key)
//!        ├─ authority's reviewer, government, auditor
//!        └─ department head ── operator, head of the sharing office
//! ```
//!
//! The node's own key appears nowhere in it: a node cannot invent a person.

use std::collections::BTreeSet;

use identity::planted::{self, Bug};
use identity::{Certificate, Code, CreditCode, Domain, Moment, Signed, SigningKey, VerifyKey};
use serde::{Deserialize, Serialize};
use statute::{ActKind, Article, EndReason, Refusal, RefusalReason, Role};

use crate::act::Doer;

/// Most links in a person's chain: authority head, department head, the person.
pub const MAX_PERSON_CHAIN: usize = 3;

/// Binds a person's key to name, role, department and term of office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonCertificate {
    /// The person's own key.
    pub key: VerifyKey,
    /// Name, as in the personnel register.
    pub name: String,
    /// Role (one key, one role).
    pub role: Role,
    /// The department the person acts for.
    pub department: CreditCode,
    /// The node that hosts the department.
    pub node: Code,
    /// The term of office begins.
    pub term_from: Moment,
    /// The term of office ends.
    pub term_until: Moment,
}

/// From the authority's head down to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonChain(pub Vec<Signed<PersonCertificate>>);

/// Longest name of a person, in characters: names of minorities written out in full fit several times.
pub const MAX_PERSON_NAME_CHARS: usize = 64;
/// Most bytes of an encoded certificate: a key, 256 bytes of name, codes and two times come to under 400.
pub const MAX_PERSON_CERTIFICATE_BYTES: usize = 1_024;

/// Why a chain proves no person. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonError {
    /// Empty, or longer than [`MAX_PERSON_CHAIN`].
    #[error("人员证书链有 {0} 级，应为 1 至 3 级 (length of a person's chain)")]
    Length(usize),
    /// A certificate that is none, or breaks a rule by itself.
    #[error("人员证书链第 {position} 级格式错误：{defect} (malformed certificate)")]
    Malformed {
        /// Which certificate, the authority head's being 1.
        position: usize,
        /// What is wrong.
        defect: String,
    },
    /// The first certificate is not that of the authority head whom the membership certificate names.
    #[error(
        "人员证书链不始于本节点的主管部门负责人 (chain does not begin at the node's authority head)"
    )]
    WrongRoot,
    /// Not signed by the person above.
    #[error("人员证书链第 {position} 级签名无效 (bad signature)")]
    BadSignature {
        /// Which certificate.
        position: usize,
    },
    /// It is a certificate for another node.
    #[error("人员证书属于节点 {found}，不属于 {expected} (another node)")]
    AnotherNode {
        /// The node of the membership certificate.
        expected: Code,
        /// The node it names.
        found: Code,
    },
    /// The person above may not enrol this role.
    #[error("“{}”不得登记“{}” (role may not enrol)", .enroller.zh(), .enrolled.zh())]
    MayNotEnrol {
        /// Role of the person above.
        enroller: Role,
        /// Role enrolled.
        enrolled: Role,
    },
    /// The person above enrols for its own department only.
    #[error("部门负责人只能登记本部门人员 (another department)")]
    AnotherDepartment,
    /// One key serves two persons or roles.
    #[error("一把密钥只能有一个角色 (one key, one role)")]
    KeyTwice,
    /// A term of office does not cover the time.
    #[error("{0}")]
    Refused(Refusal),
}

/// Whether a person of one role enrols persons of another (R11): the authority's head its own staff, the government, auditors and the heads
/// of departments; the head of a department its operators and the head of its sharing office.
pub fn enrols(enroller: Role, enrolled: Role) -> bool {
    match enroller {
        Role::AuthorityHead => matches!(
            enrolled,
            Role::DepartmentHead | Role::AuthorityReviewer | Role::Government | Role::Auditor
        ),
        Role::DepartmentHead => matches!(enrolled, Role::Operator | Role::SharingOfficeHead),
        Role::Operator
        | Role::SharingOfficeHead
        | Role::AuthorityReviewer
        | Role::Government
        | Role::Auditor => false,
    }
}

/// Whether staff of this role belong to the department of whoever enrolled them.
fn shares_department(enrolled: Role) -> bool {
    match enrolled {
        Role::Operator | Role::SharingOfficeHead | Role::AuthorityReviewer => true,
        Role::DepartmentHead | Role::AuthorityHead | Role::Government | Role::Auditor => false,
    }
}

/// That a person's enrolment was ended before its term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Why.
    pub reason: EndReason,
    /// From when on. What was accepted before stands.
    pub at: Moment,
}

/// An enrolment is ended by whoever in office may enrol that role, for its own department where the role belongs to one (R11). Of a key that was
/// never put on record the role is not known: the authority's head, under whom everyone here stands, may end it.
///
/// # Errors
/// `RoleNotEntitled`, `NotYourDepartment`; R11.
pub fn check_may_end(by: &Doer, person: Option<&PersonCertificate>) -> Result<(), Refusal> {
    let entitled = person.map_or(by.role == Role::AuthorityHead, |it| {
        enrols(by.role, it.role)
    });
    if !entitled {
        let (role, act) = (by.role, ActKind::RevokePerson);
        return Err(RefusalReason::RoleNotEntitled { role, act }.under(Article::R11));
    }
    let foreign =
        |it: &PersonCertificate| shares_department(it.role) && it.department != by.department;
    if person.is_some_and(foreign) {
        return Err(RefusalReason::NotYourDepartment.under(Article::R11));
    }
    Ok(())
}

/// The certificate that the head of a competent authority makes for its own key. It counts because the node's membership certificate, signed by
/// the parent authority, names that key.
pub fn authority_head_certificate(
    name: &str,
    department: CreditCode,
    node: Code,
    term: (Moment, Moment),
    key: &SigningKey,
) -> Signed<PersonCertificate> {
    let certificate = PersonCertificate {
        key: key.verify_key(),
        name: name.to_owned(),
        role: Role::AuthorityHead,
        department,
        node,
        term_from: term.0,
        term_until: term.1,
    };
    enrol(&certificate, key)
}

/// Signs a person's certificate with the key of whoever enrols.
pub fn enrol(certificate: &PersonCertificate, enroller: &SigningKey) -> Signed<PersonCertificate> {
    Signed::sign(certificate, Domain::Person, enroller)
}

impl PersonCertificate {
    /// Whether the term of office covers a moment, both ends included.
    pub fn is_in_office(&self, at: Moment) -> bool {
        self.term_from <= at && at <= self.term_until
    }

    fn defect(&self) -> Option<&'static str> {
        let length = self.name.chars().count();
        if self.name.trim().is_empty()
            || length > MAX_PERSON_NAME_CHARS
            || self.name.chars().any(char::is_control)
        {
            return Some("姓名为空、过长或含控制字符 (name)");
        }
        (self.term_until < self.term_from).then_some("任期起止颠倒 (term ends before it begins)")
    }
}

impl PersonChain {
    /// The chain of a person whom the holder of this chain enrolled.
    #[must_use]
    pub fn with(&self, certificate: Signed<PersonCertificate>) -> Self {
        let mut links = self.0.clone();
        links.push(certificate);
        Self(links)
    }

    /// Whom the chain *claims* to be about, unverified.
    pub fn holder(&self) -> Option<PersonCertificate> {
        self.0.last()?.claimed(MAX_PERSON_CERTIFICATE_BYTES).ok()
    }

    /// Who it is, if every link holds under the node's membership certificate and everyone is in office at `at`.
    ///
    /// # Errors
    /// The first [`PersonError`], in the order of that type.
    pub fn verify(&self, node: &Certificate, at: Moment) -> Result<Doer, PersonError> {
        in_office(self.links(node)?, at)
    }

    /// The holder's certificate, if every link holds, whatever the time: for enrolment, where a term may begin later.
    ///
    /// # Errors
    /// The first [`PersonError`], in the order of that type, but for terms.
    pub fn verify_links(&self, node: &Certificate) -> Result<PersonCertificate, PersonError> {
        self.links(node)?.pop().ok_or(PersonError::Length(0))
    }

    /// All certificates, proved to hold, the authority head's first; never none.
    ///
    /// # Errors
    /// As [`Self::verify_links`].
    pub(crate) fn links(&self, node: &Certificate) -> Result<Vec<PersonCertificate>, PersonError> {
        let certificates = self.decoded()?;
        let first = certificates.first().ok_or(PersonError::Length(0))?;
        if first.key != node.authority_head || first.role != Role::AuthorityHead {
            return Err(PersonError::WrongRoot);
        }
        let signers = std::iter::once(first).chain(&certificates);
        for (position, (signed, signer)) in (1..).zip(self.0.iter().zip(signers)) {
            let signature = signed.check(Domain::Person, &signer.key);
            signature.map_err(|_| PersonError::BadSignature { position })?;
        }
        if let Some(foreign) = certificates.iter().find(|it| it.node != node.code()) {
            return Err(PersonError::AnotherNode {
                expected: node.code(),
                found: foreign.node,
            });
        }
        certificates.windows(2).try_for_each(|pair| match pair {
            [enroller, enrolled] => may_enrol(enroller, enrolled),
            _ => Ok(()),
        })?;
        let keys: BTreeSet<_> = certificates.iter().map(|it| it.key).collect();
        if keys.len() < certificates.len() {
            Err(PersonError::KeyTwice)
        } else {
            Ok(certificates)
        }
    }

    fn decoded(&self) -> Result<Vec<PersonCertificate>, PersonError> {
        if self.0.is_empty() || self.0.len() > MAX_PERSON_CHAIN {
            return Err(PersonError::Length(self.0.len()));
        }
        let decode = |(position, signed): (usize, &Signed<PersonCertificate>)| {
            let certificate = signed
                .claimed(MAX_PERSON_CERTIFICATE_BYTES)
                .map_err(|error| PersonError::Malformed {
                    position,
                    defect: error.to_string(),
                })?;
            match certificate.defect() {
                None => Ok(certificate),
                Some(defect) => Err(PersonError::Malformed {
                    position,
                    defect: defect.to_owned(),
                }),
            }
        };
        (1..).zip(&self.0).map(decode).collect()
    }
}

/// The holder of proved links, if everyone in them is in office at `at`.
///
/// # Errors
/// A refusal, `TermOver`, R11.
pub(crate) fn in_office(
    mut links: Vec<PersonCertificate>,
    at: Moment,
) -> Result<Doer, PersonError> {
    let in_office = links.iter().all(|it| it.is_in_office(at));
    if !in_office && !planted::is(Bug::TermOfOfficeIgnored) {
        return Err(PersonError::Refused(
            RefusalReason::TermOver.under(Article::R11),
        ));
    }
    links.pop().map(Doer::from).ok_or(PersonError::Length(0))
}

impl From<PersonCertificate> for Doer {
    /// The person of a certificate as whoever acts, the certificate itself not looked at.
    fn from(person: PersonCertificate) -> Self {
        Self {
            name: person.name,
            department: person.department,
            node: person.node,
            role: person.role,
        }
    }
}

fn may_enrol(
    enroller: &PersonCertificate,
    enrolled: &PersonCertificate,
) -> Result<(), PersonError> {
    let entitled = statute::may(enroller.role, ActKind::EnrolPerson).is_ok()
        && enrols(enroller.role, enrolled.role);
    if !entitled {
        return Err(PersonError::MayNotEnrol {
            enroller: enroller.role,
            enrolled: enrolled.role,
        });
    }
    if shares_department(enrolled.role) && enroller.department != enrolled.department {
        return Err(PersonError::AnotherDepartment);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
