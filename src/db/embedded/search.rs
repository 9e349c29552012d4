//! Finds PostgreSQL's programs on this machine: where the reader says, or the newest of the
//! usual places.

use super::error::EmbeddedError;
use super::options::Options;
use super::programs::Programs;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Folders of versions: the folder above, the beginning of the version's name, the rest.
const PLACES: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// The programs to use, of the major version `needed` when a cluster exists already; none when
/// this machine has none. `shelf` holds the ones downloaded earlier.
pub(super) async fn installed(
    options: &Options,
    needed: Option<u32>,
    shelf: Option<&Path>,
) -> Result<Option<Programs>, EmbeddedError> {
    if let Some(folder) = &options.bin_dir {
        let wrong = |reason| EmbeddedError::BinDir {
            folder: folder.clone(),
            reason,
        };
        let found = Programs::look(folder).await.map_err(wrong)?;
        let major = found.version.0;
        return match needed {
            Some(needed) if needed != major => Err(wrong(format!(
                "its version is {major} and the cluster was made by PostgreSQL {needed}"
            ))),
            _ => Ok(Some(found)),
        };
    }
    let mut folders = match &options.search {
        Some(folders) => folders.clone(),
        None => usual_folders().await,
    };
    if let Some(shelf) = shelf {
        folders.extend(versions(shelf, "postgresql-", "bin"));
    }
    Ok(newest(folders, needed).await)
}

/// The newest of these folders' programs; among equals the first.
async fn newest(folders: Vec<PathBuf>, needed: Option<u32>) -> Option<Programs> {
    let mut seen = HashSet::new();
    let mut best: Option<Programs> = None;
    for folder in folders {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if !seen.insert(real) {
            continue;
        }
        // A folder without programs, or with old ones, is no error: it is only not the one.
        let Ok(found) = Programs::look(&folder).await else {
            continue;
        };
        let fits = needed.is_none_or(|major| major == found.version.0);
        if fits && best.as_ref().is_none_or(|b| found.version > b.version) {
            best = Some(found);
        }
    }
    best
}

/// Where the programs usually are.
async fn usual_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(output) = tokio::process::Command::new("pg_config")
        .arg("--bindir")
        .output()
        .await
    {
        folders.push(PathBuf::from(
            String::from_utf8_lossy(&output.stdout).trim(),
        ));
    }
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path));
    }
    for (above, beginning, rest) in PLACES {
        folders.extend(versions(Path::new(above), beginning, rest));
    }
    folders
}

/// The folders in `above` whose name begins so, each followed by `rest`.
fn versions(above: &Path, beginning: &str, rest: &str) -> Vec<PathBuf> {
    let Ok(entries) = above.read_dir() else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning))
        .map(|entry| entry.path().join(rest))
        .collect()
}
