//! What 天河区 applies for, and what the providers reply.

/// Who applies.
pub const REQUESTER: &str = "440106";

/// One application.
pub struct Case {
    /// The provider's node.
    pub provider: &'static str,
    /// The entry's id.
    pub entry: &'static str,
    /// What is applied for, in Chinese.
    pub zh: &'static str,
    /// What is applied for, in English.
    pub en: &'static str,
    /// Data items asked for.
    pub items: &'static [&'static str],
    /// Materials stated at first, beside the period.
    pub stated: &'static [&'static str],
    /// What is told to be missing and then supplemented, if anything.
    pub missing: Option<(&'static str, &'static str)>,
    /// What the provider replies.
    pub reply: Reply,
}

/// What a provider replies.
pub enum Reply {
    /// Granted.
    Grant {
        /// For what.
        purpose: &'static str,
        /// On which of the catalogued conditions.
        conditions: &'static [&'static str],
    },
    /// Refused.
    Refuse {
        /// Why.
        reasons: &'static str,
        /// On which basis.
        basis: &'static str,
    },
}

/// The four applications of 天河区.
pub const CASES: [Case; 4] = [
    Case {
        provider: "samr",
        entry: "samr/QY/0001",
        zh: "市场监管总局《企业登记基本信息》（无条件共享）",
        en: "enterprise registrations of 市场监管总局 (unconditional)",
        items: &["统一社会信用代码", "企业名称", "登记状态", "所在行政区划"],
        stated: &[
            "basis=《社会救助暂行办法》第五十八条",
            "scenario=核对社会救助申请家庭成员名下企业登记情况",
            "scope=天河区民政局社会救助核对岗位，天河区登记的经营主体",
        ],
        missing: None,
        reply: Reply::Grant {
            purpose: "核对社会救助申请家庭成员名下企业登记情况",
            conditions: &[],
        },
    },
    Case {
        provider: "mps",
        entry: "mps/RK/0001",
        zh: "公安部《人口基本信息核验》（有条件共享）",
        en: "verification of identity of 公安部 (conditional)",
        items: &["姓名", "公民身份号码", "核验结果"],
        stated: &[
            "scenario=受理社会救助申请时核验申请人及共同生活家庭成员身份",
            "scope=天河区民政局社会救助核对岗位，已受理业务的当事人",
        ],
        missing: Some((
            "请写明使用该数据所依据的法律、行政法规或者规章的具体条款",
            "《社会救助暂行办法》第五十八条、第五十九条",
        )),
        reply: Reply::Grant {
            purpose: "社会救助家庭经济状况核对",
            conditions: &["仅限对已受理业务的当事人逐人核验"],
        },
    },
    Case {
        provider: "210100",
        entry: "210100/SY/0001",
        zh: "沈阳市《失业登记信息》（有条件共享）",
        en: "registered unemployment of 沈阳市 (conditional)",
        items: &["姓名", "登记日期", "登记状态"],
        stated: &[
            "basis=《社会救助暂行办法》第五十八条",
            "scenario=核对由沈阳市迁入天河区的社会救助申请人的失业登记情况",
            "scope=天河区民政局社会救助核对岗位，已受理业务的当事人",
        ],
        missing: None,
        reply: Reply::Grant {
            purpose: "社会救助家庭经济状况核对",
            conditions: &["仅限对已受理业务的当事人使用"],
        },
    },
    Case {
        provider: "210102",
        entry: "210102/DB/0001",
        zh: "和平区《最低生活保障家庭信息》（有条件共享）",
        en: "households on minimum allowance of 和平区 (conditional)",
        items: &["户主姓名", "家庭人口", "保障金额", "起始月份"],
        stated: &[
            "basis=《社会救助暂行办法》第五十八条",
            "scenario=核对由和平区迁入天河区的家庭此前领取最低生活保障的情况，防止重复领取",
            "scope=天河区民政局社会救助核对岗位，已受理业务的当事人",
        ],
        missing: None,
        reply: Reply::Refuse {
            reasons: "申请涉及的家庭尚未办理户籍迁移，不属于目录列明的跨地区迁移的救助对象，超出共享范围",
            basis: "《政务数据共享条例》第十五条",
        },
    },
];

/// The nodes that occur here.
#[cfg(test)]
pub fn nodes() -> Vec<&'static str> {
    CASES
        .iter()
        .map(|case| case.provider)
        .chain([REQUESTER])
        .collect()
}
