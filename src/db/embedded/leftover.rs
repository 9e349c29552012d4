//! Stops the server that an earlier program left behind when it was killed, and removes its
//! traces. This happens under the data folder's lock, so no living program owns that server.

use super::account::Account;
use super::error::{EmbeddedError, cannot};
use super::place::Place;
use super::programs::Programs;
use super::status::{FILE, Found};
use super::stop::{Stop, signal};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How often to look whether the server has ended.
const PAUSE: Duration = Duration::from_millis(20);
/// How many looks a stop is given: 60 and 20 seconds.
const STEPS: [(Stop, u32); 2] = [(Stop::Fast, 3000), (Stop::Immediate, 1000)];

/// Leaves the place without a server and without a misleading `postmaster.pid`.
pub(super) async fn clear(
    place: &Place,
    programs: &Programs,
    account: &Account,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), EmbeddedError> {
    let data = place.data();
    let pid = match Found::in_folder(&data) {
        Found::Nothing => return Ok(()),
        // Cut while it was being written; PostgreSQL would not start on it.
        Found::Garbage => return remove_file(&data),
        Found::Process(pid) => pid,
    };
    match owner_of(pid, &data, programs, account).await {
        // PostgreSQL removes the file of a process that is gone by itself.
        Owner::Nobody => return Ok(()),
        // The number now belongs to some other process, or the dead server still has it because
        // nobody waits for it (as in a container without an init): PostgreSQL would refuse to
        // start. Its shared memory still tells it about a server that really runs.
        #[cfg(unix)]
        Owner::Another => return remove_file(&data),
        Owner::Server => {}
    }
    progress("PostgreSQL still runs from an earlier program that was killed: it is stopped first");
    for (stop, looks) in STEPS {
        // It may be ending already, so that a signal that finds nobody is no error.
        let _ = signal(&data, programs, account, stop);
        for _ in 0..looks {
            if !matches!(owner_of(pid, &data, programs, account).await, Owner::Server) {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Err(EmbeddedError::DoesNotStop { pid, data })
}

fn remove_file(data: &Path) -> Result<(), EmbeddedError> {
    let file = data.join(FILE);
    fs::remove_file(&file).map_err(cannot("remove the outdated", &file))
}

/// Whose process it is.
enum Owner {
    Nobody,
    Server,
    #[cfg(unix)]
    Another,
}

/// Tells a server of this data directory from a process that has got its number since: the
/// server's command line begins as [`super::server`] made it.
#[cfg(unix)]
async fn owner_of(pid: u32, data: &Path, _: &Programs, _: &Account) -> Owner {
    match command_line(pid).await {
        None => Owner::Nobody,
        Some(line) if line.contains(&format!(" -D {} -c ", data.display())) => Owner::Server,
        Some(_) => Owner::Another,
    }
}

/// Elsewhere `pg_ctl` asks the server itself, and a signal reaches nobody but a PostgreSQL.
#[cfg(not(unix))]
async fn owner_of(_: u32, data: &Path, programs: &Programs, account: &Account) -> Owner {
    let mut command = account.command(programs.path("pg_ctl"), data);
    command.arg("status").arg("-D").arg(data);
    match tokio::process::Command::from(command).output().await {
        Ok(output) if output.status.success() => Owner::Server,
        _ => Owner::Nobody,
    }
}

/// The command line of a process; of a dead one that nobody has waited for, an empty one.
#[cfg(target_os = "linux")]
async fn command_line(pid: u32) -> Option<String> {
    // Not by `ps`, which small containers lack.
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
}

#[cfg(all(unix, not(target_os = "linux")))]
async fn command_line(pid: u32) -> Option<String> {
    let output = tokio::process::Command::new("ps")
        .args(["-ww", "-o", "command=", "-p"])
        .arg(pid.to_string())
        .output()
        .await
        .ok()?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!line.is_empty()).then_some(line)
}
