//! Services: which may be called, and calling one through the node (R22).

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use federation::core::view::{DocketDetail, DocketView, NodeView};
use federation::service::CallTarget;
use identity::{Moment, Path};
use serde::Serialize;
use sharing::application::ApplicationState;
use sharing::docket::Case;
use statute::{GrantStanding, Method};

use super::args::DocketArg;
use super::client::{Client, ServiceCall};
use super::docket::dockets_where;
use super::error::CliError;
use super::output::columns;
use super::{Global, Output};
use crate::console::labels;

/// `guantong service`.
#[derive(Debug, clap::Subcommand)]
pub enum ServiceCommand {
    /// 列出可以调用的服务接口 / list the service interfaces that were granted
    List,
    /// 调用服务接口 / call a service interface
    Call(CallArgs),
}

/// One call.
#[derive(Debug, clap::Args)]
pub struct CallArgs {
    /// 获得权限的申请案卷 / docket of the application that was granted
    docket: DocketArg,
    /// 路径与查询，如 /people?id=1 / path and query
    #[arg(value_parser = target)]
    path: CallTarget,
    /// 使用目的；缺省为案卷中同意的目的 / the purpose; the granted one when absent
    #[arg(long)]
    purpose: Option<String>,
    /// 所需数据项；缺省为同意的全部 / the items wanted; all that are granted when absent
    #[arg(long = "field", value_name = "NAME")]
    fields: Vec<String>,
    /// 以 POST 发送此文件，“-”为标准输入 / sends this file with POST; "-" is standard input
    #[arg(long, value_name = "FILE")]
    post: Option<PathBuf>,
    /// 请求体的类型 / type of the body
    #[arg(long, default_value = "application/json", requires = "post")]
    content_type: String,
    /// 写入此文件，缺省为标准输出 / writes to this file, not to standard output
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    file: Option<PathBuf>,
}

fn target(text: &str) -> Result<CallTarget, String> {
    CallTarget::parse(text).map_err(|error| error.to_string())
}

pub(super) fn run(
    global: &Global,
    command: ServiceCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        ServiceCommand::List => list(global, output),
        ServiceCommand::Call(args) => call(global, args, output),
    }
}

/// A service as it is printed.
#[derive(Serialize)]
struct Granted {
    docket: String,
    entry: String,
    name: String,
    provider: String,
    purposes: Vec<String>,
    items: Vec<String>,
    standing: GrantStanding,
    until: Moment,
}

fn list(global: &Global, output: &Output) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let here = client.get::<NodeView>("/node")?.place;
    let dockets = dockets_where(&client, |docket| {
        matches!(docket.state.case, Case::Application(_))
    })?;
    let granted: Vec<Granted> = dockets
        .iter()
        .filter_map(|docket| granted(docket, here.as_ref()?))
        .collect();
    let value = serde_json::json!({ "items": granted, "next": null });
    output.print(&value, |language| {
        if granted.is_empty() {
            let none = language.pick("没有可以调用的服务接口", "no service interface was granted");
            return none.to_owned();
        }
        let row = |it: &Granted| {
            vec![
                it.docket.chars().take(8).collect(),
                it.name.clone(),
                it.provider.clone(),
                it.purposes.join("、"),
                it.items.join("、"),
                language.pick(it.standing.zh(), it.standing.en()).to_owned(),
                labels::time(it.until),
            ]
        };
        columns(&granted.iter().map(row).collect::<Vec<_>>())
    });
    Ok(())
}

/// The service that a docket gives a department of this node, if it does.
fn granted(docket: &DocketView, here: &Path) -> Option<Granted> {
    let state = application(docket)?;
    let terms = state.held()?;
    (terms.method == Method::ServiceInterface && state.requester.node == *here).then(|| Granted {
        docket: docket.id.to_string(),
        entry: state.entry.entry.id.to_string(),
        name: state.entry.entry.name.clone(),
        provider: state.provider.node.to_string(),
        purposes: purposes(state),
        items: terms.items.clone(),
        standing: state.standing.access.standing(),
        until: terms.until,
    })
}

fn application(docket: &DocketView) -> Option<&ApplicationState> {
    match &docket.state.case {
        Case::Application(state) => Some(state),
        _ => None,
    }
}

fn purposes(state: &ApplicationState) -> Vec<String> {
    let granted = state.held().map(|terms| terms.purpose.clone());
    let wider = state.standing.purposes.iter().cloned();
    granted.into_iter().chain(wider).collect()
}

fn call(global: &Global, args: CallArgs, output: &Output) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let docket = args.docket.resolve(global, output)?;
    let purpose = match args.purpose {
        Some(purpose) => purpose,
        None => {
            let detail: DocketDetail = client.get(&format!("/dockets/{docket}"))?;
            let granted = application(&detail.docket).map(purposes);
            let first = granted.and_then(|all| all.into_iter().next());
            first.ok_or_else(|| {
                CliError::usage(
                    "该案卷没有可以调用的服务接口",
                    "the docket gives no service interface",
                )
                .advise("用 guantong service list 查看", "see guantong service list")
            })?
        }
    };
    let body: Option<Box<dyn Read + Send>> = match &args.post {
        None => None,
        Some(path) if path.as_os_str() == "-" => Some(Box::new(io::stdin())),
        Some(path) => {
            let file = File::open(path).map_err(|error| CliError::file(path, error))?;
            Some(Box::new(file))
        }
    };
    let asked = ServiceCall {
        docket,
        target: &args.path,
        purpose: &purpose,
        fields: &args.fields,
        content_type: &args.content_type,
    };
    let bytes = match &args.file {
        None => client.call_service(&asked, body, &mut io::stdout().lock())?,
        Some(path) => {
            let mut file = File::create(path).map_err(|error| CliError::file(path, error))?;
            let bytes = client.call_service(&asked, body, &mut file)?;
            file.flush().map_err(|error| CliError::file(path, error))?;
            bytes
        }
    };
    output.note(
        &format!("应答完整，{bytes} 字节"),
        &format!("the answer is whole, {bytes} bytes"),
    );
    Ok(())
}
