//! A node's folder: how it is made and what stands where.
//!
//! ```text
//! DIR/node.toml                 configuration (`crate::config`)
//! DIR/root.pub                  the root's public key, `ed25519:…`, given at enrolment
//! DIR/keys/signing.key          64 hexadecimal digits: seed of the key that signs envelopes, events, segments, checkpoints
//! DIR/keys/transport.key        64 hexadecimal digits: seed of the transport identity (ed25519)
//! DIR/keys/sealing-<id>.key     64 hexadecimal digits: seed of sealing key <id>; the highest id is the current one, older ones open what
//!                               was sealed before, and are deleted when every such envelope has expired
//! DIR/tokens.toml               digests of the API's tokens with their roles: all that the node reads
//! DIR/tokens/<role>.token       the tokens themselves, for the operators; they may be carried away
//! DIR/enrolment-request.json    what the parent's authority is asked to certify (an [`EnrolmentFile`])
//! DIR/chain.json                the membership chain (a [`ChainFile`]), installed at the next start if it was not yet
//! DIR/http.addr                 where the API of the running node is
//! ```
//!
//! Everything under `keys/` and `tokens/` has mode 0600. The key of no person and of no root is ever in here.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use identity::{Chain, Code, EnrolmentRequest, Level, OpeningKey, Signed, SigningKey, VerifyKey};
use serde::{Deserialize, Serialize};

use super::args::{code, now, public_key, read_text, write};
use super::error::{CliError, Exit};
use super::store::store_error;
use super::{Global, Output};
use crate::api::{Role, Tokens, tokens};
use crate::person::random_bytes;
use crate::storage::lock::DataLock;
use crate::storage::store::StoreError;

/// Days for which a sealing key is used, a little longer than the 90 days for which a certificate stands; `guantong enroll renew` makes the next one.
const SEALING_DAYS: i64 = 100;
/// The same for the hub, whose certificate is signed once a year with the offline root key.
const HUB_SEALING_DAYS: i64 = 400;
/// Configuration.
pub const NODE_FILE: &str = "node.toml";
/// The root's public key.
pub const ROOT_FILE: &str = "root.pub";
/// The enrolment request.
pub const REQUEST_FILE: &str = "enrolment-request.json";
/// The membership chain.
pub const CHAIN_FILE: &str = "chain.json";
/// The running node's API address.
pub const ADDRESS_FILE: &str = "http.addr";
/// Folder of the keys.
pub const KEYS_DIR: &str = "keys";
/// Folder of the tokens' texts.
pub const TOKENS_DIR: &str = "tokens";
/// Ending of a sealing key's file.
pub const SEALING_PREFIX: &str = "sealing-";

/// `guantong init`: the folder is named by `--data`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// 节点代码：行政区划代码或部门标识 / division code or label of a body
    #[arg(long, value_parser = code)]
    pub code: Code,
    /// 节点名称 / the node's name
    #[arg(long)]
    pub name: String,
    /// 层级 / level: hub, ministry, province, prefecture, county
    #[arg(long, value_parser = level)]
    pub level: Level,
    /// 主管部门负责人的公钥或其文件 / public key of the authority's head, or a file that holds it
    #[arg(long, value_name = "PERSON.pub")]
    pub authority_head: String,
    /// 根公钥或其文件 / the root's public key, or a file that holds it
    #[arg(long, value_name = "ROOT.pub")]
    pub root: String,
    /// 上下级连接的监听地址 / where neighbours connect
    #[arg(
        long,
        default_value = "/ip4/0.0.0.0/tcp/7100",
        value_name = "MULTIADDR"
    )]
    pub link_listen: String,
    /// 上级节点的连接地址 / the parent's address
    #[arg(long, value_name = "MULTIADDR")]
    pub link_parent: Option<String>,
    /// 接口与控制台的监听地址 / where the API and the console are served
    #[arg(long, default_value = "127.0.0.1:7180", value_name = "ADDRESS")]
    pub http_listen: String,
}

/// An enrolment request as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentFile {
    /// What it says, for people; only `request` counts.
    pub says: EnrolmentRequest,
    /// The signed request.
    pub request: Signed<EnrolmentRequest>,
}

/// A membership chain as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainFile {
    /// The chain.
    pub chain: Chain,
}

pub(super) fn level(text: &str) -> Result<Level, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|_| {
        format!("{text} 不是层级 / is no level: hub, ministry, province, prefecture, county")
    })
}

#[derive(Serialize)]
struct Made {
    data: PathBuf,
    code: Code,
    signing_key: VerifyKey,
    request: PathBuf,
}

