//! What can go wrong between a source and a target. Whatever it is, the target shows nothing of the delivery.

use std::fmt;

use crate::language::Text;

/// Why there is no delivery. Rows are counted from 1.
#[derive(Debug)]
pub enum DataError {
    /// An address that names no source or target.
    Address(String),
    /// A column that was asked for is not there.
    NoColumn {
        /// Which.
        column: String,
        /// What is there.
        found: Vec<String>,
    },
    /// A column stands twice.
    ColumnTwice(String),
    /// More than [`super::MAX_COLUMNS`].
    TooManyColumns(usize),
    /// A column is not of the type that was stated, or that the target has.
    TypeChanged {
        /// Which.
        column: String,
        /// What was stated.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A value is not of its column's type.
    Value {
        /// In which row.
        row: u64,
        /// In which column.
        column: String,
        /// What it should be.
        expected: &'static str,
    },
    /// More than the bytes that a row may have.
    RowTooLong {
        /// Which row.
        row: u64,
        /// The most.
        limit: usize,
    },
    /// Not what its format says: the words are those of the reader.
    Malformed {
        /// Which source.
        source: String,
        /// What is wrong.
        why: String,
    },
    /// The source cannot be reached, or was lost while it was read.
    Lost {
        /// Which source.
        source: String,
        /// What it or the system says.
        why: String,
    },
    /// The source changed while it was read, or gives no sign by which to know that it did not.
    Inconsistent {
        /// Which source.
        source: String,
        /// What was seen.
        why: String,
    },
    /// The source counts other rows than came.
    Counted {
        /// As the source counts.
        stated: u64,
        /// As they came.
        came: u64,
    },
    /// Rows are not sorted by key, a key stands twice, or a row has no watermark.
    Delta(String),
    /// What is graded or personal has to rest encrypted, and this target has no key.
    Unencrypted,
    /// The key of encryption is none.
    Key(String),
    /// The target cannot be written.
    Target {
        /// Which target.
        target: String,
        /// What it or the system says.
        why: String,
    },
    /// The delivery is there already; nothing was written.
    Delivered(String),
}

impl DataError {
    /// What is wrong.
    pub fn text(&self) -> Text {
        match self {
            Self::Address(why) => Text::new(
                format!("地址不能用：{why}"),
                format!("unusable address: {why}"),
            ),
            Self::NoColumn { column, found } => Text::new(
                format!("没有“{column}”列；列有：{}", found.join("、")),
                format!(
                    "there is no column {column}; its columns are: {}",
                    found.join(", ")
                ),
            ),
            Self::ColumnTwice(column) => Text::new(
                format!("“{column}”列出现两次"),
                format!("column {column} stands twice"),
            ),
            Self::TooManyColumns(count) => Text::new(
                format!("{count} 列，至多 {}", super::MAX_COLUMNS),
                format!("{count} columns, at most {} are taken", super::MAX_COLUMNS),
            ),
            Self::TypeChanged {
                column,
                expected,
                found,
            } => Text::new(
                format!("“{column}”列应为 {expected}，实为 {found}"),
                format!("column {column} should be {expected} and is {found}"),
            ),
            Self::Value {
                row,
                column,
                expected,
            } => Text::new(
                format!("第 {row} 行“{column}”列不是 {expected}"),
                format!("row {row}, column {column}: not {expected}"),
            ),
            Self::RowTooLong { row, limit } => Text::new(
                format!("第 {row} 行超过 {limit} 字节"),
                format!("row {row} is longer than {limit} bytes"),
            ),
            Self::Malformed { source, why } => Text::new(
                format!("{source}：格式不对：{why}"),
                format!("{source}: malformed: {why}"),
            ),
            Self::Lost { source, why } => Text::new(
                format!("{source}：数源不可达或中断：{why}"),
                format!("{source}: the source is out of reach or was lost: {why}"),
            ),
            Self::Inconsistent { source, why } => Text::new(
                format!("{source}：不是一致的快照：{why}"),
                format!("{source}: no consistent snapshot: {why}"),
            ),
            Self::Counted { stated, came } => Text::new(
                format!("数源自计 {stated} 行，读到 {came} 行"),
                format!("the source counts {stated} rows, {came} came"),
            ),
            Self::Delta(why) => Text::new(format!("不能求增量：{why}"), format!("no delta: {why}")),
            Self::Unencrypted => Text::new(
                "所交付的含重要数据、核心数据或个人信息，须加密存储",
                "what is delivered is graded important or core, or tells of persons, and has to rest encrypted",
            ),
            Self::Key(why) => {
                Text::new(format!("密钥不能用：{why}"), format!("unusable key: {why}"))
            }
            Self::Target { target, why } => Text::new(
                format!("{target}：写不进去：{why}"),
                format!("{target}: cannot be written: {why}"),
            ),
            Self::Delivered(id) => Text::new(
                format!("批次 {id} 已经交付"),
                format!("delivery {id} is there already"),
            ),
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> Text {
        match self {
            Self::Address(_) => Text::new(
                "写作 postgres://主机/库?table=表、csv:路径、parquet:路径、http://…、folder:目录、s3://桶/前缀",
                "write postgres://host/database?table=…, csv:PATH, parquet:PATH, http://…, folder:DIR or s3://bucket/prefix",
            ),
            Self::NoColumn { .. }
            | Self::ColumnTwice(_)
            | Self::TooManyColumns(_)
            | Self::TypeChanged { .. } => Text::new(
                "与数源单位核对表结构，再改 --select 或目标表",
                "agree on the table's columns with its owner, then change --select or the target",
            ),
            Self::Value { .. } | Self::RowTooLong { .. } | Self::Malformed { .. } => Text::new(
                "请数源单位改正后重试；目标没有变化",
                "have the source corrected and try again; the target is unchanged",
            ),
            Self::Lost { .. } | Self::Inconsistent { .. } | Self::Counted { .. } => Text::new(
                "重新运行同一命令即可；目标没有变化",
                "run the same command again; the target is unchanged",
            ),
            Self::Delta(_) => Text::new(
                "按主键排序、主键唯一且不空",
                "sort by the key; each key stands once and is not empty",
            ),
            Self::Unencrypted => Text::new(
                "用 --key-file 给出密钥（folder、s3、parquet），或以 --stored-encrypted 声明目标自身加密",
                "give --key-file (folder, s3, parquet), or declare with --stored-encrypted that the target encrypts by itself",
            ),
            Self::Key(_) => Text::new(
                "密钥文件为 64 位十六进制",
                "a key file holds 64 hexadecimal digits",
            ),
            Self::Target { .. } => Text::new(
                "核对权限、空间与连接，再运行同一命令；没有留下半份交付",
                "check permissions, space and connection, and run the same command again; no half of a delivery was left",
            ),
            Self::Delivered(_) => Text::new(
                "不必再做；另起一批则换 --delivery",
                "nothing to do; name another --delivery for another one",
            ),
        }
    }

    /// Whether the command was used wrongly, rather than that something failed.
    pub fn is_wrong_use(&self) -> bool {
        match self {
            Self::Address(_)
            | Self::NoColumn { .. }
            | Self::ColumnTwice(_)
            | Self::TooManyColumns(_)
            | Self::TypeChanged { .. }
            | Self::Value { .. }
            | Self::RowTooLong { .. }
            | Self::Malformed { .. }
            | Self::Delta(_)
            | Self::Unencrypted
            | Self::Key(_)
            | Self::Delivered(_) => true,
            Self::Lost { .. }
            | Self::Inconsistent { .. }
            | Self::Counted { .. }
            | Self::Target { .. } => false,
        }
    }

    /// Of a source that failed.
    pub(super) fn lost(source: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Lost {
            source: source.to_string(),
            why: why.to_string(),
        }
    }

    /// Of a source that is not what it should be.
    pub(super) fn malformed(source: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Malformed {
            source: source.to_string(),
            why: why.to_string(),
        }
    }

    /// Of a target that failed.
    pub(super) fn target(target: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Target {
            target: target.to_string(),
            why: why.to_string(),
        }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        write!(f, "{} / {}", text.zh, text.en)
    }
}

impl std::error::Error for DataError {}
