//! What every resource shares on the way in and out: errors, bodies, queries, pages, entity tags.

mod constraints;
pub mod contract;
pub mod cursor;
pub mod deprecated;
pub mod error;
pub mod extract;
pub mod middleware;
pub mod paging;
pub mod precondition;
pub mod problem;
pub mod reply;
pub mod routes;
