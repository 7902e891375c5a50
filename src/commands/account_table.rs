//! `account list` for people: a table that fits the terminal.

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::foreign::{Name, is_true};
use crate::settings::shown_tenant;
use crate::sys::cut;

/// Columns between two cells.
const GAP: usize = 2;
/// No column is cut to less.
const NARROWEST: usize = 8;
const HEADERS: [&str; 4] = ["Subscription", "User", "Tenant", "State"];

/// The lines of `list`, the value of `account list`, for a terminal with this many columns. The
/// default has a `*`; the state is shown only if one is not `Enabled`. `ellipsis` ends what is cut.
pub(super) fn text(list: &Value, columns: usize, ellipsis: &str) -> String {
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<(bool, [String; 4])> = entries.iter().map(row).collect();
    let has_state = rows.iter().any(|(_, [.., state])| !state.is_empty());
    let shown = if has_state { 4 } else { 3 };
    let mut widths = HEADERS.map(UnicodeWidthStr::width);
    for (_, cells) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = usize::max(*width, cell.width());
        }
    }
    // The last column of a terminal stays free: some wrap there.
    fit(widths.get_mut(..shown).unwrap_or_default(), columns.saturating_sub(GAP + 1));
    let headers = HEADERS.map(str::to_owned);
    let mut text = line(" ", &headers, &widths, shown, ellipsis);
    for (is_default, cells) in &rows {
        text += &line(if *is_default { "*" } else { " " }, cells, &widths, shown, ellipsis);
    }
    text
}

fn row(entry: &Value) -> (bool, [String; 4]) {
    let text = |value: Option<&Value>| {
        value.and_then(Value::as_str).map(|text| String::from(Name::new(text))).unwrap_or_default()
    };
    let of_tenant = |member: &str| entry.get(member).and_then(Value::as_str);
    let names = ["tenantDisplayName", "tenantDefaultDomain"].map(of_tenant);
    let tenant = Name::new(shown_tenant(names, of_tenant("tenantId").unwrap_or_default()));
    let state = Some(text(entry.get("state"))).filter(|state| state != "Enabled");
    let user = text(entry.get("user").and_then(|user| user.get("name")));
    let is_default = entry.get("isDefault").is_some_and(is_true);
    (is_default, [text(entry.get("name")), user, tenant.into(), state.unwrap_or_default()])
}

/// Narrows the widest columns until all fit into `columns`.
fn fit(widths: &mut [usize], columns: usize) {
    let gaps = widths.len().saturating_sub(1) * GAP;
    while widths.iter().sum::<usize>() + gaps > columns {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => return,
        }
    }
}

fn line(mark: &str, cells: &[String], widths: &[usize], shown: usize, ellipsis: &str) -> String {
    let mut line = format!("{mark} ");
    for (at, (cell, width)) in cells.iter().zip(widths).take(shown).enumerate() {
        let cell = cut(cell, *width, ellipsis);
        let gap = if at == 0 { 0 } else { GAP };
        line.push_str(&" ".repeat(gap));
        line.push_str(&cell);
        line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
    }
    line.truncate(line.trim_end().len());
    line + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn list() -> Value {
        json!([
            {"name": "Contoso Production", "user": {"name": "alice@contoso.example"},
                "tenantId": "t", "tenantDisplayName": "Contoso", "state": "Enabled", "isDefault": true},
            {"name": "開発環境", "user": {"name": "bob@fabrikam.example"},
                "tenantId": "t2", "tenantDisplayName": null, "state": "Disabled", "isDefault": false},
        ])
    }

    #[test]
    fn the_default_has_a_star_and_columns_are_aligned() {
        let expected = "  \
  Subscription        User                   Tenant   State
* Contoso Production  alice@contoso.example  Contoso
  開発環境            bob@fabrikam.example   t2       Disabled
";
        assert_eq!(text(&list(), 80, "…"), expected.trim_start_matches("  \n"));
        let mut enabled = list();
        enabled[1]["state"] = "Enabled".into();
        assert!(!text(&enabled, 80, "…").contains("State"));
    }

    #[test]
    fn every_line_fits_the_terminal() {
        for columns in [40, 60, 80, 200] {
            let text = text(&list(), columns, "…");
            assert!(text.lines().all(|line| line.width() < columns), "{columns}:\n{text}");
        }
        assert!(!text(&list(), 1, "…").is_empty());
        assert_eq!(text(&json!([]), 80, "…"), "  Subscription  User  Tenant\n");
    }
}
