//! Keys of people. They are made and kept on the person's side, never in a node's folder.

use std::path::PathBuf;

use identity::KeyKind;
use serde_json::json;

use super::error::CliError;
use super::{Global, Output, root};
use crate::console::labels;
use crate::person;

/// `guantong person`.
#[derive(Debug, clap::Subcommand)]
pub enum PersonCommand {
    /// 生成加密的人员密钥 / make a person's key, encrypted
    New {
        /// 密钥文件；公钥写入同名 .pub / the key file; the public key goes beside it with the ending .pub
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// 口令加固用最低参数，仅供演示 / weakest protection of the passphrase, for demonstrations
        #[arg(long)]
        demonstration: bool,
    },
    /// 显示公钥与登记情况 / show the public key and the enrolment beside it
    Show,
}

pub(super) fn run(
    global: &Global,
    command: PersonCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        PersonCommand::New { out, demonstration } => {
            root::make(global, &out, KeyKind::Person, demonstration, output)
        }
        PersonCommand::Show => {
            let path = global.key.as_deref().ok_or_else(|| {
                CliError::usage("没有指明密钥", "no key is named")
                    .advise("用 --key FILE 指明", "name it with --key FILE")
            })?;
            let file = person::load_key(path)?;
            let chain = person::load_chain(&person::chain_path(path))?;
            let holder = chain
                .as_ref()
                .and_then(sharing::person::PersonChain::holder);
            output.print(
                &json!({ "public": file.public, "kind": file.kind, "person": holder }),
                |language| {
                    let mut text = format!("{} {}", language.pick("公钥", "public"), file.public);
                    if let Some(person) = &holder {
                        text += &format!(
                            "\n{} · {} · {} · {} {}",
                            person.name,
                            language.pick(person.role.zh(), person.role.en()),
                            person.department,
                            language.pick("任期至", "until"),
                            labels::time(person.term_until),
                        );
                    }
                    text
                },
            );
            Ok(())
        }
    }
}
