//! The root key: made offline, not the hub's, and used only to sign the hub's certificate.

use std::path::{Path, PathBuf};

use identity::{Chain, Code, KdfParams, KeyKind, Terms, VerifyKey, issue_hub};
use serde::Serialize;

use super::args::{code, now, write};
use super::error::{CliError, Exit};
use super::init::{ChainFile, read_request, write_json};
use super::{Global, Output};
use crate::person;

/// Days for which the hub's certificate is valid when nothing else is said.
const HUB_DAYS: u16 = 365;
/// A certificate is valid from a little before it was made, for clocks that lag, seconds.
const BACKDATED_SECONDS: i64 = 300;

/// `guantong root`.
#[derive(Debug, clap::Subcommand)]
pub enum RootCommand {
    /// 生成加密的根密钥 / make the root key, encrypted
    Init {
        /// 密钥文件；公钥写入同名 .pub / the key file; the public key goes beside it with the ending .pub
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// 口令加固用最低参数，仅供演示 / weakest protection of the passphrase, for demonstrations
        #[arg(long)]
        demonstration: bool,
    },
    /// 为国家枢纽签发证书 / sign the hub's certificate
    Sign {
        /// 枢纽的入网申请 / the hub's enrolment request
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
        /// 根密钥文件 / the root's key file
        #[arg(long, value_name = "FILE")]
        root_key: PathBuf,
        /// 见证节点 / witnesses
        #[arg(long = "witness", value_parser = code, value_name = "CODE", num_args = 1..)]
        witnesses: Vec<Code>,
        /// 有效天数 / days of validity
        #[arg(long, default_value_t = HUB_DAYS, value_parser = clap::value_parser!(u16).range(1..=3650))]
        valid_days: u16,
        /// 证书序号：每次续签加一 / serial: one more at each renewal
        #[arg(long, default_value_t = 1)]
        serial: u64,
        /// 继任序号：枢纽换机（新密钥）时加一 / epoch: one more when a successor with new keys takes the place
        #[arg(long, default_value_t = 1)]
        epoch: u32,
        /// 证书链文件 / the chain
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

#[derive(Serialize)]
struct Made {
    key: PathBuf,
    public: VerifyKey,
}

pub(super) fn run(global: &Global, command: RootCommand, output: &Output) -> Result<(), CliError> {
    match command {
        RootCommand::Init { out, demonstration } => {
            make(global, &out, KeyKind::Root, demonstration, output)
        }
        RootCommand::Sign {
            request,
            root_key,
            witnesses,
            valid_days,
            serial,
            epoch,
            out,
        } => {
            let asked = read_request(&request)?;
            let prompt = format!("{} 的口令 / passphrase", root_key.display());
            let passphrase = person::passphrase(global.passphrase_file.as_deref(), &prompt)?;
            let key = person::open_key(&root_key, KeyKind::Root, &passphrase)?;
            let at = now();
            let terms = Terms {
                serial,
                epoch,
                witnesses,
                valid_from: at.plus_seconds(-BACKDATED_SECONDS),
                valid_until: at.plus_days(i64::from(valid_days)),
            };
            let certificate = issue_hub(&asked.request, &key, terms.clone())
                .map_err(|error| CliError::of_both(Exit::Usage, &error))?;
            let chain = ChainFile {
                chain: Chain::new(vec![certificate]),
            };
            write_json(&out, &chain)?;
            output.print(&chain, |language| {
                format!(
                    "{} {}，{} {}",
                    language.pick("已签发", "signed for"),
                    asked.says.name,
                    language.pick("证书链在", "the chain is in"),
                    out.display()
                )
            });
            Ok(())
        }
    }
}

/// Makes a key file and its public half.
pub(super) fn make(
    global: &Global,
    out: &Path,
    kind: KeyKind,
    demonstration: bool,
    output: &Output,
) -> Result<(), CliError> {
    let passphrase =
        person::passphrase(global.passphrase_file.as_deref(), "新口令 / new passphrase")?;
    let kdf = if demonstration {
        KdfParams::MINIMUM
    } else {
        KdfParams::RECOMMENDED
    };
    let file = person::create_key(out, kind, &passphrase, kdf)?;
    let public = out.with_extension("pub");
    write(&public, format!("{}\n", file.public).as_bytes())?;
    let made = Made {
        key: out.to_owned(),
        public: file.public,
    };
    output.print(&made, |language| {
        format!(
            "{} {}\n{} {}",
            language.pick("密钥", "key"),
            out.display(),
            language.pick("公钥", "public"),
            file.public
        )
    });
    Ok(())
}
