//! How a server is told to end: by `pg_ctl`, which knows the right signal on every system.

use super::account::Account;
use super::error::EmbeddedError;
use super::programs::Programs;
use std::path::Path;
use std::process::Stdio;

/// How to end a server.
#[derive(Clone, Copy)]
pub(super) enum Stop {
    /// Ends the sessions, writes everything and leaves.
    Fast,
    /// Leaves at once; the next start recovers.
    Immediate,
}

/// Has `pg_ctl` tell the server of a data directory to end, without waiting for it.
pub(super) fn signal(
    data: &Path,
    programs: &Programs,
    account: &Account,
    stop: Stop,
) -> Result<(), EmbeddedError> {
    let pg_ctl = programs.path("pg_ctl");
    let mode = match stop {
        Stop::Fast => "fast",
        Stop::Immediate => "immediate",
    };
    // Not run in the data directory, which may be on its way out.
    let folder = &programs.folder;
    let mut command = account.command(&pg_ctl, folder);
    command.args(["stop", "--no-wait", "--silent", "-m", mode, "-D"]);
    command
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().map_err(account.cannot_run(pg_ctl))?;
    Ok(())
}
