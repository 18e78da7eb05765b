//! The commands that operators use, run as they run them: this very program with a subcommand, `--json`, and a person's own key.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Failure;
use super::layout::Site;
use crate::language::Language;

/// How long one command may take: the slowest uploads a file and waits for the node's answer.
const LIMIT: Duration = Duration::from_secs(90);
/// How often a running command is looked at.
const WATCH: Duration = Duration::from_millis(4);

/// Runs commands.
#[derive(Debug, Clone)]
pub struct Commands {
    program: PathBuf,
    passphrase: String,
    language: Language,
}

/// Why a command did not succeed, by its exit code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsuccessful {
    /// The node cannot be reached, or the command was killed: whether it took effect is to be found out.
    #[error("节点不可达 / unreachable: {0}")]
    Unreachable(String),
    /// A fault of the node or the machine: the same may be tried again a few times.
    #[error("{0}")]
    Fault(String),
    /// The law refuses.
    #[error("{0}")]
    Refused(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// Exit code of a fault.
const FAULT: i32 = 1;
/// Exit code of a lawful refusal.
const REFUSED: i32 = 3;
/// Exit code when the node cannot be reached.
const UNREACHABLE: i32 = 5;

impl Commands {
    /// Runs this very program; keys are opened with the demo's passphrase.
    ///
    /// # Errors
    /// [`Failure`] when the program cannot find itself.
    pub fn new(passphrase: &str, language: Language) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| Failure::new("guantong", error))?;
        Ok(Self {
            program,
            passphrase: passphrase.to_owned(),
            language,
        })
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Runs a command that speaks to no node.
    ///
    /// # Errors
    /// [`Unsuccessful`].
    pub fn offline(&self, args: &[&str]) -> Result<Value, Unsuccessful> {
        self.run(&mut self.command(args))
    }

    /// Runs a command at a node, without a person.
    ///
    /// # Errors
    /// [`Unsuccessful`].
    pub fn at(&self, site: &Site, args: &[&str]) -> Result<Value, Unsuccessful> {
        self.run(
            self.command(args)
                .args(["--node", &site.http, "--token", &site.token]),
        )
    }

    /// Runs a command at a node, signed with a person's key.
    ///
    /// # Errors
    /// [`Unsuccessful`].
    pub fn signed(&self, site: &Site, key: &Path, args: &[&str]) -> Result<Value, Unsuccessful> {
        let mut command = self.command(args);
        command
            .args(["--node", &site.http, "--token", &site.token, "--key"])
            .arg(key);
        self.run(&mut command)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GUANTONG"))
        {
            command.env_remove(name);
        }
        command.env("GUANTONG_PASSPHRASE", &self.passphrase);
        command.env("LC_ALL", self.language.pick("zh_CN.UTF-8", "en_US.UTF-8"));
        command
            .args(args)
            .arg("--json")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Ctrl-C is for the demo, which ends what it started.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }

    fn run(&self, command: &mut Command) -> Result<Value, Unsuccessful> {
        let named: Vec<String> = command
            .get_args()
            .take(3)
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect();
        let named = named.join(" ");
        let failed = |error: &dyn std::fmt::Display| {
            Unsuccessful::Failed(format!("guantong {named}: {error}"))
        };
        let mut child = command.spawn().map_err(|error| failed(&error))?;
        let output = reader(child.stdout.take());
        let errors = reader(child.stderr.take());
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().map_err(|error| failed(&error))? {
                Some(status) => break status,
                None if begun.elapsed() > LIMIT => {
                    drop(child.kill());
                    drop(child.wait());
                    return Err(Unsuccessful::Unreachable(format!(
                        "guantong {named}: {} s",
                        LIMIT.as_secs()
                    )));
                }
                None => thread::sleep(WATCH),
            }
        };
        let (output, errors) = (collected(output), collected(errors));
        outcome(status.code(), &output, &errors).map_err(|unsuccessful| match unsuccessful {
            Unsuccessful::Failed(why) => failed(&why),
            other => other,
        })
    }
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = pipe {
            // What could be read before the pipe broke is what there is.
            drop(pipe.read_to_end(&mut text));
        }
        String::from_utf8_lossy(&text).into_owned()
    })
}

fn collected(reader: thread::JoinHandle<String>) -> String {
    reader.join().unwrap_or_default()
}

/// What a command's end means.
fn outcome(code: Option<i32>, output: &str, errors: &str) -> Result<Value, Unsuccessful> {
    let why = explanation(if errors.trim().is_empty() {
        output.trim()
    } else {
        errors.trim()
    });
    match code {
        Some(FAULT) => Err(Unsuccessful::Fault(why)),
        Some(0) if output.trim().is_empty() => Ok(Value::Null),
        Some(0) => serde_json::from_str(output)
            .map_err(|error| Unsuccessful::Failed(format!("{error}: {output}"))),
        Some(REFUSED) => Err(Unsuccessful::Refused(why)),
        Some(UNREACHABLE) | None => Err(Unsuccessful::Unreachable(why)),
        Some(code) => Err(Unsuccessful::Failed(format!("({code}) {why}"))),
    }
}

/// The words of an error, which with `--json` is one JSON value; anything else as it is.
fn explanation(text: &str) -> String {
    let Ok(error) = serde_json::from_str::<Value>(text) else {
        return text.to_owned();
    };
    let part = |name: &str| error.get(name).and_then(Value::as_str);
    let parts = [part("error"), part("article"), part("what_to_do")];
    let words: Vec<&str> = parts.into_iter().flatten().collect();
    if words.is_empty() {
        text.to_owned()
    } else {
        words.join("；")
    }
}

/// A path as an argument. The demo's folders have names that are text.
pub fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_mean_what_the_commands_say_they_mean() {
        assert_eq!(
            outcome(Some(0), "{\"a\":1}", ""),
            Ok(serde_json::json!({"a": 1}))
        );
        assert_eq!(outcome(Some(0), "", ""), Ok(Value::Null));
        assert_eq!(
            outcome(Some(3), "", "第二十一条\n"),
            Err(Unsuccessful::Refused("第二十一条".into()))
        );
        assert_eq!(
            outcome(Some(5), "", "refused"),
            Err(Unsuccessful::Unreachable("refused".into()))
        );
        assert_eq!(
            outcome(None, "", "killed"),
            Err(Unsuccessful::Unreachable("killed".into()))
        );
        assert_eq!(
            outcome(Some(1), "", "disk"),
            Err(Unsuccessful::Fault("disk".into()))
        );
        assert_eq!(
            outcome(Some(4), "", "token"),
            Err(Unsuccessful::Failed("(4) token".into()))
        );
    }

    #[test]
    fn an_error_in_json_is_shown_in_words() {
        let refused = outcome(
            Some(3),
            "",
            "{\"exit\":3,\"error\":\"缺少同意\",\"article\":\"R20\"}",
        );
        assert_eq!(refused, Err(Unsuccessful::Refused("缺少同意；R20".into())));
    }

    #[test]
    fn output_that_is_no_json_is_a_failure_not_a_panic() {
        assert!(matches!(
            outcome(Some(0), "not json", ""),
            Err(Unsuccessful::Failed(_))
        ));
    }
}
