//! Who signs: the person's key and chain, and what becomes of a signed act.

use std::io::IsTerminal;

use federation::core::Answer;
use federation::core::view::{DocketDetail, DraftView, NodeView};
use identity::{Code, KeyKind, SigningKey, VerifyKey};
use serde::{Deserialize, Serialize};
use sharing::act::{Act, ActBody, Opens};
use sharing::docket::DocketId;
use sharing::person::PersonChain;
use sharing::private::Content;
use sharing::reading::ReadingAct;

use super::args::now;
use super::client::{Client, encode};
use super::error::{CliError, Exit};
use super::{Global, Output};
use crate::api::List;
use crate::api::acts::Prepared;
use crate::console::{labels, reading};
use crate::language::Language;
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
        let chain = chain_of(global, client, &key.verify_key())?;
        Ok(Self { key, chain })
    }

    /// The node that hosts this person's department.
    pub(super) fn node(&self) -> Result<Code, CliError> {
        node_of(&self.chain)
    }
}

/// The chain of whoever signs: the one beside the key, or as the node has it.
fn chain_of(global: &Global, client: &Client, public: &VerifyKey) -> Result<PersonChain, CliError> {
    let beside = global.key.as_deref().map(person::chain_path);
    let beside = beside.map(|path| person::load_chain(&path)).transpose()?;
    if let Some(chain) = beside.flatten() {
        return Ok(chain);
    }
    let path = format!("/people/chain/{}", encode(&public.to_string()));
    let found: ChainAnswer = client.get(&path).map_err(|error| match error.exit {
        // Nobody of this key is enrolled: it signs nothing.
        Exit::Usage => CliError {
            exit: Exit::NotAuthorised,
            ..error
        },
        _ => error,
    })?;
    Ok(found.chain)
}

fn node_of(chain: &PersonChain) -> Result<Code, CliError> {
    chain.holder().map(|person| person.node).ok_or_else(|| {
        CliError::new(
            Exit::NotAuthorised,
            "人员证书链无法解读",
            "the person's chain is unreadable",
        )
    })
}

/// Whoever is asked for a passphrase at a terminal reads first, in one sentence, what they sign.
fn tell_what_is_signed(
    global: &Global,
    client: &Client,
    output: &Output,
    body: &ActBody,
) -> Result<(), CliError> {
    let Some(path) = global
        .key
        .as_deref()
        .filter(|_| std::io::stdin().is_terminal())
    else {
        return Ok(());
    };
    let chain = chain_of(global, client, &person::load_key(path)?.public)?;
    let act = person::act(node_of(&chain)?, now(), body.clone())?;
    let shown = person::describe::summary(&act);
    output.tell(
        &format!("将要签署：{}", shown.zh),
        &format!("to be signed: {}", shown.en),
    );
    Ok(())
}

/// Carries an act out: signs and sends it, or writes it down unsigned with `--prepare`.
pub(super) fn carry_out(
    global: &Global,
    output: &Output,
    body: ActBody,
) -> Result<Option<Answer>, CliError> {
    carry_out_with(global, output, body, &[])
}

/// As [`carry_out`], with the personal content that the act commits to.
pub(super) fn carry_out_with(
    global: &Global,
    output: &Output,
    body: ActBody,
    contents: &[Content],
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
        let prepared = Prepared::of(&person::act(node, now(), body)?).with(contents);
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
    tell_what_is_signed(global, &client, output, &body)?;
    let signer = Signer::open(global, &client)?;
    let act = person::act(signer.node()?, now(), body)?;
    send(&client, output, (&act, contents), signer).map(Some)
}

/// What a command prints of an act that was sent.
#[derive(Serialize)]
struct Sent<'a> {
    #[serde(flatten)]
    answer: &'a Answer,
    /// The node that has yet to take the act, when it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<Code>,
    /// Of the certificate that was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<u64>,
}

/// Where an act is decided on: where the docket that it opens has its home, or the one that it steps.
fn opens_or_steps(body: &ActBody) -> Option<Opens> {
    match body {
        // A reading is decided where it is answered.
        ActBody::Reading(ReadingAct::Read { .. }) => None,
        body => body.opens().or_else(|| body.docket().map(Opens::HomeOf)),
    }
}

