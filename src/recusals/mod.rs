//! Recusals: who of the town hall stands aside in a matter, for good.

pub mod dto;
pub mod model;
pub mod routes;
