//! The opening catalogue as data: entries in the fields of DCAT, and the files that are open to everyone. Shenyang S24, S25, S27.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use federation::core::query::{self, MAX_OPEN_PAGE, OpenCursor, OpenEntry};
use identity::{Code, Moment};
use serde::{Deserialize, Serialize};
use sharing::catalogue::EntryId;
use sharing::open_data::OpenFile;
use statute::{OpenClass, OpenFormat, OpeningTerms};
use utoipa::ToSchema;

use crate::api::{Api, List, Page, Params, Problem};
use crate::cli::client::encode;

/// An entry of the opening catalogue, in the fields of DCAT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenDataset {
    /// Publisher and entry, as `210102:3/210102/000001`.
    pub identifier: String,
    /// 目录名称.
    pub title: String,
    /// 摘要; of what is not opened, none.
    pub description: Option<String>,
    /// 提供单位.
    pub publisher: String,
    /// The node at which it is had and applied for.
    #[schema(value_type = String)]
    pub node: Code,
    /// When it was published, milliseconds since 1970.
    #[schema(value_type = i64)]
    pub issued: Moment,
    /// When its opening was last changed.
    #[schema(value_type = i64)]
    pub modified: Moment,
    /// 更新频率.
    pub accrual_periodicity: String,
    /// `unconditional`, `on-application` or `not-opened`.
    pub access_rights: String,
    /// The same in Chinese: 无条件开放, 依申请开放, 不予开放.
    pub access_rights_zh: String,
    /// 不予开放和限制开放的依据 (S27).
    pub rights: Vec<String>,
    /// Names of the data items; of what is not opened, none.
    pub items: Vec<String>,
    /// The files open to everyone.
    pub distribution: Vec<Distribution>,
}

/// A file that is open to everyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Distribution {
    /// The name a person sees.
    pub title: String,
    /// `csv`, `json`, `xml`, `rdf` or `xlsx`.
    pub format: String,
    /// The media type.
    pub media_type: String,
    /// Bytes.
    pub byte_size: u64,
    /// blake3 of the content, in hexadecimal.
    pub checksum: String,
    /// Where it is had, at the node of the dataset.
    pub download_url: String,
}

impl OpenDataset {
    /// What the public sees of an entry.
    pub fn of(open: &OpenEntry) -> Self {
        let (entry, mark) = (&open.published.entry, &open.mark);
        let (node, class) = (open.published.publisher.code(), mark.terms.class());
        let identifier = format!("{node}:{}", entry.id);
        let rights = match &mark.terms {
            OpeningTerms::Unconditional { .. } => Vec::new(),
            OpeningTerms::OnApplication { grounds } | OpeningTerms::NotOpened { grounds } => {
                grounds.clone()
            }
        };
        let shown = match class {
            OpenClass::Unconditional | OpenClass::OnApplication => true,
            OpenClass::NotOpened => false,
        };
        let files = mark.files.iter();
        Self {
            title: entry.name.clone(),
            description: shown.then(|| entry.summary.clone()),
            publisher: entry.provider_name.clone(),
            node,
            issued: open.published.published_at,
            modified: mark.at,
            accrual_periodicity: entry.frequency.zh().to_owned(),
            access_rights: class.id().to_owned(),
            access_rights_zh: class.zh().to_owned(),
            rights,
            items: match shown {
                true => entry.items.iter().map(|item| item.name.clone()).collect(),
                false => Vec::new(),
            },
            distribution: match class {
                OpenClass::Unconditional => files.map(|it| distribution(&identifier, it)).collect(),
                OpenClass::OnApplication | OpenClass::NotOpened => Vec::new(),
            },
            identifier,
        }
    }
}

fn distribution(identifier: &str, file: &OpenFile) -> Distribution {
    Distribution {
        title: file.object.name.clone(),
        format: file.format.id().to_owned(),
        media_type: media_type(file.format).to_owned(),
        byte_size: file.object.length,
        checksum: file.object.digest.to_string(),
        download_url: format!(
            "/open/v1/catalogue/{}/{}",
            encode(identifier),
            file.format.id()
        ),
    }
}

