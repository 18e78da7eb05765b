//! Holiday notices: installed by the head of the national authority at the hub (R8), and known at every node.

use std::path::{Path, PathBuf};

use federation::core::view::NoticeView;
use sharing::act::ActBody;
use sharing::node_act::NodeAct;
use statute::{Article, MAX_NOTICE_BYTES, NoticeError, YearNotice};

use super::args::read_text_up_to;
use super::client::Client;
use super::error::CliError;
use super::signer::carry_out;
use super::{Exit, Global, Output};
use crate::api::List;
use crate::console::labels;

/// `guantong calendar`.
#[derive(Debug, clap::Subcommand)]
pub enum CalendarCommand {
    /// 国家主管部门负责人在国家枢纽节点装入国务院办公厅通知，逐级下发 / the head of the national authority installs a notice at the hub; it goes down to every node
    Install {
        /// 通知文件（TOML）/ the notice, a TOML file as described in the operator's guide
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// 本节点现行的节假日安排通知 / the notices by which this node counts working days
    List,
}

/// A notice file, read and checked on this side before anybody signs it or counts by it.
pub(super) fn read_notice(path: &Path) -> Result<(String, YearNotice), CliError> {
    let text = read_text_up_to(path, MAX_NOTICE_BYTES as u64)?;
    let notice = YearNotice::parse(&text).map_err(|error| no_notice(path, &error))?;
    Ok((text, notice))
}

/// The refusal that the node would give (R8), with what is wrong in which line.
fn no_notice(path: &Path, error: &NoticeError) -> CliError {
    let path = path.display();
    let refused = CliError::new(
        Exit::Refused,
        format!("文件 {path} 不是节假日安排通知：{}", error.zh()),
        format!("file {path} is no holiday notice: {error}"),
    );
    CliError {
        article: Some(Article::R8.cite_zh()),
        ..refused
    }
    .advise(
        "请按国务院办公厅通知更正所列之处，再行装入",
        "correct it after the notice of the State Council, and install it again",
    )
}

pub(super) fn run(
    global: &Global,
    command: CalendarCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        CalendarCommand::Install { file } => {
            let (text, _) = read_notice(&file)?;
            let body = ActBody::Node(NodeAct::InstallCalendar { text });
            carry_out(global, output, body).map(drop)
        }
        CalendarCommand::List => list(global, output),
    }
}

fn list(global: &Global, output: &Output) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let notices: List<NoticeView> = client.get("/calendar")?;
    output.print(&notices.items, |language| {
        let line = |notice: &NoticeView| {
            let origin = notice.installed.map_or_else(
                || {
                    language
                        .pick("随程序提供", "comes with the program")
                        .to_owned()
                },
                |at| {
                    format!(
                        "{} {}",
                        language.pick("由国家枢纽下发", "from the hub"),
                        labels::time(at)
                    )
                },
            );
            format!(
                "{}  {}  {}  {origin}",
                notice.year, notice.number, notice.title
            )
        };
        let lines: Vec<_> = notices.items.iter().map(line).collect();
        lines.join("\n")
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn a_file_that_is_no_notice_is_refused_before_anything_is_signed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("2027.toml");
        let text = "year = 2027\nnumber = \"甲\"\ntitle = \"乙\"\nworking_weekends = []\n\
                    [[off]]\nname = \"元旦\"\nfrom = \"2027-01-01\"\nto = \"2027-01-32\"\n";
        std::fs::write(&path, text).unwrap();
        let refused = read_notice(&path).map(drop).unwrap_err();
        assert_eq!(refused.exit, Exit::Refused);
        assert_eq!(refused.article, Some(Article::R8.cite_zh()));
        let told = refused.text(Language::Chinese);
        assert!(told.contains("第 8 行有误：to = \"2027-01-32\""), "{told}");
        std::fs::write(&path, text.replace("01-32", "01-03")).unwrap();
        assert_eq!(read_notice(&path).unwrap().1.year(), 2027);
        std::fs::write(&path, "#".repeat(MAX_NOTICE_BYTES + 1)).unwrap();
        assert!(read_notice(&path).is_err());
    }
}
