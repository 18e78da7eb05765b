//! Entries with each defect, the way to publication, and the form people write.

use identity::{CreditCode, CreditCodeWarning};
use statute::{ActKind, ClassField, LegalBasis, Role, ShareClass};

use super::*;
use crate::act::Doer;
use crate::cast::{self, NOW, conditional, done, entry, provider, unconditional};

fn checked(change: impl FnOnce(&mut Entry)) -> Result<Vec<Warning>, (RefusalReason, Article)> {
    let mut entry = entry(conditional());
    change(&mut entry);
    check_entry(&entry).map_err(|refusal| (refusal.reason, refusal.article))
}

fn lacks(field: CatalogueField) -> Result<Vec<Warning>, (RefusalReason, Article)> {
    let fields = vec![RequiredField::Catalogue(field)];
    Err((RefusalReason::MissingField { fields }, Article::R13))
}

#[test]
fn ids_are_short_and_plain() {
    let id: EntryId = "440106/MZ-1/0001".parse().unwrap();
    assert_eq!(
        (id.as_str(), id.to_string().as_str()),
        ("440106/MZ-1/0001", "440106/MZ-1/0001")
    );
    assert_eq!("".parse::<EntryId>(), Err(EntryIdError::Length(0)));
    assert_eq!(
        "1".repeat(65).parse::<EntryId>(),
        Err(EntryIdError::Length(65))
    );
    for (text, found) in [("a b", ' '), ("目录", '目'), ("a_b", '_'), ("a\0", '\0')] {
        assert_eq!(text.parse::<EntryId>(), Err(EntryIdError::Character(found)));
    }
    assert!(
        codec::decode::<EntryId>(&codec::encode("a b"), 16).is_err(),
        "reading checks it"
    );
}

#[test]
fn a_version_is_named_by_its_content() {
    let one = entry(conditional());
    let mut other = one.clone();
    assert_eq!(one.version_ref(), other.version_ref());
    other.summary.push('改');
    assert_ne!(one.version_ref().digest, other.version_ref().digest);
}

#[test]
fn a_whole_entry_of_each_class_passes() {
    assert_eq!(checked(|_| {}), Ok(vec![]));
    assert_eq!(checked(|it| it.terms = unconditional()), Ok(vec![]));
    let basis = LegalBasis {
        instrument: statute::BasisInstrument::Law,
        title: "中华人民共和国统计法".into(),
        provision: "第二十五条".into(),
    };
    let not_shared = ClassTerms::NotShared {
        reason: "统计调查对象资料".into(),
        legal_basis: vec![basis],
    };
    assert_eq!(checked(|it| it.terms = not_shared), Ok(vec![]));
}

#[test]
fn each_of_the_nine_fields_and_both_assessments_is_required() {
    assert_eq!(
        checked(|it| it.name = " ".into()),
        lacks(CatalogueField::Name)
    );
    assert_eq!(
        checked(|it| it.items[0].kind.clear()),
        lacks(CatalogueField::DataItems)
    );
    assert_eq!(
        checked(|it| it.provider_name.clear()),
        lacks(CatalogueField::Provider)
    );
    assert_eq!(
        checked(|it| it.format.clear()),
        lacks(CatalogueField::Format)
    );
    assert_eq!(
        checked(|it| it.methods.clear()),
        lacks(CatalogueField::Method)
    );
    let not_applicable = || Assessment::NotApplicable {
        reason: "无".into(),
    };
    assert_eq!(
        checked(|it| it.secrecy_assessment = not_applicable()),
        lacks(CatalogueField::SecrecyAssessment)
    );
    let privacy = CatalogueField::PersonalInformationAssessment;
    assert_eq!(
        checked(|it| it.privacy_assessment = not_applicable()),
        lacks(privacy)
    );
    let impersonal = checked(|it| {
        it.personal_information = false;
        it.privacy_assessment = not_applicable();
    });
    assert_eq!(impersonal, Ok(vec![]));
    let all = checked(|it| {
        it.name.clear();
        it.format.clear();
    });
    let fields = [CatalogueField::Name, CatalogueField::Format]
        .map(RequiredField::Catalogue)
        .to_vec();
    assert_eq!(
        all,
        Err((RefusalReason::MissingField { fields }, Article::R13)),
        "all at once"
    );
}

