//! Certificate chains, and the members they prove.
//!
//! A chain holds the certificates from the hub's down to a node's, each as it was when it signed the
//! next. A parent that takes new keys gets a new certificate; the chains below keep the old one, which
//! stays good until it expires or is revoked, and so do they.

use serde::{Deserialize, Serialize};

use crate::codec;
use crate::digest::{Digest, Domain};
use crate::keys::VerifyKey;
use crate::membership::{Certificate, Defect, Level, MAX_CERTIFICATE_BYTES};
use crate::place::{Code, MAX_DEPTH, Path};
use crate::planted::{self, Bug};
use crate::signed::Signed;
use crate::time::Moment;

/// The certificates from the hub's down to a node's: a claim until verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain(Vec<Signed<Certificate>>);

/// The longest encoding of a chain, in bytes.
pub const MAX_CHAIN_BYTES: usize = 1 + MAX_DEPTH * (MAX_CERTIFICATE_BYTES + 3 + 64);

/// Why a chain proves no member. The order is that of the checks: each is made for the whole chain, from the hub
/// down, before the next, so that every node refuses for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// More certificates than a path may have codes.
    #[error("证书链过长：{0} 级，上限 8 (chain too deep)")]
    TooDeep(usize),
    /// A certificate that is none, or breaks a rule by itself.
    #[error("证书链第 {position} 级有缺陷：{defect} (malformed certificate)")]
    Malformed {
        /// Which certificate, the hub's being 1; 0 for an empty chain.
        position: usize,
        /// What is wrong.
        defect: Defect,
    },
    /// Not signed with its issuer's key.
    #[error("{code} 的证书签名无效 (bad signature)")]
    BadSignature {
        /// The node that the certificate names.
        code: Code,
    },
    /// The issuer it names is not the node above.
    #[error("{code} 的证书由 {found} 签发，应由 {expected} 签发 (wrong parent)")]
    WrongParent {
        /// The node that the certificate names.
        code: Code,
        /// The node above.
        expected: Code,
        /// The issuer it names.
        found: Code,
    },
    /// The place is not directly below that of its issuer.
    #[error("{code} 的证书所载位置 {found} 不在签发者 {issuer} 之下 (wrong place)")]
    WrongPlace {
        /// The node that the certificate names.
        code: Code,
        /// The place of the issuer; the hub's own for the first.
        issuer: Path,
        /// The place it names.
        found: Path,
    },
    /// No node of this level or code stands below one like its issuer.
    #[error("{code} 的层级 {level:?} 与上级不符 (implausible level)")]
    WrongLevel {
        /// The node that the certificate names.
        code: Code,
        /// Its level.
        level: Level,
    },
    /// Not valid before a later moment.
    #[error("{code} 的证书自 {from} 起生效，此刻为 {now} (not yet valid)")]
    NotYetValid {
        /// The node that the certificate names.
        code: Code,
        /// The first valid moment.
        from: Moment,
        /// The moment asked for.
        now: Moment,
    },
    /// Valid no more.
    #[error("{code} 的证书已于 {until} 到期，此刻为 {now} (expired)")]
    Expired {
        /// The node that the certificate names.
        code: Code,
        /// The last valid moment.
        until: Moment,
        /// The moment asked for.
        now: Moment,
    },
    /// Revoked by its issuer.
    #[error("{code} 的证书（{issuer} 签发，序号 {serial}）已被撤销 (revoked)")]
    Revoked {
        /// The node that the certificate names.
        code: Code,
        /// The issuer.
        issuer: Code,
        /// The number at the issuer.
        serial: u64,
    },
}

/// A member of the federation, proved by a verified chain. There is no other way to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    chain: Chain,
    certificates: Vec<Certificate>,
    certificate: Certificate,
}

impl Chain {
    /// A chain of certificates, the hub's first.
    #[must_use]
    pub const fn new(certificates: Vec<Signed<Certificate>>) -> Self {
        Self(certificates)
    }

