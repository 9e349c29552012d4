//! stub
use crate::http::error::ApiError;
use crate::ids::*;
use crate::state::Session;
use diesel_async::AsyncPgConnection;
pub struct HolderRow {
    pub id: HolderId,
    pub commune_code: String,
}
pub async fn create(
    _: &mut Session,
    _: &str,
    _: super::dto::NewHolder,
    _: bool,
) -> Result<HolderRow, ApiError> {
    Err(ApiError::not_found())
}
pub async fn find_row(_: &mut AsyncPgConnection, _: HolderId) -> Result<HolderRow, ApiError> {
    Err(ApiError::not_found())
}
pub async fn bodies_of(_: &mut AsyncPgConnection, _: UserId) -> Result<Vec<HolderId>, ApiError> {
    Ok(vec![])
}