/// The folder that `--data` names.
pub(super) fn folder(global: &Global) -> Result<&Path, CliError> {
    global.data.as_deref().ok_or_else(|| {
        CliError::usage("没有指明数据目录", "no data folder is named")
            .advise("用 --data DIR 指明", "name it with --data DIR")
    })
}

pub(super) fn run(global: &Global, args: InitArgs, output: &Output) -> Result<(), CliError> {
    let dir = folder(global)?;
    if dir.join(KEYS_DIR).exists() || dir.join(NODE_FILE).exists() {
        return Err(CliError::usage(
            format!("{} 已是节点的数据目录，未改动", dir.display()),
            format!(
                "{} is a node's folder already; nothing was changed",
                dir.display()
            ),
        )
        .advise(
            "换一个目录；若确要重建，先移走原目录",
            "choose another folder; to begin anew, move the old one away",
        ));
    }
    check(&args)?;
    if args.level != Level::Hub && args.link_parent.is_none() {
        output.note(
            "注意：没有指明上级地址（--link-parent），节点不会连接上级；可稍后在 node.toml 的 link.parent 补上",
            "warning: no parent is named (--link-parent), so the node connects to none; link.parent in node.toml can be set later",
        );
    }
    let (head, root) = (public_key(&args.authority_head)?, public_key(&args.root)?);
    private_dir(&dir.join(KEYS_DIR))?;
    private_dir(&dir.join(TOKENS_DIR))?;
    let request = make_keys(dir, &args, head)?;
    make_tokens(dir)?;
    write(&dir.join(ROOT_FILE), format!("{root}\n").as_bytes())?;
    let request_path = dir.join(REQUEST_FILE);
    write_json(&request_path, &request)?;
    write(&dir.join(NODE_FILE), configuration(dir, &args)?.as_bytes())?;
    let made = Made {
        data: dir.to_owned(),
        code: args.code,
        signing_key: request.says.signing_key,
        request: request_path,
    };
    output.print(&made, |language| {
        format!(
            "{} {} {}\n{} {}\n{}",
            language.pick("已建立节点", "made the node"),
            args.code,
            args.name,
            language.pick("签名公钥", "signing key"),
            made.signing_key,
            language.pick(
                "下一步：把 enrolment-request.json 交上级主管部门核对签发，收到证书链后运行 guantong enroll install",
                "next: give enrolment-request.json to the parent's authority; when its chain comes, run guantong enroll install",
            ),
        )
    });
    Ok(())
}

/// Name, addresses, and a code that suits the level.
fn check(args: &InitArgs) -> Result<(), CliError> {
    if args.name.trim().is_empty() {
        return Err(CliError::usage("--name 为空", "--name is empty"));
    }
    let links = [
        ("--link-listen", Some(&args.link_listen)),
        ("--link-parent", args.link_parent.as_ref()),
    ];
    for (option, address) in links {
        let Some(address) = address else { continue };
        address.parse::<libp2p::Multiaddr>().map_err(|error| {
            CliError::usage(
                format!("{option} {address} 不是地址：{error}"),
                format!("{option} {address} is no address: {error}"),
            )
            .advise(
                "写作 /ip4/10.0.0.1/tcp/7100 或 /dns4/名称/tcp/7100",
                "write it as /ip4/10.0.0.1/tcp/7100 or /dns4/name/tcp/7100",
            )
        })?;
    }
    let http = &args.http_listen;
    http.parse::<std::net::SocketAddr>().map_err(|error| {
        CliError::usage(
            format!("--http-listen {http} 不是地址：{error}"),
            format!("--http-listen {http} is no address: {error}"),
        )
        .advise("写作 127.0.0.1:7180", "write it as 127.0.0.1:7180")
    })?;
    if suits(args.level, args.code) {
        return Ok(());
    }
    let (code, level) = (args.code, args.level);
    Err(CliError::usage(
        format!("代码 {code} 与层级 {level:?} 不符"),
        format!("the code {code} does not suit the level {level:?}"),
    )
    .advise(
        "国家枢纽为 100000，部门为标识，省为 440000 之类的区划代码",
        "the hub is 100000, a ministry has a label, a province a division code such as 440000",
    ))
}

/// Whether a code can be that of a node of this level, below whatever parent.
fn suits(level: Level, code: Code) -> bool {
    let below_hub = level.suits(code, Code::HUB);
    let province = code.is_division() && code.to_string().ends_with("0000");
    match level {
        Level::Hub | Level::Ministry => below_hub,
        // An office of a ministry has a label at every level.
        Level::Province => below_hub && province || code.is_label(),
        Level::Prefecture | Level::County => below_hub && !province,
    }
}

