//! Settings: each is a flag and an environment variable; a wrong one stops the start and says what was expected.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

use crate::documents::storage::{Storage, StorageError};
use crate::webhooks::worker::Options;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "fifty-fifty", version, about, long_about = None)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub settings: Settings,
}

/// What the program can do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve the API (the default). Migrates the database first.
    Serve,
    /// Bring the database to the schema of this program and load the reference data.
    Migrate,
    /// Fill an empty database with the demonstration of Loos-en-Gohelle.
    SeedDemo,
    /// Add up the figures of departments, regions and the country anew, from all records.
    RebuildMetrics,
    /// Create an administrator's account, or make an account an administrator.
    CreateAdmin(CreateAdmin),
    /// Print the OpenAPI document.
    Openapi,
    /// Check an exported convention, offline: the answer of GET /v1/conventions/{id}/verification, kept as a file.
    Verify {
        /// The file.
        file: PathBuf,
    },
}

/// The administrator to create.
#[derive(Debug, Clone, Args)]
pub struct CreateAdmin {
    /// E-mail address of the account.
    #[arg(long)]
    pub email: String,
    /// Name that others see.
    #[arg(long, default_value = "Administrator")]
    pub display_name: String,
    /// Birthday, as for every account.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub birth_on: chrono::NaiveDate,
    /// File that holds the password on its first line; without it the password is read from standard input.
    #[arg(long)]
    pub password_file: Option<PathBuf>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Everything that can be set.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address to listen on.
    #[arg(
        long,
        env = "HOST",
        default_value = "127.0.0.1",
        global = true,
        value_name = "IP_ADDRESS"
    )]
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    #[arg(
        long,
        env = "PORT",
        default_value_t = 8080,
        global = true,
        value_name = "0..65535"
    )]
    pub port: u16,
    /// Address under which the world reaches the API: the issuer and audience of its tokens. By default that of
    /// HOST and PORT.
    #[arg(long, env = "PUBLIC_URL", global = true, value_name = "URL", value_parser = web_address)]
    pub public_url: Option<String>,
    /// PostgreSQL to use (15 or later). Without it the program starts its own.
    #[arg(
        long,
        env = "DATABASE_URL",
        global = true,
        value_name = "postgres://…",
        hide_env_values = true
    )]
    pub database_url: Option<String>,
    /// Folder of the program's own PostgreSQL, of its key and of documents.
    #[arg(
        long,
        env = "DATA_DIR",
        default_value = ".fifty-fifty",
        global = true,
        value_name = "FOLDER"
    )]
    pub data_dir: PathBuf,
    /// Folder of the PostgreSQL binaries to start; by default the newest found on the machine.
    #[arg(long, env = "PG_BIN_DIR", global = true, value_name = "FOLDER")]
    pub pg_bin_dir: Option<PathBuf>,
    /// Where PostgreSQL is downloaded from when the machine has none.
    #[arg(long, env = "PG_ARCHIVE_URL", global = true, value_name = "URL", value_parser = web_address)]
    pub pg_archive_url: Option<String>,
    /// Where the bytes of documents are: s3://bucket/prefix, with the environment variables of AWS, or file:///folder.
    /// By default the folder "documents" in DATA_DIR.
    #[arg(long, env = "DOCUMENTS_URL", global = true, value_name = "s3://…|file://…", value_parser = store_address)]
    pub documents_url: Option<String>,
    /// Largest document, in bytes.
    #[arg(long, env = "DOCUMENT_MAX_BYTES", default_value_t = 20_000_000, global = true, value_name = "1..1000000000",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub document_max_bytes: u64,
    /// Largest file that is imported, in bytes.
    #[arg(long, env = "IMPORT_MAX_BYTES", default_value_t = 100_000_000, global = true, value_name = "1..1000000000",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub import_max_bytes: u64,
    /// Connections to the database, shared out among the workers.
    #[arg(long, env = "DATABASE_POOL_SIZE", default_value_t = 8, global = true, value_name = "1..1000",
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub database_pool_size: u16,
    /// How long a request waits for a connection before it is answered 503, in milliseconds.
    #[arg(long, env = "DATABASE_ACQUIRE_TIMEOUT_MS", default_value_t = 2_000, global = true, value_name = "1..60000",
        value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub database_acquire_timeout_ms: u64,
    /// How long one statement may run, in milliseconds.
    #[arg(long, env = "DATABASE_STATEMENT_TIMEOUT_MS", default_value_t = 10_000, global = true, value_name = "100..600000",
        value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub database_statement_timeout_ms: u64,
    /// Files with the keys of access tokens (P-256, PKCS#8 PEM): the first signs, all check. Needed with DATABASE_URL;
    /// otherwise a key is made in DATA_DIR.
    #[arg(
        long,
        env = "TOKEN_KEY_FILES",
        global = true,
        value_name = "FILE,…",
        value_delimiter = ','
    )]
    pub token_key_files: Vec<PathBuf>,
    /// Whether people get tokens for their password; switch it off where they sign in elsewhere.
    #[arg(long, env = "PASSWORD_GRANT", default_value_t = true, global = true, action = clap::ArgAction::Set, value_name = "true|false")]
    pub password_grant: bool,
    /// How long the receiver of a webhook may take to answer, in milliseconds.
    #[arg(long, env = "WEBHOOK_TIMEOUT_MS", default_value_t = 10_000, global = true, value_name = "100..60000",
        value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub webhook_timeout_ms: u64,
    /// Pause after the first failure of a webhook, in milliseconds; the next ones grow with it, the ninth to 17280 times
    /// as much.
    #[arg(long, env = "WEBHOOK_PAUSE_MS", default_value_t = 5_000, global = true, value_name = "1..60000",
        value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub webhook_pause_ms: u64,
    /// Whether webhooks may go to http and to addresses that are not public; for tests only.
    #[arg(long, env = "WEBHOOK_ALLOW_PRIVATE", default_value_t = false, global = true, action = clap::ArgAction::Set, value_name = "true|false")]
    pub webhook_allow_private: bool,
    /// Addresses of the proxies in front of the program, as ranges or alone: what they say in X-Forwarded-For is believed,
    /// for the address ranges of clients.
    #[arg(long, env = "TRUSTED_PROXIES", global = true, value_name = "CIDR,…", value_delimiter = ',', value_parser = address_range)]
    pub trusted_proxies: Vec<IpNet>,
    /// Web origins that may call the API from a browser; "*" for all.
    #[arg(
        long,
        env = "CORS_ORIGINS",
        default_value = "*",
        global = true,
        value_name = "ORIGIN,…",
        value_delimiter = ','
    )]
    pub cors_origins: Vec<String>,
    /// Threads that serve requests; by default one for each core.
    #[arg(long, env = "WORKERS", global = true, value_name = "1..256", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// How long requests under way may take to finish when the program is told to stop, in seconds.
    #[arg(long, env = "SHUTDOWN_TIMEOUT_S", default_value_t = 10, global = true, value_name = "0..600",
        value_parser = clap::value_parser!(u64).range(0..=600))]
    pub shutdown_timeout_s: u64,
    /// How the log is written.
    #[arg(long, env = "LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// What is logged: a level, or directives such as "info,fifty_fifty=debug".
    #[arg(long, env = "LOG_LEVEL", default_value = "info", global = true, value_name = "DIRECTIVES", value_parser = log_directives)]
    pub log_level: String,
}

