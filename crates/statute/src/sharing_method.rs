//! How data is shared (共享方式, R22) and how often it is updated (数据更新频率, R13).

use crate::article::Article;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// Way of sharing (共享方式), R22.
    pub enum Method {
        /// Service interface (服务接口): the requester calls the provider's service.
        ServiceInterface = "service-interface", "服务接口", "service interface";
        /// Batch exchange (批量交换): snapshots and deltas on a schedule.
        BatchExchange = "batch-exchange", "批量交换", "batch exchange";
        /// File download (文件下载).
        FileDownload = "file-download", "文件下载", "file download";
    }
}

terms! {
    /// Update frequency (数据更新频率) that a catalogue entry states, R13.
    pub enum UpdateFrequency {
        /// As it happens (实时).
        RealTime = "real-time", "实时", "real time";
        /// Every day (每日).
        Daily = "daily", "每日", "daily";
        /// Every week (每周).
        Weekly = "weekly", "每周", "weekly";
        /// Every month (每月).
        Monthly = "monthly", "每月", "monthly";
        /// Every quarter (每季度).
        Quarterly = "quarterly", "每季度", "quarterly";
        /// Every half year (每半年).
        HalfYearly = "half-yearly", "每半年", "half-yearly";
        /// Every year (每年).
        Yearly = "yearly", "每年", "yearly";
        /// At no fixed time (不定期).
        Irregular = "irregular", "不定期", "irregular";
    }
}

/// Data is shared in the way that was consented to, R22: a grant of files opens no service, and the other way round.
///
/// # Errors
/// [`RefusalReason::MethodNotGranted`]; R22.
pub fn check_method(granted: Method, asked: Method) -> Result<(), Refusal> {
    if granted == asked || rule::is_off(Rule::WayOfSharing) {
        return Ok(());
    }
    Err(RefusalReason::MethodNotGranted { granted, asked }.under(Article::R22))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_of_files_opens_no_service() {
        let (granted, asked) = (Method::FileDownload, Method::ServiceInterface);
        let refused = RefusalReason::MethodNotGranted { granted, asked }.under(Article::R22);
        assert_eq!(check_method(granted, asked), Err(refused));
        assert_eq!(check_method(asked, asked), Ok(()));
    }

    #[test]
    fn the_three_ways_of_article_22_have_their_names() {
        let names: Vec<_> = Method::ALL.iter().map(|method| method.zh()).collect();
        assert_eq!(names, ["服务接口", "批量交换", "文件下载"]);
    }
}
