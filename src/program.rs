//! The commands of the program: what each does from start to stop.

use std::io::{BufRead, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::app::{self, ServerOptions};
use crate::auth::passwords::{Passwords, is_too_common};
use crate::auth::tokens::{Keys, generate_key};
use crate::clock::Clock;
use crate::config::{Cli, Command, CreateAdmin, Settings};
use crate::conventions::verification::{Exported, VerificationCheck};
use crate::db::embedded::{Cluster, Options};
use crate::db::{self, Pool};
use crate::documents::storage::{Storage, StorageError};
use crate::http::cursor::Cursors;
use crate::ids::UserId;
use crate::state::{Shared, State};
use crate::telemetry::{self, say};
use crate::users::dto::Locale;
use crate::users::model::{self as users, UserRow};
use crate::{clients, clockwork, communes, demonstration, imports, metrics, openapi, webhooks};

/// Why the program stops, in words for the person who started it.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error(transparent)]
    Embedded(#[from] db::embedded::EmbeddedError),
    #[error(transparent)]
    Database(#[from] db::DatabaseError),
    #[error(transparent)]
    Build(#[from] app::BuildError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Demonstration(#[from] demonstration::DemonstrationError),
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Name of the program's own database.
const DATABASE: &str = "fifty_fifty";
/// Its name while it is being made.
const UNFINISHED: &str = "fifty_fifty_unfinished";

/// Runs a command to its end.
pub async fn run(cli: Cli) -> Result<(), ProgramError> {
    let settings = cli.settings;
    settings.check().map_err(ProgramError::Refused)?;
    telemetry::start_log(settings.log_format, &settings.log_level);
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(settings).await,
        Command::Migrate => {
            let database = Database::open(&settings).await?;
            say("The database is at the schema of this program.");
            database.close().await
        }
        Command::SeedDemo => {
            let documents = settings.documents()?;
            let database = Database::open(&settings).await?;
            let seeded = demonstration::seed(&database.url, documents, say).await;
            database.close().await?;
            seeded?;
            say_accounts();
            Ok(())
        }
        Command::RebuildMetrics => rebuild_metrics(&settings).await,
        Command::CreateAdmin(admin) => create_admin(&settings, admin).await,
        Command::Openapi => {
            std::io::stdout().write_all(openapi::printed(&openapi::document(None)).as_bytes())?;
            Ok(())
        }
        Command::Verify { file } => verify(&file),
    }
}

/// Checks an exported convention and prints what holds; fails when something does not.
fn verify(file: &Path) -> Result<(), ProgramError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| ProgramError::Refused(format!("{}: {error}", file.display())))?;
    let exported: Exported = serde_json::from_str(&text).map_err(|error| {
        ProgramError::Refused(format!(
            "{}: not the answer of GET /v1/conventions/{{id}}/verification: {error}",
            file.display()
        ))
    })?;
    let results = exported.check();
    let mut out = std::io::stdout();
    for result in &results {
        let (_, label) = VerificationCheck::LIST
            .labels(result.check.code())
            .unwrap_or_default();
        let mark = if result.holds { "holds" } else { "FAILS" };
        writeln!(out, "{mark}  {label}")?;
    }
    for check in VerificationCheck::ALL {
        if results.iter().all(|result| result.check != *check) {
            let (_, label) = VerificationCheck::LIST
                .labels(check.code())
                .unwrap_or_default();
            writeln!(out, "-      {label}: only the server knows")?;
        }
    }
    writeln!(out, "Compare with the paper: {}", exported.content_sha256)?;
    if results.iter().all(|result| result.holds) {
        Ok(())
    } else {
        Err(ProgramError::Refused(format!(
            "{}: the convention does not hold.",
            file.display()
        )))
    }
}

/// The demonstration's accounts, for the person at the terminal.
fn say_accounts() {
    say(&format!(
        "Accounts of the demonstration, password {}:",
        demonstration::PASSWORD
    ));
    for (email, role) in demonstration::ACCOUNTS {
        say(&format!("  {email:<24} {role}"));
    }
}

/// The database of this run: somebody's, or our own.
struct Database {
    url: String,
    own: Option<Cluster>,
}

impl Database {
    /// Starts what is needed, and brings the schema and the reference data up to date.
    async fn open(settings: &Settings) -> Result<Self, ProgramError> {
        let database = match &settings.database_url {
            Some(url) => Self {
                url: url.clone(),
                own: None,
            },
            None => {
                let mut options = Options::new(&settings.data_dir);
                options.bin_dir.clone_from(&settings.pg_bin_dir);
                options.archive_url.clone_from(&settings.pg_archive_url);
                options.progress = Box::new(say);
                let cluster = Cluster::start(options).await?;
                let maintenance = cluster.url("postgres");
                let url = cluster.url(DATABASE);
                let own = Self {
                    url,
                    own: Some(cluster),
                };
                if let Err(error) = own.make(&maintenance, settings).await {
                    own.close().await?;
                    return Err(error);
                }
                own
            }
        };
        match database.prepare().await {
            Ok(()) => Ok(database),
            Err(error) => {
                database.close().await?;
                Err(error)
            }
        }
    }

    /// Makes our own database with the demonstration in it, under another name until it is whole: a start that is
    /// cut leaves nothing half-done.
    async fn make(&self, maintenance: &str, settings: &Settings) -> Result<(), ProgramError> {
        let Some(cluster) = &self.own else {
            return Ok(());
        };
        if db::exists(maintenance, DATABASE).await? {
            return Ok(());
        }
        db::drop_if_exists(maintenance, UNFINISHED).await?;
        db::create(maintenance, UNFINISHED).await?;
        let unfinished = Self {
            url: cluster.url(UNFINISHED),
            own: None,
        };
        unfinished.prepare().await?;
        say("Playing the demonstration of Loos-en-Gohelle…");
        demonstration::seed(&unfinished.url, settings.documents()?, say).await?;
        db::rename(maintenance, UNFINISHED, DATABASE).await?;
        Ok(())
    }

    async fn prepare(&self) -> Result<(), ProgramError> {
        let migrations = db::migrate(&self.url).await?;
        if migrations > 0 {
            say(&format!("Ran {migrations} migrations."));
        }
        let mut conn = db::connect_unlimited(&self.url).await?;
        let communes = communes::reference_data::load(&mut conn).await?;
        if communes > 0 {
            say(&format!("Loaded {communes} communes."));
        }
        Ok(())
    }

    async fn close(self) -> Result<(), ProgramError> {
        if let Some(cluster) = self.own {
            cluster.stop().await?;
        }
        Ok(())
    }
}

async fn serve(settings: Settings) -> Result<(), ProgramError> {
    let started = Instant::now();
    let listener = TcpListener::bind((settings.host, settings.port)).map_err(|error| {
        ProgramError::Refused(format!(
            "cannot listen on {}:{}: {error}. Set HOST and PORT to an address that is free.",
            settings.host, settings.port
        ))
    })?;
    let address = format!("http://{}", listener.local_addr()?);
    let issuer = settings
        .public_url
        .clone()
        .unwrap_or_else(|| address.clone());
    // Before anything is started: a missing key is a wrong setting, and so is a store that cannot be.
    let keys = token_keys(&settings)?;
    let documents = settings.documents()?;
    // Its PostgreSQL ends with the program in the middle of the start too: what is dropped is stopped.
    let database = tokio::select! {
        opened = Database::open(&settings) => opened?,
        stopped = stop_signal() => {
            stopped?;
            return Ok(());
        }
    };
    let state = state(
        &settings,
        &database.url,
        documents,
        &keys,
        &issuer,
        Clock::default(),
    );
    let served = match state {
        Ok(state) => serve_on(&settings, &database, state, listener, &address, started).await,
        Err(error) => Err(error),
    };
    database.close().await?;
    served
}

async fn serve_on(
    settings: &Settings,
    database: &Database,
    state: State,
    listener: TcpListener,
    address: &str,
    started: Instant,
) -> Result<(), ProgramError> {
    let seeded = demonstration::is_seeded(&mut db::connect_unlimited(&database.url).await?).await?;
    let options = ServerOptions {
        workers: settings.workers(),
        cors_origins: settings.cors_origins.clone(),
        shutdown_timeout_s: settings.shutdown_timeout_s,
        demonstration_accounts: seeded.then(demonstration::accounts_in_markdown),
    };
    let server = app::server(state.clone(), listener, options)?;
    let handle = server.handle();
    let housekeeping = tokio::spawn(keep_house(state.clone()));
    let sending = tokio::spawn(webhooks::worker::run(state.clone()));
    let (end_counting, ended) = tokio::sync::oneshot::channel();
    let counting = tokio::spawn(clients::usage::run(state.clone(), ended));
    let adding_up = tokio::spawn(metrics::worker::run(state.clone()));
    let importing = tokio::spawn(imports::worker::run(state.clone()));
    let running = tokio::spawn(server);
    say(&format!(
        "Fifty-Fifty serves {address}/v1 and its documentation at {address}/docs/ (started in {:.1} s).\nCtrl-C stops it.",
        started.elapsed().as_secs_f64()
    ));
    if seeded {
        say(&format!("A page made with the API: {address}/demo/"));
    }
    // A password is only ever said of the program's own database.
    if seeded && database.own.is_some() {
        say_accounts();
    }
    stop_signal().await?;
    say("Finishing the requests under way…");
    // Who waits for changes is a request under way that nothing else would end.
    state.feed.end();
    handle.stop(true).await;
    housekeeping.abort();
    sending.abort();
    drop(end_counting);
    counting.await.map_err(std::io::Error::other)?;
    adding_up.abort();
    importing.abort();
    state.pool.close();
    running.await.map_err(std::io::Error::other)??;
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// What time does by itself, every hour.
async fn keep_house(state: State) {
    let mut hours = tokio::time::interval(Duration::from_secs(3600));
    loop {
        hours.tick().await;
        if let Err(error) = clockwork::turn(&state).await {
            tracing::warn!(cause = %error, "housekeeping");
        }
    }
}

/// The state of an application on this database.
fn state(
    settings: &Settings,
    url: &str,
    documents: Storage,
    keys: &[String],
    issuer: &str,
    clock: Clock,
) -> Result<State, ProgramError> {
    let refused =
        |error: &dyn std::fmt::Display| ProgramError::Refused(format!("TOKEN_KEY_FILES: {error}"));
    let shared = Shared {
        clock,
        keys: Keys::new(keys, issuer).map_err(|error| refused(&error))?,
        passwords: Passwords::default(),
        cursors: Cursors::new(keys.first().map(String::as_bytes).unwrap_or_default()),
        documents,
        import_max_bytes: settings.import_max_bytes,
        webhooks: settings.webhooks(),
        trusted_proxies: settings.trusted_proxies.clone(),
        password_grant: settings.password_grant,
    };
    Ok(State::new(shared, Pool::new(url, settings.pool())?))
}

/// The private keys of access tokens, the one that signs first.
fn token_keys(settings: &Settings) -> Result<Vec<String>, ProgramError> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| {
            ProgramError::Refused(format!("TOKEN_KEY_FILES: {}: {error}", path.display()))
        })
    };
    let keys: Vec<String> = settings
        .token_key_files
        .iter()
        .map(|path| read(path))
        .collect::<Result<_, _>>()?;
    if !keys.is_empty() {
        return Ok(keys);
    }
    if settings.database_url.is_some() {
        return Err(ProgramError::Refused(
            "TOKEN_KEY_FILES is needed with DATABASE_URL: the file of a P-256 private key in PKCS#8 PEM, made with \
             `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out token-key.pem`"
                .to_owned(),
        ));
    }
    let path = settings.data_dir.join("token-key.pem");
    if !path.exists() {
        std::fs::create_dir_all(&settings.data_dir)?;
        write_secret(
            &path,
            &generate_key().map_err(|error| ProgramError::Refused(error.to_string()))?,
        )?;
    }
    Ok(vec![read(&path)?])
}

