//! What a refusal says in Chinese, and what it tells the one refused to do.

use crate::completeness::{ApplicationMaterial, RequiredField};
use crate::opening::ProtectedContent;
use crate::refusal::{RefusalReason, list};
use crate::supervision::Liable;

impl RefusalReason {
    /// The reason in Chinese, without the article.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::ProfileLoosens {
                profile,
                article,
                loosening,
            } => format!(
                "地方规则“{profile}”依据{}：{}",
                article.cite_zh(),
                loosening.zh()
            ),
            Self::OpeningNotProvided => "此处适用的规定未设数据开放".into(),
            Self::ApplicationRequired { class } => {
                format!("“{}”的数据在此处应当提出共享申请，不得直接获取", class.zh())
            }
            Self::BaseItemNotUnconditional { collection, class } => format!(
                "“{}”的基础数据项应当无条件共享，不得列为“{}”",
                collection.zh(),
                class.zh()
            ),
            Self::NotOpened => "该数据属于不予开放类".into(),
            Self::NoApplicationNeeded => "该数据属于无条件开放类，无需申请".into(),
            Self::NotOpenToEveryone => "该数据属于依申请开放类，不得向所有人提供文件".into(),
            Self::ProtectedContentOpened { contains } => format!(
                "数据含有{}，不得无条件开放",
                list(contains, ProtectedContent::zh, "、")
            ),
            Self::WrittenReplyRequired => "申请人要求书面答复".into(),
            Self::NotADepartment { party } => {
                format!("“{party}”不是政府部门或者法律、法规授权的组织")
            }
            Self::TermOver => "该人员的任职期限不包括此时".into(),
            Self::EnrolmentEnded => "该人员的登记已经终止，或者由已被终止登记的人员登记".into(),
            Self::RoleNotEntitled { role, act } => {
                format!("角色“{}”无权“{}”", role.zh(), act.zh())
            }
            Self::NotYourDepartment => "此事属于其他部门".into(),
            Self::NotEntitledToRead => "无权查阅有关记录".into(),
            Self::NotTheNationalAuthority => "节假日安排通知只能在国家枢纽节点装入".into(),
            Self::NotProvidedWithData => "本部门未获提供该数据，不能提出校核申请".into(),
            Self::UnknownDocket { docket } => format!("本节点没有案卷“{docket}”"),
            Self::UnknownDepartment { department, node } => {
                format!("节点{node}没有部门{department}")
            }
            Self::Duplicate { what } => format!("“{what}”已经存在"),
            Self::ChangeToCome => "所报告的变化尚未发生".into(),
            Self::StateSecret => "国家秘密不属于政务数据，不得录入".into(),
            Self::WorkSecret => "工作秘密不属于政务数据，不得录入".into(),
            Self::EntryNotPublished => "该目录尚未发布".into(),
            Self::SharedAlready { entry } => format!("已发布的目录条目{entry}包含全部所需数据项"),
            Self::NotLookedUp { level } => {
                format!("{level}对所需数据项的检索答复未如实写明，或者已过时")
            }
            Self::ItemsNotHeld { missing } => {
                format!("该目录条目不含所需数据项：{}", missing.join("、"))
            }
            Self::EntryNotShared => "该数据属于不予共享类".into(),
            Self::TwoClasses { first, second } => {
                format!("同一目录列有两种共享属性：{}、{}", first.zh(), second.zh())
            }
            Self::MissingField { fields } => {
                format!("缺少：{}", list(fields, RequiredField::zh, "、"))
            }
            Self::TooLong { found, limit } => format!("长度{found}超过上限{limit}"),
            Self::NotANotice { defect } => format!("不是节假日安排通知：{defect}"),
            Self::NoticeSuperseded { year } => {
                format!("{year}年已有签署时间更晚的节假日安排通知")
            }
            Self::ConditionNotCatalogued { condition } => format!("目录未列明条件“{condition}”"),
            Self::ConditionOnReturnFlow { condition } => {
                format!("数据回流不得设置额外的限制条件：“{condition}”")
            }
            Self::IncompleteMayNotBeRefused { missing } => format!(
                "材料不全不得直接拒绝；尚缺：{}",
                list(missing, ApplicationMaterial::zh, "、")
            ),
            Self::MissingAlreadyToldOnce => "已经一次性告知过需要补充的材料".into(),
            Self::MissingNotToldInFull { left_out } => format!(
                "未一次性告知全部需要补充的材料；遗漏：{}",
                list(left_out, ApplicationMaterial::zh, "、")
            ),
            Self::ReasonsRequired => "不同意的，应当说明理由".into(),
            Self::CitationRequired => "不同意共享应当提供法律、法规依据，仅有规章依据不足".into(),
            Self::ConsentMissing { of } => format!("未经{}同意", of.zh()),
            Self::ChangeNotNegotiated => "终止或者变更服务未与需求部门协商".into(),
            Self::ChangeNotFiled => "终止或者变更服务未报主管部门备案".into(),
            Self::GrantNotInForce { standing } => {
                format!("共享权限现为“{}”", standing.zh())
            }
            Self::RectificationOpen => "整改期限未满，且需求部门尚未报告整改".into(),
            Self::DateOutOfBounds { duty } => {
                format!("“{}”的期限已过或者过远", duty.zh())
            }
            Self::MethodNotGranted { granted, asked } => {
                format!("同意的共享方式为“{}”，不是“{}”", granted.zh(), asked.zh())
            }
            Self::ScopeExceeded { asked } => format!("“{asked}”超出使用范围"),
            Self::PurposeExceeded { asked } => format!("“{asked}”超出共享目的"),
            Self::AggregationConsentRequired { score } => {
                format!("与已获共享数据汇聚、关联的风险为{score}，须先经同级主管部门同意")
            }
            Self::ThirdParty => "未经提供部门同意，不得将共享数据提供给第三方".into(),
            Self::PeriodExpired { ended } => format!("使用时限已于{ended}届满"),
            Self::PeriodExceeded { asked } => {
                format!("同意的使用期限超出申请的使用时限（至{asked}止）")
            }
            Self::NotExtensible { duty } => format!("“{}”的期限不得延长", duty.zh()),
            Self::TimeLimitPassed { duty } => format!("“{}”的期限已经届满", duty.zh()),
            Self::ExtensionAlreadyUsed => "期限已经延长过一次".into(),
            Self::ExtensionTooLong { asked, limit } => {
                format!("延长{asked}个工作日，超过上限{limit}个工作日")
            }
            Self::RetentionShortened { kept, asked } => {
                format!("记录保存期限为{kept}年，不得缩短为{asked}年")
            }
            Self::StillRetained { until } => format!("记录应当保存至{until}"),
            Self::StillNeeded => "事项尚未办结，其中的个人内容仍为处理目的所必需".into(),
            Self::NoSuchContent => "没有这项个人内容，或者已经依法删除".into(),
            Self::NotNegotiated => "双方尚未协商".into(),
            Self::CoordinationNotTried { stage } => {
                format!("尚未经过协调处理，争议处于“{}”", stage.zh())
            }
            Self::NotCommonSuperior {
                hearer,
                common_superior,
            } => {
                format!("共同的上级主管部门是{common_superior}，不是{hearer}")
            }
            Self::AuthorityIsParty { authority } => {
                format!("{authority}是本争议的一方，不得处理")
            }
            Self::NotTheSupervisor { orderer, of } => {
                format!("{orderer}对{of}无权就此监督")
            }
            Self::NotTheirBreach { breach, of } => format!(
                "{}所列不是{}的情形",
                breach.cite_zh(),
                list(of, Liable::zh, "或者")
            ),
            Self::CorrectionDate { latest } => {
                format!("改正期限应当晚于现在，且不迟于{latest}")
            }
            Self::NotRefusedYet => "尚无拒不改正的情形".into(),
            Self::GrantNotProvidedHere { docket } => {
                format!("案卷{docket}不是由本节点提供数据的共享权限")
            }
            Self::CertificateNotInForce { node, serial } => {
                format!("节点{node}的第{serial}号证书在本节点未生效，或者早于安全事件签发")
            }
            Self::NodeCutOff { node, by, serial } => format!(
                "本节点已被断开：{by}撤销了节点{node}的第{serial}号证书，不得办理涉及其他节点的事项"
            ),
            Self::NotNoticedYet => "安全事件尚未发现".into(),
            Self::GradeUnderstated { stated, found } => {
                format!("所涉数据为{}，不得报为{}", found.zh(), stated.zh())
            }
            Self::PlanNotStarted => "尚未启动应急预案".into(),
            Self::NotContained => "尚未采取应急处置措施".into(),
            Self::PeriodNotOver { period } => {
                format!("期间{period}尚未结束，数据仅为暂计")
            }
            Self::NotTheFigures => "所报数据与本节点账本计算结果不一致".into(),
            Self::EvaluationNotPublished => "此处适用的规定未要求公布评估结果".into(),
            Self::AdviceRequired => "公布评估结果应当附改进意见".into(),
            Self::WrongState { expected, found } => {
                format!(
                    "应当处于“{}”，现处于“{}”",
                    state_zh(expected),
                    state_zh(found)
                )
            }
        }
    }

    /// What to do about it, in Chinese and in English.
    pub(crate) const fn advice(&self) -> (&'static str, &'static str) {
        match self {
            Self::ProfileLoosens { loosening, .. } => loosening.advice(),
            Self::OpeningNotProvided => (
                "请核对本节点的地方规则",
                "check the local profile of this node",
            ),
            Self::ApplicationRequired { .. } => (
                "请用 guantong apply draft 提出申请",
                "apply with guantong apply draft",
            ),
            Self::BaseItemNotUnconditional { .. } => (
                "请将共享属性改为无条件共享，或者标为业务数据项",
                "state the class \"shared unconditionally\", or mark it as a business item",
            ),
            Self::NotOpened => (
                "请查看开放目录公开的依据",
                "see the grounds made public in the opening catalogue",
            ),
            Self::NoApplicationNeeded => (
                "请从开放目录直接获取",
                "take it straight from the opening catalogue",
            ),
            Self::NotOpenToEveryone => (
                "请在答复开放申请时提供，或者先将该目录标注为无条件开放",
                "give it with the answer to an application, or mark the entry as opened unconditionally first",
            ),
            Self::ProtectedContentOpened { .. } => (
                "请先去除所列内容，或者改为依申请开放、不予开放",
                "remove it first, or open on application or not at all",
            ),
            Self::WrittenReplyRequired => ("请提供书面答复", "give the reply in writing"),
            Self::NotADepartment { .. } => (
                "请由政府部门或者授权组织办理",
                "let a government department or an authorised organisation act",
            ),
            Self::TermOver => (
                "请由在任人员签署，或者重新登记任职期限",
                "let a person in office sign, or enrol a new term",
            ),
            Self::EnrolmentEnded => (
                "请以新密钥重新登记后办理，或者由在任人员签署",
                "have the person enrolled anew with a new key, or let someone who is enrolled act",
            ),
            Self::RoleNotEntitled { .. } => (
                "请由有权的人员办理",
                "let a person in a role that is entitled act",
            ),
            Self::NotYourDepartment => (
                "请由所属部门办理",
                "let the department to which it belongs act",
            ),
            Self::NotEntitledToRead => (
                "请由提供部门、需求部门的同级主管部门查阅，或者先记录上级的责成",
                "let the provider or the requester's authority read, or record a superior's order first",
            ),
            Self::NotTheNationalAuthority => (
                "请由国家政务数据共享主管部门负责人在国家枢纽节点装入，逐级下发后自动生效",
                "let the head of the national authority install it at the hub; it then comes down by itself",
            ),
            Self::NotProvidedWithData => (
                "请在数据提供后，就所获数据提出",
                "ask once the data was provided, and about that data",
            ),
            Self::UnknownDocket { .. } => (
                "请核对案卷编号和所在节点",
                "check the docket's number and its home node",
            ),
            Self::UnknownDepartment { .. } => (
                "请核对部门的统一社会信用代码和所在节点；部门尚未登记的，先在其节点登记人员",
                "check the department's credit code and its node; one that is new there is enrolled first",
            ),
            Self::Duplicate { .. } => ("无需重复办理", "nothing more is needed"),
            Self::ChangeToCome => (
                "请待变化发生之日再报告",
                "report it on the day on which it happens",
            ),
            Self::StateSecret | Self::WorkSecret => (
                "请按照保密规定处理，不要录入本系统",
                "handle it under the rules of secrecy, outside this system",
            ),
            Self::EntryNotPublished => (
                "请待主管部门审核发布后申请",
                "apply once the authority has published the entry",
            ),
            Self::SharedAlready { .. } => (
                "请就该条目提出共享申请，或者说明其不能满足需求的理由",
                "apply for that entry, or say why it does not meet the need",
            ),
            Self::NotLookedUp { .. } => (
                "请向各上级重新检索后登记",
                "ask the levels above again, and report the need with their answers",
            ),
            Self::ItemsNotHeld { .. } => (
                "请以包含全部所需数据项的目录条目满足需求",
                "name an entry that holds all the items wanted",
            ),
            Self::EntryNotShared => (
                "请查看目录所列理由和依据；有异议的，可以协商",
                "see the reason and legal basis in the catalogue; negotiate if you object",
            ),
            Self::TwoClasses { .. } => ("请只保留一种共享属性", "keep exactly one class"),
            Self::MissingField { .. } => ("请补齐所列内容", "state what is missing"),
            Self::TooLong { .. } => ("请缩短或者拆分", "shorten it or split it"),
            Self::NotANotice { .. } => (
                "请按国务院办公厅通知核对文件",
                "check the file against the notice of the State Council",
            ),
            Self::NoticeSuperseded { .. } => (
                "请核对现行通知；确需替换的，重新签署",
                "see the notice in force; to replace it, sign again",
            ),
            Self::ConditionNotCatalogued { .. } => (
                "请删除该条件；确有必要的，先更新目录并经审核发布",
                "drop the condition; if it is needed, have it reviewed into the catalogue first",
            ),
            Self::ConditionOnReturnFlow { .. } => ("请删除该条件", "drop the condition"),
            Self::IncompleteMayNotBeRefused { .. } => (
                "请一次性告知需要补充的全部材料",
                "tell the requester once everything that is missing",
            ),
            Self::MissingAlreadyToldOnce => (
                "请待补充材料后作出答复",
                "wait for the supplement, then reply",
            ),
            Self::MissingNotToldInFull { .. } => {
                ("请将遗漏的材料一并告知", "tell what was left out as well")
            }
            Self::ReasonsRequired => ("请说明理由", "state the reasons"),
            Self::CitationRequired => (
                "请列明法律、法规条款",
                "cite the provision of a law or regulation",
            ),
            Self::ConsentMissing { .. } => ("请先取得同意", "obtain the consent first"),
            Self::ChangeNotNegotiated => {
                ("请先与需求部门协商", "negotiate with the requester first")
            }
            Self::ChangeNotFiled => (
                "请先报同级主管部门备案",
                "file it with the authority of the same level first",
            ),
            Self::GrantNotInForce { .. } => (
                "请先整改并申请恢复共享权限，或者重新申请",
                "rectify and have access restored, or apply again",
            ),
            Self::RectificationOpen => (
                "请待整改期限届满或者需求部门报告整改后办理",
                "wait for the date or for the requester's report",
            ),
            Self::DateOutOfBounds { .. } => ("请另定日期", "set another date"),
            Self::MethodNotGranted { .. } => (
                "请按同意的共享方式获取数据，或者就所需方式另行申请",
                "use the way that was granted, or apply for the other",
            ),
            Self::ScopeExceeded { .. } | Self::PurposeExceeded { .. } | Self::ThirdParty => (
                "请先取得提供部门同意",
                "obtain the provider's consent first",
            ),
            Self::AggregationConsentRequired { .. } => (
                "请同级主管部门负责人审查汇聚风险（guantong aggregation consent），或者缩减数据项",
                "have the authority's head answer on the risk (guantong aggregation consent), or ask for fewer items",
            ),
            Self::PeriodExceeded { .. } => (
                "按申请的使用时限同意；需求部门需要更长时间的，另行申请扩大使用",
                "grant it for the period applied for; who needs it for longer asks for wider use",
            ),
            Self::PeriodExpired { .. } => (
                "请重新申请，或者处置数据",
                "apply again, or dispose of the data",
            ),
            Self::NotExtensible { .. } | Self::ExtensionAlreadyUsed => {
                ("请在期限内办理", "act within the time limit")
            }
            Self::TimeLimitPassed { .. } => (
                "请尽快办理，并说明正当理由",
                "act at once, and state a justification",
            ),
            Self::ExtensionTooLong { .. } => ("请缩短延长的期限", "ask for fewer days"),
            Self::RetentionShortened { .. } => {
                ("保存期限只能延长", "retention can only be lengthened")
            }
            Self::StillRetained { .. } => ("请待保存期限届满", "wait until the records may go"),
            Self::StillNeeded => (
                "请待事项办结且保存期限届满",
                "wait until the matter is settled and the period of keeping is over",
            ),
            Self::NoSuchContent => (
                "用 guantong erase list 查看尚存的个人内容",
                "see guantong erase list for what is still kept",
            ),
            Self::NotNegotiated => ("请先协商", "negotiate first"),
            Self::CoordinationNotTried { .. } => {
                ("请先申请协调处理", "ask the authority to coordinate first")
            }
            Self::NotCommonSuperior { .. } => (
                "请由共同的上级主管部门处理",
                "let the common superior authority hear the case",
            ),
            Self::AuthorityIsParty { .. } => (
                "请由再上一级主管部门处理",
                "let the next authority above hear the case",
            ),
            Self::NotTheSupervisor { .. } => (
                "请由同级主管部门办理；涉及主管部门的，由本级人民政府或者上级主管部门办理",
                "let the authority of the same level act; over an authority, its own government or a superior authority",
            ),
            Self::NotTheirBreach { .. } => (
                "提供部门适用第三十九条，需求部门适用第四十条，主管部门适用第四十一条，请列明项",
                "name an item of Art. 39 for providers, Art. 40 for requesters, Art. 41 for authorities",
            ),
            Self::CorrectionDate { .. } => ("请另定改正期限", "set another date"),
            Self::NotRefusedYet => (
                "请待期限届满或者退回改正报告，或者说明情节严重",
                "wait until the date has passed or reject the report, or state what is serious",
            ),
            Self::GrantNotProvidedHere { .. } => (
                "请由提供数据的节点的主管部门暂停，或者用 guantong grant suspend",
                "let the authority of the node that provides the data suspend it, or use guantong grant suspend",
            ),
            Self::CertificateNotInForce { .. } => (
                "请先更换密钥并签发、装入新证书；断开节点的，由签发其证书的节点另行报告事件后办理",
                "rotate the keys and have a new certificate issued first; a node is cut off in an incident of the node that issued its certificate",
            ),
            Self::NodeCutOff { .. } => (
                "本节点内部的登记、编目、起草照常办理；请与上级主管部门联系，由其重新签发证书后运行 guantong enroll install --chain FILE，再行办理",
                "enrolling, compiling and drafting here go on; ask the authority above for a new certificate, run guantong enroll install --chain FILE, then do this again",
            ),
            Self::NotNoticedYet => ("请核对发现时间", "check when it was noticed"),
            Self::GradeUnderstated { .. } => (
                "请按所涉数据的最高级别报告",
                "state the grade of the strictest data concerned",
            ),
            Self::PlanNotStarted => ("请先启动应急预案", "start the plan first"),
            Self::NotContained => (
                "请先采取应急处置措施并记录",
                "contain the incident first, and put the measure on record",
            ),
            Self::PeriodNotOver { .. } => ("请待期间结束后报告", "report once the period is over"),
            Self::NotTheFigures => (
                "请重新计算后签署；数据只能由账本得出",
                "compute the figures anew and sign those; they come from the ledger alone",
            ),
            Self::EvaluationNotPublished => (
                "请核对本节点的地方规则",
                "check the local profile of this node",
            ),
            Self::AdviceRequired => ("请附改进意见", "add the advice"),
            Self::WrongState { .. } => {
                ("请查看案卷当前状态", "look at where the docket stands now")
            }
        }
    }
}

