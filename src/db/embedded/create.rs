//! Makes a new cluster with `initdb`, under another name until it is whole: a start that is cut
//! in the middle leaves nothing that the next start could take for a cluster.

use super::Address;
use super::USER;
use super::account::Account;
use super::error::{EmbeddedError, cannot};
use super::place::Place;
use super::programs::Programs;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// The beginning of the name of a cluster in the making.
const UNFINISHED: &str = "pgdata.new-";

/// How long an `initdb` without its program may go on.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// The major version of the cluster in this place, if there is one.
pub(super) fn major(place: &Place) -> Result<Option<u32>, EmbeddedError> {
    let path = place.data().join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read", &path)(error)),
    }
}

/// Makes the cluster; `durable` waits until it is on the disk.
pub(super) async fn create(
    place: &Place,
    programs: &Programs,
    account: &Account,
    durable: bool,
) -> Result<(), EmbeddedError> {
    let cluster = place.cluster();
    remove_unfinished(&cluster).await?;
    // Named after this process: an initdb that outlived a killed program for a moment must not
    // write into ours.
    let unfinished = cluster.join(format!("{UNFINISHED}{}", std::process::id()));
    let initdb = programs.path("initdb");
    let mut command = account.command(&initdb, &cluster);
    command.arg("-D").arg(&unfinished).args(["-U", USER]);
    // The locale C exists on every machine, and never changes the order of an index by an
    // update of the system.
    command.args(["-E", "UTF8", "--locale-provider=libc", "--locale=C"]);
    command.arg("--no-instructions");
    command.args(Address::prepare_login(place)?);
    if !durable {
        command.arg("--no-sync");
    }
    let output = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(account.cannot_run(initdb))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(EmbeddedError::Create {
            folder: cluster,
            output,
        });
    }
    let data = place.data();
    fs::rename(&unfinished, &data).map_err(cannot("make the folder", &data))
}

/// Removes what starts that were cut have left.
async fn remove_unfinished(cluster: &Path) -> Result<(), EmbeddedError> {
    let entries = cluster.read_dir().map_err(cannot("read", cluster))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            remove(&entry.path()).await?;
        }
    }
    Ok(())
}

/// Removes a folder, again and again while an `initdb` that outlived its program still writes
/// there; without its files, or without anybody to tell, it soon ends.
async fn remove(folder: &Path) -> Result<(), EmbeddedError> {
    let begin = Instant::now();
    loop {
        match fs::remove_dir_all(folder) {
            Err(_) if folder.exists() && begin.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) if folder.exists() => return Err(cannot("remove", folder)(error)),
            _ => return Ok(()),
        }
    }
}
