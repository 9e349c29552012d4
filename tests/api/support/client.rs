//! A caller of the API. Every answer it gets is held against the document: status, content type and shape.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use fifty_fifty::ids::UserId;
use fifty_fifty::openapi;
use jsonschema::{Registry, Validator};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Method, StatusCode};
use serde_json::{Value, json};

use super::statuses;

/// The content type of files.
pub const OCTETS: &str = "application/octet-stream";

#[derive(Clone)]
pub struct Client {
    address: String,
    http: reqwest::Client,
    token: Option<String>,
    id: Option<UserId>,
    headers: HeaderMap,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// As text; of what is no text, see `bytes`.
    pub text: String,
    pub bytes: Vec<u8>,
    pub body: Value,
}

impl Client {
    pub fn new(address: &str, token: Option<String>) -> Self {
        Self {
            address: address.to_owned(),
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            token,
            id: None,
            headers: HeaderMap::new(),
        }
    }

    pub fn named(self, id: UserId) -> Self {
        Self {
            id: Some(id),
            ..self
        }
    }

    pub fn id(&self) -> UserId {
        self.id.expect("a client of a person")
    }

    /// The same caller at another server.
    pub fn at(&self, address: &str) -> Self {
        Self {
            address: address.to_owned(),
            ..self.clone()
        }
    }

    pub fn token(&self) -> String {
        self.token.clone().expect("a client of a person")
    }

    /// The same caller, sending one header more.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.insert(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
        other
    }

    /// The same caller, calling from this address of the machine.
    pub fn calling_from(&self, address: std::net::IpAddr) -> Self {
        let http = reqwest::Client::builder().no_proxy().local_address(address);
        Self {
            http: http.build().unwrap(),
            ..self.clone()
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    /// All items of a list, page by page.
    pub async fn every(&self, path: &str) -> Vec<Value> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self
                .get(&format!("{path}{joint}limit=100{cursor}"))
                .await
                .ok();
            items.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// Takes an action on a resource, whichever version it has.
    pub async fn act(&self, resource: &str, action: &str, body: Value) -> Reply {
        let caller = self.with("if-match", "*");
        let path = format!("{resource}/{action}");
        match body {
            Value::Null => caller.send(Method::POST, &path, None).await,
            body => caller.post(&path, body).await,
        }
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(
            Method::POST,
            path,
            Some(("application/json", body.to_string().into_bytes())),
        )
        .await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(
            Method::PUT,
            path,
            Some(("application/json", body.to_string().into_bytes())),
        )
        .await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(
            Method::PATCH,
            path,
            Some((
                "application/merge-patch+json",
                body.to_string().into_bytes(),
            )),
        )
        .await
    }

    /// Changes a resource, whichever version it has.
    pub async fn edit(&self, path: &str, body: Value) -> Reply {
        self.with("if-match", "*").patch(path, body).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    /// Uploads a file.
    pub async fn upload(&self, path: &str, file: impl Into<Body>) -> Reply {
        self.send_any(Method::POST, path, Some((OCTETS, file.into())))
            .await
    }

    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.send(
            Method::POST,
            path,
            Some(("application/x-www-form-urlencoded", body.into_bytes())),
        )
        .await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Reply {
        let body = body.map(|(content_type, bytes)| (content_type, bytes.into()));
        self.send_any(method, path, body).await
    }

    pub async fn send_any(&self, method: Method, path: &str, body: Option<(&str, Body)>) -> Reply {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.address));
        request = request
            .header("accept-language", "en")
            .headers(self.headers.clone());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some((content_type, body)) = body {
            request = request.header("content-type", content_type).body(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.unwrap().to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let reply = Reply {
            status,
            headers,
            text,
            bytes,
            body,
        };
        if method != Method::HEAD {
            documented(&method, path, &reply);
        }
        reply
    }
}

impl Reply {
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.body
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        self.expect(200)
    }

    #[track_caller]
    pub fn created(self) -> Value {
        self.expect(201)
    }

    /// Asserts a problem by its status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        self.body
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The pointers of all faults, sorted.
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut pointers: Vec<&str> = errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap())
            .collect();
        pointers.sort_unstable();
        pointers
    }
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| openapi::document(None));
static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
    Registry::new()
        .add("urn:document", DOCUMENT.clone())
        .unwrap()
        .prepare()
        .unwrap()
});

