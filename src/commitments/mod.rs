//! Commitments: what each side promises, valued; and the fulfilments that prove it.

pub mod dto;
pub mod fulfilments;
pub mod lifecycle;
pub mod model;
pub mod routes;
