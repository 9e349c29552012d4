//! Holders in the database.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{
    Holder, HolderAction, HolderFilter, HolderKind, HolderMembership, HolderPatch, HolderPrivate,
    HolderSummary, MemberRole, MemberState, NewHolder,
};
use super::member_model::MemberRow;
use super::policy::{MAY_ENTER, Relation};
use crate::auth::actor::Actor;
use crate::auth::policy::Membership;
use crate::db::schema::{holder_members, holders, initiatives};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Code, Fault, FaultCode};
use crate::ids::{HolderId, UserId};
use crate::state::Session;

/// A row of `holders`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = holders)]
pub struct HolderRow {
    pub id: HolderId,
    pub commune_code: String,
    pub kind: HolderKind,
    pub name: String,
    pub description: Option<String>,
    pub siret: Option<String>,
    pub rna: Option<String>,
    pub address: Option<String>,
    pub republican_commitment_on: Option<NaiveDate>,
    pub contact_email: Option<String>,
    pub contact_phone: Option<String>,
    pub entered_by: Option<UserId>,
    pub external_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

impl From<&HolderRow> for HolderSummary {
    fn from(row: &HolderRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            name: row.name.clone(),
        }
    }
}

/// A holder as somebody sees it.
#[derive(Clone, Debug)]
pub struct SeenHolder {
    pub row: HolderRow,
    pub relation: Relation,
    /// Their own membership, whatever became of it.
    pub mine: Option<MemberRow>,
}

impl SeenHolder {
    fn new((row, mine, members): Joined, actor: &Actor) -> Self {
        let mut standing = actor.standing_in(&row.commune_code);
        standing.holder = mine
            .as_ref()
            .filter(|member| member.state == MemberState::Active)
            .map(|member| Membership {
                is_lead: member.role == MemberRole::Lead,
                may_sign: member.may_sign,
            });
        let relation = Relation {
            kind: row.kind,
            members: members.unwrap_or(0),
            standing,
            membership: mine.as_ref().map(|member| member.state),
        };
        Self {
            row,
            relation,
            mine,
        }
    }
}

impl From<SeenHolder> for Holder {
    fn from(
        SeenHolder {
            row,
            relation,
            mine,
        }: SeenHolder,
    ) -> Self {
        let private = relation.is_inside().then_some(HolderPrivate {
            contact_email: row.contact_email,
            contact_phone: row.contact_phone,
            entered_by: row.entered_by,
        });
        Self {
            id: row.id,
            commune_code: row.commune_code,
            kind: row.kind,
            name: row.name,
            description: row.description,
            siret: row.siret,
            rna: row.rna,
            address: row.address,
            republican_commitment_on: row.republican_commitment_on,
            members_count: relation.members,
            external_id: row.external_id,
            membership: mine.as_ref().map(HolderMembership::from),
            private,
            allowed_actions: relation.allowed_actions(),
            created_at: row.created_at,
        }
    }
}

/// Where an item of a list stands.
pub type Position = (DateTime<Utc>, HolderId);

/// Which holders to read.
enum Which<'a> {
    One(HolderId),
    These(Vec<HolderId>),
    Commune(&'a str, &'a HolderFilter),
    Mine(UserId),
}

type Joined = (HolderRow, Option<MemberRow>, Option<i64>);

