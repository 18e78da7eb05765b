//! Signing a prepared document: what it says is shown first, and what is signed is the very bytes whose digest was shown. With `-v` or `--json` the
//! document itself is shown below.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use identity::{Digest, Domain, codec};
use sharing::act::{Act, MAX_ACT_BYTES};
use sharing::private::{Content, check_complete};

use super::args::read_text;
use super::client::Client;
use super::error::{CliError, Exit};
use super::signer::{Signer, send};
use super::{Global, Output, args};
use crate::api::acts::{ActRequest, Prepared};
use crate::api::{from_base64, private};
use crate::person::{self, describe};

/// `guantong sign`.
#[derive(Debug, clap::Args)]
pub struct SignArgs {
    /// 待签文书（--prepare 或 POST /api/v1/acts/prepare 所得） / the prepared document
    #[arg(long, value_name = "FILE")]
    pub document: PathBuf,
    /// 不再询问 / do not ask
    #[arg(long)]
    pub yes: bool,
    /// 另显示文书全文（JSON）/ show the whole document (JSON) as well
    #[arg(long, short)]
    pub verbose: bool,
    /// 只写出签名结果，不提交 / write the signed act here instead of sending it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

pub(super) fn run(global: &Global, args: SignArgs, output: &Output) -> Result<(), CliError> {
    let text = read_text(&args.document)?;
    let prepared: Prepared =
        serde_json::from_str(&text).map_err(|error| CliError::file(&args.document, error))?;
    let act = document(&prepared).map_err(|reason| CliError::file(&args.document, reason))?;
    let contents =
        contents(&prepared, &act).map_err(|reason| CliError::file(&args.document, reason))?;
    let shown = describe::summary(&act);
    let full = args.verbose || output.is_json();
    let text = |summary, digest| {
        let digest = format!("{digest} {}", prepared.digest);
        asked(
            summary,
            &digest,
            &contents,
            full.then(|| describe::document(&act)),
        )
    };
    let (zh, en) = (text(&shown.zh, "摘要"), text(&shown.en, "digest"));
    // Who is asked has seen what they are asked about, whatever form the result has.
    if args.yes {
        output.note(&zh, &en);
    } else {
        output.tell(&zh, &en);
    }
    if !args.yes && !agreed(output)? {
        return Err(CliError::new(Exit::NotAuthorised, "未签署", "not signed"));
    }
    let client = Client::of(global, output.language())?;
    let signer = Signer::open(global, &client)?;
    let Some(path) = args.out else {
        return send(&client, output, (&act, &contents), signer).map(drop);
    };
    let request = ActRequest::new(&person::sign(&act, &signer.key, signer.chain), &contents);
    let bytes =
        serde_json::to_vec_pretty(&request).map_err(|error| CliError::file(&path, error))?;
    args::write(&path, &bytes)?;
    output.print(&request, |language| {
        format!(
            "{} {}",
            language.pick("签名结果在", "the signed act is in"),
            path.display()
        )
    });
    Ok(())
}

/// What whoever signs is asked about: the sentence first, then the personal content beside it, the digest, and the document where it is wanted.
fn asked(summary: &str, digest: &str, contents: &[Content], document: Option<String>) -> String {
    let mut text = summary.to_owned();
    for content in contents {
        text += &format!("\n{} {}", content.private(), content.text());
    }
    text += &format!("\n{digest}");
    if let Some(document) = document {
        text += &format!("\n{document}");
    }
    text
}

/// The act in a document. Only its bytes count: summary and digest beside them must agree, and encoding it again must give the same
/// bytes, so that what is shown is what is signed.
fn document(prepared: &Prepared) -> Result<Act, String> {
    let bytes = from_base64(&prepared.document).map_err(|error| error.to_string())?;
    if Digest::of(Domain::Act, &bytes) != prepared.digest {
        return Err("摘要与文书不符 / the digest is not that of the document".into());
    }
    let act: Act = codec::decode(&bytes, MAX_ACT_BYTES).map_err(|error| error.to_string())?;
    if codec::encode(&act) != bytes {
        return Err("文书不是规范编码 / the document is not canonical".into());
    }
    Ok(act)
}

/// The personal content beside a document: all that the act commits to, each shown to whoever signs.
fn contents(prepared: &Prepared, act: &Act) -> Result<Vec<Content>, String> {
    let contents = private::contents(&prepared.private).map_err(|error| error.to_string())?;
    match check_complete(&act.body.private(), &contents) {
        Ok(()) => Ok(contents),
        Err(_) => {
            Err("个人内容与文书不符 / the personal content is not that of the document".into())
        }
    }
}

fn agreed(output: &Output) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(
            CliError::usage("无法询问是否签署", "nobody can be asked whether to sign").advise(
                "在终端运行，或审阅后加 --yes",
                "run it in a terminal, or add --yes after reading the document",
            ),
        );
    }
    eprint!(
        "{}",
        output.pick(
            "签署以上文书？输入 yes 确认：",
            "sign this document? type yes: "
        )
    );
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    let _ = std::io::stdin().lock().read_line(&mut line);
    Ok(line.trim() == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::{Code, Moment};
    use sharing::act::ActBody;
    use sharing::return_flow::Subscription;

    #[test]
    fn the_sentence_comes_first_and_the_document_only_where_it_is_wanted() {
        let content = Content::new([1; 32], "张三".into()).unwrap();
        let contents = std::slice::from_ref(&content);
        let short = asked("【同意】某事", "摘要 ab", contents, None);
        assert!(short.starts_with("【同意】某事\n") && short.contains("张三"));
        assert!(short.ends_with("摘要 ab") && !short.contains('{'));
        let full = asked("【同意】某事", "摘要 ab", contents, Some("{}".into()));
        assert!(full.starts_with(&short) && full.ends_with("\n{}"));
    }

    #[test]
    fn a_document_whose_digest_or_bytes_were_changed_is_not_signed() {
        let body = ActBody::Subscribe(Subscription {
            source: Code::HUB,
            origin: Code::HUB,
            dataset: "divisions".parse().unwrap(),
            area: "440106".parse().unwrap(),
            schedule: "daily@18:00".parse().unwrap(),
        });
        let act = Act {
            nonce: [1; 16],
            at: Moment::default(),
            node: Code::HUB,
            body,
        };
        let mut prepared = Prepared::of(&act);
        assert_eq!(document(&prepared), Ok(act));
        prepared.digest = Digest::object(b"x");
        assert!(document(&prepared).is_err());
        prepared.document = "AAAA".into();
        assert!(document(&prepared).is_err());
    }
}
