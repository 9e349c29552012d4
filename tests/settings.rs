//! `.env.example` and the table of the README name every setting of the command line, with its default, and no other.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use clap::CommandFactory;
use fifty_fifty::config::Cli;

/// Settings of docker-compose.yml and not of the program.
const COMPOSE: [&str; 2] = ["POSTGRES_PASSWORD", "TOKEN_KEY_FILE"];

fn file(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// Every setting of the program with its default, if it has a fixed one.
fn settings() -> BTreeMap<String, Option<String>> {
    Cli::command()
        .get_arguments()
        .filter_map(|argument| {
            let name = argument.get_env()?.to_string_lossy().into_owned();
            let default = argument.get_default_values().first();
            Some((
                name,
                default.map(|text| text.to_string_lossy().into_owned()),
            ))
        })
        .collect()
}

#[track_caller]
fn same(listed: &BTreeMap<String, String>) {
    let settings = settings();
    assert_eq!(
        listed.keys().collect::<Vec<_>>(),
        settings.keys().collect::<Vec<_>>()
    );
    for (name, default) in settings {
        if let Some(default) = default {
            assert_eq!(listed[&name], default, "{name}");
        }
    }
}

#[test]
fn the_example_names_every_setting() {
    let text = file(".env.example");
    let mut listed = BTreeMap::new();
    for (name, value) in text
        .lines()
        .filter_map(|line| line.strip_prefix('#')?.split_once('='))
        .filter(|(name, _)| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
    {
        let twice = listed.insert(name.to_owned(), value.to_owned());
        assert!(twice.is_none(), "{name} is there twice");
    }
    for name in COMPOSE {
        assert!(listed.remove(name).is_some(), "{name} is missing");
    }
    same(&listed);
}

#[test]
fn the_readme_names_every_setting() {
    let text = file("README.md");
    let section = text.split("\n## Settings\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let listed = section
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let name = cells.next()?.trim_end_matches('`').to_owned();
            let default = cells.next()?.trim_matches('`').to_owned();
            Some((name, default))
        })
        .collect();
    same(&listed);
}

#[test]
fn compose_has_no_secret_of_its_own() {
    let text = file("docker-compose.yml");
    for name in COMPOSE {
        assert!(text.contains(&format!("${{{name}:?")), "{name}");
        for other in [":-", "-", "}"] {
            assert!(!text.contains(&format!("${{{name}{other}")), "{name}");
        }
    }
}
