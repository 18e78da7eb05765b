//! How arguments are read: codes, dates, `kind=text` pairs.

use std::path::Path;

use std::str::FromStr;

use federation::core::view::{DocketView, DraftView};
use identity::{Code, Moment, VerifyKey};
use jiff::civil::Date;
use sharing::application::{Material, MissingItem};
use sharing::docket::DocketId;
use statute::ApplicationMaterial;

use super::client::Client;
use super::error::Exit;
use super::{CliError, Global, Output};
use crate::api::{List, MAX_PAGE};

/// Longest text file an argument may name, bytes.
const MAX_TEXT_FILE: u64 = 16 << 20;

/// Hexadecimal digits of a docket's id.
const ID_DIGITS: usize = 64;
/// Fewest digits by which a docket may be named: as many as lists show.
const MIN_ID_DIGITS: usize = 8;

/// A docket as it is named in a command: its id or the first eight or more digits of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocketArg(String);

impl FromStr for DocketArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let right = (MIN_ID_DIGITS..=ID_DIGITS).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if right {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(format!(
            "案卷编号为 {ID_DIGITS} 位十六进制，至少写前 {MIN_ID_DIGITS} 位 / a docket's id has {ID_DIGITS} hexadecimal digits, of which at least {MIN_ID_DIGITS} are given"
        ))
    }
}

impl DocketArg {
    /// The digits that lists and findings show.
    pub(super) fn short(&self) -> &str {
        self.0.get(..MIN_ID_DIGITS).unwrap_or(&self.0)
    }

    /// The docket or draft that is meant. The node is asked only when the id is not whole.
    pub(super) fn resolve(&self, global: &Global, output: &Output) -> Result<DocketId, CliError> {
        let whole = format!("{:0<ID_DIGITS$}", self.0);
        let first: DocketId = whole
            .parse()
            .map_err(|error: identity::DigestError| CliError::of_both(Exit::Usage, &error))?;
        if self.0.len() == ID_DIGITS {
            return Ok(first);
        }
        let client = Client::of(global, output.language())?;
        // Dockets are listed in the order of their ids.
        let dockets: List<DocketView> = client.get(&format!("/dockets?limit=2&after={first}"))?;
        let drafts: List<DraftView> = client.get(&format!("/drafts?limit={MAX_PAGE}"))?;
        let ids = dockets.items.iter().map(|docket| docket.id);
        self.only(ids.chain(drafts.items.iter().map(|draft| draft.docket)))
    }

    /// The only id that begins so.
    fn only(&self, ids: impl Iterator<Item = DocketId>) -> Result<DocketId, CliError> {
        let mut found: Vec<DocketId> = ids
            .filter(|id| id.to_string().starts_with(&self.0))
            .collect();
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [id] => Ok(*id),
            [] => Err(CliError::usage(
                format!("本节点没有编号以 {} 开头的案卷", self.0),
                format!("there is no docket here whose id begins with {}", self.0),
            )
            .advise(
                "本节点的案卷见 guantong docket list；本节点没有的案卷须写全 64 位编号，在持有它的节点上由 guantong docket list 或案卷页面显示",
                "guantong docket list shows the dockets held here; of one that is not held here give the whole id, all 64 digits, as guantong docket list and the docket's page show it at a node that holds it",
            )),
            _ => Err(CliError::usage(
                format!("不止一个案卷的编号以 {} 开头", self.0),
                format!("more than one docket's id begins with {}", self.0),
            )
            .advise("多写几位", "give more digits")),
        }
    }
}

/// A place's code.
pub(super) fn code(text: &str) -> Result<Code, String> {
    text.parse()
        .map_err(|error: identity::CodeError| error.to_string())
}

/// A day such as `2026-03-05`.
pub(super) fn date(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| {
        format!("{text} 不是日期，应写作 2026-03-05 / is no day; write it as 2026-03-05")
    })
}

/// The beginning of a day in Beijing.
pub(super) fn start_of(day: Date) -> Moment {
    Moment::from_millis(statute::end_of_day_ms(day)).plus_days(-1)
}

/// The end of a day in Beijing.
pub(super) fn end_of(day: Date) -> Moment {
    Moment::from_millis(statute::end_of_day_ms(day) - 1)
}

fn pair(text: &str) -> Result<(ApplicationMaterial, String), String> {
    let (kind, stated) = text.split_once('=').ok_or_else(|| {
        format!("{text} 应写作 种类=内容 / is written kind=text, such as basis=…")
    })?;
    let kind = kind
        .parse()
        .map_err(|error: statute::UnknownTerm| error.in_both())?;
    Ok((kind, stated.to_owned()))
}

