//! What can go wrong with the private cluster, told so that the reader knows what to do next.

use std::io;
use std::path::{Path, PathBuf};

/// Why the private PostgreSQL cluster could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Another living program holds the data folder.
    #[error("{holder} is already using the data folder {}: stop it first, or choose another data folder for this one", folder.display())]
    InUse { folder: PathBuf, holder: String },

    /// `PG_BIN_DIR` was given and does not help.
    #[error("PG_BIN_DIR is set to {}, but {reason}; it must name the folder that holds postgres, initdb and pg_ctl of PostgreSQL 15 or later, such as the one that `pg_config --bindir` prints", folder.display())]
    BinDir { folder: PathBuf, reason: String },

    /// Nothing usable on this machine, and nothing could be downloaded.
    #[error(
        "PostgreSQL 15 or later was not found on this machine, and it could not be downloaded ({reason}); install PostgreSQL 15 or later, or set PG_BIN_DIR to the folder that holds its programs, or set DATABASE_URL to a database that already runs"
    )]
    NoPrograms { reason: String },

    /// The cluster was made by a major version whose programs are missing.
    #[error("the cluster in {} was made by PostgreSQL {major}, and only this version can open it, but its programs were not found on this machine and could not be downloaded ({reason}); install PostgreSQL {major}, or set PG_BIN_DIR to the folder that holds its programs, or set DATABASE_URL to a database that already runs", data.display())]
    OtherMajor {
        data: PathBuf,
        major: u32,
        reason: String,
    },

    /// A file or folder could not be made, read or removed.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },

    /// The cluster belongs to another user of this machine.
    #[error("{} belongs to the user with the id {owner}: run the program as that user, or choose another data folder", path.display())]
    NotOurs { path: PathBuf, owner: u32 },

    /// A program of PostgreSQL (or of the system) could not be run at all.
    #[error("cannot run {} as {account}: {source}", program.display())]
    Run {
        program: PathBuf,
        account: String,
        source: io::Error,
    },

    /// The program runs as root and no account can run the server for it.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor a user `nobody` to run it: start the program as an ordinary user, or set DATABASE_URL to a database that already runs"
    )]
    NoAccount,

    /// The account that runs the server cannot reach the cluster.
    #[error("{account}, who must run PostgreSQL, cannot reach {}: let that user enter the folders above it, or choose another data folder", folder.display())]
    Unreachable { account: String, folder: PathBuf },

    /// `initdb` failed.
    #[error("initdb could not make a new cluster in {}:\n{output}", folder.display())]
    Create { folder: PathBuf, output: String },

    /// The server ended, or hung, before it was ready.
    #[error("PostgreSQL did not start: {reason}; the last lines of {}:\n{tail}", log.display())]
    Start {
        reason: String,
        log: PathBuf,
        tail: String,
    },

    /// A server does not end although it was told to.
    #[error("the PostgreSQL server with the process id {pid} in {} does not stop: end that process, then try again", data.display())]
    DoesNotStop { pid: u32, data: PathBuf },
}

/// Makes the error for an action on a path; for `map_err`.
pub(super) fn cannot(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    let path = path.to_path_buf();
    move |source| EmbeddedError::File {
        action,
        path,
        source,
    }
}
