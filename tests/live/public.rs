//! The public at a running node, over HTTP and without a token: the opening catalogue, a file for everyone, an application and its receipt
//! (Shenyang S24 to S27), a complaint (R37).

use guantong_tests::live::{Federation, beijing, two_provinces};
use guantong_tests::stage::{code, conditional, provider};
use guantong_tests::{Department, Person};
use identity::Code;
use node::cli::client::encode;
use node::public::limits::MAX_OPENED_PER_ADDRESS;
use serde_json::{Value, json};
use sharing::act::ActBody;
use sharing::catalogue::Entry;
use sharing::complaint::ComplaintAct;
use sharing::open_data::{OpenAnswer, OpenDataAct, OpenFile};
use statute::{OpenFormat, OpeningReplyForm, OpeningTerms, Profile, Role};

const CONTENT: &[u8] = "代码,名称\n1,市府大路\n".as_bytes();

/// 和平区 under Shenyang's rules with a published entry, the rest under the Regulation alone.
fn opened(terms: OpeningTerms) -> (Federation, Department, Entry) {
    let now = beijing("2026-03-09T10:00");
    let mut live = Federation::start_with(&two_provinces(), now, |node, me| {
        if node == code("210102") {
            me.profile = Profile::shenyang();
        }
    });
    let (department, entry) = provider(&mut live, "210102", conditional());
    let act = OpenDataAct::Mark {
        entry: entry.version_ref(),
        terms,
        contains: vec![],
    };
    done(&live, &department, Role::DepartmentHead, act);
    (live, department, entry)
}

fn done(live: &Federation, department: &Department, role: Role, act: OpenDataAct) {
    let person = Person::of(department, role, live.now());
    let act = ActBody::OpenData(act);
    live.act(department.node, &person, act).expect("accepted");
}

fn identifier(node: Code, entry: &Entry) -> String {
    format!("{node}:{}", entry.id)
}

#[test]
fn whoever_has_no_token_reads_the_opening_catalogue_and_takes_the_file() {
    let (live, department, entry) = opened(OpeningTerms::Unconditional {
        formats: vec![OpenFormat::Csv],
    });
    let file = OpenFile {
        format: OpenFormat::Csv,
        object: live.upload(department.node, "站点.csv", CONTENT),
    };
    let entry_id = entry.id.clone();
    let act = OpenDataAct::Publish {
        entry: entry_id,
        file,
    };
    done(&live, &department, Role::Operator, act);
    let listed = live
        .public_get(department.node, "/open/v1/catalogue")
        .json();
    let item = &listed["items"][0];
    assert_eq!(item["identifier"], identifier(department.node, &entry));
    assert_eq!(item["access_rights_zh"], "无条件开放");
    let one = format!(
        "/open/v1/catalogue/{}",
        encode(&identifier(department.node, &entry))
    );
    assert_eq!(live.public_get(department.node, &one).json(), *item);
    let url = item["distribution"][0]["download_url"]
        .as_str()
        .expect("a url");
    let taken = live.public_get(department.node, url);
    assert_eq!((taken.status, taken.body.as_slice()), (200, CONTENT));
    assert!(taken.headers["content-disposition"].starts_with("attachment"));
    let page = live.public_get(department.node, "/open");
    let text = String::from_utf8(page.body).expect("a text");
    assert!(text.contains("低保对象信息") && text.contains("无条件开放"));
    assert!(page.headers["content-security-policy"].starts_with("default-src 'none'"));
    // Nothing of the operators' comes with it.
    for path in ["/api/v1/dockets", "/api/v1/node", "/api/v1/catalogue/own"] {
        assert_eq!(live.public_get(department.node, path).status, 401);
    }
    // Under the Regulation alone there is no opening catalogue.
    let national = live.public_get(code("440106"), "/open/v1/catalogue");
    assert_eq!(
        (national.status, &national.json()["article"]),
        (422, &json!("R2"))
    );
}