fn make_keys(dir: &Path, args: &InitArgs, head: VerifyKey) -> Result<EnrolmentFile, CliError> {
    let keys = dir.join(KEYS_DIR);
    let (signing_seed, transport_seed, sealing_seed): ([u8; 32], [u8; 32], [u8; 32]) =
        (random_bytes()?, random_bytes()?, random_bytes()?);
    let signing = SigningKey::from_seed(signing_seed);
    let created = now();
    for (name, seed) in [
        ("signing.key", signing_seed),
        ("transport.key", transport_seed),
        ("sealing-1.key", sealing_seed),
    ] {
        crate::person::write_private(
            &keys.join(name),
            format!("{}\n", hex::encode(seed)).as_bytes(),
        )?;
    }
    let says = EnrolmentRequest {
        code: args.code,
        name: args.name.clone(),
        level: args.level,
        signing_key: signing.verify_key(),
        transport_key: *SigningKey::from_seed(transport_seed)
            .verify_key()
            .as_bytes(),
        sealing_key: OpeningKey::from_seed(1, sealing_seed)
            .sealing_key(created.plus_days(sealing_days(args.level))),
        authority_head: head,
        created,
    };
    Ok(EnrolmentFile {
        request: says.sign(&signing),
        says,
    })
}

fn sealing_days(level: Level) -> i64 {
    if level == Level::Hub {
        HUB_SEALING_DAYS
    } else {
        SEALING_DAYS
    }
}

/// `guantong enroll renew`: the next sealing key and a new request with the node's own keys, or with other ones, as a successor's. The old sealing keys
/// stay, for what was sealed to them.
pub(super) fn renew(
    global: &Global,
    new_keys: bool,
    authority_head: Option<&str>,
    output: &Output,
) -> Result<(), CliError> {
    let dir = folder(global)?;
    let request_path = dir.join(REQUEST_FILE);
    let mut before = read_request(&request_path)?.says;
    if let Some(head) = authority_head {
        before.authority_head = public_key(head)?;
    }
    let mut signing = SigningKey::from_seed(read_seed(&dir.join(KEYS_DIR).join("signing.key"))?);
    // A running node would go on with the keys that it has read.
    let _stopped = new_keys
        .then(|| DataLock::acquire(dir))
        .transpose()
        .map_err(|error| store_error(&StoreError::Lock(error)))?;
    if new_keys {
        signing = SigningKey::from_seed(replace_seed(dir, "signing.key")?);
        let transport = SigningKey::from_seed(replace_seed(dir, "transport.key")?);
        before.signing_key = signing.verify_key();
        before.transport_key = *transport.verify_key().as_bytes();
    }
    if signing.verify_key() != before.signing_key {
        return Err(CliError::file(
            &request_path,
            "申请与本节点的签名密钥不符 / the request is not of this node's signing key",
        ));
    }
    let (id, seed): (u32, [u8; 32]) = (before.sealing_key.id + 1, random_bytes()?);
    crate::person::write_private(
        &dir.join(KEYS_DIR).join(format!("{SEALING_PREFIX}{id}.key")),
        format!("{}\n", hex::encode(seed)).as_bytes(),
    )?;
    let created = now();
    let says = EnrolmentRequest {
        sealing_key: OpeningKey::from_seed(id, seed)
            .sealing_key(created.plus_days(sealing_days(before.level))),
        created,
        ..before
    };
    let file = EnrolmentFile {
        request: says.sign(&signing),
        says,
    };
    write_json(&request_path, &file)?;
    let made = Made {
        data: dir.to_owned(),
        code: file.says.code,
        signing_key: file.says.signing_key,
        request: request_path,
    };
    output.print(&made, |language| {
        format!(
            "{} {SEALING_PREFIX}{id}\n{}",
            language.pick("已生成新的密封密钥", "made the next sealing key"),
            language.pick(
                "下一步：重启节点（使其持有新密钥），把 enrolment-request.json 交上级签发，再运行 guantong enroll install",
                "next: restart the node, so that it holds the new key; give enrolment-request.json to the parent's authority; then run guantong enroll install",
            ),
        )
    });
    Ok(())
}

/// Puts another seed in the place of a key; the one before stays beside it, for the operators to destroy.
fn replace_seed(dir: &Path, name: &str) -> Result<[u8; 32], CliError> {
    let seed: [u8; 32] = random_bytes()?;
    let path = dir.join(KEYS_DIR).join(name);
    let former = path.with_extension(format!("former-{}", now().as_millis()));
    fs::rename(&path, &former).map_err(|error| CliError::file(&path, error))?;
    crate::person::write_private(&path, format!("{}\n", hex::encode(seed)).as_bytes())?;
    Ok(seed)
}

