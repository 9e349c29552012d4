//! Started, stopped, started again, killed, started once more. Alone in its binary, because it looks at the time.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[allow(
    dead_code,
    reason = "shared with tests/program.rs, which uses the rest"
)]
#[path = "program/support.rs"]
mod support;

use std::time::Duration;

use serde_json::json;

use support::House;

const EMAIL: &str = "camille@example.org";
const PASSWORD: &str = "planters-on-rue-hoche";

#[tokio::test]
async fn from_the_first_start_to_the_recovery_after_a_kill() {
    let house = House::new();

    let first = house.serve();
    eprintln!("the first start took {:?}", first.start);
    assert!(
        first.start < Duration::from_secs(15),
        "the first start took {:?}",
        first.start
    );
    assert_eq!(first.get("/readyz").await, (200, "ready\n".to_owned()));
    assert_eq!(first.get("/livez").await.0, 200);
    assert!(
        first
            .get("/v1/communes/62528")
            .await
            .1
            .contains("Loos-en-Gohelle")
    );
    let account = json!({"email": EMAIL, "password": PASSWORD, "display_name": "Camille", "full_name": "Camille Dupont",
        "birth_on": "1990-04-12"});
    assert_eq!(first.post("/v1/accounts", &account).await, 201);
    assert!(!house.processes().is_empty(), "PostgreSQL runs");
    assert_eq!(first.end("TERM").code(), Some(0));
    assert_eq!(house.processes(), Vec::<String>::new());

    let second = house.serve();
    eprintln!("the second start took {:?}", second.start);
    assert!(
        second.start < Duration::from_secs(3),
        "the second start took {:?}",
        second.start
    );
    assert_eq!(second.get("/readyz").await.0, 200);
    let token = second.token(EMAIL, PASSWORD).await.unwrap();
    assert_eq!(second.me(&token).await["display_name"], "Camille");
    assert_eq!(second.end("KILL").code(), None);
    assert!(
        !house.processes().is_empty(),
        "its PostgreSQL still runs: what the next start has to deal with"
    );

    let third = house.serve();
    assert_eq!(third.get("/readyz").await.0, 200);
    assert!(third.token(EMAIL, PASSWORD).await.is_some());
    // As Ctrl-C does.
    assert_eq!(third.end("INT").code(), Some(0));
    assert_eq!(house.processes(), Vec::<String>::new());
}
