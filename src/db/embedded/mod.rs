//! A private PostgreSQL cluster, so that the program needs nothing else set up: found or
//! downloaded programs, a cluster in the data folder, reached by a socket that nobody else can
//! open. The tests get a throwaway cluster from the same code.

mod cluster;
mod create;
mod download;
mod encode;
mod environment;
mod error;
mod leftover;
mod lock;
mod mirror;
mod options;
mod place;
mod programs;
mod search;
mod server;
mod status;
mod stop;

#[cfg(unix)]
mod account;
#[cfg(not(unix))]
#[path = "account_same.rs"]
mod account;
#[cfg(unix)]
mod supervisor;
#[cfg(not(unix))]
#[path = "supervisor_drop.rs"]
mod supervisor;

#[cfg(not(unix))]
mod loopback;
#[cfg(unix)]
mod socket;
#[cfg(not(unix))]
use loopback::Address;
#[cfg(unix)]
use socket::Address;

pub use cluster::Cluster;
pub use error::EmbeddedError;
pub use options::Options;

/// The superuser of the cluster.
const USER: &str = "fifty_fifty";
