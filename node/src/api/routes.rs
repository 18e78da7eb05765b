//! The table of routes: one line each, from which both the router and the OpenAPI document are made.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{MethodRouter, get, post, put};

use super::guard::{guard, in_time};
use super::problem::{self, Problem};
use super::{
    Api, Role, acts, aggregation, browser, catalogue, dockets, evaluation, flow, keeping, metrics,
    node, objects, openapi, private, services, sources,
};
use crate::public::{catalogue as open, intake, limits};

/// Most bytes of a body where a route does not say otherwise.
pub const MAX_BODY: usize = 64 << 10;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone who reaches the port; nothing is written and nothing personal is read.
    Open,
    /// Anyone, within the limits of [`crate::public::limits`]: what is opened to the public is read, and what the public asks is taken. What
    /// somebody asked is read with the secret of its receipt alone.
    Public,
    /// A token of at least this role.
    Token(Role),
}

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
}

/// What a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRule {
    /// None.
    None,
    /// JSON of a named schema, at most so many bytes.
    Json(&'static str, usize),
    /// Raw bytes, streamed, counted by whoever takes them.
    Stream,
}

/// What is written down of a route.
#[derive(Debug, Clone, Copy)]
pub struct RouteInfo {
    /// Method.
    pub method: Method,
    /// Path with `{parameters}`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What it is for, in Chinese.
    pub zh: &'static str,
    /// What it is for, in English.
    pub en: &'static str,
    /// Query parameters: name and whether required.
    pub query: &'static [(&'static str, bool)],
    /// Body.
    pub body: BodyRule,
}

struct Route {
    info: RouteInfo,
    handler: MethodRouter<Api>,
}

const PAGED: &[(&str, bool)] = &[("after", false), ("limit", false)];
const LIMITED: &[(&str, bool)] = &[("limit", false)];
const OPEN: Access = Access::Open;
const PUBLIC: Access = Access::Public;
const VIEWER: Access = Access::Token(Role::Viewer);
const OPERATOR: Access = Access::Token(Role::Operator);
const ADMIN: Access = Access::Token(Role::Admin);

fn read(
    path: &'static str,
    access: Access,
    zh: &'static str,
    en: &'static str,
    handler: MethodRouter<Api>,
) -> Route {
    Route {
        info: RouteInfo {
            method: Method::Get,
            path,
            access,
            zh,
            en,
            query: &[],
            body: BodyRule::None,
        },
        handler,
    }
}

impl Route {
    fn query(mut self, query: &'static [(&'static str, bool)]) -> Self {
        self.info.query = query;
        self
    }

    fn takes(mut self, method: Method, body: BodyRule) -> Self {
        self.info.method = method;
        self.info.body = body;
        self
    }
}

fn routes() -> Vec<Route> {
    let mut routes = node_routes();
    routes.extend(act_routes());
    routes.extend(catalogue_routes());
    routes.extend(docket_routes());
    routes.extend(public_routes());
    routes
}

fn node_routes() -> Vec<Route> {
    vec![
        read("/healthz", OPEN, "存活", "Liveness", get(node::healthz)),
        read(
            "/readyz",
            OPEN,
            "就绪：存储可用且证书有效",
            "Readiness: the store answers and the certificate is valid",
            get(node::readyz),
        ),
        read(
            "/metrics",
            OPEN,
            "运行指标",
            "Metrics in the OpenMetrics text format",
            get(metrics::metrics),
        ),
        read(
            "/api/v1/openapi.json",
            OPEN,
            "本接口的说明",
            "This document",
            get(openapi::document),
        ),
        read(
            "/api/v1/node",
            VIEWER,
            "本节点",
            "This node",
            get(node::node),
        ),
        read(
            "/api/v1/keeping",
            VIEWER,
            "账本的保管：已落盘到第几批、托管、恢复后的比对",
            "How the ledger is kept: durable up to which batch, escrow, comparison after a restore",
            get(keeping::keeping),
        ),
        read(
            "/api/v1/links",
            VIEWER,
            "与上下级的连接",
            "Links to parent and children",
            get(node::links),
        ),
        read(
            "/api/v1/health",
            VIEWER,
            "下辖各节点的健康状况",
            "Health of the subtree",
            get(node::health),
        ),
        read(
            "/api/v1/chain",
            VIEWER,
            "本节点的证书链",
            "This node's membership chain",
            get(node::own_chain),
        ),
        read(
            "/api/v1/chain/{code}",
            VIEWER,
            "其他节点的证书链",
            "Another node's membership chain as known here",
            get(node::chain),
        ),
        read(
            "/api/v1/install",
            ADMIN,
            "装入成员证书链",
            "Install this node's membership chain",
            post(acts::install),
        )
        .takes(Method::Post, BodyRule::Json("InstallRequest", MAX_BODY)),
    ]
}

