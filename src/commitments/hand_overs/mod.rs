//! Upkeep that somebody else takes over.

pub mod dto;
pub mod model;
pub mod routes;
