//! A person's key or the root key at rest: encrypted with a passphrase.
//!
//! argon2id makes the key of ChaCha20Poly1305 out of the passphrase. Its parameters are recorded in
//! the file and bounded when it is read, so that a planted file cannot take all memory. The public
//! key and all parameters are authenticated together with the secret.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::keys::{SigningKey, VerifyKey};

/// The version of the format.
pub const VERSION: u32 = 1;

/// The most memory a file may ask for (256 MiB, in KiB): four times what is recommended.
pub const MAX_MEMORY_KIB: u32 = 256 * 1024;

/// The least memory that keeps guessing expensive (8 MiB, in KiB).
pub const MIN_MEMORY_KIB: u32 = 8 * 1024;

/// The most passes over the memory a file may ask for.
pub const MAX_PASSES: u32 = 16;

/// The most lanes a file may ask for.
pub const MAX_LANES: u32 = 4;

/// The longest passphrase, in bytes.
pub const MAX_PASSPHRASE: usize = 1024;

/// Bytes of a sealed seed: the seed and the tag.
const CIPHERTEXT_LENGTH: usize = 32 + 16;

/// Whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// The key of a person, with which consents, approvals and decisions are signed.
    Person,
    /// The root key of the federation, kept offline.
    Root,
    /// The recovery key of an authority, to which backups are sealed; kept offline.
    Recovery,
}

/// The parameters of argon2id (version 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KdfParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KdfParams {
    /// What new files should use: 64 MiB, three passes.
    pub const RECOMMENDED: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// The least that is accepted: for demonstrations and tests.
    pub const MINIMUM: Self = Self {
        memory_kib: MIN_MEMORY_KIB,
        passes: 1,
        lanes: 1,
    };

    /// Whether every parameter is within its bounds.
    fn check(self) -> Result<(), KeyFileError> {
        let bounded = (MIN_MEMORY_KIB..=MAX_MEMORY_KIB).contains(&self.memory_kib)
            && (1..=MAX_PASSES).contains(&self.passes)
            && (1..=MAX_LANES).contains(&self.lanes);
        if bounded {
            Ok(())
        } else {
            Err(KeyFileError::Parameters(self))
        }
    }
}

/// An encrypted key, as it is written to a file in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// The version of the format, [`VERSION`].
    pub version: u32,
    /// Whose key it is.
    pub kind: KeyKind,
    /// The public half, readable without the passphrase.
    pub public: VerifyKey,
    /// How the passphrase becomes a key.
    pub kdf: KdfParams,
    /// The salt of the passphrase.
    #[serde(with = "crate::bytes::fixed")]
    pub salt: [u8; 16],
    /// The nonce of the cipher.
    #[serde(with = "crate::bytes::fixed")]
    pub nonce: [u8; 12],
    /// The sealed seed.
    #[serde(with = "crate::bytes::fixed")]
    pub ciphertext: [u8; CIPHERTEXT_LENGTH],
}

/// Why a key file was not made or not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// A version this program does not know.
    #[error("密钥文件版本 {0} 不受支持 (unsupported version of key file)")]
    Version(u32),
    /// Parameters beyond their bounds.
    #[error("密钥文件的口令参数越界：{0:?} (parameters out of bounds)")]
    Parameters(KdfParams),
    /// Empty, or longer than [`MAX_PASSPHRASE`] bytes.
    #[error("口令不能为空，且不得超过 1024 字节 (empty or overlong passphrase)")]
    Passphrase,
    /// The passphrase is wrong, or the file was changed: the two cannot be told apart.
    #[error("口令错误，或密钥文件被改动 (wrong passphrase or changed file)")]
    WrongPassphrase,
    /// What was sealed is not the private half of the public key.
    #[error("密钥文件中公钥与私钥不符 (public and private key differ)")]
    Mismatch,
}

