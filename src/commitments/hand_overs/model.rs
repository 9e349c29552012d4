//! Upkeep that somebody else takes over, in the database: offers, their answers, and who owes since when.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::UpkeepHandOver;
use crate::audit::{self, Entry, Subject, Visibility};
use crate::auth::policy::{Membership, Role, Standing};
use crate::commitments::dto::Side;
use crate::commitments::lifecycle::{HAND_OVER, HandOverAction as Action, HandOverState};
use crate::commitments::model::{CommitmentRow, may_hand_over};
use crate::db::schema::{holder_members, upkeep_hand_overs as hand_overs};
use crate::holders::dto::{HolderSummary, MemberState};
use crate::http::error::{ApiError, Code};
use crate::ids::{CommitmentId, HandOverId, HolderId, UserId};
use crate::lifecycle::Step;
use crate::state::Session;

/// A row of `upkeep_hand_overs`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = hand_overs)]
pub struct HandOverRow {
    pub id: HandOverId,
    pub commune_code: String,
    pub commitment_id: CommitmentId,
    pub holder_id: HolderId,
    pub starts_on: NaiveDate,
    pub state: HandOverState,
    pub reason: String,
    pub offered_by: UserId,
    pub on_behalf: bool,
    pub offered_at: DateTime<Utc>,
    pub answered_by: Option<UserId>,
    pub answered_at: Option<DateTime<Utc>>,
    pub answer_reason: Option<String>,
    pub version: i32,
}

/// What somebody is to an offer.
pub struct Relation {
    /// In the matter, as of who owes now.
    pub standing: Standing,
    /// In the body that is to take over.
    successor: Option<Membership>,
    /// That body has nobody with an account: the town hall answers for it.
    without_members: bool,
    me: Option<UserId>,
}

impl Relation {
    /// What the caller is to this offer.
    pub async fn new(
        session: &mut Session,
        row: &HandOverRow,
        standing: &Standing,
    ) -> Result<Self, ApiError> {
        let members: i64 = holder_members::table
            .filter(holder_members::holder_id.eq(row.holder_id))
            .filter(holder_members::commune_code.eq(&row.commune_code))
            .filter(holder_members::state.eq(MemberState::Active))
            .count()
            .get_result(&mut session.conn)
            .await?;
        Ok(Self {
            standing: standing.clone(),
            successor: session
                .actor
                .membership(&session.conn, row.holder_id)
                .await?,
            without_members: members == 0,
            me: session.actor.user_id(),
        })
    }

    fn is_inside(&self) -> bool {
        self.standing.is_town_hall()
            || self.standing.is_on_the_holders_side()
            || self.successor.is_some()
    }

    /// In which role the caller takes an action on an offer of what this side owes.
    pub fn permit(&self, action: Action, side: Side) -> Result<Role, ApiError> {
        match action {
            Action::Withdraw => may_hand_over(side, &self.standing),
            Action::Accept | Action::Refuse => match self.successor {
                Some(member) if member.may_sign => Ok(Role::Holder),
                None if self.without_members => Ok(self
                    .standing
                    .permit(&[Role::Agent])
                    .map(|_| Role::AgentOnBehalf)?),
                _ => Err(ApiError::forbidden(
                    "Il faut un membre du nouveau porteur qui peut signer.",
                    "It takes a member of the new holder who may sign.",
                )),
            },
        }
    }
}

impl HandOverRow {
    /// What is offered is between those whom it concerns; who has taken over is public.
    pub fn is_readable(&self, relation: &Relation) -> bool {
        self.state == HandOverState::Accepted || relation.is_inside()
    }

    /// As the caller sees it.
    pub fn show(&self, side: Side, holder: HolderSummary, relation: &Relation) -> UpkeepHandOver {
        let inside = relation.is_inside();
        UpkeepHandOver {
            id: self.id,
            commitment_id: self.commitment_id,
            holder,
            starts_on: self.starts_on,
            reason: Some(self.reason.clone()).filter(|_| inside),
            on_behalf: self.on_behalf,
            offered_at: self.offered_at,
            state: self.state,
            answered_at: self.answered_at,
            answer_reason: self.answer_reason.clone().filter(|_| inside),
            allowed_actions: HAND_OVER
                .allowed(self.state, &relation.standing)
                .into_iter()
                .filter(|action| relation.permit(*action, side).is_ok())
                // Nobody answers what they offered.
                .filter(|action| {
                    *action == Action::Withdraw || relation.me != Some(self.offered_by)
                })
                .collect(),
        }
    }
}

