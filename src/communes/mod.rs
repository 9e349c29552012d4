//! Communes: the tenants, found by name or postal code, with the settings of their scheme.

pub mod dto;
pub mod model;
pub mod reference_data;
pub mod routes;
