//! One folder of PostgreSQL's programs and the version they report.

use super::environment;
use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// The oldest major version that the program accepts.
const OLDEST: u32 = 15;
/// No program takes this long to print its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// A folder with `postgres`, `initdb` and `pg_ctl`.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    /// The major and the minor version.
    pub(super) version: (u32, u32),
}

impl Programs {
    /// Looks into a folder, or says what is wrong with it.
    pub(super) async fn look(folder: &Path) -> Result<Self, String> {
        if !folder.is_dir() {
            return Err("there is no such folder".to_owned());
        }
        let folder = follow(folder);
        let found = Self {
            version: version(&program(&folder, "postgres")).await?,
            folder,
        };
        for name in ["initdb", "pg_ctl"] {
            if !found.path(name).is_file() {
                return Err(format!("there is no program {name} in it"));
            }
        }
        let (major, minor) = found.version;
        if major < OLDEST {
            return Err(format!("its version is {major}.{minor}"));
        }
        Ok(found)
    }

    /// The path of one of the programs.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        program(&self.folder, name)
    }
}

fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{EXE_SUFFIX}"))
}

/// A folder like `/usr/local/bin` often holds only a link to `postgres`: its neighbours, and
/// its libraries, are where the link leads.
fn follow(folder: &Path) -> PathBuf {
    program(folder, "postgres")
        .canonicalize()
        .ok()
        .filter(|real| real.ends_with(format!("postgres{EXE_SUFFIX}")))
        .and_then(|real| real.parent().map(Path::to_path_buf))
        .filter(|real| cfg!(unix) && program(real, "initdb").is_file())
        .unwrap_or_else(|| folder.to_path_buf())
}

/// Asks `postgres` for its version.
async fn version(postgres: &Path) -> Result<(u32, u32), String> {
    if !postgres.is_file() {
        return Err("there is no program postgres in it".to_owned());
    }
    let mut command = std::process::Command::new(postgres);
    environment::clean(&mut command);
    command.arg("--version").stdin(Stdio::null());
    let mut command = tokio::process::Command::from(command);
    let output = tokio::time::timeout(PATIENCE, command.kill_on_drop(true).output())
        .await
        .map_err(|_| "its postgres does not tell its version".to_owned())?
        .map_err(|error| format!("its postgres cannot be run ({error})"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    read_version(&text).ok_or_else(|| "its postgres does not tell its version".to_owned())
}

/// Reads `postgres (PostgreSQL) 17.2 (Debian 17.2-1)`; a beta counts as the minor version 0.
fn read_version(text: &str) -> Option<(u32, u32)> {
    let word = text
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut numbers = word.split(|c: char| !c.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::read_version;

    #[test]
    fn versions_are_read() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(read_version(debian), Some((15, 18)));
        assert_eq!(read_version("postgres (PostgreSQL) 18beta1"), Some((18, 0)));
        assert_eq!(read_version("postgres (PostgreSQL) 19devel"), Some((19, 0)));
        assert_eq!(read_version("something else"), None);
    }
}
