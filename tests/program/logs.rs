//! What people entrust to the program stands in no log, at no level that an operator can set: unlikely words are planted
//! in everything that is private, in requests that succeed and in such that fail, and then looked for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{House, Program};

const OPEN_ROAD: &str = "/v1/communes/62528";

/// The levels that let most through, with the names of those that hear bodies and parameters.
const LOUD: &str = "trace,fifty_fifty=trace,tokio_postgres=trace,actix_http=trace,actix_http::h1::dispatcher=trace,\
    actix_web=trace,diesel=trace,h2=trace,hyper=trace,rustls=trace,reqwest=trace";

/// A word that stands nowhere else.
fn word(kind: &str) -> String {
    format!("zqx{kind}xqz")
}

/// Somebody who talks to the program, and what is not to be found of it afterwards.
struct Scenario<'a> {
    program: &'a Program,
    http: reqwest::Client,
    secrets: Vec<String>,
}

impl Scenario<'_> {
    /// A secret to send.
    fn secret(&mut self, kind: &str) -> String {
        self.keep(word(kind))
    }

    fn keep(&mut self, secret: String) -> String {
        self.secrets.push(secret.clone());
        secret
    }

    fn request(&self, method: Method, path: &str, token: &str) -> reqwest::RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.program.address))
            .header("if-match", "*");
        if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        }
    }

    async fn answer(&self, request: reqwest::RequestBuilder, status: u16) -> Value {
        let answer = request.send().await.unwrap();
        let got = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(got, status, "{text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn post(&self, path: &str, token: &str, body: Value, status: u16) -> Value {
        let request = self.request(Method::POST, path, token).json(&body);
        self.answer(request, status).await
    }

    /// Signs in, and keeps the tokens.
    async fn sign_in(&mut self, email: &str, password: &str) -> (String, String) {
        let form = [
            ("grant_type", "password"),
            ("username", email),
            ("password", password),
        ];
        let request = self.request(Method::POST, "/v1/auth/token", "").form(&form);
        let tokens = self.answer(request, 200).await;
        let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
        let (access, refresh) = (token("access_token"), token("refresh_token"));
        (self.keep(access), self.keep(refresh))
    }

    /// A resident who registers, twice, signs in, changes the password and the account, and has tokens anew.
    async fn resident(&mut self) -> String {
        let mail = format!("{}@example.org", self.secret("mail"));
        let password = self.secret("password");
        let account = json!({"email": mail, "password": password, "display_name": "Voisine",
            "full_name": self.secret("fullname"), "birth_on": self.keep("1971-11-23".to_owned())});
        self.post("/v1/accounts", "", account.clone(), 201).await;
        self.post("/v1/accounts", "", account, 409).await;
        let (access, refresh) = self.sign_in(&mail, &password).await;
        let wrong = self.secret("wrongpassword");
        let form = [
            ("grant_type", "password"),
            ("username", &mail),
            ("password", &wrong),
        ];
        let request = self.request(Method::POST, "/v1/auth/token", "").form(&form);
        self.answer(request, 400).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", &refresh)];
        let request = self.request(Method::POST, "/v1/auth/token", "").form(&form);
        let tokens = self.answer(request, 200).await;
        for name in ["access_token", "refresh_token"] {
            self.keep(tokens[name].as_str().unwrap().to_owned());
        }
        let new = self.secret("newpassword");
        let change = json!({"current_password": password, "new_password": new});
        self.post("/v1/me/password", &access, change, 204).await;
        let (access, refresh) = self.sign_in(&mail, &new).await;
        let revoked = self
            .request(Method::POST, "/v1/auth/revoke", "")
            .form(&[("token", &refresh)]);
        self.answer(revoked, 204).await;
        access
    }

    /// What both sides write to each other, and the town hall to itself.
    async fn matter(&mut self, resident: &str, agent: &str) {
        let phone = self.keep("+33 3 99 88 77 66".to_owned());
        let contact = format!("{}@example.org", self.secret("contact"));
        let holder = json!({"kind": "collective", "name": "Les jardins", "contact_email": contact, "contact_phone": phone});
        let holder = self
            .post(&format!("{OPEN_ROAD}/holders"), resident, holder, 201)
            .await;
        let initiatives = format!("{OPEN_ROAD}/initiatives");
        let draft = json!({"title": self.secret("drafttitle"), "description": self.secret("drafttext"),
            "theme": "environment", "holder_id": holder["id"]});
        let key = self.secret("idempotencykey");
        for _ in 0..2 {
            let request = self
                .request(Method::POST, &initiatives, resident)
                .header("idempotency-key", &key)
                .json(&draft);
            self.answer(request, 201).await;
        }
        // The same key for something else is refused, and so is a body that breaks the rules.
        let request = self
            .request(Method::POST, &initiatives, resident)
            .header("idempotency-key", &key)
            .json(&json!({"title": self.secret("othertitle"), "holder_id": holder["id"]}));
        self.answer(request, 422).await;
        let refused = json!({"title": 7, "theme": self.secret("refusedtheme"), self.secret("refusedfield"): true});
        self.post(&initiatives, resident, refused, 422).await;
        // What PostgreSQL itself refuses.
        let siret = json!({"kind": "association", "name": self.secret("refusedname"), "siret": "73282932000074",
            "contact_email": contact});
        self.post(
            &format!("{OPEN_ROAD}/holders"),
            resident,
            siret.clone(),
            201,
        )
        .await;
        self.post(&format!("{OPEN_ROAD}/holders"), resident, siret, 409)
            .await;

        let idea = json!({"title": "Des jardins", "description": "Pour tous.", "theme": "environment",
            "holder_id": holder["id"], "submit": true});
        let made = self.post(&initiatives, resident, idea, 201).await;
        let path = format!("/v1/initiatives/{}", made["id"].as_str().unwrap());
        let start = json!({"publish": false, "reason": self.secret("withheld")});
        self.post(&format!("{path}/start_review"), agent, start, 200)
            .await;
        let opinion = json!({"outcome": "favourable", "text": self.secret("opinion")});
        self.post(&format!("{path}/give_opinion"), agent, opinion, 200)
            .await;
        let note = json!({"text": self.secret("note")});
        self.post(&format!("{path}/notes"), agent, note, 201).await;
    }

    /// A program of a partner is made, signs in, is refused, and gets a new secret.
    async fn partner(&mut self, admin: &str) {
        let clients = format!("{OPEN_ROAD}/clients");
        let client =
            json!({"name": "Portail", "contact": self.secret("partner"), "scopes": ["webhooks"]});
        let made = self.post(&clients, admin, client, 201).await;
        let (id, path) = (
            &made["id"],
            format!("/v1/clients/{}", made["id"].as_str().unwrap()),
        );
        let secret = self.keep(made["secret"].as_str().unwrap().to_owned());
        let wrong = self.secret("wrongsecret");
        for (secret, status) in [(&secret, 200), (&wrong, 401)] {
            let form = [
                ("grant_type", "client_credentials"),
                ("client_id", id.as_str().unwrap()),
                ("client_secret", secret),
            ];
            let request = self.request(Method::POST, "/v1/auth/token", "").form(&form);
            self.answer(request, status).await;
            let request = self
                .request(Method::POST, "/v1/auth/token", "")
                .basic_auth(id.as_str().unwrap(), Some(secret))
                .form(&form[..1]);
            let answer = self.answer(request, status).await;
            if let Some(token) = answer["access_token"].as_str() {
                self.keep(token.to_owned());
            }
        }
        let rotate = format!("{path}/rotate_secret");
        let made = self.post(&rotate, admin, json!({}), 200).await;
        self.keep(made["secret"].as_str().unwrap().to_owned());
    }

    /// Searches, and what cannot be read at all.
    async fn noise(&mut self, resident: &str) {
        let search = format!("/v1/initiatives?q={}", self.secret("search"));
        let request = self.request(Method::GET, &search, resident);
        self.answer(request, 200).await;
        let query = format!(
            "/v1/initiatives?{}={}",
            self.secret("parameter"),
            self.secret("value")
        );
        let request = self.request(Method::GET, &query, resident);
        self.answer(request, 400).await;
        let cursor = format!("/v1/initiatives?cursor={}", self.secret("cursor"));
        let request = self.request(Method::GET, &cursor, resident);
        self.answer(request, 400).await;
        let malformed = format!("{{\"title\": {}", self.secret("malformed"));
        let request = self
            .request(Method::POST, &format!("{OPEN_ROAD}/initiatives"), resident)
            .header("content-type", "application/json")
            .body(malformed);
        self.answer(request, 400).await;
        let bogus = self.secret("bogustoken");
        let request = self.request(Method::GET, "/v1/me", &bogus);
        self.answer(request, 401).await;
        // Bytes that are no HTTP.
        let host = self.program.address.trim_start_matches("http://");
        for request in [
            format!(
                "POST /v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
                self.secret("length")
            ),
            format!(
                "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\0\r\n\r\n",
                self.secret("header")
            ),
            format!("{} / HTTP/7\r\n\r\n", self.secret("method")),
        ] {
            let mut stream = TcpStream::connect(host).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        }
    }
}

