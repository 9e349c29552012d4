//! What programs of partners do is counted in memory: it is written before the program ends.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{House, Program};

async fn send(program: &Program, method: Method, path: &str, body: Option<Value>) -> Value {
    let token = program
        .token("admin@demo.example", fifty_fifty::demonstration::PASSWORD)
        .await
        .unwrap();
    let request = reqwest::Client::new()
        .request(method, format!("{}{path}", program.address))
        .bearer_auth(token);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let answer = request.send().await.unwrap().error_for_status().unwrap();
    answer.json().await.unwrap()
}

#[tokio::test]
async fn what_is_counted_is_written_at_the_end() {
    let house = House::new();
    let program = house.serve();
    let client = json!({"name": "Portail", "contact": "Mairie", "scopes": ["measures"]});
    let clients = "/v1/communes/62528/clients";
    let made = send(&program, Method::POST, clients, Some(client)).await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let (id, secret) = (text("id"), text("secret"));
    for _ in 0..7 {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &id),
            ("client_secret", &secret),
        ];
        let address = format!("{}/v1/auth/token", program.address);
        let request = reqwest::Client::new().post(address).form(&form);
        request.send().await.unwrap().error_for_status().unwrap();
    }
    assert!(program.end("TERM").success());
    let program = house.serve();
    let usage = format!("/v1/clients/{id}/usage");
    let usage = send(&program, Method::GET, &usage, None).await;
    let requests: i64 = usage["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["requests"].as_i64().unwrap())
        .sum();
    assert_eq!(requests, 7, "{usage}");
    assert!(program.end("TERM").success());
}
