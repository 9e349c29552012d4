//! Who runs PostgreSQL: the program's own user, or, because PostgreSQL refuses to run as root,
//! an unprivileged user of the machine when the program runs as root.

use super::error::{EmbeddedError, cannot};
use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The user that runs the server's programs.
#[derive(Clone)]
pub(super) struct Account {
    /// The program's own user id.
    own: u32,
    /// The user to change to; none when the program's own user runs the server.
    other: Option<Other>,
}

#[derive(Clone)]
struct Other {
    name: String,
    user: u32,
    group: u32,
}

impl Account {
    /// The program's own user, or for root `postgres`, else `nobody`.
    pub(super) async fn find() -> Result<Self, EmbeddedError> {
        let own = id(&["-u"]).await?.ok_or(EmbeddedError::NoAccount)?;
        if own != 0 {
            return Ok(Self { own, other: None });
        }
        for name in ["postgres", "nobody"] {
            let (user, group) = (id(&["-u", name]).await?, id(&["-g", name]).await?);
            if let (Some(user), Some(group)) = (user, group)
                && user != 0
            {
                let name = format!("the user {name}");
                let other = Some(Other { name, user, group });
                return Ok(Self { own, other });
            }
        }
        Err(EmbeddedError::NoAccount)
    }

    /// Keeps to the owner of a cluster that exists: root continues it as that user (`sudo`),
    /// an ordinary user cannot open the cluster of another.
    pub(super) fn adapt_to_owner(&mut self, cluster: &Path) -> Result<(), EmbeddedError> {
        let metadata = cluster.metadata().map_err(cannot("read", cluster))?;
        let (user, group) = (metadata.uid(), metadata.gid());
        if self.own != 0 && user != self.own {
            return Err(EmbeddedError::NotOurs {
                path: cluster.to_path_buf(),
                owner: user,
            });
        }
        // A folder that still is root's was left by a start that was cut before handing it over.
        if self.own == 0 && user != 0 && self.other.as_ref().is_some_and(|o| o.user != user) {
            let name = format!("the user with the id {user}");
            self.other = Some(Other { name, user, group });
        }
        Ok(())
    }

    /// Whether the server runs as somebody other than the program.
    pub(super) fn is_other(&self) -> bool {
        self.other.is_some()
    }

    /// The user id that owns the cluster.
    pub(super) fn user(&self) -> u32 {
        self.other.as_ref().map_or(self.own, |other| other.user)
    }

    /// The program's own user id.
    pub(super) fn program(&self) -> u32 {
        self.own
    }

    /// The account's name in messages.
    pub(super) fn name(&self) -> &str {
        self.other
            .as_ref()
            .map_or("the current user", |other| &other.name)
    }

    /// Gives a folder to the account.
    pub(super) fn own(&self, folder: &Path) -> Result<(), EmbeddedError> {
        self.other.as_ref().map_or(Ok(()), |other| {
            chown(folder, Some(other.user), Some(other.group))
                .map_err(cannot("change the owner of", folder))
        })
    }

    /// Whether the account can enter a folder; asked by entering it, so that access lists and
    /// the like count too.
    pub(super) async fn reaches(&self, folder: &Path) -> Result<bool, EmbeddedError> {
        if !self.is_other() {
            return Ok(true);
        }
        let mut command = self.command("/bin/sh", "/");
        command.args(["-c", "cd -- \"$1\"", "sh"]).arg(folder);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let status = tokio::process::Command::from(command).status().await;
        Ok(status.map_err(self.cannot_run("/bin/sh"))?.success())
    }

    /// A command that the account runs in `folder`, out of reach of the terminal's Ctrl-C: the
    /// server must outlive it until the program has drained.
    ///
    /// The standard library also drops root's supplementary groups when it changes the user.
    pub(super) fn command(&self, program: impl AsRef<OsStr>, folder: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program);
        super::environment::clean(&mut command);
        command.current_dir(folder).process_group(0);
        command.stdin(Stdio::null());
        if let Some(other) = &self.other {
            command.gid(other.group).uid(other.user);
        }
        command
    }

    /// Makes the error for a program that cannot be run; for `map_err`.
    pub(super) fn cannot_run(
        &self,
        program: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> EmbeddedError {
        let (program, account) = (program.into(), self.name().to_owned());
        move |source| EmbeddedError::Run {
            program,
            account,
            source,
        }
    }
}

/// Asks the command `id`, which every Unix has; none when it knows no such user.
async fn id(arguments: &[&str]) -> Result<Option<u32>, EmbeddedError> {
    let output = tokio::process::Command::new("id")
        .args(arguments)
        .output()
        .await
        .map_err(|source| EmbeddedError::Run {
            program: "id".into(),
            account: "the current user".to_owned(),
            source,
        })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}
