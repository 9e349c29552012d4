//! Envelopes: what a commune gives in a year, and what of it is reserved.

pub mod routes;
