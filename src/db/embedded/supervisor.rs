//! Ends a throwaway cluster however its program ends, `kill -9` included: a small shell in a
//! process group of its own reads a pipe that the program holds open, and the end of that pipe
//! is the end of the program.

use super::Address;
use super::error::{EmbeddedError, cannot};
use super::place::Place;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Waits for the end of its input, then stops the server of the data directory `$1` and removes
/// the other arguments. It repeats itself because an `initdb` or a server in the middle of its
/// start may still be writing.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
while read -r _; do :; done
data=$1
shift
turn=0
while [ "$turn" -lt 50 ]; do
  turn=$((turn + 1))
  pid=
  if [ -f "$data/postmaster.pid" ]; then read -r pid <"$data/postmaster.pid"; fi
  if [ "${pid:-0}" -gt 1 ]; then
    kill -QUIT "$pid"
    look=0
    while [ -f "$data/postmaster.pid" ] && kill -0 "$pid" && [ "$look" -lt 100 ]; do
      look=$((look + 1))
      sleep 0.05
    done
    kill -KILL "$pid"
  fi
  rm -rf -- "$@"
  sleep 0.05
  left=
  for path; do if [ -e "$path" ]; then left=yes; fi; done
  if [ -z "$left" ]; then exit 0; fi
done
"#;
/// How often to look whether the shell has ended.
const PAUSE: Duration = Duration::from_millis(10);
/// Longer than the script takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The shell, and in it the only writing end of its pipe, which Rust opens close-on-exec: no
/// other process inherits it.
pub(super) struct Supervisor {
    shell: Child,
}

impl Supervisor {
    /// Watches over the cluster that is going to be made in this place.
    pub(super) fn start(place: &Place, address: &Address) -> Result<Self, EmbeddedError> {
        let shell = Path::new("/bin/sh");
        let mut command = Command::new(shell);
        command.args(["-c", SCRIPT, "sh"]).arg(place.data());
        command.arg(&place.folder);
        if place.home != place.folder {
            command.arg(&place.home);
        }
        if let Some(folder) = address.folder_apart() {
            command.arg(folder);
        }
        // Nothing of the program's is held open, and its Ctrl-C does not come here.
        command.stdin(Stdio::piped());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.current_dir("/").process_group(0);
        let shell = command.spawn().map_err(cannot("run", shell))?;
        Ok(Self { shell })
    }

    /// Has everything removed and waits for it.
    pub(super) async fn finish(mut self) {
        drop(self.shell.stdin.take());
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE && matches!(self.shell.try_wait(), Ok(None)) {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // Waiting closes the pipe first; the script ends by itself.
        let _ = self.shell.wait();
    }
}