fn make_tokens(dir: &Path) -> Result<(), CliError> {
    let mut made = Tokens::default();
    for role in Role::ALL {
        let text = made.add(role, random_bytes()?, "guantong init");
        let path = dir.join(TOKENS_DIR).join(format!("{}.token", role.id()));
        crate::person::write_private(&path, format!("{text}\n").as_bytes())?;
    }
    let path = dir.join(tokens::FILE);
    let text = toml::to_string(&made).map_err(|error| CliError::file(&path, error))?;
    Ok(crate::person::write_private(&path, text.as_bytes())?)
}

/// `node.toml`. Written by the TOML library, so that names and paths are quoted rightly.
fn configuration(dir: &Path, args: &InitArgs) -> Result<String, CliError> {
    let absolute = std::path::absolute(dir).map_err(|error| CliError::file(dir, error))?;
    let mut link = toml::Table::new();
    link.insert("listen".into(), args.link_listen.clone().into());
    if let Some(parent) = &args.link_parent {
        link.insert("parent".into(), parent.clone().into());
    }
    let mut http = toml::Table::new();
    http.insert("listen".into(), args.http_listen.clone().into());
    let mut table = toml::Table::new();
    table.insert("data_dir".into(), absolute.display().to_string().into());
    table.insert("link".into(), link.into());
    table.insert("http".into(), http.into());
    let text = toml::to_string(&table).map_err(|error| CliError::file(dir, error))?;
    Ok(format!(
        "# {} {}\n{text}",
        args.code,
        args.name.replace(char::is_control, " ")
    ))
}

/// A folder that only its owner enters.
fn private_dir(path: &Path) -> Result<(), CliError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| CliError::file(path, error))
}

pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::file(path, error))?;
    write(path, format!("{text}\n").as_bytes())
}

/// Reads a membership chain's file.
pub(super) fn read_chain(path: &Path) -> Result<Chain, CliError> {
    let text = read_text(path)?;
    serde_json::from_str::<ChainFile>(&text)
        .map(|file| file.chain)
        .map_err(|error| {
            CliError::file(path, error).advise(
                "应为 guantong enroll approve 或 root sign 生成的文件",
                "it should be a file made by guantong enroll approve or root sign",
            )
        })
}

/// Reads an enrolment request's file and verifies that it was signed with the key it names.
pub(super) fn read_request(path: &Path) -> Result<EnrolmentFile, CliError> {
    let text = read_text(path)?;
    let file: EnrolmentFile =
        serde_json::from_str(&text).map_err(|error| CliError::file(path, error))?;
    match EnrolmentRequest::verify(&file.request) {
        Ok(asked) if asked == file.says => Ok(file),
        Ok(_) => Err(CliError::file(
            path,
            "申请所示内容与签名内容不一致 / what it says differs from what was signed",
        )),
        Err(error) => Err(CliError::file(path, error)),
    }
}

/// The address of the running node of a folder. Where a stopped node would listen somebody else may, who is not to be given its token.
pub(super) fn address(dir: &Path) -> Result<String, CliError> {
    check_folder(dir)?;
    let running = fs::read_to_string(dir.join(ADDRESS_FILE)).unwrap_or_default();
    if !running.trim().is_empty() {
        return Ok(format!("http://{}", running.trim()));
    }
    Err(CliError::new(
        Exit::Unreachable,
        format!("节点未运行（{}）", dir.display()),
        format!("the node of {} does not run", dir.display()),
    )
    .advise(
        "用 guantong run --data DIR 启动，或用 --node、--token 指明另一节点",
        "start it with guantong run --data DIR, or name another node with --node and --token",
    ))
}

/// A folder that holds a node's configuration.
pub(super) fn check_folder(dir: &Path) -> Result<(), CliError> {
    if dir.join(NODE_FILE).is_file() {
        return Ok(());
    }
    Err(CliError::usage(
        format!("{} 不是节点的数据目录：没有 {NODE_FILE}", dir.display()),
        format!(
            "{} is no node's folder: it has no {NODE_FILE}",
            dir.display()
        ),
    )
    .advise(
        "核对 --data；新节点用 guantong init 建立",
        "check --data; a new node is made with guantong init",
    ))
}

/// The strongest token of a folder that this user may read.
pub(super) fn best_token(dir: &Path) -> Option<String> {
    Role::ALL.iter().rev().find_map(|role| {
        let text =
            fs::read_to_string(dir.join(TOKENS_DIR).join(format!("{}.token", role.id()))).ok()?;
        Some(text.trim().to_owned())
    })
}

