//! What the public asks for and complains of, and what departments do about it.

use crate::stage::code;
use identity::Code;
use sharing::act::ActBody;
use sharing::clock::Debtor;
use sharing::complaint::{ComplaintAct, ComplaintPhase};
use sharing::dispute::Party;
use sharing::docket::Case;
use sharing::open_data::{OpenAnswer, OpenDataAct, OpenFile};
use sharing::public::{PublicRequest, PublicStatement};
use statute::{OpenFormat, OpeningReplyForm, OpeningTerms};

use super::in_docket;
use crate::scene::{Drawn, Scene};

fn statement(scene: &mut Scene) -> PublicStatement {
    let says_nothing = scene.chance.once_in(5);
    PublicStatement {
        name: Some(scene.private("王五")),
        contact: Some(scene.private("wangwu@example.cn")),
        subject: Some(scene.private("民政局")),
        text: (!says_nothing).then(|| scene.private("研究公交客流，需要站点数据")),
    }
}

/// How an entry is opened, files, applications and their answers.
pub fn draws_open_data(scene: &mut Scene) -> Option<Drawn> {
    let form = if scene.either() {
        OpeningReplyForm::Any
    } else {
        OpeningReplyForm::Written
    };
    let asked = scene.docket(|case| matches!(case, Case::OpenData(_)));
    if let Some(view) = asked.filter(|_| scene.either()) {
        let answer = if scene.either() {
            OpenAnswer::Opened {
                how: "凭回执下载".into(),
                object: None,
            }
        } else {
            let reasons = if scene.strays(3) {
                ""
            } else {
                "涉及商业秘密"
            };
            OpenAnswer::Refused {
                reasons: reasons.into(),
            }
        };
        let Case::OpenData(state) = &view.state.case else {
            return None;
        };
        let asked_for = !scene.strays(4);
        let docket = view.id;
        let act = OpenDataAct::Answer {
            docket,
            form: if asked_for { state.form() } else { form },
            answer,
        };
        return in_docket(&view, ActBody::OpenData(act));
    }
    let entries = scene.entries.clone();
    let entry = scene.pick(&entries)?;
    let departments = scene.departments.iter();
    let of = departments.filter(|it| it.code == entry.provider);
    let at: Vec<Code> = of.map(|it| it.node).collect();
    let act = match scene.chance.below(5) {
        0 | 1 => OpenDataAct::Mark {
            entry: entry.version_ref(),
            terms: terms(scene)?,
            contains: Vec::new(),
        },
        2 => OpenDataAct::Publish {
            entry: entry.id,
            file: OpenFile {
                format: OpenFormat::Csv,
                object: scene.world.upload(at[0], "公交站点.csv", b"code\n1\n"),
            },
        },
        _ => {
            let request = PublicRequest::OpenData {
                entry: entry.id,
                form,
                statement: statement(scene),
            };
            return Some(Drawn::Public { request, at });
        }
    };
    let body = ActBody::OpenData(act);
    Some(Drawn::Act { body, at })
}

fn terms(scene: &mut Scene) -> Option<OpeningTerms> {
    let grounds = vec!["《中华人民共和国个人信息保护法》第十三条".into()];
    let on_application = OpeningTerms::OnApplication {
        grounds: grounds.clone(),
    };
    let terms = [
        OpeningTerms::Unconditional {
            formats: vec![OpenFormat::Csv],
        },
        on_application.clone(),
        on_application,
        OpeningTerms::NotOpened { grounds },
    ];
    scene.pick(&terms)
}

/// A complaint anywhere; it is passed on and answered.
pub fn draws_complaint(scene: &mut Scene) -> Option<Drawn> {
    let departments = scene.departments.clone();
    let department = scene.pick(&departments)?;
    let held = scene.docket(|case| matches!(case, Case::Complaint(_)));
    let Some(view) = held.filter(|_| !scene.chance.once_in(3)) else {
        let request = PublicRequest::Complaint {
            about: scene.either().then_some(department.code),
            statement: statement(scene),
        };
        let mut at: Vec<Code> = departments.iter().map(|it| it.node).collect();
        at.push(code("210100"));
        return Some(Drawn::Public { request, at });
    };
    let Case::Complaint(state) = &view.state.case else {
        return None;
    };
    let docket = view.id;
    let act = if scene.chance.once_in(3) {
        let answer = if scene.chance.once_in(4) {
            ""
        } else {
            "已核实并改正"
        };
        ComplaintAct::Answer {
            docket,
            answer: answer.into(),
        }
    } else {
        let node = scene.world.place(department.node);
        let to = [
            Debtor::Authority(node.clone()),
            Debtor::Government(node.clone()),
            Debtor::Department(Party {
                department: department.code,
                node,
            }),
        ];
        ComplaintAct::PassOn {
            docket,
            to: scene.pick(&to)?,
            note: scene.either().then(|| scene.private("请核实申请人所述")),
        }
    };
    let mut at = vec![state.place.code()];
    if let ComplaintPhase::Waiting { with } = &state.phase {
        at.push(with.node().code());
    }
    let body = ActBody::Complaint(act);
    Some(Drawn::Act { body, at })
}
