//! Reading dockets.

use federation::core::view::{DocketDetail, DocketView};
use sharing::docket::DocketId;

use super::client::Client;
use super::error::CliError;
use super::output::columns;
use super::{Global, Output};
use crate::api::List;
use crate::console::labels;

/// `guantong docket`.
#[derive(Debug, clap::Subcommand)]
pub enum DocketCommand {
    /// 列出案卷 / list dockets
    List {
        /// 从此之后 / after this one
        #[arg(long)]
        after: Option<DocketId>,
        /// 条数 / how many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// 显示案卷及其事项 / show a docket with its events
    Show {
        /// 案卷 / docket
        docket: DocketId,
    },
}

pub(super) fn run(
    global: &Global,
    command: DocketCommand,
    output: &Output,
) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    match command {
        DocketCommand::List { after, limit } => {
            let after = after.map_or_else(String::new, |after| format!("&after={after}"));
            let list: List<DocketView> = client.get(&format!("/dockets?limit={limit}{after}"))?;
            output.print(&list, |language| {
                let row = |docket: &DocketView| {
                    vec![
                        docket.id.to_string(),
                        labels::docket_kind(&docket.state, language).to_owned(),
                        labels::docket_phase(&docket.state, language),
                        labels::docket_subject(&docket.state),
                        docket.home.code().to_string(),
                        labels::time(docket.updated),
                    ]
                };
                columns(&list.items.iter().map(row).collect::<Vec<_>>())
            });
        }
        DocketCommand::Show { docket } => {
            let detail: DocketDetail = client.get(&format!("/dockets/{docket}"))?;
            output.print(&detail, |language| {
                let state = &detail.docket.state;
                let mut text = format!(
                    "{}：{}\n{} · {} {}\n",
                    labels::docket_kind(state, language),
                    labels::docket_subject(state),
                    labels::docket_phase(state, language),
                    language.pick("主办节点", "home"),
                    detail.docket.home,
                );
                let rows: Vec<Vec<String>> = detail
                    .events
                    .iter()
                    .map(|event| {
                        let (what, article) = labels::event(&event.body, language);
                        vec![
                            format!("#{}", event.sequence),
                            labels::time(event.at),
                            what.to_owned(),
                            labels::cite(article, language),
                        ]
                    })
                    .collect();
                text += &columns(&rows);
                text
            });
        }
    }
    Ok(())
}
