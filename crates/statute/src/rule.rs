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
