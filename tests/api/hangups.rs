//! A client that hangs up cuts no write in half: no transaction stays open, and later writes all work.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::initiatives::in_review;
use crate::support::TestApp;

const WRITES: u64 = 500;

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_writes_that_are_cut_leave_nothing_open() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = in_review(&world).await;
    let host = app.address.trim_start_matches("http://").to_owned();
    let token = world.dominique.token();
    let mut cuts = Vec::new();
    for number in 0..WRITES {
        // Odd ones join, even ones leave; each is cut after a time of its own, some before they are wholly sent.
        let method = if number % 2 == 0 { "PUT" } else { "DELETE" };
        let body = if number % 2 == 0 { "{}" } else { "" };
        let request = format!(
            "{method} {path}/participation HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let host = host.clone();
        cuts.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(&host).await.unwrap();
            let sent = if number % 7 == 0 {
                request.len() / 2
            } else {
                request.len()
            };
            stream.write_all(&request.as_bytes()[..sent]).await.unwrap();
            tokio::time::sleep(Duration::from_micros(number * 37 % 9_000)).await;
            drop(stream);
        }));
        if number % 20 == 19 {
            for cut in cuts.drain(..) {
                cut.await.unwrap();
            }
        }
    }
    // What was sent whole is still being done, one after the other: on a loaded machine that takes a while.
    let path_of_mine = format!("{path}/participation");
    while world.dominique.put(&path_of_mine, json!({})).await.status == 503 {}
    // Later writes all work, which they would not if a connection of the pool were stuck in a transaction.
    for _ in 0..40 {
        world
            .dominique
            .put(&format!("{path}/participation"), json!({}))
            .await
            .ok();
    }
    let participants = world.dominique.get(&path).await.ok();
    assert_eq!(participants["participant_count"], 1);
    let open = "DO $$ BEGIN IF EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND state LIKE 'idle in transaction%') THEN RAISE EXCEPTION 'a transaction is open'; END IF; END $$";
    assert_eq!(app.attack(open).await, None);
    let counted = "DO $$ BEGIN IF EXISTS (SELECT FROM initiatives AS i WHERE participant_count <> (SELECT count(*)
        FROM participations AS p WHERE p.initiative_id = i.id AND ended_at IS NULL)) THEN
        RAISE EXCEPTION 'a count is wrong'; END IF; END $$";
    assert_eq!(app.attack(counted).await, None);
}
