//! The service interface (服务接口, R22): what the two ends of a call say to each other on a circuit, several hops apart.
//!
//! ```text
//! requester's node                                provider's node
//!   Head ────────────────────────────────────────► grant checked, use on record
//!        ◄──────────────────────── Proceed (where a body is to come) │ Refused │ TooMany │ Unavailable
//!   Data … EndOfRequest ─────────────────────────► backend
//!        ◄──────────────────────── Head, Data …, End with the receipt │ Cut
//! ```
//!
//! Calls follow one another on a circuit. What the provider's node says it signs, so that a refusal and a receipt are evidence; the receipt
//! binds the answer's digest to that of the request. A cancelled call is a closed circuit.

use std::fmt;

use identity::{Digest, Domain, Moment, Signed, codec};
use serde::{Deserialize, Serialize};
use sharing::docket::DocketId;
use statute::Refusal;

/// Most bytes of a path below the service's base.
pub const MAX_PATH_BYTES: usize = 2_048;
/// Most bytes of a query: a page of keys.
pub const MAX_QUERY_BYTES: usize = 4_096;
/// Most bytes of a header that is passed on: a content type, a list of accepted ones.
pub const MAX_HEADER_BYTES: usize = 256;
/// Most bytes of a purpose: as many characters as a line of terms has, three bytes each.
pub const MAX_PURPOSE_BYTES: usize = 3 * statute::class::MAX_TERM_CHARS;
/// Most fields that one call names, as many as a class lists terms.
pub const MAX_FIELDS: usize = statute::class::MAX_TERMS_LISTED;
/// Most bytes of an encoded head: path, query, two headers, purpose, and a page of field names.
pub const MAX_HEAD_BYTES: usize = 32 << 10;
/// Most bytes of what the provider's node says with its signature: a refusal may echo what was asked.
pub const MAX_WORD_BYTES: usize = 16 << 10;
/// Most bytes of a request's body; what is more goes as a file.
pub const MAX_REQUEST_BYTES: u64 = 64 << 20;

/// A call's id, chosen by the requester's node: 32 random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(pub Digest);

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a backend is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CallMethod {
    /// GET.
    Get,
    /// POST.
    Post,
}

/// Where below a service's base a call goes: a path and, perhaps, a query. Whatever is in it, it neither leaves the base nor names another
/// host, nor can it end the line of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallTarget {
    /// Begins with `/`.
    path: String,
    query: Option<String>,
}

/// Why a text is no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Longer than [`MAX_PATH_BYTES`] or [`MAX_QUERY_BYTES`].
    #[error("路径或查询过长 / the path or the query is too long")]
    TooLong,
    /// Not `/…`, or with an empty part, as in `//host`.
    #[error("路径以“/”开头，且不得有空段 / a path begins with \"/\" and has no empty part")]
    Shape,
    /// A part that is `.` or `..`, or hides a slash, a backslash or a percent sign.
    #[error("路径不得含“.”“..”或者编码的“/”“\\”“%” / a path has no part that leads elsewhere")]
    Leads,
    /// A space, a control character, a character beyond ASCII that is not percent-encoded, or a broken encoding.
    #[error(
        "路径或查询含有不允许的字符，应当用百分号编码 / a character that must be percent-encoded"
    )]
    Character,
}

impl CallTarget {
    /// Reads `/path` or `/path?query`, percent-encoded as in a request's line.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        if path.len() > MAX_PATH_BYTES || query.is_some_and(|query| query.len() > MAX_QUERY_BYTES) {
            return Err(TargetError::TooLong);
        }
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>'))
        };
        if !plain(path) || !query.is_none_or(plain) {
            return Err(TargetError::Character);
        }
        let parts = path.strip_prefix('/').ok_or(TargetError::Shape)?;
        let count = parts.split('/').count();
        for (place, part) in parts.split('/').enumerate() {
            // A slash at the end is a path of its own.
            if part.is_empty() && place + 1 < count {
                return Err(TargetError::Shape);
            }
            check_part(part)?;
        }
        Ok(Self {
            path: path.to_owned(),
            query: query.map(str::to_owned),
        })
    }

    /// The path, beginning with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query, without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }
}