/// How bytes look in a log: as they are, as a list of numbers, in hexadecimal, or as an address has them.
fn guises(secret: &str) -> Vec<String> {
    let numbers: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    let pairs: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let form = serde_json::to_string(secret).unwrap();
    vec![
        secret.to_owned(),
        numbers.join(", "),
        numbers.join(","),
        pairs.to_uppercase(),
        pairs,
        form.trim_matches('"').to_owned(),
        secret.replace('@', "%40").replace(' ', "+"),
    ]
}

/// Which secrets stand in a text.
fn found(text: &str, secrets: &[String]) -> Vec<String> {
    let mut found: Vec<String> = secrets
        .iter()
        .filter(|secret| guises(secret).iter().any(|guise| text.contains(guise)))
        .cloned()
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The logs of the program's own PostgreSQL.
fn logs_of_postgresql(data: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(data.join("cluster")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.to_string_lossy().contains(".log") {
            text += &String::from_utf8_lossy(&std::fs::read(path).unwrap());
        }
    }
    text
}

async fn nothing_private_is_logged(format: &str) {
    let house = House::new();
    let mut command = house.command(&["serve"]);
    command
        .env("PORT", "0")
        .env("LOG_LEVEL", LOUD)
        .env("LOG_FORMAT", format);
    let program = Program::start(command);
    let mut scenario = Scenario {
        program: &program,
        http: reqwest::Client::new(),
        secrets: Vec::new(),
    };
    let resident = scenario.resident().await;
    let (agent, _) = scenario
        .sign_in("agent@demo.example", fifty_fifty::demonstration::PASSWORD)
        .await;
    scenario.matter(&resident, &agent).await;
    let (admin, _) = scenario
        .sign_in("admin@demo.example", fifty_fifty::demonstration::PASSWORD)
        .await;
    scenario.partner(&admin).await;
    scenario.noise(&resident).await;
    let secrets = scenario.secrets;
    let said = program.ended("TERM");

    assert!(secrets.len() > 30, "{} secrets", secrets.len());
    // The log is there, and as loud as it may be.
    for sign in ["/v1/me/password", "/v1/accounts"] {
        assert!(said.contains(sign), "{sign} is not in the log");
    }
    let leaks = found(&said, &secrets);
    assert!(leaks.is_empty(), "in the log: {leaks:#?}");
    let postgresql = logs_of_postgresql(&house.data());
    assert!(postgresql.contains("holders_siret_unique"), "{postgresql}");
    let leaks = found(&postgresql, &secrets);
    assert!(
        leaks.is_empty(),
        "in PostgreSQL's log: {leaks:#?}\n{postgresql}"
    );
}

#[tokio::test]
async fn nothing_private_is_logged_for_people() {
    nothing_private_is_logged("text").await;
}

#[tokio::test]
async fn nothing_private_is_logged_for_machines() {
    nothing_private_is_logged("json").await;
}

/// A secret is found in whichever guise a library writes it.
#[test]
fn a_leak_would_be_found() {
    let secrets = [word("note"), "+33 3 99".to_owned()];
    for leak in [
        "text: zqxnotexqz",
        "Some([122, 113, 120, 110, 111, 116, 101, 120, 113, 122])",
        "7a71786e6f7465787a 7a71786e6f74657871 7a71786e6f74657871 7a71786e6f746578717a",
    ] {
        assert_eq!(found(leak, &secrets), secrets[..1], "{leak}");
    }
    assert_eq!(found("tel=+33+3+99", &secrets), secrets[1..]);
    assert_eq!(found("zqxnotesxqz", &secrets), Vec::<String>::new());
}
