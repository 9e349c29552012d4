//! Practice sheets: what a commune learned from its initiatives, told to other communes; their figures are those of the
//! records, and a line leads from each to what it inspired.

pub mod dto;
pub mod figures;
pub mod lifecycle;
pub mod lineage;
pub mod list;
pub mod model;
pub mod neighbours;
pub mod routes;
