//! A program that is killed while it imports a file: the next one goes on where it stood, and every row is there once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{House, Program};

const ROWS: usize = 12_000;
const KILLS: u64 = 4;

async fn token(program: &Program) -> String {
    program
        .token("agent@demo.example", fifty_fifty::demonstration::PASSWORD)
        .await
        .unwrap()
}

async fn get(program: &Program, token: &str, path: &str) -> Value {
    let request = reqwest::Client::new().get(format!("{}{path}", program.address));
    let answer = request.bearer_auth(token).send().await.unwrap();
    answer.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_goes_on_where_it_stood() {
    let house = House::new();
    let mut program = house.serve();
    let mut agent = token(&program).await;
    let rows: String = (0..ROWS)
        .map(|number| match number % 100 {
            // One of a hundred is wrong.
            99 => format!("{number};Licorne;Club {number}\n"),
            _ => format!("{number};Association;Club {number}\n"),
        })
        .collect();
    let answer = reqwest::Client::new()
        .post(format!(
            "{}/v1/communes/62528/imports?resource=holders",
            program.address
        ))
        .bearer_auth(&agent)
        .header("content-type", "text/csv")
        .body(format!("Identifiant;Nature;Nom\n{rows}"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 202);
    let started: Value = answer.json().await.unwrap();
    let path = format!("/v1/imports/{}", started["id"].as_str().unwrap());
    let mut stood = Vec::new();
    for round in 0..KILLS {
        // Until it is further than the last time, and then a moment more, another one each time.
        let begin = std::time::Instant::now();
        loop {
            let read = get(&program, &agent, &path).await["rows_read"]
                .as_i64()
                .unwrap();
            if read > stood.last().copied().unwrap_or(0) {
                stood.push(read);
                break;
            }
            assert!(begin.elapsed() < Duration::from_secs(120), "{stood:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(40 * round)).await;
        program.end("KILL");
        program = house.serve();
        agent = token(&program).await;
    }
    let begin = std::time::Instant::now();
    let done = loop {
        let import = get(&program, &agent, &path).await;
        if !import["ended_at"].is_null() {
            break import;
        }
        assert!(begin.elapsed() < Duration::from_secs(240), "{import:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let counts = [
        "state",
        "rows_total",
        "rows_created",
        "rows_updated",
        "rows_unchanged",
        "rows_refused",
    ];
    let counts = counts.map(|name| done[name].clone());
    let refused = ROWS / 100;
    let expected = [
        json!("done"),
        json!(ROWS),
        json!(ROWS - refused),
        json!(0),
        json!(0),
        json!(refused),
    ];
    assert_eq!(counts, expected, "killed at {stood:?}");
    // Each row that was refused is told once.
    let request = reqwest::Client::new().get(format!("{}{path}/errors.csv", program.address));
    let errors = request
        .bearer_auth(&agent)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(errors.lines().count(), refused + 1);
    // And each of the others is there.
    for number in [0, 998, 1000, 5_001, ROWS - 2] {
        let found = format!("/v1/communes/62528/holders?external_id={number}");
        let found = get(&program, &agent, &found).await;
        assert_eq!(found["data"][0]["name"], format!("Club {number}"));
    }
    assert_eq!(program.end("TERM").code(), Some(0));
}