#[test]
fn an_application_is_taken_without_a_token_and_read_by_its_receipt_alone() {
    let (live, department, entry) = opened(OpeningTerms::OnApplication {
        grounds: vec!["《中华人民共和国个人信息保护法》第十三条".into()],
    });
    let node = department.node;
    let asked = json!({
        "identifier": identifier(node, &entry),
        "text": "<script>alert(1)</script> 研究公交客流",
        "contact": "wangwu@example.cn",
        "written": true,
    });
    let taken = live.public_post(node, "/open/v1/applications", &asked);
    assert_eq!(taken.status, 201);
    let received = taken.json();
    let state = received["state"].as_str().expect("where it is read");
    let before = live.public_get(node, state);
    assert_eq!(before.headers["cache-control"], "no-store");
    let before = before.json();
    assert_eq!(before["state"], "opening-applied-for");
    assert_eq!(before["due"], beijing("2026-03-31T00:00").as_millis());
    // Neither another receipt nor the number of the case opens it.
    let docket = received["docket"].as_str().expect("a docket");
    for wrong in [&"0".repeat(32), docket, "x"] {
        let path = format!("/open/v1/applications/{wrong}");
        assert_eq!(live.public_get(node, &path).status, 404);
    }
    let act = OpenDataAct::Answer {
        docket: docket.parse().expect("an id"),
        form: OpeningReplyForm::Written,
        answer: OpenAnswer::Opened {
            how: "凭回执码下载".into(),
            object: Some(live.upload(node, "站点.csv", CONTENT)),
        },
    };
    done(&live, &department, Role::Operator, act);
    let after = live.public_get(node, state).json();
    assert_eq!(
        (&after["state"], &after["due"]),
        (&json!("opened"), &Value::Null)
    );
    let file = after["file"].as_str().expect("a file");
    assert_eq!(live.public_get(node, file).body, CONTENT);
    // Nothing of what was written stands on the public page.
    let page = String::from_utf8(live.public_get(node, "/open").body).expect("a text");
    assert!(!page.contains("<script>") && !page.contains("wangwu"));
    // The connection's own address is what is counted.
    for _ in 1..MAX_OPENED_PER_ADDRESS {
        let taken = live.public_post(node, "/open/v1/applications", &asked);
        assert_eq!(taken.status, 201);
    }
    let refused = live.public_post(node, "/open/v1/applications", &asked);
    assert_eq!(refused.status, 429);
    assert!(
        refused.headers["retry-after"]
            .parse::<u64>()
            .expect("seconds")
            <= 3_601
    );
    assert_eq!(refused.headers["content-type"], "application/problem+json");
}

#[test]
fn a_complaint_is_taken_without_a_token_and_shown_to_those_alone_who_deal_with_it() {
    let live = Federation::start(&two_provinces(), beijing("2026-03-09T10:00"));
    let node = code("440106");
    let said = json!({
        "about": "区民政局",
        "text": "未经同意使用我的信息",
        "contact": "13900000000",
    });
    let taken = live.public_post(node, "/open/v1/complaints", &said);
    assert_eq!(taken.status, 201);
    let received = taken.json();
    let state = received["state"].as_str().expect("where it is read");
    let docket = received["docket"].as_str().expect("a docket");
    // A receipt of one kind of case opens none of the other.
    let other = state.replace("complaints", "applications");
    assert_eq!(live.public_get(node, &other).status, 404);
    let shown = |path: &str| {
        let text = |body: Vec<u8>| String::from_utf8(body).expect("a text");
        (
            text(live.viewer_get(node, path).body).contains("13900000000"),
            live.get(node, path).to_string().contains("13900000000"),
        )
    };
    // The administrator's token sees it, a viewer's sees that there is a case.
    assert_eq!(shown(&format!("/dockets/{docket}/private")), (false, true));
    assert_eq!(shown(&format!("/dockets/{docket}")), (false, false));
    assert_eq!(shown("/dockets"), (false, false));
    assert_eq!(shown("/findings"), (false, false));
    assert_eq!(live.public_get(node, state).json()["about"], "区民政局");
    let evidence = format!("/evidence/dockets/{docket}");
    assert_eq!(live.viewer_get(node, &evidence).status, 403);
    let act = ActBody::Complaint(ComplaintAct::Answer {
        docket: docket.parse().expect("an id"),
        answer: "已核实并停止使用".into(),
    });
    let reviewer = Person::of_authority(node, Role::AuthorityReviewer, live.now());
    live.act(node, &reviewer, act).expect("accepted");
    let after = live.public_get(node, state).json();
    assert_eq!(after["answer"], "已核实并停止使用");
    let kept = live.contents(node);
    let bare = json!({ "about": "区民政局", "text": "", "contact": "13911112222" });
    let refused = live.public_post(node, "/open/v1/complaints", &bare);
    assert_eq!(
        (refused.status, &refused.json()["article"]),
        (422, &json!("R37"))
    );
    assert!(!kept.is_empty(), "in its vault");
    assert_eq!(live.contents(node), kept, "nothing is added");
    for contact in [b"13911112222", b"13900000000"] {
        assert!(!live.keeps(node, contact), "in clear");
    }
}