/// One part of a path, as a backend will read it.
fn check_part(part: &str) -> Result<(), TargetError> {
    let read = percent_decoded(part).ok_or(TargetError::Character)?;
    if matches!(read.as_slice(), b"." | b"..") {
        return Err(TargetError::Leads);
    }
    for byte in read {
        match byte {
            // A backend may decode twice, and some take a semicolon for the end of a part.
            b'/' | b'\\' | b'%' | b';' => return Err(TargetError::Leads),
            0..=0x1f | 0x7f => return Err(TargetError::Character),
            _ => {}
        }
    }
    Ok(())
}

/// Percent-encodes one part of a path or query.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => encoded += &format!("%{other:02X}"),
        }
    }
    encoded
}

/// The bytes that a percent-encoded text stands for; none for a broken encoding.
pub fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut read = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            read.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        read.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(read)
}

impl fmt::Display for CallTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for CallTarget {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, TargetError> {
        Self::parse(&text)
    }
}

impl From<CallTarget> for String {
    fn from(target: CallTarget) -> Self {
        target.to_string()
    }
}

/// The value of a header that is passed on: visible ASCII and spaces, at most [`MAX_HEADER_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HeaderText(String);

/// A text that is no value of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("不是可转交的请求头 / no header that is passed on")]
pub struct HeaderError;

impl HeaderText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HeaderText {
    type Error = HeaderError;

    fn try_from(text: String) -> Result<Self, HeaderError> {
        let visible = text
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if text.is_empty() || text.len() > MAX_HEADER_BYTES || !visible {
            return Err(HeaderError);
        }
        Ok(Self(text))
    }
}

impl From<HeaderText> for String {
    fn from(text: HeaderText) -> Self {
        text.0
    }
}

/// What a call begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallHead {
    /// Its id.
    pub id: CallId,
    /// The docket that gives the right.
    pub docket: DocketId,
    /// For what the answer is used: a granted purpose (R25).
    pub purpose: String,
    /// The data items wanted, by name; none stands for all that are granted.
    pub fields: Vec<String>,
    /// How.
    pub method: CallMethod,
    /// Where.
    pub target: CallTarget,
    /// Of the body.
    pub content_type: Option<HeaderText>,
    /// What is taken as an answer.
    pub accept: Option<HeaderText>,
    /// Whether a body follows, once the provider's node says so.
    pub body: bool,
}

impl CallHead {
    /// Reads a head within its bounds.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let head: Self = codec::decode(bytes, MAX_HEAD_BYTES).map_err(|_| Malformed)?;
        let bounded = head.purpose.len() <= MAX_PURPOSE_BYTES && head.fields.len() <= MAX_FIELDS;
        if bounded { Ok(head) } else { Err(Malformed) }
    }

    /// The digest of this head.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Call, &codec::encode(self))
    }

    /// The digest of the whole request: of this head and of the body's digest ([`Digest::object`] of its bytes).
    pub fn request_digest(&self, body: &Digest) -> Digest {
        Digest::of_parts(Domain::Call, &[&codec::encode(self), body.as_bytes()])
    }
}

/// Something on a circuit of calls that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed piece of a call")]
pub struct Malformed;

/// What the provider's node says to a call, signed by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallAnswer {
    /// The call it answers.
    pub call: CallId,
    /// What it says.
    pub word: CallWord,
}

/// What there is to say to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallWord {
    /// The body may come.
    Proceed,
    /// A lawful refusal: nothing was asked of the backend.
    Refused(Refusal),
    /// More calls than the service takes.
    TooMany {
        /// When to try again, seconds from now.
        retry_after_s: u32,
    },
    /// The provider's end cannot serve it now.
    Unavailable(Unavailable),
    /// The backend answers; its body follows in pieces.
    Head {
        /// The backend's HTTP status.
        status: u16,
        /// Of the body.
        content_type: Option<HeaderText>,
    },
    /// All of the answer was sent.
    End(CallReceipt),
    /// The answer ends before its end.
    Cut(CallCut),
}

