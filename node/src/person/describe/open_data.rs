//! Acts about open data.

use sharing::open_data::{OpenAnswer, OpenDataAct};
use statute::{OpenFormat, OpeningTerms};

use super::{Text, version};

/// What the person is about to sign.
pub(super) fn act(act: &OpenDataAct) -> Text {
    match act {
        OpenDataAct::Mark {
            entry,
            terms,
            contains,
        } => {
            let entry = version(entry);
            let (class, listed) = (terms.class(), listed(terms));
            let held = |name: fn(statute::ProtectedContent) -> &'static str, between| {
                let names: Vec<_> = contains.iter().copied().map(name).collect();
                names.join(between)
            };
            let (zh, en) = match contains.is_empty() {
                true => (String::new(), String::new()),
                false => (
                    format!("；含有{}", held(statute::ProtectedContent::zh, "、")),
                    format!("; contains {}", held(statute::ProtectedContent::en, ", ")),
                ),
            };
            Text::new(
                format!("将目录条目 {entry} 标注为{}：{listed}{zh}", class.zh()),
                format!("mark {entry} as {}: {listed}{en}", class.en()),
            )
        }
        OpenDataAct::Publish { entry, file } => {
            let (name, digest) = (&file.object.name, &file.object.digest);
            let format = file.format.zh();
            Text::new(
                format!("就目录条目 {entry} 向所有人开放{format}文件 {name}（{digest}）"),
                format!("open the {format} file {name} ({digest}) of {entry} to everyone"),
            )
        }
        OpenDataAct::Answer {
            docket,
            form,
            answer,
        } => {
            let docket = docket.0.short();
            let Text { zh, en } = answered(answer);
            Text::new(
                format!("案卷 {docket}：{zh}（答复形式：{}）", form.zh()),
                format!("docket {docket}: {en} (answered {})", form.en()),
            )
        }
    }
}

fn listed(terms: &OpeningTerms) -> String {
    match terms {
        OpeningTerms::Unconditional { formats } => {
            let names: Vec<_> = formats.iter().copied().map(OpenFormat::zh).collect();
            names.join("、")
        }
        OpeningTerms::OnApplication { grounds } | OpeningTerms::NotOpened { grounds } => {
            grounds.join("；")
        }
    }
}

fn answered(answer: &OpenAnswer) -> Text {
    match answer {
        OpenAnswer::Opened { how, object } => {
            let (zh, en) = object.as_ref().map_or_else(Default::default, |object| {
                let (name, digest) = (&object.name, &object.digest);
                (
                    format!("；文件 {name}（{digest}）"),
                    format!("; file {name} ({digest})"),
                )
            });
            Text::new(
                format!("同意开放：{how}{zh}"),
                format!("open the data: {how}{en}"),
            )
        }
        OpenAnswer::Refused { reasons } => Text::new(
            format!("不同意开放，理由：{reasons}"),
            format!("do not open the data, because: {reasons}"),
        ),
    }
}
