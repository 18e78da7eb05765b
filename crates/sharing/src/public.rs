//! What the public says to a node (公众): no key signs it and nobody is enrolled who could, so it enters as the node's own record of what it
//! received, bounded, and opens a docket in which people of departments then act. R37, Shenyang S26.
//!
//! Whoever speaks is given a receipt (回执): a secret of the intake's, of which the node keeps the commitment alone. With it, and with nothing
//! less, the state of the case is read.

use std::fmt;
use std::str::FromStr;

use identity::{CreditCode, Digest, Domain, Moment, codec};
use serde::{Deserialize, Serialize};
use statute::{Article, OpeningReplyForm, Refusal};

use crate::act::at_most;
use crate::catalogue::EntryId;
use crate::docket::DocketId;
use crate::private::{Content, Private, SALT_BYTES};

/// Most characters of what somebody of the public says: two pages.
pub const MAX_PUBLIC_TEXT_CHARS: usize = 2_000;
/// Most characters of a name, a contact or a subject.
pub const MAX_PUBLIC_LINE_CHARS: usize = 200;
/// Bytes of a receipt: beyond guessing, whatever number of tries.
pub const RECEIPT_BYTES: usize = 16;

/// Texts of one statement: each is a content of its own, with its own salt.
pub const TEXTS_OF_A_STATEMENT: usize = 4;

/// What somebody of the public wrote, in their words: it goes into vaults and nowhere else, and so it has no form for logs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Who speaks, as they call themselves; may be empty.
    pub name: String,
    /// How they can be reached; may be empty.
    pub contact: String,
    /// Whom or what it is about, in their words; may be empty.
    pub subject: String,
    /// What they say.
    pub text: String,
}

/// What somebody of the public wrote (公众陈述), committed to. All that may be personal stands here and nowhere else, and its texts beside the
/// ledger, so that they are erased and the case stays. A text that was left out is not committed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicStatement {
    /// Who speaks, as they call themselves.
    pub name: Option<Private>,
    /// How they can be reached.
    pub contact: Option<Private>,
    /// Whom or what it is about, in their words.
    pub subject: Option<Private>,
    /// What they say.
    pub text: Option<Private>,
}

/// What somebody of the public wants of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PublicRequest {
    /// That data opened on application be opened to them (依申请开放, S26).
    OpenData {
        /// Which entry of this node.
        entry: EntryId,
        /// In which form they want the reply.
        form: OpeningReplyForm,
        /// What for.
        statement: PublicStatement,
    },
    /// A complaint of an infringement in the sharing of government data (投诉、举报, R37).
    Complaint {
        /// The department complained of, where its code is known; the statement's subject names it in words.
        about: Option<CreditCode>,
        /// What happened.
        statement: PublicStatement,
    },
}

/// A request of the public as a node received it. Its digest names the docket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intake {
    /// The commitment to the receipt.
    pub receipt: Digest,
    /// The node's clock.
    pub at: Moment,
    /// What was asked.
    pub request: PublicRequest,
}

/// The secret with which the state of a case is read (回执码). It never enters the core and is kept by nobody but its owner.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt([u8; RECEIPT_BYTES]);

/// A text that is no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("回执码应为 32 位十六进制 (a receipt has 32 hexadecimal digits)")]
pub struct ReceiptError;

impl Written {
    /// Each text within its bound.
    fn check_bounds(&self, article: Article) -> Result<(), Refusal> {
        for line in [&self.name, &self.contact, &self.subject] {
            at_most(line.chars().count(), MAX_PUBLIC_LINE_CHARS, article)?;
        }
        at_most(self.text.chars().count(), MAX_PUBLIC_TEXT_CHARS, article)
    }

    /// The contents to be kept, and the statement that commits to them; what is blank is left out. Each salt is random, made for its text alone.
    ///
    /// # Errors
    /// `TooLong` under `article`.
    pub fn confide(
        self,
        salts: [[u8; SALT_BYTES]; TEXTS_OF_A_STATEMENT],
        article: Article,
    ) -> Result<(PublicStatement, Vec<Content>), Refusal> {
        self.check_bounds(article)?;
        let mut contents = Vec::with_capacity(TEXTS_OF_A_STATEMENT);
        let mut commit = |salt, text: String| {
            // Within its bound a text is no content only where it is blank.
            let content = Content::new(salt, text).ok()?;
            let private = content.private();
            contents.push(content);
            Some(private)
        };
        let [name, contact, subject, text] = salts;
        let statement = PublicStatement {
            name: commit(name, self.name),
            contact: commit(contact, self.contact),
            subject: commit(subject, self.subject),
            text: commit(text, self.text),
        };
        Ok((statement, contents))
    }
}

impl PublicStatement {
    /// Each text within its bound, as far as it is seen without it.
    ///
    /// # Errors
    /// `TooLong` under `article`.
    pub fn check_bounds(&self, article: Article) -> Result<(), Refusal> {
        self.private()
            .iter()
            .try_for_each(|it| it.within_bounds(article))
    }

