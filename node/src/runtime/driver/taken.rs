//! The inputs of the running batch.

use federation::core::{Input, LinkId, Token};

use super::Queued;

/// An input of the running batch. It keeps the room that a frame holds in the queue until the batch is over.
pub(super) struct Taken {
    /// As it came; of a link's inputs only the room, for they are never tried again.
    pub(super) queued: Queued,
    pub(super) kind: &'static str,
    pub(super) link: Option<LinkId>,
    pub(super) token: Option<Token>,
    /// Whether the core was given it.
    pub(super) applied: bool,
}

impl Taken {
    /// Takes an input for the batch; gives what the core is to be given.
    pub(super) fn from(mut queued: Queued) -> (Self, Input) {
        let (kind, token, link) = (
            kind(&queued.input),
            token(&queued.input),
            link(&queued.input),
        );
        let input = match link {
            Some(_) => std::mem::replace(&mut queued.input, Input::Tick),
            None => queued.input.clone(),
        };
        let taken = Self {
            queued,
            kind,
            link,
            token,
            applied: false,
        };
        (taken, input)
    }
}

/// The kind of the input that a new core is told first.
pub(super) const STARTED: &str = "started";

/// What an input is called in the log.
fn kind(input: &Input) -> &'static str {
    match input {
        Input::Started => STARTED,
        Input::Tick => "tick",
        Input::LinkUp { .. } => "link up",
        Input::Frame { .. } => "frame",
        Input::LinkDown { .. } => "link down",
        Input::Act { .. } => "act",
        Input::Public { .. } => "public request",
        Input::Install { .. } => "install",
        Input::Search { .. } => "search",
        Input::SearchDone { .. } => "search done",
        Input::Fetched { .. } => "fetched",
        Input::Served { .. } => "served",
        Input::CallBegun { .. } => "call begun",
        Input::CallEnded { .. } => "call ended",
        Input::TableSplit { .. } => "table split",
        Input::ContentRead { .. } => "content read",
        Input::Destroyed { .. } => "destroyed",
        Input::PassedOn { .. } => "passed on",
    }
}

/// The link that an input is of, if it is of one.
fn link(input: &Input) -> Option<LinkId> {
    match input {
        Input::LinkUp { link, .. } | Input::Frame { link, .. } | Input::LinkDown { link } => {
            Some(*link)
        }
        _ => None,
    }
}

/// The operator's request that an input is, if it is one.
pub(super) fn token(input: &Input) -> Option<Token> {
    match input {
        Input::Act { token, .. }
        | Input::Install { token, .. }
        | Input::Search { token, .. }
        | Input::ContentRead { token, .. }
        | Input::CallBegun { token, .. }
        | Input::Public { token, .. } => Some(*token),
        _ => None,
    }
}
