//! The API as its users see it: over HTTP, on a real PostgreSQL. Every answer is also checked against the document.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail where it stands"
)]

#[allow(dead_code, reason = "shared with tests/program, which uses the rest")]
#[path = "../receiver/mod.rs"]
mod receiver;
mod support;

mod accounts;
mod agree;
mod amendments;
mod authorities;
mod balance;
mod cells;
mod changes;
mod clients;
mod commitments;
mod communes;
mod conventions;
mod crowd;
mod documents;
mod envelopes;
mod errors;
mod evaluations;
mod explained;
mod exports;
mod hand_overs;
mod hangups;
mod holder_constraints;
mod holder_members;
mod holders;
mod hosting;
mod imports;
mod initiatives;
mod leaks;
mod measures;
mod meetings;
mod metrics;
mod openapi;
mod operations;
mod opposed;
mod paper;
mod paper_acts;
mod parties;
mod plans;
mod practices;
mod recusals;
mod reference;
mod reports;
mod signatures;
mod story;
mod subsidies;
mod templates;
mod timesheets;
mod triples;
mod unchanged;
mod upkeep;
mod webhooks;
mod worklist;