/// A seed from a key file.
pub(super) fn read_seed(path: &Path) -> Result<[u8; 32], CliError> {
    let unreadable = |why: String| {
        CliError::fault(
            format!("无法读取密钥 {}：{why}", path.display()),
            format!("cannot read key {}: {why}", path.display()),
        )
        .advise(
            "密钥应为 64 位十六进制，属主可读（0600）",
            "a key is 64 hexadecimal digits, readable by its owner (0600)",
        )
    };
    let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let mode = fs::metadata(path)
        .map_err(|error| unreadable(error.to_string()))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(unreadable(format!(
            "权限 {:o} 过宽 / mode {:o} is too wide",
            mode & 0o777,
            mode & 0o777
        )));
    }
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim(), &mut seed).map_err(|error| unreadable(error.to_string()))?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    fn args() -> InitArgs {
        let key = SigningKey::from_seed([1; 32]).verify_key().to_string();
        InitArgs {
            code: "440106".parse().unwrap(),
            name: "天河区\n[http]".into(),
            level: Level::County,
            authority_head: key.clone(),
            root: key,
            link_listen: "/ip4/127.0.0.1/tcp/0".into(),
            link_parent: Some("/ip4/127.0.0.1/tcp/7100".into()),
            http_listen: "127.0.0.1:0".into(),
        }
    }

    #[test]
    fn a_node_is_made_with_private_keys_and_a_request_that_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let global = Global {
            data: Some(folder.path().join("n")),
            ..Global::default()
        };
        let output = Output::new(true, Language::Chinese);
        run(&global, args(), &output).unwrap();
        let dir = folder.path().join("n");
        for name in [
            "keys/signing.key",
            "keys/transport.key",
            "keys/sealing-1.key",
            "tokens/admin.token",
            "tokens.toml",
        ] {
            assert_eq!(
                fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777,
                0o600,
                "{name}"
            );
        }
        let request = read_request(&dir.join(REQUEST_FILE)).unwrap();
        let signing = SigningKey::from_seed(read_seed(&dir.join("keys/signing.key")).unwrap());
        assert_eq!(request.says.signing_key, signing.verify_key());
        let config = crate::config::NodeConfig::load(Some(&dir.join(NODE_FILE)), &[]).unwrap();
        assert!(config.link.parent.is_some());
        let tokens = Tokens::load(&dir).unwrap();
        assert_eq!(tokens.role(&best_token(&dir).unwrap()), Some(Role::Admin));
        let again = run(&global, args(), &output).unwrap_err();
        assert_eq!(again.exit, super::super::Exit::Usage);
    }

    #[test]
    fn a_name_address_or_code_that_cannot_be_makes_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let global = Global {
            data: Some(folder.path().join("n")),
            ..Global::default()
        };
        let output = Output::new(true, Language::Chinese);
        let wrong: [fn(&mut InitArgs); 5] = [
            |args| args.name = " ".into(),
            |args| args.link_listen = "0.0.0.0:7100".into(),
            |args| args.link_parent = Some("nowhere".into()),
            |args| args.http_listen = "localhost".into(),
            |args| args.level = Level::Province,
        ];
        for change in wrong {
            let mut args = args();
            change(&mut args);
            assert_eq!(run(&global, args, &output).unwrap_err().exit, Exit::Usage);
            assert!(!folder.path().join("n").exists());
        }
    }

    #[test]
    fn codes_suit_their_levels() {
        for (level, code, right) in [
            (Level::Hub, "100000", true),
            (Level::Ministry, "mca", true),
            (Level::Ministry, "440000", false),
            (Level::Province, "440000", true),
            (Level::County, "440106", true),
            (Level::County, "440000", false),
            (Level::Prefecture, "100000", false),
        ] {
            assert_eq!(suits(level, code.parse().unwrap()), right, "{code}");
        }
    }

    #[test]
    fn the_token_of_a_node_that_does_not_run_goes_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(address(folder.path()).unwrap_err().exit, Exit::Usage);
        fs::write(folder.path().join(NODE_FILE), "").unwrap();
        assert_eq!(address(folder.path()).unwrap_err().exit, Exit::Unreachable);
        fs::write(folder.path().join(ADDRESS_FILE), "127.0.0.1:9\n").unwrap();
        assert_eq!(address(folder.path()).unwrap(), "http://127.0.0.1:9");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        fs::write(&path, hex::encode([7; 32])).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read_seed(&path).unwrap_err().what.en.contains("too wide"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_seed(&path).unwrap(), [7; 32]);
    }
}
