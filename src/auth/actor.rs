//! Who is behind a request, a person or a program, with the rights that they have at this moment.

use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use ipnet::IpNet;

use super::caller::Shown;
use super::policy::{ActiveMandate, MAY_IMPORT, Membership, Role, Scope, Standing};
use crate::clock::{age_on, paris_day};
use crate::db::contestable_until;
use crate::db::schema::{clients, holder_members, mandates, recusals, users};
use crate::http::error::ApiError;
use crate::ids::{HolderId, InitiativeId, MandateId, UserId};

/// A registered person.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Person {
    pub id: UserId,
    pub display_name: String,
    #[diesel(select_expression = users::full_name.assume_not_null())]
    pub full_name: String,
    #[diesel(select_expression = users::birth_on.assume_not_null())]
    pub birth_on: NaiveDate,
    pub is_admin: bool,
}

/// A program of a commune, as far as its rights go.
#[derive(Clone, Debug)]
struct Program {
    account: UserId,
    commune: String,
    scopes: Vec<Scope>,
}

/// Who acts: a person with their mandates of today, a program with its scopes, or nobody known.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    person: Option<Person>,
    program: Option<Program>,
    mandates: Vec<ActiveMandate>,
    today: Option<NaiveDate>,
}

/// What a program's rights follow from.
#[derive(Queryable, Selectable)]
#[diesel(table_name = clients)]
struct ProgramRow {
    commune_code: String,
    scopes: Vec<Option<Scope>>,
    address_ranges: Vec<Option<IpNet>>,
    state: String,
    expires_at: Option<DateTime<Utc>>,
    secret_number: i32,
    previous_secret_until: Option<DateTime<Utc>>,
}

impl ProgramRow {
    fn counts(&self, now: DateTime<Utc>) -> bool {
        self.state == "active" && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether this is the number of its secret, or of the one before while that still counts.
    fn knows_secret(&self, number: i32, now: DateTime<Utc>) -> bool {
        number == self.secret_number
            || number == self.secret_number - 1
                && self.previous_secret_until.is_some_and(|end| now < end)
    }

    fn is_called_from(&self, address: Option<IpAddr>) -> bool {
        let mut ranges = self.address_ranges.iter().flatten();
        self.address_ranges.is_empty()
            || address.is_some_and(|address| ranges.any(|range| range.contains(&address)))
    }
}

type MandateRow = (MandateId, String, Role, bool, Option<NaiveDate>, String);

impl Actor {
    /// Reads the person and their mandates, or the program whose account it is. With `lock` the mandates are held FOR SHARE,
    /// so that a mandate that is withdrawn at the same moment either comes before this act or waits for it.
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
            .filter(users::kind.eq("person"))
            .filter(users::erased_at.is_null())
            .select(Person::as_select())
            .first(&mut conn)
            .await
            .optional()?;
        let Some(person) = person else {
            return Self::load_program(conn, user, None, now, lock).await;
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
            program: None,
            mandates,
            today: Some(today),
        })
    }

    /// Reads a program, which counts now; where it asks itself, what it has `shown` is right too. With `lock` it is held
    /// FOR SHARE, as mandates are.
    pub async fn load_program(
        mut conn: &AsyncPgConnection,
        account: UserId,
        shown: Option<&Shown>,
        now: DateTime<Utc>,
        lock: bool,
    ) -> Result<Self, ApiError> {
        let query = clients::table
            .filter(clients::user_id.eq(account))
            .select(ProgramRow::as_select());
        let row: Option<ProgramRow> = if lock {
            query.for_share().first(&mut conn).await.optional()?
        } else {
            query.first(&mut conn).await.optional()?
        };
        let row = row
            .filter(|row| row.counts(now))
            .ok_or_else(|| ApiError::unauthorized(true))?;
        let mut scopes: Vec<Scope> = row.scopes.iter().copied().flatten().collect();
        if let Some(shown) = shown {
            if !row.knows_secret(shown.grant.secret, now) || !row.is_called_from(shown.address) {
                return Err(ApiError::unauthorized(true));
            }
            scopes.retain(|scope| shown.grant.scopes.contains(scope));
            if let Some(needed) = shown.needs.filter(|needed| !scopes.contains(needed)) {
                return Err(ApiError::insufficient_scope(needed));
            }
        }
        Ok(Self {
            person: None,
            program: Some(Program {
                account,
                commune: row.commune_code,
                scopes,
            }),
            mandates: Vec::new(),
            today: Some(paris_day(now)),
        })
    }

    /// The person: 401 when nobody is signed in, 403 when it is a program.
    pub fn person(&self) -> Result<&Person, ApiError> {
        match (&self.person, &self.program) {
            (Some(person), _) => Ok(person),
            (None, Some(_)) => Err(ApiError::people_only()),
            (None, None) => Err(ApiError::unauthorized(false)),
        }
    }

    /// The account in whose name something is done, a person's or a program's.
    pub fn user_id(&self) -> Option<UserId> {
        match &self.program {
            Some(program) => Some(program.account),
            None => self.person.as_ref().map(|person| person.id),
        }
    }

    /// The same, for what is open to programs; 401 when nobody is signed in.
    pub fn account(&self) -> Result<UserId, ApiError> {
        self.user_id().ok_or_else(|| ApiError::unauthorized(false))
    }

    /// Whether a program acts.
    pub const fn is_program(&self) -> bool {
        self.program.is_some()
    }

    /// In which role they import for a commune.
    pub fn permit_import(&self, commune: &str) -> Result<Role, ApiError> {
        let standing = self.standing_in(commune);
        let role = standing.permit(MAY_IMPORT)?;
        match &standing.client {
            Some(scopes) if !scopes.contains(&Scope::Import) => {
                Err(ApiError::insufficient_scope(Scope::Import))
            }
            _ => Ok(role),
        }
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
            signed_in: self.user_id().is_some(),
            is_admin: self.is_admin(),
            client: self.program.as_ref().map(|program| {
                if program.commune == commune {
                    program.scopes.clone()
                } else {
                    Vec::new()
                }
            }),
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
