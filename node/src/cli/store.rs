//! What is done with the folder of a node that is stopped: rebuilding its tables from its ledger, sealing its files, giving them another key.

use std::path::PathBuf;

use serde_json::json;

use super::error::{CliError, Exit};
use super::init::{check_folder, folder};
use super::run::{RunArgs, configuration};
use super::{Global, Output};
use crate::storage::journal::JournalError;
use crate::storage::key::{KeyError, KeyPlace};
use crate::storage::objects::ObjectError;
use crate::storage::rekey::{self, RekeyError};
use crate::storage::store::{Store, StoreError};

/// `guantong store`: the node must be stopped.
#[derive(Debug, clap::Subcommand)]
pub enum StoreCommand {
    /// 密封旧版本以明文存放的文件与个人内容；中断后可再次运行 / seal what an older version kept in clear; run again after an interruption
    Seal(RunArgs),
    /// 更换存储密钥：只改写各文件的密钥封装；中断后可再次运行 / another storage key: only the wrapped keys change; run again after an interruption
    Rekey {
        /// 新密钥文件（64 位十六进制，0600）；缺省时生成 / file of the new key, 64 hexadecimal digits, mode 0600; made when absent
        #[arg(long, value_name = "FILE")]
        new_key: Option<PathBuf>,
        /// 配置 / configuration
        #[command(flatten)]
        run: RunArgs,
    },
}

pub(super) fn run(global: &Global, command: StoreCommand, output: &Output) -> Result<(), CliError> {
    let mut files = 0_u64;
    let mut each = || {
        files += 1;
        Ok::<(), ObjectError>(())
    };
    match command {
        StoreCommand::Seal(args) => {
            let (data, place) = place(global, &args)?;
            let key = rekey::seal(&data, &place, &mut each).map_err(|error| rekey_error(&error))?;
            let value =
                json!({ "sealed": files, "key": key.to_string(), "key_file": place.file() });
            output.print(&value, |language| {
                format!(
                    "{} {files}\n{} {key} {}\n{}",
                    language.pick("已密封文件数", "files sealed:"),
                    language.pick("存储密钥", "storage key"),
                    place.file().display(),
                    language.pick(
                        "密钥须与数据目录分开备份：丢失密钥即丢失文件",
                        "back the key up apart from the data folder: without it the files are lost",
                    ),
                )
            });
        }
        StoreCommand::Rekey { new_key, run } => {
            let (data, place) = place(global, &run)?;
            let done = rekey::rekey(&data, &place, new_key.as_deref(), &mut each)
                .map_err(|error| rekey_error(&error))?;
            let value = json!({
                "files": files, "key": done.key.to_string(), "key_file": place.file(), "in_place": done.in_place,
            });
            output.print(&value, |language| {
                let next = if done.in_place {
                    language.pick(
                        "新密钥已就位，请另行备份；旧密钥只能打开旧备份",
                        "the new key is in its place: back it up; the old one opens old backups only",
                    )
                } else {
                    language.pick(
                        "启动节点前，请把新密钥放到节点取用存储密钥之处",
                        "before the node starts, put the new key where the node takes its storage key from",
                    )
                };
                format!("{} {}\n{next}", language.pick("存储密钥现为", "the storage key is now"), done.key)
            });
        }
    }
    Ok(())
}

/// The data folder, as `run` would take it, and where its key is.
fn place(global: &Global, args: &RunArgs) -> Result<(PathBuf, KeyPlace), CliError> {
    let config = configuration(global, args)?;
    check_folder(&config.data_dir)?;
    let place = KeyPlace::of(&config.data_dir, config.storage.key_file.as_deref());
    let place = place.map_err(|error| key_error(&error))?;
    Ok((config.data_dir, place))
}

