//! Paper: text and tables on pages of A4, as PDF, and figures and dates as they stand in French papers.

pub mod answer;
pub mod french;
pub mod layout;
pub mod pdf;
