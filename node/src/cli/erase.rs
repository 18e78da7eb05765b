//! Personal content whose time is over: what may be erased from when, and having it erased (PIPL 47).

use federation::core::view::DocketDetail;
use identity::Digest;
use serde::Serialize;
use sharing::act::ActBody;
use sharing::docket::DocketId;
use sharing::erasure::ErasureAct;
use statute::ErasureGround;

use super::args::DocketArg;
use super::client::Client;
use super::docket::{dockets_where, private};
use super::error::CliError;
use super::output::listed;
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::private::ContentView;
use crate::console::erasure;

/// `guantong erase`.
#[derive(Debug, clap::Subcommand)]
pub enum EraseCommand {
    /// 依法删除案卷中的个人内容，由部门负责人决定 / have personal content of a docket erased, by the head of a department that holds it
    Docket {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 只删除此项（承诺值），可重复；不指明则删除全部尚存的内容 / erase this one only, may be repeated; all that is still kept when absent
        #[arg(long = "content", value_name = "DIGEST")]
        contents: Vec<Digest>,
        /// 理由：retention-over 保存期限届满，subject-request 个人请求删除 / ground
        #[arg(long, default_value = "retention-over", value_parser = ground)]
        ground: ErasureGround,
    },
    /// 列出尚存的个人内容及可依法删除之日 / list personal content that is still kept and from when it may be erased
    List,
}

/// One content that is still kept.
#[derive(Debug, Serialize)]
struct Kept {
    docket: DocketId,
    content: ContentView,
}

pub(super) fn run(global: &Global, command: EraseCommand, output: &Output) -> Result<(), CliError> {
    match command {
        EraseCommand::Docket {
            docket,
            contents,
            ground,
        } => {
            let docket = docket.resolve(global, output)?;
            let contents = if contents.is_empty() {
                kept_in(global, output, &docket)?
            } else {
                contents
            };
            let act = ErasureAct::Erase {
                docket,
                contents,
                ground,
            };
            carry_out(global, output, ActBody::Erasure(act)).map(drop)
        }
        EraseCommand::List => list(global, output),
    }
}

/// Everything in a docket that was not erased yet.
fn kept_in(global: &Global, output: &Output, docket: &DocketId) -> Result<Vec<Digest>, CliError> {
    let client = Client::of(global, output.language())?;
    let detail: DocketDetail = client.get(&format!("/dockets/{docket}"))?;
    let items = detail.docket.state.personal.items.into_iter();
    let kept = items.filter(|item| item.erased.is_none());
    Ok(kept.map(|item| item.private.digest).collect())
}

fn list(global: &Global, output: &Output) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let with_content = dockets_where(&client, |docket| !docket.state.personal.items.is_empty())?;
    let mut kept = Vec::new();
    for docket in with_content {
        let contents = private(&client, &docket.id)?.into_iter();
        kept.extend(
            contents
                .filter(|content| content.erased.is_none())
                .map(|content| Kept {
                    docket: docket.id,
                    content,
                }),
        );
    }
    output.print(&kept, |language| {
        let row = |kept: &Kept| {
            vec![
                kept.docket.to_string(),
                kept.content.digest.short(),
                erasure::standing(&kept.content, language),
            ]
        };
        listed(
            &kept.iter().map(row).collect::<Vec<_>>(),
            language,
            ("没有保存个人内容。", "No personal content is kept."),
        )
    });
    Ok(())
}

fn ground(text: &str) -> Result<ErasureGround, String> {
    text.parse()
        .map_err(|error: statute::UnknownTerm| error.in_both())
}
