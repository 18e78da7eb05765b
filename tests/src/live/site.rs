//! One node of the live federation: its keys, its folder, and the running node with its API in front.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use federation::core::Me;
use identity::{Code, EnrolmentRequest, Level, Moment, Path, Signed};
use node::api::{Role, Tokens, router, serve};
use node::config::NodeConfig;
use node::runtime::clock::Clock;
use node::runtime::{Handle, NodeKeys};
use node::transport::transport_public;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::api::ApiClient;
use crate::cast::key;
use crate::membership;

/// Milliseconds of real time between ticks: the nodes see a clock that was set at once, this is for what they do at their own pace.
const TICK_MS: u64 = 100;

/// A node's place, keys and folder, whether it runs or not.
pub(super) struct Site {
    pub(super) place: Path,
    keys: NodeKeys,
    config: NodeConfig,
    tokens: Tokens,
    token: String,
    viewer: String,
    running: Option<Running>,
}

struct Running {
    handle: Handle,
    address: SocketAddr,
    api: ApiClient,
    server: JoinHandle<()>,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site")
            .field("place", &self.place)
            .field("running", &self.is_running())
            .finish_non_exhaustive()
    }
}

impl Site {
    /// A node that links to `parent` and has its data in `folder`.
    pub(super) fn new(place: Path, me: Me, folder: PathBuf, parent: Option<&Site>) -> Self {
        let code = place.code();
        let mut config = NodeConfig::in_dir(folder);
        config.link.parent = parent.map(|parent| parent.handle().addresses().remove(0));
        config.timing.tick_ms = TICK_MS;
        let keys = NodeKeys {
            me,
            transport_seed: key(&format!("transport {code}")).to_seed(),
        };
        let mut tokens = Tokens::default();
        let token = tokens.add(Role::Admin, key(&format!("token {code}")).to_seed(), "test");
        let seed = key(&format!("viewer {code}")).to_seed();
        let viewer = tokens.add(Role::Viewer, seed, "test");
        Self {
            place,
            keys,
            config,
            tokens,
            token,
            viewer,
            running: None,
        }
    }

    pub(super) fn code(&self) -> Code {
        self.place.code()
    }

    /// What the node asks its parent to certify.
    pub(super) fn request(
        &self,
        name: &str,
        level: Level,
        now: Moment,
    ) -> Signed<EnrolmentRequest> {
        let transport_key = transport_public(self.keys.transport_seed).expect("a transport key");
        membership::request(
            &self.keys.me,
            (self.code(), name, level),
            transport_key,
            now,
        )
    }

    /// Starts node and API, as `guantong run` does.
    pub(super) async fn run(&mut self, clock: Clock) {
        let code = self.code();
        let listener = TcpListener::bind(self.config.http.listen)
            .await
            .unwrap_or_else(|error| panic!("{code}: no port for its API: {error}"));
        let address = listener.local_addr().expect("a bound listener");
        let handle = node::runtime::start(&self.config, self.keys.clone(), clock)
            .await
            .unwrap_or_else(|error| panic!("{code} does not start: {error}"));
        // Children find it where it was.
        self.config.link.listen = handle.addresses().remove(0);
        let api = node::api::Api::new(Arc::new(handle.clone()), self.tokens.clone());
        let stopping = handle.clone();
        let server = tokio::spawn(async move {
            serve(
                listener,
                router(api),
                async move { stopping.stopped().await },
            )
            .await;
        });
        self.running = Some(Running {
            handle,
            address,
            api: ApiClient::new(address, &self.token),
            server,
        });
    }

    /// Stops node and API; nothing of them is left but the folder.
    pub(super) async fn stop(&mut self) {
        if let Some(Running {
            handle,
            api,
            server,
            ..
        }) = self.running.take()
        {
            // Its kept connections would be waited for.
            drop(api);
            handle.shutdown().await;
            server.await.expect("the API ends");
        }
    }

    pub(super) fn config_mut(&mut self) -> &mut NodeConfig {
        &mut self.config
    }

    /// Where the API is served, and a token for it.
    pub(super) fn address_and_token(&self) -> (SocketAddr, &str) {
        (self.running().address, &self.token)
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    fn running(&self) -> &Running {
        let running = self.running.as_ref();
        running.unwrap_or_else(|| panic!("{} does not run", self.place))
    }

    /// The running node.
    pub(super) fn handle(&self) -> &Handle {
        &self.running().handle
    }

    /// The token of whoever may only look.
    pub(super) fn viewer(&self) -> &str {
        &self.viewer
    }

    /// The running node's API.
    pub(super) fn api(&self) -> &ApiClient {
        &self.running().api
    }
}