/// A state in Chinese; one that is not known here stands as it is.
fn state_zh(state: &str) -> String {
    if let Some(version) = state.strip_prefix("version ") {
        return format!("第{version}版");
    }
    let zh = match state {
        "none" => "无",
        // Entries of the catalogue.
        "draft" => "编制中",
        "approved" => "部门负责人已同意",
        "submitted" => "已报送",
        "published" => "已发布",
        "withdrawn" => "已撤销",
        "draft, approved or a new version" => "编制中、部门负责人已同意或者新版本",
        // Updates of the catalogue.
        "due" => "待更新",
        "returned" => "已退回",
        // Applications.
        "received" => "待答复",
        "incomplete" => "待补充材料",
        "reply-proposed" => "答复待同意",
        "granted" => "已同意，待提供",
        "refused" => "不予共享",
        "providing" => "正在提供",
        "provided" => "已提供",
        "granted, refused or overdue" => "已同意、不予共享或者逾期",
        // Time limits.
        "extension-asked" => "已申请延长期限",
        "overdue" => "逾期",
        "reply-conditional" => "答复有条件共享类申请",
        // Grants.
        "in-force" => "有效",
        "suspended" => "已暂停，限期整改",
        "widening-asked" => "已申请扩大使用",
        "change-proposed" => "已提出终止或者变更服务",
        // Disputes.
        "none or settled" => "无争议或者已达成一致",
        "raised" => "已提出",
        "negotiating" => "协商中",
        "failed" | "negotiation-failed" => "协商不成",
        "coordinating" => "协调处理中",
        "coordination-failed" => "协调未达成一致",
        "settled" => "已达成一致",
        "concluded" => "争议已了结",
        "referred" => "待协调",
        "opinion-given" => "待双方答复协调意见",
        "awaiting-decision" => "待本级人民政府决定",
        "decided" => "已决定",
        // Return flow.
        "subscribed" => "已订阅",
        "delivering" => "正在交付",
        "delivered" => "已交付并核验",
        "disputed" => "核验不符",
        // Open data and complaints.
        "opening-applied-for" => "待答复开放申请",
        "opened" => "已同意开放",
        "opening-refused" => "不同意开放",
        "complaint-waits" => "投诉举报待处理",
        "complaint-answered" => "投诉举报已答复",
        // Correction.
        "correction-asked" => "待核实、更正并反馈",
        "corrected" => "已更正",
        "upheld" => "经核实无需更正",
        // Needs.
        "need-open" => "待供需对接",
        "need-matched" => "已对接，待提供部门答复",
        "need-promised" => "提供部门已定期提供",
        "entry-offered" => "已有目录条目，待需求部门确认",
        "need-met" => "需求已满足",
        "need-declined" => "不予对接",
        "need-withdrawn" => "需求已撤回",
        "matched or promised" => "已对接或者已定期提供",
        "open, matched, or promised and overdue" => "待对接、已对接或者所定日期已过",
        "an open need" => "未办结的需求",
        "an authority above" => "上级主管部门",
        "the hub" => "国家级",
        // Supervision.
        "ordered" => "责令改正中",
        "reported" => "已报告改正情况",
        "escalated" => "已建议给予处分",
        "ordered or reported" => "责令改正中或者已报告改正情况",
        // Security incidents.
        "incident-reported" => "已报告，待启动应急预案",
        "responding" => "应急处置中",
        "incident-closed" => "安全事件已办结",
        "incident-reported or responding" => "已报告或者应急处置中",
        // Readings.
        "reading-ordered" => "待查阅",
        // Aggregation.
        "the risk as computed now" => "现时计算的汇聚风险",
        "another risk" => "另一汇聚风险",
        // Evaluations.
        "reported-to-government" => "已向本级人民政府报告",
        // What is no state of a case.
        "another docket" => "另一案卷",
        "another act" => "另一行为",
        "apply" => "提出申请",
        "subscribe" => "订阅",
        "return flow" => "数据回流",
        "an application or a dispute" => "共享申请或者争议",
        "an authority's head enrolled here" => "主管部门负责人已在本节点登记",
        "a valid act" => "有效的行为",
        other => other,
    };
    zh.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_told_in_chinese() {
        let told = |expected: &str, found: &str| {
            RefusalReason::WrongState {
                expected: expected.into(),
                found: found.into(),
            }
            .zh()
        };
        assert_eq!(
            told("submitted", "draft"),
            "应当处于“已报送”，现处于“编制中”"
        );
        assert_eq!(
            told("in-force", "suspended"),
            "应当处于“有效”，现处于“已暂停，限期整改”"
        );
        assert_eq!(
            told("reply-conditional", "failed"),
            "应当处于“答复有条件共享类申请”，现处于“协商不成”"
        );
        assert_eq!(told("version 2", "x"), "应当处于“第2版”，现处于“x”");
    }
}
