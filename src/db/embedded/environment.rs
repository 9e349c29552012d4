//! The environment of PostgreSQL's programs, the same on every machine.

use std::process::Command;

/// Hides the reader's own PostgreSQL settings and locale: `PGDATA`, `PGPORT` and the like would
/// change what the programs do, and a locale that is not installed stops the server.
pub(super) fn clean(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("PG") || text.starts_with("LC_") || text == "LANG" {
            command.env_remove(&name);
        }
    }
    command.env("LC_ALL", "C");
}
