//! The program as operators start it: what it prints, in which language, with which exit code, and what it does with bad input.

mod program;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;

use program::{Running, english, error, folder, guantong, path, result, says};

/// A file of the project.
fn project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)
}

#[test]
fn a_route_is_its_hops_and_the_common_superior() {
    let demo = project("topology/demo.toml");
    let route = english(&[
        "route",
        "--topology",
        path(&demo),
        "--from",
        "440106",
        "--to",
        "210102",
        "--json",
    ]);
    assert_eq!(
        result(&route),
        json!({
            "hops": ["440106", "440100", "440000", "100000", "210000", "210100", "210102"],
            "common_superior": "100000",
        })
    );
}

#[test]
fn a_topology_that_is_no_tree_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("topology.toml");
    let demo = std::fs::read_to_string(project("topology/demo.toml")).unwrap();
    let guangzhou = "code = \"440100\"\nname = \"广州市\"\nparent = \"440000\"";
    assert!(demo.contains(guangzhou));
    let cases = [
        ("parent = \"440100\"", "440100"), // its own parent
        ("parent = \"440106\"", "440106"), // a cycle with its child
        ("parent = \"999999\"", "999999"), // a parent that is not there
        ("", "440100"),                    // an orphan
    ];
    for (parent, named) in cases {
        let wrong = guangzhou.replace("parent = \"440000\"", parent);
        std::fs::write(&file, demo.replace(guangzhou, &wrong)).unwrap();
        let refused = english(&[
            "route",
            "--json",
            "--topology",
            path(&file),
            "--from",
            "440106",
            "--to",
            "100000",
        ]);
        let error = error(&refused);
        assert_eq!(error["exit"], 2, "{parent}");
        assert!(says(&error, named) && says(&error, path(&file)), "{error}");
    }
}

#[test]
fn a_deadline_has_its_date_and_what_it_rests_on() {
    let ten_days = english(&[
        "deadline",
        "--from",
        "2026-02-13",
        "--working-days",
        "10",
        "--json",
    ]);
    let deadline = result(&ten_days);
    // 14 February (worked), 24 to 28 February after nine days off for the Spring Festival, 2 to 5 March: ten days.
    assert_eq!(deadline["due"], "2026-03-05");
    assert_eq!(deadline["provisional"], false);
    assert!(!deadline["basis"].as_array().unwrap().is_empty());
    let far = english(&[
        "deadline",
        "--from",
        "2031-02-10",
        "--working-days",
        "10",
        "--json",
    ]);
    assert_eq!(result(&far)["provisional"], true, "no notice for that year");
}

#[test]
fn a_deadline_counts_by_the_notices_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let [good, bad] = ["2027.toml", "32.toml"].map(|name| folder.path().join(name));
    let text = "year = 2027\nnumber = \"甲\"\ntitle = \"乙\"\nworking_weekends = []\n\
                [[off]]\nname = \"元旦\"\nfrom = \"2027-01-01\"\nto = \"2027-01-03\"\n";
    std::fs::write(&good, text).unwrap();
    std::fs::write(&bad, text.replace("01-03", "01-32")).unwrap();
    let asked = [
        "deadline",
        "--json",
        "--from",
        "2026-12-28",
        "--working-days",
        "10",
    ];
    let with = |file: &Path| {
        let more = ["--calendar", path(file)];
        english(&[asked.as_slice(), &more].concat())
    };
    let without = result(&english(&asked));
    assert_eq!(
        (&without["due"], &without["provisional"]),
        (&"2027-01-11".into(), &true.into())
    );
    let known = result(&with(&good));
    assert_eq!(
        (&known["due"], &known["provisional"]),
        (&"2027-01-12".into(), &false.into())
    );
    let refused = error(&with(&bad));
    assert!(
        refused["exit"] == 3 && says(&refused, path(&bad)),
        "{refused}"
    );
}

#[test]
fn errors_are_chinese_first_and_english_by_lang() {
    let args = ["status", "--node", "http://127.0.0.1:1", "--token", "x"];
    let said = |lang: &str| {
        let output = guantong(lang).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(5), "nobody answers there");
        String::from_utf8(output.stderr).unwrap()
    };
    let english = said("en_GB.UTF-8");
    assert!(english.starts_with("error: ") && english.contains("what to do: "));
    for lang in ["zh_CN.UTF-8", "C", ""] {
        let chinese = said(lang);
        assert!(
            chinese.starts_with("错误：") && chinese.contains("办法："),
            "{lang}: {chinese}"
        );
    }
}

