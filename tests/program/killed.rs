//! A program that is killed between the work and the answer: whoever sends the request again with the same
//! `Idempotency-Key` finds it done once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{House, Program};

const ROUNDS: u64 = 8;

async fn send(program: &Program, token: &str, round: u64) -> Option<(u16, String, Value)> {
    let holder = json!({"kind": "collective", "name": format!("Les voisins, tour {round}")});
    let answer = reqwest::Client::new()
        .post(format!("{}/v1/communes/62528/holders", program.address))
        .bearer_auth(token)
        .header("idempotency-key", format!("round-{round}"))
        .json(&holder)
        .send()
        .await
        .ok()?;
    let replayed = answer.headers().get("idempotency-replayed").is_some();
    let status = answer.status().as_u16();
    let body = answer.json().await.ok()?;
    Some((
        status,
        if replayed { "again" } else { "done" }.to_owned(),
        body,
    ))
}

async fn token(program: &Program) -> String {
    program
        .token(
            "habitante@demo.example",
            fifty_fifty::demonstration::PASSWORD,
        )
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_is_done_once() {
    let house = House::new();
    let mut ways = Vec::new();
    for round in 0..ROUNDS {
        let program = house.serve();
        let token = self::token(&program).await;
        let id = program.id();
        let killer = tokio::spawn(async move {
            // Earlier and later than the work takes.
            tokio::time::sleep(Duration::from_millis(2 + round * 3)).await;
            id
        });
        let cut = tokio::select! {
            answer = send(&program, &token, round) => answer.map(|(.., body)| body),
            id = killer => {
                crate::support::signal("KILL", id.unwrap());
                None
            }
        };
        program.end("KILL");
        let program = house.serve();
        // The address is another one, and with it the issuer of tokens.
        let token = self::token(&program).await;
        let (status, way, body) = send(&program, &token, round).await.unwrap();
        assert_eq!(status, 201, "{body}");
        if let Some(cut) = cut {
            assert_eq!(
                cut["id"], body["id"],
                "the answer that came is the one that counts"
            );
        }
        ways.push(way);
        assert_eq!(program.end("TERM").code(), Some(0));
    }
    let program = house.serve();
    let token = token(&program).await;
    let mine = reqwest::Client::new()
        .get(format!("{}/v1/me/holders?limit=100", program.address))
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    let mine: Value = mine.json().await.unwrap();
    let names: Vec<&str> = mine["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|holder| holder["name"].as_str())
        .collect();
    for round in 0..ROUNDS {
        let name = format!("Les voisins, tour {round}");
        let times = names.iter().filter(|known| **known == name).count();
        assert_eq!(times, 1, "{name} in {names:?} ({ways:?})");
    }
}
