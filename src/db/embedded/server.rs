//! The server's process: started directly, watched until it takes connections, and stopped.

use super::Address;
use super::account::Account;
use super::error::{EmbeddedError, cannot};
use super::leftover;
use super::options::Options;
use super::place::Place;
use super::programs::Programs;
use super::status::Status;
use super::stop::{Stop, signal};
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Settings for a small server, the same whatever the cluster's own files say.
const SETTINGS: [&str; 9] = [
    "shared_buffers=128MB",
    "max_connections=100",
    "timezone=UTC",
    "log_timezone=UTC",
    "jit=off",
    "log_destination=stderr",
    "logging_collector=off",
    "log_checkpoints=off",
    // The details of an error are values of rows: addresses of people, and what they wrote.
    "log_error_verbosity=terse",
];
/// For data that nobody will miss.
const NOT_DURABLE: [&str; 3] = [
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
];
/// How often to look whether the server is ready or has ended.
const PAUSE: Duration = Duration::from_millis(5);
/// Recovery after a crash replays at most some checkpoints' worth of changes.
const START: Duration = Duration::from_secs(180);
/// What the server says while processes of a killed one, or a start that the killed program
/// had just begun, are still in its way: they end by themselves or can be ended.
const PASSING: [&str; 2] = [
    "pre-existing shared memory block",
    "lock file \"postmaster.pid\" already exists",
];
/// How long they may be in the way.
const ORPHANS: Duration = Duration::from_secs(10);
/// What a stop is given before the next stronger one.
const END: Duration = Duration::from_secs(30);

/// A running server, stopped at the latest when it is dropped.
pub(super) struct Server {
    child: Child,
    data: PathBuf,
    programs: Programs,
    account: Account,
    stop: Stop,
}

impl Server {
    /// Starts the server and waits until it takes connections. `stop` is how it will end.
    pub(super) async fn start(
        place: &Place,
        address: &Address,
        programs: &Programs,
        account: &Account,
        options: &Options,
        stop: Stop,
    ) -> Result<Self, EmbeddedError> {
        let begin = Instant::now();
        loop {
            leftover::clear(place, programs, account, &*options.progress).await?;
            address.clear()?;
            let child = spawn(place, address, programs, account, options.durable)?;
            let mut server = Self {
                child,
                data: place.data(),
                programs: programs.clone(),
                account: account.clone(),
                stop,
            };
            let Err(reason) = server.wait_until_ready().await else {
                return Ok(server);
            };
            let tail = tail(&place.log());
            let passing = PASSING.iter().any(|message| tail.contains(message));
            if !passing || begin.elapsed() > ORPHANS {
                return Err(EmbeddedError::Start {
                    reason,
                    log: place.log(),
                    tail,
                });
            }
            tokio::time::sleep(PAUSE * 20).await;
        }
    }

    /// Waits for the server, or says why it will not come.
    async fn wait_until_ready(&mut self) -> Result<(), String> {
        let begin = Instant::now();
        while begin.elapsed() < START {
            if let Some(status) = Status::read(&self.data)
                && status.pid == self.child.id()
                && status.ready
            {
                return Ok(());
            }
            match self.child.try_wait() {
                Ok(None) => tokio::time::sleep(PAUSE).await,
                Ok(Some(status)) => return Err(format!("it ended with {status}")),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(format!(
            "it was not ready after {} seconds",
            START.as_secs()
        ))
    }

    /// Stops the server and waits for its end.
    pub(super) async fn stop(mut self) -> Result<(), EmbeddedError> {
        for stop in [self.stop, Stop::Immediate] {
            self.tell(stop)?;
            let begin = Instant::now();
            while begin.elapsed() < END {
                if self.has_ended() {
                    return Ok(());
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Err(EmbeddedError::DoesNotStop {
            pid: self.child.id(),
            data: self.data.clone(),
        })
    }

    /// Sends the signal, unless the server has ended: its number may be another's by now.
    fn tell(&mut self, stop: Stop) -> Result<(), EmbeddedError> {
        if self.has_ended() {
            return Ok(());
        }
        signal(&self.data, &self.programs, &self.account, stop)
    }

    /// Whether the process is gone. Also takes note of its end, which leaves no zombie.
    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody listens to errors here, and a program that ends must not hang for long.
        if self.tell(self.stop).is_err() {
            let _ = self.child.kill();
        }
        let begin = Instant::now();
        while !self.has_ended() && begin.elapsed() < END {
            std::thread::sleep(PAUSE);
        }
    }
}

fn spawn(
    place: &Place,
    address: &Address,
    programs: &Programs,
    account: &Account,
    durable: bool,
) -> Result<Child, EmbeddedError> {
    let log = place.log();
    // The log of the session before is kept, and no more, so that logs stay small.
    let _ = fs::rename(&log, log.with_extension("log.1"));
    let out = OpenOptions::new()
        .append(true)
        .create_new(true)
        .open(&log)
        .map_err(cannot("make", &log))?;
    let err = out.try_clone().map_err(cannot("open", &log))?;
    let mut settings: Vec<OsString> = SETTINGS.map(OsString::from).to_vec();
    if !durable {
        settings.extend(NOT_DURABLE.map(OsString::from));
    }
    settings.extend(address.settings());

    let postgres = programs.path("postgres");
    let mut command = account.command(&postgres, place.cluster());
    // The data directory comes first: `leftover` recognises the server by it.
    command.arg("-D").arg(place.data());
    for setting in settings {
        command.arg("-c").arg(setting);
    }
    command.stdout(Stdio::from(out)).stderr(Stdio::from(err));
    command.spawn().map_err(account.cannot_run(postgres))
}

/// The last lines of the log, for the reader of an error.
fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(15);
    lines.get(first..).unwrap_or_default().join("\n")
}