/// Who has taken an upkeep over and owes it today; nobody when it is still the side that promised it.
pub async fn keeper(
    conn: &mut AsyncPgConnection,
    id: CommitmentId,
    today: NaiveDate,
) -> Result<Option<HolderId>, ApiError> {
    Ok(hand_overs::table
        .filter(hand_overs::commitment_id.eq(id))
        .filter(hand_overs::commune_code.eq(id.commune()))
        .filter(hand_overs::state.eq(HandOverState::Accepted))
        .filter(hand_overs::starts_on.le(today))
        .order((hand_overs::starts_on.desc(), hand_overs::answered_at.desc()))
        .select(hand_overs::holder_id)
        .first(conn)
        .await
        .optional()?)
}

/// What the caller is to a commitment that this body keeps: its members stand where the side stood that promised it.
/// Those who stood there before have nothing to say any more, and are still not of the commune's side.
pub async fn standing(
    session: &mut Session,
    of_the_initiative: &Standing,
    row: &CommitmentRow,
    keeper: Option<HolderId>,
) -> Result<Standing, ApiError> {
    let mut standing = of_the_initiative.clone();
    let Some(keeper) = keeper else {
        return Ok(standing);
    };
    let mine = session.actor.membership(&session.conn, keeper).await?;
    let before = standing.holder.or(standing.host);
    if row.side == Side::Host {
        standing.host = mine;
        standing.holder = before;
    } else {
        standing.holder = mine;
        standing.host = before;
    }
    Ok(standing)
}

/// Offers of a commitment, the oldest first.
pub async fn of_commitment(
    conn: &mut AsyncPgConnection,
    id: CommitmentId,
) -> Result<Vec<HandOverRow>, ApiError> {
    Ok(hand_overs::table
        .filter(hand_overs::commitment_id.eq(id))
        .filter(hand_overs::commune_code.eq(id.commune()))
        .order((hand_overs::offered_at, hand_overs::id))
        .select(HandOverRow::as_select())
        .load(conn)
        .await?)
}

/// One offer, as it is.
pub async fn find(conn: &mut AsyncPgConnection, id: HandOverId) -> Result<HandOverRow, ApiError> {
    Ok(hand_overs::table
        .find((id, id.commune()))
        .select(HandOverRow::as_select())
        .first(conn)
        .await?)
}

/// The same, held until the transaction ends, after its commitment.
pub async fn lock(conn: &mut AsyncPgConnection, id: HandOverId) -> Result<HandOverRow, ApiError> {
    Ok(hand_overs::table
        .find((id, id.commune()))
        .select(HandOverRow::as_select())
        .for_update()
        .first(conn)
        .await?)
}

/// Writes the answer to an offer that the caller holds locked, with its history.
pub async fn answer(
    session: &mut Session,
    commitment: &CommitmentRow,
    row: &mut HandOverRow,
    step: Step<HandOverState>,
    action: Action,
    reason: Option<String>,
) -> Result<(), ApiError> {
    row.state = step.to;
    row.answered_by = session.actor.user_id();
    row.answered_at = Some(session.now);
    row.answer_reason = reason;
    let changed = diesel::update(hand_overs::table.find((row.id, &row.commune_code)))
        .filter(hand_overs::state.eq(step.from))
        .set((
            hand_overs::state.eq(row.state),
            hand_overs::answered_by.eq(row.answered_by),
            hand_overs::answered_at.eq(row.answered_at),
            hand_overs::answer_reason.eq(&row.answer_reason),
            hand_overs::version.eq(hand_overs::version + 1),
        ))
        .execute(&mut session.conn)
        .await?;
    if changed != 1 {
        return Err(ApiError {
            state: Some(step.from.code()),
            ..ApiError::new(Code::WrongState)
        });
    }
    row.version += 1;
    let reason = row.answer_reason.clone();
    let states = Some((step.from.code(), step.to.code()));
    record(
        session,
        commitment,
        row,
        action.code(),
        states,
        step.role,
        reason.as_deref(),
    )
    .await
}

/// Writes the history.
pub async fn record(
    session: &mut Session,
    commitment: &CommitmentRow,
    row: &HandOverRow,
    action: &'static str,
    states: Option<(&'static str, &'static str)>,
    role: Role,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    let entry = Entry {
        commune: &row.commune_code,
        initiative: Some(commitment.initiative_id),
        subject: Subject::HandOver,
        subject_id: row.id.0,
        action,
        states,
        reason,
        role,
        visibility: if row.state == HandOverState::Accepted {
            Visibility::Public
        } else {
            Visibility::Parties
        },
    };
    audit::record(session, entry).await
}
