//! Forms for the public: a complaint (R37), an application for opening (S26), and how a case stands. They are sent as plain pages and need no script.
//!
//! There is no session here, so there is nothing that a page from elsewhere could misuse. The receipt is asked for in a form and is in no address of these
//! pages, so that neither a history nor a log keeps it; the one exception is the file that was opened.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use sharing::docket::DocketState;
use sharing::public::{MAX_PUBLIC_LINE_CHARS, MAX_PUBLIC_TEXT_CHARS};

use super::intake::{self, Complaint, OpenApplication, PublicCase, Received};
use super::page::{framed, sent};
use crate::api::{Api, Kind, Problem};
use crate::console::labels;
use crate::language::Language;

/// Where a complaint is written.
pub(super) const COMPLAINT: &str = "/open/complaint";
/// Where an application for opening is written.
pub(super) const APPLY: &str = "/open/apply";
/// Where the receipt is given.
pub(super) const CASE: &str = "/open/case";
/// Most bytes of a form: 2,600 characters, each escaped to at most twelve bytes, and the names of the fields.
pub const MAX_FORM_BYTES: usize = 32 << 10;

/// What the address of a form says.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    lang: Option<String>,
    id: Option<String>,
}

impl Asked {
    fn language(&self) -> Language {
        let named = self.lang.as_deref().map(Language::of_tag);
        named.unwrap_or_default()
    }
}

/// A complaint as it was written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ComplaintForm {
    about: String,
    #[serde(default)]
    department: String,
    text: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    contact: String,
}

/// An application as it was written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplicationForm {
    identifier: String,
    text: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    contact: String,
    /// Said by a box that is ticked, and not at all by one that is not.
    written: Option<String>,
}

/// A receipt as it was given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptForm {
    receipt: String,
}

/// `GET /open/complaint`.
pub(super) async fn write_complaint(Query(asked): Query<Asked>) -> Response {
    let language = asked.language();
    let form = complaint_form(&ComplaintForm::default(), language);
    shown(StatusCode::OK, COMPLAINT_TITLE, language, &form)
}

/// `POST /open/complaint`.
pub(super) async fn send_complaint(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
    form: Result<Form<ComplaintForm>, FormRejection>,
) -> Response {
    let language = asked.language();
    let form = match read(form) {
        Ok(form) => form,
        Err(problem) => return refused(&problem, COMPLAINT, language),
    };
    match complained(&api, &form).await {
        Ok(received) => receipt_shown(&received, language),
        Err(problem) => again(
            &problem,
            COMPLAINT_TITLE,
            language,
            &complaint_form(&form, language),
        ),
    }
}

async fn complained(api: &Api, form: &ComplaintForm) -> Result<Received, Problem> {
    let department = match form.department.trim() {
        "" => None,
        named => Some(named.parse().map_err(|_| {
            Problem::malformed(
                "统一社会信用代码应为 18 位；不清楚时请留空",
                "a credit code has 18 characters; leave it empty when it is not known",
            )
        })?),
    };
    let complaint = Complaint {
        about: form.about.clone(),
        department,
        text: form.text.clone(),
        name: form.name.clone(),
        contact: form.contact.clone(),
    };
    intake::complained(api, complaint).await
}

/// `GET /open/apply`.
pub(super) async fn write_application(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
) -> Response {
    let language = asked.language();
    if let Err(refusal) = api.backend().profile().check_opens() {
        return refused(&refusal.into(), APPLY, language);
    }
    let form = ApplicationForm {
        identifier: asked.id.unwrap_or_default(),
        ..ApplicationForm::default()
    };
    let form = application_form(&form, language);
    shown(StatusCode::OK, APPLICATION_TITLE, language, &form)
}

/// `POST /open/apply`.
pub(super) async fn send_application(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
    form: Result<Form<ApplicationForm>, FormRejection>,
) -> Response {
    let language = asked.language();
    let form = match read(form) {
        Ok(form) => form,
        Err(problem) => return refused(&problem, APPLY, language),
    };
    let application = OpenApplication {
        identifier: form.identifier.trim().to_owned(),
        text: form.text.clone(),
        name: form.name.clone(),
        contact: form.contact.clone(),
        written: form.written.is_some(),
    };
    match intake::applied(&api, application).await {
        Ok(received) => receipt_shown(&received, language),
        Err(problem) => again(
            &problem,
            APPLICATION_TITLE,
            language,
            &application_form(&form, language),
        ),
    }
}

