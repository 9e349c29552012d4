//! A data folder of a test's own, and the built program in it; both are cleaned up however the test ends.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::CommandFactory;
use fifty_fifty::config::Cli;
use serde_json::Value;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(10);

/// The folder in which a program runs, with its data folder.
pub struct House {
    folder: tempfile::TempDir,
}

impl House {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The account that runs PostgreSQL for root must pass through.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711)).unwrap();
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.path().join(".fifty-fifty")
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program with no settings but those of the test.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fifty-fifty"));
        command.current_dir(self.path()).args(arguments);
        // Where this machine has its PostgreSQL stays a matter of the machine.
        for setting in settings().iter().filter(|name| *name != "PG_BIN_DIR") {
            command.env_remove(setting);
        }
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts to serve on a free port.
    pub fn serve(&self) -> Program {
        let mut command = self.command(&["serve"]);
        command.env("PORT", "0");
        Program::start(command)
    }

    /// Runs a command to its end, with this text on its standard input.
    pub fn run(&self, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Ended {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied());
        command.stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that reads nothing may have closed it already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        Ended {
            succeeded: output.status.success(),
            out: String::from_utf8(output.stdout).unwrap(),
            said: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The command lines of this machine's processes that mention the folder.
    pub fn processes(&self) -> Vec<String> {
        let folder = self.path().to_string_lossy().into_owned();
        ps("stat=,command=")
            .lines()
            .filter(|line| line.contains(&folder) && !line.starts_with('Z'))
            .map(str::to_owned)
            .collect()
    }

    /// The process of the PostgreSQL that the program runs.
    fn postgres(&self) -> Option<u32> {
        let file = self.data().join("cluster/pgdata/postmaster.pid");
        let text = std::fs::read_to_string(file).ok()?;
        text.lines().next()?.trim().parse().ok()
    }
}

impl Drop for House {
    /// Ends the server of a program that was killed.
    fn drop(&mut self) {
        let begin = Instant::now();
        while let Some(pid) = self.postgres()
            && begin.elapsed() < PATIENCE
            && signal("QUIT", pid)
        {
            std::thread::sleep(PAUSE);
        }
    }
}

/// What a command that has ended left.
pub struct Ended {
    pub succeeded: bool,
    pub out: String,
    pub said: String,
}

/// A running program, killed at the latest when it is dropped.
pub struct Program {
    pub address: String,
    pub start: Duration,
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    /// Reads what it says to its end.
    listener: Option<JoinHandle<()>>,
}

impl Program {
    /// Starts the program and waits until it says where it serves.
    pub fn start(mut command: Command) -> Self {
        let begin = Instant::now();
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (ear, stderr) = (Arc::clone(&said), child.stderr.take().unwrap());
        let listener = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                ear.lock().unwrap().push(line);
            }
        });
        let mut program = Self {
            address: String::new(),
            start: Duration::ZERO,
            child,
            said,
            listener: Some(listener),
        };
        until("the program serves", || match program.announced() {
            Some(address) => {
                program.address = address;
                true
            }
            None => {
                let ended = program.child.try_wait().unwrap();
                assert!(ended.is_none(), "it ended: {}", program.said());
                false
            }
        });
        program.start = begin.elapsed();
        program
    }

    fn announced(&self) -> Option<String> {
        self.said
            .lock()
            .unwrap()
            .iter()
            .find_map(|line| line.split_once("Fifty-Fifty serves "))
            .and_then(|(_, rest)| rest.split("/v1").next())
            .map(str::to_owned)
    }

    /// What it has said up to now.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it, and returns all that it has said.
    pub fn ended(mut self, name: &str) -> String {
        assert!(signal(name, self.id()));
        self.child.wait().unwrap();
        let listener = self.listener.take().unwrap();
        listener.join().unwrap();
        self.said()
    }

    /// Sends a signal and waits for the end.
    pub fn end(mut self, name: &str) -> ExitStatus {
        assert!(signal(name, self.id()));
        until("the program ends", || {
            self.child.try_wait().unwrap().is_some()
        });
        self.child.wait().unwrap()
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("{}{path}", self.address))
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub async fn post(&self, path: &str, body: &Value) -> u16 {
        let request = reqwest::Client::new().post(format!("{}{path}", self.address));
        request.json(body).send().await.unwrap().status().as_u16()
    }

    /// An access token for a password, if it is right.
    pub async fn token(&self, email: &str, password: &str) -> Option<String> {
        let form = [
            ("grant_type", "password"),
            ("username", email),
            ("password", password),
        ];
        let request = reqwest::Client::new().post(format!("{}/v1/auth/token", self.address));
        let answer: Value = request
            .form(&form)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        answer["access_token"].as_str().map(str::to_owned)
    }

    /// The account of a token.
    pub async fn me(&self, token: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}/v1/me", self.address));
        let answer = request.bearer_auth(token).send().await.unwrap();
        answer.json().await.unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The names of all settings in the environment.
pub fn settings() -> Vec<String> {
    Cli::command()
        .get_arguments()
        .filter_map(|argument| argument.get_env())
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// Waits until something is so.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(PAUSE);
    }
}

/// Whether the process was there to hear the signal.
pub fn signal(name: &str, pid: u32) -> bool {
    let mut kill = Command::new("kill");
    kill.args(["-s", name, &pid.to_string()])
        .stderr(Stdio::null());
    kill.status().unwrap().success()
}

fn ps(columns: &str) -> String {
    let output = Command::new("ps")
        .args(["-axww", "-o", columns])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