    /// The chain of a child: this chain and the certificate that its node issued.
    #[must_use]
    pub fn with(&self, certificate: Signed<Certificate>) -> Self {
        let mut certificates = self.0.clone();
        certificates.push(certificate);
        Self(certificates)
    }

    /// The certificates, the hub's first.
    #[must_use]
    pub fn certificates(&self) -> &[Signed<Certificate>] {
        &self.0
    }

    /// What the last certificate says, unverified: for display and for keys of things verified elsewhere.
    ///
    /// # Errors
    ///
    /// [`MembershipError`] when there is none or it does not decode.
    pub fn claimed(&self) -> Result<Certificate, MembershipError> {
        self.decoded()?.pop().ok_or(EMPTY)
    }

    /// The part of the chain that ends with this code, if it is in it (by what the certificates claim).
    #[must_use]
    pub fn upto(&self, code: Code) -> Option<Self> {
        let position = self.decoded().ok()?.iter().position(|c| c.code() == code)?;
        Some(Self(self.0[..=position].to_vec()))
    }

    /// The digest of the whole chain, signatures included.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Chain, &codec::encode(self))
    }

    /// Proves a member now. `revoked` says whether a certificate (issuer, serial) is known to be revoked.
    ///
    /// # Errors
    ///
    /// The first [`MembershipError`], in the order of that type.
    pub fn verify(
        &self,
        root: &VerifyKey,
        now: Moment,
        revoked: &dyn Fn(&Code, u64) -> bool,
    ) -> Result<Member, MembershipError> {
        let certificates = self.decoded()?;
        self.check_signatures(root, &certificates)?;
        check_parents(&certificates)?;
        check_places(&certificates)?;
        check_levels(&certificates)?;
        check_validity(&certificates, now)?;
        check_revocation(&certificates, revoked)?;
        let Some(certificate) = certificates.last().cloned() else {
            return Err(EMPTY);
        };
        Ok(Member {
            chain: self.clone(),
            certificates,
            certificate,
        })
    }

    /// Proves who was a member at a moment of the past, for evidence. Later revocations do not count against
    /// what was signed before; earlier ones are evidence of their own.
    ///
    /// # Errors
    ///
    /// As [`Self::verify`], except for revocation.
    pub fn verify_historic(&self, root: &VerifyKey, at: Moment) -> Result<Member, MembershipError> {
        self.verify(root, at, &|_, _| false)
    }

    /// The certificates as claimed, each well-formed.
    fn decoded(&self) -> Result<Vec<Certificate>, MembershipError> {
        if self.0.len() > MAX_DEPTH {
            return Err(MembershipError::TooDeep(self.0.len()));
        }
        if self.0.is_empty() {
            return Err(EMPTY);
        }
        let decode = |(index, signed): (usize, &Signed<Certificate>)| {
            let malformed = |defect| MembershipError::Malformed {
                position: index + 1,
                defect,
            };
            let certificate = signed
                .claimed(MAX_CERTIFICATE_BYTES)
                .map_err(|error| malformed(error.into()))?;
            certificate.check().map_err(malformed)?;
            Ok(certificate)
        };
        self.0.iter().enumerate().map(decode).collect()
    }

    fn check_signatures(
        &self,
        root: &VerifyKey,
        certificates: &[Certificate],
    ) -> Result<(), MembershipError> {
        if planted::is(Bug::CertificateSignatureSkipped) {
            return Ok(());
        }
        let issuers = certificates.iter().map(|above| &above.signing_key);
        let keys = std::iter::once(root).chain(issuers);
        for ((signed, certificate), key) in self.0.iter().zip(certificates).zip(keys) {
            signed
                .check(Domain::Certificate, key)
                .map_err(|_| MembershipError::BadSignature {
                    code: certificate.code(),
                })?;
        }
        Ok(())
    }
}

/// The refusal of an empty chain.
const EMPTY: MembershipError = MembershipError::Malformed {
    position: 0,
    defect: Defect::Empty,
};

