//! The opening catalogue as a plain page: no script, nothing from elsewhere, everything that was written by others escaped.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;

use super::catalogue::{OpenDataset, page};
use super::form;
use crate::api::{Api, Page, Problem};
use crate::cli::client::encode;
use crate::console::{STYLE, labels};
use crate::language::Language;

/// Entries on one page.
const PAGE_ENTRIES: usize = 50;

/// What the page's address may say.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    lang: Option<String>,
    after: Option<String>,
}

/// `GET /open`.
pub(crate) async fn show(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let language = asked.lang.as_deref().map(Language::of_tag);
    let language = language.unwrap_or_default();
    let wanted = Page {
        after: asked.after,
        limit: Some(PAGE_ENTRIES),
    };
    let (datasets, next) = match page(&api, &wanted).await {
        Ok(found) => found,
        // A place whose rules open no data still takes complaints, and says so.
        Err(problem) if problem.article.is_some() => {
            let text = problem.detail.in_language(language).to_owned();
            return Ok(sent(framed(
                language,
                title(language),
                &html! { section { p.note { (text) } } },
            )));
        }
        Err(problem) => return Err(problem),
    };
    Ok(sent(framed(
        language,
        title(language),
        &catalogue(&datasets, next.as_deref(), language),
    )))
}

/// A page of this surface, as it is sent.
pub(super) fn sent(page: Markup) -> Response {
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, page.into_string()).into_response()
}

fn title(language: Language) -> &'static str {
    language.pick("政务数据开放目录", "Catalogue of open government data")
}

/// The frame of every page of this surface.
pub(super) fn framed(language: Language, title: &str, body: &Markup) -> Markup {
    let address = |path: &str| format!("{path}?lang={}", language.tag());
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(FORM_STYLE)) }
            }
            body {
                header.top {
                    div.brand { span.mark { (language.pick("数据开放", "Open data")) } }
                    nav {
                        a href=(address("/open")) { (language.pick("目录", "Catalogue")) }
                        a href=(address(form::COMPLAINT)) { (language.pick("投诉举报", "Complain")) }
                        a href=(address(form::CASE)) { (language.pick("查询", "Look up")) }
                        @match language {
                            Language::Chinese => a href="?lang=en" lang="en" { "English" },
                            Language::English => a href="?lang=zh" lang="zh-CN" { "中文" },
                        }
                    }
                }
                main {
                    div.lead { h1 { (title) } }
                    (body)
                }
                footer { "Guantong " (env!("CARGO_PKG_VERSION")) " · " a href="/open/v1/catalogue" { "JSON" } }
            }
        }
    }
}

/// How forms look, beside the style of every page.
const FORM_STYLE: &str = "
form.public{display:grid;gap:6px;max-width:640px}form.public label{margin-top:6px}form.public button{margin-top:10px;justify-self:start;padding:8px 28px}
textarea{font:inherit;padding:7px 10px;border:1px solid var(--line);border-radius:4px;resize:vertical;width:100%}form.public input:not([type=checkbox]){width:100%}
.tick{display:flex;gap:8px;align-items:center}.top nav{display:flex;flex-wrap:wrap;justify-content:flex-end}
@media(max-width:480px){.top{padding-top:8px;padding-bottom:8px}.top .mark{font-size:16px;letter-spacing:1px}.top a{margin-left:12px}dl{grid-template-columns:minmax(0,1fr)}}
";

fn catalogue(datasets: &[OpenDataset], next: Option<&str>, language: Language) -> Markup {
    let pick = |zh, en| language.pick(zh, en);
    html! {
        section {
            @if datasets.is_empty() { p.none { (pick("目录中没有条目。", "There is no entry.")) } }
            @else {
                div.scroll { table {
                    thead { tr {
                        th { (pick("数据", "Data")) }
                        th { (pick("提供单位", "Department")) }
                        th { (pick("更新", "Updated")) }
                        th { (pick("开放类型", "Opening")) }
                        th { (pick("获取方式或者依据", "How it is had, or the grounds")) }
                    } }
                    tbody { @for dataset in datasets { (row(dataset, language)) } }
                } }
            }
            @if let Some(next) = next {
                p { a href={ "/open?lang=" (language.tag()) "&after=" (encode(next)) } { (pick("下一页", "Next page")) } }
            }
        }
    }
}

fn row(dataset: &OpenDataset, language: Language) -> Markup {
    let tone = match dataset.access_rights.as_str() {
        "unconditional" => "tag ok",
        "on-application" => "tag warn",
        _ => "tag",
    };
    html! {
        tr {
            td {
                b { (dataset.title) }
                @if let Some(text) = &dataset.description { p.note { (text) } }
                @if !dataset.items.is_empty() { p.note { (dataset.items.join("、")) } }
                p.mono { (dataset.identifier) }
            }
            td { (dataset.publisher) }
            td.t { (dataset.accrual_periodicity) p.note { (labels::time(dataset.modified).get(..10).unwrap_or_default()) } }
            td.t { span class=(tone) { (language.pick(&dataset.access_rights_zh, &dataset.access_rights)) } }
            td {
                @for file in &dataset.distribution {
                    p { a href=(file.download_url) { (file.title) } " " span.note { (file.format) " · " (file.byte_size) " B" } }
                }
                @for ground in &dataset.rights { p { (ground) } }
                @if dataset.access_rights == "on-application" {
                    p { a href={ (form::APPLY) "?lang=" (language.tag()) "&id=" (encode(&dataset.identifier)) } { (language.pick("向提供单位提出申请", "Apply to the department")) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::public::catalogue::Distribution;
    use identity::{Code, Moment};

    #[test]
    fn whatever_was_written_by_others_is_shown_as_text() {
        let evil = "\"><script>alert(1)</script>";
        let dataset = OpenDataset {
            identifier: evil.into(),
            title: evil.into(),
            description: Some(evil.into()),
            publisher: evil.into(),
            node: Code::HUB,
            issued: Moment::default(),
            modified: Moment::default(),
            accrual_periodicity: evil.into(),
            access_rights: evil.into(),
            access_rights_zh: evil.into(),
            rights: vec![evil.into()],
            items: vec![evil.into()],
            distribution: vec![Distribution {
                title: evil.into(),
                format: evil.into(),
                media_type: evil.into(),
                byte_size: 1,
                checksum: evil.into(),
                download_url: evil.into(),
            }],
        };
        let body = catalogue(&[dataset], Some(evil), Language::Chinese);
        let page = framed(Language::Chinese, evil, &body).into_string();
        assert!(!page.contains("<script") && !page.contains("\"><script"));
        assert!(page.contains("&lt;script&gt;"));
    }
}
