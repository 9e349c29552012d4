//! The application on a free port, as the program serves it, and a world of people in Loos-en-Gohelle.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use fifty_fifty::app::{self, ServerOptions};
use fifty_fifty::auth::passwords::Passwords;
use fifty_fifty::auth::tokens::{Keys, generate_key};
use fifty_fifty::clock::Clock;
use fifty_fifty::db::{self, Pool, PoolOptions};
use fifty_fifty::documents::storage::Storage;
use fifty_fifty::http::cursor::Cursors;
use fifty_fifty::ids::UserId;
use fifty_fifty::state::{Shared, State};
use fifty_fifty::users::dto::Locale;
use fifty_fifty::users::model::{self as users, UserRow};
use fifty_fifty::webhooks::worker::Options;
use serde_json::json;

use super::client::Client;
use super::cluster::TestDatabase;

pub const LOOS: &str = "62528";
pub const LENS: &str = "62498";
/// The address of a proxy that the application believes, as a range.
pub const PROXY: &str = "127.0.0.2/32";
/// Connections that the application may hold at once.
pub const POOL_SIZE: usize = 8;
/// Largest document that the application takes.
pub const DOCUMENT_MAX_BYTES: u64 = 200_000;
/// Largest file that the application imports.
pub const IMPORT_MAX_BYTES: u64 = 8_000_000;

pub struct TestApp {
    pub address: String,
    pub state: State,
    server: actix_web::dev::ServerHandle,
    key: String,
    database: TestDatabase,
    /// Where the bytes of documents are.
    pub documents: tempfile::TempDir,
}

