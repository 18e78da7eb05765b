//! Older platforms: what would be imported, keeping the node's entries in step, the backends of their services (R31, R32).

mod pull;
mod report;

use std::path::{Path, PathBuf};

use serde::Serialize;
use sharing::catalogue::{EntryDraft, EntryId};
use statute::Refusal;

use super::args::read_text_up_to;
use super::error::{CliError, Exit};
use super::output::columns;
use super::{Global, Output};
use crate::language::Language;
use crate::platform::mapping::MAX_MAPPING_BYTES;
use crate::platform::services::{Health, PROBE_TIME, probe};
use crate::platform::{Bounds, Defect, Mapping, PullError, Record, Translation, source, translate};

/// Most lines of one list that are printed for people; `--json` has all of them.
const MAX_SHOWN: usize = 50;

/// `guantong platform`.
#[derive(Debug, clap::Subcommand)]
pub enum PlatformCommand {
    /// 拉取并按映射文件转换，只显示将导入的条目 / pull and map, and show what would be imported
    Check {
        #[command(flatten)]
        which: Which,
    },
    /// 拉取，使本节点的条目与平台一致：新增、变更、撤销 / pull, and bring the node's entries in step: new, changed, withdrawn
    Pull(pull::PullArgs),
    /// 列出平台的服务并探测其后端 / list the platform's services and probe their backends
    Services {
        #[command(flatten)]
        which: Which,
        /// 输出可写入 node.toml 的 [[services]] 登记，不探测 / print them as [[services]] for node.toml, without probing
        #[arg(long)]
        register: bool,
    },
}

/// Which platform.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// 映射文件 / the mapping file
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,
}

pub(super) fn run(
    global: &Global,
    command: PlatformCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        PlatformCommand::Check { which } => check(&load(&which.mapping)?, output),
        PlatformCommand::Pull(args) => pull::run(global, &args, output),
        PlatformCommand::Services { which, register } if register => {
            output.plain(load(&which.mapping)?.services.registrations().as_bytes());
            Ok(())
        }
        PlatformCommand::Services { which, .. } => services(&load(&which.mapping)?, output),
    }
}

fn load(path: &Path) -> Result<Mapping, CliError> {
    let text = read_text_up_to(path, MAX_MAPPING_BYTES as u64)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Mapping::parse(&text, folder).map_err(|error| {
        CliError::file(path, error).advise(
            "映射文件的写法见操作手册“接入既有平台”",
            "how a mapping is written: operator's guide, «Bringing in an older platform»",
        )
    })
}

/// Everything the platform holds.
fn records(mapping: &Mapping, output: &Output) -> Result<Vec<Record>, CliError> {
    output.note(
        &format!(
            "正在拉取 {}（{}）",
            mapping.platform,
            mapping.source.address()
        ),
        &format!(
            "pulling {} ({})",
            mapping.platform,
            mapping.source.address()
        ),
    );
    source::pull(mapping, Bounds::default()).map_err(CliError::from)
}

impl From<PullError> for CliError {
    fn from(error: PullError) -> Self {
        let exit = match &error {
            PullError::Unreachable { .. } | PullError::TooLong { .. } => Exit::Unreachable,
            PullError::File { .. } | PullError::NoToken { .. } => Exit::Usage,
            PullError::Answered {
                status: 401 | 403, ..
            } => Exit::NotAuthorised,
            PullError::Answered { .. }
            | PullError::TooMuch { .. }
            | PullError::Truncated { .. }
            | PullError::Malformed { .. } => Exit::Fault,
        };
        let (what, to_do) = (error.text(), error.what_to_do());
        Self::new(exit, what.zh, what.en).advise(to_do.zh, to_do.en)
    }
}

/// A record that cannot be mapped, as it is printed.
#[derive(Debug, Serialize)]
struct Unmapped {
    key: Option<String>,
    name: String,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    article: Option<String>,
}

impl Unmapped {
    fn all(defects: &[Defect], language: Language) -> Vec<Self> {
        let of = |defect: &Defect| Self {
            key: defect.key.clone(),
            name: defect.name.clone(),
            what: defect.what.in_language(language).to_owned(),
            article: defect.refusal.as_ref().map(|it| it.article.short()),
        };
        defects.iter().map(of).collect()
    }

    fn lines(all: &[Self], language: Language) -> String {
        let title = language.pick("不能转换的记录", "records that cannot be mapped");
        list(title, all, |it| {
            let article = it.article.as_deref().unwrap_or_default();
            vec![
                it.key.clone().unwrap_or_else(|| "—".to_owned()),
                it.name.clone(),
                it.what.clone(),
                article.to_owned(),
            ]
        })
    }
}

/// A titled list of rows, cut at [`MAX_SHOWN`]; nothing when it is empty.
fn list<T>(title: &str, items: &[T], row: impl Fn(&T) -> Vec<String>) -> String {
    if items.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = items.iter().take(MAX_SHOWN).map(row).collect();
    let mut text = format!("{title}  {}\n", items.len());
    for line in columns(&rows).lines() {
        text += &format!("  {line}\n");
    }
    if items.len() > MAX_SHOWN {
        text += &format!("  … +{}\n", items.len() - MAX_SHOWN);
    }
    text
}

