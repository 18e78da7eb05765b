//! What the demo says to a program: one JSON value when it is complete.

use std::path::PathBuf;

use identity::Code;
use serde::Serialize;

use super::stage::{Happened, Stage};

/// The result of the demo, or of its parts `enroll` and `story`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// What happened, in the order of the final table; nothing after `enroll` alone.
    steps: Vec<StepShown>,
    /// Where the nodes are.
    nodes: Vec<NodeShown>,
}

/// The result of `prepare`.
#[derive(Debug, Serialize)]
pub(super) struct Prepared {
    /// The file that the other parts read.
    pub layout: PathBuf,
    /// Where the nodes will be.
    pub nodes: Vec<NodeShown>,
}

/// One line of the final table.
#[derive(Debug, Serialize)]
struct StepShown {
    step: u8,
    what: String,
    outcome: String,
    /// The article in short, such as `R20`.
    article: String,
    milliseconds: u64,
}

/// One node.
#[derive(Debug, Serialize)]
pub(super) struct NodeShown {
    code: Code,
    name: String,
    /// Its page and API.
    url: String,
}

impl Report {
    /// What a stage has seen.
    pub(super) fn of(stage: &Stage) -> Self {
        Self {
            steps: stage.happened().into_iter().map(StepShown::of).collect(),
            nodes: NodeShown::all(stage),
        }
    }
}

impl NodeShown {
    /// All nodes of a stage.
    pub(super) fn all(stage: &Stage) -> Vec<Self> {
        let nodes = stage.layout.nodes.iter();
        nodes
            .map(|site| Self {
                code: site.code,
                name: site.name.clone(),
                url: site.http.clone(),
            })
            .collect()
    }
}

impl StepShown {
    fn of(it: Happened) -> Self {
        Self {
            step: it.step,
            what: it.what,
            outcome: it.outcome,
            article: it.article.short(),
            milliseconds: u64::try_from(it.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_step_is_told_with_its_article_and_its_milliseconds() {
        let shown = StepShown::of(Happened {
            step: 2,
            what: "申请".into(),
            outcome: "同意".into(),
            article: statute::required_role(statute::ActKind::Apply).1,
            took: Duration::from_millis(1_234),
        });
        let article = statute::required_role(statute::ActKind::Apply).1.short();
        assert_eq!(
            serde_json::to_value(shown).unwrap(),
            serde_json::json!({"step": 2, "what": "申请", "outcome": "同意", "article": article, "milliseconds": 1_234})
        );
    }
}
