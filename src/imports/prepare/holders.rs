//! Holders.

use serde_json::json;

use super::{Follow, Ready, Scope, row};
use crate::holders::dto::NewHolder;
use crate::http::error::ApiError;
use crate::ids::HolderId;
use crate::imports::dto::HolderExtra;
use crate::imports::merge::Table;

const COLUMNS: &[&str] = &[
    "kind",
    "name",
    "description",
    "siret",
    "rna",
    "address",
    "republican_commitment_on",
    "contact_email",
    "contact_phone",
];

/// Agents enter holders for others, and change them until they have members.
static TABLE: Table = Table {
    name: "holders",
    fixed: &["entered_by"],
    changing: &[COLUMNS],
    kept: COLUMNS,
    derive: None,
    blocked: "CASE WHEN EXISTS (SELECT FROM holder_members AS m
            WHERE (m.holder_id, m.commune_code) = (t.id, t.commune_code) AND m.state = 'active') THEN 'members'
        WHEN t.kind <> r.kind THEN 'kind' END",
};

pub fn prepare(scope: &Scope<'_>, new: NewHolder, extra: HolderExtra) -> Result<Ready, ApiError> {
    let id = HolderId::new(&scope.commune.code, scope.now)?.0;
    let values = json!({
        "kind": new.kind,
        "name": new.name,
        "description": new.description,
        "siret": new.siret,
        "rna": new.rna,
        "address": new.address,
        "republican_commitment_on": new.republican_commitment_on,
        "contact_email": new.contact_email,
        "contact_phone": new.contact_phone,
        "entered_by": scope.me,
    });
    Ok(Ready {
        row: row(id, scope, &extra.external_id, values),
        table: &TABLE,
        follow: Follow::Nothing,
    })
}
