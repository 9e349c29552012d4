//! The feed in the database, and what each change is about as everybody may read it.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::dto::{ChangeKind, ChangeType, PublicResource};
use crate::auth::policy::Standing;
use crate::commitments::balance::model as balance;
use crate::commitments::fulfilments::model as fulfilments;
use crate::conventions::list as conventions;
use crate::db::schema::changes;
use crate::evaluations::model as evaluations;
use crate::holders::model as holders;
use crate::http::cursor::Page;
use crate::http::error::ApiError;
use crate::ids::{
    CommitmentId, ConventionId, EvaluationId, FulfilmentId, HolderId, InitiativeId, MeasureId,
    MeetingId, PracticeId,
};
use crate::initiatives::view as initiatives;
use crate::measures::model as measures;
use crate::meetings::model as meetings;
use crate::practices::model as practices;

diesel::define_sql_function! {
    /// Gives what is committed its place, and returns the last place.
    fn feed_head() -> diesel::sql_types::BigInt;
}

/// A row of `changes` that has its place.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = changes)]
pub struct ChangeRow {
    #[diesel(select_expression = changes::position.assume_not_null())]
    pub position: i64,
    pub commune_code: String,
    pub kind: ChangeKind,
    pub subject_id: Uuid,
    pub was_public: bool,
    pub at: DateTime<Utc>,
}

impl ChangeRow {
    /// What it did to what everybody may read; nothing when everybody neither saw it before nor sees it now.
    pub const fn seen_as(&self, is_public: bool) -> Option<ChangeType> {
        match (self.was_public, is_public) {
            (true, true) => Some(ChangeType::Updated),
            (false, true) => Some(ChangeType::Created),
            (true, false) => Some(ChangeType::Removed),
            (false, false) => None,
        }
    }
}

/// The last place of the feed. Whatever was committed before has its place then.
pub async fn head(conn: &mut AsyncPgConnection) -> QueryResult<i64> {
    diesel::select(feed_head()).get_result(conn).await
}

/// A part of the feed, behind one place and up to another.
pub struct Part<'a> {
    pub commune: Option<&'a str>,
    pub kinds: Option<&'a [ChangeKind]>,
    pub after: i64,
    pub head: i64,
}

/// A page of a part of the feed.
pub async fn list(
    conn: &mut AsyncPgConnection,
    part: &Part<'_>,
    limit: i64,
) -> QueryResult<Page<ChangeRow>> {
    let mut query = changes::table
        .filter(changes::position.gt(part.after))
        .filter(changes::position.le(part.head))
        .order(changes::position)
        .limit(limit + 1)
        .select(ChangeRow::as_select())
        .into_boxed();
    if let Some(commune) = part.commune {
        query = query.filter(changes::commune_code.eq(commune));
    }
    if let Some(kinds) = part.kinds {
        query = query.filter(changes::kind.eq_any(kinds));
    }
    Ok(Page::cut(query.load(conn).await?, limit))
}

/// The change at a place.
pub async fn find(conn: &mut AsyncPgConnection, position: i64) -> QueryResult<ChangeRow> {
    changes::table
        .filter(changes::position.eq(position))
        .select(ChangeRow::as_select())
        .first(conn)
        .await
}

/// The last change of each commune behind a place.
pub async fn latest(conn: &mut AsyncPgConnection, after: i64) -> QueryResult<Vec<(String, i64)>> {
    changes::table
        .filter(changes::position.gt(after))
        .group_by(changes::commune_code)
        .select((
            changes::commune_code,
            diesel::dsl::max(changes::position.assume_not_null()).assume_not_null(),
        ))
        .load(conn)
        .await
}

/// What these changes are about, as far as everybody may read it now: a few queries, however many there are.
pub async fn resources(
    conn: &mut AsyncPgConnection,
    today: NaiveDate,
    rows: &[ChangeRow],
) -> Result<HashMap<Uuid, PublicResource>, ApiError> {
    use PublicResource as R;
    let mut ids: HashMap<ChangeKind, Vec<Uuid>> = HashMap::new();
    for row in rows {
        ids.entry(row.kind).or_default().push(row.subject_id);
    }
    let mut found = HashMap::new();
    for (kind, mut ids) in ids {
        ids.sort_unstable();
        ids.dedup();
        let ids = ids.into_iter();
        macro_rules! keep {
            ($variant:ident, $shown:expr) => {
                for shown in $shown {
                    found.insert(shown.id.0, R::$variant(Box::new(shown)));
                }
            };
        }
        match kind {
            ChangeKind::Initiative => {
                let ids: Vec<_> = ids.map(InitiativeId).collect();
                keep!(Initiative, initiatives::public(conn, &ids).await?);
            }
            ChangeKind::Convention => {
                let ids = ids.map(ConventionId).collect();
                keep!(Convention, conventions::public(conn, ids).await?);
            }
            ChangeKind::Commitment => {
                let ids = ids.map(CommitmentId).collect();
                for (row, tally) in balance::public(conn, ids, today).await? {
                    let shown = row.show(tally, today, &Standing::default());
                    found.insert(row.id.0, R::Commitment(Box::new(shown)));
                }
            }
            ChangeKind::Fulfilment => {
                let ids = ids.map(FulfilmentId).collect();
                keep!(Fulfilment, fulfilments::public(conn, ids).await?);
            }
            ChangeKind::Evaluation => {
                let ids = ids.map(EvaluationId).collect();
                keep!(Evaluation, evaluations::public(conn, ids).await?);
            }
            ChangeKind::Meeting => {
                let ids = ids.map(MeetingId).collect();
                keep!(Meeting, meetings::public(conn, ids).await?);
            }
            ChangeKind::Measure => {
                let ids = ids.map(MeasureId).collect();
                keep!(Measure, measures::public(conn, ids).await?);
            }
            ChangeKind::Holder => {
                let ids = ids.map(HolderId).collect();
                keep!(Holder, holders::public(conn, ids).await?);
            }
            ChangeKind::Practice => {
                let ids = ids.map(PracticeId).collect();
                keep!(Practice, practices::public(conn, ids, today).await?);
            }
        }
    }
    Ok(found)
}
