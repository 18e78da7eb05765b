//! Rebuilding a node's tables from its ledger.

use serde_json::json;

use super::error::CliError;
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
    let text = error.to_string();
    let told = CliError::fault(text.clone(), text);
    match error {
        StoreError::Lock(_) => told.advise(
            "停止使用该目录的进程，或换一个数据目录",
            "stop the process that uses the folder, or name another data folder",
        ),
        _ => told.advise(
            "账本文件勿手工改动；可从备份恢复，或运行 guantong rebuild --data DIR 重建投影",
            "do not touch the ledger's files; restore a backup, or run guantong rebuild --data DIR to make the tables anew",
        ),
    }
}
