//! Enrolment: of child nodes by their parent's authority, of this node with the chain it was given, of people.

use std::path::{Path, PathBuf};

use identity::{Code, CreditCode, RevocationReason};
use serde_json::json;
use sharing::act::ActBody;
use sharing::person::{PersonCertificate, PersonChain, authority_head_certificate, enrol};
use statute::Role;

use super::args::{code, now, public_key};
use super::client::Client;
use super::error::CliError;
use super::init::{CHAIN_FILE, ChainFile, read_chain, read_request, write_json};
use super::signer::{Signer, carry_out, open_key, send};
use super::{Global, Output};
use crate::api::acts::InstallRequest;
use crate::api::to_base64;
use crate::person;

/// `guantong enroll`.
#[derive(Debug, clap::Subcommand)]
pub enum EnrollCommand {
    /// 上级主管部门负责人为下级节点签发证书 / the parent authority's head certifies a child
    Approve {
        /// 下级的入网申请 / the child's enrolment request
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
        /// 见证节点 / witnesses outside the child's own line
        #[arg(long = "witness", value_parser = code, value_name = "CODE", num_args = 1..)]
        witnesses: Vec<Code>,
        /// 有效天数 / days of validity
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=400))]
        valid_days: u16,
        /// 证书链文件，交给下级 / the chain, to be given to the child
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// 把上级签发的证书链装入本节点 / install the chain that the parent signed
    Install {
        /// 证书链文件 / the chain
        #[arg(long, value_name = "FILE")]
        chain: PathBuf,
    },
    /// 续期：生成新的密封密钥和续期申请 / renew: make the next sealing key and a new request for the parent
    Renew,
    /// 撤销下级节点的证书 / revoke a child's certificate
    Revoke {
        /// 下级节点 / the child
        #[arg(long, value_parser = code, value_name = "CODE")]
        child: Code,
        /// 证书序号 / the certificate's serial
        #[arg(long)]
        serial: u64,
        /// 原因 / reason: key-compromise, superseded, dissolved, issued-in-error, ordered
        #[arg(long, value_parser = reason)]
        reason: RevocationReason,
    },
    /// 主管部门负责人为自己的密钥制作证书（节点证书已载明该密钥） / the authority's head makes the certificate of their own key, which the node's certificate names
    Head {
        #[command(flatten)]
        who: Who,
        /// 所在节点 / the node
        #[arg(long, value_parser = code, value_name = "CODE")]
        at: Code,
    },
    /// 登记人员：由主管部门负责人或部门负责人签名 / enrol a person; signed by the head of the authority or department
    Person {
        /// 人员公钥或其文件 / the person's public key or a file that holds it
        #[arg(long, value_name = "KEY")]
        public: String,
        /// 角色 / role
        #[arg(long, value_parser = role)]
        role: Role,
        /// 部门名称 / the department's name
        #[arg(long)]
        department_name: String,
        #[command(flatten)]
        who: Who,
        /// 人员证书链文件，交给本人 / the person's chain, to be kept beside the key as NAME.chain.json
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Who is enrolled.
#[derive(Debug, clap::Args)]
pub struct Who {
    /// 姓名 / name
    #[arg(long)]
    pub name: String,
    /// 部门统一社会信用代码 / the department's credit code
    #[arg(long, value_parser = credit)]
    pub department: CreditCode,
    /// 任期天数 / days of office
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub days: u16,
}

fn role(text: &str) -> Result<Role, String> {
    text.parse()
        .map_err(|error: statute::UnknownTerm| error.to_string())
}

pub(super) fn credit(text: &str) -> Result<CreditCode, String> {
    text.parse()
        .map_err(|error: identity::CreditCodeError| error.to_string())
}

fn reason(text: &str) -> Result<RevocationReason, String> {
    Ok(match text {
        "key-compromise" => RevocationReason::KeyCompromise,
        "superseded" => RevocationReason::Superseded,
        "dissolved" => RevocationReason::Dissolved,
        "issued-in-error" => RevocationReason::IssuedInError,
        "ordered" => RevocationReason::Ordered,
        other => {
            return Err(format!(
                "{other}: key-compromise, superseded, dissolved, issued-in-error, ordered"
            ));
        }
    })
}

pub(super) fn run(
    global: &Global,
    command: EnrollCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        EnrollCommand::Approve {
            request,
            witnesses,
            valid_days,
            out,
        } => approve(global, output, &request, witnesses, valid_days, &out),
        EnrollCommand::Install { chain } => install(global, output, &chain),
        EnrollCommand::Renew => super::init::renew(global, output),
        EnrollCommand::Revoke {
            child,
            serial,
            reason,
        } => carry_out(
            global,
            output,
            ActBody::RevokeMember {
                node: child,
                serial,
                reason,
            },
        )
        .map(drop),
        EnrollCommand::Head { who, at } => head(global, output, &who, at),
        EnrollCommand::Person {
            public,
            role,
            department_name,
            who,
            out,
        } => enrol_person(
            global,
            output,
            &public,
            role,
            department_name,
            &who,
            out.as_deref(),
        ),
    }
}

