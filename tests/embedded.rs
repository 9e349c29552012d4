//! The private PostgreSQL cluster, with real servers, and with programs that are really killed.
//! Run it as root and as an ordinary user: the two differ.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "embedded/crash.rs"]
mod crash;
#[path = "embedded/life.rs"]
mod life;
#[path = "embedded/programs.rs"]
mod programs;
#[path = "embedded/support.rs"]
mod support;

/// No test: the program that the other tests start, to kill it.
#[tokio::test]
#[ignore = "only started by the other tests"]
async fn holder() {
    support::hold().await;
}
