//! Places in the tree: codes, paths, the next hop and the common superior.
//!
//! A node's parent comes from its certificate, which names a whole path, never from the shape of its
//! code: 118 county codes have no prefecture above them, and a vertically managed body sits below its
//! ministry. So everything here is a function of paths.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Digits in a division code of GB/T 2260.
const DIVISION_DIGITS: usize = 6;

/// The longest label of a ministry, in letters.
const MAX_LABEL: usize = 12;

/// The shortest label of a ministry.
const MIN_LABEL: usize = 2;

/// The most codes in a path: hub, ministry or province, prefecture, county and as many again to spare.
pub const MAX_DEPTH: usize = 8;

/// The code of a place: a division code (行政区划代码) of GB/T 2260, six digits, or the label of a body of
/// the State Council, two to twelve lower-case letters: that of its gov.cn domain (`mps`, `mca`, `samr`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// The text, followed by zero bytes.
    text: [u8; MAX_LABEL],
}

/// Why a text is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Not between two and twelve bytes.
    #[error("代码长度应为 2 至 12：{0} (length of a code)")]
    Length(usize),
    /// All digits, but not six, or the first is zero.
    #[error("行政区划代码应为六位数字且不以 0 开头：{0} (division codes have six digits)")]
    Division(String),
    /// Something other than digits alone or lower-case letters alone.
    #[error("代码只能是六位数字或小写字母：{0} (digits alone or lower-case letters alone)")]
    Alphabet(String),
}

impl Code {
    /// The national hub, 100000.
    pub const HUB: Self = Self {
        text: *b"100000\0\0\0\0\0\0",
    };

    /// The text of the code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = self.text.iter().position(|b| *b == 0).unwrap_or(MAX_LABEL);
        // Every code is ASCII: the only ways to make one check it.
        std::str::from_utf8(&self.text[..length]).unwrap_or_default()
    }

    /// Whether this is a division code of GB/T 2260 (the hub's included), not a label.
    #[must_use]
    pub const fn is_division(&self) -> bool {
        self.text[0].is_ascii_digit()
    }

    /// Whether this is the label of a body.
    #[must_use]
    pub const fn is_label(&self) -> bool {
        !self.is_division()
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let bytes = text.as_bytes();
        if !(MIN_LABEL..=MAX_LABEL).contains(&bytes.len()) {
            return Err(CodeError::Length(bytes.len()));
        }
        if bytes.iter().all(u8::is_ascii_digit) {
            if bytes.len() != DIVISION_DIGITS || bytes[0] == b'0' {
                return Err(CodeError::Division(text.to_owned()));
            }
        } else if !bytes.iter().all(u8::is_ascii_lowercase) {
            return Err(CodeError::Alphabet(text.to_owned()));
        }
        let mut code = [0; MAX_LABEL];
        for (slot, byte) in code.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        Ok(Self { text: code })
    }
}

impl TryFrom<&str> for Code {
    type Error = CodeError;

    fn try_from(text: &str) -> Result<Self, CodeError> {
        text.parse()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({self})")
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CodeVisitor;
        impl de::Visitor<'_> for CodeVisitor {
            type Value = Code;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a six-digit division code or the label of a ministry")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Code, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(CodeVisitor)
    }
}

/// A place: the codes from the hub down to it. Never empty, at most [`MAX_DEPTH`] codes, none twice.
/// Shown as `100000/440000/440100`; a list of codes where machines or people read it as data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Code>", into = "Vec<Code>")]
pub struct Path(Vec<Code>);

/// Why codes make no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No code at all.
    #[error("路径为空 (empty path)")]
    Empty,
    /// More than [`MAX_DEPTH`] codes.
    #[error("路径过深：{0} 级，上限 8 (path too deep)")]
    TooDeep(usize),
    /// The first code is not the hub's.
    #[error("路径应始于国家枢纽 100000，而非 {0} (a path starts at the hub)")]
    NotFromHub(Code),
    /// A code occurs twice.
    #[error("路径中代码重复：{0} (code repeated in a path)")]
    Repeated(Code),
    /// A part of the text is no code.
    #[error(transparent)]
    Code(#[from] CodeError),
}