fn approve(
    global: &Global,
    output: &Output,
    request: &Path,
    witnesses: Vec<Code>,
    valid_days: u16,
    out: &Path,
) -> Result<(), CliError> {
    let file = read_request(request)?;
    let answer = carry_out(
        global,
        output,
        ActBody::CertifyMember {
            request: file.request,
            witnesses,
            valid_days,
        },
    )?;
    match answer.map(|answer| answer.chain) {
        None => Ok(()),
        Some(Some(chain)) => write_json(out, &ChainFile { chain }),
        Some(None) => Err(
            CliError::fault("节点没有给出证书链", "the node gave no chain").advise(
                "用 GET /api/v1/chain/CODE 取得",
                "fetch it with GET /api/v1/chain/CODE",
            ),
        ),
    }
}

/// Through the API of the running node, and into its folder, so that it is there whatever happens.
fn install(global: &Global, output: &Output, path: &Path) -> Result<(), CliError> {
    let chain = read_chain(path)?;
    if let Some(dir) = &global.data {
        write_json(
            &dir.join(CHAIN_FILE),
            &ChainFile {
                chain: chain.clone(),
            },
        )?;
    }
    let client = Client::of(global, output.language())?;
    let bytes = to_base64(&identity::codec::encode(&chain));
    match client.post::<federation::core::Answer>("/install", &InstallRequest { bytes }) {
        Ok(answer) => {
            output.print(&answer, |language| {
                language
                    .pick(
                        "已入网：证书链已装入节点",
                        "enrolled: the node has its chain",
                    )
                    .to_owned()
            });
            Ok(())
        }
        Err(error) if error.exit == super::Exit::Unreachable && global.data.is_some() => {
            output.print(&json!({ "installed": false, "at_next_start": true }), |language| {
                language.pick("节点未运行；证书链已放入数据目录，下次启动时装入", "the node does not run; the chain is in its folder and is installed at the next start").to_owned()
            });
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn head(global: &Global, output: &Output, who: &Who, node: Code) -> Result<(), CliError> {
    let key = open_key(global)?;
    let from = now();
    let term = (from.plus_seconds(-300), from.plus_days(i64::from(who.days)));
    let certificate = authority_head_certificate(&who.name, who.department, node, term, &key);
    let chain = PersonChain(vec![certificate]);
    let path = global
        .key
        .as_deref()
        .map(person::chain_path)
        .unwrap_or_default();
    person::save_chain(&path, &chain)?;
    output.print(
        &json!({ "chain": path, "public": key.verify_key() }),
        |language| {
            format!(
                "{} {}",
                language.pick("主管部门负责人证书已写入", "the head's certificate is in"),
                path.display()
            )
        },
    );
    Ok(())
}

fn enrol_person(
    global: &Global,
    output: &Output,
    public: &str,
    role: Role,
    department_name: String,
    who: &Who,
    out: Option<&Path>,
) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let signer = Signer::open(global, &client)?;
    let from = now();
    let certificate = PersonCertificate {
        key: public_key(public)?,
        name: who.name.clone(),
        role,
        department: who.department,
        node: signer.node()?,
        term_from: from.plus_seconds(-300),
        term_until: from.plus_days(i64::from(who.days)),
    };
    let signed = enrol(&certificate, &signer.key);
    let chain = signer.chain.with(signed.clone());
    let body = ActBody::EnrolPerson {
        certificate: signed,
        department_name,
    };
    let act = person::act(certificate.node, from, body)?;
    send(&client, output, &act, signer)?;
    // Beside the person's key when the path of the key or of its public half was given.
    let beside = (!public.contains(':')).then(|| person::chain_path(Path::new(public)));
    match out.map(Path::to_owned).or(beside) {
        Some(path) => Ok(person::save_chain(&path, &chain)?),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_and_roles_are_read_by_their_ids() {
        assert_eq!(reason("dissolved"), Ok(RevocationReason::Dissolved));
        assert!(reason("x").is_err());
        assert_eq!(role("部门负责人"), Ok(Role::DepartmentHead));
    }
}
