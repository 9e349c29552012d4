//! Rows that are merged into a table by the names that a partner's system gives them: a thousand in two statements. The
//! database says what is new, what differs and what is the same, also when two do it at once.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::dto::BulkOutcome;
use crate::auth::policy::Denial;
use crate::http::error::{ApiError, Code, FaultCode};
use crate::state::Session;

/// A table that rows are merged into.
pub struct Table {
    pub name: &'static str,
    /// What only a new row has, besides what every row has.
    pub fixed: &'static [&'static str],
    /// What a row that is there takes over.
    pub changing: &'static [&'static [&'static str]],
    /// SQL over the row that is there, `t`, the one that comes, `{r}`, and who brings it, `$2`: why it may not change.
    pub blocked: &'static str,
}

/// What every row has.
const COMMON: &[&str] = &["id", "commune_code", "external_id", "created_at", "version"];

/// A row to merge.
pub struct Row {
    pub external_id: String,
    pub values: Map<String, Value>,
}

/// What became of a row: its identifier here, or why it was refused.
pub type Merged = Result<(BulkOutcome, Uuid), ApiError>;

#[derive(QueryableByName)]
struct There {
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Bool)]
    differs: bool,
    #[diesel(sql_type = Nullable<Text>)]
    blocked: Option<String>,
}

#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Bool)]
    is_new: bool,
}

impl Table {
    /// Merges rows, each of another name.
    pub async fn merge(
        &self,
        session: &mut Session,
        rows: &[&Row],
    ) -> Result<HashMap<String, Merged>, ApiError> {
        let mut merged = self.there(session, rows).await?;
        let coming: Vec<&Row> = rows
            .iter()
            .copied()
            .filter(|row| match merged.get(&row.external_id) {
                Some(there) => matches!(there, Ok((BulkOutcome::Updated, _))),
                None => true,
            })
            .collect();
        if coming.is_empty() {
            return Ok(merged);
        }
        let mut done = HashSet::new();
        for row in self.write(session, &coming).await? {
            let outcome = if row.is_new {
                BulkOutcome::Created
            } else {
                BulkOutcome::Updated
            };
            merged.insert(row.external_id.clone(), Ok((outcome, row.id)));
            done.insert(row.external_id);
        }
        // Somebody else has just brought one of that name: the same, or another that may not change.
        let raced: Vec<&Row> = coming
            .into_iter()
            .filter(|row| !done.contains(&row.external_id))
            .collect();
        if !raced.is_empty() {
            merged.extend(self.there(session, &raced).await?);
        }
        Ok(merged)
    }

    fn changing(&self) -> impl Iterator<Item = &'static str> {
        self.changing.iter().copied().flatten().copied()
    }

    fn tuple(&self, of: &str) -> String {
        let columns: Vec<String> = self
            .changing()
            .map(|column| format!("{of}.{column}"))
            .collect();
        format!("ROW({})", columns.join(", "))
    }

    /// What is there already, held until the transaction ends, with what would become of it.
    async fn there(
        &self,
        session: &mut Session,
        rows: &[&Row],
    ) -> Result<HashMap<String, Merged>, ApiError> {
        let query = format!(
            "SELECT t.external_id, t.id, {} IS DISTINCT FROM {} AS differs, ({})::text AS blocked
            FROM jsonb_populate_recordset(NULL::{name}, $1) AS r
            JOIN {name} AS t ON (t.commune_code, t.external_id) = (r.commune_code, r.external_id)
            ORDER BY t.external_id FOR UPDATE OF t",
            self.tuple("t"),
            self.tuple("r"),
            self.blocked.replace("{r}", "r"),
            name = self.name,
        );
        let me = session.actor.user_id().map(|id| id.0);
        let found: Vec<There> = diesel::sql_query(query)
            .bind::<Jsonb, _>(values(rows))
            .bind::<Nullable<SqlUuid>, _>(me)
            .load(&mut session.conn)
            .await?;
        Ok(found
            .into_iter()
            .map(|there| {
                let outcome = match there.blocked {
                    _ if !there.differs => Ok((BulkOutcome::Unchanged, there.id)),
                    None => Ok((BulkOutcome::Updated, there.id)),
                    Some(why) => Err(refusal(&why)),
                };
                (there.external_id, outcome)
            })
            .collect())
    }

    /// Adds what is new and changes what differs, in one order for all, so that two never wait for each other.
    async fn write(&self, session: &mut Session, rows: &[&Row]) -> Result<Vec<Written>, ApiError> {
        let fixed = COMMON.iter().chain(self.fixed).copied();
        let columns: Vec<&str> = fixed.chain(self.changing()).collect();
        let changes: Vec<String> = self
            .changing()
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let query = format!(
            "INSERT INTO {name} AS t ({columns})
            SELECT {columns} FROM jsonb_populate_recordset(NULL::{name}, $1) AS r ORDER BY external_id
            ON CONFLICT ON CONSTRAINT {name}_external_id_unique
            DO UPDATE SET {changes}, version = t.version + 1
            WHERE {there} IS DISTINCT FROM {coming} AND ({blocked}) IS NULL
            RETURNING t.external_id, t.id, t.xmax = 0 AS is_new",
            name = self.name,
            columns = columns.join(", "),
            changes = changes.join(", "),
            there = self.tuple("t"),
            coming = self.tuple("excluded"),
            blocked = self.blocked.replace("{r}", "excluded"),
        );
        let me = session.actor.user_id().map(|id| id.0);
        Ok(diesel::sql_query(query)
            .bind::<Jsonb, _>(values(rows))
            .bind::<Nullable<SqlUuid>, _>(me)
            .load(&mut session.conn)
            .await?)
    }
}

fn values(rows: &[&Row]) -> Value {
    rows.iter()
        .map(|row| Value::Object(row.values.clone()))
        .collect()
}

/// Why a row that is there may not change.
fn refusal(why: &str) -> ApiError {
    match why {
        "conflict" => Denial::ConflictOfInterest.into(),
        "recused" => Denial::Recused.into(),
        "members" => ApiError::because(
            Code::RequirementMissing,
            "Ce porteur a des membres : c'est à eux de le modifier.",
            "This holder has members: it is theirs to change.",
        ),
        "kind" => ApiError::fault(
            "/kind",
            FaultCode::Inconsistent,
            "La nature d'un porteur ne change pas.",
            "The kind of a holder does not change.",
        ),
        "settled" => ApiError::because(
            Code::WrongState,
            "Ce qui est importé comme soldé ne change plus.",
            "What was imported as settled does not change any more.",
        ),
        "past" => ApiError::because(
            Code::WrongState,
            "Son état est dit une fois, à l'import ; la suite se passe ici.",
            "Its state is said once, when it is imported; what follows happens here.",
        ),
        _ => ApiError::because(
            Code::WrongState,
            "Elle n'est plus un brouillon : la suite se passe ici.",
            "It is no draft any more: what follows happens here.",
        ),
    }
}
