//! Holders: who carries initiatives, and the legal bodies that host them.

pub mod dto;
pub mod member_model;
pub mod member_routes;
pub mod model;
pub mod policy;
pub mod routes;
