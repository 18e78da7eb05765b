//! What changed from one version of an entry to another (R17), field by field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statute::{ClassTerms, CollectionMark, Grade, Method, UpdateFrequency};

use super::{Assessment, DataItem, Entry};

/// A field before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed<T> {
    /// In the earlier version.
    pub from: T,
    /// In the later one.
    pub to: T,
}

/// One difference between two versions of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldChange {
    /// 目录名称.
    Name(Changed<String>),
    /// 摘要.
    Summary(Changed<String>),
    /// 提供单位.
    ProviderName(Changed<String>),
    /// A data item that is new.
    ItemAdded(DataItem),
    /// A data item that is gone.
    ItemRemoved(DataItem),
    /// A data item of another type or grade.
    ItemChanged(Changed<DataItem>),
    /// 数据格式.
    Format(Changed<String>),
    /// 更新频率.
    Frequency(Changed<UpdateFrequency>),
    /// 共享属性 and 使用条件.
    Terms(Changed<ClassTerms>),
    /// 共享方式.
    Methods(Changed<Vec<Method>>),
    /// 数据分级.
    Grade(Changed<Grade>),
    /// Whether it holds personal information.
    PersonalInformation(Changed<bool>),
    /// 保密风险评估.
    SecrecyAssessment(Changed<Assessment>),
    /// 个人信息保护影响评估.
    PrivacyAssessment(Changed<Assessment>),
    /// 资源集合.
    Collection(Changed<Option<CollectionMark>>),
}

/// What changed from `before` to `after`, in the order of the fields. Items are told by their names; only their order is no difference.
pub fn difference(before: &Entry, after: &Entry) -> Vec<FieldChange> {
    let head = [
        changed(&before.name, &after.name).map(FieldChange::Name),
        changed(&before.summary, &after.summary).map(FieldChange::Summary),
        changed(&before.provider_name, &after.provider_name).map(FieldChange::ProviderName),
    ];
    let tail = [
        changed(&before.format, &after.format).map(FieldChange::Format),
        changed(&before.frequency, &after.frequency).map(FieldChange::Frequency),
        changed(&before.terms, &after.terms).map(FieldChange::Terms),
        changed(&before.methods, &after.methods).map(FieldChange::Methods),
        changed(&before.grade, &after.grade).map(FieldChange::Grade),
        changed(&before.personal_information, &after.personal_information)
            .map(FieldChange::PersonalInformation),
        changed(&before.secrecy_assessment, &after.secrecy_assessment)
            .map(FieldChange::SecrecyAssessment),
        changed(&before.privacy_assessment, &after.privacy_assessment)
            .map(FieldChange::PrivacyAssessment),
        changed(&before.collection, &after.collection).map(FieldChange::Collection),
    ];
    let mut changes: Vec<FieldChange> = head.into_iter().flatten().collect();
    changes.extend(items(&before.items, &after.items));
    changes.extend(tail.into_iter().flatten());
    changes
}

fn changed<T: Clone + PartialEq>(from: &T, to: &T) -> Option<Changed<T>> {
    (from != to).then(|| Changed {
        from: from.clone(),
        to: to.clone(),
    })
}

fn items(before: &[DataItem], after: &[DataItem]) -> Vec<FieldChange> {
    let mut earlier: BTreeMap<&str, &DataItem> = before
        .iter()
        .map(|item| (item.name.as_str(), item))
        .collect();
    let mut changes = Vec::new();
    for item in after {
        match earlier.remove(item.name.as_str()) {
            None => changes.push(FieldChange::ItemAdded(item.clone())),
            Some(old) => changes.extend(changed(old, item).map(FieldChange::ItemChanged)),
        }
    }
    let removed = earlier.into_values().cloned();
    changes.extend(removed.map(FieldChange::ItemRemoved));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cast::{self, conditional, unconditional};

    #[test]
    fn every_field_that_changed_is_told_once_and_the_order_of_items_is_none() {
        let before = cast::entry(conditional());
        let mut after = before.clone();
        after.version = 2;
        after.items.reverse();
        assert_eq!(difference(&before, &after), []);
        after.name = "个体工商户信息".into();
        after.terms = unconditional();
        let gone = after.items.pop().unwrap();
        let old = after.items[0].clone();
        after.items[0].kind = "C80".into();
        let new = DataItem {
            name: "住所".into(),
            ..old.clone()
        };
        after.items.push(new.clone());
        let expected = [
            FieldChange::Name(Changed {
                from: before.name.clone(),
                to: after.name.clone(),
            }),
            FieldChange::ItemChanged(Changed {
                from: old,
                to: after.items[0].clone(),
            }),
            FieldChange::ItemAdded(new),
            FieldChange::ItemRemoved(gone),
            FieldChange::Terms(Changed {
                from: before.terms.clone(),
                to: after.terms.clone(),
            }),
        ];
        assert_eq!(difference(&before, &after), expected);
    }
}
