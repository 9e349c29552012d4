//! The view `work_items`.

use bigdecimal::{BigDecimal, ToPrimitive};
use chrono::{DateTime, Months, NaiveDate, Utc};
use diesel::dsl::{case_when, count_star, not, sum};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::dto::{DAYS_AHEAD, WorkCount, WorkFilter, WorkItem, WorkKind};
use crate::audit::Subject;
use crate::auth::policy::Role;
use crate::clock::{plus_days, start_of};
use crate::db::schema::{holder_members, mandates, recusals, users};
use crate::holders::dto::MemberState;
use crate::http::cursor::Page;
use crate::http::error::ApiError;
use crate::ids::{HolderId, InitiativeId, UserId};
use crate::mandates::dto::PersonSummary;
use crate::state::Session;
use crate::subsidies;
use crate::subsidies::dto::{Subsidy, SubsidyDuty};

diesel::table! {
    work_items (subject_id, kind, waits_for) {
        commune_code -> Text,
        kind -> Text,
        subject -> Text,
        subject_id -> Uuid,
        initiative_id -> Uuid,
        title -> Text,
        commitment -> Nullable<Text>,
        holder_id -> Nullable<Uuid>,
        host_id -> Nullable<Uuid>,
        waits_for -> Text,
        user_id -> Nullable<Uuid>,
        due_on -> Nullable<Date>,
        sorted_on -> Date,
        since -> Timestamptz,
    }
}
diesel::allow_tables_to_appear_in_same_query!(work_items, users);
diesel::allow_tables_to_appear_in_same_query!(work_items, recusals);

/// A row of the view.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = work_items)]
pub struct Work {
    pub kind: WorkKind,
    pub subject: Subject,
    pub subject_id: Uuid,
    /// Nothing for what concerns a body.
    #[diesel(select_expression = work_items::initiative_id.nullable())]
    pub initiative_id: Option<InitiativeId>,
    pub title: String,
    pub commitment: Option<String>,
    pub waits_for: Role,
    pub user_id: Option<UserId>,
    pub due_on: Option<NaiveDate>,
    pub sorted_on: NaiveDate,
    pub since: DateTime<Utc>,
}

/// Where an item stands in the list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    sorted_on: NaiveDate,
    kind: String,
    subject_id: Uuid,
    waits_for: String,
}

impl From<&Work> for Position {
    fn from(work: &Work) -> Self {
        Self {
            sorted_on: work.sorted_on,
            kind: work.kind.code().to_owned(),
            subject_id: work.subject_id,
            waits_for: work.waits_for.code().to_owned(),
        }
    }
}

type Condition<'a> = Box<dyn BoxableExpression<work_items::table, Pg, SqlType = Bool> + 'a>;

/// What waits in a commune, as far as the filter goes.
pub struct Wanted<'a> {
    pub commune: &'a str,
    pub filter: &'a WorkFilter,
    pub today: NaiveDate,
    /// The roles of the person whom the filter names, and the bodies that they are members of.
    roles: Vec<Role>,
    bodies: Vec<HolderId>,
    /// What the law asks of the commune once somebody has received a subsidy: that is computed, and no row of the view.
    duties: Vec<Work>,
}

impl<'a> Wanted<'a> {
    /// Looks up what the person of the filter may do, and what follows from subsidies.
    pub async fn new(
        session: &mut Session,
        commune: &'a str,
        filter: &'a WorkFilter,
    ) -> Result<Self, ApiError> {
        let today = session.today();
        let (mut roles, mut bodies) = (Vec::new(), Vec::new());
        if let Some(person) = filter.person {
            roles = mandates::table
                .filter(mandates::user_id.eq(person))
                .filter(mandates::commune_code.eq(commune))
                .filter(mandates::starts_on.le(today))
                .filter(mandates::ends_on.is_null().or(mandates::ends_on.ge(today)))
                .select(mandates::role)
                .load(&mut session.conn)
                .await?;
            bodies = holder_members::table
                .filter(holder_members::commune_code.eq(commune))
                .filter(holder_members::user_id.eq(person))
                .filter(holder_members::state.eq(MemberState::Active))
                .select(holder_members::holder_id)
                .load(&mut session.conn)
                .await?;
        }
        let mut wanted = Self {
            commune,
            filter,
            today,
            roles,
            bodies,
            duties: Vec::new(),
        };
        for found in subsidies::model::all(session, commune).await? {
            let subsidy = &found.subsidy;
            let duties = subsidy
                .to_do
                .iter()
                .filter_map(|duty| duty_of(subsidy, *duty));
            let duties: Vec<Work> = duties.filter(|work| wanted.wants(work)).collect();
            wanted.duties.extend(duties);
        }
        Ok(wanted)
    }

