//! The rules as a list, and a switch for each that only tests have.
//!
//! A test that a rule matters turns the rule off and sees the scenario of its duty fail. The switches exist under the feature `switches`
//! alone, which no program that is shipped is built with; without it [`is_off`] is `false`, known when compiling.

use crate::term::terms;

terms! {
    /// A rule of law that the software holds to.
    pub enum Rule {
        /// Replies and other duties of a docket are due in their working days, R17, R21, R22, R26.
        Deadlines = "deadlines", "限期义务", "duties have time limits";
        /// What is missing is told within the term of the reply, or the application counts as complete, R21.
        ToldInTime = "told-in-time", "期限内告知", "what is missing is told in time";
        /// An extension is granted once, within its limit, and with the authority's consent, R17, R21.
        Extension = "extension", "延长期限", "extensions are bounded and consented to";
        /// Who was provided with data asks for its correction, and is told the reasons where nothing is corrected, R26.
        Correction = "correction", "校核纠错", "holders ask for correction and are answered with reasons";
        /// Breaches are found, ordered corrected and circulated by whoever is entitled to, under the article of the accused, R29, R39 to R41.
        Supervision = "supervision", "监督与责令改正", "breaches are found by whoever is entitled to";
        /// A need is put on record for what no published entry gives, and is matched, answered and met by whoever may, R20.
        Matching = "matching", "供需对接", "needs that no entry meets are matched";
        /// What is a grave risk when joined is applied for only with the authority's consent, R25.
        Aggregation = "aggregation", "汇聚风险", "a grave risk of aggregation needs the authority's consent";
        /// An evaluation is of a period that is over, and its figures are the ledger's, R38.
        Evaluation = "evaluation", "评估报告", "an evaluation states what the ledger gives";
        /// A grant that is suspended, terminated or disposed of gives nothing, and is terminated only after rectification failed, R27.
        Standing = "standing", "共享权限状态", "a grant that is not in force gives nothing";
        /// Data is applied for, unless it is shared unconditionally where a local profile lets it be taken, R20, Shenyang S20.
        ApplicationFirst = "application-first", "先申请后共享", "data is applied for first";
        /// The grade of the data, whoever answers for it, plan and measures govern the course of a security incident, R34, R35.
        Incidents = "incidents", "安全事件处置", "incidents are graded, contained and closed in order";
        /// Records of use are read by those whom the law names, by superiors on an order of a superior authority alone, R29.
        Reading = "reading", "查阅使用记录", "records of use are read by those whom the law names";
        /// What is to be kept is not destroyed before its last day of keeping, R29, PIPL 47, 56.
        Retention = "retention", "保存期限", "what is to be kept is not destroyed before its time";
        /// A complaint is answered in substance, and never by the authority that it is about, R37.
        Complaint = "complaint", "投诉举报", "complaints are answered, and not by whom they are about";
        /// Data is opened where local rules open it, leaks nothing, and a refusal says why, S24 to S27, S36.
        Opening = "opening", "数据开放", "data is opened lawfully, and a refusal says why";
        /// A catalogue entry states its nine elements and both assessments, R12, R13.
        Compilation = "compilation", "目录编制要素", "an entry states what R13 lists";
        /// Neither state secrets nor work secrets are entered, R3.
        Secrecy = "secrecy", "不得录入秘密", "secrets are not entered";
        /// No condition is put on an application that the catalogue does not hold, R15.
        Conditions = "conditions", "不得增设条件", "no condition beyond the catalogue";
        /// Only what the authority has reviewed and published is applied for, R16.
        Publication = "publication", "审核发布", "only what is published is applied for";
        /// The authority names source departments within its own place, R19.
        Source = "source", "数源部门", "an authority names source departments within its place";
        /// An application goes out with the consent of its own department's sharing office to this very document, R20.
        ConsentToApply = "consent-to-apply", "申请须经同意", "an application goes out with its own office's consent";
        /// What is missing is told once and in full, R21.
        ToldOnce = "told-once", "一次性告知", "what is missing is told once";
        /// A refusal states its reasons and is never for incompleteness, R21.
        Reasons = "reasons", "不同意须说明理由", "a refusal carries reasons";
        /// A table is returned complete, at every level, R24.
        Completeness = "completeness", "完整回流", "what is returned is complete";
        /// Each level asks for its own rows and for those of the level below in it, R24, R30.
        OwnRows = "own-rows", "本级数据", "each level asks for its own rows";
        /// Data is used within the granted scope and purpose, R25.
        Use = "use", "使用范围与用途", "data is used within scope and purpose";
        /// An answer to a request for correction says what was corrected, or why nothing was, R26.
        CorrectionAnswer = "correction-answer", "校核反馈", "an answer says what was corrected or why nothing was";
        /// A service ends or changes once that was negotiated and is on file, R27.
        ServiceChange = "service-change", "终止或者变更服务", "a service changes after negotiation and filing";
        /// The complainant alone ends the negotiation as settled, R28.
        Negotiation = "negotiation", "协商", "negotiation is not settled over the complainant's head";
        /// An authority never hears its own case, R28.
        Hearing = "hearing", "回避", "an authority never hears its own case";
        /// A government decides once coordination has failed, R28.
        Decision = "decision", "先协调后决定", "coordination comes before decision";
        /// A record of use states all five points, R29.
        UseRecord = "use-record", "使用记录", "a record of use is whole";
        /// Neighbours are the parent and its children, each a certified member, R30.
        Neighbours = "neighbours", "互联互通", "only parent and children are neighbours";
        /// Data is handed out in the way of sharing that was granted, R22, R31, R32.
        WayOfSharing = "way-of-sharing", "共享方式", "data is handed out in the way that was granted";
        /// Whoever operates a node reads no file without a trace, R36.
        Trace = "trace", "访问留痕", "no file is read without a trace";
        /// Base items are shared unconditionally where local rules say so, Shenyang S19.
        BaseData = "base-data", "基础数据", "base items are shared unconditionally";
        /// An evaluation is published where local rules say so, with advice, Shenyang S8.
        PublishedEvaluation = "published-evaluation", "评估公布", "an evaluation is published where local rules say so";
        /// A locality's own article on coordination is cited beside R28, Shenyang S21.
        LocalCoordination = "local-coordination", "地方协调规定", "the local article on coordination is cited";
    }
}

