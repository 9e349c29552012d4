//! How programs reach the server on Unix: by a socket in a private folder, and by no TCP port.

use super::account::Account;
use super::encode::encode;
use super::error::{EmbeddedError, cannot};
use super::place::{Place, make_private, short_hash};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The longest path of a socket that every Unix accepts is 103 bytes.
const LONGEST: usize = 103;
/// What PostgreSQL adds to the folder.
const SOCKET: &str = "/.s.PGSQL.5432";

/// The folder of the server's socket.
///
/// Only the account that runs the server (and root) can enter it, which is the whole
/// protection: whoever is inside may connect as the superuser, without a password. `peer`
/// would not do, since root must be let in while the server runs as another user.
pub(super) struct Address {
    folder: PathBuf,
    /// Whether the folder is apart from the cluster.
    apart: bool,
}

impl Address {
    /// The cluster's own folder, or a short one when the socket's path would be too long.
    pub(super) fn of(place: &Place, account: &Account) -> Self {
        let folder = place.cluster();
        if fits(&folder) {
            return Self {
                folder,
                apart: false,
            };
        }
        let name = format!("fifty-fifty-{}", short_hash(&place.folder));
        let user = std::env::temp_dir().join(&name);
        // Root's own temporary folder may be closed to the account that runs the server.
        let folder = if fits(&user) && !account.is_other() {
            user
        } else {
            Path::new("/tmp").join(name)
        };
        Self {
            folder,
            apart: true,
        }
    }

    /// Makes the folder of the socket.
    pub(super) fn prepare(&mut self, account: &Account) -> Result<(), EmbeddedError> {
        make_private(&self.folder, account)
    }

    /// Removes the socket's lock file once no server runs: like `postmaster.pid` it may hold a
    /// number that is another process's by now, and PostgreSQL would not start.
    pub(super) fn clear(&self) -> Result<(), EmbeddedError> {
        let mut file = self.folder.as_os_str().to_owned();
        file.push(SOCKET);
        file.push(".lock");
        let file = PathBuf::from(file);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(cannot("remove the outdated", &file)(error))
            }
            _ => Ok(()),
        }
    }

    /// The folder to remove along with the cluster.
    pub(super) fn folder_apart(&self) -> Option<&Path> {
        self.apart.then_some(&*self.folder)
    }

    /// How the new cluster lets programs in.
    pub(super) fn prepare_login(_place: &Place) -> Result<Vec<OsString>, EmbeddedError> {
        Ok(vec!["--auth=trust".into()])
    }

    /// The server's settings for this address.
    pub(super) fn settings(&self) -> Vec<OsString> {
        // The setting is a list, so a name may hold a comma only inside quotes.
        let mut directories = b"unix_socket_directories=\"".to_vec();
        for &byte in self.folder.as_os_str().as_bytes() {
            directories.push(byte);
            if byte == b'"' {
                directories.push(byte);
            }
        }
        directories.push(b'"');
        vec![
            "listen_addresses=".into(),
            "port=5432".into(),
            "unix_socket_permissions=0700".into(),
            OsString::from_vec(directories),
        ]
    }

    /// The URL of a database.
    pub(super) fn url(&self, user: &str, database: &str) -> String {
        format!(
            "postgres://{user}@{}/{}",
            encode(self.folder.as_os_str().as_bytes()),
            encode(database.as_bytes())
        )
    }
}

fn fits(folder: &Path) -> bool {
    folder.as_os_str().len() + SOCKET.len() <= LONGEST
}
