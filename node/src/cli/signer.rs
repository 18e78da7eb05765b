//! Who signs: the person's key and chain, and what becomes of a signed act.

use federation::core::Answer;
use federation::core::view::NodeView;
use identity::{Code, KeyKind, SigningKey};
use serde::Deserialize;
use sharing::act::{Act, ActBody};
use sharing::person::PersonChain;

use super::args::now;
use super::client::{Client, encode};
use super::error::{CliError, Exit};
use super::{Global, Output};
use crate::api::acts::Prepared;
use crate::console::labels;
use crate::person;

/// A person with an open key.
pub(super) struct Signer {
    pub(super) key: SigningKey,
    pub(super) chain: PersonChain,
}

#[derive(Deserialize)]
struct ChainAnswer {
    chain: PersonChain,
}

/// Opens the key that `--key` names.
pub(super) fn open_key(global: &Global) -> Result<SigningKey, CliError> {
    let path = global.key.as_deref().ok_or_else(no_key)?;
    let passphrase = person::passphrase(
        global.passphrase_file.as_deref(),
        &format!("{} 的口令 / passphrase", path.display()),
    )?;
    Ok(person::open_key(path, KeyKind::Person, &passphrase)?)
}

fn no_key() -> CliError {
    CliError::usage("没有指明签名人", "nobody is named who signs").advise(
        "用 --key FILE 指明人员密钥；或用 --prepare FILE 只拟制文书，由本人用 guantong sign 签署",
        "name a person's key with --key FILE; or write the document with --prepare FILE and let the person sign it with guantong sign",
    )
}

impl Signer {
    /// Opens key and chain: the chain beside the key, or as the node has it.
    pub(super) fn open(global: &Global, client: &Client) -> Result<Self, CliError> {
        let key = open_key(global)?;
        let beside = global.key.as_deref().map(person::chain_path);
        if let Some(chain) = beside
            .map(|path| person::load_chain(&path))
            .transpose()?
            .flatten()
        {
            return Ok(Self { key, chain });
        }
        let found: ChainAnswer = client.get(&format!(
            "/people/chain/{}",
            encode(&key.verify_key().to_string())
        ))?;
        Ok(Self {
            key,
            chain: found.chain,
        })
    }

    /// The node that hosts this person's department.
    pub(super) fn node(&self) -> Result<Code, CliError> {
        self.chain
            .holder()
            .map(|person| person.node)
            .ok_or_else(|| {
                CliError::new(
                    Exit::NotAuthorised,
                    "人员证书链无法解读",
                    "the person's chain is unreadable",
                )
            })
    }
}

/// Carries an act out: signs and sends it, or writes it down unsigned with `--prepare`.
pub(super) fn carry_out(
    global: &Global,
    output: &Output,
    body: ActBody,
) -> Result<Option<Answer>, CliError> {
    let client = Client::of(global, output.language())?;
    if let Some(path) = &global.prepare {
        let view: NodeView = client.get("/node")?;
        let node = view.place.map(|place| place.code()).ok_or_else(|| {
            CliError::new(
                Exit::Unreachable,
                "节点尚未入网",
                "the node is not enrolled",
            )
        })?;
        let prepared = Prepared::of(&person::act(node, now(), body)?);
        let text =
            serde_json::to_string_pretty(&prepared).map_err(|error| CliError::file(path, error))?;
        super::args::write(path, text.as_bytes())?;
        output.print(&prepared, |language| {
            format!(
                "{}\n{} {}",
                language.pick(&prepared.summary_zh, &prepared.summary_en),
                language.pick("待签文书已写入", "the document is in"),
                path.display()
            )
        });
        return Ok(None);
    }
    let signer = Signer::open(global, &client)?;
    let act = person::act(signer.node()?, now(), body)?;
    send(&client, output, &act, signer).map(Some)
}

/// Signs, sends and tells what came of it.
pub(super) fn send(
    client: &Client,
    output: &Output,
    act: &Act,
    signer: Signer,
) -> Result<Answer, CliError> {
    let answer = client.act(&person::sign(act, &signer.key, signer.chain))?;
    let summary = person::describe::summary(act);
    output.print(&answer, |language| {
        let mut text = format!(
            "{}\n{} {}",
            summary.in_language(language),
            language.pick("已受理", "accepted"),
            labels::time(answer.at)
        );
        if let Some(act) = &answer.act {
            text += &format!("\n{} {}", language.pick("行为", "act"), act.0);
        }
        if let Some(docket) = &answer.docket {
            text += &format!("\n{} {docket}", language.pick("案卷", "docket"));
        }
        if answer.repeated {
            text += language.pick(
                "\n此前已受理，未重复生效",
                "\nit was taken before and took no second effect",
            );
        }
        for warning in &answer.warnings {
            text += &format!("\n{} {warning}", language.pick("注意：", "warning:"));
        }
        text
    });
    Ok(answer)
}
