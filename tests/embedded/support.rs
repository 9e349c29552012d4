//! What the tests of the private cluster share: folders, a program to kill, and looks at the
//! processes of the machine.

use fifty_fifty::db::embedded::{Cluster, Options};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A temporary folder that the server's account may pass through, as in most homes.
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o711);
    folder
}

pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

pub fn options(data_dir: impl Into<PathBuf>) -> Options {
    let mut options = Options::new(data_dir);
    options.durable = false;
    options
}

/// Options whose messages can be read afterwards.
pub fn listening(data_dir: impl Into<PathBuf>) -> (Options, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let mut options = options(data_dir);
    options.progress = Box::new(move |line| ear.lock().unwrap().push(line.to_owned()));
    (options, heard)
}

/// Runs statements in the database `postgres` and returns the first value of the last row.
pub async fn sql(url: &str, statements: &str) -> String {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut value = String::new();
    for message in client.simple_query(statements).await.unwrap() {
        if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
            value = row.get(0).unwrap_or_default().to_owned();
        }
    }
    value
}

/// The process id of the server of a cluster.
pub fn server(cluster: &Path) -> u32 {
    let file = cluster.join("cluster/pgdata/postmaster.pid");
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

/// A process and its children.
pub fn family(pid: u32) -> Vec<u32> {
    let listed = ps("pid=,ppid=");
    let mut family = vec![pid];
    for line in listed.lines() {
        let mut ids = line.split_whitespace().map(|id| id.parse::<u32>().unwrap());
        let (child, parent) = (ids.next().unwrap(), ids.next().unwrap());
        if parent == pid {
            family.push(child);
        }
    }
    family
}

/// The command lines that mention a folder.
pub fn mentioning(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    ps("stat=,command=")
        .lines()
        .filter(|line| line.contains(&folder) && !line.starts_with('Z'))
        .map(str::to_owned)
        .collect()
}

/// Whether a process runs; one that is dead but not waited for by its parent does not.
pub fn runs(pid: u32) -> bool {
    ps("pid=,stat=").lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(&pid.to_string()) && !words.next().unwrap().starts_with('Z')
    })
}

pub fn ps(columns: &str) -> String {
    let output = Command::new("ps")
        .args(["-axww", "-o", columns])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn kill(pid: u32) {
    let status = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(status.unwrap().success());
}

/// Waits until something is so.
pub async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < Duration::from_secs(20), "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A process of its own that holds a cluster, for the tests that kill it.
pub struct Holder {
    pub process: Child,
    report: PathBuf,
}

impl Holder {
    /// Starts this test program again, with only the test `holder`; `mode` says what it does.
    pub fn start(mode: &str, data_dir: &Path, scratch: &Path) -> Self {
        let report = scratch.join(format!("report-{mode}"));
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "holder"])
            .env("HOLDER_MODE", mode)
            .env("HOLDER_DATA", data_dir)
            .env("HOLDER_REPORT", &report)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, report }
    }

    /// Waits for the cluster; its URL and its place.
    pub async fn ready(&self) -> (String, PathBuf) {
        until("the holder is ready", || self.report.exists()).await;
        let text = std::fs::read_to_string(&self.report).unwrap();
        let (url, place) = text.split_once('\n').unwrap();
        (url.to_owned(), PathBuf::from(place))
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Also after a test that fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The other side of [`Holder`].
pub async fn hold() {
    let Ok(mode) = std::env::var("HOLDER_MODE") else {
        return;
    };
    let data_dir = PathBuf::from(std::env::var_os("HOLDER_DATA").unwrap());
    let report = PathBuf::from(std::env::var_os("HOLDER_REPORT").unwrap());
    let cluster = match mode.as_str() {
        "keep" => Cluster::start(Options::new(data_dir)).await.unwrap(),
        _ => Cluster::throwaway(options(data_dir)).await.unwrap(),
    };
    let half = report.with_extension("half");
    let text = format!(
        "{}\n{}",
        cluster.url("postgres"),
        cluster.location().display()
    );
    std::fs::write(&half, text).unwrap();
    std::fs::rename(half, report).unwrap();
    if mode == "throwaway-end" {
        // As a static does: the program ends and nobody drops the cluster.
        std::mem::forget(cluster);
        return;
    }
    std::future::pending::<()>().await;
}

pub fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}
