//! Backups: made, verified, restored; and the keys that they are sealed to.

use std::path::{Path, PathBuf};

use identity::{KdfParams, KeyKind, OpeningKey};
use serde_json::json;

use super::args::{now, read_text, write};
use super::client::Client;
use super::error::{CliError, Exit};
use super::init::{check_folder, folder, read_request};
use super::run::{RunArgs, configuration};
use super::store::key_error;
use super::{Global, Output};
use crate::api::keeping::Keeping;
use crate::console::labels;
use crate::person;
use crate::storage::backup::{
    self, BackupError, How, Recipient, Restored, Taken, Verified, Wanted, opening,
};
use crate::storage::key::KeyPlace;
use crate::storage::lock::{DataLock, LockError};

/// `guantong backup`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BackupArgs {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    /// 备份目录；已有备份时只补新增部分 / the backup's folder; where there is a backup only what is new is added
    #[arg(long, value_name = "DIR", required = true)]
    to: Option<PathBuf>,
    /// 密封给此恢复公钥（文件或 recovery-x25519:…）/ seal to this recovery key's public half, a file or itself
    #[arg(long, value_name = "PUB")]
    recipient: Option<String>,
    /// 连同节点密钥、令牌与存储密钥；须同时用 --recipient / the node's keys, tokens and storage key too; only with --recipient
    #[arg(long)]
    with_keys: bool,
    /// 连同个人内容；保存期限见运维手册 / personal content too; see the guide on how long it may be kept
    #[arg(long)]
    with_personal: bool,
    /// 只备份账本与配置，不含共享文件 / the ledger and the configuration alone, no shared files
    #[arg(long)]
    ledger_only: bool,
    #[command(flatten)]
    run: RunArgs,
}

/// What else is done with backups.
#[derive(Debug, clap::Subcommand)]
pub enum BackupCommand {
    /// 逐件核对备份；加密的备份须有恢复密钥才能核对到每条记录 / check every part; with the recovery key every record of a sealed one
    Verify {
        /// 备份目录 / the backup's folder
        #[arg(value_name = "DIR")]
        from: PathBuf,
        /// 恢复密钥 / the recovery key
        #[arg(long, value_name = "FILE")]
        recovery_key: Option<PathBuf>,
    },
    /// 生成主管部门的恢复密钥（离线保管），公钥写入同名 .pub / make the authority's recovery key, kept offline; its public half goes beside it as .pub
    Key {
        /// 密钥文件 / the key file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// 口令加固用最低参数，仅供演示 / weakest protection of the passphrase, for demonstrations
        #[arg(long)]
        demonstration: bool,
    },
}

/// `guantong restore` and `guantong recover`: the data folder is named by `--data`.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// 备份或托管目录 / the folder of the backup or escrow
    #[arg(value_name = "DIR")]
    from: PathBuf,
    /// 恢复密钥 / the recovery key
    #[arg(long, value_name = "FILE")]
    recovery_key: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: BackupArgs, output: &Output) -> Result<(), CliError> {
    match args.command {
        Some(BackupCommand::Verify { from, recovery_key }) => {
            verify(global, &from, recovery_key.as_deref(), output)
        }
        Some(BackupCommand::Key { out, demonstration }) => {
            make_key(global, &out, demonstration, output)
        }
        None => take(global, &args, output),
    }
}

fn take(global: &Global, args: &BackupArgs, output: &Output) -> Result<(), CliError> {
    let to = args.to.as_deref().unwrap_or(Path::new("."));
    let config = configuration(global, &args.run)?;
    let data = config.data_dir.clone();
    check_folder(&data)?;
    let recipient = args.recipient.as_deref().map(recipient).transpose()?;
    let place = KeyPlace::of(&data, config.storage.key_file.as_deref());
    let storage_key = place
        .map_err(|error| key_error(&error))?
        .file()
        .to_path_buf();
    // Held to the end where nobody else has it, so that no node starts meanwhile.
    let (end, _lock) = match DataLock::acquire(&data) {
        Ok(lock) => {
            let end = backup::end_of(&data).map_err(|error| told(&error))?;
            (end, Some(lock))
        }
        Err(LockError::InUse(_)) => {
            let asked = Global {
                data: Some(data.clone()),
                ..global.clone()
            };
            let keeping: Keeping = Client::of(&asked, output.language())?.get("/keeping")?;
            (keeping.batches, None)
        }
        Err(error @ LockError::Io { .. }) => return Err(told(&error.into())),
    };
    let wanted = Wanted {
        data: &data,
        to,
        end,
        node: named(&data),
        now: now(),
        recipient,
        objects: !args.ledger_only,
        personal: args.with_personal,
        keys: args.with_keys.then_some(storage_key),
    };
    let taken = backup::take(&wanted).map_err(|error| told(&error))?;
    let with_keys = args.with_keys;
    output.print(&taken, |language| {
        let Taken {
            batches,
            parts,
            written,
            bytes,
        } = taken;
        let done = match language {
            crate::language::Language::Chinese => format!("已备份到账本第 {batches} 批：共 {parts} 件，本次写入 {written} 件、{bytes} 字节"),
            crate::language::Language::English => format!("backed up to batch {batches} of the ledger: {parts} parts, {written} of them written now, {bytes} bytes"),
        };
        if with_keys {
            return done;
        }
        format!("{done}\n{}", language.pick(
            "不含密钥：keys/ 与存储密钥须另行备份，否则恢复后不能签署，也读不出文件",
            "without keys: back keys/ and the storage key up apart, or the restored node signs nothing and reads no file",
        ))
    });
    Ok(())
}

