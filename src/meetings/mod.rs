//! Public meetings of a commune, with their attendance.

pub mod dto;
pub mod model;
pub mod routes;