/// A file that only its owner reads; whole or not at all.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(unfinished, path)
}

async fn rebuild_metrics(settings: &Settings) -> Result<(), ProgramError> {
    let database = Database::open(settings).await?;
    let (started, now) = (Instant::now(), Clock::default().now());
    let mut conn = db::connect_unlimited(&database.url).await?;
    let rebuilt = metrics::worker::rebuild(&mut conn, now).await;
    database.close().await?;
    rebuilt.map_err(|error| ProgramError::Refused(error.to_string()))?;
    say(&format!(
        "All figures are added up anew ({:.1} s).",
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}

async fn create_admin(settings: &Settings, admin: CreateAdmin) -> Result<(), ProgramError> {
    let database = Database::open(settings).await?;
    let created = add_admin(&database.url, admin).await;
    database.close().await?;
    created
}

async fn add_admin(url: &str, admin: CreateAdmin) -> Result<(), ProgramError> {
    let refused = |error: crate::http::error::ApiError| ProgramError::Refused(error.to_string());
    let mut conn = db::connect_unlimited(url).await?;
    if let Some(user) = users::by_email(&mut conn, &admin.email)
        .await
        .map_err(refused)?
    {
        users::make_admin(&mut conn, user.id)
            .await
            .map_err(refused)?;
        say(&format!("{} is an administrator now.", user.email));
        return Ok(());
    }
    let password = match &admin.password_file {
        Some(path) => std::fs::read_to_string(path)?
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
        None => {
            say("Password (8 characters or more), then Enter:");
            std::io::stdin()
                .lock()
                .lines()
                .next()
                .transpose()?
                .unwrap_or_default()
        }
    };
    if password.chars().count() < 8 || is_too_common(&password, &[&admin.email]) {
        return Err(ProgramError::Refused(
            "the password needs 8 characters and must not be among the first that anybody would try".to_owned(),
        ));
    }
    let now = Clock::default().now();
    let user = UserRow {
        id: UserId::new(now).map_err(|error| ProgramError::Refused(error.to_string()))?,
        email: admin.email.to_lowercase(),
        password_hash: Passwords::default().hash(password).await.map_err(refused)?,
        full_name: admin.display_name.clone(),
        display_name: admin.display_name,
        birth_on: admin.birth_on,
        is_admin: true,
        locale: Locale::French,
        created_at: now,
        version: 1,
    };
    users::insert(&mut conn, &user).await.map_err(refused)?;
    say(&format!("{} is an administrator now.", user.email));
    Ok(())
}