impl Settings {
    /// Limits of the pool.
    pub fn pool(&self) -> crate::db::PoolOptions {
        crate::db::PoolOptions {
            size: usize::from(self.database_pool_size),
            acquire_timeout: Duration::from_millis(self.database_acquire_timeout_ms),
            statement_timeout: Duration::from_millis(self.database_statement_timeout_ms),
        }
    }

    /// The store of documents.
    pub fn documents(&self) -> Result<Storage, StorageError> {
        match &self.documents_url {
            Some(url) => Storage::open(url, self.document_max_bytes),
            None => Storage::in_folder(&self.data_dir.join("documents"), self.document_max_bytes),
        }
    }

    /// How webhooks are sent.
    pub fn webhooks(&self) -> Options {
        Options {
            timeout: Duration::from_millis(self.webhook_timeout_ms),
            pause: Duration::from_millis(self.webhook_pause_ms),
            allow_private: self.webhook_allow_private,
        }
    }

    /// What clap cannot refuse, because it would repeat the value, which may hold a password.
    pub fn check(&self) -> Result<(), String> {
        match &self.database_url {
            Some(url) if !url.starts_with("postgres://") && !url.starts_with("postgresql://") => {
                Err("DATABASE_URL: expected an address such as postgres://user:password@host:5432/database".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Threads that serve requests.
    pub fn workers(&self) -> usize {
        self.workers.map_or_else(
            || std::thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        )
    }
}

fn web_address(text: &str) -> Result<String, String> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .unwrap_or_default();
    if host.is_empty() || host.starts_with('/') || text.contains(char::is_whitespace) {
        return Err("expected an address such as https://api.example.org".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn address_range(text: &str) -> Result<IpNet, String> {
    let alone = text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or(alone).map_err(|_| {
        "expected an address or a range of them, such as 10.0.0.1 or 10.0.0.0/8".to_owned()
    })
}

fn store_address(text: &str) -> Result<String, String> {
    let bucket = text
        .strip_prefix("s3://")
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if bucket || text.starts_with("file:///") {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("expected an address such as s3://bucket/prefix or file:///srv/documents".to_owned())
    }
}

fn log_directives(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|_| "expected a level (error, warn, info, debug, trace) or directives such as info,fifty_fifty=debug".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_wrong_setting_is_refused_with_its_name() {
        for (flag, value) in [
            ("--port", "http"),
            ("--public-url", "x"),
            ("--database-pool-size", "0"),
            ("--log-level", "a=b=c"),
            ("--documents-url", "s3:///documents"),
            ("--host", "localhost"),
            ("--trusted-proxies", "proxy.example"),
        ] {
            let error = Cli::try_parse_from(["fifty-fifty", flag, value])
                .unwrap_err()
                .to_string();
            assert!(error.contains(flag) && error.contains(value), "{error}");
        }
    }
}
