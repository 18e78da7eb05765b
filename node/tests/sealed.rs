//! What a node's disk says to whoever has it and not the storage key (R36), with the program as operators start it.

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use program::{Running, english, error, folder, guantong, path, result, says};

/// Stands in the files that are stored.
const MARKER: &str = "张三丰的低保证号";

/// A running node's API.
struct Api {
    base: String,
    bearer: String,
}

impl Api {
    fn of(data: &Path) -> Self {
        let read = |file: &str| fs::read_to_string(data.join(file)).unwrap();
        Self {
            base: format!("http://{}/api/v1/objects", read("http.addr").trim()),
            bearer: format!("Bearer {}", read("tokens/operator.token").trim()),
        }
    }

    /// Stores a file; its digest.
    fn put(&self, text: &str) -> String {
        let request = ureq::put(format!("{}?name=a.csv", self.base));
        let request = request.header("Authorization", &self.bearer);
        let mut answer = request.send(text.as_bytes()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let stored: serde_json::Value = serde_json::from_str(&text).unwrap();
        stored["digest"].as_str().unwrap().to_owned()
    }

    fn get(&self, digest: &str) -> String {
        let request = ureq::get(format!("{}/{digest}", self.base));
        let request = request.header("Authorization", &self.bearer);
        let mut answer = request.call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    }
}

/// A small file and one above the grain of a transfer, which has a tree of digests.
fn texts() -> [String; 2] {
    [MARKER.to_owned(), format!("{MARKER}\n").repeat(10_000)]
}

/// Every file below a folder, and what it holds.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let held = fs::read(&path).unwrap();
            found.push((path, held));
        }
    }
    found.sort();
    found
}

/// The files below a folder in which the marker stands in clear.
fn in_clear(folder: &Path) -> Vec<PathBuf> {
    let marker = MARKER.as_bytes();
    let holds = |held: &[u8]| held.windows(marker.len()).any(|it| it == marker);
    let found = files(folder).into_iter().filter(|(_, held)| holds(held));
    found.map(|(path, _)| path).collect()
}

/// A folder in which the texts are stored, their digests, and where its storage key lies. The node has stopped.
fn stored() -> (tempfile::TempDir, PathBuf, [String; 2], PathBuf) {
    let (parent, data) = folder();
    let node = Running::start(&data);
    let digests = texts().map(|text| Api::of(&data).put(&text));
    drop(node);
    let key = parent.path().join("node.secrets").join("storage.key");
    (parent, data, digests, key)
}

/// The node of a folder gives both texts.
fn gives_both(data: &Path, digests: &[String; 2]) {
    let _node = Running::start(data);
    for (digest, text) in digests.iter().zip(texts()) {
        assert_eq!(Api::of(data).get(digest), text);
    }
}

#[test]
fn no_file_of_the_data_folder_holds_a_stored_file_or_the_key_in_clear() {
    let (_parent, data, digests, key) = stored();
    assert_eq!(in_clear(&data), Vec::<PathBuf>::new());
    let key = fs::read_to_string(key).unwrap();
    let (hex, raw) = (key.trim().as_bytes(), hex::decode(key.trim()).unwrap());
    for (path, held) in files(&data) {
        let holds = |it: &[u8]| held.windows(it.len()).any(|window| window == it);
        assert!(!holds(hex) && !holds(&raw), "{}", path.display());
    }
    gives_both(&data, &digests);
}

#[test]
fn a_node_whose_key_is_missing_or_another_does_not_start_and_changes_nothing() {
    let (_parent, data, digests, key) = stored();
    let good = fs::read(&key).unwrap();
    let before = files(&data);
    let refused = |what: &str| {
        let run = english(&["run", "--json", "--data", path(&data)]);
        let error = error(&run);
        assert!(error["exit"] == 4 && says(&error, what), "{error}");
        assert!(error["what_to_do"].is_string());
        assert_eq!(files(&data), before);
    };
    fs::remove_file(&key).unwrap();
    refused("missing");
    assert!(!key.exists(), "none is made in its place");
    fs::write(&key, "11".repeat(32)).unwrap();
    refused("too wide");
    fs::remove_file(&key).unwrap();
    fs::write(&key, &good).unwrap();
    let private = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
    fs::set_permissions(&key, private).unwrap();
    gives_both(&data, &digests);
    fs::write(&key, "11".repeat(32)).unwrap();
    let before = files(&data);
    let run = english(&["run", "--json", "--data", path(&data)]);
    let error = error(&run);
    assert!(error["exit"] == 4 && says(&error, "another"), "{error}");
    assert_eq!(files(&data), before);
}

#[test]
fn files_of_an_older_version_are_sealed_by_a_command_before_the_node_starts() {
    let (_parent, data) = folder();
    let text = &texts()[1];
    let digest = identity::Digest::object(text.as_bytes()).to_string();
    let shelf = data.join("objects").join(&digest[..2]);
    fs::create_dir_all(&shelf).unwrap();
    fs::write(shelf.join(&digest), text).unwrap();
    assert_eq!(in_clear(&data), [shelf.join(&digest)]);
    let run = error(&english(&["run", "--json", "--data", path(&data)]));
    assert!(run["exit"] == 2 && says(&run, "in clear"), "{run}");
    let seal = ["store", "seal", "--json", "--data", path(&data)];
    assert_eq!(result(&english(&seal))["sealed"], 1);
    assert_eq!(result(&english(&seal))["sealed"], 0, "once");
    assert_eq!(in_clear(&data), Vec::<PathBuf>::new());
    let _node = Running::start(&data);
    assert_eq!(Api::of(&data).get(&digest), *text);
}

#[test]
fn a_node_killed_while_its_key_is_changed_comes_back_with_every_file() {
    let (_parent, data) = folder();
    let node = Running::start(&data);
    let files: Vec<String> = (0..200)
        .map(|number| Api::of(&data).put(&format!("{number} {MARKER}")))
        .collect();
    let rekey = ["store", "rekey", "--json", "--data", path(&data)];
    let while_it_runs = error(&english(&rekey));
    assert_eq!(while_it_runs["exit"], 1, "the node runs: {while_it_runs}");
    drop(node);
    let secrets = data.with_file_name("node.secrets");
    let first = fs::read(secrets.join("storage.key")).unwrap();
    let mut command = guantong("en_US.UTF-8");
    command.args(rekey).stdout(Stdio::null());
    let mut killed = command.spawn().unwrap();
    // Its new key is written before the first file is touched.
    while !secrets.join("storage.key.new").exists() && killed.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let all_given = || {
        let _node = Running::start(&data);
        for (number, digest) in files.iter().enumerate() {
            assert_eq!(Api::of(&data).get(digest), format!("{number} {MARKER}"));
        }
    };
    all_given();
    let done = result(&english(&rekey));
    assert_eq!(done["in_place"], true);
    let second = fs::read(secrets.join("storage.key")).unwrap();
    assert_ne!(second, first);
    assert_eq!(
        fs::read_dir(&secrets).unwrap().count(),
        1,
        "the old key is gone"
    );
    all_given();
}