/// The node's code and name, as it asked to be certified.
fn named(data: &Path) -> String {
    read_request(&data.join(super::init::REQUEST_FILE))
        .map(|file| format!("{} {}", file.says.code, file.says.name))
        .unwrap_or_default()
}

/// A recovery key's public half: itself, or a file that holds it.
fn recipient(text: &str) -> Result<Recipient, CliError> {
    if let Ok(recipient) = text.parse() {
        return Ok(recipient);
    }
    let path = Path::new(text);
    read_text(path)?
        .parse()
        .map_err(|error: backup::NoRecipient| {
            CliError::usage(format!("{text}：{error}"), format!("{text}: {error}")).advise(
                "给出 guantong backup key 生成的 .pub",
                "give the .pub that guantong backup key made",
            )
        })
}

fn recovery_key(global: &Global, file: Option<&Path>) -> Result<Option<OpeningKey>, CliError> {
    let Some(path) = file else {
        return Ok(None);
    };
    let prompt = format!("{} 的口令 / passphrase", path.display());
    let passphrase = person::passphrase(global.passphrase_file.as_deref(), &prompt)?;
    let key = person::open_key(path, KeyKind::Recovery, &passphrase)?;
    Ok(Some(opening(key.to_seed())))
}

fn make_key(
    global: &Global,
    out: &Path,
    demonstration: bool,
    output: &Output,
) -> Result<(), CliError> {
    let prompt = "新口令 / new passphrase";
    let passphrase = person::passphrase(global.passphrase_file.as_deref(), prompt)?;
    let kdf = if demonstration {
        KdfParams::MINIMUM
    } else {
        KdfParams::RECOMMENDED
    };
    person::create_key(out, KeyKind::Recovery, &passphrase, kdf)?;
    let key = person::open_key(out, KeyKind::Recovery, &passphrase)?;
    let public = Recipient::of_seed(key.to_seed());
    write(&out.with_extension("pub"), format!("{public}\n").as_bytes())?;
    output.print(
        &json!({ "key": out, "public": public.to_string() }),
        |language| {
            format!(
                "{} {}\n{} {public}\n{}",
                language.pick("恢复密钥", "recovery key"),
                out.display(),
                language.pick("公钥", "public"),
                language.pick(
                    "离线保管；丢失则密封给它的备份不能恢复",
                    "keep it offline; without it what is sealed to it cannot be restored",
                ),
            )
        },
    );
    Ok(())
}

fn verify(
    global: &Global,
    from: &Path,
    key: Option<&Path>,
    output: &Output,
) -> Result<(), CliError> {
    let key = recovery_key(global, key)?;
    let found = backup::verify(from, key.as_ref()).map_err(|error| told(&error))?;
    if let Some(first) = found.problems.first() {
        let all = found.problems.join("\n");
        let (count, zh, en) = (found.problems.len(), &all, first);
        return Err(CliError::fault(
            format!("备份不完整，{count} 处：\n{zh}"),
            format!("the backup is not whole, {count} problems, the first: {en}"),
        )
        .advise(
            "再运行一次 guantong backup 补齐缺失的部分；节点已失时用 guantong recover 取回完好的部分",
            "run guantong backup again, which writes anew what is missing; where the node is lost, guantong recover takes what is whole",
        ));
    }
    output.print(&found, |language| {
        let Verified {
            node,
            made,
            batches,
            records,
            parts,
            ..
        } = &found;
        let made = labels::time(*made);
        let read = records.map_or_else(
            || {
                language
                    .pick("已加密，未核对到记录", "sealed: records not read")
                    .to_owned()
            },
            |records| {
                format!(
                    "{records} {}",
                    language.pick("条记录逐条核对", "records read")
                )
            },
        );
        format!(
            "{} {node}\n{made} · {} {batches} · {parts} {} · {read}",
            language.pick("备份完整：", "the backup is whole:"),
            language.pick("账本至批次", "ledger to batch"),
            language.pick("件", "parts"),
        )
    });
    Ok(())
}

