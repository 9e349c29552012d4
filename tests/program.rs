//! The program itself, as somebody meets it who starts, stops, kills and configures it. Run it as root and as an
//! ordinary user: the two differ.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "program/clients.rs"]
mod clients;
#[path = "program/commands.rs"]
mod commands;
#[path = "program/front_end.rs"]
mod front_end;
#[path = "program/imports.rs"]
mod imports;
#[path = "program/killed.rs"]
mod killed;
#[path = "program/life.rs"]
mod life;
#[path = "program/logs.rs"]
mod logs;
#[allow(dead_code, reason = "shared with tests/api, which uses the rest")]
#[path = "receiver/mod.rs"]
mod receiver;
#[path = "program/refusals.rs"]
mod refusals;
#[allow(dead_code, reason = "shared with tests/start.rs, which uses the rest")]
#[path = "program/support.rs"]
mod support;
#[path = "program/tour.rs"]
mod tour;
#[path = "program/webhooks.rs"]
mod webhooks;