fn rekey_error(error: &RekeyError) -> CliError {
    let text = error.to_string();
    let fault = || CliError::fault(text.clone(), text.clone());
    match error {
        RekeyError::Lock(_) => fault().advise("先停止节点", "stop the node first"),
        RekeyError::Key(error) => key_error(error),
        RekeyError::Object(_) | RekeyError::Vault(_) => fault().advise(
            "已完成的部分保留；排除所指文件的故障后再次运行",
            "what is done stays done; mend the file that is named and run it again",
        ),
        RekeyError::NewKeyWanted => CliError::usage(text.clone(), text.clone())
            .advise("用 --new-key FILE 指明", "name it with --new-key FILE"),
        RekeyError::NotSealed => CliError::usage(text.clone(), text.clone()).advise(
            "先运行 guantong store seal",
            "run guantong store seal first",
        ),
    }
}

/// The one line for a storage key with which a node does not run.
pub(super) fn key_error(error: &KeyError) -> CliError {
    let text = error.to_string();
    let refused = || CliError::new(Exit::NotAuthorised, text.clone(), text.clone());
    match error {
        KeyError::Missing { .. } | KeyError::Another { .. } => refused().advise(
            "把该数据目录的存储密钥放回原处，或用 storage.key_file 指明；未作任何改动",
            "put the key of this data folder back in its place, or name it with storage.key_file; nothing was changed",
        ),
        KeyError::Clear(_) => CliError::usage(text.clone(), text.clone()).advise(
            "停止节点，运行 guantong store seal --data DIR 密封后再启动",
            "with the node stopped, run guantong store seal --data DIR, and start it then",
        ),
        KeyError::Inside(_) | KeyError::Place(_) => CliError::usage(text.clone(), text.clone()).advise(
            "用 storage.key_file 指明数据目录之外的位置",
            "name a place outside the data folder with storage.key_file",
        ),
        KeyError::Mode { .. } => refused().advise(
            "权限改为 0600，仅节点用户可读",
            "set its mode to 0600, for the node's user alone",
        ),
        KeyError::Malformed(_) => refused().advise(
            "密钥应为 64 位十六进制；从备份恢复所指文件",
            "a key is 64 hexadecimal digits; restore the named file from a copy",
        ),
        KeyError::Io { .. } => CliError::fault(text.clone(), text.clone()).advise(
            "核对目录权限与磁盘空间",
            "check the folder's permissions and the disk's space",
        ),
    }
}

pub(super) fn rebuild(global: &Global, output: &Output) -> Result<(), CliError> {
    let dir = folder(global)?;
    check_folder(dir)?;
    let (store, opened) =
        Store::rebuild(dir, &federation::core::project).map_err(|error| store_error(&error))?;
    let standing = store.standing();
    let replayed = opened.replayed;
    let value = json!({
        "batches": replayed.batches, "records": replayed.records, "bodies": replayed.bodies, "writes": replayed.writes,
        "ledger_records": standing.records, "ledger_bytes": standing.ledger_bytes,
    });
    output.print(&value, |language| {
        format!(
            "{} {} {}，{} {}",
            language.pick("已重放账本", "replayed the ledger:"),
            replayed.records,
            language.pick("条记录", "records"),
            replayed.writes,
            language.pick("次写入投影", "table writes"),
        )
    });
    Ok(())
}

/// The one line for a store that does not open.
pub(super) fn store_error(error: &StoreError) -> CliError {
    let told = CliError::of_both(Exit::Fault, error);
    match error {
        StoreError::Lock(_) => told.advise(
            "停止使用该目录的进程，或换一个数据目录",
            "stop the process that uses the folder, or name another data folder",
        ),
        StoreError::Journal(JournalError::AnotherVersion { .. }) => told.advise(
            "用写成该账本的版本运行；各版本的格式见 docs/versions.md",
            "run the version that wrote it; docs/versions.md says which format each version has",
        ),
        StoreError::Journal(_) | StoreError::LedgerLost { .. } => told.advise(
            "账本文件勿手工改动：按上文恢复所指的文件或腾出磁盘空间，再启动；数据表可以重建，账本不能",
            "do not touch the ledger's files: restore what is named above, or free the disk, and start again; tables can be made anew, the ledger cannot",
        ),
        _ => told.advise(
            "重新启动节点；仍不行时停止节点，运行 guantong rebuild --data DIR 重建投影",
            "start the node again; if that does not help, stop it and run guantong rebuild --data DIR to make the tables anew",
        ),
    }
}
