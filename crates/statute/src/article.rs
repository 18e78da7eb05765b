//! Articles of law, as values: every rule and every refusal carries one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::instrument::Instrument;
use crate::term::MAX_ECHO_CHARS;

/// One article of law, or one item (项) of it.
///
/// Invariant: it exists, that is, its number and item lie within its instrument. Written and serialised in its short
/// form: `R20`, `R39(4)`, `S20`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Article {
    instrument: Instrument,
    number: u16,
    item: u8,
}

/// A citation that names no article we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArticleError {
    /// Not of the form `R20` or `R39(4)`.
    #[error("{found:?} is not an article; write it as R20, R39(4) or S20")]
    Form {
        /// What was found, cut short.
        found: String,
    },
    /// The instrument has no such article.
    #[error("{} has articles 1 to {}, not {number}", .instrument.title_en(), .instrument.last_article())]
    NoSuchArticle {
        /// The instrument named.
        instrument: Instrument,
        /// The number asked for.
        number: u16,
    },
    /// The article has no such item.
    #[error("{}, Art. {number}, has no item {item}", .instrument.title_en())]
    NoSuchItem {
        /// The instrument named.
        instrument: Instrument,
        /// The article.
        number: u16,
        /// The item asked for.
        item: u8,
    },
}

macro_rules! articles {
    ($all:ident of $instrument:ident: $($name:ident = $number:literal $(($item:literal))?, $doc:literal;)+) => {
        impl Article {
            $(
                #[doc = $doc]
                pub const $name: Article = Article {
                    instrument: Instrument::$instrument,
                    number: $number,
                    item: 0 $(+ $item)?,
                };
            )+

            /// The constants above, for the check that each names an article that exists.
            #[cfg(test)]
            const $all: &'static [Article] = &[$(Article::$name),+];
        }
    };
}

articles! { REGULATION of Regulation:
    R1 = 1, "Purpose.";
    R2 = 2, "Scope: government departments and authorised organisations.";
    R3 = 3, "Definitions; no state secrets or work secrets.";
    R4 = 4, "Principles.";
    R5 = 5, "Duty to observe the law and protect security.";
    R6 = 6, "Standards.";
    R7 = 7, "Innovation.";
    R8 = 8, "Leadership and competent authorities.";
    R9 = 9, "Coordination by the competent authority.";
    R10 = 10, "Responsibility of the department.";
    R11 = 11, "The department's sharing office (政务数据共享工作机构).";
    R12 = 12, "Unified catalogue.";
    R13 = 13, "Compiling the catalogue: assessments, approval by the head, what it states.";
    R14 = 14, "Three classes of sharing.";
    R15 = 15, "No added conditions; conditions, reasons and legal basis are listed.";
    R16 = 16, "Review and publication of the catalogue.";
    R17 = 17, "Dynamic updating of the catalogue.";
    R18 = 18, "Quality management.";
    R19 = 19, "No repeated collection; authoritative source departments (数源部门).";
    R20 = 20, "Matching supply and demand; applications and consents.";
    R21 = 21, "Time limits of the reply; completeness; reasons.";
    R22 = 22, "Time limit and ways of sharing.";
    R23 = 23, "Encouragement to shorten the process.";
    R24 = 24, "Return flow (回流).";
    R25 = 25, "Use only within scope and purpose.";
    R26 = 26, "Verification and correction (校核纠错).";
    R27 = 27, "Disposal, suspension, ending or changing a service.";
    R28 = 28, "Disputes.";
    R29 = 29, "Supervision; records of use kept at least three years.";
    R30 = 30, "The national integrated big-data system.";
    R31 = 31, "Existing platforms join; no new exchanges.";
    R32 = 32, "Sharing goes through the national system.";
    R33 = 33, "New technologies.";
    R34 = 34, "Security responsibilities.";
    R35 = 35, "Classification controls, monitoring, incidents.";
    R36 = 36, "Entrusted parties and platform operators.";
    R37 = 37, "Personal information; complaints.";
    R38 = 38, "Budget, evaluation and reports.";
    R39 = 39, "Liability of the provider.";
    R39_1 = 39(1), "Catalogue not compiled or updated as required.";
    R39_2 = 39(2), "Sharing obstructed, as by added conditions.";
    R39_3 = 39(3), "Source department not helped to keep data whole.";
    R39_4 = 39(4), "Reply or sharing late without justification.";
    R39_5 = 39(5), "Return flow not made.";
    R39_6 = 39(6), "Correction not made in time.";
    R39_7 = 39(7), "Service ended or changed without authority.";
    R39_8 = 39(8), "Existing platform not brought in.";
    R39_9 = 39(9), "Other breaches by the provider.";
    R40 = 40, "Liability of the requester.";
    R40_1 = 40(1), "Data collected again that sharing could have given.";
    R40_2 = 40(2), "Use beyond scope or purpose.";
    R40_3 = 40(3), "Passing on to a third party.";
    R40_4 = 40(4), "Data not disposed of as required.";
    R40_5 = 40(5), "Records not kept as required.";
    R40_6 = 40(6), "Security duties not met.";
    R40_7 = 40(7), "Other breaches by the requester.";
    R41 = 41, "Liability of the competent authority.";
    R41_1 = 41(1), "Source department not named.";
    R41_2 = 41(2), "Dispute not coordinated as required.";
    R41_3 = 41(3), "Other breaches by the authority.";
    R42 = 42, "Liability for leaks and abuse.";
    R43 = 43, "Other state organs.";
    R44 = 44, "Entry into force.";
}

