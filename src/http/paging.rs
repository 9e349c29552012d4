//! The two query parameters that every list takes.

use serde::Deserialize;
use utoipa::IntoParams;

use super::cursor::LIMIT_DEFAULT;

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Items on the page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before, with the same filters and sort.
    #[param(min_length = 1, max_length = 2000)]
    pub cursor: Option<String>,
}

impl Paging {
    /// Items on the page.
    pub fn limit(&self) -> i64 {
        self.limit.unwrap_or(LIMIT_DEFAULT)
    }
}
