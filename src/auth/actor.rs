//! The person behind a request, with the rights that they have at this moment.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::policy::{ActiveMandate, Membership, Role, Standing};
use crate::clock::{age_on, paris_day};
use crate::db::contestable_until;
use crate::db::schema::{holder_members, mandates, recusals, users};
use crate::http::error::ApiError;
use crate::ids::{HolderId, InitiativeId, MandateId, UserId};

/// A registered person.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Person {
    pub id: UserId,
    pub display_name: String,
    pub full_name: String,
    pub birth_on: NaiveDate,
    pub is_admin: bool,
}

/// Who acts: a person with their mandates of today, or nobody known.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    person: Option<Person>,
    mandates: Vec<ActiveMandate>,
    today: Option<NaiveDate>,
}

type MandateRow = (MandateId, String, Role, bool, Option<NaiveDate>, String);

impl Actor {
    /// Reads the person and their mandates. With `lock` the mandates are held FOR SHARE, so that a mandate that is
    /// withdrawn at the same moment either comes before this act or waits for it.
    pub async fn load(
        mut conn: &AsyncPgConnection,
        user: Option<UserId>,
        now: DateTime<Utc>,
        lock: bool,
    ) -> Result<Self, ApiError> {
        let Some(user) = user else {
            return Ok(Self::default());
        };
        let today = paris_day(now);
        let person: Option<Person> = users::table
            .find(user)
            .filter(users::erased_at.is_null())
            .select(Person::as_select())
            .first(&mut conn)
            .await
            .optional()?;
        let Some(person) = person else {
            return Err(ApiError::unauthorized(true));
        };
        let query = mandates::table
            .filter(mandates::user_id.eq(user))
            .filter(mandates::starts_on.le(today))
            .filter(mandates::ends_on.is_null().or(mandates::ends_on.ge(today)))
            .select((
                mandates::id,
                mandates::commune_code,
                mandates::role,
                mandates::may_sign,
                mandates::delegation_on,
                mandates::capacity,
            ));
        let rows: Vec<MandateRow> = if lock {
            query.for_share().load(&mut conn).await?
        } else {
            query.load(&mut conn).await?
        };
        let mandates = rows
            .into_iter()
            .map(
                |(id, commune, role, may_sign, delegation_on, capacity)| ActiveMandate {
                    id,
                    commune,
                    role,
                    may_sign: may_sign && delegation_on.is_some_and(|day| day <= today),
                    capacity,
                },
            )
            .collect();
        Ok(Self {
            person: Some(person),
            mandates,
            today: Some(today),
        })
    }

    /// The person, or 401 when nobody is signed in.
    pub fn person(&self) -> Result<&Person, ApiError> {
        self.person
            .as_ref()
            .ok_or_else(|| ApiError::unauthorized(false))
    }

    /// The person's id, if somebody is signed in.
    pub fn user_id(&self) -> Option<UserId> {
        self.person.as_ref().map(|person| person.id)
    }

    /// Whether they run the platform.
    pub fn is_admin(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.is_admin)
    }

    /// The day in Europe/Paris on which the person acts; nothing where nobody is signed in.
    pub const fn today(&self) -> Option<NaiveDate> {
        self.today
    }

    /// Their mandates of today, in all communes.
    pub fn mandates(&self) -> &[ActiveMandate] {
        &self.mandates
    }

    /// Whether they are of age on the day of `now`.
    pub fn is_adult(&self, now: DateTime<Utc>) -> bool {
        self.person
            .as_ref()
            .is_some_and(|person| age_on(person.birth_on, paris_day(now)) >= 18)
    }

    /// What they are in a commune, apart from any holder.
    pub fn standing_in(&self, commune: &str) -> Standing {
        Standing {
            signed_in: self.person.is_some(),
            is_admin: self.is_admin(),
            mandates: self
                .mandates
                .iter()
                .filter(|mandate| mandate.commune == commune)
                .cloned()
                .collect(),
            holder: None,
            host: None,
            recused: false,
            may_contest_recusal: false,
            entered_on_behalf: false,
        }
    }

    /// What they are in the matter of an initiative that this holder carries, with this host organisation.
    pub async fn standing(
        &self,
        mut conn: &AsyncPgConnection,
        initiative: InitiativeId,
        holder: Option<HolderId>,
        host: Option<HolderId>,
    ) -> Result<Standing, ApiError> {
        let commune = &initiative.commune();
        let mut standing = self.standing_in(commune);
        let Some(person) = &self.person else {
            return Ok(standing);
        };
        // Only who could act for the commune has anything to stand aside from.
        if standing.is_town_hall() {
            let theirs = recusals::table
                .filter(recusals::initiative_id.eq(initiative))
                .filter(recusals::commune_code.eq(commune))
                .filter(recusals::user_id.eq(person.id))
                .filter(recusals::contested_at.is_null())
                .select((
                    recusals::recorded_by.is_not_null(),
                    contestable_until(recusals::recused_at),
                ));
            let theirs: Option<(bool, NaiveDate)> = theirs.first(&mut conn).await.optional()?;
            standing.recused = theirs.is_some();
            standing.may_contest_recusal =
                theirs.is_some_and(|(by_another, until)| by_another && self.today <= Some(until));
        }
        let bodies: Vec<HolderId> = holder.into_iter().chain(host).collect();
        for (body, membership) in self.memberships(conn, &bodies).await? {
            if Some(body) == holder {
                standing.holder = Some(membership);
            } else {
                standing.host = Some(membership);
            }
        }
        Ok(standing)
    }

    /// What they are in a holder, apart from any matter.
    pub async fn membership(
        &self,
        conn: &AsyncPgConnection,
        holder: HolderId,
    ) -> Result<Option<Membership>, ApiError> {
        let found = self.memberships(conn, &[holder]).await?;
        Ok(found.into_iter().next().map(|(_, membership)| membership))
    }

    async fn memberships(
        &self,
        mut conn: &AsyncPgConnection,
        bodies: &[HolderId],
    ) -> Result<Vec<(HolderId, Membership)>, ApiError> {
        let (Some(person), Some(first)) = (&self.person, <[_]>::first(bodies)) else {
            return Ok(Vec::new());
        };
        let found: Vec<(HolderId, String, bool)> = holder_members::table
            .filter(holder_members::commune_code.eq(first.commune()))
            .filter(holder_members::user_id.eq(person.id))
            .filter(holder_members::holder_id.eq_any(bodies))
            .filter(holder_members::state.eq("active"))
            .select((
                holder_members::holder_id,
                holder_members::role,
                holder_members::may_sign,
            ))
            .load(&mut conn)
            .await?;
        let membership = |(body, role, may_sign): (HolderId, String, bool)| {
            let is_lead = role == "lead";
            (body, Membership { is_lead, may_sign })
        };
        Ok(found.into_iter().map(membership).collect())
    }
}