/// Those that the actor sees, in one query: legal persons; those of a commune that they work for; those of which they
/// are a member; those that carry or host something published.
async fn seen(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    which: Which<'_>,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<SeenHolder>, ApiError> {
    let communes: Vec<&str> = actor
        .mandates()
        .iter()
        .map(|mandate| mandate.commune.as_str())
        .collect();
    let members = diesel::alias!(holder_members as members);
    let members_count = members
        .filter(members.field(holder_members::holder_id).eq(holders::id))
        .filter(
            members
                .field(holder_members::commune_code)
                .eq(holders::commune_code),
        )
        .filter(members.field(holder_members::state).eq(MemberState::Active))
        .count()
        .single_value();
    // Two searches, each with its own index. EXISTS would let the planner read all initiatives once instead of the few
    // of each holder on the page.
    let published = || {
        initiatives::table
            .filter(initiatives::commune_code.eq(holders::commune_code))
            .filter(initiatives::published_at.is_not_null())
            .select(initiatives::id)
    };
    let carried = published().filter(initiatives::holder_id.eq(holders::id.nullable()));
    let hosted = published().filter(initiatives::host_id.eq(holders::id.nullable()));
    let mut query = holders::table
        .left_join(
            holder_members::table.on(holder_members::holder_id
                .eq(holders::id)
                .and(holder_members::commune_code.eq(holders::commune_code))
                .and(holder_members::user_id.nullable().eq(actor.user_id()))),
        )
        .filter(
            holders::kind
                .eq_any(HolderKind::LEGAL_PERSONS)
                .or(holders::commune_code.eq_any(communes))
                .or(holder_members::state
                    .nullable()
                    .is_not_distinct_from(Some(MemberState::Active)))
                .or(carried.single_value().is_not_null())
                .or(hosted.single_value().is_not_null()),
        )
        .select((
            HolderRow::as_select(),
            Option::<MemberRow>::as_select(),
            members_count,
        ))
        .limit(limit)
        .into_boxed();
    query = match which {
        Which::One(id) => query
            .filter(holders::id.eq(id))
            .filter(holders::commune_code.eq(id.commune())),
        Which::These(ids) => {
            let communes: Vec<String> = ids.iter().map(|id| id.commune()).collect();
            query
                .filter(holders::id.eq_any(ids))
                .filter(holders::commune_code.eq_any(communes))
        }
        Which::Commune(commune, filter) => {
            query = query.filter(holders::commune_code.eq(commune));
            if let Some(kind) = filter.kind {
                query = query.filter(holders::kind.eq(kind));
            }
            if let Some(external_id) = &filter.external_id {
                query = query.filter(holders::external_id.eq(external_id));
            }
            if let Some((created_at, id)) = after {
                query = query
                    .filter(holders::created_at.le(created_at))
                    .filter(holders::created_at.lt(created_at).or(holders::id.lt(id)));
            }
            query.order((holders::created_at.desc(), holders::id.desc()))
        }
        Which::Mine(user) => {
            let wanted = [MemberState::Requested, MemberState::Active];
            query = query
                .filter(holder_members::user_id.eq(user))
                .filter(holder_members::state.eq_any(wanted));
            if let Some((since, id)) = after {
                query = query
                    .filter(holder_members::since.le(since))
                    .filter(holder_members::since.lt(since).or(holders::id.lt(id)));
            }
            query.order((holder_members::since.desc(), holders::id.desc()))
        }
    };
    let found: Vec<Joined> = query.load(conn).await?;
    Ok(found
        .into_iter()
        .map(|joined| SeenHolder::new(joined, actor))
        .collect())
}

/// One holder as the actor sees it; 404 when they may not.
pub async fn find(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: HolderId,
) -> Result<SeenHolder, ApiError> {
    let found = seen(conn, actor, Which::One(id), None, 1).await?;
    found.into_iter().next().ok_or_else(ApiError::not_found)
}

/// These holders, as far as everybody may read them.
pub async fn public(
    conn: &mut AsyncPgConnection,
    ids: Vec<HolderId>,
) -> Result<Vec<Holder>, ApiError> {
    let limit = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    let found = seen(conn, &Actor::default(), Which::These(ids), None, limit).await?;
    Ok(found.into_iter().map(Holder::from).collect())
}

/// The holders of a commune that the actor sees, the latest first.
pub async fn list(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    commune: &str,
    filter: &HolderFilter,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<SeenHolder>, ApiError> {
    let which = Which::Commune(commune, filter);
    let found = seen(conn, actor, which, after, limit + 1).await?;
    Ok(Page::cut(found, limit))
}

/// The holders of which somebody is a member or asks to be, in all communes, the latest to change first.
pub async fn list_mine(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<SeenHolder>, ApiError> {
    let which = Which::Mine(actor.person()?.id);
    let found = seen(conn, actor, which, after, limit + 1).await?;
    Ok(Page::cut(found, limit))
}

/// The summaries of these holders, whoever asks.
pub async fn summaries(
    mut conn: &AsyncPgConnection,
    ids: Vec<HolderId>,
) -> QueryResult<HashMap<HolderId, HolderSummary>> {
    let communes: Vec<String> = ids.iter().map(|id| id.commune()).collect();
    let rows: Vec<(HolderId, HolderKind, String)> = holders::table
        .filter(holders::id.eq_any(ids))
        .filter(holders::commune_code.eq_any(communes))
        .select((holders::id, holders::kind, holders::name))
        .load(&mut conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, kind, name)| (id, HolderSummary { id, kind, name }))
        .collect())
}

/// A holder's row, whoever asks.
pub async fn find_row(mut conn: &AsyncPgConnection, id: HolderId) -> Result<HolderRow, ApiError> {
    Ok(holders::table
        .find((id, id.commune()))
        .select(HolderRow::as_select())
        .first(&mut conn)
        .await?)
}