    /// What it commits to.
    pub fn private(&self) -> Vec<Private> {
        let texts = [self.name, self.contact, self.subject, self.text];
        texts.into_iter().flatten().collect()
    }

    /// Leaves nothing of it, not even which texts there are.
    pub fn conceal(&mut self) {
        *self = Self::default();
    }
}

impl PublicRequest {
    /// What was written.
    pub fn statement(&self) -> &PublicStatement {
        match self {
            Self::OpenData { statement, .. } | Self::Complaint { statement, .. } => statement,
        }
    }

    /// The department complained of, where it is a complaint and the code is known.
    pub fn complained_of(&self) -> Option<CreditCode> {
        match self {
            Self::Complaint { about, .. } => *about,
            Self::OpenData { .. } => None,
        }
    }

    fn statement_mut(&mut self) -> &mut PublicStatement {
        match self {
            Self::OpenData { statement, .. } | Self::Complaint { statement, .. } => statement,
        }
    }
}

impl Intake {
    /// The docket that it opens.
    pub fn docket(&self) -> DocketId {
        DocketId(Digest::of(Domain::Docket, &codec::encode(self)))
    }

    /// The personal content that it commits to.
    pub fn private(&self) -> Vec<Private> {
        self.request.statement().private()
    }

    /// Leaves what may be shown to readers who may not see what was written.
    pub fn conceal(&mut self) {
        self.request.statement_mut().conceal();
    }
}

impl Receipt {
    /// A receipt of random bytes.
    pub fn new(random: [u8; RECEIPT_BYTES]) -> Self {
        Self(random)
    }

    /// What the node keeps of it.
    pub fn commitment(&self) -> Digest {
        Digest::of(Domain::Receipt, &self.0)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Receipt {
    /// The commitment, never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receipt").field(&self.commitment()).finish()
    }
}

impl FromStr for Receipt {
    type Err = ReceiptError;

    fn from_str(text: &str) -> Result<Self, ReceiptError> {
        let digits = text.as_bytes();
        if digits.len() != 2 * RECEIPT_BYTES {
            return Err(ReceiptError);
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(ReceiptError);
        let mut bytes = [0; RECEIPT_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let (high, low) = (digit(pair[0])?, digit(pair[1])?);
            *byte = u8::try_from(high << 4 | low).map_err(|_| ReceiptError)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_reads_as_it_was_written_and_nothing_else_is_one() {
        let receipt = Receipt::new([0xa5; RECEIPT_BYTES]);
        assert_eq!(receipt.to_string().parse(), Ok(receipt.clone()));
        assert!(!format!("{receipt:?}").contains("a5a5a5"), "secret");
        for wrong in ["", "a5", &"g".repeat(32), &"a".repeat(33), &"长".repeat(32)] {
            assert_eq!(wrong.parse::<Receipt>(), Err(ReceiptError));
        }
        let other = Receipt::new([0xa4; RECEIPT_BYTES]);
        assert_ne!(receipt.commitment(), other.commitment());
    }

    fn written() -> Written {
        Written {
            name: "张三".into(),
            contact: "13800000000".into(),
            subject: " ".into(),
            text: "某局泄露了我的信息".into(),
        }
    }

    fn confided(written: Written) -> Result<(PublicStatement, Vec<Content>), Refusal> {
        let salts = [1, 2, 3, 4].map(|salt| [salt; SALT_BYTES]);
        written.confide(salts, Article::S26)
    }

    #[test]
    fn what_is_written_is_committed_to_text_by_text_and_stands_in_the_contents_alone() {
        let (mut statement, contents) = confided(written()).unwrap();
        let committed: Vec<Private> = contents.iter().map(Content::private).collect();
        assert_eq!(statement.private(), committed);
        assert_eq!(statement.subject, None, "blank");
        assert_eq!(statement.name, Some(committed[0]));
        let said: Vec<&str> = contents.iter().map(Content::text).collect();
        assert_eq!(said, ["张三", "13800000000", "某局泄露了我的信息"]);
        let bytes = codec::encode(&statement);
        for text in said {
            let within = |it: &[u8]| it == text.as_bytes();
            assert!(!bytes.windows(text.len()).any(within), "{text}");
        }
        statement.conceal();
        assert_eq!(statement.private(), []);
    }

    #[test]
    fn what_is_written_is_bounded_before_it_is_kept_and_where_it_is_judged() {
        let long = |chars: usize| "长".repeat(chars);
        let text = |chars| Written {
            text: long(chars),
            ..written()
        };
        assert!(confided(text(MAX_PUBLIC_TEXT_CHARS)).is_ok());
        assert!(confided(text(MAX_PUBLIC_TEXT_CHARS + 1)).is_err());
        let contact = Written {
            contact: long(MAX_PUBLIC_LINE_CHARS + 1),
            ..written()
        };
        assert!(confided(contact).is_err());
        let (mut statement, _) = confided(written()).unwrap();
        assert_eq!(statement.check_bounds(Article::S26), Ok(()));
        statement.text.as_mut().unwrap().length = u32::MAX;
        assert!(statement.check_bounds(Article::S26).is_err());
    }
}
