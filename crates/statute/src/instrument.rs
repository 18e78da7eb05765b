//! The instruments of law (法律文件) that rules here cite, and how far their articles and items go.

/// The instruments that rules here rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instrument {
    /// Regulation on Government Data Sharing (政务数据共享条例), State Council Order 809; short form `R`.
    Regulation,
    /// Shenyang's regulation on sharing and opening government data resources (沈阳市政务数据资源共享开放条例); short form `S`.
    Shenyang,
    /// Civil Code (中华人民共和国民法典), for the counting of periods; short form `CC`.
    CivilCode,
    /// Personal Information Protection Law (中华人民共和国个人信息保护法); short form `P`.
    PersonalInformation,
}

impl Instrument {
    /// Every instrument.
    pub const ALL: [Instrument; 4] = [
        Instrument::Regulation,
        Instrument::Shenyang,
        Instrument::CivilCode,
        Instrument::PersonalInformation,
    ];

    /// Letters before the number in the short form.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Instrument::Regulation => "R",
            Instrument::Shenyang => "S",
            Instrument::CivilCode => "CC",
            Instrument::PersonalInformation => "P",
        }
    }

    /// Full Chinese title, without book-title marks.
    #[must_use]
    pub const fn title_zh(self) -> &'static str {
        match self {
            Instrument::Regulation => "政务数据共享条例",
            Instrument::Shenyang => "沈阳市政务数据资源共享开放条例",
            Instrument::CivilCode => "中华人民共和国民法典",
            Instrument::PersonalInformation => "中华人民共和国个人信息保护法",
        }
    }

    /// English title.
    #[must_use]
    pub const fn title_en(self) -> &'static str {
        match self {
            Instrument::Regulation => "Regulation on Government Data Sharing",
            Instrument::Shenyang => {
                "Shenyang Regulation on the Sharing and Opening of Government Data Resources"
            }
            Instrument::CivilCode => "Civil Code",
            Instrument::PersonalInformation => "Personal Information Protection Law",
        }
    }

    /// Number of its last article.
    #[must_use]
    pub const fn last_article(self) -> u16 {
        match self {
            Instrument::Regulation => 44,
            Instrument::Shenyang => 38,
            Instrument::CivilCode => 1260,
            Instrument::PersonalInformation => 74,
        }
    }

    /// Number of the last item of an article; 0 where the article has no items that are cited here.
    #[must_use]
    pub const fn last_item(self, article: u16) -> u8 {
        match (self, article) {
            (Instrument::Regulation, 11) => 6,
            (Instrument::Regulation, 14) => 3,
            (Instrument::Regulation, 39) => 9,
            (Instrument::Regulation, 40) => 7,
            (Instrument::Regulation, 41) => 3,
            (Instrument::Shenyang, 34) => 8,
            _ => 0,
        }
    }
}
