//! A report as rows: what tables, pages and files show, each figure with its article and with what it is a part of.

use std::fmt::Write as _;

use statute::{Article, Dimension};

use super::{Figures, Report};

/// One figure of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it says something of.
    pub dimension: Dimension,
    /// Its name in Chinese.
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// The article that the figure is about.
    pub article: Article,
    /// How many.
    pub count: u32,
    /// Of how many, where it is a part of something.
    pub of: Option<u32>,
}

/// The figures as lines, those of one dimension together; duties that nothing came of are left out.
pub fn lines(figures: &Figures) -> Vec<Line> {
    let mut lines = timeliness(figures);
    lines.extend(quality(figures));
    lines.extend(uses(figures));
    lines.extend(security(figures));
    lines
}

fn timeliness(figures: &Figures) -> Vec<Line> {
    let mut lines = Vec::new();
    for (duty, kept) in &figures.duties {
        let of = kept.in_time.saturating_add(kept.overdue);
        let mut say = |zh: &str, en: &str, article, count, of| {
            lines.push(Line {
                dimension: Dimension::Timeliness,
                zh: format!("{}：{zh}", duty.zh()),
                en: format!("{}: {en}", duty.en()),
                article,
                count,
                of,
            });
        };
        say(
            "按时履行",
            "in time",
            duty.article(),
            kept.in_time,
            Some(of),
        );
        say("逾期", "overdue", duty.breach(), kept.overdue, Some(of));
        if kept.justified > 0 {
            say(
                "说明正当理由",
                "justifications stated",
                Article::R39_4,
                kept.justified,
                None,
            );
        }
    }
    lines
}

type Row = (&'static str, &'static str, Article, u32, Option<u32>);

fn of_dimension(dimension: Dimension, rows: impl IntoIterator<Item = Row>) -> Vec<Line> {
    let line = |(zh, en, article, count, of): Row| Line {
        dimension,
        zh: zh.to_owned(),
        en: en.to_owned(),
        article,
        count,
        of,
    };
    rows.into_iter().map(line).collect()
}

#[rustfmt::skip] // A figure a line.
fn quality(figures: &Figures) -> Vec<Line> {
    let it = &figures.quality;
    let answered = Some(it.corrected.saturating_add(it.upheld));
    of_dimension(Dimension::Quality, [
        ("发布目录版本", "versions of entries published", Article::R16, it.published, None),
        ("其中更新版本", "of these, updates", Article::R17, it.updates, Some(it.published)),
        ("收到校核申请", "corrections asked for", Article::R26, it.corrections_asked, None),
        ("经核实更正", "corrected", Article::R26, it.corrected, answered),
        ("经核实无误", "found right", Article::R26, it.upheld, answered),
    ])
}

#[rustfmt::skip] // A figure a line.
fn uses(figures: &Figures) -> Vec<Line> {
    let it = &figures.uses;
    let answered = Some(it.granted.saturating_add(it.refused));
    of_dimension(Dimension::Use, [
        ("作为提供部门：收到共享申请", "as provider: applications received", Article::R21, it.received, None),
        ("作为提供部门：同意共享", "as provider: granted", Article::R21, it.granted, answered),
        ("作为提供部门：不予共享", "as provider: refused", Article::R21, it.refused, answered),
        ("作为提供部门：完成共享", "as provider: provided", Article::R22, it.provided, None),
        ("作为需求部门：提出共享申请", "as requester: applications made", Article::R20, it.made, None),
        ("作为需求部门：获得同意", "as requester: granted", Article::R21, it.obtained, None),
        ("作为需求部门：记录使用", "as requester: uses recorded", Article::R29, it.recorded, None),
        ("作为需求部门：期满或者终止的共享", "as requester: grants ended", Article::R27, it.ended, None),
        ("其中全程无使用记录", "of these, without any record of use", Article::R40_5, it.unrecorded, Some(it.ended)),
    ])
}

#[rustfmt::skip] // A figure a line.
fn security(figures: &Figures) -> Vec<Line> {
    let it = &figures.security;
    let judged = Some(it.complied.saturating_add(it.rejected));
    of_dimension(Dimension::Security, [
        ("认定违反规定并责令改正", "breaches found and ordered corrected", Article::R39, it.breaches, None),
        ("改正报告获认可", "reports of correction accepted", Article::R39, it.complied, judged),
        ("改正报告被退回", "reports of correction rejected", Article::R39, it.rejected, judged),
        ("建议给予处分", "discipline recommended", Article::R39, it.escalated, None),
        ("被暂停共享权限", "access suspended", Article::R27, it.suspensions, None),
        ("被终止共享", "sharing terminated", Article::R27, it.terminations, None),
        ("处置数据并出具证明", "certificates of disposal", Article::R27, it.disposals, None),
        ("报告安全事件", "security incidents reported", Article::R35, it.incidents, None),
        ("安全事件办结", "security incidents closed", Article::R35, it.incidents_closed, None),
    ])
}

const HEADER: &str = "期间,节点,单位,单位代码,维度,指标,依据,数量,基数\r\n";

/// The report as a CSV table (RFC 4180, UTF-8 without a byte order mark), with Chinese headers. No cell of text begins with a character that a
/// spreadsheet takes for a formula.
pub fn csv(report: &Report) -> String {
    let mut text = String::from(HEADER);
    let place = report.place.code().to_string();
    unit(&mut text, report, ("主管部门", &place), &report.authority);
    for it in &report.departments {
        let code = it.department.to_string();
        unit(&mut text, report, (&it.name, &code), &it.figures);
    }
    for it in &report.districts {
        let code = it.place.code().to_string();
        unit(&mut text, report, ("下级地区合计", &code), &it.totals);
    }
    text
}

fn unit(text: &mut String, report: &Report, (name, code): (&str, &str), figures: &Figures) {
    for line in lines(figures) {
        let of = line.of.map_or_else(String::new, |of| of.to_string());
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{},{},{},{},{},{},{},{},{of}\r\n",
            report.period,
            cell(&report.place.code().to_string()),
            cell(name),
            cell(code),
            line.dimension.zh(),
            cell(&line.zh),
            cell(&line.article.short()),
            line.count,
        );
    }
}

/// A text as a cell: quoted where it must be, and never a formula.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let text = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_of_text_is_a_formula_or_breaks_the_row() {
        for (text, expected) in [
            ("民政局", "民政局"),
            ("=1+2", "'=1+2"),
            ("@甲", "'@甲"),
            ("-1", "'-1"),
            ("+1,2", "\"'+1,2\""),
            ("甲\"乙\n", "\"甲\"\"乙\n\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }

    #[test]
    fn every_row_of_the_table_has_every_column() {
        let report = Report {
            place: identity::Path::hub(),
            period: "2026-03".parse().unwrap(),
            authority: Figures::default(),
            departments: Vec::new(),
            districts: Vec::new(),
            left_out: 0,
        };
        let text = csv(&report);
        assert!(!text.starts_with('\u{feff}'));
        let columns: Vec<usize> = text.lines().map(|row| row.split(',').count()).collect();
        assert_eq!(columns, vec![9; 1 + 23]);
    }
}
