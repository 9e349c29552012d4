//! `docs/lifecycles.md`, made from the tables that the service follows. A change of a lifecycle is a change of that
//! file; `UPDATE_SNAPSHOTS=1 cargo test --test lifecycles` writes it anew.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use fifty_fifty::lifecycle::{ActionData, LifecycleData};
use fifty_fifty::reference::registry::{LISTS, lifecycles};

const INTRODUCTION: &str = "\
# Lifecycles

Made from the tables that the service itself follows, which `GET /v1/lifecycles` gives as data: no front end has to repeat them.
`allowed_actions` of a resource is what its reader may do with it now. What people do to bring it to another state is a `POST` of
the action's code below the resource, such as `POST /v1/initiatives/{id}/submit`; the OpenAPI document has each with its body.

An arrow is an action that changes the state. The table below it has every action; `–` stays in the state.
";

/// The labels of a role, English and French.
fn role(code: &str) -> (&'static str, &'static str) {
    let roles = LISTS.iter().find(|list| list.name == "roles").unwrap();
    let (fr, en) = roles.labels(code).unwrap();
    (en, fr)
}

/// The states that an action may lead to.
fn targets(action: &ActionData) -> impl Iterator<Item = &'static str> {
    action.to.into_iter().chain(action.or_to.iter().copied())
}

/// A state diagram in Mermaid's words. A state that no action leaves is an end.
fn diagram(lifecycle: &LifecycleData) -> String {
    let mut arrows: Vec<(&str, &str)> = Vec::new();
    let mut names: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    let (mut left, mut entered) = (BTreeSet::new(), BTreeSet::new());
    for action in &lifecycle.actions {
        for to in targets(action) {
            for from in action.from.iter().copied().filter(|from| *from != to) {
                left.insert(from);
                entered.insert(to);
                let actions = names.entry((from, to)).or_default();
                if actions.is_empty() {
                    arrows.push((from, to));
                }
                actions.push(action.code);
            }
        }
    }
    let mut text = format!(
        "```mermaid\nstateDiagram-v2\n    [*] --> {}\n",
        lifecycle.start
    );
    for (from, to) in arrows {
        let actions = names.get(&(from, to)).unwrap().join(", ");
        writeln!(text, "    {from} --> {to}: {actions}").unwrap();
    }
    for end in entered.difference(&left) {
        writeln!(text, "    {end} --> [*]").unwrap();
    }
    text + "```\n"
}

fn table(lifecycle: &LifecycleData) -> String {
    let mut text =
        "| action | from | to | who | requires | condition |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for action in &lifecycle.actions {
        let (fr, en) = action.labels;
        let to: Vec<&str> = targets(action).collect();
        let to = if to.is_empty() {
            "–".to_owned()
        } else {
            to.join(" or ")
        };
        let who: Vec<&str> = action.who.iter().map(|role| role.code()).collect();
        writeln!(
            text,
            "| `{}`: {en} / {fr} | {} | {to} | {} | {} | {} |",
            action.code,
            action.from.join(", "),
            who.join(", "),
            action.requires.en,
            action.requires.fr,
        )
        .unwrap();
    }
    text
}

/// The roles that the tables name, with their labels.
fn roles(all: &[LifecycleData]) -> String {
    let named: BTreeSet<&str> = all
        .iter()
        .flat_map(|lifecycle| &lifecycle.actions)
        .flat_map(|action| action.who)
        .map(|role| role.code())
        .collect();
    let mut text = "## Who\n\n| role | in English | en français |\n|---|---|---|\n".to_owned();
    for code in named {
        let (en, fr) = role(code);
        writeln!(text, "| {code} | {en} | {fr} |").unwrap();
    }
    text
}

#[test]
fn the_lifecycles_are_documented_as_they_are() {
    let all = lifecycles();
    let mut text = INTRODUCTION.to_owned();
    for lifecycle in &all {
        writeln!(
            text,
            "\n## {}\n\n{}\n{}",
            lifecycle.name.replace('_', " "),
            diagram(lifecycle),
            table(lifecycle).trim_end()
        )
        .unwrap();
    }
    text.push('\n');
    text += &roles(&all);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/lifecycles.md");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "a lifecycle has changed: UPDATE_SNAPSHOTS=1 cargo test --test lifecycles, and look at the diff"
    );
}
