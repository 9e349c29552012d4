//! stub
pub mod dto;
pub mod model;
