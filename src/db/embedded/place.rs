//! Where everything lies. The cluster is kept in the data folder, or, when the account that
//! runs the server for root cannot reach it, in a folder of the system that outlives restarts.

use super::account::Account;
use super::error::{EmbeddedError, cannot};
use std::fs;
use std::path::{Path, PathBuf};

/// Where root's clusters go when their server cannot enter the data folder.
#[cfg(unix)]
const SYSTEM_FOLDER: &str = "/var/lib/fifty-fifty";

/// The folders of one cluster.
#[derive(Clone)]
pub(super) struct Place {
    /// The data folder, absolute and without links, so that one folder has one name.
    pub(super) folder: PathBuf,
    /// The data folder, or its substitute that the server's account can reach.
    pub(super) home: PathBuf,
}

impl Place {
    /// The only folder that belongs to the server's account, closed to everybody else.
    pub(super) fn cluster(&self) -> PathBuf {
        self.home.join("cluster")
    }

    /// PostgreSQL's own data directory.
    pub(super) fn data(&self) -> PathBuf {
        self.cluster().join("pgdata")
    }

    /// The server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.cluster().join("postgres.log")
    }

    /// Where downloaded programs are kept.
    pub(super) fn programs(&self) -> PathBuf {
        self.home.join("programs")
    }

    /// Makes the data folder, and decides where its cluster lies and who runs it.
    pub(super) async fn settle(data_dir: &Path) -> Result<(Self, Account), EmbeddedError> {
        let account = Account::find().await?;
        make(data_dir, entry_mode(&account))?;
        let folder = absolute(data_dir).map_err(cannot("find", data_dir))?;
        Self::choose(folder, account).await
    }

    #[cfg(unix)]
    async fn choose(
        folder: PathBuf,
        mut account: Account,
    ) -> Result<(Self, Account), EmbeddedError> {
        let substitute = Path::new(SYSTEM_FOLDER).join(short_hash(&folder));
        let mut home = folder.clone();
        if home.join("cluster").exists() {
            account.adapt_to_owner(&home.join("cluster"))?;
        } else if account.is_other() && !account.reaches(&folder).await? {
            make(Path::new(SYSTEM_FOLDER), entry_mode(&account))?;
            make(&substitute, entry_mode(&account))?;
            home = substitute;
        }
        if !account.reaches(&home).await? {
            return Err(EmbeddedError::Unreachable {
                account: account.name().to_owned(),
                folder: home,
            });
        }
        Ok((Self { folder, home }, account))
    }

    #[cfg(not(unix))]
    async fn choose(folder: PathBuf, account: Account) -> Result<(Self, Account), EmbeddedError> {
        let home = folder.clone();
        Ok((Self { folder, home }, account))
    }

    /// Makes the cluster's folder, private to the account.
    pub(super) fn make_cluster(&self, account: &Account) -> Result<(), EmbeddedError> {
        make_private(&self.cluster(), account)
    }

    /// Says where the cluster is when it is not where the reader would look for it.
    pub(super) fn explain(&self, account: &Account, progress: &(dyn Fn(&str) + Send + Sync)) {
        if self.home != self.folder {
            progress(&format!(
                "{}, who runs PostgreSQL for root, cannot reach {}: the database is kept in {}",
                account.name(),
                self.folder.display(),
                self.home.display()
            ));
        }
    }
}

/// Makes a folder with these rights, whatever the umask; one that exists keeps its own.
pub(super) fn make(folder: &Path, mode: u32) -> Result<(), EmbeddedError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(cannot("make the folder", folder))?;
    set_mode(folder, mode)
}

/// Makes a folder that only the account (and root) may enter.
#[cfg(unix)]
pub(super) fn make_private(folder: &Path, account: &Account) -> Result<(), EmbeddedError> {
    use std::os::unix::fs::DirBuilderExt;
    // Private from its first moment, and never somebody else's folder or link of that name.
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(cannot("make the folder", folder)(error));
        }
        _ => {}
    }
    let metadata = folder.symlink_metadata().map_err(cannot("read", folder))?;
    let owner = std::os::unix::fs::MetadataExt::uid(&metadata);
    if !metadata.is_dir() || (owner != account.user() && owner != account.program()) {
        return Err(EmbeddedError::NotOurs {
            path: folder.to_path_buf(),
            owner,
        });
    }
    if owner == account.program() {
        // Root does this once: it must not follow the account's later renames and links.
        set_mode(folder, 0o700)?;
        account.own(folder)?;
    }
    Ok(())
}

/// Makes a folder; it inherits the rights of the user's own folder above it.
#[cfg(not(unix))]
pub(super) fn make_private(folder: &Path, _account: &Account) -> Result<(), EmbeddedError> {
    make(folder, 0)
}

/// The rights of the data folder: the server's account needs to pass through it, nothing more.
#[cfg(unix)]
pub(super) fn entry_mode(account: &Account) -> u32 {
    if account.is_other() { 0o711 } else { 0o700 }
}

#[cfg(not(unix))]
pub(super) fn entry_mode(_account: &Account) -> u32 {
    0
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> Result<(), EmbeddedError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(cannot("change the rights of", path))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> Result<(), EmbeddedError> {
    Ok(())
}

/// Lets everybody read and enter what its owner may, and write nothing.
#[cfg(unix)]
pub(super) fn open_to_all(path: &Path) -> Result<(), EmbeddedError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path
        .metadata()
        .map_err(cannot("read", path))?
        .permissions()
        .mode();
    set_mode(path, mode | ((mode >> 3) & 0o050) | ((mode >> 6) & 0o005))
}

#[cfg(not(unix))]
pub(super) fn open_to_all(_path: &Path) -> Result<(), EmbeddedError> {
    Ok(())
}

/// A short name for a folder that stays the same from one start to the next.
#[cfg(unix)]
pub(super) fn short_hash(folder: &Path) -> String {
    use sha2::{Digest, Sha256};
    use std::os::unix::ffi::OsStrExt;
    let digest = Sha256::digest(folder.as_os_str().as_bytes());
    digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

#[cfg(unix)]
fn absolute(folder: &Path) -> std::io::Result<PathBuf> {
    folder.canonicalize()
}

/// Without `canonicalize`, whose `\\?\` paths PostgreSQL does not understand.
#[cfg(not(unix))]
fn absolute(folder: &Path) -> std::io::Result<PathBuf> {
    std::path::absolute(folder)
}
