//! Membership of the federation: certificates, requests for them and revocations.
//!
//! Each authority certifies its children: the keys of a node, its place in the tree, its witnesses and its
//! validity, back to a root key that is offline and is not the hub's. What is here are claims;
//! [`crate::chain`] verifies them, [`crate::issuance`] makes them.

use serde::{Deserialize, Serialize};

pub use crate::chain::{Chain, Member, MembershipError};
use crate::codec::CodecError;
use crate::digest::Domain;
use crate::keys::{SigningKey, VerifyKey};
use crate::place::{Code, Path};
use crate::sealing::SealingKey;
use crate::signed::{Signed, VerifyError};
use crate::time::Moment;

/// The longest name of a place, in bytes: 64 Chinese characters.
pub const MAX_NAME_BYTES: usize = 192;

/// The most witnesses of a node.
pub const MAX_WITNESSES: usize = 2;

/// The longest encoding of a certificate, request or revocation, in bytes: keys, a path of eight codes, a name
/// of full length and numbers come to under 700; doubled and rounded up for versions to come.
pub const MAX_CERTIFICATE_BYTES: usize = 2048;

/// Serial numbers from here on (2^48) are the root's, those below the issuing node's. The root and the hub both
/// issue as 100000, and a revocation of one's number must not meet the other's.
pub const ROOT_SERIALS: u64 = 1 << 48;

/// The level of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The national hub (国家枢纽).
    Hub,
    /// A body of the State Council (国务院部门).
    Ministry,
    /// A province or the XPCC (省级), or a ministry's office at that level.
    Province,
    /// A prefecture (市级), or a ministry's office at that level.
    Prefecture,
    /// A county (县级), or a ministry's office at that level.
    County,
}

impl Level {
    /// The Chinese name.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Hub => "国家枢纽",
            Self::Ministry => "国务院部门",
            Self::Province => "省级",
            Self::Prefecture => "市级",
            Self::County => "县级",
        }
    }

    /// Whether a node of this level may stand directly below one of the other. Municipalities and some
    /// provinces have counties without a prefecture between; a vertically managed body's offices
    /// stand below the ministry.
    #[must_use]
    pub const fn may_be_under(self, parent: Self) -> bool {
        match self {
            Self::Hub => false,
            Self::Ministry => matches!(parent, Self::Hub),
            Self::Province => matches!(parent, Self::Hub | Self::Ministry),
            Self::Prefecture => matches!(parent, Self::Province | Self::Ministry),
            Self::County => matches!(parent, Self::Province | Self::Prefecture | Self::Ministry),
        }
    }

    /// Whether a code suits this level below a parent: the hub has its own, a ministry a label,
    /// a province a division code; below a label there are no divisions.
    #[must_use]
    pub fn suits(self, code: Code, parent: Code) -> bool {
        match self {
            Self::Hub => code == Code::HUB,
            Self::Ministry => code.is_label(),
            Self::Province if parent == Code::HUB => code.is_division() && code != Code::HUB,
            Self::Province | Self::Prefecture | Self::County => {
                code != Code::HUB && !(parent.is_label() && code.is_division())
            }
        }
    }
}

/// What an authority certifies of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The number at its issuer; the root's begin at [`ROOT_SERIALS`].
    pub serial: u64,
    /// Which node has the place, counting from 1: a successor for a place whose node is lost has the next.
    pub epoch: u32,
    /// The place in the tree.
    pub place: Path,
    /// The name of the place or body, in Chinese.
    pub name: String,
    /// The level.
    pub level: Level,
    /// The key the node signs with.
    pub signing_key: VerifyKey,
    /// The Ed25519 public key of the node's transport identity.
    #[serde(with = "crate::bytes::fixed")]
    pub transport_key: [u8; 32],
    /// The key that envelopes to the node are sealed to.
    pub sealing_key: SealingKey,
    /// The key of the person who heads the competent authority (主管部门负责人): the people of this place
    /// are enrolled from it, so that the node cannot invent any.
    pub authority_head: VerifyKey,
    /// Up to two nodes outside the line of the place that witness its checkpoints.
    pub witnesses: Vec<Code>,
    /// The first moment it is valid.
    pub valid_from: Moment,
    /// The last moment it is valid.
    pub valid_until: Moment,
    /// Who issued it: the parent; for the hub 100000, meaning the root.
    pub issuer: Code,
}

/// What is wrong with a certificate by itself, whoever signed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The chain has no certificate.
    #[error("证书链为空 (empty chain)")]
    Empty,
    /// Not the encoding of a certificate.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The name is empty, longer than [`MAX_NAME_BYTES`] or has control characters.
    #[error("名称为空、过长或含控制字符 (name empty, too long or with control characters)")]
    Name,
    /// More than [`MAX_WITNESSES`], or one of them twice.
    #[error("见证节点至多两个且不得重复 (at most two different witnesses)")]
    Witnesses,
    /// A witness in the line of the place.
    #[error("见证节点 {0} 不得在本节点的上级链路上 (witness within the line)")]
    WitnessInLine(Code),
    /// It ends before it begins.
    #[error("有效期起止颠倒 (validity ends before it begins)")]
    Window,
    /// The serial number is in the range of the other kind of issuer.
    #[error("证书序号 {0} 不在签发者的号段内 (serial out of the issuer's range)")]
    Serial(u64),
}

impl Certificate {
    /// The code of the node.
    #[must_use]
    pub fn code(&self) -> Code {
        self.place.code()
    }

    /// Whether a moment is within the validity, both ends included.
    #[must_use]
    pub fn is_valid_at(&self, at: Moment) -> bool {
        self.valid_from <= at && at <= self.valid_until
    }

