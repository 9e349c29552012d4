//! Who runs PostgreSQL where there is no root of the Unix kind: always the program's own user.
//! PostgreSQL's programs give up administrator rights on Windows by themselves.

use super::error::EmbeddedError;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The user that runs the server's programs.
#[derive(Clone)]
pub(super) struct Account;

impl Account {
    /// The program's own user.
    pub(super) async fn find() -> Result<Self, EmbeddedError> {
        Ok(Self)
    }

    /// The account's name in messages.
    pub(super) fn name(&self) -> &str {
        "the current user"
    }

    /// A command that runs in `folder`.
    pub(super) fn command(&self, program: impl AsRef<OsStr>, folder: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program);
        super::environment::clean(&mut command);
        command.current_dir(folder).stdin(Stdio::null());
        // A process group of its own: the console's Ctrl-C must not end the server before the
        // program has drained.
        #[cfg(windows)]
        std::os::windows::process::CommandExt::creation_flags(&mut command, 0x0000_0200);
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
