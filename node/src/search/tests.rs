use identity::{CreditCode, Moment, Path as Place};
use sharing::catalogue::{Assessment, DataItem, Entry};
use statute::{ClassTerms, Grade, Method, ShareClass, UpdateFrequency};

use super::*;

fn published(
    publisher: &str,
    id: &str,
    name: &str,
    summary: &str,
    items: &[&str],
) -> PublishedEntry {
    let none = || Assessment::NotApplicable {
        reason: "无".to_owned(),
    };
    let item = |name: &&str| DataItem {
        name: (*name).to_owned(),
        kind: "C18".to_owned(),
        grade: Grade::ALL[0],
    };
    let publisher: Place = publisher.parse().unwrap();
    PublishedEntry {
        publisher,
        published_at: Moment::from_millis(0),
        entry: Entry {
            id: id.parse().unwrap(),
            version: 1,
            name: name.to_owned(),
            summary: summary.to_owned(),
            provider: CREDIT_CODE.parse::<CreditCode>().unwrap(),
            provider_name: "广州市民政局".to_owned(),
            items: items.iter().map(item).collect(),
            format: "CSV".to_owned(),
            frequency: UpdateFrequency::ALL[0],
            terms: ClassTerms::Unconditional,
            methods: vec![Method::ALL[0]],
            grade: Grade::ALL[0],
            personal_information: false,
            secrecy_assessment: none(),
            privacy_assessment: none(),
            collection: None,
        },
    }
}

const CREDIT_CODE: &str = "91440300192203821X";
const GUANGZHOU: &str = "100000/440000/440100";

fn sample() -> Vec<PublishedEntry> {
    vec![
        published(
            GUANGZHOU,
            "A-1",
            "中国农业发展银行贷款信息",
            "贷款发放情况",
            &["贷款编号", "金额"],
        ),
        published(
            GUANGZHOU,
            "A-2",
            "工业企业名录",
            "农村与城市的各业企业",
            &["企业名称", "统一社会信用代码"],
        ),
        published(
            GUANGZHOU,
            "A-3",
            "婚姻登记信息",
            "含农业人口的结婚与离婚登记",
            &["姓名", "登记日期"],
        ),
        published(
            "100000/mps",
            "A-1",
            "居民身份证 ID Card 信息",
            "公民身份号码核验",
            &["姓名", "公民身份号码"],
        ),
        published("100000/440000", "B-1", "农 业", "空格隔开", &["业农"]),
    ]
}

fn filled() -> (tempfile::TempDir, SearchIndex) {
    let dir = tempfile::tempdir().unwrap();
    let (index, state) = SearchIndex::open(&dir.path().join("search")).unwrap();
    assert!(matches!(state, State::NeedsRebuild { .. }));
    index.rebuild_from(sample().into_iter(), 7).unwrap();
    (dir, index)
}

fn names(index: &SearchIndex, text: &str) -> Vec<String> {
    index
        .search(text, MAX_HITS)
        .unwrap()
        .hits
        .into_iter()
        .map(|hit| hit.name)
        .collect()
}

#[test]
fn agriculture_is_found_inside_the_bank_and_not_in_scattered_characters() {
    let (_dir, index) = filled();
    // The name counts more than the summary; 农村…各业, 农 业 and 业农 are no hits.
    assert_eq!(
        names(&index, "农业"),
        ["中国农业发展银行贷款信息", "婚姻登记信息"]
    );
    assert_eq!(names(&index, "农业发展银行"), ["中国农业发展银行贷款信息"]);
    assert_eq!(names(&index, "农业银行"), Vec::<String>::new());
    assert_eq!(names(&index, "发展农业"), Vec::<String>::new());
}

#[test]
fn every_word_must_occur_in_some_field() {
    let (_dir, index) = filled();
    assert_eq!(names(&index, "登记 姓名"), ["婚姻登记信息"]);
    assert_eq!(names(&index, "姓名 身份证"), ["居民身份证 ID Card 信息"]);
    assert_eq!(names(&index, "登记 贷款"), Vec::<String>::new());
    assert_eq!(names(&index, "民政局").len(), 5);
}

#[test]
fn a_single_character_is_found_wherever_it_stands() {
    let (_dir, index) = filled();
    let mut found = names(&index, "业");
    found.sort();
    assert_eq!(
        found,
        [
            "中国农业发展银行贷款信息",
            "农 业",
            "婚姻登记信息",
            "工业企业名录"
        ]
    );
    assert_eq!(names(&index, "录").len(), 1);
}

#[test]
fn words_of_other_scripts_are_found_in_any_case_and_width() {
    let (_dir, index) = filled();
    for text in ["id card", "ID", "Ｃａｒｄ"] {
        assert_eq!(names(&index, text), ["居民身份证 ID Card 信息"], "{text}");
    }
    assert_eq!(names(&index, "car"), Vec::<String>::new());
}

