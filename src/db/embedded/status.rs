//! What PostgreSQL's own lock file, `postmaster.pid`, says about the server of a cluster.

use std::fs;
use std::path::Path;

/// The file's name in the data directory.
pub(super) const FILE: &str = "postmaster.pid";
/// The line that says how far the server has come, counted from 0.
const STATUS_LINE: usize = 7;

/// What the file tells about a server that may be left over.
pub(super) enum Found {
    /// No file, or one that PostgreSQL itself must judge.
    Nothing,
    /// A file without a process number.
    Garbage,
    Process(u32),
}

impl Found {
    /// Looks into a data directory.
    pub(super) fn in_folder(data: &Path) -> Self {
        let Ok(text) = fs::read_to_string(data.join(FILE)) else {
            return Self::Nothing;
        };
        let first = text.lines().next().unwrap_or_default().trim();
        // PostgreSQL's single-user mode, in the hands of an administrator, writes -number.
        match first.strip_prefix('-').unwrap_or(first).parse::<u32>() {
            Ok(_) if first.starts_with('-') => Self::Nothing,
            Ok(pid) => Self::Process(pid),
            Err(_) => Self::Garbage,
        }
    }
}

/// The server's process and whether it takes connections.
pub(super) struct Status {
    pub(super) pid: u32,
    pub(super) ready: bool,
}

impl Status {
    /// Reads the file; none when it is missing, half written or another program's.
    pub(super) fn read(data: &Path) -> Option<Self> {
        let text = fs::read_to_string(data.join(FILE)).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let ready = lines
            .nth(STATUS_LINE - 1)
            .is_some_and(|line| line.trim() == "ready");
        Some(Self { pid, ready })
    }
}