/// The template of the document that a path belongs to: the one with the fewest parameters, and of these the longest.
fn template(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path
        .split('?')
        .next()
        .unwrap_or_default()
        .split('/')
        .collect();
    // `{id}` is anything, `meetings.{format}` anything that begins so.
    let fits = |piece: &str, part: &str| match piece.split_once('{') {
        Some((beginning, rest)) => {
            let end = rest.split_once('}').map_or("", |(_, end)| end);
            part.starts_with(beginning) && part.ends_with(end)
        }
        None => piece == part,
    };
    let fits = |template: &&String| {
        let pieces: Vec<&str> = template.split('/').collect();
        pieces.len() == parts.len()
            && pieces
                .iter()
                .zip(&parts)
                .all(|(piece, part)| fits(piece, part))
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    paths
        .keys()
        .filter(fits)
        .min_by_key(|template| (template.matches('{').count(), Reverse(template.len())))
        .map(String::as_str)
}

/// A schema made ready to check, once: that takes longer than a request.
fn validator(schema: &Value) -> Arc<Validator> {
    static READY: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let text = schema
        .to_string()
        .replace("\"#/components", "\"urn:document#/components");
    let mut ready = READY.lock().unwrap();
    let made = ready.entry(text).or_insert_with_key(|text| {
        let validator = jsonschema::draft202012::options()
            .with_registry(&REGISTRY)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .build(&serde_json::from_str(text).unwrap())
            .unwrap();
        Arc::new(validator)
    });
    Arc::clone(made)
}

/// What is wrong with a value by a schema of the document.
pub fn faults_by(schema: &Value, value: &Value) -> Vec<String> {
    validator(schema)
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Holds an answer against the document.
#[track_caller]
fn documented(method: &Method, path: &str, reply: &Reply) {
    let Some(template) = template(path) else {
        return;
    };
    let operation = &DOCUMENT["paths"][template][method.as_str().to_lowercase()];
    if operation.is_null() {
        assert!(
            matches!(reply.status.as_u16(), 405 | 204),
            "{method} {template} is not in the document: {reply:?}"
        );
        return;
    }
    let status = reply.status.as_str();
    statuses::note(method.as_str(), template, status);
    let response = &operation["responses"][status];
    let response = match response["$ref"].as_str() {
        Some(named) => DOCUMENT.pointer(named.trim_start_matches('#')).unwrap(),
        None => response,
    };
    assert!(
        !response.is_null(),
        "{method} {template} answers {status}, which the document does not say: {}",
        reply.text
    );
    headers_documented(&format!("{method} {template} {status}"), response, reply);
    if reply.text.is_empty() {
        assert!(
            // A file with an object on each line has none where there is no object.
            response["content"].is_null() || !response["content"]["application/x-ndjson"].is_null(),
            "{method} {template} {status} has no body, the document says it has"
        );
        return;
    }
    let content_type = reply
        .header("content-type")
        .split(';')
        .next()
        .unwrap_or_default();
    let schema = &response["content"][content_type]["schema"];
    assert!(
        !schema.is_null(),
        "{method} {template} {status} is {content_type}, which the document does not say"
    );
    let faults = if content_type.ends_with("json") && content_type != "application/x-ndjson" {
        faults_by(schema, &reply.body)
    } else {
        faults_by(schema, &json!(reply.text))
    };
    assert!(
        faults.is_empty(),
        "{method} {template} {status} is not as documented: {faults:#?}\n{}",
        reply.text
    );
}

/// The headers that the document speaks of are there when it says so, and nowhere else.
#[track_caller]
fn headers_documented(answer: &str, response: &Value, reply: &Reply) {
    let declared = response["headers"].as_object().cloned().unwrap_or_default();
    for (name, header) in &declared {
        let header = header["$ref"].as_str().unwrap().trim_start_matches('#');
        let header = DOCUMENT.pointer(header).unwrap();
        let Some(value) = reply.headers.get(name) else {
            assert_ne!(header["required"], true, "{answer} has no {name}");
            continue;
        };
        let value = value.to_str().unwrap();
        let value = match header["schema"]["type"].as_str() {
            Some("integer") => json!(value.parse::<i64>().unwrap()),
            _ => json!(value),
        };
        assert!(
            validator(&header["schema"]).is_valid(&value),
            "{answer}: {name} is {value}, not as documented"
        );
    }
    for name in [
        "etag",
        "location",
        "link",
        "last-modified",
        "retry-after",
        "www-authenticate",
        "idempotency-replayed",
        "x-request-id",
        "accept-ranges",
        "content-disposition",
        "content-range",
    ] {
        assert!(
            !reply.headers.contains_key(name)
                || declared
                    .keys()
                    .any(|known| known.eq_ignore_ascii_case(name)),
            "{answer} has {name}, which the document does not say"
        );
    }
}