articles! { SHENYANG of Shenyang:
    S8 = 8, "Periodic published evaluation.";
    S18 = 18, "Three types of sharing.";
    S19 = 19, "Base data and theme data.";
    S20 = 20, "Unconditional: straight from the platform; conditional: reply in five working days; refusal cites law.";
    S21 = 21, "Disputes are coordinated by the city's authority.";
    S23 = 23, "Use for one's own duty only.";
    S24 = 24, "Three types of opening.";
    S25 = 25, "Unconditional opening.";
    S26 = 26, "Opening on application.";
    S27 = 27, "Grounds of restriction are made public.";
    S34 = 34, "Liability for breaches in sharing.";
    S35 = 35, "Liability for breaches in opening.";
    S36 = 36, "Liability for leaking state secrets, trade secrets and personal information.";
}

articles! { CIVIL_CODE of CivilCode:
    CC201 = 201, "A period in days begins on the day after its start.";
    CC202 = 202, "Periods in months and years.";
    CC203 = 203, "The last day ends at 24:00; a period never ends on a holiday.";
}

articles! { PERSONAL_INFORMATION of PersonalInformation:
    P34 = 34, "State organs handle personal information within their powers.";
    P35 = 35, "State organs give notice.";
    P47 = 47, "Erasure when the purpose is met or the period of keeping is over.";
    P55 = 55, "Impact assessment beforehand.";
    P56 = 56, "Content of the assessment; kept three years.";
}

impl Article {
    /// The article of an instrument, or its item when `item` is given.
    ///
    /// # Errors
    /// When the instrument has no such article or item.
    pub fn new(
        instrument: Instrument,
        number: u16,
        item: Option<u8>,
    ) -> Result<Self, ArticleError> {
        if number == 0 || number > instrument.last_article() {
            return Err(ArticleError::NoSuchArticle { instrument, number });
        }
        match item {
            None => Ok(Article {
                instrument,
                number,
                item: 0,
            }),
            Some(item) if item >= 1 && item <= instrument.last_item(number) => Ok(Article {
                instrument,
                number,
                item,
            }),
            Some(item) => Err(ArticleError::NoSuchItem {
                instrument,
                number,
                item,
            }),
        }
    }

    /// The instrument it belongs to.
    #[must_use]
    pub const fn instrument(self) -> Instrument {
        self.instrument
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.number
    }

    /// Its item (项), if it names one.
    #[must_use]
    pub const fn item(self) -> Option<u8> {
        if self.item == 0 {
            None
        } else {
            Some(self.item)
        }
    }

    /// Short form: `R20`, `R39(4)`.
    #[must_use]
    pub fn short(self) -> String {
        match self.item() {
            None => format!("{}{}", self.instrument.prefix(), self.number),
            Some(item) => format!("{}{}({item})", self.instrument.prefix(), self.number),
        }
    }

    /// Chinese citation: `《政务数据共享条例》第三十九条第（四）项`.
    #[must_use]
    pub fn cite_zh(self) -> String {
        let article = format!(
            "《{}》第{}条",
            self.instrument.title_zh(),
            numeral_zh(self.number)
        );
        match self.item() {
            None => article,
            Some(item) => format!("{article}第（{}）项", numeral_zh(u16::from(item))),
        }
    }

    /// English citation: `Regulation on Government Data Sharing, Art. 39(4)`.
    #[must_use]
    pub fn cite_en(self) -> String {
        let article = format!("{}, Art. {}", self.instrument.title_en(), self.number);
        match self.item() {
            None => article,
            Some(item) => format!("{article}({item})"),
        }
    }
}

