//! Enrolment: of child nodes by their parent's authority, of this node with the chain it was given, of people.

use std::path::{Path, PathBuf};

use identity::{Code, CreditCode, RevocationReason, SigningKey};
use jiff::civil::Date;
use serde_json::json;
use sharing::act::ActBody;
use sharing::node_act::NodeAct;
use sharing::person::{Ending, PersonCertificate, PersonChain, authority_head_certificate, enrol};
use statute::{EndReason, Role};

use super::args::{code, date, now, public_key, start_of};
use super::client::Client;
use super::error::{CliError, Exit};
use super::init::{
    CHAIN_FILE, ChainFile, KEYS_DIR, REQUEST_FILE, ROOT_FILE, check_folder, read_chain,
    read_request, read_seed, write_json,
};
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
    Renew {
        /// 同时更换签名与传输密钥（节点须停止）：所获证书为下一纪元的继任者 / other signing and transport keys too, with the node stopped: the certificate is a successor's, of the next epoch
        #[arg(long)]
        new_keys: bool,
        /// 更换主管部门负责人：新负责人的公钥或其文件 / another head of the authority: their public key or a file that holds it
        #[arg(long, value_name = "KEY")]
        authority_head: Option<String>,
    },
    /// 撤销下级节点的证书 / revoke a child's certificate
    Revoke {
        /// 下级节点 / the child
        #[arg(long, value_parser = code, value_name = "CODE")]
        child: Code,
        /// 证书序号；缺省为最近签发的 / the certificate's serial; the newest when absent
        #[arg(long)]
        serial: Option<u64>,
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
    /// 终止人员登记：由主管部门负责人或部门负责人签名 / end a person's enrolment; signed by the head of the authority or department
    PersonEnd {
        /// 人员公钥或其文件 / the person's public key or a file that holds it
        #[arg(long, value_name = "KEY")]
        public: String,
        /// 原因 / reason: term-ended, moved, key-lost, key-compromised
        #[arg(long, value_parser = end_reason)]
        reason: EndReason,
        /// 自此日起（缺省为即刻）；此后由该密钥登记的人员亦不生效 / from the beginning of this day on, now when absent; whoever the key enrolled since is not enrolled either
        #[arg(long, value_parser = date, value_name = "DATE")]
        from: Option<Date>,
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
        .map_err(|error: statute::UnknownTerm| error.in_both())
}

pub(super) fn credit(text: &str) -> Result<CreditCode, String> {
    text.parse()
        .map_err(|error: identity::CreditCodeError| error.to_string())
}

fn end_reason(text: &str) -> Result<EndReason, String> {
    text.parse()
        .map_err(|error: statute::UnknownTerm| error.in_both())
}

pub(super) fn reason(text: &str) -> Result<RevocationReason, String> {
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
        EnrollCommand::Renew {
            new_keys,
            authority_head,
        } => super::init::renew(global, new_keys, authority_head.as_deref(), output),
        EnrollCommand::Revoke {
            child,
            serial,
            reason,
        } => {
            let serial = match serial {
                Some(serial) => serial,
                None => newest_serial(&Client::of(global, output.language())?, child)?,
            };
            let body = ActBody::RevokeMember {
                node: child,
                serial,
                reason,
            };
            carry_out(global, output, body).map(drop)
        }
        EnrollCommand::PersonEnd {
            public,
            reason,
            from,
        } => {
            let ending = Ending {
                reason,
                at: from.map_or_else(now, start_of),
            };
            let person = public_key(&public)?;
            let body = ActBody::Node(NodeAct::EndEnrolment { person, ending });
            carry_out(global, output, body).map(drop)
        }
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
    let body = ActBody::CertifyMember {
        request: file.request,
        witnesses,
        valid_days,
    };
    // A certificate that was signed and cannot be written down would be lost to the child.
    let made = global.prepare.is_none() && can_be_written(out)?;
    let answer = carry_out(global, output, body).inspect_err(|_| {
        if made {
            let _ = std::fs::remove_file(out);
        }
    })?;
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

/// Opens a file for writing without changing it. Whether it was made by that.
fn can_be_written(path: &Path) -> Result<bool, CliError> {
    let new = !path.exists();
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| CliError::file(path, error))?;
    Ok(new)
}

/// The serial of the certificate a node has now.
pub(super) fn newest_serial(client: &Client, child: Code) -> Result<u64, CliError> {
    #[derive(serde::Deserialize)]
    struct Known {
        chain: identity::Chain,
    }
    let known: Known = client.get(&format!("/chain/{child}"))?;
    let certificate = known
        .chain
        .claimed()
        .map_err(|error| CliError::of_both(Exit::Fault, &error))?;
    Ok(certificate.serial)
}

/// The chain is this node's: of its signing key and code, under its root.
fn check_chain(dir: &Path, chain: &identity::Chain) -> Result<(), CliError> {
    let wrong = |zh: String, en: String| {
        CliError::usage(zh, en).advise(
            "核对证书链文件与 --data 是否属于同一节点",
            "see that the chain and --data are of one node",
        )
    };
    let signing = SigningKey::from_seed(read_seed(&dir.join(KEYS_DIR).join("signing.key"))?);
    let certificate = chain
        .claimed()
        .map_err(|error| wrong(error.to_string(), error.to_string()))?;
    let code = certificate.code();
    if certificate.signing_key != signing.verify_key() {
        return Err(wrong(
            format!(
                "证书链（{code} {}）载明的签名公钥不是本节点的",
                certificate.name
            ),
            format!(
                "the chain (of {code} {}) names another signing key than this node's",
                certificate.name
            ),
        ));
    }
    let request = dir.join(REQUEST_FILE);
    if request.exists() {
        let asked = read_request(&request)?.says.code;
        if asked != code {
            return Err(wrong(
                format!("证书链是 {code} 的，本节点是 {asked}"),
                format!("the chain is that of {code}, this node is {asked}"),
            ));
        }
    }
    let root = public_key(&dir.join(ROOT_FILE).display().to_string())?;
    chain
        .verify_historic(&root, now())
        .map(drop)
        .map_err(|error| {
            CliError::new(
                Exit::NotAuthorised,
                format!("证书链不成立：{error}"),
                format!("the chain does not hold: {error}"),
            )
            .advise(
                "核对 root.pub 与证书链的有效期",
                "check root.pub and the chain's term",
            )
        })
}

/// Through the API of the running node, and into its folder when the node has taken it, or does not run and will at its next start.
fn install(global: &Global, output: &Output, path: &Path) -> Result<(), CliError> {
    let chain = read_chain(path)?;
    if let Some(dir) = &global.data {
        check_folder(dir)?;
        check_chain(dir, &chain)?;
    }
    let bytes = to_base64(&identity::codec::encode(&chain));
    let keep = || match &global.data {
        Some(dir) => write_json(&dir.join(CHAIN_FILE), &ChainFile { chain }),
        None => Ok(()),
    };
    let answer = Client::of(global, output.language()).and_then(|client| {
        client.post::<federation::core::Answer>("/install", &InstallRequest { bytes })
    });
    match answer {
        Ok(answer) => {
            keep()?;
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
        Err(error) if error.exit == Exit::Unreachable && global.data.is_some() => {
            keep()?;
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
    send(&client, output, (&act, &[]), signer)?;
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
    fn an_output_file_is_opened_before_anything_is_signed_and_not_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let error = can_be_written(&folder.path().join("none/x")).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        let path = folder.path().join("chain.json");
        assert_eq!(can_be_written(&path), Ok(true));
        std::fs::write(&path, "kept").unwrap();
        assert_eq!(can_be_written(&path), Ok(false));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept");
    }

    #[test]
    fn reasons_and_roles_are_read_by_their_ids() {
        assert_eq!(reason("dissolved"), Ok(RevocationReason::Dissolved));
        assert!(reason("x").is_err());
        assert_eq!(end_reason("key-lost"), Ok(EndReason::KeyLost));
        assert!(end_reason("lost").is_err());
        assert_eq!(role("部门负责人"), Ok(Role::DepartmentHead));
    }
}
