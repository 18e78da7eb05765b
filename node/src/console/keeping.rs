//! How the ledger is kept, in words: the comparison after a restore, and the escrow.

use federation::core::view::{Ahead, RestoredView};

use super::labels;
use crate::language::Language;
use crate::runtime::escrow::EscrowView;

/// That this node was restored from a backup, and how its comparison stands.
pub fn restored(restored: &RestoredView, language: Language) -> String {
    let RestoredView {
        ledger,
        checkpoint,
        ahead,
        ..
    } = restored;
    match (ahead, language) {
        (Some(Ahead { by, size, at }), Language::Chinese) => format!(
            "本节点从旧备份恢复：{by} 联署过本节点账本 {size} 条（{}），恢复所得 {ledger} 条，其后的记录缺失，暂停签署",
            labels::time(*at)
        ),
        (Some(Ahead { by, size, at }), Language::English) => format!(
            "restored from an old backup: {by} cosigned {size} records of this node ({}), {ledger} were restored; what follows is missing and nothing is signed",
            labels::time(*at)
        ),
        (None, _) if *checkpoint == 0 => language.pick(
            "本节点从备份恢复，备份中没有本节点的检查点，无从比对，暂停签署",
            "restored from a backup without any checkpoint of this node: there is nothing to compare, and nothing is signed",
        ).to_owned(),
        (None, _) => language.pick(
            "本节点从备份恢复，正在与上级联署过的账本比对，比对前不签署任何事项",
            "restored from a backup: the ledger is being compared with what was cosigned above, and nothing is signed until then",
        ).to_owned(),
    }
}

/// What to do about a restored node that does not go on.
pub fn after_restoring(restored: &RestoredView, language: Language) -> &'static str {
    if restored.checkpoint == 0 {
        language.pick(
            "用更新的备份恢复；没有时用 guantong init 另建节点，请上级重新签发证书",
            "restore a newer backup; if there is none, make the node anew with guantong init and have the authority above certify it",
        )
    } else if restored.ahead.is_some() {
        language.pick(
            "用更新的备份或托管副本恢复（guantong restore、guantong recover）；确已没有时，运行 guantong enroll renew --new-keys，请上级重新签发证书并装入：缺失将记录在案，自新纪元继续",
            "restore a newer backup or the escrow (guantong restore, guantong recover); if there is none, run guantong enroll renew --new-keys, have the authority above certify the request and install the chain: the gap is put on record and a new epoch begins",
        )
    } else {
        language.pick(
            "等待与上级（枢纽：两个下级）连通；比对相符即自行恢复办理",
            "wait until the parent (the hub: two children) can be reached; when the ledgers agree the node goes on by itself",
        )
    }
}

/// How the escrow of the ledger stands, and whether it fails.
pub fn escrow(escrow: &EscrowView, language: Language) -> String {
    let EscrowView {
        escrowed,
        behind,
        at,
        failing,
        ..
    } = escrow;
    let at = at.map_or_else(
        || language.pick("尚未托管", "not yet").to_owned(),
        labels::time,
    );
    let text = match language {
        Language::Chinese => format!("已托管至第 {escrowed} 批，落后 {behind} 批（{at}）"),
        Language::English => format!("up to batch {escrowed}, {behind} behind ({at})"),
    };
    match (failing, language) {
        (None, _) => text,
        (Some(why), Language::Chinese) => format!("{text}；托管失败：{why}"),
        (Some(why), Language::English) => format!("{text}; failing: {why}"),
    }
}
