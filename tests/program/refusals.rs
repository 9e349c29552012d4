//! Settings that cannot be right stop the program before it starts anything, and the message names them.

use crate::support::House;

const NOWHERE: &str = "postgres://nobody:s3cret@127.0.0.1:1/nothing";

#[track_caller]
fn refused(house: &House, environment: &[(&str, &str)], words: &[&str]) {
    let ended = house.run(&[], environment, "");
    assert!(!ended.succeeded, "{environment:?} is accepted");
    for word in words {
        assert!(
            ended.said.contains(word),
            "{environment:?}: {word} is not in: {}",
            ended.said
        );
    }
    assert!(
        !house.data().join("cluster/pgdata").exists(),
        "no database is made"
    );
}

#[test]
fn a_wrong_setting_is_refused_by_its_name() {
    let house = House::new();
    for (name, value) in [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("HOST", "localhost"),
        ("PUBLIC_URL", "api.example.org"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_POOL_SIZE", "0"),
        ("PASSWORD_GRANT", "perhaps"),
        ("WORKERS", "-1"),
        ("SHUTDOWN_TIMEOUT_S", "soon"),
        ("LOG_FORMAT", "xml"),
    ] {
        let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
        refused(&house, &[(name, value)], &[&flag, value]);
    }
}

#[test]
fn a_database_of_ones_own_needs_a_key() {
    let house = House::new();
    let nowhere = ("DATABASE_URL", NOWHERE);
    refused(
        &house,
        &[nowhere, ("PORT", "0")],
        &["TOKEN_KEY_FILES", "openssl genpkey"],
    );
    refused(
        &house,
        &[
            nowhere,
            ("PORT", "0"),
            ("TOKEN_KEY_FILES", "there-is-no-such.pem"),
        ],
        &["TOKEN_KEY_FILES", "there-is-no-such.pem"],
    );
}

#[test]
fn a_database_that_does_not_answer_is_named() {
    let house = House::new();
    let key = fifty_fifty::auth::tokens::generate_key().unwrap();
    let key = house.write("key.pem", &key);
    refused(
        &house,
        &[
            ("DATABASE_URL", NOWHERE),
            ("PORT", "0"),
            ("TOKEN_KEY_FILES", &key.to_string_lossy()),
        ],
        &["database"],
    );
}

#[test]
fn a_wrong_folder_of_postgresql_is_refused_by_its_name() {
    let house = House::new();
    refused(
        &house,
        &[("PG_BIN_DIR", "/nowhere"), ("PORT", "0")],
        &["PG_BIN_DIR", "/nowhere"],
    );
}
