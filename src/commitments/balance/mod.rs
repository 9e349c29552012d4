//! What was promised and delivered, by side and kind.

pub mod dto;
pub mod model;
pub mod routes;
