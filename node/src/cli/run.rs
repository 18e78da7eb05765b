//! Running a node until it is told to stop.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use federation::core::{Me, query};
use identity::{OpeningKey, SigningKey};
use statute::Calendar;
use tokio::net::TcpListener;

use super::args::read_text;
use super::error::{CliError, Exit};
use super::init::{
    ADDRESS_FILE, CHAIN_FILE, KEYS_DIR, NODE_FILE, ROOT_FILE, SEALING_PREFIX, read_chain, read_seed,
};
use super::profile::profile;
use super::store::{key_error, store_error};
use super::{Global, Output};
use crate::api::{Api, Tokens, public_router, router, serve};
use crate::config::{LogFormat, NodeConfig};
use crate::language::Text;
use crate::runtime::clock::Clock;
use crate::runtime::{self, Handle, NodeKeys, StartError};
use crate::storage::lock::DataLock;
use crate::storage::store::StoreError;

/// Threads of the network's runtime: a node mostly waits, and each thread costs memory.
const WORKER_THREADS: usize = 2;
/// Threads for reads of the store and for files.
const BLOCKING_THREADS: usize = 16;
/// Most sealing keys in a folder: one a year, and room.
const MAX_SEALING_KEYS: usize = 64;

/// `guantong run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// 配置文件；缺省为 --data DIR 下的 node.toml / the configuration; node.toml of --data DIR when absent
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// 覆盖配置项，如 http.listen=127.0.0.1:7180 / sets a key of the configuration
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| format!("{text} 应写作 KEY=VALUE / is written KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) fn run(global: &Global, args: RunArgs, output: &Output) -> Result<(), CliError> {
    let config = configuration(global, &args)?;
    log(&config, output);
    let keys = keys(&config)?;
    let tokens = Tokens::load(&config.data_dir).map_err(|error| {
        CliError::of_both(Exit::Fault, &error).advise(
            "tokens.toml 由 guantong init 生成",
            "tokens.toml is made by guantong init",
        )
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
        .map_err(|error| {
            CliError::fault(
                format!("无法启动运行时：{error}"),
                format!("cannot start: {error}"),
            )
        })?;
    runtime.block_on(node(&config, keys, tokens, output))
}

pub(super) fn configuration(global: &Global, args: &RunArgs) -> Result<NodeConfig, CliError> {
    let file = match (&args.config, &global.data) {
        (Some(file), _) => Some(file.clone()),
        (None, Some(data)) => Some(data.join(NODE_FILE)),
        (None, None) => None,
    };
    let mut flags: Vec<(&str, String)> = args
        .settings
        .iter()
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect();
    if let Some(data) = &global.data {
        flags.push(("data_dir", data.display().to_string()));
    }
    NodeConfig::load(file.as_deref(), &flags).map_err(|error| {
        CliError::of_both(Exit::Usage, &error).advise(
            "按所指的键改正 node.toml、环境变量 GUANTONG__… 或 --set",
            "correct the named key in node.toml, GUANTONG__… or --set",
        )
    })
}

fn log(config: &NodeConfig, output: &Output) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&config.log.filter).unwrap_or_else(|error| {
        output.note(
            &format!("log.filter 有误，改用 info：{error}"),
            &format!("log.filter is wrong, info is used: {error}"),
        );
        EnvFilter::new("info")
    });
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second subscriber in one process is refused; the first goes on.
    let _ = match config.log.format {
        LogFormat::Text => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

fn keys(config: &NodeConfig) -> Result<NodeKeys, CliError> {
    let folder = config.data_dir.join(KEYS_DIR);
    let signing = SigningKey::from_seed(read_seed(&folder.join("signing.key"))?);
    let transport_seed = read_seed(&folder.join("transport.key"))?;
    let root = read_text(&config.data_dir.join(ROOT_FILE))?;
    let root = root.trim().parse().map_err(|error: identity::KeyError| {
        CliError::fault(
            format!("{ROOT_FILE}：{error}"),
            format!("{ROOT_FILE}: {error}"),
        )
    })?;
    let profile = profile(&config.profile)?;
    let me = Me {
        signing,
        opening: opening_keys(&folder)?,
        root,
        software: concat!("guantong/", env!("CARGO_PKG_VERSION")).to_owned(),
        calendar: Calendar::national(),
        profile,
    };
    Ok(NodeKeys { me, transport_seed })
}

/// All sealing keys of the folder, the newest first.
fn opening_keys(folder: &Path) -> Result<Vec<OpeningKey>, CliError> {
    let unreadable = |error: std::io::Error| {
        CliError::fault(
            format!("无法读取密钥目录 {}：{error}", folder.display()),
            format!("cannot read the keys in {}: {error}", folder.display()),
        )
        .advise(
            "用 guantong init 建立节点，或核对目录权限",
            "make the node with guantong init, or check who may read the folder",
        )
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)
        .map_err(unreadable)?
        .take(MAX_SEALING_KEYS)
    {
        let path = entry.map_err(unreadable)?.path();
        let id = path.file_name().and_then(|name| {
            name.to_str()?
                .strip_prefix(SEALING_PREFIX)?
                .strip_suffix(".key")?
                .parse::<u32>()
                .ok()
        });
        if let Some(id) = id {
            found.push((id, OpeningKey::from_seed(id, read_seed(&path)?)));
        }
    }
    found.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    if found.is_empty() {
        return Err(CliError::fault(
            format!("{} 中没有 {SEALING_PREFIX}*.key", folder.display()),
            format!("there is no {SEALING_PREFIX}*.key in {}", folder.display()),
        ));
    }
    Ok(found.into_iter().map(|(_, key)| key).collect())
}

async fn node(
    config: &NodeConfig,
    keys: NodeKeys,
    tokens: Tokens,
    output: &Output,
) -> Result<(), CliError> {
    // Two processes on one folder would otherwise be told of the port alone. The store takes the lock again, for good.
    drop(
        DataLock::acquire(&config.data_dir)
            .map_err(|error| store_error(&StoreError::Lock(error)))?,
    );
    // The port first: a node that nobody can ask is not started at all.
    let listener = TcpListener::bind(config.http.listen)
        .await
        .map_err(|error| {
            CliError::fault(
                format!(
                    "无法监听 {}：{}",
                    config.http.listen,
                    Text::of_io(&error).zh
                ),
                format!("cannot listen on {}: {error}", config.http.listen),
            )
            .advise(
                "端口被占用时换一个 http.listen，或停止占用者",
                "if the port is in use, choose another http.listen or stop its user",
            )
        })?;
    let public = match config.public.listen {
        Some(address) => Some(public_listener(address).await?),
        None => None,
    };
    let handle = runtime::start(config, keys, Clock::system())
        .await
        .map_err(|error| start_error(&error))?;
    let address = listener
        .local_addr()
        .map_err(|error| CliError::of_both(Exit::Fault, &error))?;
    let address_file = config.data_dir.join(ADDRESS_FILE);
    fs::write(&address_file, format!("{address}\n"))
        .map_err(|error| CliError::file(&address_file, error))?;
    install_chain(config, &handle).await;
    announce(&handle, &address.to_string(), output);
    let api = Api::new(Arc::new(handle.clone()), tokens).behind(&config.public.proxies);
    if let Some(listener) = public {
        let (router, stopping) = (public_router(api.clone()), handle.clone());
        tokio::spawn(serve(
            listener,
            router,
            async move { stopping.stopped().await },
        ));
    }
    let stopping = handle.clone();
    let (told, by_itself) = tokio::sync::oneshot::channel();
    serve(listener, router(api), async move {
        let by_itself = tokio::select! {
            () = stopping.stopped() => true,
            _ = runtime::terminated() => false,
        };
        // The receiver waits below for as long as this runs.
        let _ = told.send(by_itself);
    })
    .await;
    handle.shutdown().await;
    // The address of a node that has stopped leads nowhere.
    let _ = fs::remove_file(&address_file);
    if by_itself.await.unwrap_or(true) {
        return Err(
            CliError::fault("节点因故障自行停止", "the node stopped by itself").advise(
                "查看日志中的原因；账本完好，可重新启动",
                "see the log for why; the ledger is whole, start it again",
            ),
        );
    }
    Ok(())
}

/// Where the public comes in: connections of their own, so that they take none from operators.
async fn public_listener(address: SocketAddr) -> Result<TcpListener, CliError> {
    TcpListener::bind(address).await.map_err(|error| {
        CliError::fault(
            format!(
                "无法监听 {address}（public.listen）：{}",
                Text::of_io(&error).zh
            ),
            format!("cannot listen on {address} (public.listen): {error}"),
        )
        .advise(
            "端口被占用时换一个 public.listen，或停止占用者",
            "if the port is in use, choose another public.listen or stop its user",
        )
    })
}

fn start_error(error: &StartError) -> CliError {
    match error {
        StartError::Store(error) => store_error(error),
        StartError::Key(error) => key_error(error),
        StartError::Transport(error) => CliError::of_both(Exit::Fault, &error).advise(
            "端口被占用时换一个 link.listen，或停止占用者",
            "if the port is in use, choose another link.listen or stop its user",
        ),
        StartError::Restoring(_) => CliError::of_both(Exit::Usage, error).advise(
            "再次运行同一 guantong restore 命令",
            "run the same guantong restore command again",
        ),
        StartError::Folder { .. } => CliError::of_both(Exit::Fault, error),
        StartError::Vault(reason) => {
            CliError::fault(format!("个人内容库不可用：{reason}"), error.to_string())
        }
        StartError::Thread(reason) => {
            let zh = format!("无法启动线程：{}", Text::of_io(reason).zh);
            CliError::fault(zh, error.to_string())
        }
        StartError::Fault(reason) => {
            CliError::fault(format!("数据表无法读取：{}", reason.0), error.to_string())
        }
    }
}

/// Installs the chain of the folder unless the node has it. A chain that is refused keeps nothing from running: the node says so.
async fn install_chain(config: &NodeConfig, handle: &Handle) {
    let path = config.data_dir.join(CHAIN_FILE);
    if !path.exists() {
        return;
    }
    match read_chain(&path) {
        Ok(chain) => match handle.install(chain).await {
            Ok(answer) if answer.repeated => {}
            Ok(_) => tracing::info!(path = %path.display(), "membership chain installed"),
            Err(refused) => {
                tracing::error!(%refused, path = %path.display(), "the membership chain was not installed")
            }
        },
        Err(error) => tracing::error!(error = %error.what.en, "the membership chain was not read"),
    }
}

/// Says where the node is, and whether it may sign.
fn announce(handle: &Handle, address: &str, output: &Output) {
    let links: Vec<String> = handle.addresses().iter().map(ToString::to_string).collect();
    let store = handle.store();
    match query::node(&*store) {
        Ok(view) => {
            match (&view.place, view.valid_until) {
                (None, _) => output.note(
                    "本节点尚未入网：接口可用，不签署任何事项",
                    "this node is not enrolled: the API answers, nothing is signed",
                ),
                (Some(place), Some(until)) if until <= handle.now() => output.note(
                    &format!("节点 {place} 的证书已于 {} 过期：可查询，不签署任何事项；请上级续签", crate::console::labels::time(until)),
                    &format!("the certificate of {place} expired on {}: the node answers and signs nothing; have the parent renew it", crate::console::labels::time(until)),
                ),
                (Some(place), _) => output.note(&format!("节点 {place} {} 已启动", view.name), &format!("node {place} {} runs", view.name)),
            }
            tracing::info!(http = address, links = ?links, place = ?view.place.map(|p| p.to_string()), "node runs");
        }
        Err(fault) => tracing::error!(%fault, "the store cannot be read"),
    }
    output.note(
        &format!("控制台与接口 http://{address}/"),
        &format!("console and API http://{address}/"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn a_wrong_key_of_the_configuration_is_wrong_use_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("node.toml");
        fs::write(&file, "data_dir = 'x'\n[http]\nlissten = '127.0.0.1:1'").unwrap();
        let args = RunArgs {
            config: Some(file),
            settings: vec![],
        };
        let error = configuration(&Global::default(), &args).unwrap_err();
        assert!(
            error.exit == super::super::Exit::Usage
                && error.text(Language::English).contains("lissten")
        );
    }

    #[test]
    fn a_folder_without_keys_is_one_clear_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = keys(&NodeConfig::in_dir(folder.path())).unwrap_err();
        assert!(error.text(Language::Chinese).contains("signing.key"));
        assert!(!error.what.zh.contains('\n') && error.what_to_do.is_some());
    }

    #[test]
    fn settings_are_written_with_an_equals_sign() {
        assert_eq!(
            setting("http.listen=1=2"),
            Ok(("http.listen".into(), "1=2".into()))
        );
        assert!(setting("http.listen").is_err());
    }
}
