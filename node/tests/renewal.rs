//! A certificate renewed, the sealing key and the authority's head with it, by the commands and on running nodes.

mod program;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;

use program::{Running, error, folder, guantong, path, result};

/// A test that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(60);
const DEPARTMENT: &str = "11100000DEM0009008";

fn said(args: &[&str]) -> Output {
    let mut command = guantong("en_US.UTF-8");
    command.args(args).arg("--json");
    command.env("GUANTONG_PASSPHRASE", "x").output().unwrap()
}

fn done(args: &[&str]) -> Value {
    result(&said(args))
}

/// A port that was free a moment ago, for the parent that a child has to know beforehand.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn person(at: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (key, public) = (
        at.join(format!("{name}.key")),
        at.join(format!("{name}.pub")),
    );
    done(&["person", "new", "--demonstration", "--out", path(&key)]);
    (key, public)
}

/// Polls the status of a node until it is as wanted.
fn until(data: &Path, wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let output = said(&["status", "--data", path(data)]);
        if output.status.success() {
            let status = result(&output);
            if wanted(&status) {
                return status;
            }
        }
        assert!(begun.elapsed() < PATIENCE, "the status in time: {output:?}");
    }
}

fn parent_up(status: &Value) -> bool {
    let links = status["links"].as_array().unwrap();
    links
        .iter()
        .any(|link| link["parent"] == true && link["up"] == true)
}

#[test]
fn certificate_sealing_key_and_head_are_renewed_while_the_parent_runs_and_the_link_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let (hub, gd) = (at("hub"), at("gd"));
    let root = at("root.key");
    done(&["root", "init", "--demonstration", "--out", path(&root)]);
    let (hub_head, hub_public) = person(dir.path(), "hub-head");
    let (old_head, old_public) = person(dir.path(), "gd-head");
    let (new_head, new_public) = person(dir.path(), "gd-new-head");
    let listen = format!("/ip4/127.0.0.1/tcp/{}", free_port());
    let init = |data: &Path, code: &str, level: &str, head: &Path, more: &[&str]| {
        let root = at("root.pub");
        let mut args = vec!["init", "--data", path(data), "--code", code, "--name", code];
        args.extend([
            "--level",
            level,
            "--authority-head",
            path(head),
            "--root",
            path(&root),
        ]);
        args.extend(["--http-listen", "127.0.0.1:0"]);
        args.extend(more);
        done(&args);
    };
    init(
        &hub,
        "100000",
        "hub",
        &hub_public,
        &["--link-listen", &listen],
    );
    let more = [
        "--link-listen",
        "/ip4/127.0.0.1/tcp/0",
        "--link-parent",
        &listen,
    ];
    init(&gd, "440000", "province", &old_public, &more);
    let (request, chain) = (hub.join("enrolment-request.json"), hub.join("chain.json"));
    let signed = ["--root-key", path(&root), "--out", path(&chain)];
    done(&[&["root", "sign", "--request", path(&request)][..], &signed].concat());
    let _hub = Running::start(&hub);
    let office = ["--name", "周国安", "--department", DEPARTMENT];
    let head = |key: &Path, code: &str| {
        done(
            &[
                &["enroll", "head", "--key", path(key), "--at", code][..],
                &office,
            ]
            .concat(),
        )
    };
    head(&hub_head, "100000");
    let approve = |chain: &Path| {
        let request = gd.join("enrolment-request.json");
        let args = [
            "enroll",
            "approve",
            "--data",
            path(&hub),
            "--key",
            path(&hub_head),
        ];
        let files = ["--request", path(&request), "--out", path(chain)];
        done(&[&args[..], &files].concat());
    };
    approve(&gd.join("chain.json"));
    let node = Running::start(&gd);
    let before = until(&gd, parent_up);

    done(&[
        "enroll",
        "renew",
        "--data",
        path(&gd),
        "--authority-head",
        path(&new_public),
    ]);
    drop(node);
    // It comes back under the certificate that it has, holding the next sealing key already.
    let _node = Running::start(&gd);
    until(&gd, parent_up);
    let renewed = at("renewed.json");
    approve(&renewed);
    done(&[
        "enroll",
        "install",
        "--data",
        path(&gd),
        "--chain",
        path(&renewed),
    ]);
    let ends = before["node"]["valid_until"].as_i64();
    until(&gd, |status| {
        parent_up(status) && status["node"]["valid_until"].as_i64() > ends
    });
    // The new head is the head, and the one before is not any more.
    head(&new_head, "440000");
    head(&old_head, "440000");
    let (_, reviewer) = person(dir.path(), "reviewer");
    let enrol = |key: &Path| {
        let args = ["enroll", "person", "--data", path(&gd), "--key", path(key)];
        let who = ["--public", path(&reviewer), "--role", "authority-reviewer"];
        let unit = ["--department-name", "数据局"];
        said(&[&args[..], &who, &unit, &office].concat())
    };
    assert_eq!(error(&enrol(&old_head))["exit"], 4);
    result(&enrol(&new_head));
}

#[test]
fn other_keys_are_made_on_a_node_that_is_stopped_alone_and_the_former_ones_stay() {
    let (_parent, data) = folder();
    let key = || std::fs::read(data.join("keys/signing.key")).unwrap();
    let renew = ["enroll", "renew", "--new-keys", "--data", path(&data)];
    let before = key();
    let running = Running::start(&data);
    assert_eq!(error(&said(&renew))["exit"], 1);
    assert_eq!(key(), before);
    drop(running);
    let made = done(&renew);
    assert_ne!(key(), before);
    let request = std::fs::read_to_string(data.join("enrolment-request.json")).unwrap();
    assert!(request.contains(made["signing_key"].as_str().unwrap()));
    let former = std::fs::read_dir(data.join("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains(".former-"))
        .count();
    assert_eq!(former, 2, "signing and transport");
}
