//! The mapping of an older platform: where it is, whose it is, and how its fields become those of a catalogue entry. A TOML file that the
//! owner of the platform writes; complete examples are in `topology/platforms/`.

use std::collections::BTreeMap;
use std::path::Path;

use identity::CreditCode;
use serde::Deserialize;
use sharing::catalogue::{
    AssessmentDraft, ConditionsDraft, ItemDraft, MAX_NAME_CHARS, NotSharedDraft, Word,
};
use statute::{Grade, Method, ShareClass, UpdateFrequency};

use super::address::{HttpAddress, Location};
use super::csv::Encoding;
use super::prefix::Prefix;
use super::record::FieldPath;
use super::services::Services;
use super::table::Rows;

/// Longest mapping file, bytes: one with a thousand words in its value maps.
pub const MAX_MAPPING_BYTES: usize = 1 << 20;
/// A mapping.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The platform's name, for people.
    pub platform: String,
    /// What the ids of all its entries begin with. Nothing else of the node's own may begin so: it would be taken for the platform's.
    pub prefix: Prefix,
    /// Fewer records than this are taken for a part of the catalogue.
    #[serde(default)]
    pub at_least: Option<usize>,
    /// Where its catalogue is.
    pub source: SourceAt,
    /// Whose it is.
    pub provider: Provider,
    /// Where the fields stand in a record.
    pub fields: Fields,
    /// What holds where a record says nothing.
    #[serde(default)]
    pub defaults: Defaults,
    /// What the platform's words mean.
    #[serde(default)]
    pub values: Values,
    /// Its services.
    #[serde(default, rename = "service")]
    pub services: Services,
}

/// Why a text is no mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Longer than [`MAX_MAPPING_BYTES`].
    #[error("映射文件超过 {MAX_MAPPING_BYTES} 字节 / the mapping is too long")]
    TooLong,
    /// Not as it should be.
    #[error("{0}")]
    Malformed(String),
}

/// Where a catalogue is, by kind of platform.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SourceAt {
    /// CKAN's action API.
    Ckan {
        /// Its address, without `/api`.
        address: HttpAddress,
        /// Name of the environment variable with the token.
        #[serde(default)]
        token_env: Option<String>,
        /// Which datasets, as `fq`: `organization:minzheng`.
        #[serde(default)]
        filter: Option<String>,
        /// Fetch each description by itself.
        #[serde(default)]
        details: bool,
    },
    /// DCAT as JSON-LD.
    Dcat {
        /// The document.
        address: Location,
        /// Name of the environment variable with the token.
        #[serde(default)]
        token_env: Option<String>,
    },
    /// CSV.
    Csv {
        /// The document.
        address: Location,
        /// Name of the environment variable with the token.
        #[serde(default)]
        token_env: Option<String>,
        /// How its characters are written.
        #[serde(default)]
        encoding: Encoding,
        /// What a row describes.
        #[serde(default)]
        rows: Rows,
    },
    /// A spreadsheet.
    Xlsx {
        /// The document.
        address: Location,
        /// Name of the environment variable with the token.
        #[serde(default)]
        token_env: Option<String>,
        /// Which sheet; the first when absent.
        #[serde(default)]
        sheet: Option<String>,
        /// What a row describes.
        #[serde(default)]
        rows: Rows,
    },
}

impl SourceAt {
    /// The environment variable with the token, if there is one.
    pub fn token_env(&self) -> Option<&str> {
        match self {
            Self::Ckan { token_env, .. }
            | Self::Dcat { token_env, .. }
            | Self::Csv { token_env, .. }
            | Self::Xlsx { token_env, .. } => token_env.as_deref(),
        }
    }

    /// Where it is, for people.
    pub fn address(&self) -> String {
        match self {
            Self::Ckan { address, .. } => address.to_string(),
            Self::Dcat { address, .. } | Self::Csv { address, .. } | Self::Xlsx { address, .. } => {
                address.to_string()
            }
        }
    }

    fn location(&mut self) -> Option<&mut Location> {
        match self {
            Self::Ckan { .. } => None,
            Self::Dcat { address, .. } | Self::Csv { address, .. } | Self::Xlsx { address, .. } => {
                Some(address)
            }
        }
    }
}

/// 提供单位 of every entry of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its credit code.
    #[serde(deserialize_with = "credit_code")]
    pub code: CreditCode,
    /// Its name.
    pub name: String,
}

fn credit_code<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<CreditCode, D::Error> {
    String::deserialize(deserializer)?
        .trim()
        .parse()
        .map_err(serde::de::Error::custom)
}

/// Where each field of an entry stands in a record. What has no place comes from [`Defaults`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// What names a record for as long as it exists, such as CKAN's `id`: it becomes the entry's id.
    pub key: FieldPath,
    /// 目录名称.
    pub name: FieldPath,
    /// 摘要.
    #[serde(default)]
    pub summary: Option<FieldPath>,
    /// 数据项.
    #[serde(default)]
    pub items: Option<ItemFields>,
    /// 数据格式; several are joined.
    #[serde(default)]
    pub format: Option<FieldPath>,
    /// 数据更新频率.
    #[serde(default)]
    pub frequency: Option<FieldPath>,
    /// 共享属性.
    #[serde(default)]
    pub class: Option<FieldPath>,
    /// 共享范围.
    #[serde(default)]
    pub scope: Option<FieldPath>,
    /// 使用用途.
    #[serde(default)]
    pub uses: Option<FieldPath>,
    /// 共享使用条件.
    #[serde(default)]
    pub conditions: Option<FieldPath>,
    /// 不予共享的理由.
    #[serde(default)]
    pub reason: Option<FieldPath>,
    /// 共享方式.
    #[serde(default)]
    pub methods: Option<FieldPath>,
    /// 含个人信息.
    #[serde(default)]
    pub personal_information: Option<FieldPath>,
}