fn media_type(format: OpenFormat) -> &'static str {
    match format {
        OpenFormat::Csv => "text/csv; charset=utf-8",
        OpenFormat::Json => "application/json",
        OpenFormat::Xml => "application/xml",
        OpenFormat::Rdf => "application/rdf+xml",
        OpenFormat::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
}

/// A page of the opening catalogue; where the profile in force opens no data, the refusal.
pub(crate) async fn page(
    api: &Api,
    page: &Page,
) -> Result<(Vec<OpenDataset>, Option<String>), Problem> {
    api.backend().profile().check_opens()?;
    let after = page.after.as_deref().map(identifier).transpose()?;
    let limit = page.limit().min(MAX_OPEN_PAGE);
    let (found, next) = api
        .read(move |read| query::open_entries(read, after.as_ref(), limit))
        .await?;
    let next = next.map(|(code, id)| format!("{code}:{id}"));
    Ok((found.iter().map(OpenDataset::of).collect(), next))
}

/// `GET /open/v1/catalogue`.
pub(crate) async fn list(
    State(api): State<Api>,
    Params(wanted): Params<Page>,
) -> Result<List<OpenDataset>, Problem> {
    let (items, next) = page(&api, &wanted).await?;
    Ok(List { items, next })
}

/// `GET /open/v1/catalogue/{id}`.
pub(crate) async fn one(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<OpenDataset>, Problem> {
    found(&api, &id)
        .await
        .map(|open| Json(OpenDataset::of(&open)))
}

/// `GET /open/v1/catalogue/{id}/{format}`: the data itself, without any application (S25).
pub(crate) async fn file(
    State(api): State<Api>,
    Path((id, format)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let open = found(&api, &id).await?;
    let format: OpenFormat = format.parse().map_err(|error: statute::UnknownTerm| {
        Problem::malformed(error.to_string(), error.to_string())
    })?;
    statute::check_open_file(&open.mark.terms, format)?;
    let file = open.mark.files.iter().find(|file| file.format == format);
    let file = file.ok_or_else(|| {
        Problem::not_found("没有这种格式的文件", "there is no file of this format")
    })?;
    let node = open.published.publisher.code();
    if !api.backend().has_object(&file.object.digest) {
        return Err(Problem::not_found(
            format!("文件在提供部门的节点 {node}"),
            format!("the file is at the node {node} of its department"),
        ));
    }
    object(&api, &file.object, media_type(format)).await
}

/// An object as a file to be kept, never shown as a page of this node's.
pub(super) async fn object(
    api: &Api,
    object: &sharing::act::ObjectRef,
    media_type: &str,
) -> Result<Response, Problem> {
    let (length, body) = api.backend().give_object(object.digest).await?;
    let name = encode(&object.name);
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ETAG, format!("\"{}\"", object.digest)),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename*=UTF-8''{name}"),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox".to_owned(),
        ),
    ];
    Ok((headers, body).into_response())
}

async fn found(api: &Api, id: &str) -> Result<OpenEntry, Problem> {
    api.backend().profile().check_opens()?;
    let (publisher, id) = identifier(id)?;
    let open = api
        .read(move |read| query::open_entry(read, publisher, &id))
        .await?;
    open.ok_or_else(|| {
        Problem::not_found(
            "开放目录中没有这个条目",
            "there is no such entry in the opening catalogue",
        )
    })
}

/// A publisher and an entry, as `210102:3/210102/000001`.
pub(super) fn identifier(text: &str) -> Result<OpenCursor, Problem> {
    let wrong = || {
        Problem::malformed(
            "标识应写作 节点代码:目录代码",
            "an identifier is written node:entry",
        )
    };
    let (code, id) = text.split_once(':').ok_or_else(wrong)?;
    let code: Code = code.parse().map_err(|_| wrong())?;
    let id = EntryId::try_from(id.to_owned()).map_err(|_| wrong())?;
    Ok((code, id))
}