    fn until(&self) -> NaiveDate {
        plus_days(self.today, self.filter.days.unwrap_or(DAYS_AHEAD).into())
    }

    /// Whether a duty that follows from a subsidy is among what is asked for.
    fn wants(&self, work: &Work) -> bool {
        let filter = self.filter;
        work.sorted_on <= self.until()
            && filter
                .kind
                .as_ref()
                .is_none_or(|kinds| kinds.contains(&work.kind))
            && filter.waits_for.is_none_or(|role| role == work.waits_for)
            && filter.person.is_none_or(|_| {
                self.roles.contains(&work.waits_for)
                    && !self.bodies.iter().any(|body| body.0 == work.subject_id)
            })
    }

    fn condition(&self) -> Condition<'_> {
        let soon = work_items::due_on.assume_not_null().le(self.until());
        let mut condition: Condition<'_> = Box::new(
            work_items::commune_code
                .eq(self.commune)
                .and(work_items::due_on.is_null().or(soon))
                // Too late to contest is too late.
                .and(
                    work_items::kind
                        .ne(WorkKind::Contest)
                        .or(work_items::due_on.assume_not_null().ge(self.today)),
                ),
        );
        if let Some(kinds) = &self.filter.kind {
            condition = Box::new(condition.and(work_items::kind.eq_any(kinds)));
        }
        if let Some(role) = self.filter.waits_for {
            condition = Box::new(condition.and(work_items::waits_for.eq(role)));
        }
        if let Some(person) = self.filter.person {
            // Compared where it is not null, which the conditions around it see to.
            let named = work_items::user_id.assume_not_null().eq(person);
            let of_holder = || work_items::holder_id.assume_not_null().eq_any(&self.bodies);
            let of_host = || {
                work_items::host_id
                    .is_not_null()
                    .and(work_items::host_id.assume_not_null().eq_any(&self.bodies))
            };
            let recused = recusals::table
                .filter(recusals::commune_code.eq(self.commune))
                .filter(recusals::user_id.eq(person))
                .filter(recusals::contested_at.is_null())
                .select(recusals::initiative_id);
            // Who is a member of the holder or the host, or stands aside, never acts for the commune.
            let by_mandate = work_items::waits_for
                .eq_any(&self.roles)
                .and(not(of_holder().or(of_host())))
                .and(work_items::initiative_id.ne_all(recused));
            let by_membership = (work_items::waits_for.eq(Role::Holder).and(of_holder()))
                .or(work_items::waits_for.eq(Role::Host).and(of_host()));
            let anybody = work_items::user_id
                .is_null()
                .and(by_mandate.or(by_membership));
            condition =
                Box::new(condition.and((work_items::user_id.is_not_null().and(named)).or(anybody)));
        }
        condition
    }

    /// A page, the most urgent first.
    pub async fn page(
        &self,
        conn: &mut AsyncPgConnection,
        after: Option<Position>,
        limit: i64,
    ) -> Result<Page<Work>, ApiError> {
        let mut query = work_items::table.filter(self.condition()).into_boxed();
        let further = |work: &&Work| {
            after
                .as_ref()
                .is_none_or(|after| Position::from(*work) > *after)
        };
        let duties: Vec<Work> = self.duties.iter().filter(further).cloned().collect();
        if let Some(after) = after {
            let later_kind = work_items::kind.gt(after.kind.clone());
            let later_subject = work_items::kind
                .eq(after.kind.clone())
                .and(work_items::subject_id.gt(after.subject_id));
            let later_role = work_items::kind
                .eq(after.kind)
                .and(work_items::subject_id.eq(after.subject_id))
                .and(work_items::waits_for.gt(after.waits_for));
            query = query
                .filter(work_items::sorted_on.ge(after.sorted_on))
                .filter(
                    work_items::sorted_on
                        .gt(after.sorted_on)
                        .or(later_kind)
                        .or(later_subject)
                        .or(later_role),
                );
        }
        let mut found: Vec<Work> = query
            .order((
                work_items::sorted_on,
                work_items::kind,
                work_items::subject_id,
                work_items::waits_for,
            ))
            .limit(limit + 1)
            .select(Work::as_select())
            .load(conn)
            .await?;
        found.extend(duties);
        found.sort_by_key(|work| Position::from(work));
        Ok(Page::cut(found, limit))
    }

    /// How much waits of each kind.
    pub async fn counts(&self, conn: &mut AsyncPgConnection) -> Result<Vec<WorkCount>, ApiError> {
        let late = case_when(
            work_items::due_on.lt(self.today),
            1_i64.into_sql::<BigInt>(),
        )
        .otherwise(0_i64.into_sql::<BigInt>());
        let found: Vec<(WorkKind, i64, Option<BigDecimal>)> = work_items::table
            .filter(self.condition())
            .group_by(work_items::kind)
            .select((work_items::kind, count_star(), sum(late)))
            .load(conn)
            .await?;
        let mut counts: Vec<WorkCount> = found
            .into_iter()
            .map(|(kind, total, late)| WorkCount {
                kind,
                total,
                late: late.and_then(|late| late.to_i64()).unwrap_or(0),
            })
            .collect();
        for kind in [WorkKind::Publish, WorkKind::Report] {
            let late = |work: &&Work| work.due_on.is_some_and(|due| due < self.today);
            let of_kind = || self.duties.iter().filter(|work| work.kind == kind);
            let total = i64::try_from(of_kind().count()).unwrap_or(i64::MAX);
            if total > 0 {
                let late = i64::try_from(of_kind().filter(late).count()).unwrap_or(i64::MAX);
                counts.push(WorkCount { kind, total, late });
            }
        }
        counts.sort_by_key(|count| count.kind);
        Ok(counts)
    }
}

