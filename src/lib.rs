//! Fifty-Fifty: the open JSON REST API for citizen initiatives.
//!
//! A folder per resource holds its routes, shapes, database access and rules; the modules beside them are shared.
//! Dependencies point one way: resources use the shared modules, and each other only through public functions of
//! `model.rs`.

pub mod app;
pub mod audit;
pub mod auth;
pub mod authorities;
pub mod changes;
pub mod clients;
pub mod clock;
pub mod clockwork;
pub mod codes;
pub mod commitments;
pub mod communes;
pub mod config;
pub mod conventions;
pub mod db;
pub mod demonstration;
pub mod documents;
pub mod envelopes;
pub mod evaluations;
pub mod exports;
pub mod figures;
pub mod front_end;
pub mod holders;
pub mod http;
pub mod idempotency;
pub mod ids;
pub mod imports;
pub mod initiatives;
pub mod lifecycle;
pub mod mandates;
pub mod measures;
pub mod meetings;
pub mod metrics;
pub mod openapi;
pub mod practices;
pub mod program;
pub mod recusals;
pub mod reference;
pub mod registry;
pub mod reports;
pub mod sessions;
pub mod state;
pub mod subsidies;
pub mod system;
pub mod telemetry;
pub mod templates;
pub mod text;
pub mod typesetting;
pub mod users;
pub mod webhooks;
pub mod worklist;