/// Services whose entry the platform does not have.
fn stray_services(mapping: &Mapping, found: &Translation) -> Vec<EntryId> {
    mapping
        .services
        .iter()
        .map(|service| service.entry.clone())
        .filter(|entry| !found.present.contains(entry))
        .collect()
}

fn stray_lines(stray: &[EntryId], language: Language) -> String {
    let title = language.pick(
        "服务所指的条目不在平台中",
        "services of entries that the platform does not have",
    );
    list(title, stray, |id| vec![id.to_string()])
}

/// What `check` prints.
#[derive(Serialize)]
struct Checked<'a> {
    platform: &'a str,
    /// Records that came.
    found: usize,
    entries: Vec<EntryDraft>,
    unmapped: Vec<Unmapped>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stray_services: Vec<EntryId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

fn check(mapping: &Mapping, output: &Output) -> Result<(), CliError> {
    let records = records(mapping, output)?;
    let found = translate(mapping, &records);
    let checked = Checked {
        platform: &mapping.platform,
        found: records.len(),
        entries: found.entries.values().map(EntryDraft::from).collect(),
        unmapped: Unmapped::all(&found.defects, output.language()),
        stray_services: stray_services(mapping, &found),
        warning: mapping
            .provider
            .code
            .warning()
            .map(|warning| format!("{}：{warning}", mapping.provider.code)),
    };
    output.print(&checked, |language| {
        let title = language.pick("将导入的条目", "entries that would be imported");
        let entries: Vec<_> = found.entries.values().collect();
        let mut text = list(title, &entries, |entry| {
            let class = entry.terms.class();
            let methods: Vec<&str> = entry
                .methods
                .iter()
                .map(|method| language.pick(method.zh(), method.en()))
                .collect();
            vec![
                entry.id.to_string(),
                entry.name.clone(),
                language.pick(class.zh(), class.en()).to_owned(),
                language
                    .pick(entry.frequency.zh(), entry.frequency.en())
                    .to_owned(),
                methods.join("、"),
                format!("{} {}", entry.items.len(), language.pick("项", "items")),
            ]
        });
        text += &Unmapped::lines(&checked.unmapped, language);
        text += &stray_lines(&checked.stray_services, language);
        if let Some(warning) = &checked.warning {
            text += &format!("{}{warning}\n", language.pick("注意：", "warning: "));
        }
        text
    });
    defective(&found.defects)
}

/// Not every record is an entry: refused by law when the law refuses each of those, wrong use of the mapping otherwise.
fn defective(defects: &[Defect]) -> Result<(), CliError> {
    let Some(first) = defects.first() else {
        return Ok(());
    };
    let lawful = defects.iter().all(|defect| defect.refusal.is_some());
    let error = CliError::new(
        if lawful { Exit::Refused } else { Exit::Usage },
        format!("{} 条记录不能转换为目录条目", defects.len()),
        format!("{} records cannot be mapped to entries", defects.len()),
    )
    .advise(
        "在映射文件中补充 fields、defaults 或 values，或请平台补全",
        "add fields, defaults or values to the mapping, or have the platform say what is missing",
    );
    Err(CliError {
        article: first
            .refusal
            .as_ref()
            .filter(|_| lawful)
            .map(|refusal| refusal.article.short()),
        ..error
    })
}

/// The error of what the law refuses.
fn refused(refusal: &Refusal) -> CliError {
    let error = CliError::new(Exit::Refused, refusal.zh(), refusal.en());
    CliError {
        article: Some(refusal.article.short()),
        ..error
    }
    .advise(refusal.what_to_do_zh(), refusal.what_to_do_en())
}

/// One service as it is printed.
#[derive(Serialize)]
struct Probed<'a> {
    name: &'a str,
    url: &'a str,
    entry: &'a EntryId,
    #[serde(flatten)]
    health: Health,
}

fn services(mapping: &Mapping, output: &Output) -> Result<(), CliError> {
    let probed: Vec<Probed<'_>> = mapping
        .services
        .iter()
        .map(|service| Probed {
            name: &service.name,
            url: service.url.as_str(),
            entry: &service.entry,
            health: probe(service, PROBE_TIME),
        })
        .collect();
    let value = serde_json::json!({ "items": probed, "next": null });
    output.print(&value, |language| {
        if probed.is_empty() {
            let none = language.pick("映射文件没有 [[service]]", "the mapping has no [[service]]");
            return none.to_owned();
        }
        let row = |it: &Probed<'_>| {
            let (state, detail) = match &it.health {
                Health::Up { status } => (language.pick("正常", "up"), format!("HTTP {status}")),
                Health::Down { reason } => (language.pick("失联", "down"), reason.clone()),
            };
            vec![
                it.name.to_owned(),
                it.entry.to_string(),
                it.url.to_owned(),
                state.to_owned(),
                detail,
            ]
        };
        columns(&probed.iter().map(row).collect::<Vec<_>>())
    });
    Ok(())
}
