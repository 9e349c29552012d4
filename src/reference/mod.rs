//! Reference data: the closed lists and the lifecycles, with labels, so that no front end has to repeat them.

pub mod dto;
pub mod registry;
pub mod routes;
