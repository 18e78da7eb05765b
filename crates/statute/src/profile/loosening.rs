//! What a local profile may not do: loosen what the Regulation sets. One kind of rule, one check, with both values.

use serde::{Deserialize, Serialize};

use crate::article::Article;
use crate::deadline::WorkingDays;
use crate::duty::Duty;
use crate::retention::RetentionYears;
use crate::term::terms;

terms! {
    /// Disputes that a locality's own authority coordinates (协调处理的争议范围), Shenyang S21, R28.
    pub enum CoordinatedDisputes {
        /// Those of which it is the same-level or the common superior authority: what R28 gives it.
        AsCommonSuperior = "as-common-superior", "其为同级或者共同的上级主管部门的争议", "disputes of which it is the same-level or common superior authority";
        /// Every dispute that touches the locality, wherever the other party is.
        Every = "every", "涉及本地的一切争议", "every dispute that touches the locality";
    }
}

/// What of the Regulation a local profile would loosen, with the profile's value and the Regulation's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loosening {
    /// A time limit, or an extension of one, that would be longer.
    TimeLimit {
        /// The duty.
        duty: Duty,
        /// The profile's, in working days.
        local: WorkingDays,
        /// The law's, in working days.
        national: WorkingDays,
    },
    /// Records of use that would be kept for less time, R29.
    Retention {
        /// The profile's, in years.
        local: u16,
        /// The Regulation's, in years.
        national: RetentionYears,
    },
    /// A risk of aggregation that would be noticed later, R25.
    Aggregation {
        /// The profile's threshold.
        local: u16,
        /// The national threshold.
        national: u16,
    },
    /// Disputes that would move away from the common superior, R28.
    Disputes {
        /// The profile's.
        local: CoordinatedDisputes,
        /// The Regulation's.
        national: CoordinatedDisputes,
    },
}

impl Loosening {
    /// The article that would be loosened.
    #[must_use]
    pub const fn article(self) -> Article {
        match self {
            Loosening::TimeLimit { duty, .. } => duty.article(),
            Loosening::Retention { .. } => Article::R29,
            Loosening::Aggregation { .. } => Article::R25,
            Loosening::Disputes { .. } => Article::R28,
        }
    }

    /// Both values, in Chinese.
    #[must_use]
    pub fn zh(self) -> String {
        match self {
            Loosening::TimeLimit {
                duty,
                local,
                national,
            } => format!(
                "将“{}”定为{local}个工作日，宽于规定的{national}个工作日",
                duty.zh()
            ),
            Loosening::Retention { local, national } => format!(
                "将使用记录保存期限定为{local}年，短于规定的{}年",
                national.get()
            ),
            Loosening::Aggregation { local, national } => {
                format!("将汇聚风险阈值定为{local}，宽于国家规则的{national}")
            }
            Loosening::Disputes { local, national } => format!(
                "由本地主管部门协调处理{}，而规定其只协调处理{}",
                local.zh(),
                national.zh()
            ),
        }
    }

    /// Both values, in English.
    #[must_use]
    pub fn en(self) -> String {
        match self {
            Loosening::TimeLimit {
                duty,
                local,
                national,
            } => format!(
                "\"{}\" ({duty}) in {local} working days, where at most {national} are allowed",
                duty.en()
            ),
            Loosening::Retention { local, national } => format!(
                "records of use kept for {local} years, where at least {} are required",
                national.get()
            ),
            Loosening::Aggregation { local, national } => format!(
                "a risk of aggregation is noticed from {local} on, where the national rules notice it from {national} on"
            ),
            Loosening::Disputes { local, national } => format!(
                "its authority coordinates {}, where the law gives it only {}",
                local.en(),
                national.en()
            ),
        }
    }

    /// What to do about it, in Chinese and in English.
    pub(crate) const fn advice(self) -> (&'static str, &'static str) {
        match self {
            Loosening::TimeLimit { .. } => (
                "请将期限改为不长于规定的期限",
                "set a time limit no longer than the law's",
            ),
            Loosening::Retention { .. } => (
                "请将保存期限改为不短于规定的年限",
                "set a retention no shorter than the Regulation's",
            ),
            Loosening::Aggregation { .. } => (
                "请将阈值改为不高于国家规则的阈值",
                "set thresholds no higher than the national ones",
            ),
            Loosening::Disputes { .. } => (
                "请改为 as-common-superior：由同级或者共同的上级主管部门协调处理",
                "write as-common-superior: the same-level or common superior authority coordinates",
            ),
        }
    }
}

/// A time limit of a profile is no longer than the law's: R17, R21, R22, R26, and S26 for opening.
pub(super) fn check_time_limit(duty: Duty, local: WorkingDays) -> Result<(), Loosening> {
    let national = duty.working_days();
    if local > national {
        return Err(Loosening::TimeLimit {
            duty,
            local,
            national,
        });
    }
    Ok(())
}

/// Records of use are kept at least as long as R29 says.
pub(super) fn check_retention_kept(local: u16) -> Result<(), Loosening> {
    let national = RetentionYears::MIN;
    if local < national.get() {
        return Err(Loosening::Retention { local, national });
    }
    Ok(())
}

/// A dispute stays with the same-level or the common superior authority, R28.
pub(super) fn check_disputes(local: CoordinatedDisputes) -> Result<(), Loosening> {
    match local {
        CoordinatedDisputes::AsCommonSuperior => Ok(()),
        CoordinatedDisputes::Every => Err(Loosening::Disputes {
            local,
            national: CoordinatedDisputes::AsCommonSuperior,
        }),
    }
}
