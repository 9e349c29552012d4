//! One program per data folder: an operating system's lock on the file `lock`, held for the
//! program's life and dropped by the system however the program ends.

use super::error::{EmbeddedError, cannot};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// A program that is killed while it starts another one keeps its lock for a moment longer, in
/// the copy of itself that has not become the other program yet.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// The lock on a data folder. Rust opens files close-on-exec, so PostgreSQL does not inherit it.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says who holds it.
    pub(super) async fn take(folder: &Path) -> Result<Self, EmbeddedError> {
        let path = folder.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(cannot("open", &path))?;
        let begin = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begin.elapsed() < PATIENCE => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(EmbeddedError::InUse {
                        folder: folder.to_path_buf(),
                        holder: holder(&mut file),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(cannot("lock", &path)(source)),
            }
        }
        // The number is only for the message above; the lock itself never depends on it.
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(cannot("write", &path))?;
        Ok(Self { _file: file })
    }
}

/// Names the program that holds the lock, as far as it can be read.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => format!("another program (process {})", text.trim()),
        _ => "another program".to_owned(),
    }
}
