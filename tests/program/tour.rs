//! The tour of the README, pasted into a shell as a newcomer would, against the program as `cargo run` starts it.

use std::process::Command;

use crate::support::House;

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_of_the_readme_works() {
    let readme = include_str!("../../README.md");
    let (_, tour) = readme.split_once("## Tour").unwrap();
    let (_, commands) = tour.split_once("```sh\n").unwrap();
    let (commands, _) = commands.split_once("```").unwrap();
    assert!(commands.contains("API=http://127.0.0.1:8080\n"));

    let house = House::new();
    let program = house.serve();
    let commands = commands.replace("http://127.0.0.1:8080", &program.address);
    // The first command that fails ends it, in a pipe too.
    let script = format!("set -euo pipefail\n{commands}");
    // It leaves a PDF behind.
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&folder)
        .output()
        .unwrap();
    let pdf = std::fs::read(folder.path().join("convention.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    let (said, complaints) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{complaints}");
    for sign in [
        "Loos-en-Gohelle",
        "\nactive\n",
        "fifty-fifty/convention/1",
        "<title>",
        "\"kind\":\"fulfil\"",
        "\"endorsed_by_me\":true",
        "\"savings\"",
    ] {
        assert!(said.contains(sign), "no {sign} in {said}");
    }
}

/// Whoever opens the page finds the accounts of the demonstration, which all sign in.
#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_names_its_accounts_and_they_sign_in() {
    let house = House::new();
    let program = house.serve();
    let (_, document) = program.get("/openapi.json").await;
    for (email, _) in fifty_fifty::demonstration::ACCOUNTS {
        assert!(document.contains(email), "{email} is not in the document");
        let form = [
            ("grant_type", "password"),
            ("username", email),
            ("password", fifty_fifty::demonstration::PASSWORD),
        ];
        let request = reqwest::Client::new().post(format!("{}/v1/auth/token", program.address));
        let answer = request.form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{email}");
    }
    // Life in the commune: every state, and more than fifteen initiatives.
    let form = [
        ("grant_type", "password"),
        ("username", "agent@demo.example"),
        ("password", fifty_fifty::demonstration::PASSWORD),
    ];
    let http = reqwest::Client::new();
    let tokens = http
        .post(format!("{}/v1/auth/token", program.address))
        .form(&form)
        .send()
        .await
        .unwrap();
    let tokens: serde_json::Value = tokens.json().await.unwrap();
    let list = http
        .get(format!(
            "{}/v1/initiatives?commune=62528&limit=100",
            program.address
        ))
        .bearer_auth(tokens["access_token"].as_str().unwrap());
    let list: serde_json::Value = list.send().await.unwrap().json().await.unwrap();
    let items = list["data"].as_array().unwrap();
    assert!(items.len() >= 15, "{}", items.len());
    let states: std::collections::HashSet<&str> = items
        .iter()
        .map(|item| item["state"].as_str().unwrap())
        .collect();
    // A draft is its holder's alone; every other state is there.
    assert_eq!(states.len(), 12, "{states:?}");
}