impl KeyFile {
    /// Encrypts a key. `salt` and `nonce` are fresh random bytes.
    ///
    /// # Errors
    ///
    /// Parameters out of bounds, or a passphrase that is empty or too long.
    pub fn seal(
        kind: KeyKind,
        key: &SigningKey,
        passphrase: &str,
        kdf: KdfParams,
        salt: [u8; 16],
        nonce: [u8; 12],
    ) -> Result<Self, KeyFileError> {
        let mut file = Self {
            version: VERSION,
            kind,
            public: key.verify_key(),
            kdf,
            salt,
            nonce,
            ciphertext: [0; CIPHERTEXT_LENGTH],
        };
        let cipher = file.cipher(passphrase)?;
        let payload = Payload {
            msg: &key.to_seed(),
            aad: &file.authenticated(),
        };
        let sealed = cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| KeyFileError::Mismatch)?;
        file.ciphertext = sealed.try_into().map_err(|_| KeyFileError::Mismatch)?;
        Ok(file)
    }

    /// Decrypts the key.
    ///
    /// # Errors
    ///
    /// In this order: version, parameters, passphrase empty or too long, passphrase wrong, keys that differ.
    pub fn open(&self, passphrase: &str) -> Result<SigningKey, KeyFileError> {
        if self.version != VERSION {
            return Err(KeyFileError::Version(self.version));
        }
        let payload = Payload {
            msg: &self.ciphertext,
            aad: &self.authenticated(),
        };
        let seed = self
            .cipher(passphrase)?
            .decrypt(&Nonce::from(self.nonce), payload)
            .map_err(|_| KeyFileError::WrongPassphrase)?;
        let seed: [u8; 32] = seed.try_into().map_err(|_| KeyFileError::Mismatch)?;
        let key = SigningKey::from_seed(seed);
        if key.verify_key() == self.public {
            Ok(key)
        } else {
            Err(KeyFileError::Mismatch)
        }
    }

    /// The cipher under the key made of the passphrase.
    fn cipher(&self, passphrase: &str) -> Result<ChaCha20Poly1305, KeyFileError> {
        self.kdf.check()?;
        if passphrase.is_empty() || passphrase.len() > MAX_PASSPHRASE {
            return Err(KeyFileError::Passphrase);
        }
        let refused = || KeyFileError::Parameters(self.kdf);
        let params = Params::new(
            self.kdf.memory_kib,
            self.kdf.passes,
            self.kdf.lanes,
            Some(32),
        )
        .map_err(|_| refused())?;
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, &mut key)
            .map_err(|_| refused())?;
        Ok(ChaCha20Poly1305::new(&Key::from(key)))
    }

    /// The bytes of everything but the secret and the nonce.
    fn authenticated(&self) -> Vec<u8> {
        codec::encode(&(self.version, self.kind, self.public, self.kdf, self.salt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (KeyFile, SigningKey) {
        let key = SigningKey::from_seed([11; 32]);
        let file = KeyFile::seal(
            KeyKind::Person,
            &key,
            "春眠不觉晓",
            KdfParams::MINIMUM,
            [1; 16],
            [2; 12],
        );
        (file.unwrap(), key)
    }

    #[test]
    fn the_passphrase_opens_it() {
        let (file, key) = sealed();
        let opened = file.open("春眠不觉晓").unwrap();
        assert_eq!(opened.to_seed(), key.to_seed());
    }

    #[test]
    fn a_wrong_passphrase_is_told() {
        let (file, _) = sealed();
        assert_eq!(
            file.open("处处闻啼鸟").err(),
            Some(KeyFileError::WrongPassphrase)
        );
        assert_eq!(file.open("").err(), Some(KeyFileError::Passphrase));
        assert_eq!(
            file.open(&"x".repeat(1025)).err(),
            Some(KeyFileError::Passphrase)
        );
    }

    #[test]
    fn every_field_is_bound_to_the_secret() {
        let (file, _) = sealed();
        let other = SigningKey::from_seed([12; 32]).verify_key();
        let wrong = Some(KeyFileError::WrongPassphrase);
        for changed in [
            KeyFile {
                kind: KeyKind::Root,
                ..file.clone()
            },
            KeyFile {
                public: other,
                ..file.clone()
            },
            KeyFile {
                salt: [9; 16],
                ..file.clone()
            },
            KeyFile {
                nonce: [9; 12],
                ..file.clone()
            },
            KeyFile {
                kdf: KdfParams {
                    passes: 2,
                    ..file.kdf
                },
                ..file.clone()
            },
        ] {
            assert_eq!(changed.open("春眠不觉晓").err(), wrong);
        }
    }

    #[test]
    fn absurd_parameters_are_refused_before_any_work() {
        let (file, _) = sealed();
        for kdf in [
            KdfParams {
                memory_kib: u32::MAX,
                ..file.kdf
            },
            KdfParams {
                memory_kib: MAX_MEMORY_KIB + 1,
                ..file.kdf
            },
            KdfParams {
                memory_kib: MIN_MEMORY_KIB - 1,
                ..file.kdf
            },
            KdfParams {
                passes: MAX_PASSES + 1,
                ..file.kdf
            },
            KdfParams {
                passes: 0,
                ..file.kdf
            },
            KdfParams {
                lanes: MAX_LANES + 1,
                ..file.kdf
            },
            KdfParams {
                lanes: 0,
                ..file.kdf
            },
        ] {
            let planted = KeyFile {
                kdf,
                ..file.clone()
            };
            assert_eq!(
                planted.open("春眠不觉晓").err(),
                Some(KeyFileError::Parameters(kdf))
            );
        }
        let later = KeyFile { version: 2, ..file };
        assert_eq!(
            later.open("春眠不觉晓").err(),
            Some(KeyFileError::Version(2))
        );
    }

    #[test]
    fn it_is_kept_as_json_without_the_secret() {
        let (file, key) = sealed();
        let json = serde_json::to_string(&file).unwrap();
        assert!(json.contains("\"kind\":\"person\""));
        assert!(!json.contains(&hex::encode(key.to_seed())));
        assert_eq!(serde_json::from_str::<KeyFile>(&json).unwrap(), file);
        let unknown = json.replacen('{', "{\"extra\":1,", 1);
        assert!(serde_json::from_str::<KeyFile>(&unknown).is_err());
    }
}