/// Chinese numeral of 1 to 9,999, as articles are numbered: 十, 二十, 一百零一, 一千二百六十.
fn numeral_zh(number: u16) -> String {
    const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    const UNITS: [(u16, &str); 4] = [(1000, "千"), (100, "百"), (10, "十"), (1, "")];
    let mut text = String::new();
    let mut gap = false;
    for (unit, name) in UNITS {
        let digit = number / unit % 10;
        if digit == 0 {
            gap = !text.is_empty();
            continue;
        }
        if gap {
            text.push_str(DIGITS[0]);
            gap = false;
        }
        let leading_ten = unit == 10 && digit == 1 && text.is_empty();
        if !leading_ten {
            text.push_str(DIGITS[usize::from(digit)]);
        }
        text.push_str(name);
    }
    text
}

impl fmt::Display for Article {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.short())
    }
}

impl FromStr for Article {
    type Err = ArticleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || ArticleError::Form {
            found: text.chars().take(MAX_ECHO_CHARS).collect(),
        };
        let digits_at = text.find(|c: char| c.is_ascii_digit()).ok_or_else(form)?;
        let (prefix, rest) = text.split_at(digits_at);
        let instrument = Instrument::ALL
            .into_iter()
            .find(|instrument| instrument.prefix() == prefix)
            .ok_or_else(form)?;
        let (number, item) = match rest.split_once('(') {
            None => (rest, None),
            Some((number, item)) => (number, Some(item.strip_suffix(')').ok_or_else(form)?)),
        };
        let number = plain_number(number).ok_or_else(form)?;
        let item = item
            .map(|item| {
                plain_number(item)
                    .and_then(|item| u8::try_from(item).ok())
                    .ok_or_else(form)
            })
            .transpose()?;
        Article::new(instrument, number, item)
    }
}

/// A number in its only spelling: digits, no sign, no leading zero.
fn plain_number(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    plain.then(|| digits.parse().ok()).flatten()
}

impl TryFrom<String> for Article {
    type Error = ArticleError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Article> for String {
    fn from(article: Article) -> String {
        article.short()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_is_cited_in_both_languages() {
        assert_eq!(Article::R20.cite_zh(), "《政务数据共享条例》第二十条");
        assert_eq!(
            Article::R39_4.cite_zh(),
            "《政务数据共享条例》第三十九条第（四）项"
        );
        assert_eq!(
            Article::R20.cite_en(),
            "Regulation on Government Data Sharing, Art. 20"
        );
        assert_eq!(
            Article::R39_4.cite_en(),
            "Regulation on Government Data Sharing, Art. 39(4)"
        );
        assert_eq!(
            Article::CC203.cite_zh(),
            "《中华人民共和国民法典》第二百零三条"
        );
    }

    #[test]
    fn chinese_numerals_are_written_as_the_law_writes_them() {
        let written = [1, 10, 11, 20, 44, 101, 110, 210, 1001, 1260].map(numeral_zh);
        let expected = [
            "一",
            "十",
            "十一",
            "二十",
            "四十四",
            "一百零一",
            "一百一十",
            "二百一十",
            "一千零一",
            "一千二百六十",
        ];
        assert_eq!(written, expected);
    }

    #[test]
    fn every_constant_exists_in_its_instrument_and_reads_back() {
        let all = [
            Article::REGULATION,
            Article::SHENYANG,
            Article::CIVIL_CODE,
            Article::PERSONAL_INFORMATION,
        ];
        for article in all.into_iter().flatten() {
            assert_eq!(article.short().parse(), Ok(*article));
        }
        let whole = Article::REGULATION
            .iter()
            .filter(|article| article.item().is_none());
        assert!(
            whole.map(|article| article.number()).eq(1..=44),
            "all 44 articles, each once"
        );
    }

    #[test]
    fn an_article_that_does_not_exist_is_refused() {
        for wrong in [
            "R0", "R45", "R020", "R+2", "R20(1)", "R39(0)", "R39(10)", "R39(4", "R39(4))", "R",
            "20", "X20", "", "S39",
        ] {
            assert!(wrong.parse::<Article>().is_err(), "{wrong} was accepted");
        }
    }

    #[test]
    fn articles_are_ordered_as_the_law_orders_them() {
        assert!(Article::R9 < Article::R10);
        assert!(Article::R39 < Article::R39_1);
        assert!(Article::R39_9 < Article::R40);
        assert!(Article::R44 < Article::S8);
    }
}