fn page(answered: &guantong_tests::live::Answered) -> String {
    let text = String::from_utf8(answered.body.clone()).expect("a text");
    let headers = &answered.headers;
    assert!(headers["content-type"].starts_with("text/html"));
    assert!(headers["content-security-policy"].starts_with("default-src 'none'"));
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(!text.contains("<script"), "{text}");
    text
}

/// The receipt that a page shows.
fn receipt(page: &str) -> String {
    let (_, after) = page
        .split_once("<dd class=\"mono\"><b>")
        .expect("a receipt");
    after.split('<').next().expect("a receipt").to_owned()
}

#[test]
fn a_complaint_is_written_on_a_page_and_read_with_its_receipt_in_words() {
    let (live, ..) = opened(OpeningTerms::Unconditional {
        formats: vec![OpenFormat::Csv],
    });
    let node = code("440106");
    let form = page(&live.public_get(node, "/open/complaint"));
    assert!(form.contains("method=\"post\"") && form.contains("被投诉的单位"));
    let fields = [
        ("about", "某单位<script>"),
        ("department", ""),
        ("text", "重复索要已共享的证明"),
        ("name", ""),
        ("contact", ""),
    ];
    let taken = live.public_form(node, "/open/complaint?lang=zh", &fields);
    assert_eq!(taken.status, 201);
    let receipt = receipt(&page(&taken));
    let case = live.public_form(node, "/open/case?lang=zh", &[("receipt", &receipt)]);
    assert_eq!(case.status, 200);
    let shown = page(&case);
    assert!(shown.contains("某单位&lt;script&gt;") && !shown.contains("complaint-"));
    let english = live.public_form(node, "/open/case?lang=en", &[("receipt", &receipt)]);
    assert!(page(&english).contains("How a case stands"));
    let unknown = live.public_form(node, "/open/case", &[("receipt", "0")]);
    assert_eq!(unknown.status, 404);
    assert!(page(&unknown).contains("没有此回执码对应的案件"));
    // What is too long, blank or no form is refused on a page, and what was written stands in the form again.
    let blank = live.public_form(node, "/open/complaint", &[("about", "甲"), ("text", " ")]);
    assert_eq!(blank.status, 422);
    assert!(page(&blank).contains("value=\"甲\""));
    let long = "x".repeat(node::public::form::MAX_FORM_BYTES);
    let long = live.public_form(node, "/open/complaint", &[("about", "甲"), ("text", &long)]);
    assert_eq!(long.status, 413);
    page(&long);
    let no_form = live.public_post(
        node,
        "/open/complaint",
        &json!({ "about": "甲", "text": "乙" }),
    );
    assert_eq!(no_form.status, 400);
    page(&no_form);
    for _ in 1..MAX_OPENED_PER_ADDRESS {
        let taken = live.public_form(node, "/open/complaint", &fields);
        assert_eq!(taken.status, 201);
    }
    let refused = live.public_form(node, "/open/complaint", &fields);
    assert_eq!(refused.status, 429);
    assert!(refused.headers.contains_key("retry-after") && page(&refused).contains("请求过多"));
}

#[test]
fn an_application_for_opening_is_written_on_a_page_where_data_is_opened() {
    let (live, department, entry) = opened(OpeningTerms::OnApplication {
        grounds: vec!["《中华人民共和国个人信息保护法》第十三条".into()],
    });
    let node = department.node;
    let identifier = identifier(node, &entry);
    let listed = page(&live.public_get(node, "/open"));
    let link = format!("/open/apply?lang=zh-CN&amp;id={}", encode(&identifier));
    assert!(listed.contains(&link), "{listed}");
    let form = page(&live.public_get(node, &link.replace("&amp;", "&")));
    assert!(form.contains(&format!("value=\"{identifier}\"")));
    let fields = [
        ("identifier", identifier.as_str()),
        ("text", "研究公交客流"),
        ("written", "yes"),
    ];
    let taken = live.public_form(node, "/open/apply", &fields);
    assert_eq!(taken.status, 201);
    let receipt = receipt(&page(&taken));
    let case = page(&live.public_form(node, "/open/case", &[("receipt", &receipt)]));
    assert!(case.contains("答复期限") && !case.contains("opening-applied-for"));
    // Under the Regulation alone there is nothing to apply for, and the page says so.
    let national = live.public_get(code("440106"), "/open/apply");
    assert_eq!(national.status, 422);
    page(&national);
}