#[test]
fn a_line_that_cannot_be_parsed_is_answered_in_the_language_asked_for() {
    let said = |lang: &str| {
        let mut line = guantong(lang);
        let output = line
            .args(["deadline", "--from", "2026-02-30"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{lang}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said("zh_CN.UTF-8").starts_with("错误：参数 --from <DATE>"));
    assert!(said("en_GB.UTF-8").starts_with("error: invalid value"));
}

#[test]
fn a_reader_who_had_enough_is_no_error() {
    for args in [&["completions", "zsh"][..], &["catalogue", "schema"][..]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut line = guantong("en_US.UTF-8");
        line.args(args).stdout(writer).stderr(Stdio::piped());
        let output = line.spawn().unwrap().wait_with_output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    }
}

#[test]
fn a_line_that_cannot_be_parsed_is_one_json_error_when_json_is_asked_for() {
    for line in [
        vec!["--json", "deadline", "--from", "2026-02-30"],
        vec!["route", "--topolgy", "x", "--json"],
        vec!["no-such-command", "--json"],
        vec!["catalogue", "--json"],
    ] {
        let error = error(&english(&line));
        assert_eq!(error["exit"], 2, "{line:?}");
        assert!(!error["error"].as_str().unwrap().is_empty(), "{line:?}");
    }
    assert!(says(
        &error(&english(&["route", "--topolgy", "x", "--json"])),
        "--topolgy"
    ));
    let plain = english(&["route", "--topolgy", "x"]);
    assert_eq!(plain.status.code(), Some(2));
    assert!(plain.stdout.is_empty() && plain.stderr.starts_with(b"error: "));
    assert!(english(&["--help", "--json"]).status.success());
}

#[test]
fn a_lawful_refusal_has_its_exit_code_and_its_article() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("entries.jsonl");
    let entry = json!({
        "id": "440106/MZ/0001", "name": "低保家庭信息", "summary": "在保低保家庭",
        "provider": "11440106007512345X", "provider_name": "天河区民政局",
        "items": [{"name": "户主姓名", "kind": "C50", "grade": "一般数据"}], "frequency": "每月",
        "terms": {"有条件共享": {"scope": ["县级以上民政部门"], "uses": ["社会救助核对"], "conditions": []}},
        "methods": ["文件下载"], "personal_information": true,
        "secrecy_assessment": {"done": {"by": "李四", "on": "2026-01-05", "conclusion": "不涉密"}},
        "privacy_assessment": {"done": {"by": "李四", "on": "2026-01-05", "conclusion": "风险可控"}},
    });
    std::fs::write(&file, entry.to_string()).unwrap();
    let refused = error(&english(&[
        "catalogue",
        "import",
        path(&file),
        "--check",
        "--json",
    ]));
    assert_eq!(
        (&refused["exit"], &refused["article"]),
        (&3.into(), &"R13".into()),
        "{refused}"
    );
}

#[test]
fn the_demo_tells_its_errors_in_json() {
    let error = error(&english(&[
        "demo",
        "story",
        "--layout",
        "no/such/layout",
        "--json",
    ]));
    assert_eq!(error["exit"], 1);
    assert!(says(&error, "no/such/layout"), "{error}");
}

#[test]
fn a_misspelt_key_of_the_configuration_keeps_a_node_from_running_and_is_named() {
    let (_parent, data) = folder();
    let file = data.join("node.toml");
    let made = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{made}\n[limits]\nconections = 5\n")).unwrap();
    for args in [
        ["run", "--json", "--data", path(&data)],
        ["run", "--json", "--config", path(&file)],
    ] {
        let error = error(&english(&args));
        assert_eq!(error["exit"], 2);
        assert!(says(&error, "conections"), "{error}");
    }
    std::fs::write(&file, made).unwrap();
    let flag = [
        "run",
        "--json",
        "--data",
        path(&data),
        "--set",
        "http.listn=127.0.0.1:0",
    ];
    assert!(says(&error(&english(&flag)), "listn"));
}

#[test]
fn a_profile_that_loosens_keeps_the_node_from_starting() {
    let (parent, data) = folder();
    let file = parent.path().join("lax.toml");
    let rules = std::fs::read_to_string(project("topology/profiles/shenyang.toml")).unwrap();
    let lax = rules.replace("working_days = 5", "working_days = 11");
    assert_ne!(lax, rules);
    std::fs::write(&file, lax).unwrap();
    let profile = format!("profile={}", path(&file));
    let args = ["run", "--json", "--data", path(&data), "--set", &profile];
    let english = error(&english(&args));
    assert_eq!(
        (&english["exit"], &english["article"]),
        (&json!(3), &json!("R21"))
    );
    for part in ["lax.toml", "S20", "R21", "11", "10"] {
        assert!(says(&english, part), "{english}");
    }
    let chinese = error(&guantong("zh_CN.UTF-8").args(args).output().unwrap());
    for part in [
        "《沈阳市政务数据资源共享开放条例》第二十条",
        "《政务数据共享条例》第二十一条",
    ] {
        assert!(says(&chinese, part), "{chinese}");
    }
    // The lawful rules, by name: the folder runs.
    let node = data.join("node.toml");
    let made = std::fs::read_to_string(&node).unwrap();
    std::fs::write(&node, format!("profile = \"shenyang\"\n{made}")).unwrap();
    let _node = Running::start(&data);
}

#[test]
fn a_port_in_use_is_one_clear_error_that_names_the_port() {
    let (_parent, data) = folder();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().to_string();
    let listen = format!("http.listen={port}");
    let error = error(&english(&[
        "run",
        "--json",
        "--data",
        path(&data),
        "--set",
        &listen,
    ]));
    assert_eq!(error["exit"], 1);
    assert!(says(&error, &port), "{error}");
    assert!(
        error["what_to_do"]
            .as_str()
            .unwrap()
            .contains("http.listen")
    );
    drop(other);
    // Nothing was taken or left behind: the folder runs.
    let _node = Running::start(&data);
}

#[test]
fn a_second_process_on_a_folder_is_refused_and_the_first_goes_on() {
    let (_parent, data) = folder();
    let _first = Running::start(&data);
    let second = error(&english(&["run", "--json", "--data", path(&data)]));
    assert_eq!(second["exit"], 1);
    assert!(
        second["what_to_do"].as_str().unwrap().contains("folder"),
        "{second}"
    );
    let rebuild = error(&english(&["rebuild", "--json", "--data", path(&data)]));
    assert_eq!(rebuild["exit"], 1, "nor is a running node's folder rebuilt");
    let status = english(&["status", "--json", "--data", path(&data)]);
    assert!(
        status.status.success(),
        "the first still answers: {status:?}"
    );
    let stranger = english(&[
        "status",
        "--json",
        "--data",
        path(&data),
        "--token",
        "not a token",
    ]);
    assert_eq!(error(&stranger)["exit"], 4);
}

#[test]
fn a_killed_node_lets_go_of_its_folder() {
    let (_parent, data) = folder();
    drop(Running::start(&data));
    let _again = Running::start(&data);
    assert!(
        english(&["status", "--json", "--data", path(&data)])
            .status
            .success()
    );
}

/// Every command that can be given, as its words.
fn commands(command: &clap::Command, before: &[String], found: &mut Vec<Vec<String>>) {
    let mut below = command.get_subcommands().peekable();
    if below.peek().is_none() {
        found.push(before.to_vec());
    }
    for one in below {
        let words = [before, &[one.get_name().to_owned()]].concat();
        commands(one, &words, found);
    }
}

#[test]
fn the_guide_names_every_command() {
    let guide = std::fs::read_to_string(project("docs/operators-guide.md")).unwrap();
    let names = |line: &str, word: &str| {
        line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .any(|part| part == word)
    };
    let mut all = Vec::new();
    let program = <node::cli::Cli as clap::CommandFactory>::command();
    commands(&program, &[], &mut all);
    assert!(all.len() > 100, "{}", all.len());
    let told = |words: &Vec<String>| {
        guide
            .lines()
            .any(|line| words.iter().all(|word| names(line, word)))
    };
    let untold: Vec<_> = all.iter().filter(|words| !told(words)).collect();
    assert!(untold.is_empty(), "the guide does not name {untold:?}");
}

/// Whether a text has two words of English one after the other; names, addresses and options are none.
fn has_english(text: &str) -> bool {
    let is_word = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let bare = |word: &'_ str| {
        word.trim_matches(|c: char| c.is_ascii_punctuation())
            .to_owned()
    };
    let words: Vec<String> = text.split_whitespace().map(bare).collect();
    words
        .windows(2)
        .any(|pair| is_word(&pair[0]) && is_word(&pair[1]))
}