    /// Checks what can be checked of a certificate alone, in the order of [`Defect`].
    ///
    /// # Errors
    ///
    /// The first [`Defect`].
    pub fn check(&self) -> Result<(), Defect> {
        let name = &self.name;
        if name.trim().is_empty()
            || name.len() > MAX_NAME_BYTES
            || name.chars().any(char::is_control)
        {
            return Err(Defect::Name);
        }
        match self.witnesses.as_slice() {
            [] | [_] => {}
            [a, b] if a != b => {}
            _ => return Err(Defect::Witnesses),
        }
        if let Some(witness) = self.witnesses.iter().find(|w| self.place.contains(**w)) {
            return Err(Defect::WitnessInLine(*witness));
        }
        if self.valid_until < self.valid_from {
            return Err(Defect::Window);
        }
        if (self.serial >= ROOT_SERIALS) != (self.code() == Code::HUB) {
            return Err(Defect::Serial(self.serial));
        }
        Ok(())
    }
}

/// A node's request to be certified, signed with the key it asks a certificate for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentRequest {
    /// The code it asks for.
    pub code: Code,
    /// Its name, in Chinese.
    pub name: String,
    /// Its level.
    pub level: Level,
    /// The key it will sign with.
    pub signing_key: VerifyKey,
    /// The Ed25519 public key of its transport identity.
    #[serde(with = "crate::bytes::fixed")]
    pub transport_key: [u8; 32],
    /// The key envelopes are to be sealed to.
    pub sealing_key: SealingKey,
    /// The key of the person who heads its competent authority.
    pub authority_head: VerifyKey,
    /// When it was made.
    pub created: Moment,
}

impl EnrolmentRequest {
    /// Signs the request with the key it names.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Signed<Self> {
        Signed::sign(self, Domain::Enrolment, key)
    }

    /// The request, if it was signed with the key it names. Who made it is for people to find out.
    ///
    /// # Errors
    ///
    /// [`VerifyError`].
    pub fn verify(signed: &Signed<Self>) -> Result<Self, VerifyError> {
        let claimed = signed.claimed(MAX_CERTIFICATE_BYTES)?;
        signed.check(Domain::Enrolment, &claimed.signing_key)?;
        Ok(claimed)
    }
}

/// Why a certificate was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// A key is or may be in other hands (密钥泄露).
    KeyCompromise,
    /// A later certificate takes its place (更换). Not needed for a regular renewal: what a parent signed
    /// under its old certificate stays good until that expires.
    Superseded,
    /// The place was abolished or merged (撤销建制).
    Dissolved,
    /// It was issued wrongly (误发).
    IssuedInError,
    /// Ordered by a superior authority (上级责令).
    Ordered,
}

/// The revocation of a certificate, signed by its issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The issuer of the certificate.
    pub issuer: Code,
    /// The number of the certificate at its issuer.
    pub serial: u64,
    /// The node whose certificate it is.
    pub node: Code,
    /// Why.
    pub reason: RevocationReason,
    /// Since when.
    pub at: Moment,
}

impl Revocation {
    /// Signs the revocation with the issuer's key (the root's for the hub's certificate).
    #[must_use]
    pub fn sign(&self, issuer_key: &SigningKey) -> Signed<Self> {
        Signed::sign(self, Domain::Revocation, issuer_key)
    }

    /// The revocation, if the key is its signer's. That the key is the named issuer's is for the
    /// caller to know, from a verified [`Member`] or as the root's.
    ///
    /// # Errors
    ///
    /// [`VerifyError`].
    pub fn verify(signed: &Signed<Self>, issuer_key: &VerifyKey) -> Result<Self, VerifyError> {
        signed.verify(Domain::Revocation, issuer_key, MAX_CERTIFICATE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::BadSignature;

    fn code(text: &str) -> Code {
        text.parse().unwrap()
    }

    #[test]
    fn levels_stand_where_the_state_has_them() {
        use Level::{County, Hub, Ministry, Prefecture, Province};
        let allowed = [
            (Ministry, Hub),
            (Province, Hub),
            (Province, Ministry),
            (Prefecture, Province),
            (Prefecture, Ministry),
            (County, Province),
            (County, Prefecture),
            (County, Ministry),
        ];
        let all = [Hub, Ministry, Province, Prefecture, County];
        for child in all {
            for parent in all {
                let expected = allowed.contains(&(child, parent));
                assert_eq!(child.may_be_under(parent), expected, "{child:?} {parent:?}");
            }
        }
    }

    #[test]
    fn codes_suit_their_level_and_line() {
        assert!(Level::Ministry.suits(code("mps"), Code::HUB));
        assert!(!Level::Ministry.suits(code("440000"), Code::HUB));
        assert!(Level::Province.suits(code("440000"), Code::HUB));
        assert!(!Level::Province.suits(code("mps"), Code::HUB));
        assert!(Level::Province.suits(code("taxgd"), code("tax")));
        assert!(!Level::Province.suits(code("440000"), code("tax")));
        assert!(!Level::County.suits(Code::HUB, code("440100")));
    }

    #[test]
    fn a_revocation_holds_under_its_issuers_key_only() {
        let key = SigningKey::from_seed([1; 32]);
        let revocation = Revocation {
            issuer: Code::HUB,
            serial: 7,
            node: code("mps"),
            reason: RevocationReason::KeyCompromise,
            at: Moment::from_millis(5),
        };
        let signed = revocation.sign(&key);
        assert_eq!(
            Revocation::verify(&signed, &key.verify_key()),
            Ok(revocation)
        );
        let other = SigningKey::from_seed([2; 32]).verify_key();
        assert_eq!(
            Revocation::verify(&signed, &other),
            Err(VerifyError::Signature(BadSignature))
        );
    }
}
