//! Commitments: what each side promises, valued; and the fulfilments that prove it.

pub mod balance;
pub mod balance_routes;
pub mod check_model;
pub mod check_routes;
pub mod dto;
pub mod fulfilment_model;
pub mod fulfilment_routes;
pub mod hand_over_model;
pub mod hand_over_routes;
pub mod lifecycle;
pub mod model;
pub mod routes;
pub mod upkeep;
pub mod view;
