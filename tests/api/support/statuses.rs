//! What was answered: a line for each operation and status. `.ci/statuses.py` holds the lines of the whole run against the
//! document.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::{LazyLock, Mutex};

const FILE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/statuses");

struct Seen {
    lines: HashSet<String>,
    file: File,
}

static SEEN: LazyLock<Mutex<Seen>> = LazyLock::new(|| {
    Mutex::new(Seen {
        lines: HashSet::new(),
        file: OpenOptions::new()
            .create(true)
            .append(true)
            .open(FILE)
            .unwrap(),
    })
});

/// Notes an answer. Tests may run as threads or as processes: each process writes a line once, whole.
pub fn note(method: &str, template: &str, status: &str) {
    let line = format!("{method} {template} {status}\n");
    let mut seen = SEEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !seen.lines.contains(&line) {
        seen.file.write_all(line.as_bytes()).unwrap();
        seen.lines.insert(line);
    }
}