#[test]
fn an_error_of_each_exit_code_is_chinese_unless_english_is_asked_for() {
    let (_parent, data) = folder();
    let dir = tempfile::tempdir().unwrap();
    let entries = dir.path().join("entries.jsonl");
    let broken = dir.path().join("broken.json");
    let key = dir.path().join("person.key");
    let secret = dir.path().join("passphrase");
    std::fs::write(&secret, "一二三四五六七八").unwrap();
    std::fs::write(&broken, "{").unwrap();
    let kept = ["--passphrase-file", path(&secret)];
    let new = ["person", "new", "--demonstration", "--out", path(&key)];
    assert!(english(&[new.as_slice(), &kept].concat()).status.success());
    let entry = json!({
        "id": "440106/MZ/0001", "name": "", "summary": "在保低保家庭",
        "provider": "11440106007512345X", "provider_name": "天河区民政局",
        "items": [{"name": "户主姓名", "kind": "C50", "grade": "一般数据"}], "frequency": "每月",
        "terms": {"有条件共享": {"scope": ["县级以上民政部门"], "uses": ["社会救助核对"], "conditions": []}},
        "methods": ["文件下载"], "personal_information": true,
        "secrecy_assessment": {"done": {"by": "李四", "on": "2026-01-05", "conclusion": "不涉密"}},
        "privacy_assessment": {"done": {"by": "李四", "on": "2026-01-05", "conclusion": "风险可控"}},
    });
    std::fs::write(&entries, entry.to_string()).unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("http.listen={}", other.local_addr().unwrap());
    let absent = dir.path().join("absent.json");
    let (request, chain) = (
        data.join("enrolment-request.json"),
        dir.path().join("chain"),
    );
    // A person's key where the root's is wanted.
    let sign = [
        "root",
        "sign",
        "--request",
        path(&request),
        "--root-key",
        path(&key),
        "--out",
        path(&chain),
    ];
    let lines: &[(i32, &[&str])] = &[
        (1, &["run", "--data", path(&data), "--set", &taken]),
        (2, &["sign", "--yes", "--document", path(&absent)]),
        (2, &["sign", "--yes", "--document", path(&broken)]),
        (2, &[&new[..], &kept[..]].concat()),
        (3, &["catalogue", "import", path(&entries), "--check"]),
        (4, &[&sign[..], &kept[..]].concat()),
        (
            5,
            &["status", "--node", "http://127.0.0.1:1", "--token", "x"],
        ),
    ];
    for (exit, line) in lines {
        let code = |lang: &str| {
            let output = guantong(lang).args(*line).arg("--json").output().unwrap();
            error(&output)
        };
        let chinese = code("");
        assert_eq!(chinese["exit"], *exit, "{line:?}: {chinese}");
        let said = chinese["error"].as_str().unwrap();
        assert!(!said.is_ascii() && !has_english(said), "{said}");
        let english = code("en_US.UTF-8");
        assert!(has_english(english["error"].as_str().unwrap()), "{english}");
    }
}

#[test]
fn a_list_of_nothing_is_one_sentence_and_in_json_an_empty_array() {
    let (_parent, data) = folder();
    let _node = Running::start(&data);
    for list in [
        "docket list",
        "apply list",
        "reading list",
        "reading inspections",
        "catalogue list",
        "catalogue list --published",
        "catalogue sources",
        "need list",
        "supervise list",
        "incident list",
        "complaint list",
        "correction list",
        "open list",
        "aggregation show",
        "evaluate list",
        "return-flow list",
        "erase list",
        "service list",
    ] {
        let args: Vec<&str> = list.split(' ').chain(["--data", path(&data)]).collect();
        let said = |lang: &str| {
            let output = guantong(lang).args(&args).output().unwrap();
            assert!(output.status.success(), "{list}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let (chinese, english_text) = (said(""), said("en_US.UTF-8"));
        assert_eq!(chinese.trim().lines().count(), 1, "{list}: {chinese:?}");
        assert!(
            chinese.contains("没有") && has_english(&english_text),
            "{list}"
        );
        let value = result(&english(&[args.as_slice(), &["--json"]].concat()));
        let items = value.get("items").unwrap_or(&value);
        assert_eq!(items, &json!([]), "{list}: {value}");
    }
}