impl Path {
    /// The path of the national hub.
    #[must_use]
    pub fn hub() -> Self {
        Self(vec![Code::HUB])
    }

    /// The path of codes from the hub down.
    ///
    /// # Errors
    ///
    /// In this order: empty, too deep, not from the hub, a code repeated.
    pub fn new(codes: Vec<Code>) -> Result<Self, PathError> {
        let Some(first) = codes.first() else {
            return Err(PathError::Empty);
        };
        if codes.len() > MAX_DEPTH {
            return Err(PathError::TooDeep(codes.len()));
        }
        if *first != Code::HUB {
            return Err(PathError::NotFromHub(*first));
        }
        for (index, code) in codes.iter().enumerate() {
            if codes[..index].contains(code) {
                return Err(PathError::Repeated(*code));
            }
        }
        Ok(Self(codes))
    }

    /// The path of a child of this place.
    ///
    /// # Errors
    ///
    /// [`PathError::TooDeep`] or [`PathError::Repeated`].
    pub fn child(&self, code: Code) -> Result<Self, PathError> {
        let mut codes = self.0.clone();
        codes.push(code);
        Self::new(codes)
    }

    /// The code of the place itself, the last of the path.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.last().copied().unwrap_or(Code::HUB)
    }

    /// All codes from the hub down to the place.
    #[must_use]
    pub fn codes(&self) -> &[Code] {
        &self.0
    }

    /// The path of the parent; none for the hub.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        match self.0.split_last() {
            Some((_, above)) if !above.is_empty() => Some(Self(above.to_vec())),
            _ => None,
        }
    }

    /// The codes above the place, the nearest first.
    pub fn ancestors(&self) -> impl DoubleEndedIterator<Item = Code> + '_ {
        self.0.iter().rev().skip(1).copied()
    }

    /// How many codes the path has: 1 for the hub.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// Whether a code lies on the path, the place's own included.
    #[must_use]
    pub fn contains(&self, code: Code) -> bool {
        self.0.contains(&code)
    }

    /// Whether this place lies above the other. No place is its own ancestor.
    #[must_use]
    pub fn is_ancestor_of(&self, other: &Self) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }

    /// The path of the lowest place that is at or above both: see [`Self::common_superior`].
    #[must_use]
    pub fn common_path(a: &Self, b: &Self) -> Self {
        let shared = a.0.iter().zip(&b.0).take_while(|(x, y)| x == y).count();
        Self(a.0[..shared].to_vec())
    }

    /// The common superior (共同的上级): the lowest common ancestor of two places. Where one
    /// lies above the other it is that one; for one and the same place, the place itself.
    #[must_use]
    pub fn common_superior(a: &Self, b: &Self) -> Code {
        Self::common_path(a, b).code()
    }

    /// The neighbour of this place on the way to another: the child that leads down to it, or else the
    /// parent. None when this is the place.
    #[must_use]
    pub fn next_hop(&self, to: &Self) -> Option<Code> {
        if self == to {
            None
        } else if self.is_ancestor_of(to) {
            to.0.get(self.0.len()).copied()
        } else {
            self.ancestors().next()
        }
    }

    /// Every place on the way from one place to another, both included: up to the common
    /// superior and down again.
    #[must_use]
    pub fn route(from: &Self, to: &Self) -> Vec<Code> {
        let shared = Self::common_path(from, to).depth();
        let up = from.0.iter().skip(shared.saturating_sub(1)).rev();
        let down = to.0.iter().skip(shared);
        up.chain(down).copied().collect()
    }
}

impl TryFrom<Vec<Code>> for Path {
    type Error = PathError;

    fn try_from(codes: Vec<Code>) -> Result<Self, PathError> {
        Self::new(codes)
    }
}

impl From<Path> for Vec<Code> {
    fn from(path: Path) -> Self {
        path.0
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        let parts = text.split('/').take(MAX_DEPTH + 1);
        Self::new(parts.map(Code::from_str).collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, code) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            f.write_str(code.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
