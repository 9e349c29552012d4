//! Accounts: people register once and act in any commune.

pub mod dto;
pub mod model;
pub mod routes;
