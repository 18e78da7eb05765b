//! No token and no key is in what a running node says: not in its log at its most talkative, not in an error, a metric or a page.

mod program;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine;
use node::api::{Access, Method, table};
use program::{folder, guantong, path};

/// What has not happened by then does not happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node that logs everything, and all that it logs.
struct Talkative {
    child: Child,
    address: String,
    said: Receiver<String>,
}

impl Talkative {
    fn start(data: &Path) -> Self {
        let mut child = guantong("en_US.UTF-8")
            .args(["run", "--data", path(data), "--set", "log.filter=trace"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut begun = String::new();
        while !begun.contains("console and API http://") {
            assert!(log.read_line(&mut begun).unwrap() > 0, "it ended: {begun}");
        }
        let (sender, said) = channel();
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = log.read_to_end(&mut rest);
            let _ = sender.send(begun + &String::from_utf8_lossy(&rest));
        });
        let address = std::fs::read_to_string(data.join("http.addr")).unwrap();
        let address = address.trim().trim_start_matches("http://").to_owned();
        Self {
            child,
            address,
            said,
        }
    }

    /// What it answers to a request, head and body.
    fn ask(&self, method: &str, target: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Ends it; everything that it logged.
    fn ended(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.said.recv_timeout(PATIENCE).unwrap()
    }
}

impl Drop for Talkative {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Every text under which a secret of the folder could be told: as it lies in its file, its bytes in hexadecimal, base64 and as Rust prints them.
fn secrets(data: &Path) -> Vec<(String, String)> {
    let beside = data.with_file_name("node.secrets");
    let folders = [data.join("keys"), data.join("tokens"), beside];
    let mut found = Vec::new();
    for folder in folders {
        for file in std::fs::read_dir(folder).unwrap() {
            let file = file.unwrap().path();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&file).unwrap().trim().to_owned();
            let digits = text.strip_prefix("gt_").unwrap_or(&text).to_lowercase();
            let bytes = hex::decode(&digits).expect("a secret is hexadecimal");
            assert_eq!(bytes.len(), 32, "{name}");
            let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&bytes);
            let printed = format!("{bytes:?}");
            for form in [digits.to_uppercase(), digits, encoded, printed] {
                found.push((name.clone(), form));
            }
        }
    }
    found
}

#[test]
fn no_token_and_no_key_is_in_a_log_an_error_a_metric_or_a_page() {
    let (_parent, data) = folder();
    let node = Talkative::start(&data);
    let secrets = secrets(&data);
    assert!(
        secrets.len() >= 4 * 7,
        "three keys, three tokens and the storage key"
    );
    let token = |role: &str| {
        let text = std::fs::read_to_string(data.join("tokens").join(format!("{role}.token")));
        text.unwrap().trim().to_owned()
    };
    let mut answers = Vec::new();
    for role in ["viewer", "operator", "admin"] {
        let bearer = format!("Authorization: Bearer {}\r\n", token(role));
        for route in table() {
            let method = match route.method {
                Method::Get => "GET",
                Method::Post => "POST",
                Method::Put => "PUT",
            };
            // The limits of the public are for others; its routes are asked with the first token.
            if route.access == Access::Public && role != "viewer" {
                continue;
            }
            let part = |part: &'static str| if part.starts_with('{') { "0" } else { part };
            let target: Vec<_> = route.path.split('/').map(part).collect();
            answers.push(node.ask(method, &target.join("/"), &bearer, "{"));
        }
        let cookie = format!("Cookie: guantong_console={}\r\n", token(role));
        for page in ["/", "/evaluations", "/dockets/0", "/login", "/open"] {
            answers.push(node.ask("GET", page, &cookie, ""));
        }
        // With a token where none belongs.
        let strange = format!("/api/v1/catalogue/own/{0}?after={0}", token(role));
        node.ask("GET", &strange, "Authorization: Bearer gt_wrong\r\n", "");
        node.ask(
            "GET",
            "/api/v1/node",
            &format!("Authorization: Basic {}\r\n", token(role)),
            "",
        );
        node.ask("POST", "/login", "", &format!("token={}", token(role)));
        node.ask("GET", &format!("/?token={}", token(role)), "", "");
    }
    let log = node.ended();
    assert!(
        log.contains("TRACE") || log.contains("DEBUG"),
        "it logs everything: {log}"
    );
    for (name, secret) in &secrets {
        assert!(!log.contains(secret.as_str()), "{name} is in the log");
        for answer in &answers {
            assert!(!answer.contains(secret.as_str()), "{name} is in {answer}");
        }
    }
}
