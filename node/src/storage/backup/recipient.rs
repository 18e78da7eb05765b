//! The offline key that backups are sealed to.

use std::fmt;
use std::str::FromStr;

use identity::{Moment, OpeningKey, SealingKey};
use serde::{Deserialize, Serialize};

/// What stands before a recovery key's public half.
const PREFIX: &str = "recovery-x25519:";
/// The number of every recovery key: there is one of a kind, and none follows it by itself.
const KEY_ID: u32 = 1;

/// The public half of a recovery key (恢复密钥), as it is written: `recovery-x25519:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient([u8; 32]);

impl Recipient {
    /// The public half of the recovery key with this seed.
    pub fn of_seed(seed: [u8; 32]) -> Self {
        Self(opening(seed).sealing_key(Moment::MAX).key)
    }

    /// What is sealed to. A recovery key has no end: what was sealed to it years ago is still to be opened.
    pub(super) const fn sealing_key(&self) -> SealingKey {
        SealingKey {
            id: KEY_ID,
            key: self.0,
            valid_until: Moment::MAX,
        }
    }
}

/// The private half of a recovery key.
pub fn opening(seed: [u8; 32]) -> OpeningKey {
    OpeningKey::from_seed(KEY_ID, seed)
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", hex::encode(self.0))
    }
}

/// What is no recovery key's public half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("应为 {PREFIX} 与 64 位十六进制 (not the public half of a recovery key)")]
pub struct NoRecipient;

impl FromStr for Recipient {
    type Err = NoRecipient;

    fn from_str(text: &str) -> Result<Self, NoRecipient> {
        let digits = text.trim().strip_prefix(PREFIX).ok_or(NoRecipient)?;
        let mut key = [0; 32];
        hex::decode_to_slice(digits, &mut key).map_err(|_| NoRecipient)?;
        Ok(Self(key))
    }
}

impl Serialize for Recipient {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