fn act_routes() -> Vec<Route> {
    vec![
        read(
            "/api/v1/acts",
            OPERATOR,
            "提交人员签名的行为",
            "Send an act signed by a person",
            post(acts::submit),
        )
        .takes(
            Method::Post,
            BodyRule::Json("ActRequest", acts::MAX_ACT_BODY),
        ),
        read(
            "/api/v1/acts/prepare",
            VIEWER,
            "拟制待签文书",
            "Prepare a document to be signed on the person's side",
            post(acts::prepare),
        )
        .takes(
            Method::Post,
            BodyRule::Json("PrepareRequest", acts::MAX_ACT_BODY),
        ),
        read(
            "/api/v1/objects",
            OPERATOR,
            "存入文件",
            "Store an object",
            put(objects::put),
        )
        .query(&[("name", true)])
        .takes(Method::Put, BodyRule::Stream),
        read(
            "/api/v1/objects/{digest}",
            OPERATOR,
            "取出文件",
            "Fetch an object",
            get(objects::get),
        ),
        read(
            "/api/v1/return-flow/parts",
            VIEWER,
            "收到的回流数据",
            "Parts of return flow known here",
            get(flow::parts),
        )
        .query(LIMITED),
        read(
            "/api/v1/services/{docket}/",
            OPERATOR,
            "调用已获同意的服务接口的基地址",
            "Call a granted service interface at its base",
            get(services::get),
        ),
        read(
            "/api/v1/services/{docket}/",
            OPERATOR,
            "以请求体调用已获同意的服务接口的基地址",
            "Call a granted service interface at its base with a body",
            post(services::post),
        )
        .takes(Method::Post, BodyRule::Stream),
        read(
            "/api/v1/services/{docket}/{*path}",
            OPERATOR,
            "调用已获同意的服务接口",
            "Call a granted service interface",
            get(services::get),
        ),
        read(
            "/api/v1/services/{docket}/{*path}",
            OPERATOR,
            "以请求体调用已获同意的服务接口",
            "Call a granted service interface with a body",
            post(services::post),
        )
        .takes(Method::Post, BodyRule::Stream),
    ]
}