#[test]
fn a_class_lists_what_it_must() {
    let terms = ClassTerms::Conditional {
        scope: vec![],
        uses: vec!["用".into()],
        conditions: vec![],
    };
    let fields = vec![RequiredField::Class(ClassField::Scope)];
    assert_eq!(
        checked(|it| it.terms = terms),
        Err((RefusalReason::MissingField { fields }, Article::R15))
    );
}

#[test]
fn the_grade_is_that_of_the_strictest_item() {
    for grade in [Grade::General, Grade::Core] {
        let expected = Grade::Important.zh().to_owned();
        let reason = RefusalReason::WrongState {
            expected,
            found: grade.zh().to_owned(),
        };
        assert_eq!(checked(|it| it.grade = grade), Err((reason, Article::R13)));
    }
}

#[test]
fn secrets_are_not_entered() {
    for mark in ["机密", "绝密资料", "秘密★10年", "涉及国家秘密"] {
        let state_secret = Err((RefusalReason::StateSecret, Article::R3));
        assert_eq!(
            checked(|it| it.summary = mark.into()),
            state_secret,
            "{mark}"
        );
        assert_eq!(
            checked(|it| it.items[0].name = mark.into()),
            state_secret,
            "{mark}"
        );
    }
    let work_secret = checked(|it| it.name = "工作秘密事项清单".into());
    assert_eq!(work_secret, Err((RefusalReason::WorkSecret, Article::R3)));
    assert_eq!(
        checked(|it| it.summary = "侵犯商业秘密案件行政处罚".into()),
        Ok(vec![]),
        "no mark of classification"
    );
}

#[test]
fn everything_is_bounded_and_nothing_stands_twice() {
    let long = |found, limit| Err((RefusalReason::TooLong { found, limit }, Article::R13));
    let many = |it: &mut Entry| {
        let item = it.items[1].clone();
        it.items = (0..=MAX_ITEMS)
            .map(|n| DataItem {
                name: format!("项{n}"),
                ..item.clone()
            })
            .collect();
    };
    assert_eq!(checked(many), long(MAX_ITEMS + 1, MAX_ITEMS));
    assert_eq!(
        checked(|it| it.name = "长".repeat(201)),
        long(201, MAX_NAME_CHARS)
    );
    assert_eq!(
        checked(|it| it.items[0].name = "长".repeat(201)),
        long(201, MAX_NAME_CHARS)
    );
    assert_eq!(
        checked(|it| it.summary = "长".repeat(2_001)),
        long(2_001, MAX_SUMMARY_CHARS)
    );
    let twice = |what: &str| Err((RefusalReason::Duplicate { what: what.into() }, Article::R13));
    assert_eq!(
        checked(|it| it.items[0].name = it.items[1].name.clone()),
        twice("经营者姓名")
    );
    assert_eq!(
        checked(|it| it.methods = vec![Method::FileDownload; 2]),
        twice("文件下载")
    );
    assert!(checked(|it| it.version = 0).is_err());
}

#[test]
fn a_wrong_check_character_is_a_warning() {
    let right = provider().code.to_string();
    let wrong = if right.ends_with('0') { '1' } else { '0' };
    let code: CreditCode = format!("{}{wrong}", &right[..17]).parse().unwrap();
    let expected = right.chars().last().unwrap();
    let warning = Warning::CreditCode(CreditCodeWarning {
        expected,
        found: wrong,
    });
    assert_eq!(checked(|it| it.provider = code), Ok(vec![warning]));
}