/// A material such as `basis=《…》第十条` or `使用依据=…`.
pub(super) fn material(text: &str) -> Result<Material, String> {
    match pair(text)? {
        (ApplicationMaterial::Period, _) => {
            Err("使用时限用 --until 写明日期 / the period of use is a day: give --until".to_owned())
        }
        (kind, text) => Ok(Material { kind, text }),
    }
}

/// Something missing such as `scope=请说明…`.
pub(super) fn missing(text: &str) -> Result<MissingItem, String> {
    pair(text).map(|(kind, what)| MissingItem { kind, what })
}

/// A public key: itself, a file that holds it, or a key file.
pub(super) fn public_key(text: &str) -> Result<VerifyKey, CliError> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let path = Path::new(text);
    if let Ok(file) = crate::person::load_key(path) {
        return Ok(file.public);
    }
    let found = read_text(path)?;
    found.trim().parse().map_err(|error: identity::KeyError| {
        CliError::usage(format!("{text}：{error}"), format!("{text}: {error}")).advise(
            "给出 ed25519:…，或 .pub、密钥文件的路径",
            "give ed25519:…, or the path of a .pub or key file",
        )
    })
}

/// A text file of bounded size.
pub(super) fn read_text(path: &Path) -> Result<String, CliError> {
    read_text_up_to(path, MAX_TEXT_FILE)
}

/// A text file of at most so many bytes.
pub(super) fn read_text_up_to(path: &Path, max: u64) -> Result<String, CliError> {
    String::from_utf8(read_bytes(path, max)?).map_err(|error| CliError::file(path, error))
}

/// A file of bounded size.
pub(super) fn read_bytes(path: &Path, max: u64) -> Result<Vec<u8>, CliError> {
    let length = std::fs::metadata(path)
        .map_err(|error| CliError::file(path, error))?
        .len();
    if length > max {
        let what = format!("{length} 字节，超过上限 {max} (more than {max} bytes)");
        return Err(CliError::file(path, what));
    }
    std::fs::read(path).map_err(|error| CliError::file(path, error))
}

/// Writes a file that may be replaced.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes).map_err(|error| CliError::file(path, error))
}

/// Now, by this machine's clock.
pub(super) fn now() -> Moment {
    crate::runtime::driver::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_material_is_named_by_its_id_or_its_chinese_word() {
        let read = material("basis=《社会救助暂行办法》第十条").unwrap();
        assert_eq!(read.kind, ApplicationMaterial::Basis);
        assert_eq!(material("使用依据=a=b").unwrap().text, "a=b");
        assert!(material("period=2026-12-31").is_err() && missing("period=起止日期").is_ok());
        assert!(material("basis").is_err() && missing("colour=红").is_err());
    }

    #[test]
    fn a_docket_is_named_by_eight_digits_that_only_it_begins_with() {
        let ids: Vec<DocketId> = ["abcdef0011", "abcdef0022"]
            .iter()
            .map(|start| format!("{start:0<64}").parse().unwrap())
            .collect();
        let named = |text: &str| text.parse::<DocketArg>().unwrap().only(ids.iter().copied());
        assert_eq!(named("ABCDEF0022"), Ok(ids[1]));
        for wrong in ["abcdef00", "12345678"] {
            assert_eq!(named(wrong).unwrap_err().exit, super::super::Exit::Usage);
        }
        let absent = named("12345678").unwrap_err().what_to_do.unwrap();
        assert!(absent.zh.contains("64 位") && absent.en.contains("whole id"));
        assert!(
            "abcdef0".parse::<DocketArg>().is_err() && "abcdefgh".parse::<DocketArg>().is_err()
        );
    }

    #[test]
    fn a_docket_that_no_node_here_holds_is_named_by_its_whole_id() {
        // Nobody answers there, and nobody is asked.
        let global = Global {
            node: Some("http://127.0.0.1:1".into()),
            ..Global::default()
        };
        let output = Output::new(false, crate::language::Language::Chinese);
        let whole = "ab".repeat(32);
        let named = whole
            .parse::<DocketArg>()
            .unwrap()
            .resolve(&global, &output);
        assert_eq!(named.unwrap().to_string(), whole);
        let short = "abababab".parse::<DocketArg>().unwrap();
        let exit = short.resolve(&global, &output).unwrap_err().exit;
        assert_eq!(exit, Exit::Unreachable);
    }

    #[test]
    fn a_day_ends_at_midnight_in_beijing() {
        assert_eq!(
            end_of(date("2026-03-05").unwrap()).to_string(),
            "2026-03-05T15:59:59.999Z"
        );
        assert_eq!(
            start_of(date("2026-03-05").unwrap()),
            Moment::from_millis(end_of(date("2026-03-04").unwrap()).as_millis() + 1)
        );
    }
}
