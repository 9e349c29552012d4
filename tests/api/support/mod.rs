//! The application under test, people who use it, and a database of its own for every test.

pub mod app;
pub mod client;
pub mod cluster;
pub mod rows;
mod statuses;

pub use app::TestApp;
pub use client::Client;
