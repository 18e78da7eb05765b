//! Open data: how entries are opened to the public, files for everyone, and answers to whoever applies (Shenyang S24 to S27).

use std::path::PathBuf;

use federation::core::view::NodeView;
use sharing::act::ActBody;
use sharing::catalogue::{EntryId, PublishedEntry};
use sharing::docket::Case;
use sharing::open_data::{OpenAnswer, OpenDataAct, OpenFile};
use statute::{OpenClass, OpenFormat, OpeningReplyForm, OpeningTerms, ProtectedContent};

use super::args::DocketArg;
use super::client::{Client, encode};
use super::docket::list_of;
use super::error::{CliError, Exit};
use super::output::listed;
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::List;
use crate::public::catalogue::OpenDataset;

/// `guantong open`.
#[derive(Debug, clap::Subcommand)]
pub enum OpenCommand {
    /// 列出公众的数据开放申请 / list the public's applications for opening
    List,
    /// 列出开放目录 / list the opening catalogue
    Catalogue {
        /// 从此标识之后 / after this identifier
        #[arg(long, value_name = "NODE:ENTRY")]
        after: Option<String>,
    },
    /// 标注已发布条目的开放类型 / mark how a published entry is opened
    Mark(MarkArgs),
    /// 就无条件开放的条目提供机读文件 / put a machine-readable file of an entry before everyone
    PublishFile {
        /// 目录代码 / the entry
        #[arg(long)]
        entry: EntryId,
        /// 格式：csv, json, xml, rdf, xlsx / the format
        #[arg(long)]
        format: OpenFormat,
        /// 文件 / the file
        #[arg(long)]
        file: PathBuf,
    },
    /// 答复数据开放申请 / answer an application for opening
    Answer(AnswerArgs),
}

/// How an entry is opened.
#[derive(Debug, clap::Args)]
pub struct MarkArgs {
    /// 目录代码 / the entry
    #[arg(long)]
    entry: EntryId,
    /// 无条件开放、依申请开放、不予开放 / unconditional, on-application, not-opened
    #[arg(long)]
    class: OpenClass,
    /// 可机读标准格式（无条件开放）/ formats, when opened unconditionally
    #[arg(long = "format", value_name = "FORMAT")]
    formats: Vec<OpenFormat>,
    /// 限制开放或者不予开放的依据 / on what the restriction rests, made public
    #[arg(long = "ground", value_name = "TEXT")]
    grounds: Vec<String>,
    /// 含有的受保护内容：trade-secret, personal-information / what of it is protected
    #[arg(long = "contains", value_name = "CONTENT")]
    contains: Vec<ProtectedContent>,
}

/// What the applicant is answered.
#[derive(Debug, clap::Args)]
pub struct AnswerArgs {
    /// 案卷 / the docket
    #[arg(long)]
    docket: DocketArg,
    /// 同意开放，及获取方式 / it is opened, and how it is had
    #[arg(long, conflicts_with = "refuse", required_unless_present = "refuse")]
    open: Option<String>,
    /// 不同意开放的理由 / why it is not opened
    #[arg(long, value_name = "REASONS")]
    refuse: Option<String>,
    /// 向申请人开放的文件 / the file, for the applicant
    #[arg(long, conflicts_with = "refuse")]
    file: Option<PathBuf>,
    /// 书面答复 / answered in writing
    #[arg(long)]
    written: bool,
}

impl MarkArgs {
    fn act(self, client: &Client) -> Result<OpenDataAct, CliError> {
        let node: NodeView = client.get("/node")?;
        let code = node.place.map(|place| place.code()).ok_or_else(|| {
            CliError::new(
                Exit::Unreachable,
                "节点尚未入网",
                "the node is not enrolled",
            )
        })?;
        let path = format!(
            "/catalogue/published/{code}/{}",
            encode(self.entry.as_str())
        );
        let published: PublishedEntry = client.get(&path)?;
        let terms = match self.class {
            OpenClass::Unconditional => OpeningTerms::Unconditional {
                formats: self.formats,
            },
            OpenClass::OnApplication => OpeningTerms::OnApplication {
                grounds: self.grounds,
            },
            OpenClass::NotOpened => OpeningTerms::NotOpened {
                grounds: self.grounds,
            },
        };
        Ok(OpenDataAct::Mark {
            entry: published.entry.version_ref(),
            terms,
            contains: self.contains,
        })
    }
}

impl AnswerArgs {
    fn act(self, global: &Global, output: &Output) -> Result<OpenDataAct, CliError> {
        let answer = match (self.refuse, self.file) {
            (Some(reasons), _) => OpenAnswer::Refused { reasons },
            (None, file) => OpenAnswer::Opened {
                how: self.open.unwrap_or_default(),
                object: match file {
                    Some(file) => Some(Client::of(global, output.language())?.put_object(&file)?),
                    None => None,
                },
            },
        };
        let form = match self.written {
            true => OpeningReplyForm::Written,
            false => OpeningReplyForm::Any,
        };
        Ok(OpenDataAct::Answer {
            docket: self.docket.resolve(global, output)?,
            form,
            answer,
        })
    }
}

pub(super) fn run(global: &Global, command: OpenCommand, output: &Output) -> Result<(), CliError> {
    let client = || Client::of(global, output.language());
    let act = match command {
        OpenCommand::List => {
            return list_of(global, output, |case| matches!(case, Case::OpenData(_)));
        }
        OpenCommand::Catalogue { after } => return catalogue(&client()?, output, after.as_deref()),
        OpenCommand::Mark(args) => args.act(&client()?)?,
        OpenCommand::PublishFile {
            entry,
            format,
            file,
        } => OpenDataAct::Publish {
            entry,
            file: OpenFile {
                format,
                object: client()?.put_object(&file)?,
            },
        },
        OpenCommand::Answer(args) => args.act(global, output)?,
    };
    carry_out(global, output, ActBody::OpenData(act)).map(drop)
}

fn catalogue(client: &Client, output: &Output, after: Option<&str>) -> Result<(), CliError> {
    let after = after.map_or_else(String::new, |after| format!("?after={}", encode(after)));
    let list: List<OpenDataset> = client.get_public(&format!("/catalogue{after}"))?;
    output.print(&list, |language| {
        let row = |it: &OpenDataset| {
            let formats: Vec<_> = it.distribution.iter().map(|it| it.format.clone()).collect();
            vec![
                it.identifier.clone(),
                it.title.clone(),
                it.publisher.clone(),
                language
                    .pick(&it.access_rights_zh, &it.access_rights)
                    .to_owned(),
                formats.join(" "),
            ]
        };
        listed(
            &list.items.iter().map(row).collect::<Vec<_>>(),
            language,
            (
                "开放目录中没有条目。",
                "There is no entry in the opening catalogue.",
            ),
        )
    });
    Ok(())
}
