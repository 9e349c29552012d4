//! Measures: indicators that a commune reports by hand, with their year and their source.

pub mod dto;
pub mod model;
pub mod routes;