#[test]
fn whatever_is_typed_is_taken_as_it_stands() {
    let (_dir, index) = filled();
    for text in [
        "",
        " ",
        "*",
        "name:农业 OR *",
        "\"",
        "(农业",
        "农业 AND",
        "[a TO b]",
        "\u{0}",
        "+-!^~",
        "🀄",
    ] {
        index.search(text, 10).unwrap();
    }
    assert_eq!(names(&index, "(农业)~2^"), Vec::<String>::new());
    assert_eq!(names(&index, "（农业）！"), names(&index, "农业"));
    let long = format!("农业{}{}", "，".repeat(MAX_QUERY_CHARS), "不存在");
    assert_eq!(names(&index, &long), names(&index, "农业"));
}

#[test]
fn hits_carry_what_is_shown_and_the_size_of_the_catalogue() {
    let (_dir, index) = filled();
    let found = index.search("身份号码", 10).unwrap();
    assert_eq!(found.catalogue, 5);
    let hit = &found.hits[0];
    assert_eq!(
        (
            hit.publisher.to_string().as_str(),
            hit.id.as_str(),
            hit.version
        ),
        ("100000/mps", "A-1", 1)
    );
    assert_eq!(
        (hit.provider_name.as_str(), hit.class),
        ("广州市民政局", ShareClass::Unconditional)
    );
    assert!(hit.score > 0);
    assert_eq!(index.search("信息", 2).unwrap().hits.len(), 2);
    assert_eq!(index.search("信息", 0).unwrap().hits.len(), 0);
}

#[test]
fn an_entry_is_found_by_its_exact_id_and_then_carries_its_items() {
    let (_dir, index) = filled();
    let wide = ["甲".repeat(200).as_str(); 15].map(str::to_owned);
    let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
    let person = published("100000/mps", "mps/RK/0001", "人口", "无", &["姓名", "住址"]);
    let many = published("100000/mps", "mps/RK/0002", "人口二", "无", &wide);
    index.apply(&[person, many], &[], 8).unwrap();
    let by = |text: &str| index.search(text, MAX_HITS).unwrap().hits;
    let found = by(" mps/RK/0001 ");
    assert_eq!((found.len(), found[0].name.as_str()), (1, "人口"));
    assert_eq!(found[0].items, ["姓名", "住址"]);
    assert_eq!(found[0].method, Some(Method::ALL[0]));
    // A part of an id is none, and by its words an entry is shown without items.
    assert!(by("mps/RK").is_empty());
    assert!(by("人口").iter().all(|hit| hit.items.is_empty()));
    // A part of the items would pass for all of them.
    assert_eq!(by("mps/RK/0002")[0].items, Vec::<String>::new());
}

#[test]
fn a_new_version_replaces_and_a_withdrawal_removes_only_that_publishers_entry() {
    let (_dir, index) = filled();
    let mut changed = sample().remove(0);
    changed.entry.name = "涉农贷款".to_owned();
    changed.entry.version = 2;
    index.apply(&[changed], &[], 8).unwrap();
    assert_eq!(index.len(), 5);
    assert_eq!(names(&index, "农业发展"), Vec::<String>::new());
    assert_eq!(index.search("涉农", 5).unwrap().hits[0].version, 2);
    index
        .apply(
            &[],
            &[("440100".parse().unwrap(), "A-1".parse().unwrap())],
            9,
        )
        .unwrap();
    assert_eq!(index.len(), 4);
    assert_eq!(names(&index, "涉农"), Vec::<String>::new());
    assert_eq!(names(&index, "身份证").len(), 1);
}

#[test]
fn a_restart_knows_what_was_applied() {
    let (dir, index) = filled();
    index.apply(&[], &[], 42).unwrap();
    drop(index);
    let (index, state) = SearchIndex::open(&dir.path().join("search")).unwrap();
    assert_eq!(state, State::Ready { applied: 42 });
    assert_eq!(names(&index, "农业").len(), 2);
}

#[test]
fn a_damaged_file_asks_for_a_rebuild() {
    let (dir, index) = filled();
    drop(index);
    let folder = dir.path().join("search");
    let files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let data: Vec<&PathBuf> = files
        .iter()
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
        .collect();
    assert!(data.len() > 3);
    for victim in data {
        let before: Vec<(PathBuf, Vec<u8>)> = files
            .iter()
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        let mut bytes = fs::read(victim).unwrap();
        let middle = bytes.len() / 3;
        bytes[middle] ^= 0xFF;
        fs::write(victim, &bytes).unwrap();
        let (index, state) = SearchIndex::open(&folder).unwrap();
        assert!(
            matches!(state, State::NeedsRebuild { .. }),
            "{}",
            victim.display()
        );
        index.rebuild_from(sample().into_iter(), 1).unwrap();
        assert_eq!(names(&index, "农业").len(), 2);
        drop(index);
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        for (path, bytes) in before {
            fs::write(path, bytes).unwrap();
        }
    }
}

#[test]
fn many_small_batches_do_not_pile_up_segments() {
    let (_dir, index) = filled();
    for n in 0..60 {
        index
            .apply(
                &[published(
                    GUANGZHOU,
                    &format!("C-{n}"),
                    "许可证",
                    "摘要",
                    &[],
                )],
                &[],
                n,
            )
            .unwrap();
    }
    assert_eq!(index.len(), 65);
    assert!(index.index.searchable_segment_metas().unwrap().len() < 20);
}