fn catalogue_routes() -> Vec<Route> {
    vec![
        read(
            "/api/v1/catalogue/own",
            VIEWER,
            "本节点的目录条目",
            "Own entries in any state",
            get(catalogue::own),
        )
        .query(PAGED),
        read(
            "/api/v1/catalogue/own/{id}",
            VIEWER,
            "本节点的一个目录条目",
            "One own entry",
            get(catalogue::own_entry),
        ),
        read(
            "/api/v1/catalogue/published",
            VIEWER,
            "已发布的目录",
            "Published entries of every known publisher",
            get(catalogue::published),
        )
        .query(&[
            ("publisher", false),
            ("collection", false),
            ("after", false),
            ("limit", false),
        ]),
        read(
            "/api/v1/catalogue/published/{publisher}/{id}",
            VIEWER,
            "一个已发布的条目",
            "One published entry",
            get(catalogue::published_entry),
        ),
        read(
            "/api/v1/catalogue/published/{publisher}/{id}/versions",
            VIEWER,
            "一个条目的各版本及其变化",
            "The published versions of an entry and what each changed",
            get(catalogue::versions),
        )
        .query(&[("after", false)]),
        read(
            "/api/v1/catalogue/publishers",
            VIEWER,
            "已知的发布节点",
            "Publishers known here, each as of when",
            get(catalogue::publishers),
        ),
        read(
            "/api/v1/catalogue/search",
            VIEWER,
            "检索：本级与各上级",
            "Search here and at every level above",
            get(catalogue::search),
        )
        .query(&[("q", true), ("limit", false), ("wait_ms", false)]),
        read(
            "/api/v1/catalogue/sources",
            VIEWER,
            "数源部门",
            "Source departments named",
            get(sources::sources),
        )
        .query(&[("matter", false)]),
        read(
            "/api/v1/catalogue/already",
            VIEWER,
            "拟收集的数据是否已可共享",
            "Whether what a department wants to collect is shared already, here and at every level above",
            get(sources::already),
        )
        .query(&[
            ("items", true),
            ("matter", false),
            ("limit", false),
            ("wait_ms", false),
        ]),
    ]
}

fn docket_routes() -> Vec<Route> {
    vec![
        read(
            "/api/v1/drafts",
            VIEWER,
            "待负责人同意的申请",
            "Applications that await consent",
            get(dockets::drafts),
        )
        .query(LIMITED),
        read(
            "/api/v1/dockets",
            VIEWER,
            "案卷",
            "Dockets known here",
            get(dockets::dockets),
        )
        .query(PAGED),
        read(
            "/api/v1/dockets/{id}/private",
            OPERATOR,
            "案卷中的个人内容",
            "The personal content of a docket",
            get(private::of_docket),
        ),
        read(
            "/api/v1/dockets/{id}",
            VIEWER,
            "一个案卷及其全部事项",
            "One docket with its events",
            get(dockets::docket),
        ),
        read(
            "/api/v1/duties",
            VIEWER,
            "限期义务",
            "Duties with a time limit",
            get(dockets::duties),
        )
        .query(LIMITED),
        read(
            "/api/v1/aggregation",
            VIEWER,
            "汇聚、关联的风险",
            "What departments here could join from all their grants",
            get(aggregation::risks),
        )
        .query(&[("department", false)]),
        read(
            "/api/v1/evaluation",
            VIEWER,
            "一个期间的共享评估",
            "How departments shared in a period",
            get(evaluation::evaluation),
        )
        .query(&[("period", true)]),
        read(
            "/api/v1/evaluations",
            VIEWER,
            "评估报告",
            "The reports on how departments shared that are known here",
            get(evaluation::reports),
        )
        .query(&[("period", false)]),
        read(
            "/api/v1/findings",
            VIEWER,
            "须知事项",
            "What the operator must know, newest first",
            get(dockets::findings),
        )
        .query(PAGED),
        read(
            "/api/v1/readings",
            VIEWER,
            "查阅记录：何人何时查阅了何内容",
            "Who read what is held here, and when, newest first",
            get(dockets::readings),
        )
        .query(PAGED),
        read(
            "/api/v1/calendar",
            VIEWER,
            "节假日安排通知",
            "Holiday notices in force here, by year",
            get(node::calendar),
        ),
        read(
            "/api/v1/people",
            VIEWER,
            "登记的人员",
            "People enrolled here",
            get(dockets::people),
        )
        .query(LIMITED),
        read(
            "/api/v1/people/chain/{key}",
            VIEWER,
            "一名人员的证书链",
            "One person's chain by key",
            get(dockets::person_chain),
        ),
        read(
            "/api/v1/evidence/dockets/{docket}",
            VIEWER,
            "一个案卷的证据",
            "Evidence of a docket, for offline verification",
            get(dockets::docket_evidence),
        ),
        read(
            "/api/v1/evidence/ledger/{index}",
            VIEWER,
            "一条账本记录的证据",
            "Evidence of one ledger record, for offline verification",
            get(dockets::ledger_evidence),
        ),
        read(
            "/api/v1/ledger",
            VIEWER,
            "账本记录",
            "Ledger records",
            get(dockets::ledger),
        )
        .query(PAGED),
    ]
}