pub(super) fn restore(
    global: &Global,
    args: &RestoreArgs,
    what_is_left: bool,
    output: &Output,
) -> Result<(), CliError> {
    let data = folder(global)?;
    let key = recovery_key(global, args.recovery_key.as_deref())?;
    let place = KeyPlace::of(data, None).map_err(|error| key_error(&error))?;
    let how = How {
        from: &args.from,
        data,
        key: key.as_ref(),
        storage_key: place.file(),
        what_is_left,
        now: now(),
    };
    let restored = backup::restore(&how).map_err(|error| told(&error))?;
    output.print(&restored, |language| {
        let Restored {
            node,
            made,
            batches,
            records,
            files,
            keys,
            missing,
        } = &restored;
        let made = labels::time(*made);
        let mut text = match language {
            crate::language::Language::Chinese => format!("已恢复 {node}：{made} 的备份，账本 {batches} 批、{records} 条，文件 {files} 件"),
            crate::language::Language::English => format!("restored {node} from the backup of {made}: {batches} batches, {records} records, {files} files"),
        };
        if !missing.is_empty() {
            text += &format!("\n{}\n  {}", language.pick("缺失：", "missing:"), missing.join("\n  "));
        }
        if !keys {
            text += language.pick(
                "\n备份不含密钥：启动前把 keys/ 与存储密钥放回原处",
                "\nwithout keys: put keys/ and the storage key back in their places before the node starts",
            );
        }
        text += language.pick(
            "\n节点启动后先与上级联署过的账本比对，比对相符前不签署任何事项（guantong status 显示进展）",
            "\nthe node compares with what was cosigned above when it starts, and signs nothing until the ledgers agree (see guantong status)",
        );
        text
    });
    Ok(())
}

/// The one line for a backup that was not made or cannot be used.
fn told(error: &BackupError) -> CliError {
    let of = |exit| CliError::of_both(exit, error);
    match error {
        BackupError::Io { .. } => of(Exit::Fault).advise(
            "核对权限和磁盘空间，再次运行；原有备份未受影响",
            "check permissions and the space on the disk and run it again; the backup as it was stands",
        ),
        BackupError::Lock(_) => of(Exit::Fault).advise(
            "停止使用该目录的进程，或等另一次备份结束",
            "stop the process that uses the folder, or wait until the other backup has ended",
        ),
        BackupError::Journal(_) | BackupError::Frames(_) => of(Exit::Fault).advise(
            "按上文恢复所指的账本文件；备份损坏时换一份备份",
            "restore the ledger's file that is named; where the backup is damaged, take another",
        ),
        BackupError::Nothing(_) | BackupError::Malformed { .. } => of(Exit::Usage).advise(
            "指明 guantong backup --to 所写的目录",
            "name the folder that guantong backup --to wrote",
        ),
        BackupError::AnotherVersion { .. } => of(Exit::Usage).advise(
            "用写成该备份的版本恢复；各版本的格式见 docs/versions.md",
            "restore with the version that made it; see docs/versions.md",
        ),
        BackupError::Part { .. } => of(Exit::Fault).advise(
            "换一份备份；确无其他备份时用 guantong recover 取回完好的部分",
            "take another backup; if there is none, guantong recover takes what is whole",
        ),
        BackupError::AnotherLedger { .. }
        | BackupError::AnotherRecipient { .. }
        | BackupError::KeysInClear => of(Exit::Usage).advise(
            "换一个目录，或按上文改正参数",
            "use another folder, or correct the arguments as told",
        ),
        BackupError::KeyWanted | BackupError::NotOpened(_) => of(Exit::NotAuthorised).advise(
            "用 --recovery-key 指明 guantong backup key 生成的、与该备份对应的密钥",
            "name with --recovery-key the key that guantong backup key made for this backup",
        ),
        BackupError::NotEmpty(_) => of(Exit::Usage).advise(
            "换一个空目录，或先移走原有内容",
            "name an empty folder, or move away what is there",
        ),
    }
}
