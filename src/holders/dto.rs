//! stub
use crate::codes::codes;
use crate::ids::HolderId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
codes! {
    /// Kind
    pub enum HolderKind "holder_kinds" {
        Person = "person", "P", "P";
        Association = "association", "A", "A";
    }
}
/// x
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HolderSummary {
    /// x
    pub id: HolderId,
    /// x
    pub kind: HolderKind,
    /// x
    pub name: String,
}
/// x
#[derive(Debug, Deserialize, ToSchema, validator::Validate)]
#[serde(deny_unknown_fields)]
pub struct NewHolder {
    /// x
    pub name: String,
}