/// The home of a docket, when this node is not it.
fn home_elsewhere(client: &Client, docket: DocketId) -> Option<Code> {
    let detail: DocketDetail = client.get(&format!("/dockets/{docket}")).ok()?;
    (!detail.docket.at_home).then(|| detail.docket.home.code())
}

/// The node that decides on an act, when it is not the signer's own: the docket's home, the provider of a draft, the source of a return flow.
/// Where that is not known, the act is refused here.
fn decided_by(client: &Client, act: &Act) -> Option<Code> {
    let home = match &act.body {
        ActBody::Subscribe(subscription) => Some(subscription.source),
        ActBody::ConsentToApply { docket, .. } => {
            let drafts: List<DraftView> = client
                .get(&format!("/drafts?limit={}", crate::api::MAX_PAGE))
                .ok()?;
            let draft = drafts
                .items
                .into_iter()
                .find(|draft| draft.docket == *docket)?;
            Some(draft.application.provider_node.code())
        }
        body => match opens_or_steps(body)? {
            Opens::Here => None,
            Opens::At(home) => Some(home),
            Opens::HomeOf(docket) => home_elsewhere(client, docket),
        },
    };
    home.filter(|home| *home != act.node)
}

/// What became of an act: taken here, or sent to the node that decides.
fn taken(decided_by: Option<Code>, language: Language) -> String {
    match (decided_by, language) {
        (None, _) => language.pick("已受理", "accepted").to_owned(),
        (Some(home), Language::Chinese) => format!(
            "已送出，由 {home} 决定是否受理；结果见 guantong status 或 guantong docket show。"
        ),
        (Some(home), Language::English) => format!(
            "sent; the home node ({home}) decides: see guantong status or guantong docket show."
        ),
    }
}

/// Signs, sends and tells what came of it.
pub(super) fn send(
    client: &Client,
    output: &Output,
    (act, contents): (&Act, &[Content]),
    signer: Signer,
) -> Result<Answer, CliError> {
    let decided_by = decided_by(client, act);
    let answer = client.act_with(&person::sign(act, &signer.key, signer.chain), contents)?;
    let summary = person::describe::summary(act);
    let serial = answer.chain.as_ref().and_then(|chain| {
        let certificate = chain.claimed().ok()?;
        Some(certificate.serial)
    });
    let sent = Sent {
        answer: &answer,
        decided_by,
        serial,
    };
    output.print(&sent, |language| {
        let mut text = format!(
            "{}\n{} {}",
            summary.in_language(language),
            taken(decided_by, language),
            labels::time(answer.at)
        );
        if let Some(serial) = serial {
            text += &format!("\n{} {serial}", language.pick("证书序号", "serial"));
        }
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
        if let Some(given) = &answer.uses {
            text += &format!("\n{}", reading::given(given, language));
        }
        for warning in &answer.warnings {
            text += &format!("\n{} {warning}", language.pick("注意：", "warning:"));
        }
        text
    });
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_a_docket_elsewhere_is_decided_there() {
        let provider: identity::Path = "100000/mps".parse().unwrap();
        let application = sharing::application::Application {
            requester: "91440300192203821X".parse().unwrap(),
            requester_name: "区民政局".to_owned(),
            provider_node: provider.clone(),
            entry: "mps/RK/0001".parse().unwrap(),
            entry_version: 1,
            items: vec!["姓名".to_owned()],
            materials: Vec::new(),
            until: Some(identity::Moment::from_millis(0)),
            method: statute::Method::ALL[0],
        };
        let take = ActBody::Direct(sharing::application::DirectAct::Take { application });
        assert_eq!(opens_or_steps(&take), Some(Opens::At(provider.code())));
    }

    #[test]
    fn an_act_that_another_node_decides_on_is_not_called_accepted() {
        let home: Code = "440000".parse().unwrap();
        for language in [Language::Chinese, Language::English] {
            let told = taken(Some(home), language);
            assert!(told.contains("440000"));
            assert!(!told.contains("已受理") && !told.contains("accepted"));
        }
        assert_eq!(taken(None, Language::Chinese), "已受理");
    }
}
