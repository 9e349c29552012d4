//! The worklist: what waits in a commune, for whom, until when. The view `work_items` says what; this reads it, and the
//! clock reminds of it.

pub mod calendar;
pub mod dto;
pub mod model;
pub mod reminders;
pub mod routes;
