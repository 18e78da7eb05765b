//! A deadline in working days, with what it rests on.

use std::path::PathBuf;

use jiff::civil::Date;
use serde::Serialize;
use statute::{Calendar, WorkingDays, deadline};

use super::Output;
use super::args::date;
use super::calendar::read_notice;
use super::error::CliError;

/// `guantong deadline`.
#[derive(Debug, clap::Args)]
pub struct DeadlineArgs {
    /// 收到之日 / the day of receipt
    #[arg(long, value_parser = date, value_name = "DATE")]
    pub from: Date,
    /// 工作日数 / working days
    #[arg(long, value_parser = days, value_name = "N")]
    pub working_days: WorkingDays,
    /// 另用的节假日安排通知，可重复；同一年以后者为准 / further holiday notices, may be repeated; of two for one year the last counts
    #[arg(long = "calendar", value_name = "FILE")]
    pub calendars: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Shown {
    due: String,
    provisional: bool,
    basis: Vec<String>,
}

fn days(text: &str) -> Result<WorkingDays, String> {
    let number: u16 = text
        .parse()
        .map_err(|_| format!("{text} 不是天数 / is no number of days"))?;
    WorkingDays::new(number).map_err(|error| error.to_string())
}

/// Years for which a deadline is computed: beyond them nothing is known of working days.
const YEARS: std::ops::RangeInclusive<i16> = 1950..=2149;

pub(super) fn run(args: &DeadlineArgs, output: &Output) -> Result<(), CliError> {
    let outside = || {
        let (first, last) = (YEARS.start(), YEARS.end());
        CliError::usage(
            format!("只能计算 {first} 至 {last} 年的期限"),
            format!("deadlines are computed for the years {first} to {last}"),
        )
    };
    if !YEARS.contains(&args.from.year()) {
        return Err(outside());
    }
    let mut calendar = Calendar::national();
    for path in &args.calendars {
        calendar = calendar.with_notice(read_notice(path)?.1);
    }
    let due = deadline(args.from, args.working_days, &calendar);
    if !YEARS.contains(&due.date.year()) {
        return Err(outside());
    }
    let basis = match output.language() {
        crate::language::Language::Chinese => due.basis_zh(),
        crate::language::Language::English => due.basis_en(),
    };
    let shown = Shown {
        due: due.date.to_string(),
        provisional: due.provisional,
        basis,
    };
    output.print(&shown, |language| {
        let provisional = if shown.provisional {
            language.pick("（暂定）", " (provisional)")
        } else {
            ""
        };
        let basis: String = shown
            .basis
            .iter()
            .map(|line| format!("\n  · {line}"))
            .collect();
        format!("{}{provisional}{basis}", shown.due)
    });
    Ok(())
}