fn doer(role: Role) -> Doer {
    let department = provider();
    Doer {
        name: "张三".into(),
        department: department.code,
        node: department.place.code(),
        role,
    }
}

fn entitled(kind: ActKind) -> Doer {
    doer(statute::required_role(kind).0[0])
}

#[test]
fn the_way_of_an_entry_is_exactly_this() {
    use EntryState::{Approved, Draft, Published, Submitted, Withdrawn};
    let entry = entry(conditional());
    let named = entry.version_ref();
    let (publish, back) = (
        ReviewVerdict::Publish,
        ReviewVerdict::Return {
            reason: "缺样例".into(),
        },
    );
    let commands = [
        EntryCommand::Compile(&entry),
        EntryCommand::Approve(&named),
        EntryCommand::Submit(&named),
        EntryCommand::Review(&named, &publish),
        EntryCommand::Review(&named, &back),
        EntryCommand::Withdraw(&named),
    ];
    let table = [
        (None, [Some(Draft), None, None, None, None, None]),
        (
            Some(Draft),
            [Some(Draft), Some(Approved), None, None, None, None],
        ),
        (
            Some(Approved),
            [Some(Draft), None, Some(Submitted), None, None, None],
        ),
        (
            Some(Submitted),
            [None, None, None, Some(Published), Some(Draft), None],
        ),
        (
            Some(Published),
            [None, None, None, None, None, Some(Withdrawn)],
        ),
        (Some(Withdrawn), [None; 6]),
    ];
    for (state, row) in table {
        let standing = state.map(|state| Standing {
            state,
            entry: &entry,
        });
        for (command, expected) in commands.iter().zip(row) {
            let result = decide(
                standing,
                *command,
                &entitled(command.kind()),
                provider().place.code(),
            );
            match expected {
                Some(next) => assert_eq!(result, Ok(next), "{state:?} {command:?}"),
                None => {
                    let reason = result.unwrap_err().reason;
                    assert!(
                        matches!(reason, RefusalReason::WrongState { .. }),
                        "{state:?} {command:?}: {reason:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn each_step_belongs_to_its_role_department_and_node() {
    let entry = entry(conditional());
    let named = entry.version_ref();
    let standing = |state| {
        Some(Standing {
            state,
            entry: &entry,
        })
    };
    let here = provider().place.code();
    let refused = |standing, command: EntryCommand<'_>, doer: &Doer, node| {
        decide(standing, command, doer, node).unwrap_err().reason
    };
    let approve = EntryCommand::Approve(&named);
    let operator = refused(
        standing(EntryState::Draft),
        approve,
        &doer(Role::Operator),
        here,
    );
    assert_eq!(
        operator,
        RefusalReason::RoleNotEntitled {
            role: Role::Operator,
            act: ActKind::ApproveEntry
        }
    );
    let foreign = Doer {
        department: cast::requester().code,
        ..doer(Role::DepartmentHead)
    };
    let theirs = RefusalReason::NotYourDepartment;
    assert_eq!(
        refused(standing(EntryState::Draft), approve, &foreign, here),
        theirs
    );
    let compiler = Doer {
        department: cast::requester().code,
        ..doer(Role::Operator)
    };
    assert_eq!(
        refused(None, EntryCommand::Compile(&entry), &compiler, here),
        theirs
    );
    let reviewer = doer(Role::AuthorityReviewer);
    let review = EntryCommand::Review(&named, &ReviewVerdict::Publish);
    let elsewhere = cast::requester().place.code();
    assert_eq!(
        refused(
            standing(EntryState::Submitted),
            review,
            &reviewer,
            elsewhere
        ),
        theirs
    );
    let of_another_department = Doer {
        department: cast::requester().code,
        ..reviewer
    };
    assert_eq!(
        decide(
            standing(EntryState::Submitted),
            review,
            &of_another_department,
            here
        ),
        Ok(EntryState::Published),
        "the authority reviews every department's entries"
    );
}

#[test]
fn nobody_approves_or_publishes_what_they_did_not_see() {
    let held = entry(conditional());
    let mut seen = held.clone();
    seen.summary.push('改');
    let named = seen.version_ref();
    let standing = Some(Standing {
        state: EntryState::Draft,
        entry: &held,
    });
    let refusal = decide(
        standing,
        EntryCommand::Approve(&named),
        &doer(Role::DepartmentHead),
        provider().place.code(),
    );
    let refusal = refusal.unwrap_err();
    assert_eq!(refusal.article, Article::R13);
    assert!(matches!(refusal.reason, RefusalReason::WrongState { .. }));
}

#[test]
fn a_return_states_its_reason_and_a_bad_entry_is_not_compiled() {
    let entry = entry(conditional());
    let (named, empty) = (
        entry.version_ref(),
        ReviewVerdict::Return { reason: " ".into() },
    );
    let standing = Some(Standing {
        state: EntryState::Submitted,
        entry: &entry,
    });
    let review = EntryCommand::Review(&named, &empty);
    let here = provider().place.code();
    let refusal = decide(standing, review, &doer(Role::AuthorityReviewer), here).unwrap_err();
    assert_eq!(refusal, RefusalReason::ReasonsRequired.under(Article::R16));
    let bad = Entry {
        format: String::new(),
        ..entry.clone()
    };
    let refusal = decide(
        None,
        EntryCommand::Compile(&bad),
        &doer(Role::Operator),
        here,
    )
    .unwrap_err();
    assert_eq!(refusal, missing(CatalogueField::Format));
}

fn draft() -> EntryDraft {
    EntryDraft::from(&entry(conditional()))
}

#[test]
fn a_draft_of_an_entry_is_the_entry_again() {
    for terms in [unconditional(), conditional()] {
        // A draft names days, an entry moments: the first of the day in Beijing.
        let mut entry = entry(terms);
        let midnight = Moment::from_millis(1_772_380_800_000);
        let on_a_day = Assessment::Done {
            by: "李四".into(),
            on: midnight,
            conclusion: "不涉密".into(),
        };
        (entry.secrecy_assessment, entry.privacy_assessment) = (on_a_day.clone(), on_a_day);
        assert_eq!(EntryDraft::from(&entry).into_entry(), Ok(entry));
    }
    assert!(matches!(done(), Assessment::Done { on, .. } if on == NOW));
}

#[test]
fn a_draft_with_two_classes_or_none_is_refused_as_such() {
    let two = EntryDraft {
        terms: TermsDraft {
            unconditional: Some(NothingDraft {}),
            ..draft().terms
        },
        ..draft()
    };
    let reason = RefusalReason::TwoClasses {
        first: ShareClass::Unconditional,
        second: ShareClass::Conditional,
    };
    assert_eq!(
        two.into_entry(),
        Err(DraftError::Refused(reason.under(Article::R14)))
    );
    let none = EntryDraft {
        terms: TermsDraft::default(),
        ..draft()
    };
    let fields = [CatalogueField::ShareClass, CatalogueField::UseConditions]
        .map(RequiredField::Catalogue)
        .to_vec();
    assert_eq!(
        none.into_entry(),
        Err(DraftError::Refused(
            RefusalReason::MissingField { fields }.under(Article::R13)
        ))
    );
}

#[test]
fn an_empty_draft_is_told_everything_it_lacks() {
    let Err(DraftError::Refused(refusal)) = EntryDraft::default().into_entry() else {
        panic!()
    };
    let RefusalReason::MissingField { fields } = refusal.reason else {
        panic!("{refusal}")
    };
    assert_eq!(
        fields.len(),
        CatalogueField::ALL.len() - 2,
        "all but the grade and the privacy assessment"
    );
}

#[test]
fn malformed_ids_codes_and_days_are_named() {
    let id = EntryDraft {
        id: "目录 1".into(),
        ..draft()
    };
    assert_eq!(
        id.into_entry(),
        Err(DraftError::Id(EntryIdError::Character('目')))
    );
    let provider = EntryDraft {
        provider: "123".into(),
        ..draft()
    };
    assert!(matches!(
        provider.into_entry(),
        Err(DraftError::Provider(_))
    ));
    for on in [
        "2026-02-29",
        "2026-13-01",
        "2026-1-5",
        "今天",
        "9999-99-99",
        "+026-01-05",
        "2026-01-05-01",
        "",
    ] {
        let assessment = AssessmentDraft::Done {
            by: "李四".into(),
            on: on.into(),
            conclusion: "无".into(),
        };
        let draft = EntryDraft {
            secrecy_assessment: Some(assessment),
            ..draft()
        };
        assert_eq!(
            draft.into_entry(),
            Err(DraftError::Day { found: on.into() }),
            "{on}"
        );
    }
}

/// The example of the module's documentation.
const LINE: &str = r#"{"id": "440106/MZ/0001", "name": "低保家庭信息", "summary": "本区在保低保家庭及成员",
    "provider": "11440106007512345X", "提供单位": "天河区民政局",
    "items": [{"名称": "户主姓名", "kind": "C50", "grade": "重要数据"}, {"name": "户数", "kind": "N4", "grade": "general"}],
    "format": "CSV", "frequency": "每月",
    "共享属性": {"有条件共享": {"scope": ["县级以上民政部门"], "使用用途": ["社会救助核对"]}},
    "methods": ["文件下载", "batch-exchange"], "含个人信息": true,
    "secrecy_assessment": {"done": {"by": "李四", "on": "2026-01-05", "conclusion": "不涉密"}},
    "个人信息保护影响评估": {"已评估": {"评估人": "李四", "评估日期": "2026-01-05", "评估结论": "风险可控"}}}"#;

fn read(line: &str) -> Result<EntryDraft, String> {
    serde_json::from_str(line).map_err(|error| error.to_string())
}

#[test]
fn people_write_entries_in_chinese_or_by_id() {
    let entry = read(LINE).unwrap().into_entry().unwrap();
    assert_eq!(
        (entry.version, entry.grade, entry.items.len()),
        (1, Grade::Important, 2)
    );
    assert_eq!(entry.frequency, UpdateFrequency::Monthly);
    assert_eq!(entry.methods, [Method::FileDownload, Method::BatchExchange]);
    let ClassTerms::Conditional { uses, .. } = &entry.terms else {
        panic!()
    };
    assert_eq!(uses, &["社会救助核对"]);
    let line = serde_json::to_string(&EntryDraft::from(&entry)).unwrap();
    assert_eq!(read(&line).unwrap().into_entry(), Ok(entry));
}

#[test]
fn a_line_with_a_wrong_field_or_word_is_refused_by_name() {
    let refused = |from: &str, to: &str| read(&LINE.replace(from, to)).unwrap_err();
    assert!(refused("\"format\"", "\"formt\"").contains("unknown field `formt`"));
    assert!(refused("每月", "每旬").contains("每旬"));
    assert!(refused("文件下载", "邮寄").contains("邮寄"));
    let conditional =
        r#"{"有条件共享": {"scope": ["县级以上民政部门"], "使用用途": ["社会救助核对"]}}"#;
    let condition = refused(conditional, r#"{"无条件共享": {"条件": "缴费"}}"#);
    assert!(
        condition.contains("unknown field `条件`"),
        "there is no place for a condition: {condition}"
    );
}

#[test]
fn a_line_that_names_two_classes_is_refused_for_that() {
    let two = LINE.replace("\"有条件共享\": {", "\"无条件共享\": {}, \"有条件共享\": {");
    let Err(DraftError::Refused(refusal)) = read(&two).unwrap().into_entry() else {
        panic!()
    };
    let reason = RefusalReason::TwoClasses {
        first: ShareClass::Unconditional,
        second: ShareClass::Conditional,
    };
    assert_eq!(refusal, reason.under(Article::R14));
}