/// Why the provider's end cannot serve a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unavailable {
    /// No backend is registered for the entry.
    NotRegistered,
    /// The backend is registered, but not for this method or path.
    PathNotRegistered,
    /// The backend cannot be reached or breaks off.
    BackendDown,
    /// The backend does not answer in time.
    BackendSlow,
    /// The grant is limited to some data items, and this answer cannot be reduced to them.
    NotFilterable,
    /// The request's body is larger than [`MAX_REQUEST_BYTES`].
    RequestTooLarge,
    /// The node itself fails.
    Fault,
}

/// Why an answer ends before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallCut {
    /// The grant is no longer in force.
    Refused(Refusal),
    /// The backend broke off or fell silent.
    Broken(Unavailable),
}

/// What was answered to what: the provider's word under the whole call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReceipt {
    /// See [`CallHead::request_digest`].
    pub request: Digest,
    /// The HTTP status that was answered.
    pub status: u16,
    /// [`Digest::object`] of the answer's body.
    pub response: Digest,
    /// Bytes of the answer's body.
    pub bytes: u64,
    /// When its last byte was sent, by the provider's clock.
    pub at: Moment,
}

/// One piece on a circuit of calls.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// A call begins.
    Head(Box<CallHead>),
    /// Bytes of a body, in either direction.
    Data(Vec<u8>),
    /// The request's body is whole.
    EndOfRequest,
    /// The provider's node says something.
    Word(Signed<CallAnswer>),
}

const HEAD: u8 = 1;
const DATA: u8 = 2;
const END_OF_REQUEST: u8 = 3;
const WORD: u8 = 4;
/// Most bytes of a body in one piece: a chunk of a circuit less what names the piece.
pub const MAX_DATA_BYTES: usize = identity::stream::MAX_CHUNK - 1;

impl Piece {
    /// The piece as a circuit's chunk; data of at most [`MAX_DATA_BYTES`] fits.
    pub fn encode(&self) -> Vec<u8> {
        let tagged = |tag, bytes: &[u8]| [&[tag], bytes].concat();
        match self {
            Self::Head(head) => tagged(HEAD, &codec::encode(&**head)),
            Self::Data(bytes) => tagged(DATA, bytes),
            Self::EndOfRequest => vec![END_OF_REQUEST],
            Self::Word(signed) => tagged(WORD, &codec::encode(signed)),
        }
    }