/// What is to be done about a subsidy.
fn duty_of(subsidy: &Subsidy, duty: SubsidyDuty) -> Option<Work> {
    let (kind, due_on, months) = match duty {
        SubsidyDuty::Publication => (WorkKind::Publish, subsidy.publication_due_on?, 3),
        SubsidyDuty::Report => (WorkKind::Report, subsidy.report_due_on?, 6),
    };
    Some(Work {
        kind,
        subject: Subject::Holder,
        subject_id: subsidy.holder.id.0,
        initiative_id: None,
        title: subsidy.holder.name.clone(),
        commitment: None,
        waits_for: Role::Agent,
        user_id: None,
        due_on: Some(due_on),
        sorted_on: due_on,
        since: start_of(due_on.checked_sub_months(Months::new(months))?),
    })
}

/// Items as the API shows them.
pub async fn show(
    conn: &mut AsyncPgConnection,
    found: Vec<Work>,
    today: NaiveDate,
) -> Result<Vec<WorkItem>, ApiError> {
    let named: Vec<UserId> = found.iter().filter_map(|work| work.user_id).collect();
    let people: Vec<(UserId, String)> = if named.is_empty() {
        Vec::new()
    } else {
        users::table
            .filter(users::id.eq_any(named))
            .select((users::id, users::display_name))
            .load(conn)
            .await?
    };
    let person = |id| {
        people
            .iter()
            .find(|(known, _)| *known == id)
            .map(|(id, name)| PersonSummary {
                id: *id,
                display_name: name.clone(),
            })
    };
    Ok(found
        .into_iter()
        .map(|work| WorkItem {
            kind: work.kind,
            subject: work.subject,
            subject_id: work.subject_id,
            title: work.title,
            commitment: work.commitment,
            initiative_id: work.initiative_id,
            waits_for: work.waits_for,
            person: work.user_id.and_then(person),
            due_on: work.due_on,
            is_late: work.due_on.is_some_and(|due| due < today),
            since: work.since,
        })
        .collect())
}
