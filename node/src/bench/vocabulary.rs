//! What the generated entries are made of: departments of a county, the data they keep, and the words around it.
//!
//! Names of departments, data and items follow published catalogues of counties; streets are those of 广州市天河区. People are invented.

use statute::{BasisInstrument, UpdateFrequency};

/// A department and what it keeps.
pub(super) struct Department {
    /// Its name after that of the county.
    pub(super) name: &'static str,
    /// Two letters of its entries' ids.
    pub(super) letters: &'static str,
    /// The offices that maintain its data.
    pub(super) offices: [&'static str; 2],
    /// Its data.
    pub(super) datasets: [Dataset; 5],
}

/// One kind of data.
pub(super) struct Dataset {
    /// What it is called.
    pub(super) name: &'static str,
    /// What a record is about.
    pub(super) subject: &'static str,
    /// Its class of sharing.
    pub(super) class: Class,
    /// How often it changes.
    pub(super) frequency: UpdateFrequency,
    /// Seven items as `name kind`, an item of the grade 重要数据 with `!` behind; an entry has the first six or all seven.
    pub(super) items: &'static str,
}

/// The class of sharing of a kind of data.
#[derive(Clone, Copy)]
pub(super) enum Class {
    /// 无条件共享, no personal information.
    Open,
    /// 有条件共享 without personal information: what for.
    Limited(&'static str),
    /// 有条件共享 with personal information: what for.
    Personal(&'static str),
    /// 不予共享 with personal information: why, and where the law says so.
    Closed(&'static str, BasisInstrument, &'static str, &'static str),
}

/// The county of the entries, as written before each name.
pub(super) const COUNTY: &str = "天河区";
/// Name of the county's departments before their own.
pub(super) const COUNTY_FULL: &str = "广州市天河区";
/// The first eight characters of the departments' credit codes: organ of state, and the division.
pub(super) const CREDIT_PREFIX: &str = "11440106";

/// The streets of 天河区.
pub(super) const STREETS: [&str; 21] = [
    "五山街道",
    "员村街道",
    "车陂街道",
    "沙河街道",
    "石牌街道",
    "沙东街道",
    "天河南街道",
    "林和街道",
    "兴华街道",
    "棠下街道",
    "天园街道",
    "冼村街道",
    "猎德街道",
    "元岗街道",
    "黄村街道",
    "龙洞街道",
    "长兴街道",
    "凤凰街道",
    "前进街道",
    "珠吉街道",
    "新塘街道",
];

/// Family names of the invented people who assess.
pub(super) const FAMILIES: [&str; 16] = [
    "陈", "李", "黄", "张", "梁", "林", "王", "吴", "刘", "何", "罗", "邓", "冯", "谢", "潘", "叶",
];
/// Their given names.
pub(super) const GIVEN: [&str; 16] = [
    "志远", "晓彤", "建国", "雅琴", "文婷", "家辉", "子轩", "慧敏", "伟明", "淑芬", "嘉豪", "丽娟",
    "国栋", "启明", "静怡", "永强",
];
/// What a secrecy assessment concludes.
pub(super) const NOT_SECRET: [&str; 3] = [
    "不涉密，可以编入目录",
    "经逐项核对，非涉密",
    "非涉密，汇聚后不产生敏感信息",
];
/// What an impact assessment concludes.
pub(super) const RISK_HELD: [&str; 3] = [
    "已去标识化并限定访问，风险可控",
    "最小必要、用途明确，风险可控",
    "按岗位授权、全程留痕，风险可控",
];
/// Who may have what is shared on conditions.
pub(super) const SCOPES: [&str; 4] = [
    "县级以上政府相关职能部门",
    "市、区两级业务主管部门",
    "依法履行审批职责的部门",
    "依法履行监督管理职责的部门",
];
/// On what condition.
pub(super) const CONDITIONS: [&str; 4] = [
    "仅限核验，不得留存",
    "不得向第三方提供",
    "按次调用并记录事由",
    "用毕三十日内销毁",
];

use BasisInstrument::{AdministrativeRegulation, Law};
use Class::{Closed, Limited, Open, Personal};
use UpdateFrequency::{Daily, HalfYearly, Irregular, Monthly, Quarterly, RealTime, Weekly, Yearly};

const fn dataset(
    name: &'static str,
    subject: &'static str,
    class: Class,
    frequency: UpdateFrequency,
    items: &'static str,
) -> Dataset {
    Dataset {
        name,
        subject,
        class,
        frequency,
        items,
    }
}

/// The departments, sixty kinds of data in all.
#[rustfmt::skip]
pub(super) const DEPARTMENTS: [Department; 12] = [
    Department { name: "民政局", letters: "MZ", offices: ["社会救助科", "社会事务科"], datasets: [
        dataset("最低生活保障家庭信息", "在保家庭", Personal("社会救助家庭经济状况核对"), Monthly, "户主姓名 C50,户主公民身份号码 C18!,家庭人口 N2,月保障金额 N10,起始月份 C6,致困原因 C100,开户银行 C60"),
        dataset("特困人员救助供养信息", "特困供养人员", Personal("医疗救助资格认定"), Monthly, "姓名 C50,公民身份号码 C18!,供养方式 C20,自理能力评定 C20,供养机构 C100,月供养标准 N10,起始日期 D"),
        dataset("养老机构备案信息", "养老机构", Open, Quarterly, "机构名称 C100,统一社会信用代码 C18,备案日期 D,核定床位数 N5,护理型床位数 N5,机构地址 C200,服务电话 C20"),
        dataset("社会组织登记信息", "社会组织", Open, Weekly, "组织名称 C100,统一社会信用代码 C18,组织类型 C20,登记日期 D,业务主管单位 C100,登记状态 C10,住所 C200"),
        dataset("收养登记档案目录", "收养登记", Closed("收养人、送养人要求保守收养秘密的应当尊重其意愿", Law, "中华人民共和国民法典", "第一千一百一十条"), Irregular, "登记编号 C20,收养人姓名 C50,登记日期 D,登记机关 C100,档案位置 C50,经办人 C50,备注 C200"),
    ] },
    Department { name: "人力资源和社会保障局", letters: "RS", offices: ["就业促进科", "社会保险科"], datasets: [
        dataset("失业登记信息", "失业登记人员", Personal("就业援助与社会救助核对"), Daily, "姓名 C50,公民身份号码 C18!,登记日期 D,失业原因 C50,登记状态 C10,原工作单位 C100,服务机构 C100"),
        dataset("职业技能培训补贴发放信息", "补贴领取人", Personal("财政补贴资金监督"), Monthly, "姓名 C50,公民身份号码 C18!,培训工种 C50,培训机构 C100,补贴金额 N10,发放日期 D,证书编号 C30"),
        dataset("劳动人事争议仲裁案件统计", "仲裁案件", Open, Quarterly, "统计期 C6,受理件数 N6,结案件数 N6,调解结案率 N5,涉及人数 N6,涉案金额 N14,平均办理天数 N5"),
        dataset("人力资源服务机构许可信息", "许可机构", Open, Weekly, "机构名称 C100,统一社会信用代码 C18,许可证编号 C30,许可范围 C200,发证日期 D,有效期至 D,机构地址 C200"),
        dataset("工伤认定信息", "工伤职工", Personal("工伤保险待遇核定"), Weekly, "姓名 C50,公民身份号码 C18!,用人单位 C100,事故日期 D,认定结论 C50,认定日期 D,伤残等级 C10"),
    ] },
    Department { name: "市场监督管理局", letters: "SC", offices: ["登记注册科", "信用监督管理科"], datasets: [
        dataset("经营主体登记信息", "经营主体", Open, Daily, "企业名称 C200,统一社会信用代码 C18,企业类型 C50,法定代表人 C50,注册资本 N16,成立日期 D,登记状态 C20"),
        dataset("食品经营许可信息", "许可证", Open, Daily, "经营者名称 C200,统一社会信用代码 C18,许可证编号 C30,主体业态 C50,经营项目 C200,发证日期 D,有效期至 D"),
        dataset("特种设备使用登记信息", "特种设备", Limited("安全生产监督管理"), Weekly, "设备注册代码 C20,设备类别 C50,使用单位 C200,使用地点 C200,下次检验日期 D,使用状态 C10,维护保养单位 C200"),
        dataset("行政处罚信息", "处罚决定", Open, Daily, "决定书文号 C50,当事人名称 C200,统一社会信用代码 C18,违法行为类型 C100,处罚种类 C50,处罚日期 D,公示期限 C10"),
        dataset("消费者投诉举报受理信息", "投诉举报件", Limited("跨部门联合监管"), Daily, "登记编号 C30,被投诉主体 C200,商品服务类别 C50,投诉事由 C200,受理日期 D,办理结果 C50,办结日期 D"),
    ] },
    Department { name: "卫生健康局", letters: "WJ", offices: ["医政医管科", "疾病预防控制科"], datasets: [
        dataset("医疗机构执业登记信息", "医疗机构", Open, Weekly, "机构名称 C100,登记号 C30,诊疗科目 C500,执业地址 C200,核定床位数 N5,有效期至 D,机构等级 C20"),
        dataset("预防接种门诊信息", "接种门诊", Open, Quarterly, "门诊名称 C100,所属机构 C100,服务时间 C100,可接种疫苗 C500,地址 C200,咨询电话 C20,经度纬度 C30"),
        dataset("出生医学证明签发信息", "新生儿", Personal("户口登记与生育保险核对"), Daily, "证明编号 C20,新生儿姓名 C50,出生日期 D,母亲姓名 C50,母亲证件号码 C18!,签发机构 C100,签发日期 D"),
        dataset("艾滋病抗病毒治疗随访信息", "随访对象", Closed("未经本人同意不得公开感染者和病人的个人信息", AdministrativeRegulation, "艾滋病防治条例", "第三十九条第二款"), Irregular, "随访编号 C20!,随访日期 D,治疗机构 C100,用药方案 C100!,随访结果 C100!,下次随访日期 D,备注 C200"),
        dataset("公共场所卫生许可信息", "许可证", Open, Weekly, "单位名称 C200,统一社会信用代码 C18,许可证编号 C30,许可项目 C100,经营地址 C200,有效期至 D,量化等级 C10"),
    ] },
    Department { name: "教育局", letters: "JY", offices: ["基础教育科", "招生考试中心"], datasets: [
        dataset("中小学校基本信息", "学校", Open, Yearly, "学校名称 C100,学校标识码 C10,办学类型 C50,办学地址 C200,在校生数 N6,专任教师数 N6,联系电话 C20"),
        dataset("义务教育学位供给信息", "学位", Open, Yearly, "学校名称 C100,招生年度 C4,计划班数 N4,计划学位数 N6,招生地段 C500,公示日期 D,咨询电话 C20"),
        dataset("学生资助发放信息", "受助学生", Personal("社会救助家庭经济状况核对"), HalfYearly, "学生姓名 C50,证件号码 C18!,就读学校 C100,资助项目 C50,资助金额 N10,发放日期 D,监护人姓名 C50"),
        dataset("校外培训机构许可信息", "培训机构", Open, Monthly, "机构名称 C100,统一社会信用代码 C18,办学许可证号 C30,培训类别 C50,办学地址 C200,有效期至 D,资金监管账户银行 C60"),
        dataset("未成年人专门教育评估信息", "评估对象", Closed("不得披露案件中可能识别未成年人身份的信息", Law, "中华人民共和国未成年人保护法", "第一百零三条"), Irregular, "评估编号 C20!,评估日期 D,评估机构 C100,评估结论 C200!,执行学校 C100,复评日期 D,备注 C200"),
    ] },
    Department { name: "住房和建设局", letters: "ZJ", offices: ["住房保障科", "建筑工程管理科"], datasets: [
        dataset("公共租赁住房配租信息", "配租家庭", Personal("住房保障资格复核"), Quarterly, "申请人姓名 C50,公民身份号码 C18!,保障方式 C20,配租地址 C200,建筑面积 N8,月租金 N10,合同期限 C20"),
        dataset("建筑工程施工许可信息", "施工项目", Open, Weekly, "项目名称 C200,许可证编号 C30,建设单位 C200,施工单位 C200,合同价款 N16,发证日期 D,建设规模 C100"),
        dataset("房屋安全鉴定信息", "房屋", Limited("城市安全隐患排查"), Monthly, "房屋地址 C200,建成年份 C4,结构类型 C20,鉴定机构 C200,鉴定等级 C10,鉴定日期 D,处置建议 C200"),
        dataset("商品房预售许可信息", "预售项目", Open, Weekly, "项目名称 C200,预售许可证号 C30,开发企业 C200,预售面积 N12,预售套数 N6,发证日期 D,监管账户银行 C60"),
        dataset("物业服务企业备案信息", "物业服务企业", Open, Monthly, "企业名称 C200,统一社会信用代码 C18,服务项目 C200,服务面积 N12,项目负责人 C50,合同到期日期 D,投诉电话 C20"),
    ] },
    Department { name: "规划和自然资源局", letters: "GZ", offices: ["不动产登记科", "国土空间规划科"], datasets: [
        dataset("不动产登记信息", "不动产单元", Personal("社会救助与住房保障核对"), RealTime, "不动产单元号 C28,权利人 C50,证件号码 C18!,坐落 C200,建筑面积 N12,登记时间 DT,权利类型 C50"),
        dataset("国有建设用地供应信息", "地块", Open, Monthly, "地块编号 C30,土地位置 C200,用地性质 C50,供地面积 N12,成交价款 N16,供地方式 C20,合同签订日期 D"),
        dataset("地质灾害隐患点信息", "隐患点", Limited("应急处置与防灾减灾"), Quarterly, "隐患点编号 C20,灾害类型 C50,具体位置 C200!,威胁户数 N6,威胁人数 N6,风险等级 C10,责任人 C50"),
        dataset("建设工程规划许可信息", "建设项目", Open, Weekly, "项目名称 C200,许可证编号 C30,建设单位 C200,建设位置 C200,建筑面积 N12,发证日期 D,容积率 N5"),
        dataset("地名地址标准信息", "标准地址", Open, Monthly, "地址编码 C30,标准地址 C200,所属社区 C50,门牌类型 C20,经度 N11,纬度 N11,启用日期 D"),
    ] },
    Department { name: "城市管理和综合执法局", letters: "CG", offices: ["执法监督科", "市容环境科"], datasets: [
        dataset("生活垃圾收运点位信息", "点位", Open, Quarterly, "点位名称 C100,点位地址 C200,垃圾类别 C50,日均收运量 N8,收运单位 C200,收运时间 C50,负责人 C50"),
        dataset("户外广告设施许可信息", "广告设施", Open, Monthly, "设施编号 C30,设置人 C200,设置位置 C200,设施规格 C50,许可期限 C50,批准日期 D,安全检测日期 D"),
        dataset("违法建设查处信息", "违法建设", Limited("不动产登记与施工许可审查"), Weekly, "案件编号 C30,违建地址 C200,违建面积 N10,当事人 C100,查处阶段 C50,决定日期 D,拆除日期 D"),
        dataset("公共厕所基础信息", "公共厕所", Open, HalfYearly, "公厕名称 C100,公厕等级 C10,地址 C200,厕位数量 N4,无障碍设施 C20,开放时间 C50,管理单位 C100"),
        dataset("燃气经营许可信息", "燃气企业", Open, Monthly, "企业名称 C200,许可证编号 C30,经营类别 C50,供应区域 C200,发证日期 D,有效期至 D,应急抢修电话 C20"),
    ] },
    Department { name: "农业农村局", letters: "NY", offices: ["农村经营管理科", "动植物防疫科"], datasets: [
        dataset("农村土地承包经营权信息", "承包地块", Personal("涉农补贴核发"), Yearly, "承包方代表 C50,证件号码 C18!,地块编码 C20,地块名称 C50,承包面积 N10,承包期限 C50,确权证书号 C30"),
        dataset("农民专业合作社名录", "合作社", Open, Quarterly, "合作社名称 C100,统一社会信用代码 C18,主营产品 C100,成员户数 N6,示范社级别 C20,成立日期 D,联系人 C50"),
        dataset("动物检疫证明出证信息", "检疫证明", Limited("食品安全追溯"), Daily, "证明编号 C30,货主 C100,动物种类 C50,数量 N8,启运地点 C200,到达地点 C200,出证日期 D"),
        dataset("耕地地力保护补贴信息", "补贴农户", Personal("财政补贴资金监督"), Yearly, "户主姓名 C50,公民身份号码 C18!,补贴面积 N10,补贴标准 N8,补贴金额 N10,发放日期 D,开户银行 C60"),
        dataset("农业机械购置补贴信息", "购机者", Open, Monthly, "机具品目 C50,机具型号 C50,购机数量 N4,生产企业 C200,补贴金额 N10,公示日期 D,所在村居 C50"),
    ] },
    Department { name: "司法局", letters: "SF", offices: ["公共法律服务科", "社区矫正科"], datasets: [
        dataset("法律援助受理信息", "受援人", Personal("司法救助与社会救助衔接"), Weekly, "受理编号 C30,受援人姓名 C50,证件号码 C18!,案件类型 C50,援助机构 C100,受理日期 D,承办律师 C50"),
        dataset("律师事务所执业信息", "律师事务所", Open, Monthly, "事务所名称 C100,执业许可证号 C30,组织形式 C20,负责人 C50,办公地址 C200,批准日期 D,执业律师人数 N4"),
        dataset("人民调解案件信息", "调解案件", Limited("矛盾纠纷排查化解"), Monthly, "案件编号 C30,调解委员会 C100,纠纷类型 C50,受理日期 D,调解结果 C50,协议编号 C30,结案日期 D"),
        dataset("未成年社区矫正对象信息", "矫正对象", Closed("未成年社区矫正对象的身份信息应当保密", Law, "中华人民共和国社区矫正法", "第五十四条"), Irregular, "档案编号 C20!,入矫日期 D,矫正期限 C50,矫正小组 C100,监护责任人 C50!,解矫日期 D,备注 C200"),
        dataset("公证机构信息", "公证机构", Open, Yearly, "机构名称 C100,统一社会信用代码 C18,执业证号 C30,执业区域 C100,公证员人数 N4,办公地址 C200,咨询电话 C20"),
    ] },
    Department { name: "应急管理局", letters: "YJ", offices: ["安全生产基础科", "应急指挥中心"], datasets: [
        dataset("危险化学品经营许可信息", "许可企业", Open, Monthly, "企业名称 C200,统一社会信用代码 C18,许可证编号 C30,许可范围 C500,经营方式 C50,有效期至 D,经营地址 C200"),
        dataset("应急避难场所信息", "避难场所", Open, HalfYearly, "场所名称 C100,场所类型 C50,地址 C200,有效面积 N12,可容纳人数 N8,启用条件 C200,管理单位 C100"),
        dataset("应急救援物资储备信息", "储备物资", Limited("突发事件应急处置"), Monthly, "仓库名称 C100,物资名称 C100,规格型号 C50,库存数量 N10!,计量单位 C10,入库日期 D,有效期至 D"),
        dataset("生产安全事故统计信息", "事故", Open, Quarterly, "统计期 C6,行业类别 C50,事故起数 N6,死亡人数 N6,受伤人数 N6,直接经济损失 N14,同比变化 N6"),
        dataset("重大危险源备案信息", "重大危险源", Limited("消防救援与应急预案编制"), Quarterly, "备案编号 C30,企业名称 C200,危险源名称 C100,危险源等级 C10,具体位置 C200!,备案日期 D,安全负责人 C50"),
    ] },
    Department { name: "文化广电旅游体育局", letters: "WL", offices: ["公共服务科", "市场管理科"], datasets: [
        dataset("公共文化设施信息", "文化设施", Open, Yearly, "设施名称 C100,设施类型 C50,地址 C200,建筑面积 N12,开放时间 C100,年服务人次 N10,服务电话 C20"),
        dataset("旅行社经营许可信息", "旅行社", Open, Monthly, "旅行社名称 C100,统一社会信用代码 C18,许可证编号 C30,经营范围 C200,质量保证金 N12,发证日期 D,投诉电话 C20"),
        dataset("不可移动文物信息", "文物点", Limited("建设项目选址审查"), Yearly, "文物名称 C100,文物编号 C20,保护级别 C20,年代 C50,地址 C200,保护范围 C500,保存现状 C50"),
        dataset("互联网上网服务场所信息", "营业场所", Open, Monthly, "场所名称 C100,统一社会信用代码 C18,许可证编号 C30,机器台数 N4,经营地址 C200,有效期至 D,法定代表人 C50"),
        dataset("体育场地普查信息", "体育场地", Open, Yearly, "场地名称 C100,场地类型 C50,地址 C200,场地面积 N12,建成年份 C4,开放情况 C50,管理单位 C100"),
    ] },
];
