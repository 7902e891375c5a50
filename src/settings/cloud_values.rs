//! The endpoints or the suffixes of a cloud, by name.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Named texts in a fixed order, each set or unset.
///
/// Names are in snake_case, as in `clouds.config` after `endpoint_` or `suffix_`. az's names are
/// always present; other names from a file or a `--cloud-config` follow them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CloudValues(Vec<(Cow<'static, str>, Option<Cow<'static, str>>)>);

impl CloudValues {
    /// Creates the list from the names that always appear.
    pub(super) fn new(
        values: impl Iterator<Item = (&'static str, Option<Cow<'static, str>>)>,
    ) -> Self {
        Self(values.map(|(name, value)| (Cow::Borrowed(name), value)).collect())
    }

    /// The value of `name` in snake_case; `None` when unset or unknown.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref())
    }

    /// Sets or unsets `name`, given in snake_case or camelCase.
    pub(crate) fn set(&mut self, name: &str, value: Option<String>) {
        let value = value.map(Cow::Owned);
        // A known name is already in snake_case.
        if let Some((_, old)) = self.0.iter_mut().find(|(known, _)| known == name) {
            *old = value;
            return;
        }
        let name = snake_case(name);
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((Cow::Owned(name), value)),
        }
    }

    /// Copies the values that are set in `other`.
    pub(super) fn overlay(&mut self, other: &Self) {
        for (name, value) in other.iter_set() {
            self.set(name, Some(value.to_owned()));
        }
    }

    /// The values that are set, in order, by snake_case name.
    pub(crate) fn iter_set(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_ref(), value.as_deref()?)))
    }

    /// An object of all names in camelCase; `null` for what is unset.
    pub(crate) fn to_value(&self) -> Value {
        let value =
            |value: &Option<Cow<'_, str>>| value.as_deref().map_or(Value::Null, Value::from);
        Value::Object(
            self.0.iter().map(|(name, v)| (camel_case(name), value(v))).collect::<Map<_, _>>(),
        )
    }
}

/// `resource_manager` to `resourceManager`.
fn camel_case(snake: &str) -> String {
    let mut out = String::with_capacity(snake.len());
    let mut upper = false;
    for c in snake.chars() {
        if c == '_' && !out.is_empty() {
            upper = true;
        } else if upper {
            out.extend(c.to_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}

/// `resourceManager` to `resource_manager`; snake_case stays as it is.
pub(super) fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() && out.ends_with(|last: char| last.is_ascii_alphanumeric()) {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camel_case_and_snake_case_convert_into_each_other() {
        for (snake, camel) in [
            ("management", "management"),
            ("resource_manager", "resourceManager"),
            ("vm_image_alias_doc", "vmImageAliasDoc"),
            ("azmirror_storage_account_resource_id", "azmirrorStorageAccountResourceId"),
        ] {
            assert_eq!((camel_case(snake).as_str(), snake_case(camel).as_str()), (camel, snake));
            assert_eq!(snake_case(snake), snake);
        }
    }

    #[test]
    fn unknown_names_come_last_and_unset_is_null() {
        let known = [("a_b", None), ("c", Some(Cow::Borrowed("1")))];
        let mut values = CloudValues::new(known.into_iter());
        values.set("newOne", Some("2".into()));
        assert_eq!(values.to_value().to_string(), r#"{"aB":null,"c":"1","newOne":"2"}"#);
        assert_eq!((values.get("new_one"), values.get("a_b")), (Some("2"), None));
    }
}
