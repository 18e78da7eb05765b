//! Canonical bytes: the one place where values become bytes and bytes become values.
//!
//! The format is bincode 2.0.1 in its serde mode with `config::standard()`: little endian,
//! integers of variable length. **What is signed is the very bytes sent**: a signature or digest is made
//! over the bytes that [`encode`] gave once, those bytes travel ([`crate::Signed`] carries them), and nobody
//! encodes a value a second time to check it. So a reader never depends on two versions encoding
//! alike.
//!
//! Rules for wire types:
//! - no element of size zero in a collection (`Vec<()>`, `Vec<EmptyStruct>`): its length costs no
//!   bytes, so a hostile length of 2^60 would keep the decoder busy for years;
//! - no `u128` or `i128`: the decoder counts them at 16 bytes, beyond what its limit allows for;
//! - no `#[serde(flatten)]`, `untagged`, internally tagged enums or `skip_serializing_if`: the format does
//!   not describe itself;
//! - new variants of an enum and new fields go into a new version of the type, never in between.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest encoding that [`decode`] accepts whatever its caller asks, in bytes (16 MiB): bulk data
/// travels in circuits, so a control message beyond this is a mistake or an attack.
pub const MAX_ENCODED: usize = 16 * 1024 * 1024;

/// The most bytes the decoder may claim for an encoding of up to [`SMALL_ENCODED`] (16 MiB). bincode
/// counts an integer at its full width (8 bytes for a length or `u64` that took one), so what it claims can
/// be eight times what was sent.
const SMALL_LIMIT: usize = 16 * 1024 * 1024;

/// The most bytes the decoder may claim for any longer encoding: eight times [`MAX_ENCODED`].
const LARGE_LIMIT: usize = 8 * MAX_ENCODED;

/// Encodings up to this many bytes (2 MiB) are decoded under the small limit: an eighth of it.
const SMALL_ENCODED: usize = SMALL_LIMIT / 8;

/// Why bytes were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Longer than the caller, or [`MAX_ENCODED`], allows; both in bytes.
    #[error("编码过长：{length} 字节，上限 {max} (encoding too long)")]
    TooLong {
        /// Bytes found.
        length: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not an encoding of the wanted type; the text is the decoder's reason, for logs.
    #[error("编码格式错误：{0} (malformed encoding)")]
    Malformed(String),
    /// A whole value was read, and bytes were left over.
    #[error("编码后有多余字节：{0} (trailing bytes)")]
    TrailingBytes(usize),
}

/// The canonical bytes of a value.
///
/// # Panics
///
/// If the type breaks the rules of this module (a `Serialize` that fails by itself or a sequence of
/// unknown length). That is a defect of the program, which no input can bring about.
#[must_use]
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    match bincode::serde::encode_to_vec(value, bincode::config::standard()) {
        Ok(bytes) => bytes,
        Err(error) => panic!("{} is no wire type: {error}", std::any::type_name::<T>()),
    }
}

/// The value of an encoding of at most `max` bytes.
///
/// # Errors
///
/// In this order: too long, malformed, trailing bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, CodecError> {
    let max = max.min(MAX_ENCODED);
    if bytes.len() > max {
        return Err(CodecError::TooLong {
            length: bytes.len(),
            max,
        });
    }
    let config = bincode::config::standard();
    let decoded = if bytes.len() <= SMALL_ENCODED {
        bincode::serde::borrow_decode_from_slice(bytes, config.with_limit::<SMALL_LIMIT>())
    } else {
        bincode::serde::borrow_decode_from_slice(bytes, config.with_limit::<LARGE_LIMIT>())
    };
    let (value, read) = decoded.map_err(|error| CodecError::Malformed(error.to_string()))?;
    match bytes.len().saturating_sub(read) {
        0 => Ok(value),
        left => Err(CodecError::TrailingBytes(left)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Named { name: String, numbers: Vec<u64> },
        Nested(Option<Box<[i64; 3]>>, BTreeMap<String, bool>),
    }

    #[test]
    fn a_value_comes_back() {
        for shape in [
            Shape::Point,
            Shape::Named {
                name: "天河区".into(),
                numbers: vec![0, 250, 251, u64::MAX],
            },
            Shape::Nested(Some(Box::new([1, -1, i64::MIN])), BTreeMap::new()),
        ] {
            assert_eq!(decode::<Shape>(&encode(&shape), 1024), Ok(shape));
        }
    }

    #[test]
    fn the_length_is_refused_before_anything_is_read() {
        assert_eq!(
            decode::<String>(&[0xff; 11], 10),
            Err(CodecError::TooLong {
                length: 11,
                max: 10
            })
        );
        assert!(matches!(
            decode::<String>(&vec![0; MAX_ENCODED + 1], usize::MAX),
            Err(CodecError::TooLong {
                max: MAX_ENCODED,
                ..
            })
        ));
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut bytes = encode("ok");
        bytes.push(0);
        assert_eq!(
            decode::<String>(&bytes, 100),
            Err(CodecError::TrailingBytes(1))
        );
    }

    #[test]
    fn a_length_beyond_the_input_is_refused() {
        let mut bytes = vec![253];
        bytes.extend(u64::MAX.to_le_bytes());
        assert!(matches!(
            decode::<String>(&bytes, 100),
            Err(CodecError::Malformed(_))
        ));
        assert!(matches!(
            decode::<Vec<u64>>(&bytes, 100),
            Err(CodecError::Malformed(_))
        ));
    }

    #[test]
    fn many_small_numbers_in_a_long_message_are_accepted() {
        let numbers = vec![1_u64; 3 * 1024 * 1024];
        assert_eq!(
            decode::<Vec<u64>>(&encode(&numbers), MAX_ENCODED),
            Ok(numbers)
        );
    }

    #[test]
    fn the_bytes_of_the_format_do_not_drift() {
        assert_eq!(
            encode(&(1_u8, 300_u32, "ab", true)),
            [1, 251, 44, 1, 2, b'a', b'b', 1]
        );
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = decode::<Shape>(&bytes, 512);
            let _ = decode::<Vec<Shape>>(&bytes, 512);
            let _ = decode::<crate::Chain>(&bytes, 512);
            let _ = decode::<crate::Certificate>(&bytes, 512);
            let _ = decode::<crate::Sealed>(&bytes, 512);
            let _ = decode::<crate::Path>(&bytes, 512);
            let _ = decode::<crate::CreditCode>(&bytes, 512);
            let _ = decode::<crate::Revocation>(&bytes, 512);
        }

        #[test]
        fn a_truncated_value_is_refused(name in ".{0,40}", numbers in proptest::collection::vec(any::<u64>(), 0..8), cut in 1_usize..8) {
            let bytes = encode(&Shape::Named { name, numbers });
            let end = bytes.len().saturating_sub(cut);
            prop_assert!(decode::<Shape>(&bytes[..end], 4096).is_err());
        }
    }
}