fn public_routes() -> Vec<Route> {
    vec![
        read(
            "/open/v1/catalogue",
            PUBLIC,
            "开放目录",
            "The opening catalogue",
            get(open::list),
        )
        .query(PAGED),
        read(
            "/open/v1/catalogue/{id}",
            PUBLIC,
            "开放目录的一个条目",
            "One entry of the opening catalogue",
            get(open::one),
        ),
        read(
            "/open/v1/catalogue/{id}/{format}",
            PUBLIC,
            "无条件开放的数据文件",
            "A file that is open to everyone",
            get(open::file),
        ),
        read(
            "/open/v1/applications",
            PUBLIC,
            "申请开放数据",
            "Apply for the opening of data",
            post(intake::apply),
        )
        .takes(
            Method::Post,
            BodyRule::Json("OpenApplication", intake::MAX_PUBLIC_BODY),
        ),
        read(
            "/open/v1/applications/{receipt}",
            PUBLIC,
            "凭回执码查询开放申请",
            "How an application stands, by its receipt",
            get(intake::application),
        ),
        read(
            "/open/v1/applications/{receipt}/file",
            PUBLIC,
            "凭回执码获取开放的文件",
            "The file that was opened, by the receipt",
            get(intake::application_file),
        ),
        read(
            "/open/v1/complaints",
            PUBLIC,
            "投诉举报",
            "Complain of an infringement in the sharing of government data",
            post(intake::complain),
        )
        .takes(
            Method::Post,
            BodyRule::Json("Complaint", intake::MAX_PUBLIC_BODY),
        ),
        read(
            "/open/v1/complaints/{receipt}",
            PUBLIC,
            "凭回执码查询投诉举报",
            "How a complaint stands, by its receipt",
            get(intake::complaint),
        ),
    ]
}

/// What is written down of every route of the API.
pub fn table() -> Vec<RouteInfo> {
    routes().into_iter().map(|route| route.info).collect()
}

/// The API and the console as one service.
pub fn router(api: Api) -> Router {
    let router = routed(&api, routes()).merge(crate::console::router(&api));
    finished(api, router)
}

/// What the public may reach, as a service of its own: nothing of the operators' is in it.
pub fn public_router(api: Api) -> Router {
    let router = routed(&api, public_routes());
    finished(api, router)
}

fn finished(api: Api, router: Router<Api>) -> Router {
    router
        .merge(crate::public::pages(&api))
        .fallback(|| async { Problem::not_found("没有这个路径", "there is no such route") })
        .with_state(api)
        .layer(middleware::from_fn(browser::refuse_elsewhere))
        .layer(middleware::from_fn(problem::negotiate))
        .layer(middleware::from_fn(browser::harden))
}

fn routed(api: &Api, routes: Vec<Route>) -> Router<Api> {
    let mut router = Router::new();
    for route in routes {
        let limit = match route.info.body {
            BodyRule::None => DefaultBodyLimit::max(MAX_BODY),
            BodyRule::Json(_, max) => DefaultBodyLimit::max(max),
            BodyRule::Stream => DefaultBodyLimit::disable(),
        };
        let mut handler = route.handler.layer(limit);
        if route.info.body != BodyRule::Stream {
            handler = handler.layer(middleware::from_fn(in_time));
        }
        // The guard is the outermost layer: nobody without the role, and nobody who asks too much, makes the node read a body.
        handler = match route.info.access {
            Access::Open => handler,
            Access::Public => {
                handler.layer(middleware::from_fn_with_state(api.clone(), limits::limit))
            }
            Access::Token(role) => {
                handler.layer(middleware::from_fn_with_state((api.clone(), role), guard))
            }
        };
        router = router.route(route.info.path, handler);
    }
    router
}