/// The holders of which somebody is an active member.
pub async fn bodies_of(
    conn: &mut AsyncPgConnection,
    user: UserId,
) -> Result<Vec<HolderId>, ApiError> {
    Ok(holder_members::table
        .filter(holder_members::user_id.eq(user))
        .filter(holder_members::state.eq(MemberState::Active))
        .select(holder_members::holder_id)
        .load(conn)
        .await?)
}

/// Creates a holder in a commune that takes part. The caller leads it and, when adult, signs for it; `on_behalf` an
/// agent of the commune enters it for someone else, and it has no members.
pub async fn create(
    session: &mut Session,
    commune: &str,
    new: NewHolder,
    on_behalf: bool,
) -> Result<HolderRow, ApiError> {
    let creator = session.actor.person()?.id;
    let is_adult = session.actor.is_adult(session.now);
    if on_behalf {
        session.actor.standing_in(commune).permit(MAY_ENTER)?;
    } else if new.kind == HolderKind::YouthGroup && !is_adult {
        return Err(ApiError::fault(
            "/kind",
            FaultCode::Inconsistent,
            "Un groupe de jeunes est porté par un adulte.",
            "A youth group is carried by an adult.",
        ));
    }
    let row = HolderRow {
        id: HolderId::new(commune, session.now)?,
        commune_code: commune.to_owned(),
        kind: new.kind,
        name: new.name,
        description: new.description,
        siret: new.siret,
        rna: new.rna,
        address: new.address,
        republican_commitment_on: new.republican_commitment_on,
        contact_email: new.contact_email,
        contact_phone: new.contact_phone,
        entered_by: on_behalf.then_some(creator),
        external_id: None,
        created_at: session.now,
        version: 1,
    };
    diesel::insert_into(holders::table)
        .values(&row)
        .execute(&mut session.conn)
        .await?;
    if !on_behalf {
        let lead = MemberRow {
            holder_id: row.id,
            commune_code: row.commune_code.clone(),
            user_id: creator,
            state: MemberState::Active,
            role: MemberRole::Lead,
            may_sign: is_adult,
            since: session.now,
        };
        diesel::insert_into(holder_members::table)
            .values(&lead)
            .execute(&mut session.conn)
            .await?;
    }
    Ok(row)
}

/// A holder that the caller may act upon as things stand, held until the transaction ends.
pub async fn hold(
    session: &mut Session,
    id: HolderId,
    action: HolderAction,
) -> Result<SeenHolder, ApiError> {
    let seen = find(&mut session.conn, &session.actor, id).await?;
    seen.relation.permit(action)?;
    holders::table
        .find((id, id.commune()))
        .select(holders::id)
        .for_update()
        .first::<HolderId>(&mut session.conn)
        .await?;
    // Somebody may have been faster: what is true now counts.
    let held = find(&mut session.conn, &session.actor, id).await?;
    held.relation.permit(action).map_err(|_| {
        ApiError::because(
            Code::WrongState,
            "Entre-temps, vous n'en êtes plus responsable.",
            "Meanwhile you are not in charge of it any more.",
        )
    })?;
    held.relation.ready(action)?;
    Ok(held)
}

/// Changes a holder that the caller holds.
pub async fn change(
    conn: &mut AsyncPgConnection,
    row: &HolderRow,
    patch: &HolderPatch,
) -> Result<(), ApiError> {
    let faults = row.kind.faults(
        patch.siret.as_ref().is_some_and(Option::is_some),
        patch.rna.as_ref().is_some_and(Option::is_some),
        patch.address.as_ref().is_some_and(Option::is_some),
    );
    if !faults.is_empty() {
        let at = |(field, text)| Fault::at(&format!("/{field}"), FaultCode::Inconsistent, text);
        return Err(ApiError::invalid(faults.into_iter().map(at).collect()));
    }
    diesel::update(holders::table.find((row.id, &row.commune_code)))
        .set((patch, holders::version.eq(holders::version + 1)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Counts a change of who belongs to a holder that the caller holds; returns the new version.
pub async fn touch(conn: &mut AsyncPgConnection, row: &HolderRow) -> Result<i32, ApiError> {
    Ok(
        diesel::update(holders::table.find((row.id, &row.commune_code)))
            .set(holders::version.eq(holders::version + 1))
            .returning(holders::version)
            .get_result(conn)
            .await?,
    )
}
