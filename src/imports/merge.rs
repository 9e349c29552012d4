//! Rows that are merged into a table by the names that a partner's system gives them: a thousand in two statements. The
//! database says what is new, what differs and what is the same, also when two do it at once.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};
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
    /// Of these what stays as it is where nothing is said.
    pub kept: &'static [&'static str],
    /// What follows from other columns.
    pub derive: Option<fn(&mut Map<String, Value>)>,
    /// SQL over the row that is there, `t`, the one that comes, `r`, and who brings it, `$2`: why it may not change.
    pub blocked: &'static str,
}

/// What every row has.
const COMMON: &[&str] = &["id", "commune_code", "external_id", "created_at", "version"];

/// A row to merge.
#[derive(Clone)]
pub struct Row {
    pub external_id: String,
    pub values: Map<String, Value>,
    /// The fields that the item has.
    pub given: HashSet<String>,
}

/// The fields of an item that say what a column holds.
fn fields_of(column: &str) -> Vec<&str> {
    match column {
        "latitude" | "longitude" => vec!["location"],
        "holder_id" => vec!["holder_id", "holder_external_id"],
        "host_id" => vec!["host_id", "host_external_id"],
        "initiative_id" => vec!["initiative_id", "initiative_external_id"],
        field => vec![field],
    }
}

/// What became of a row: its identifier here, or why it was refused.
pub type Merged = Result<(BulkOutcome, Uuid), ApiError>;

#[derive(QueryableByName)]
struct There {
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Jsonb)]
    content: Value,
}

#[derive(QueryableByName)]
struct Judged {
    #[diesel(sql_type = Text)]
    external_id: String,
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
}

impl Table {
    /// Merges rows of a commune, each of another name.
    pub async fn merge(
        &self,
        session: &mut Session,
        commune: &str,
        rows: &[&Row],
    ) -> Result<HashMap<String, Merged>, ApiError> {
        let mut merged = HashMap::new();
        let mut left: Vec<Row> = rows.iter().copied().cloned().collect();
        while !left.is_empty() {
            let there = self.there(session, commune, &left).await?;
            let (mut known, new): (Vec<Row>, Vec<Row>) = left
                .into_iter()
                .partition(|row| there.contains_key(&row.external_id));
            for row in &mut known {
                if let Some((_, content)) = there.get(&row.external_id) {
                    self.keep(row, content);
                }
            }
            let judged = self.judge(session, &known).await?;
            known.retain(|row| matches!(judged.get(&row.external_id), Some((true, None))));
            self.change(session, &known).await?;
            merged.extend(there.into_iter().map(|(name, (id, _))| {
                let outcome = match judged.get(&name) {
                    Some((true, Some(why))) => Err(refusal(why)),
                    Some((true, None)) => Ok((BulkOutcome::Updated, id)),
                    _ => Ok((BulkOutcome::Unchanged, id)),
                };
                (name, outcome)
            }));
            for row in self.add(session, &new).await? {
                merged.insert(row.external_id, Ok((BulkOutcome::Created, row.id)));
            }
            // Somebody else has just brought one of that name: now it is there.
            left = new;
            left.retain(|row| !merged.contains_key(&row.external_id));
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

    /// Rows that are there already, held until the transaction ends; in one order for all, so that two never wait for
    /// each other.
    async fn there(
        &self,
        session: &mut Session,
        commune: &str,
        rows: &[Row],
    ) -> Result<HashMap<String, (Uuid, Value)>, ApiError> {
        let names: Vec<&str> = rows.iter().map(|row| row.external_id.as_str()).collect();
        let found: Vec<There> = diesel::sql_query(format!(
            "SELECT external_id, id, to_jsonb(t) AS content FROM {} AS t
            WHERE commune_code = $1 AND external_id = ANY($2) ORDER BY external_id FOR UPDATE",
            self.name
        ))
        .bind::<Text, _>(commune)
        .bind::<Array<Text>, _>(names)
        .load(&mut session.conn)
        .await?;
        let found = found.into_iter();
        Ok(found
            .map(|row| (row.external_id, (row.id, row.content)))
            .collect())
    }

    /// What an item does not mention stays as it is.
    fn keep(&self, row: &mut Row, there: &Value) {
        for column in self.kept {
            if fields_of(column)
                .iter()
                .any(|field| row.given.contains(*field))
            {
                continue;
            }
            if let Some(value) = there.get(*column) {
                row.values.insert((*column).to_owned(), value.clone());
            }
        }
        if let Some(derive) = self.derive {
            derive(&mut row.values);
        }
    }

    /// Of rows that are there, whether they would change, and why they may not.
    async fn judge(
        &self,
        session: &mut Session,
        rows: &[Row],
    ) -> Result<HashMap<String, (bool, Option<String>)>, ApiError> {
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        let me = session.actor.user_id().map(|id| id.0);
        let judged: Vec<Judged> = diesel::sql_query(format!(
            "SELECT t.external_id, {} IS DISTINCT FROM {} AS differs, ({})::text AS blocked
            FROM jsonb_populate_recordset(NULL::{name}, $1) AS r
            JOIN {name} AS t ON (t.commune_code, t.external_id) = (r.commune_code, r.external_id)",
            self.tuple("t"),
            self.tuple("r"),
            self.blocked,
            name = self.name,
        ))
        .bind::<Jsonb, _>(values(rows))
        .bind::<Nullable<SqlUuid>, _>(me)
        .load(&mut session.conn)
        .await?;
        let judged = judged.into_iter();
        Ok(judged
            .map(|row| (row.external_id, (row.differs, row.blocked)))
            .collect())
    }

    /// Changes rows that are there.
    async fn change(&self, session: &mut Session, rows: &[Row]) -> Result<(), ApiError> {
        if rows.is_empty() {
            return Ok(());
        }
        let changes: Vec<String> = self
            .changing()
            .map(|column| format!("{column} = r.{column}"))
            .collect();
        diesel::sql_query(format!(
            "UPDATE {name} AS t SET {}, version = t.version + 1
            FROM jsonb_populate_recordset(NULL::{name}, $1) AS r
            WHERE (t.commune_code, t.external_id) = (r.commune_code, r.external_id)",
            changes.join(", "),
            name = self.name,
        ))
        .bind::<Jsonb, _>(values(rows))
        .execute(&mut session.conn)
        .await?;
        Ok(())
    }

    /// Adds rows that are new; those of a name that somebody else has just brought are not among the answers.
    async fn add(&self, session: &mut Session, rows: &[Row]) -> Result<Vec<Written>, ApiError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let fixed = COMMON.iter().chain(self.fixed).copied();
        let columns: Vec<&str> = fixed.chain(self.changing()).collect();
        Ok(diesel::sql_query(format!(
            "INSERT INTO {name} AS t ({columns})
            SELECT {columns} FROM jsonb_populate_recordset(NULL::{name}, $1) ORDER BY external_id
            ON CONFLICT ON CONSTRAINT {name}_external_id_unique DO NOTHING RETURNING t.external_id, t.id",
            name = self.name,
            columns = columns.join(", "),
        ))
        .bind::<Jsonb, _>(values(rows))
        .load(&mut session.conn)
        .await?)
    }
}

fn values(rows: &[Row]) -> Value {
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
