//! What is wrong with a command line, in both languages. The parser speaks English alone.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::error::CliError;

/// What the parser says of how a line is written.
const HOW: [(&str, &str); 10] = [
    ("Usage: ", "用法："),
    ("For more information, try '--help'.", "详见 --help"),
    ("tip: a similar value exists: ", "是否指 "),
    ("tip: a similar argument exists: ", "是否指 "),
    ("tip: a similar subcommand exists: ", "是否指 "),
    ("tip: some similar values exist: ", "是否指 "),
    ("tip: some similar arguments exist: ", "是否指 "),
    ("tip: some similar subcommands exist: ", "是否指 "),
    ("tip: to pass ", "要以 "),
    (" as a value, use ", " 为值，请写作 "),
];

impl CliError {
    /// A command line that cannot be parsed: the first paragraph of the parser's text says what is wrong, the rest how it is written.
    pub fn of_line(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let text = text.trim().trim_start_matches("error: ");
        let (what, how) = text.split_once("\n\n").unwrap_or((text, ""));
        let told = Self::usage(chinese(error).unwrap_or_else(|| what.to_owned()), what);
        if how.is_empty() {
            told
        } else {
            let zh = HOW
                .iter()
                .fold(how.trim().to_owned(), |text, (en, zh)| text.replace(en, zh));
            told.advise(zh, how)
        }
    }
}

/// What is wrong, in Chinese; nothing for the kinds that the commands of this binary cannot meet.
fn chinese(error: &clap::Error) -> Option<String> {
    let of = |kind| error.get(kind).map(words);
    let argument = of(ContextKind::InvalidArg);
    Some(match error.kind() {
        ErrorKind::InvalidValue => {
            let value = of(ContextKind::InvalidValue).unwrap_or_default();
            let valid = of(ContextKind::ValidValue).unwrap_or_default();
            if value.is_empty() {
                format!("参数 {} 缺少值", argument?)
            } else {
                format!("参数 {} 不能是“{value}”，可选：{valid}", argument?)
            }
        }
        ErrorKind::ValueValidation => {
            let value = of(ContextKind::InvalidValue)?;
            let reason = error.source().map(ToString::to_string).unwrap_or_default();
            format!("参数 {} 的值“{value}”有误：{reason}", argument?)
        }
        ErrorKind::UnknownArgument => format!("没有参数 {}", argument?),
        ErrorKind::InvalidSubcommand => {
            format!("没有命令 {}", of(ContextKind::InvalidSubcommand)?)
        }
        ErrorKind::MissingRequiredArgument => format!("缺少参数：{}", argument?),
        ErrorKind::ArgumentConflict => {
            let other = of(ContextKind::PriorArg).unwrap_or_default();
            format!("参数 {} 与 {other} 不能同时使用", argument?)
        }
        _ => return None,
    })
}

fn words(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(all) => all.join("、"),
        one => one.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Cli;
    use super::*;
    use crate::language::Language;

    #[test]
    fn no_tip_of_the_parser_is_left_in_english() {
        for line in [
            "guantong status --nope",
            "guantong catalog",
            "guantong co",
            "guantong status --dat x",
            "guantong completions bas",
            "guantong apply list --lan",
        ] {
            let error = CliError::of_line(&Cli::try_parse_from(line.split(' ')).unwrap_err());
            let told = error.text(Language::Chinese);
            assert!(!told.contains("tip:"), "{told}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_in_the_language_asked_for() {
        for (line, zh, en) in [
            (
                "guantong bogus",
                "没有命令 bogus",
                "unrecognized subcommand 'bogus'",
            ),
            (
                "guantong status --nope",
                "没有参数 --nope",
                "unexpected argument '--nope'",
            ),
            ("guantong rebuild --data", "缺少值", "a value is required"),
            (
                "guantong completions nosh",
                "不能是“nosh”，可选：bash、",
                "invalid value 'nosh'",
            ),
            (
                "guantong evidence verify e.json",
                "缺少参数：--root <ROOT>",
                "required arguments were not provided",
            ),
            (
                "guantong deadline --from 2026-02-30 --working-days 1",
                "参数 --from <DATE> 的值“2026-02-30”有误：2026-02-30 不是日期",
                "invalid value '2026-02-30'",
            ),
        ] {
            let error = CliError::of_line(&Cli::try_parse_from(line.split(' ')).unwrap_err());
            let told = error.text(Language::Chinese);
            assert!(told.contains(zh) && told.contains("--help"), "{told}");
            assert!(error.text(Language::English).contains(en), "{line}");
        }
    }
}
