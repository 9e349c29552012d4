//! What was done of a promise, and what the other side says of it.

pub mod dto;
pub mod model;
pub mod routes;