    /// Reads a chunk.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(mut chunk: Vec<u8>) -> Result<Self, Malformed> {
        match chunk.split_first() {
            Some((&HEAD, bytes)) => CallHead::decode(bytes).map(|head| Self::Head(Box::new(head))),
            Some((&DATA, _)) => {
                chunk.remove(0);
                Ok(Self::Data(chunk))
            }
            Some((&END_OF_REQUEST, [])) => Ok(Self::EndOfRequest),
            Some((&WORD, bytes)) => codec::decode(bytes, MAX_WORD_BYTES)
                .map(Self::Word)
                .map_err(|_| Malformed),
            Some(_) | None => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_stays_below_its_base_and_on_its_line() {
        let long = format!("/{}", "a".repeat(MAX_PATH_BYTES));
        let wide = format!("/a?{}", "b".repeat(MAX_QUERY_BYTES + 1));
        let refused = [
            ("", TargetError::Shape),
            ("people", TargetError::Shape),
            ("//evil.example/x", TargetError::Shape),
            ("/a//b", TargetError::Shape),
            ("http://evil.example/", TargetError::Shape),
            ("/..", TargetError::Leads),
            ("/a/../../b", TargetError::Leads),
            ("/a/%2e%2E/b", TargetError::Leads),
            ("/a/.%2e", TargetError::Leads),
            ("/a/./b", TargetError::Leads),
            ("/a%2f..%2fb", TargetError::Leads),
            ("/a%5cb", TargetError::Leads),
            ("/a\\..\\b", TargetError::Leads),
            ("/%252e%252e/b", TargetError::Leads),
            ("/..;/b", TargetError::Leads),
            ("/a b", TargetError::Character),
            ("/a\r\nHost: evil", TargetError::Character),
            ("/a%0d%0aHost:%20evil", TargetError::Character),
            ("/a%00", TargetError::Character),
            ("/a%2", TargetError::Character),
            ("/a%zz", TargetError::Character),
            ("/a?b\r\nc", TargetError::Character),
            ("/a?b#c", TargetError::Character),
            ("/人口", TargetError::Character),
            (&long, TargetError::TooLong),
            (&wide, TargetError::TooLong),
        ];
        for (text, error) in refused {
            assert_eq!(CallTarget::parse(text), Err(error), "{text:?}");
        }
        for text in ["/", "/a", "/a/", "/a/b.json?x=../..&y=%2e", "/%E4%BA%BA?q="] {
            let target = CallTarget::parse(text).unwrap();
            assert_eq!(target.to_string(), text);
            let encoded = codec::encode(&target);
            assert_eq!(codec::decode(&encoded, 1 << 13), Ok(target));
        }
        let forged = codec::encode(&String::from("/../x"));
        assert!(codec::decode::<CallTarget>(&forged, 1 << 13).is_err());
    }

    fn head() -> CallHead {
        CallHead {
            id: CallId(Digest::object(b"call")),
            docket: DocketId(Digest::object(b"docket")),
            purpose: "社会救助资格核验".into(),
            fields: vec!["姓名".into()],
            method: CallMethod::Get,
            target: CallTarget::parse("/people?id=1").unwrap(),
            content_type: None,
            accept: Some("application/json".to_owned().try_into().unwrap()),
            body: false,
        }
    }

    #[test]
    fn pieces_come_back_and_what_is_none_is_refused() {
        let pieces = [
            Piece::Head(Box::new(head())),
            Piece::Data(vec![7; MAX_DATA_BYTES]),
            Piece::Data(Vec::new()),
            Piece::EndOfRequest,
        ];
        for piece in pieces {
            let chunk = piece.encode();
            assert!(chunk.len() <= identity::stream::MAX_CHUNK);
            assert_eq!(Piece::decode(chunk), Ok(piece));
        }
        for wrong in [
            vec![],
            vec![0],
            vec![9, 1],
            vec![END_OF_REQUEST, 0],
            vec![HEAD],
        ] {
            assert_eq!(Piece::decode(wrong), Err(Malformed));
        }
        let mut oversize = head();
        oversize.purpose = "用".repeat(MAX_PURPOSE_BYTES);
        assert_eq!(
            Piece::decode(Piece::Head(Box::new(oversize)).encode()),
            Err(Malformed)
        );
        let mut many = head();
        many.fields = vec![String::new(); MAX_FIELDS + 1];
        assert_eq!(CallHead::decode(&codec::encode(&many)), Err(Malformed));
    }

    #[test]
    fn a_requests_digest_is_of_all_of_it() {
        let (body, other) = (Digest::object(b"a"), Digest::object(b"b"));
        let mut changed = head();
        changed.purpose.push('x');
        let digests = [
            head().request_digest(&body),
            head().request_digest(&other),
            changed.request_digest(&body),
        ];
        assert!(digests[0] != digests[1] && digests[0] != digests[2]);
    }

    #[test]
    fn a_header_cannot_end_its_line() {
        let read = |text: &str| HeaderText::try_from(text.to_owned());
        assert!(read("application/json; charset=utf-8").is_ok());
        for wrong in [
            "",
            "a\r\nb: c",
            "a\nb",
            "类型",
            &"a".repeat(MAX_HEADER_BYTES + 1),
        ] {
            assert_eq!(read(wrong), Err(HeaderError), "{wrong:?}");
        }
    }
}
