//! Access to PostgreSQL: the pool, the migrations and the schema.

pub mod batch;
pub mod embedded;
mod jsonb;
pub mod remembered;
pub mod schema;

pub(crate) use jsonb::jsonb;

use std::time::Duration;

use diesel::dsl::sql;
use diesel::sql_types::{Bool, Text};
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::{Object, Pool as DeadPool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{
    AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use futures_util::FutureExt;

diesel::define_sql_function! {
    /// The last day on which an official may contest what was recorded in their name at this instant.
    fn contestable_until(recorded_at: diesel::sql_types::Timestamptz) -> diesel::sql_types::Date;
}

/// The migrations of this version of the program.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// A connection out of the pool.
pub type Connection = Object<AsyncPgConnection>;

/// The pool of connections.
#[derive(Clone)]
pub struct Pool {
    pool: DeadPool<AsyncPgConnection>,
    url: String,
    options: PoolOptions,
}

/// How the pool behaves.
#[derive(Clone, Copy, Debug)]
pub struct PoolOptions {
    /// Most connections at once.
    pub size: usize,
    /// How long a request waits for a free connection before it is told to come back.
    pub acquire_timeout: Duration,
    /// How long one statement may run.
    pub statement_timeout: Duration,
}

/// What can go wrong before the first request is served.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("the pool of connections: {0}")]
    Pool(String),
    #[error("cannot connect to the database: {0}")]
    Connect(#[from] ConnectionError),
    #[error("migration: {0}")]
    Migration(String),
    #[error("the database: {0}")]
    Query(#[from] diesel::result::Error),
}

impl Pool {
    /// A pool that connects when it is first asked.
    pub fn new(url: &str, options: PoolOptions) -> Result<Self, DatabaseError> {
        let mut config = ManagerConfig::<AsyncPgConnection>::default();
        // The default sends a query at every checkout, which costs a third to a half of the rate. A connection that
        // has died shows at its first use, as "busy", and is not given out again.
        config.recycling_method = RecyclingMethod::Fast;
        let statement_timeout = options.statement_timeout;
        config.custom_setup =
            Box::new(move |url| connect(url.to_owned(), statement_timeout).boxed());
        let manager =
            AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(url, config);
        DeadPool::builder(manager)
            .max_size(options.size)
            // The connection that was used last has everything at hand.
            .queue_mode(deadpool::managed::QueueMode::Lifo)
            .wait_timeout(Some(options.acquire_timeout))
            .create_timeout(Some(options.acquire_timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map(|pool| Self {
                pool,
                url: url.to_owned(),
                options,
            })
            .map_err(|error| DatabaseError::Pool(error.to_string()))
    }

    /// A pool of its own for one of so many, with its part of the connections.
    pub fn share(&self, parts: usize) -> Result<Self, DatabaseError> {
        let size = self.options.size.div_ceil(parts.max(1));
        Self::new(
            &self.url,
            PoolOptions {
                size,
                ..self.options
            },
        )
    }

    /// A connection, or the reason why there is none in time.
    pub async fn get(&self) -> Result<Connection, DatabaseError> {
        self.pool
            .get()
            .await
            .map_err(|error| DatabaseError::Pool(error.to_string()))
    }

    /// Ends the connections; those in use end when they come back.
    pub fn close(&self) {
        self.pool.close();
    }
}

/// One connection with the limits that every connection has.
async fn connect(url: String, statement_timeout: Duration) -> ConnectionResult<AsyncPgConnection> {
    let mut connection = AsyncPgConnection::establish(&url).await?;
    let limits = format!(
        "SET application_name = 'fifty-fifty'; SET timezone = 'UTC'; SET statement_timeout = {}; \
         SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
         SET idle_session_timeout = 0",
        statement_timeout.as_millis(),
        statement_timeout.as_millis() / 2,
        statement_timeout.as_millis() * 2,
    );
    connection
        .batch_execute(&limits)
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// One connection without limits of time: for migrations and other work that no request waits for.
pub async fn connect_unlimited(url: &str) -> Result<AsyncPgConnection, DatabaseError> {
    Ok(AsyncPgConnection::establish(url).await?)
}

/// Whether the cluster has a database of this name. `maintenance` is the address of another one.
pub async fn exists(maintenance: &str, name: &str) -> Result<bool, DatabaseError> {
    let mut connection = connect_unlimited(maintenance).await?;
    let named = sql::<Bool>("EXISTS (SELECT FROM pg_database WHERE datname = ")
        .bind::<Text, _>(name)
        .sql(")");
    Ok(diesel::select(named).get_result(&mut connection).await?)
}

/// Makes a database.
pub async fn create(maintenance: &str, name: &str) -> Result<(), DatabaseError> {
    Ok(connect_unlimited(maintenance)
        .await?
        .batch_execute(&format!("CREATE DATABASE \"{name}\""))
        .await?)
}

/// Removes a database, if it is there.
pub async fn drop_if_exists(maintenance: &str, name: &str) -> Result<(), DatabaseError> {
    let sql = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
    Ok(connect_unlimited(maintenance)
        .await?
        .batch_execute(&sql)
        .await?)
}

/// Renames a database that nobody uses; whoever still does is disconnected.
pub async fn rename(maintenance: &str, from: &str, to: &str) -> Result<(), DatabaseError> {
    let mut connection = connect_unlimited(maintenance).await?;
    diesel::sql_query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
        .bind::<Text, _>(from.to_owned())
        .execute(&mut connection)
        .await?;
    Ok(connection
        .batch_execute(&format!("ALTER DATABASE \"{from}\" RENAME TO \"{to}\""))
        .await?)
}

/// Brings the database to the schema of this program. Two programs that start at once take turns.
/// Returns how many migrations were run. Needs a multi-thread runtime.
pub async fn migrate(url: &str) -> Result<usize, DatabaseError> {
    // Migrations may take longer than any request does.
    let mut connection = connect_unlimited(url).await?;
    connection
        .batch_execute("SELECT pg_advisory_lock(5050)")
        .await?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let run = harness
        .run_pending_migrations(MIGRATIONS)
        .map(|versions| versions.len())
        .map_err(|error| DatabaseError::Migration(error.to_string()));
    let mut connection = harness.into_inner();
    connection
        .batch_execute("SELECT pg_advisory_unlock(5050)")
        .await?;
    run
}