/// `GET /open/case`.
pub(super) async fn ask_receipt(Query(asked): Query<Asked>) -> Response {
    let language = asked.language();
    shown(
        StatusCode::OK,
        CASE_TITLE,
        language,
        &receipt_form(language),
    )
}

/// `POST /open/case`.
pub(super) async fn show_case(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
    form: Result<Form<ReceiptForm>, FormRejection>,
) -> Response {
    let language = asked.language();
    let found = match read(form) {
        Ok(form) => intake::case(&api, form.receipt.trim()).await,
        Err(problem) => Err(problem),
    };
    match found {
        Ok((case, state)) => {
            let body = case_shown(&case, &state, language);
            shown(StatusCode::OK, CASE_TITLE, language, &body)
        }
        Err(problem) => again(&problem, CASE_TITLE, language, &receipt_form(language)),
    }
}

/// A form, when it is one within bounds.
fn read<T>(form: Result<Form<T>, FormRejection>) -> Result<T, Problem> {
    form.map(|Form(form)| form).map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::new(
                Kind::TooLarge,
                "所填内容过长",
                "what was written is too long",
            )
        } else {
            Problem::malformed(
                "提交的不是本页的表单，请在本页填写后提交",
                "this is not the form of this page: fill it in here and send it",
            )
        }
    })
}

/// Whether a path is one of these pages: what is refused there is told on a page as well.
pub(super) fn is_form(path: &str) -> bool {
    [COMPLAINT, APPLY, CASE].contains(&path)
}

/// A refusal as a page, with the way back to the form.
pub(super) fn refused(problem: &Problem, path: &str, language: Language) -> Response {
    let body = html! {
        (told(problem, language))
        section { p { a href={ (path) "?lang=" (language.tag()) } { (language.pick("返回填写", "Back to the form")) } } }
    };
    shown(problem.kind.status(), REFUSED_TITLE, language, &body)
}

/// The form once more with what was written, and above it what is wrong.
fn again(problem: &Problem, title: Title, language: Language, form: &Markup) -> Response {
    let body = html! { (told(problem, language)) (form) };
    shown(problem.kind.status(), title, language, &body)
}

fn told(problem: &Problem, language: Language) -> Markup {
    html! {
        section role="alert" {
            p { b.bad { (problem.detail.in_language(language)) } }
            @if let Some(article) = problem.article { p.note { (labels::cite(article, language)) } }
            @if let Some(text) = &problem.what_to_do { p { (text.in_language(language)) } }
        }
    }
}

/// The title of a page, in both languages.
type Title = (&'static str, &'static str);

const COMPLAINT_TITLE: Title = ("投诉、举报", "Complaint");
const APPLICATION_TITLE: Title = ("数据开放申请", "Application for opening data");
const CASE_TITLE: Title = ("凭回执码查询", "How a case stands");
const RECEIPT_TITLE: Title = ("已收到", "Received");
const REFUSED_TITLE: Title = ("未能受理", "Not taken");

fn shown(status: StatusCode, title: Title, language: Language, body: &Markup) -> Response {
    let page = framed(language, language.pick(title.0, title.1), body);
    (status, sent(page)).into_response()
}

fn receipt_shown(received: &Received, language: Language) -> Response {
    let pick = |zh, en| language.pick(zh, en);
    let body = html! {
        section {
            p { (pick("已收到。请抄录或者保存回执码：只显示这一次，查询办理情况只凭它。", "It was received. Write the receipt down or keep it: it is shown this once, and the case is read with it alone.")) }
            dl {
                dt { (pick("回执码", "Receipt")) } dd.mono { b { (received.receipt) } }
                dt { (pick("案件编号", "Case")) } dd.mono { (received.docket) }
            }
            p { a href={ (CASE) "?lang=" (language.tag()) } { (pick("查询办理情况", "See how it stands")) } }
        }
    };
    shown(StatusCode::CREATED, RECEIPT_TITLE, language, &body)
}

