//! The change feed: what has changed of what everybody may read, in order and without a gap.

pub mod dto;
pub mod model;
pub mod routes;
pub mod watch;
