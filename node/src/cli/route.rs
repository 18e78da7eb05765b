//! The route between two nodes of a topology file, and their common superior.

use std::path::PathBuf;

use federation::topology::Topology;
use identity::Code;

use super::Output;
use super::args::{code, read_text};
use super::error::{CliError, Exit};

/// `guantong route`.
#[derive(Debug, clap::Args)]
pub struct RouteArgs {
    /// 拓扑文件 / topology file
    #[arg(long, value_name = "FILE")]
    pub topology: PathBuf,
    /// 起点 / from
    #[arg(long, value_parser = code, value_name = "CODE")]
    pub from: Code,
    /// 终点 / to
    #[arg(long, value_parser = code, value_name = "CODE")]
    pub to: Code,
}

pub(super) fn run(args: &RouteArgs, output: &Output) -> Result<(), CliError> {
    let text = read_text(&args.topology)?;
    let topology = Topology::parse(&text).map_err(|error| {
        CliError::usage(
            format!("{}：{error}", args.topology.display()),
            format!("{}: {error}", args.topology.display()),
        )
        .advise(
            "按上文所指的节点或行改正拓扑文件",
            "correct the node or line named above in the topology file",
        )
    })?;
    let route = topology.route(args.from, args.to).map_err(|error| {
        CliError::of_both(Exit::Usage, &error)
            .advise("核对代码与拓扑文件", "check the code and the topology file")
    })?;
    output.print(&route, |language| {
        let named = |code: &Code| {
            format!(
                "{code} {}",
                topology.node(*code).map_or("", |node| node.name.as_str())
            )
        };
        let hops = route
            .hops
            .iter()
            .map(named)
            .collect::<Vec<_>>()
            .join("\n  → ");
        format!(
            "  {hops}\n{}{}",
            language.pick("共同的上级：", "common superior: "),
            named(&route.common_superior)
        )
    });
    Ok(())
}