fn case_shown(case: &PublicCase, state: &DocketState, language: Language) -> Markup {
    let pick = |zh, en| language.pick(zh, en);
    html! {
        section {
            dl {
                dt { (pick("办理情况", "State")) } dd { b { (labels::docket_phase(&state.case, language)) } }
                @if !case.about.is_empty() { dt { (pick("事项", "About")) } dd { (case.about) } }
                dt { (pick("收到时间", "Received")) } dd { (labels::time(case.received)) }
                @if let Some(due) = case.due { dt { (pick("答复期限", "Answer due")) } dd { (labels::due(due)) } }
                @if case.overdue { dt { (pick("期限", "Term")) } dd { span.tag.bad { (pick("已逾期", "overdue")) } } }
                @if let Some(answer) = &case.answer { dt { (pick("答复", "Answer")) } dd { (answer) } }
                @if let Some(file) = &case.file { dt { (pick("文件", "File")) } dd { a href=(file) { (pick("下载", "Download")) } } }
                dt { (pick("案件编号", "Case")) } dd.mono { (case.docket) }
            }
        }
    }
}

fn complaint_form(form: &ComplaintForm, language: Language) -> Markup {
    let pick = |zh, en| language.pick(zh, en);
    html! {
        section {
            p.note { (pick(
                "政务数据共享工作中侵犯合法权益的，可以投诉、举报（《政务数据共享条例》第三十七条）。姓名和联系方式可以不填。",
                "Whoever finds lawful rights infringed in the sharing of government data may complain (Regulation, Art. 37). Name and contact may be left out.",
            )) }
            form.public method="post" action={ (COMPLAINT) "?lang=" (language.tag()) } {
                (line("about", pick("被投诉的单位", "Whom it is about"), &form.about, true))
                (line("department", pick("该单位统一社会信用代码（不清楚可不填）", "Its credit code, where it is known"), &form.department, false))
                (text(pick("情况说明", "What happened"), &form.text))
                (line("name", pick("姓名（可不填）", "Your name (optional)"), &form.name, false))
                (line("contact", pick("联系方式（可不填）", "How you can be reached (optional)"), &form.contact, false))
                button type="submit" { (pick("提交", "Send")) }
            }
        }
    }
}

fn application_form(form: &ApplicationForm, language: Language) -> Markup {
    let pick = |zh, en| language.pick(zh, en);
    html! {
        section {
            form.public method="post" action={ (APPLY) "?lang=" (language.tag()) } {
                (line("identifier", pick("数据标识（见开放目录）", "Identifier of the data, as in the catalogue"), &form.identifier, true))
                (text(pick("需要什么数据，用于什么", "What is wanted, and what for"), &form.text))
                (line("name", pick("姓名或者单位名称（可不填）", "Your name or that of your organisation (optional)"), &form.name, false))
                (line("contact", pick("联系方式（可不填）", "How you can be reached (optional)"), &form.contact, false))
                label.tick { input type="checkbox" name="written" value="yes" checked[form.written.is_some()]; (pick("要求书面答复", "The reply is to be in writing")) }
                button type="submit" { (pick("提交", "Send")) }
            }
        }
    }
}

fn receipt_form(language: Language) -> Markup {
    let pick = |zh, en| language.pick(zh, en);
    html! {
        section {
            form.public method="post" action={ (CASE) "?lang=" (language.tag()) } {
                label for="receipt" { (pick("回执码", "Receipt")) }
                input #receipt name="receipt" required maxlength=(MAX_PUBLIC_LINE_CHARS) autocomplete="off" spellcheck="false";
                button type="submit" { (pick("查询", "Look up")) }
            }
        }
    }
}

/// A field of one line. What was written stands in it again as text.
fn line(name: &str, label: &str, value: &str, required: bool) -> Markup {
    html! {
        label for=(name) { (label) }
        input id=(name) name=(name) value=(value) required[required] maxlength=(MAX_PUBLIC_LINE_CHARS) autocomplete="off";
    }
}

fn text(label: &str, value: &str) -> Markup {
    html! {
        label for="text" { (label) }
        textarea #text name="text" required maxlength=(MAX_PUBLIC_TEXT_CHARS) rows="8" { (value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_stands_in_the_form_again_as_text() {
        let evil = "\"><script>alert(1)</script></textarea>";
        let form = ComplaintForm {
            about: evil.into(),
            department: evil.into(),
            text: evil.into(),
            name: evil.into(),
            contact: evil.into(),
        };
        let asked = ApplicationForm {
            identifier: evil.into(),
            text: evil.into(),
            name: evil.into(),
            contact: evil.into(),
            written: Some(evil.into()),
        };
        for language in [Language::Chinese, Language::English] {
            for page in [
                complaint_form(&form, language).into_string(),
                application_form(&asked, language).into_string(),
            ] {
                assert!(!page.contains("<script") && page.matches("</textarea>").count() == 1);
                assert!(page.contains("&lt;script&gt;") && page.contains("method=\"post\""));
            }
        }
    }
}
