//! The acts that let a commune commit: deliberations, decisions by delegation, the mayor's orders.

pub mod dto;
pub mod model;
pub mod routes;
