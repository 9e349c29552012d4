//! The stage: the application on a free port of this machine, with a clock that the scenario moves.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::PASSWORD;
use crate::app::{self, ServerOptions};
use crate::auth::passwords::Passwords;
use crate::auth::tokens::{Keys, generate_key};
use crate::clock::Clock;
use crate::db::{Pool, PoolOptions, connect_unlimited};
use crate::documents::storage::Storage;
use crate::http::cursor::Cursors;
use crate::ids::UserId;
use crate::state::{Shared, State};
use crate::users::model as users;
use crate::webhooks::worker::Options;

/// Why a scene failed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error("{who} {method} {path}: {status} {answer}")]
    Refused {
        who: String,
        method: String,
        path: String,
        status: u16,
        answer: String,
    },
    #[error("{0} is not in the play")]
    Unknown(String),
    #[error("{0}")]
    Technical(String),
}

fn technical(error: impl std::fmt::Display) -> StageError {
    StageError::Technical(error.to_string())
}

/// Someone of the play.
#[derive(Clone)]
struct Player {
    id: UserId,
    token: String,
}

/// The application and its people.
pub struct Stage {
    state: State,
    address: String,
    server: actix_web::dev::ServerHandle,
    http: reqwest::Client,
    url: String,
    players: Mutex<HashMap<String, Player>>,
}

impl Stage {
    /// Starts the application on this database.
    pub async fn open(url: &str, documents: Storage) -> Result<Self, StageError> {
        let pool = PoolOptions {
            size: 4,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
        };
        let key = generate_key().map_err(technical)?;
        let shared = Shared {
            clock: Clock::travelling(DateTime::<Utc>::UNIX_EPOCH),
            cursors: Cursors::new(key.as_bytes()),
            keys: Keys::new(&[key], "urn:fifty-fifty:demonstration").map_err(technical)?,
            passwords: Passwords::default(),
            documents,
            import_max_bytes: 0,
            webhooks: Options {
                timeout: Duration::from_secs(10),
                pause: Duration::from_secs(5),
                allow_private: false,
            },
            trusted_proxies: Vec::new(),
            password_grant: false,
        };
        let state = State::new(shared, Pool::new(url, pool).map_err(technical)?);
        let listener = TcpListener::bind("127.0.0.1:0").map_err(technical)?;
        let address = format!("http://{}", listener.local_addr().map_err(technical)?);
        let options = ServerOptions {
            workers: 1,
            cors_origins: vec!["*".to_owned()],
            shutdown_timeout_s: 1,
            demonstration_accounts: None,
        };
        let server = app::server(state.clone(), listener, options).map_err(technical)?;
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self {
            state,
            address,
            server: handle,
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .map_err(technical)?,
            url: url.to_owned(),
            players: Mutex::default(),
        })
    }

    /// Ends the application.
    pub async fn close(self) {
        self.server.stop(true).await;
        self.state.pool.close();
    }

    /// Moves the clock to the morning of a day.
    pub fn day(&self, day: &str) -> Result<(), StageError> {
        let day: NaiveDate = day.parse().map_err(technical)?;
        let morning = day
            .and_hms_opt(8, 0, 0)
            .ok_or_else(|| technical("no morning"))?;
        self.state.clock.set(morning.and_utc());
        Ok(())
    }

    /// Registers somebody; `name` is what the scenario calls them, and the beginning of their address.
    pub async fn person(
        &self,
        name: &str,
        display: &str,
        full: &str,
        birth_on: &str,
    ) -> Result<(), StageError> {
        let body = json!({"email": format!("{name}@demo.example"), "password": PASSWORD, "display_name": display,
            "full_name": full, "birth_on": birth_on});
        let account = self.send(None, Method::POST, "/v1/accounts", body).await?;
        let id = account
            .get("id")
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok())
            .map(UserId);
        let id = id.ok_or_else(|| technical("an account without id"))?;
        let lifetime = Duration::from_secs(30 * 365 * 24 * 3600);
        let token = self
            .state
            .keys
            .issue_for(id, Vec::new(), self.state.clock.now(), lifetime)
            .map_err(technical)?;
        self.players
            .lock()
            .map_err(technical)?
            .insert(name.to_owned(), Player { id, token });
        Ok(())
    }

    /// Makes somebody an administrator, as the command of the program does.
    pub async fn make_admin(&self, name: &str) -> Result<(), StageError> {
        let mut conn = connect_unlimited(&self.url).await.map_err(technical)?;
        users::make_admin(&mut conn, self.player(name)?.id)
            .await
            .map_err(technical)
    }

    /// The account's id of somebody.
    pub fn id(&self, name: &str) -> Result<UserId, StageError> {
        Ok(self.player(name)?.id)
    }

    fn player(&self, name: &str) -> Result<Player, StageError> {
        let players = self.players.lock().map_err(technical)?;
        players
            .get(name)
            .cloned()
            .ok_or_else(|| StageError::Unknown(name.to_owned()))
    }

    pub async fn get(&self, who: &str, path: &str) -> Result<Value, StageError> {
        self.send(Some(who), Method::GET, path, Value::Null).await
    }

    pub async fn post(&self, who: &str, path: &str, body: Value) -> Result<Value, StageError> {
        self.send(Some(who), Method::POST, path, body).await
    }

    pub async fn put(&self, who: &str, path: &str, body: Value) -> Result<Value, StageError> {
        self.send(Some(who), Method::PUT, path, body).await
    }

    pub async fn patch(&self, who: &str, path: &str, body: Value) -> Result<Value, StageError> {
        self.send(Some(who), Method::PATCH, path, body).await
    }

    /// Puts what is not there yet, so without a version.
    pub async fn put_new(&self, who: &str, path: &str, body: Value) -> Result<Value, StageError> {
        self.request(Some(who), Method::PUT, path, body, None).await
    }

    async fn send(
        &self,
        who: Option<&str>,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<Value, StageError> {
        self.request(who, method, path, body, Some("*")).await
    }

    /// Sends a request, a minute after the one before; anything but success ends the play.
    async fn request(
        &self,
        who: Option<&str>,
        method: Method,
        path: &str,
        body: Value,
        if_match: Option<&str>,
    ) -> Result<Value, StageError> {
        self.state
            .clock
            .set(self.state.clock.now() + TimeDelta::minutes(1));
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.address));
        if let Some(version) = if_match {
            request = request.header("If-Match", version);
        }
        if let Some(who) = who {
            request = request.bearer_auth(self.player(who)?.token);
        }
        if !body.is_null() {
            let kind = if method == Method::PATCH {
                "application/merge-patch+json"
            } else {
                "application/json"
            };
            request = request.header("Content-Type", kind).body(body.to_string());
        }
        let answer = request.send().await.map_err(technical)?;
        let status = answer.status();
        let text = answer.text().await.map_err(technical)?;
        if !status.is_success() {
            return Err(StageError::Refused {
                who: who.unwrap_or("anyone").to_owned(),
                method: method.to_string(),
                path: path.to_owned(),
                status: status.as_u16(),
                answer: text,
            });
        }
        if text.is_empty() {
            Ok(Value::Null)
        } else {
            serde_json::from_str(&text).map_err(technical)
        }
    }
}

/// The id of what was made.
pub fn id_of(made: &Value) -> Result<String, StageError> {
    made.get("id")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| technical("an answer without id"))
}