impl Rule {
    /// The rows of [`OBLIGATIONS`](crate::obligation::OBLIGATIONS) that this rule decides: switched off, the scenario of each fails.
    #[must_use]
    pub const fn rows(self) -> &'static [&'static str] {
        match self {
            Rule::Deadlines => &["C4", "C5", "A3", "A6", "K2"],
            Rule::ToldInTime | Rule::ToldOnce => &["A2"],
            Rule::Extension => &["A4"],
            Rule::Correction => &["K1"],
            Rule::CorrectionAnswer => &["K2"],
            Rule::Supervision => &["V3"],
            Rule::Matching => &["A0"],
            Rule::Aggregation => &["U2"],
            Rule::Evaluation => &["E1"],
            Rule::Standing => &["D1", "D2"],
            Rule::ApplicationFirst => &["L1"],
            Rule::Incidents => &["G1"],
            Rule::Reading => &["V2"],
            Rule::Retention => &["G4"],
            Rule::Complaint => &["G3"],
            Rule::Opening => &["L2"],
            Rule::Compilation => &["C1"],
            Rule::Secrecy => &["C7"],
            Rule::Conditions => &["C2"],
            Rule::Publication => &["C3"],
            Rule::Source => &["C6"],
            Rule::ConsentToApply => &["A1"],
            Rule::Reasons => &["A5"],
            Rule::Completeness => &["F1"],
            Rule::OwnRows => &["F2"],
            Rule::Use => &["U1"],
            Rule::ServiceChange => &["D3"],
            Rule::Negotiation => &["X1"],
            Rule::Hearing => &["X2"],
            Rule::Decision => &["X3"],
            Rule::UseRecord => &["V1"],
            Rule::Neighbours => &["P1"],
            Rule::WayOfSharing => &["P2"],
            Rule::Trace => &["G2"],
            Rule::BaseData => &["L3"],
            Rule::PublishedEvaluation => &["L4"],
            Rule::LocalCoordination => &["L5"],
        }
    }
}

/// Whether a test has turned a rule off. Without the feature `switches`, never.
#[cfg(not(feature = "switches"))]
#[must_use]
pub const fn is_off(_rule: Rule) -> bool {
    false
}

#[cfg(feature = "switches")]
pub use switches::{is_off, without};

/// For tests alone.
#[cfg(feature = "switches")]
mod switches {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::Rule;

    thread_local! {
        static OFF: RefCell<BTreeSet<Rule>> = const { RefCell::new(BTreeSet::new()) };
    }

    /// Whether a test on this thread has turned a rule off.
    #[must_use]
    pub fn is_off(rule: Rule) -> bool {
        OFF.with_borrow(|off| off.contains(&rule))
    }

    /// What `work` makes of a world without this rule, on this thread.
    pub fn without<T>(rule: Rule, work: impl FnOnce() -> T) -> T {
        struct On(Rule);
        impl Drop for On {
            fn drop(&mut self) {
                OFF.with_borrow_mut(|off| off.remove(&self.0));
            }
        }
        OFF.with_borrow_mut(|off| off.insert(rule));
        let _on = On(rule);
        work()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Rule;
    use crate::obligation::OBLIGATIONS;

    #[test]
    fn every_row_has_a_rule_and_every_rule_a_row() {
        let rows: BTreeSet<_> = OBLIGATIONS.iter().map(|it| it.row).collect();
        let decided: BTreeSet<_> = Rule::ALL.iter().flat_map(|it| it.rows()).copied().collect();
        assert_eq!(decided, rows);
        assert!(Rule::ALL.iter().all(|it| !it.rows().is_empty()));
    }
}