/// Each certificate with the one above it.
fn links(
    certificates: &[Certificate],
) -> impl Iterator<Item = (Option<&Certificate>, &Certificate)> {
    let above = std::iter::once(None).chain(certificates.iter().map(Some));
    above.zip(certificates)
}

fn check_parents(certificates: &[Certificate]) -> Result<(), MembershipError> {
    for (above, certificate) in links(certificates) {
        let expected = above.map_or(Code::HUB, Certificate::code);
        if certificate.issuer != expected && !planted::is(Bug::WrongParentAccepted) {
            return Err(MembershipError::WrongParent {
                code: certificate.code(),
                expected,
                found: certificate.issuer,
            });
        }
    }
    Ok(())
}

fn check_places(certificates: &[Certificate]) -> Result<(), MembershipError> {
    for (above, certificate) in links(certificates) {
        let (issuer, right) = match above {
            None => (Path::hub(), certificate.place == Path::hub()),
            Some(above) => (
                above.place.clone(),
                certificate.place.parent().as_ref() == Some(&above.place),
            ),
        };
        if !right {
            return Err(MembershipError::WrongPlace {
                code: certificate.code(),
                issuer,
                found: certificate.place.clone(),
            });
        }
    }
    Ok(())
}

fn check_levels(certificates: &[Certificate]) -> Result<(), MembershipError> {
    for (above, certificate) in links(certificates) {
        let (code, level) = (certificate.code(), certificate.level);
        let plausible = match above {
            None => level == Level::Hub,
            Some(above) => level.may_be_under(above.level) && level.suits(code, above.code()),
        };
        if !plausible {
            return Err(MembershipError::WrongLevel { code, level });
        }
    }
    Ok(())
}

fn check_validity(certificates: &[Certificate], now: Moment) -> Result<(), MembershipError> {
    if let Some(early) = certificates.iter().find(|c| now < c.valid_from) {
        return Err(MembershipError::NotYetValid {
            code: early.code(),
            from: early.valid_from,
            now,
        });
    }
    let late = certificates.iter().find(|c| c.valid_until < now);
    if let Some(late) = late.filter(|_| !planted::is(Bug::ExpiredCertificateAccepted)) {
        return Err(MembershipError::Expired {
            code: late.code(),
            until: late.valid_until,
            now,
        });
    }
    Ok(())
}

fn check_revocation(
    certificates: &[Certificate],
    revoked: &dyn Fn(&Code, u64) -> bool,
) -> Result<(), MembershipError> {
    let found = certificates.iter().find(|c| revoked(&c.issuer, c.serial));
    match found.filter(|_| !planted::is(Bug::RevocationIgnored)) {
        Some(found) => Err(MembershipError::Revoked {
            code: found.code(),
            issuer: found.issuer,
            serial: found.serial,
        }),
        None => Ok(()),
    }
}

impl Member {
    /// The node's own certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// All certificates of the chain, the hub's first.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The place of the node.
    #[must_use]
    pub const fn place(&self) -> &Path {
        &self.certificate.place
    }

    /// The code of the node.
    #[must_use]
    pub fn code(&self) -> Code {
        self.certificate.code()
    }

    /// The key the node signs with.
    #[must_use]
    pub const fn signing_key(&self) -> &VerifyKey {
        &self.certificate.signing_key
    }

    /// The certificate of the node that issued this one's; none for the hub, which the root certified.
    #[must_use]
    pub fn issuer(&self) -> Option<&Certificate> {
        self.certificates
            .len()
            .checked_sub(2)
            .and_then(|above| self.certificates.get(above))
    }

    /// The chain that proved it, to be handed on.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The digest of the chain that proved it.
    #[must_use]
    pub fn chain_digest(&self) -> Digest {
        self.chain.digest()
    }

    /// The last moment at which every certificate of the chain is valid.
    #[must_use]
    pub fn valid_until(&self) -> Moment {
        let ends = self.certificates.iter().map(|c| c.valid_until);
        ends.min().unwrap_or(Moment::MIN)
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
