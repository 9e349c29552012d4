//! What somebody saw who looked after an upkeep.

pub mod dto;
pub mod model;
pub mod routes;
