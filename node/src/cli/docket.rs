//! Reading dockets.

mod details;

use federation::core::view::{DocketDetail, DocketView};
use serde_json::json;
use sharing::docket::{Case, DocketId};

use super::args::DocketArg;
use super::client::Client;
use super::error::{CliError, Exit};
use super::output::{columns, listed};
use super::{Global, Output, status};
use crate::api::private::ContentView;
use crate::api::{List, MAX_PAGE};
use crate::console::{erasure, labels, own_clock, reading};

/// `guantong docket`.
#[derive(Debug, clap::Subcommand)]
pub enum DocketCommand {
    /// 列出案卷 / list dockets
    List {
        /// 从此之后 / after this one
        #[arg(long)]
        after: Option<DocketArg>,
        /// 条数 / how many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// 显示案卷及其事项 / show a docket with its events
    Show {
        /// 案卷 / docket
        docket: DocketArg,
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
            let after = after
                .map(|after| after.resolve(global, output))
                .transpose()?
                .map_or_else(String::new, |after| format!("&after={after}"));
            let list: List<DocketView> = client.get(&format!("/dockets?limit={limit}{after}"))?;
            output.print(&list, |language| {
                let row = |docket: &DocketView| {
                    vec![
                        docket.id.to_string(),
                        labels::docket_kind(&docket.state.case, language).to_owned(),
                        labels::docket_phase(&docket.state.case, language),
                        labels::docket_subject(&docket.state.case),
                        docket.home.code().to_string(),
                        labels::time(docket.updated),
                    ]
                };
                listed(
                    &list.items.iter().map(row).collect::<Vec<_>>(),
                    language,
                    ("没有案卷。", "There is no docket."),
                )
            });
        }
        DocketCommand::Show { docket } => {
            let found = docket
                .resolve(global, output)
                .and_then(|id| client.get::<DocketDetail>(&format!("/dockets/{id}")));
            let detail = match found {
                // A docket that its home refused to open is known by what was found about it alone.
                Err(error) if error.exit == Exit::Usage => {
                    return about(&client, output, &docket, error);
                }
                found => found?,
            };
            let contents = match detail.docket.state.personal.items.is_empty() {
                true => Vec::new(),
                // Whoever may not read it sees the docket without it.
                false => private(&client, &detail.docket.id).unwrap_or_default(),
            };
            output.print(&detail, |language| {
                let state = &detail.docket.state.case;
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
                for (line, event) in columns(&rows).lines().zip(&detail.events) {
                    text += &format!("{line}\n");
                    for line in details::details(&event.body, language) {
                        text += &format!("      {line}\n");
                    }
                }
                if !detail.uses.is_empty() {
                    text += language.pick(
                        "使用记录（内容须经查阅：guantong reading uses）\n",
                        "records of use (what they say is read with: guantong reading uses)\n",
                    );
                    let rows = detail.uses.iter().map(|it| reading::use_made(it, language));
                    text += &columns(&rows.collect::<Vec<_>>());
                }
                let lapses = detail.own_lapses.iter();
                text += &columns(
                    &lapses
                        .map(|it| own_clock::lapse(it, language))
                        .collect::<Vec<_>>(),
                );
                let doubts = detail.doubted.iter();
                text += &columns(
                    &doubts
                        .map(|it| own_clock::doubted(it, language))
                        .collect::<Vec<_>>(),
                );
                for content in &contents {
                    text += &format!(
                        "{} 〔{}〕：{}\n",
                        language.pick("个人内容", "personal content"),
                        content.digest.short(),
                        erasure::shown(content, language)
                    );
                }
                text
            });
        }
    }
    Ok(())
}

/// What was found about a docket that is not here.
fn about(
    client: &Client,
    output: &Output,
    docket: &DocketArg,
    error: CliError,
) -> Result<(), CliError> {
    let mut findings = status::findings(client, crate::api::MAX_PAGE)?;
    findings.retain(|finding| {
        finding.zh.contains(docket.short()) || finding.en.contains(docket.short())
    });
    if findings.is_empty() {
        return Err(error);
    }
    output.print(
        &json!({ "docket": null, "findings": findings }),
        |language| {
            format!(
                "{}\n{}",
                error.what.in_language(language),
                columns(&status::finding_rows(&findings, language))
            )
        },
    );
    Ok(())
}

/// The personal content of a docket.
pub(super) fn private(client: &Client, docket: &DocketId) -> Result<Vec<ContentView>, CliError> {
    client.get(&format!("/dockets/{docket}/private"))
}

/// The dockets known here that are wanted, page after page.
pub(super) fn dockets_where(
    client: &Client,
    wanted: impl Fn(&DocketView) -> bool,
) -> Result<Vec<DocketView>, CliError> {
    let mut found: Vec<DocketView> = Vec::new();
    let mut after = String::new();
    loop {
        let page: List<DocketView> = client.get(&format!("/dockets?limit={MAX_PAGE}{after}"))?;
        let Some(last) = page.items.last() else { break };
        after = format!("&after={}", last.id);
        found.extend(page.items.into_iter().filter(&wanted));
    }
    Ok(found)
}

/// Prints the dockets of one kind that are known here, page after page.
pub(super) fn list_of(
    global: &Global,
    output: &Output,
    wanted: fn(&Case) -> bool,
) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let found = dockets_where(&client, |docket| wanted(&docket.state.case))?;
    output.print(&found, |language| {
        let row = |docket: &DocketView| {
            vec![
                docket.id.to_string(),
                labels::docket_phase(&docket.state.case, language),
                labels::docket_subject(&docket.state.case),
                labels::time(docket.updated),
            ]
        };
        listed(
            &found.iter().map(row).collect::<Vec<_>>(),
            language,
            ("没有这类案卷。", "There is no docket of this kind."),
        )
    });
    Ok(())
}
