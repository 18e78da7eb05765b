//! A platform for tests that answers as it is told: one connection after the other, one answer each.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// A platform that knows what it was asked.
pub(crate) struct Scripted {
    /// `http://127.0.0.1:…`
    pub(crate) address: String,
    asked: JoinHandle<Vec<String>>,
}

/// A platform with these answers, each a status line, headers and body without the protocol's name.
pub(crate) fn answering(answers: Vec<String>) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = String::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head).unwrap() > 0 {}
            asked.push(head);
            // A caller that has enough may hang up.
            let _ = write!(stream, "HTTP/1.1 {answer}");
        }
        asked
    });
    Scripted { address, asked }
}

/// An answer with nothing but its status.
pub(crate) fn status(line: &str) -> String {
    format!("{line}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// A good answer.
pub(crate) fn ok(body: &str) -> String {
    let length = body.len();
    format!("200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

impl Scripted {
    /// What it was asked, once all its answers are given.
    pub(crate) fn asked(self) -> Vec<String> {
        self.asked.join().unwrap()
    }
}
