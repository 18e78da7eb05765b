//! Rebuilding a node's tables from its ledger.

use serde_json::json;

use super::error::{CliError, Exit};
use super::init::{check_folder, folder};
use super::{Global, Output};
use crate::storage::store::{Store, StoreError};

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
