//! The bounds of a pull. What a platform answers is a stranger's input: each bound ends the pull with an error, and a pull that ends so removes
//! nothing.

use std::time::Duration;

/// Most records of one pull: thirty times the catalogue of a province's bureau.
pub const MAX_ENTRIES: usize = 100_000;
/// Most bytes of one answer or file: [`MAX_ENTRIES`] rows of a table of some 600 bytes.
pub const MAX_ANSWER_BYTES: u64 = 64 << 20;
/// Most bytes of all answers of one pull: [`MAX_ENTRIES`] descriptions of some 5 KiB.
pub const MAX_PULL_BYTES: u64 = 512 << 20;
/// Most pages of one pull: [`MAX_ENTRIES`] in pages of a hundred.
pub const MAX_PAGES: usize = 1_000;
/// Records asked for in one page.
pub const PAGE_ROWS: usize = 100;
/// Most redirects of one request: to another name, to another path, and one to spare.
pub const MAX_REDIRECTS: u32 = 3;
/// Longest time until a platform takes a connection.
pub const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Longest time of one request: a page that an old database puts together slowly.
pub const REQUEST_TIME: Duration = Duration::from_secs(60);
/// Longest time of one pull, all requests together.
pub const MAX_PULL_TIME: Duration = Duration::from_secs(30 * 60);

/// The bounds that hold for one pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Records.
    pub entries: usize,
    /// Bytes of one answer.
    pub answer_bytes: u64,
    /// Bytes of all answers.
    pub pull_bytes: u64,
    /// Pages.
    pub pages: usize,
    /// Redirects of one request.
    pub redirects: u32,
    /// Time of one request.
    pub request_time: Duration,
    /// Time of all requests.
    pub pull_time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            entries: MAX_ENTRIES,
            answer_bytes: MAX_ANSWER_BYTES,
            pull_bytes: MAX_PULL_BYTES,
            pages: MAX_PAGES,
            redirects: MAX_REDIRECTS,
            request_time: REQUEST_TIME,
            pull_time: MAX_PULL_TIME,
        }
    }
}