/// Where the data items stand.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemFields {
    /// A list of objects, or texts such as `户主姓名:C50:一般数据；身份证号:C18`.
    pub from: FieldPath,
    /// What stands between two items in one text.
    #[serde(default = "semicolon")]
    pub separator: String,
    /// The name in an object.
    #[serde(default)]
    pub name: Option<FieldPath>,
    /// The type in an object.
    #[serde(default)]
    pub kind: Option<FieldPath>,
    /// The grade in an object.
    #[serde(default)]
    pub grade: Option<FieldPath>,
}

fn semicolon() -> String {
    "；".to_owned()
}

/// What holds where a record says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// 摘要.
    pub summary: String,
    /// 数据项.
    pub items: Vec<ItemDraft>,
    /// Type of an item.
    pub kind: String,
    /// Grade of an item.
    pub grade: Option<Word<Grade>>,
    /// 数据格式.
    pub format: String,
    /// 数据更新频率.
    pub frequency: Option<Word<UpdateFrequency>>,
    /// 共享属性.
    pub class: Option<Word<ShareClass>>,
    /// What an entry that is shared on conditions lists.
    pub conditional: ConditionsDraft,
    /// What an entry that is not shared lists.
    #[serde(rename = "not-shared")]
    pub not_shared: NotSharedDraft,
    /// 共享方式.
    pub methods: Vec<Word<Method>>,
    /// 含个人信息. There is no silent answer to this.
    pub personal_information: Option<bool>,
    /// 保密风险评估.
    pub secrecy_assessment: Option<AssessmentDraft>,
    /// 个人信息保护影响评估.
    pub privacy_assessment: Option<AssessmentDraft>,
}

/// What a word of the platform means: the word of the law, in Chinese or by its id. A word that is not listed is read as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Values {
    /// 数据格式.
    pub format: BTreeMap<String, String>,
    /// 数据更新频率.
    pub frequency: BTreeMap<String, String>,
    /// 共享属性.
    pub class: BTreeMap<String, String>,
    /// 共享方式.
    pub methods: BTreeMap<String, String>,
    /// 数据分级.
    pub grade: BTreeMap<String, String>,
    /// 数据类型.
    pub kind: BTreeMap<String, String>,
    /// 是 or 否.
    pub personal_information: BTreeMap<String, String>,
}

impl Mapping {
    /// Reads a mapping. Relative paths in it begin at `folder`.
    ///
    /// # Errors
    /// [`MappingError`].
    pub fn parse(text: &str, folder: &Path) -> Result<Self, MappingError> {
        if text.len() > MAX_MAPPING_BYTES {
            return Err(MappingError::TooLong);
        }
        let mut mapping: Self = toml::from_str(text)
            .map_err(|error| MappingError::Malformed(error.to_string().trim_end().to_owned()))?;
        for (what, name) in [
            ("platform", &mapping.platform),
            ("provider.name", &mapping.provider.name),
        ] {
            let length = name.trim().chars().count();
            if length == 0 || length > MAX_NAME_CHARS {
                return Err(MappingError::Malformed(format!(
                    "{what} 应有 1 至 {MAX_NAME_CHARS} 个字符 / {what} has 1 to {MAX_NAME_CHARS} characters"
                )));
            }
        }
        if let Some(stray) = mapping.services.outside(&mapping.prefix) {
            return Err(MappingError::Malformed(format!(
                "[[service]] 的 entry {stray} 不在前缀 {0} 之下 / the entry {stray} of a [[service]] is not under the prefix {0}",
                mapping.prefix
            )));
        }
        if let Some(Location::File(path)) = mapping.source.location() {
            *path = folder.join(&*path);
        }
        Ok(mapping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPING: &str = r#"
platform = "天河区民政局数据资源平台"
prefix = "440106/MZ"
[source]
kind = "csv"
address = "目录.csv"
[provider]
code = "11440106007512345X"
name = "天河区民政局"
[fields]
key = "目录代码"
name = "目录名称"
"#;

    fn parse(text: &str) -> Result<Mapping, MappingError> {
        Mapping::parse(text, Path::new("/etc/platforms"))
    }

    #[test]
    fn a_file_is_looked_for_beside_its_mapping() {
        let mapping = parse(MAPPING).unwrap();
        assert_eq!(mapping.source.address(), "/etc/platforms/目录.csv");
    }

    #[test]
    fn what_is_misspelt_unknown_or_out_of_place_is_refused() {
        for (right, wrong) in [
            ("key =", "kay ="),
            ("kind = \"csv\"", "kind = \"cvs\""),
            (
                "address = \"目录.csv\"",
                "address = \"目录.csv\"\nsheet = \"1\"",
            ),
            ("address = \"目录.csv\"", "address = \"https://x/目录.csv\""),
            ("11440106007512345X", "1144"),
            ("key = \"目录代码\"", "key = \"\""),
            ("platform = \"天河区民政局数据资源平台\"", "platform = \"\""),
            ("[fields]", "[defaults]\nclass = \"公开\"\n[fields]"),
            (
                "[fields]",
                "[[service]]\nname = \"x\"\nurl = \"http://x\"\nentry = \"440106/LS/1\"\n[fields]",
            ),
        ] {
            assert!(MAPPING.contains(right), "{right}");
            let text = MAPPING.replacen(right, wrong, 1);
            assert!(parse(&text).is_err(), "{wrong}");
        }
        assert_eq!(
            parse(&"#".repeat(MAX_MAPPING_BYTES + 1)).unwrap_err(),
            MappingError::TooLong
        );
    }
}
