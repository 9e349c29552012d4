//! Webhooks: what changes in a commune is told to the addresses that it names, by the rules of Standard Webhooks. The feed
//! of changes is the outbox: what was committed is in it, and nothing else.

pub mod address;
pub mod dto;
pub mod model;
pub mod routes;
pub mod signing;
pub mod worker;
