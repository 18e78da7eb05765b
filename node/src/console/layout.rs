//! The frame of every page: head, style, foot.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::language::Language;

/// Seconds after which a page that shows live state is loaded again.
pub(super) const REFRESH_SECONDS: u32 = 5;

/// A page. What shows live state is loaded again after [`REFRESH_SECONDS`].
pub(super) fn page(title: &str, language: Language, live: bool, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if live { meta http-equiv="refresh" content=(REFRESH_SECONDS); }
                title { (title) " · " (language.pick("贯通", "Guantong")) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    div.brand {
                        span.mark { "贯通" }
                        span.system { (language.pick("全国一体化政务大数据体系", "National integrated government big-data system")) }
                    }
                    nav {
                        a href=(address("/", language)) { (language.pick("概览", "Overview")) }
                        a href=(address("/evaluations", language)) { (language.pick("评估", "Evaluation")) }
                        @match language {
                            Language::Chinese => a href="?lang=en" lang="en" { "English" },
                            Language::English => a href="?lang=zh" lang="zh-CN" { "中文" },
                        }
                    }
                }
                main { (body) }
                footer {
                    "Guantong " (env!("CARGO_PKG_VERSION"))
                    @if live {
                        " · " (language.pick("每 5 秒自动刷新", "reloads every 5 s"))
                    }
                    " · " (language.pick("时间均为北京时间", "times are Beijing time"))
                    " · " a href="/api/v1/openapi.json" { "API" }
                }
            }
        }
    }
}

/// A page's address that keeps the reader's language.
pub(super) fn address(path: &str, language: Language) -> String {
    match language {
        Language::Chinese => path.to_owned(),
        Language::English => format!("{path}?lang=en"),
    }
}

/// How pages look.
pub(crate) const STYLE: &str = "
:root{--ink:#1c2430;--soft:#5d6b7e;--line:#d9e0e8;--paper:#fff;--ground:#f3f5f8;--brand:#0b3d7a;--ok:#18794e;--warn:#9a5b00;--bad:#b3261e}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:14px/1.55 'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',system-ui,sans-serif;font-variant-numeric:tabular-nums}
a{color:var(--brand);text-decoration:none}a:hover{text-decoration:underline}
.top{background:var(--brand);color:#fff;display:flex;justify-content:space-between;align-items:center;padding:0 24px;min-height:52px;border-bottom:3px solid #c8102e}
.top a{color:#dce8f7;margin-left:18px}.mark{font-size:20px;font-weight:700;letter-spacing:4px}.system{margin-left:14px;color:#c9d9ee}
main{max-width:1280px;margin:0 auto;padding:18px 24px 8px}
h1{font-size:22px;margin:0}h2{font-size:15px;margin:0 0 8px;padding-left:9px;border-left:4px solid var(--brand)}
.lead{display:flex;flex-wrap:wrap;gap:6px 18px;align-items:baseline;margin-bottom:14px}.path{color:var(--soft)}
section{background:var(--paper);border:1px solid var(--line);border-radius:4px;padding:14px 16px;margin-bottom:14px;min-width:0}
.cols{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 14px}
.figures{display:flex;flex-wrap:wrap;gap:1px;background:var(--line);border:1px solid var(--line);border-radius:4px;margin-bottom:14px;overflow:hidden}
.figures>*{flex:1 1 130px}
.figures div{background:var(--paper);padding:10px 14px}.figures b{display:block;font-size:21px;font-weight:600;line-height:1.3}.figures span{color:var(--soft);font-size:12.5px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13px}th{text-align:left;color:var(--soft);font-weight:500;white-space:nowrap;background:#f8fafc}
th,td{padding:5px 10px 5px 8px;border-bottom:1px solid var(--line);vertical-align:top}td.n,th.n{text-align:right;white-space:nowrap}td.t{white-space:nowrap}
tr:last-child td{border-bottom:0}
.tag{display:inline-block;padding:0 7px;border-radius:3px;font-size:12px;line-height:20px;white-space:nowrap;background:#eef2f7;color:var(--ink)}
.ok{color:var(--ok)}.warn{color:var(--warn)}.bad{color:var(--bad)}.tag.ok{background:#e4f4ec}.tag.warn{background:#fdf0d9}.tag.bad{background:#fbe4e2;font-weight:600}
tr.overdue td{background:#fdf3f2}tr.soon td{background:#fffaf0}
.mono{font-family:ui-monospace,Consolas,monospace;font-size:12px}.note,.none{color:var(--soft);margin:2px 0}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 16px;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.event{border-top:1px solid var(--line);padding:10px 0 8px;display:grid;grid-template-columns:150px minmax(0,1fr);gap:4px 16px}.event:first-of-type{border-top:0}
.event h3{font-size:14px;margin:0 0 4px}.event .when{color:var(--soft);font-size:12.5px}
.login{max-width:420px;margin:60px auto}.login form{display:grid;gap:8px;margin-bottom:8px}
input,button{font:inherit;padding:7px 10px;border:1px solid var(--line);border-radius:4px}button{background:var(--brand);color:#fff;border-color:var(--brand);cursor:pointer}
footer{max-width:1280px;margin:0 auto;padding:4px 24px 24px;color:var(--soft);font-size:12.5px}
@media(max-width:900px){.cols{grid-template-columns:minmax(0,1fr)}.figures>*{flex-basis:40%}main,.top{padding-left:14px;padding-right:14px}.system{display:none}.event{grid-template-columns:minmax(0,1fr)}}
";
