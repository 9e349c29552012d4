//! How programs reach the server where there are no Unix sockets: by a free port of this
//! machine alone, with a password that is made with the cluster and kept next to it.

use super::account::Account;
use super::encode::encode;
use super::error::{EmbeddedError, cannot};
use super::place::Place;
use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

/// The port and the password of the server.
pub(super) struct Address {
    port: u16,
    password: String,
    password_file: PathBuf,
}

impl Address {
    /// An address still without a port and a password.
    pub(super) fn of(place: &Place, _account: &Account) -> Self {
        Self {
            port: 0,
            password: String::new(),
            password_file: password_file(place),
        }
    }

    /// Takes a free port and reads the password.
    pub(super) fn prepare(&mut self, _account: &Account) -> Result<(), EmbeddedError> {
        let path = &self.password_file;
        self.password = fs::read_to_string(path).map_err(cannot("read", path))?;
        self.port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map_err(cannot("find a free port for", path))?
            .port();
        Ok(())
    }

    /// Nothing of an earlier server is in the way of a new one.
    pub(super) fn clear(&self) -> Result<(), EmbeddedError> {
        Ok(())
    }

    /// No folder apart from the cluster.
    pub(super) fn folder_apart(&self) -> Option<&Path> {
        None
    }

    /// Makes the password of a new cluster.
    pub(super) fn prepare_login(place: &Place) -> Result<Vec<OsString>, EmbeddedError> {
        let path = password_file(place);
        let mut bytes = [0_u8; 24];
        getrandom::fill(&mut bytes).map_err(|error| {
            cannot("make a password in", &path)(std::io::Error::other(error.to_string()))
        })?;
        let password: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        fs::write(&path, password).map_err(cannot("write", &path))?;
        let mut file = OsString::from("--pwfile=");
        file.push(&path);
        Ok(vec!["--auth=scram-sha-256".into(), file])
    }

    /// The server's settings for this address.
    pub(super) fn settings(&self) -> Vec<OsString> {
        vec![
            "listen_addresses=127.0.0.1".into(),
            "unix_socket_directories=".into(),
            format!("port={}", self.port).into(),
        ]
    }

    /// The URL of a database.
    pub(super) fn url(&self, user: &str, database: &str) -> String {
        format!(
            "postgres://{user}:{}@127.0.0.1:{}/{}",
            self.password,
            self.port,
            encode(database.as_bytes())
        )
    }
}

fn password_file(place: &Place) -> PathBuf {
    place.cluster().join("password")
}
