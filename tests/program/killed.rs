//! A program that is killed between the work and the answer: whoever sends the request again with the same
//! `Idempotency-Key` finds it done once; and of an upload that was cut nothing is left.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{House, Program, until};

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

/// The files of documents, those that are not whole too.
fn files(house: &House) -> Vec<std::path::PathBuf> {
    let folder = house.data().join("documents/62528");
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Runs SQL as nobody could through the program; gives the first column.
async fn sql(house: &House, query: &str) -> Vec<String> {
    let folder = house.data().join("cluster");
    let address = format!(
        "host={} user=fifty_fifty dbname=fifty_fifty",
        folder.display()
    );
    let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let rows = client.simple_query(query).await.unwrap();
    rows.iter()
        .filter_map(|row| match row {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .collect()
}

/// More than one part of a file.
const FILE_BYTES: usize = 8 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_cut_leaves_nothing() {
    let house = House::new();
    let mut path = String::new();
    for round in 0..4 {
        let program = house.serve();
        let agent = program.token("agent@demo.example", fifty_fifty::demonstration::PASSWORD);
        let agent = agent.await.unwrap();
        if path.is_empty() {
            let list = program.get("/v1/initiatives?commune=62528&limit=1").await.1;
            let list: Value = serde_json::from_str(&list).unwrap();
            let id = list["data"][0]["id"].as_str().unwrap();
            path = format!("/v1/initiatives/{id}/documents?purpose=other&name=x.txt");
        }
        let host = program.address.trim_start_matches("http://").to_owned();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {agent}\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: {FILE_BYTES}\r\n\r\n"
        );
        let mut stream = std::net::TcpStream::connect(&host).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // Cut in the middle of it first; then about the time when it is whole.
        let sent = if round == 0 {
            FILE_BYTES * 3 / 4
        } else {
            FILE_BYTES
        };
        stream.write_all(&vec![b'x'; sent]).unwrap();
        let before = files(&house).len();
        if round == 0 {
            until("bytes are in the store", || files(&house).len() > before);
        } else {
            std::thread::sleep(Duration::from_millis(15 * round));
        }
        program.end("KILL");
    }
    let program = house.serve();
    assert!(!files(&house).is_empty(), "something was cut");
    let aged = "SET session_replication_role = replica;
        UPDATE documents SET created_at = created_at - interval '61 minutes' WHERE state = 'pending' RETURNING id";
    assert!(!sql(&house, aged).await.is_empty(), "rows tell of it");
    assert_eq!(program.end("TERM").code(), Some(0));

    let program = house.serve();
    let stored = sql(&house, "SELECT id FROM documents WHERE state = 'stored'").await;
    until("the sweep has passed", || {
        files(&house).len() <= stored.len()
    });
    // The row goes after its bytes.
    let mut rows = sql(&house, "SELECT id FROM documents").await;
    for _ in 0..100 {
        if rows.len() == stored.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        rows = sql(&house, "SELECT id FROM documents").await;
    }
    assert_eq!(rows.len(), stored.len(), "rows without bytes");
    // What was stored before the program was killed is all there.
    for id in stored {
        let (status, text) = program.get(&format!("/v1/documents/{id}/file")).await;
        assert_eq!((status, text.len()), (200, FILE_BYTES));
    }
    assert_eq!(program.end("TERM").code(), Some(0));
}
