//! What the law makes the software do, row by row: the articles, and in one line what it comes to.
//!
//! `docs/legal-register.md` is written from these rows, with the rules, tests and commands that show each.

use crate::article::Article;

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obligation {
    /// Its short name: C the catalogue, A applications, F return flow, U use, K correction, D disposal and ending, X disputes, V supervision,
    /// P platforms, G security and personal information, E evaluation, L local rules.
    pub row: &'static str,
    /// The articles that oblige.
    pub articles: &'static [Article],
    /// What the software does, in Chinese.
    pub zh: &'static str,
    /// What the software does, in English.
    pub en: &'static str,
    /// The articles that a default breaches; none where the Regulation names none.
    pub breach: &'static [Article],
}

macro_rules! obligations {
    ($( $row:ident: [$($article:ident),+] $zh:literal, $en:literal $(=> [$($breach:ident),+])?; )+) => {
        /// Every row, in the order of the law's own life of data.
        pub const OBLIGATIONS: &[Obligation] = &[$(
            Obligation {
                row: stringify!($row),
                articles: &[$(Article::$article),+],
                zh: $zh,
                en: $en,
                breach: &[$($(Article::$breach),+)?],
            }
        ),+];
    };
}

obligations! {
    C1: [R12, R13] "编制目录：九项要素、两项评估、部门负责人审核同意", "compile an entry: nine elements, two assessments, the head's approval" => [R39_1];
    C7: [R2, R3] "国家秘密、工作秘密不得录入", "no state secret or work secret is entered" => [R42];
    C2: [R14, R15] "三类共享属性择一，目录之外不得增设条件", "exactly one class; no condition beyond the catalogue" => [R39_2];
    C3: [R16] "同级主管部门审核并统一通告", "reviewed and published by the authority of the same level";
    C4: [R17] "自调整、变化之日起10个工作日内更新目录，经同意延长5个工作日", "updated in 10 working days from a change, 5 more with consent" => [R39_1];
    C5: [R17] "收到更新后2个工作日内审核并发布", "an update is reviewed and published in 2 working days" => [R41_3];
    C6: [R19] "明确数源部门；能共享的不重复收集", "a source department is named; nothing is collected again that is shared" => [R39_3, R40_1, R41_1];
    A0: [R20] "供需对接", "needs that no entry meets are matched";
    A1: [R20] "经共享工作机构负责人同意提出申请", "an application with what R20 lists and the consent of the head of the sharing office";
    A2: [R21] "材料不全的一次性告知，不得直接拒绝", "what is missing is told once; incompleteness is no ground of refusal" => [R39_9];
    A3: [R20, R21] "无条件共享类1个工作日内答复", "unconditional: a reply in 1 working day" => [R39_4];
    A4: [R20, R21] "有条件共享类10个工作日内答复，经同意延长一次", "conditional: a reply in 10 working days, extended once with consent" => [R39_4];
    A5: [R21] "不同意共享的说明理由", "a refusal carries reasons" => [R39_9];
    A6: [R22] "同意后20个工作日内共享", "shared in 20 working days from consent" => [R39_4];
    F1: [R24] "及时、完整回流，不得设置额外限制条件", "a lower level's own rows return, in time, complete, without conditions" => [R39_5];
    F2: [R24, R30] "逐级向下回流至乡镇、村", "each level passes on to the next below" => [R39_5];
    U1: [R25] "不得擅自扩大使用范围、改变用途、提供给第三方", "use within scope and purpose; widening or passing on by consent alone" => [R40_2, R40_3];
    U2: [R25] "防范汇聚、关联泄密风险", "leakage by aggregation is seen and limited" => [R40_6];
    K1: [R26] "记录使用状态，提出校核申请", "the state of use is recorded; correction is asked for";
    K2: [R26] "10个工作日内核实、更正并反馈，更正达到所有持有方", "verified, corrected and reported back in 10 working days, to every holder" => [R39_6];
    D1: [R27] "不再需要的数据按要求处置", "data no longer needed is disposed of as required" => [R40_4];
    D2: [R27] "暂停权限、限期整改、恢复或者终止", "suspend, order rectification by a date, restore or terminate" => [R40_2, R40_3];
    D3: [R27] "终止或者变更服务须协商并备案", "a service ends or changes after negotiation and filing" => [R39_7];
    X1: [R28] "争议先行协商", "a dispute is negotiated first";
    X2: [R28] "同级或者共同上级主管部门协调处理", "the authority of the level, or the common superior, coordinates" => [R41_2];
    X3: [R28] "协调不成的由本级人民政府决定", "failing that, the government of that level decides";
    V1: [R29] "使用记录保存不少于3年", "records of use are kept at least three years" => [R40_5];
    V2: [R29] "提供部门、同级主管部门可以查阅，查阅留痕", "read by the provider and the authority; every reading is recorded" => [R40_5];
    V3: [R29, R39, R40, R41] "监督检查、责令改正、通报", "supervision: breaches found, orders to correct, circulars" => [R41_3];
    P1: [R30] "互联互通；无平台的部门依托本级节点", "platforms are joined; a department without one is hosted";
    P2: [R31, R32] "已建平台纳入体系", "older platforms are brought in" => [R39_8];
    G1: [R34, R35] "分类分级管控、监测、安全事件处置与报告", "controls by grade, monitoring, incidents contained and reported" => [R40_6];
    G2: [R36] "运维与受托方不得擅自访问数据", "operators and contractors read nothing without a trace";
    G3: [R37] "受理投诉举报并及时处理", "complaints are taken and answered";
    G4: [R37, P34, P35, P47, P55, P56] "个人信息：依据、告知、影响评估、到期删除", "personal information: basis, notice, assessment, lawful erasure" => [R42];
    E1: [R38] "向本级人民政府报告及时性、质量、应用、安全", "timeliness, quality, use and security are reported to the government" => [R41_3];
    L1: [S20] "沈阳：有条件共享5个工作日内答复；拒绝须有依据", "Shenyang: a conditional reply in 5 working days; a refusal cites law" => [S34];
    L2: [S24, S25, S26, S27] "沈阳：数据开放", "Shenyang: open data" => [S35];
    L3: [S19] "沈阳：基础数据与主题数据", "Shenyang: base data and theme data";
    L4: [S8] "沈阳：定期评估并公布", "Shenyang: evaluation, published";
    L5: [S21] "沈阳：争议由市主管部门协调", "Shenyang: the city's authority coordinates, within R28";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_own_name_and_an_article() {
        let mut rows: Vec<_> = OBLIGATIONS.iter().map(|it| it.row).collect();
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), OBLIGATIONS.len());
        assert!(OBLIGATIONS.iter().all(|it| !it.articles.is_empty()));
    }
}
