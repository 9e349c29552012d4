//! Programs of partners: what they may do in a commune, from where and until when, their secrets, and how much they do.

pub mod dto;
pub mod model;
pub mod routes;
pub mod usage;
