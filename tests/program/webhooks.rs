//! A receiver that fails, hangs and answers a gigabyte, and a program that is killed: every change is told, by an id of its
//! own, and nothing that did not happen.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde_json::{Value, json};

use crate::receiver::{Manner, Receiver};
use crate::support::{House, Program};

const CHANGES: usize = 1000;
const KILLS: usize = 5;
const MEASURES: &str = "/v1/communes/62528/measures";

fn start(house: &House) -> Program {
    let mut command = house.command(&["serve"]);
    command.env("PORT", "0");
    command.env("WEBHOOK_ALLOW_PRIVATE", "true");
    command.env("WEBHOOK_TIMEOUT_MS", "300");
    command.env("WEBHOOK_PAUSE_MS", "1");
    Program::start(command)
}

/// Somebody of the town hall at work on one program.
struct Agent {
    http: reqwest::Client,
    address: String,
    token: String,
}

impl Agent {
    async fn new(program: &Program) -> Self {
        let token = program
            .token("agent@demo.example", fifty_fifty::demonstration::PASSWORD)
            .await
            .unwrap();
        Self {
            http: reqwest::Client::new(),
            address: program.address.clone(),
            token,
        }
    }

    /// The answer, if there is one.
    async fn send(&self, method: reqwest::Method, path: &str, body: Value) -> Option<(u16, Value)> {
        let request = self
            .http
            .request(method, format!("{}{path}", self.address))
            .bearer_auth(&self.token);
        let answer = if body.is_null() {
            request.send().await.ok()?
        } else {
            request.json(&body).send().await.ok()?
        };
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self
            .send(reqwest::Method::GET, path, Value::Null)
            .await
            .unwrap();
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Reports so many measures, from this one on; ends with the program.
    async fn report(&self, from: usize, to: usize) {
        for number in from..to {
            let path = format!("{MEASURES}/essai_{}/{}", number / 100, 1950 + number % 100);
            let body = json!({"value": number.to_string(), "unit": "essais", "source": "Essai"});
            if self.send(reqwest::Method::PUT, &path, body).await.is_none() {
                return;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_told_whatever_happens() {
    let house = House::new();
    // Three of ten fail, each in its way, and none more than four times.
    let mut attempts: HashMap<String, usize> = HashMap::new();
    let receiver = Receiver::new(move |id| {
        let attempt = attempts.entry(id.to_owned()).or_default();
        *attempt += 1;
        let dice = id.bytes().map(usize::from).sum::<usize>() + *attempt * 7;
        match dice % 20 {
            0..=4 if *attempt < 5 => Manner::Answers(500),
            5 if *attempt < 5 => Manner::Hangs,
            6 => Manner::Floods,
            _ => Manner::Takes,
        }
    })
    .await;
    let mut program = start(&house);
    let mut agent = Agent::new(&program).await;
    let hook = json!({"url": receiver.url(), "kinds": ["measure"]});
    let made = agent
        .send(reqwest::Method::POST, "/v1/communes/62528/webhooks", hook)
        .await;
    let (status, webhook) = made.unwrap();
    assert_eq!(status, 201, "{webhook}");
    for round in 0..=KILLS {
        let share = CHANGES / (KILLS + 1);
        let from = round * share;
        let to = if round == KILLS {
            CHANGES
        } else {
            from + share
        };
        if round == KILLS {
            agent.report(from, to).await;
            break;
        }
        let killed = async {
            // In the midst of it, at another place each time.
            tokio::time::sleep(Duration::from_millis(
                300 + 200 * u64::try_from(round).unwrap(),
            ))
            .await;
            crate::support::signal("KILL", program.id());
        };
        tokio::join!(agent.report(from, to), killed);
        program.end("KILL");
        program = start(&house);
        agent = Agent::new(&program).await;
        // What was cut off is reported anew; what was done already is refused.
        agent.report(from, to).await;
    }
    // Until nothing is left to send.
    let pending = format!(
        "/v1/webhooks/{}/deliveries?state=pending&limit=1",
        webhook["id"].as_str().unwrap()
    );
    let begin = std::time::Instant::now();
    loop {
        let page = agent.get(&pending).await;
        let told: BTreeSet<String> = receiver.received().into_iter().map(|it| it.id).collect();
        if page["data"] == json!([]) && told.len() >= CHANGES {
            break;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "{} told, {page}",
            told.len()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // What there is, by what the API says of it.
    let mut there = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = agent.get(&format!("{MEASURES}?limit=100{cursor}")).await;
        for measure in page["data"].as_array().unwrap() {
            if measure["source"] == "Essai" {
                there.insert(measure["id"].as_str().unwrap().to_owned());
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(there.len(), CHANGES);
    let secret = webhook["secret"].as_str().unwrap();
    let (mut told, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for request in receiver.received() {
        assert!(request.is_signed_with(secret));
        let measure = request.body["data"]["id"].as_str().unwrap().to_owned();
        // An id stands for one change, however often it comes.
        let before = told.insert(request.id.clone(), measure.clone());
        assert!(before.is_none_or(|before| before == measure));
        if matches!(request.manner, Manner::Takes | Manner::Floods) {
            taken.insert(measure);
        }
    }
    assert_eq!(told.len(), CHANGES, "an id for each change and no other");
    assert_eq!(taken, there);
    assert_eq!(program.end("TERM").code(), Some(0));
}
