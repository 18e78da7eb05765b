//! Issuing certificates: what a parent does for its children, and the root for the hub.

use crate::digest::Domain;
use crate::keys::{SigningKey, VerifyKey};
use crate::membership::{Certificate, Defect, EnrolmentRequest, Level, ROOT_SERIALS};
use crate::place::{Code, Path, PathError};
use crate::signed::{Signed, VerifyError};
use crate::time::Moment;

/// What the issuer decides about a certificate; the rest is the request's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The number at this issuer, never given twice, below [`ROOT_SERIALS`] (for the root too: it is put into the
    /// root's range).
    pub serial: u64,
    /// Which node has the place, counting from 1.
    pub epoch: u32,
    /// Up to two witnesses outside the line of the place.
    pub witnesses: Vec<Code>,
    /// The first valid moment.
    pub valid_from: Moment,
    /// The last valid moment; cut to that of the issuer's own certificate.
    pub valid_until: Moment,
}

/// Why no certificate was issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The request was not signed with the key it names, or is none.
    #[error("入网申请无效：{0} (invalid request)")]
    Request(#[from] VerifyError),
    /// The key is not the one in the issuer's certificate.
    #[error("签发密钥与上级证书不符 (not the issuer's key)")]
    NotIssuerKey,
    /// The request names the key of its issuer: each node, and the root, has its own.
    #[error("申请者与签发者不得使用同一密钥 (key of the issuer)")]
    KeyOfIssuer,
    /// The place would be too deep, or the code is already in the line.
    #[error(transparent)]
    Place(#[from] PathError),
    /// No node of this level or code stands below the issuer.
    #[error("{code} 的层级 {level:?} 与上级不符 (implausible level)")]
    Level {
        /// The code asked for.
        code: Code,
        /// The level asked for.
        level: Level,
    },
    /// The serial number is in the root's range.
    #[error("证书序号 {0} 超出范围 (serial out of range)")]
    Serial(u64),
    /// The certificate would break a rule.
    #[error(transparent)]
    Certificate(#[from] Defect),
}

/// Issues a certificate for a child of `parent`, signed with the parent's key.
///
/// # Errors
///
/// The first [`IssueError`], in the order of that type.
pub fn issue(
    request: &Signed<EnrolmentRequest>,
    parent: &Certificate,
    parent_key: &SigningKey,
    terms: Terms,
) -> Result<Signed<Certificate>, IssueError> {
    let asked = EnrolmentRequest::verify(request)?;
    if parent_key.verify_key() != parent.signing_key {
        return Err(IssueError::NotIssuerKey);
    }
    check_key(&asked, &parent.signing_key)?;
    let place = parent.place.child(asked.code)?;
    if !(asked.level.may_be_under(parent.level) && asked.level.suits(asked.code, parent.code())) {
        return Err(IssueError::Level {
            code: asked.code,
            level: asked.level,
        });
    }
    check_serial(terms.serial)?;
    let terms = Terms {
        valid_until: terms.valid_until.min(parent.valid_until),
        ..terms
    };
    let certificate = certificate(asked, place, parent.code(), terms);
    certificate.check()?;
    Ok(Signed::sign(&certificate, Domain::Certificate, parent_key))
}

/// Issues the hub's certificate, signed with the root key: done offline.
///
/// # Errors
///
/// The first [`IssueError`], in the order of that type.
pub fn issue_hub(
    request: &Signed<EnrolmentRequest>,
    root_key: &SigningKey,
    terms: Terms,
) -> Result<Signed<Certificate>, IssueError> {
    let asked = EnrolmentRequest::verify(request)?;
    check_key(&asked, &root_key.verify_key())?;
    if asked.code != Code::HUB || asked.level != Level::Hub {
        return Err(IssueError::Level {
            code: asked.code,
            level: asked.level,
        });
    }
    check_serial(terms.serial)?;
    let terms = Terms {
        serial: ROOT_SERIALS | terms.serial,
        ..terms
    };
    let certificate = certificate(asked, Path::hub(), Code::HUB, terms);
    certificate.check()?;
    Ok(Signed::sign(&certificate, Domain::Certificate, root_key))
}

fn check_key(asked: &EnrolmentRequest, issuer: &VerifyKey) -> Result<(), IssueError> {
    if asked.signing_key == *issuer {
        Err(IssueError::KeyOfIssuer)
    } else {
        Ok(())
    }
}

fn check_serial(serial: u64) -> Result<(), IssueError> {
    if serial < ROOT_SERIALS {
        Ok(())
    } else {
        Err(IssueError::Serial(serial))
    }
}

fn certificate(asked: EnrolmentRequest, place: Path, issuer: Code, terms: Terms) -> Certificate {
    Certificate {
        serial: terms.serial,
        epoch: terms.epoch,
        place,
        name: asked.name,
        level: asked.level,
        signing_key: asked.signing_key,
        transport_key: asked.transport_key,
        sealing_key: asked.sealing_key,
        authority_head: asked.authority_head,
        witnesses: terms.witnesses,
        valid_from: terms.valid_from,
        valid_until: terms.valid_until,
        issuer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::BadSignature;
    use crate::membership::MAX_CERTIFICATE_BYTES;
    use crate::sealing::OpeningKey;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed([seed; 32])
    }

    fn code(text: &str) -> Code {
        text.parse().unwrap()
    }

    fn request(text: &str, level: Level, seed: u8) -> EnrolmentRequest {
        EnrolmentRequest {
            code: code(text),
            name: "广东省".into(),
            level,
            signing_key: key(seed).verify_key(),
            transport_key: [seed; 32],
            sealing_key: OpeningKey::from_seed(1, [seed; 32]).sealing_key(Moment::MAX),
            authority_head: key(200).verify_key(),
            created: Moment::from_millis(0),
        }
    }

    fn terms() -> Terms {
        Terms {
            serial: 1,
            epoch: 1,
            witnesses: vec![],
            valid_from: Moment::from_millis(10),
            valid_until: Moment::from_millis(100),
        }
    }

    fn hub() -> Certificate {
        let request = request("100000", Level::Hub, 1).sign(&key(1));
        let issued = issue_hub(&request, &key(0), terms()).unwrap();
        issued.claimed(MAX_CERTIFICATE_BYTES).unwrap()
    }

    fn province() -> Signed<EnrolmentRequest> {
        request("440000", Level::Province, 2).sign(&key(2))
    }

    #[test]
    fn a_child_gets_what_it_asked_for_within_its_parents_time() {
        let long = Terms {
            valid_until: Moment::MAX,
            witnesses: vec![code("210000"), code("mps")],
            ..terms()
        };
        let issued = issue(&province(), &hub(), &key(1), long).unwrap();
        let certificate = issued
            .verify(Domain::Certificate, &key(1).verify_key(), 2048)
            .unwrap();
        assert_eq!(certificate.place.to_string(), "100000/440000");
        assert_eq!(certificate.signing_key, key(2).verify_key());
        assert_eq!(certificate.valid_until, hub().valid_until);
        assert_eq!(certificate.issuer, Code::HUB);
        assert_eq!(hub().serial, ROOT_SERIALS + 1);
    }

    #[test]
    fn a_request_signed_with_another_key_is_refused() {
        let forged = request("440000", Level::Province, 2).sign(&key(3));
        assert_eq!(
            issue(&forged, &hub(), &key(1), terms()),
            Err(IssueError::Request(VerifyError::Signature(BadSignature)))
        );
    }

    #[test]
    fn keys_of_others_are_refused() {
        assert_eq!(
            issue(&province(), &hub(), &key(9), terms()),
            Err(IssueError::NotIssuerKey)
        );
        let same = request("440000", Level::Province, 1).sign(&key(1));
        assert_eq!(
            issue(&same, &hub(), &key(1), terms()),
            Err(IssueError::KeyOfIssuer)
        );
        let root_as_hub = request("100000", Level::Hub, 0).sign(&key(0));
        assert_eq!(
            issue_hub(&root_as_hub, &key(0), terms()),
            Err(IssueError::KeyOfIssuer)
        );
    }

    #[test]
    fn implausible_levels_and_places_are_refused() {
        let county = request("440106", Level::County, 2).sign(&key(2));
        assert!(matches!(
            issue(&county, &hub(), &key(1), terms()),
            Err(IssueError::Level { .. })
        ));
        let second_hub = request("100000", Level::Hub, 2).sign(&key(2));
        assert_eq!(
            issue(&second_hub, &hub(), &key(1), terms()),
            Err(IssueError::Place(PathError::Repeated(Code::HUB)))
        );
        assert!(matches!(
            issue_hub(&province(), &key(0), terms()),
            Err(IssueError::Level { .. })
        ));
    }

    #[test]
    fn terms_that_break_a_rule_are_refused() {
        let try_with = |terms| issue(&province(), &hub(), &key(1), terms).unwrap_err();
        let witnesses = |list: &[&str]| Terms {
            witnesses: list.iter().map(|w| code(w)).collect(),
            ..terms()
        };
        assert_eq!(
            try_with(witnesses(&["mps", "mca", "samr"])),
            IssueError::Certificate(Defect::Witnesses)
        );
        assert_eq!(
            try_with(witnesses(&["mps", "mps"])),
            IssueError::Certificate(Defect::Witnesses)
        );
        for inside in ["100000", "440000"] {
            assert_eq!(
                try_with(witnesses(&[inside])),
                IssueError::Certificate(Defect::WitnessInLine(code(inside)))
            );
        }
        let late = Terms {
            valid_from: Moment::from_millis(101),
            ..terms()
        };
        assert_eq!(try_with(late), IssueError::Certificate(Defect::Window));
        let serial = Terms {
            serial: ROOT_SERIALS,
            ..terms()
        };
        assert_eq!(try_with(serial), IssueError::Serial(ROOT_SERIALS));
    }

    #[test]
    fn names_are_bounded_and_printable() {
        for name in ["", "  ", "广东\n省", &"省".repeat(65)] {
            let named = EnrolmentRequest {
                name: name.into(),
                ..request("440000", Level::Province, 2)
            };
            assert_eq!(
                issue(&named.sign(&key(2)), &hub(), &key(1), terms()),
                Err(IssueError::Certificate(Defect::Name))
            );
        }
    }
}