/// A server on this database, with what its tokens and cursors are signed with.
fn serve(
    url: &str,
    key: &str,
    clock: Clock,
    documents: &Path,
    webhooks: Options,
) -> (String, State, actix_web::dev::ServerHandle) {
    let pool = PoolOptions {
        size: POOL_SIZE,
        acquire_timeout: Duration::from_secs(4),
        statement_timeout: Duration::from_secs(10),
    };
    let shared = Shared {
        clock,
        import_max_bytes: IMPORT_MAX_BYTES,
        documents: Storage::in_folder(documents, DOCUMENT_MAX_BYTES).unwrap(),
        cursors: Cursors::new(key.as_bytes()),
        keys: Keys::new(&[key.to_owned()], "http://fifty-fifty.test").unwrap(),
        passwords: Passwords::default(),
        webhooks,
        trusted_proxies: vec![PROXY.parse().unwrap()],
        password_grant: true,
    };
    let state = State::new(shared, Pool::new(url, pool).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let options = ServerOptions {
        workers: 2,
        cors_origins: vec!["*".to_owned()],
        shutdown_timeout_s: 1,
        demonstration_accounts: None,
    };
    let server = app::server(state.clone(), listener, options).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    (address, state, handle)
}

impl TestApp {
    /// An application whose clock stands at noon on 15 June 2026.
    pub async fn new() -> Self {
        Self::sending_webhooks(false).await
    }

    /// The same, whose webhooks may go to this machine or not. Nothing sends them until a test does.
    pub async fn sending_webhooks(allow_private: bool) -> Self {
        let database = TestDatabase::new().await;
        let clock = Clock::travelling("2026-06-15T10:00:00Z".parse().unwrap());
        let key = generate_key().unwrap();
        let documents = tempfile::tempdir().unwrap();
        let webhooks = Options {
            timeout: Duration::from_secs(1),
            pause: Duration::from_secs(5),
            allow_private,
        };
        let (address, state, server) =
            serve(&database.url, &key, clock, documents.path(), webhooks);
        Self {
            address,
            state,
            server,
            key,
            database,
            documents,
        }
    }

    /// Ends the server and its connections, and starts another on the same database.
    pub async fn restart(&mut self) {
        self.state.pool.close();
        self.server.stop(true).await;
        let clock = self.state.clock.clone();
        (self.address, self.state, self.server) = serve(
            &self.database.url,
            &self.key,
            clock,
            self.documents.path(),
            self.state.webhooks,
        );
    }

    /// How many requests are being answered, besides the one that asks.
    pub async fn active_requests(&self) -> usize {
        let metrics = reqwest::get(format!("{}/metrics", self.address))
            .await
            .unwrap();
        let metrics = metrics.text().await.unwrap();
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("http_server_active_requests "))
            .unwrap();
        line.parse::<usize>().unwrap() - 1
    }

    /// A connection to the test's own database, for what no user can do.
    pub async fn database(&self) -> AsyncPgConnection {
        db::connect_unlimited(&self.database.url).await.unwrap()
    }

    pub fn database_url(&self) -> String {
        self.database.url.clone()
    }

    /// Runs SQL and returns the database's refusal, if it refuses: the constraint's name or the message.
    pub async fn attack(&self, sql: &str) -> Option<String> {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url, tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        client.batch_execute(sql).await.err().map(|error| {
            let refusal = error.as_db_error().expect("an answer of the database");
            refusal.constraint().unwrap_or(refusal.message()).to_owned()
        })
    }

    /// Moves the clock.
    pub fn travel_to(&self, instant: &str) {
        self.state
            .clock
            .set(instant.parse::<DateTime<Utc>>().unwrap());
    }

    pub fn anyone(&self) -> Client {
        Client::new(&self.address, None)
    }

    /// A registered adult; the name is also their address.
    pub async fn person(&self, name: &str) -> Client {
        self.person_born(name, "1985-03-04").await
    }

    pub async fn person_born(&self, name: &str, birth_on: &str) -> Client {
        self.person_named(name, name, &format!("{name} Dupont"), birth_on)
            .await
    }

    /// Somebody with names of their own choice.
    pub async fn person_named(
        &self,
        mailbox: &str,
        display_name: &str,
        full_name: &str,
        birth_on: &str,
    ) -> Client {
        let now = self.state.clock.now();
        let id = UserId::new(now).unwrap();
        let row = UserRow {
            id,
            email: format!("{mailbox}@example.org"),
            // Of a password that nobody knows: tests that sign in register over HTTP.
            password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$8Q9Cq2sPq0Zt1mYw2m2m0Yy1Yz0Zt1mYw2m2m0Yy1Yw".to_owned(),
            display_name: display_name.to_owned(),
            full_name: full_name.to_owned(),
            birth_on: birth_on.parse().unwrap(),
            is_admin: false,
            locale: Locale::French,
            created_at: now,
            version: 1,
        };
        users::insert(&mut self.database().await, &row)
            .await
            .unwrap();
        self.client_of(id)
    }

    fn client_of(&self, id: UserId) -> Client {
        // Tests travel through years; their people stay signed in.
        let issued = self.state.clock.now();
        let token = self
            .state
            .keys
            .issue_for(
                id,
                vec![],
                issued,
                Duration::from_secs(40 * 365 * 24 * 3600),
            )
            .unwrap();
        Client::new(&self.address, Some(token)).named(id)
    }

    pub async fn admin(&self) -> Client {
        let admin = self.person("admin").await;
        users::make_admin(&mut self.database().await, admin.id())
            .await
            .unwrap();
        admin
    }

    /// Someone with a mandate in a commune, which is enrolled if need be.
    pub async fn official(
        &self,
        admin: &Client,
        commune: &str,
        name: &str,
        role: &str,
        may_sign: bool,
    ) -> Client {
        let person = self.person(name).await;
        admin
            .post(&format!("/v1/communes/{commune}/enrol"), json!({}))
            .await;
        let mut mandate = json!({
            "email": format!("{name}@example.org"), "role": role, "capacity": if may_sign { "Maire" } else { "Service" },
            "may_sign": may_sign, "starts_on": "2020-05-24",
        });
        if may_sign {
            mandate["delegation_reference"] = json!("Procès-verbal de l'élection du maire");
            mandate["delegation_on"] = json!("2020-05-24");
        }
        admin
            .post(&format!("/v1/communes/{commune}/mandates"), mandate)
            .await
            .created();
        person
    }

    /// The people of most tests.
    pub async fn world(&self) -> World {
        let admin = self.admin().await;
        World {
            agent: self.official(&admin, LOOS, "agent", "agent", false).await,
            mayor: self
                .official(&admin, LOOS, "mayor", "elected_official", true)
                .await,
            official: self
                .official(&admin, LOOS, "official", "elected_official", false)
                .await,
            foreign_agent: self
                .official(&admin, LENS, "foreign-agent", "agent", false)
                .await,
            foreign_mayor: self
                .official(&admin, LENS, "foreign-mayor", "elected_official", true)
                .await,
            camille: self.person("camille").await,
            dominique: self.person("dominique").await,
            anyone: self.anyone(),
            admin,
        }
    }
}

/// Loos-en-Gohelle with its agent, mayor and another elected official; Lens beside it; two residents.
pub struct World {
    pub admin: Client,
    pub agent: Client,
    pub mayor: Client,
    pub official: Client,
    pub foreign_agent: Client,
    pub foreign_mayor: Client,
    pub camille: Client,
    pub dominique: Client,
    pub anyone: Client,
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.state.pool.close();
        // The stop is sent at once; nobody needs to wait for it.
        drop(self.server.stop(false));
    }
}
