//! What the program does besides serving.

use crate::support::{House, settings};

const EMAIL: &str = "admin@example.org";
const PASSWORD: &str = "a-tram-to-oignies";

const SECRET: (&str, &str) = ("DATABASE_URL", "postgres://me:s3cret@127.0.0.1/x");

fn create_admin() -> [&'static str; 5] {
    ["create-admin", "--email", EMAIL, "--birth-on", "1980-01-31"]
}

#[test]
fn openapi_prints_the_document() {
    let ended = House::new().run(&["openapi"], &[], "");
    assert!(ended.succeeded, "{}", ended.said);
    let document = fifty_fifty::openapi::document(None);
    assert_eq!(ended.out, fifty_fifty::openapi::printed(&document));
}

#[test]
fn help_lists_every_setting_of_every_command() {
    let house = House::new();
    for command in [
        &[][..],
        &["serve"],
        &["migrate"],
        &["seed-demo"],
        &["create-admin"],
        &["openapi"],
    ] {
        let ended = house.run(&[command, &["--help"]].concat(), &[SECRET], "");
        assert!(ended.succeeded, "{}", ended.said);
        assert!(!ended.out.contains("s3cret"), "{}", ended.out);
        for setting in settings() {
            let shown = ["=", "]"].map(|end| format!("[env: {setting}{end}"));
            let listed = shown.iter().any(|text| ended.out.contains(text));
            assert!(listed, "{command:?} hides {setting}");
        }
    }
}

#[tokio::test]
async fn an_administrator_is_created_and_signs_in() {
    let house = House::new();
    let weak = house.run(&create_admin(), &[], "password\n");
    assert!(!weak.succeeded);
    assert!(weak.said.contains("the password needs"), "{}", weak.said);

    let created = house.run(&create_admin(), &[], &format!("{PASSWORD}\n"));
    assert!(created.succeeded, "{}", created.said);
    let expected = format!("{EMAIL} is an administrator now.");
    assert!(created.said.contains(&expected), "{}", created.said);
    assert!(!created.said.contains(PASSWORD) && !created.out.contains(PASSWORD));
    assert_eq!(house.processes(), Vec::<String>::new());

    // Once more: the account is there already, and keeps its password.
    let again = house.run(&create_admin(), &[], "");
    assert!(again.succeeded, "{}", again.said);

    let program = house.serve();
    let token = program.token(EMAIL, PASSWORD).await.unwrap();
    let me = program.me(&token).await;
    assert_eq!(
        (&me["email"], &me["is_admin"]),
        (&EMAIL.into(), &true.into())
    );
    assert_eq!(program.end("TERM").code(), Some(0));
}

#[tokio::test]
async fn machines_read_every_line_of_the_log() {
    let house = House::new();
    let run = house.run(&["migrate"], &[("LOG_FORMAT", "json")], "");
    assert!(run.succeeded, "{}", run.said);
    let lines: Vec<serde_json::Value> = run
        .said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let migrated = "The database is at the schema of this program.";
    assert!(
        lines.iter().any(|line| line["message"] == migrated),
        "{}",
        run.said
    );
}
