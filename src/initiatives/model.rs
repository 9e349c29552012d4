//! Initiatives in the database: rows, who may see them, and their changes.

use chrono::{DateTime, Months, NaiveDate, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{
    Channel, DecisionOutcome, DecisionPaper, Delivery, InitiativePatch, Land, NewOpinion,
    OpinionOutcome, Origin, Theme,
};
use super::lifecycle::{INITIATIVE, InitiativeAction, InitiativeState};
use crate::audit::{self, Entry, Subject, Visibility};
use crate::auth::actor::Actor;
use crate::auth::policy::{Membership, Role, Standing};
use crate::clock::{paris_day, plus_days};
use crate::communes::model::CommuneRow;
use crate::db::contestable_until;
use crate::db::schema::{decisions, initiatives, opinions, practices, reminders};
use crate::http::error::{ApiError, Code, Fault, FaultCode, Text};
use crate::ids::{
    DecisionId, DocumentId, HolderId, InitiativeId, MandateId, OpinionId, PracticeId, UserId,
};
use crate::lifecycle::Step;
use crate::mandates;
use crate::mandates::dto::MandateRole;
use crate::state::Session;
use crate::text::fold;

/// A row of `initiatives`, without its counters and its search columns.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = initiatives, treat_none_as_null = true)]
pub struct InitiativeRow {
    pub id: InitiativeId,
    pub commune_code: String,
    pub state: InitiativeState,
    pub origin: Origin,
    pub delivery: Delivery,
    pub title: String,
    pub description: Option<String>,
    pub theme: Option<Theme>,
    pub needs: Option<String>,
    pub place: Option<String>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub starts_on: Option<NaiveDate>,
    pub ends_on: Option<NaiveDate>,
    pub building_work: bool,
    pub land: Land,
    pub requests_money: bool,
    pub holder_id: Option<HolderId>,
    pub host_id: Option<HolderId>,
    pub follows_id: Option<InitiativeId>,
    pub inspired_by_practice_id: Option<PracticeId>,
    pub author_id: UserId,
    pub channel: Channel,
    pub entered_by: Option<UserId>,
    pub paper_reference: Option<String>,
    pub paper_document_id: Option<DocumentId>,
    pub published_at: Option<DateTime<Utc>>,
    pub publication_withheld_reason: Option<String>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub submission_number: i32,
    pub reply_due_on: Option<NaiveDate>,
    pub reply_paused_on: Option<NaiveDate>,
    pub first_reply_at: Option<DateTime<Utc>>,
    pub implicit_decision_on: Option<NaiveDate>,
    pub decided_at: Option<DateTime<Utc>>,
    pub opinion_id: Option<OpinionId>,
    pub decision_id: Option<DecisionId>,
    pub redirected_to: Option<String>,
    pub external_id: Option<String>,
    pub imported_at: Option<DateTime<Utc>>,
    pub state_changed_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub version: i32,
}

/// An initiative that the caller may read, with what they are in it.
pub struct Found {
    pub row: InitiativeRow,
    pub standing: Standing,
}

impl InitiativeRow {
    /// What the caller is in this matter.
    pub async fn standing(
        &self,
        conn: &AsyncPgConnection,
        actor: &Actor,
    ) -> Result<Standing, ApiError> {
        let mut standing = actor
            .standing(conn, self.id, self.holder_id, self.host_id)
            .await?;
        standing.entered_on_behalf = self.entered_by.is_some();
        // Until it has a holder, a draft is its author's.
        if self.holder_id.is_none()
            && self.entered_by.is_none()
            && actor.user_id() == Some(self.author_id)
        {
            standing.holder = Some(Membership::default());
        }
        Ok(standing)
    }

    /// Drafts are their holder's, and the agents' when one entered it; what is not published is the town hall's too.
    pub fn is_readable(&self, standing: &Standing) -> bool {
        self.published_at.is_some()
            || standing.is_on_the_holders_side()
            || (standing.is_town_hall()
                && (self.submitted_at.is_some() || standing.entered_on_behalf))
    }

    fn folded_text(&self) -> String {
        searched(
            &self.title,
            [&self.description, &self.place, &self.needs].map(Option::as_deref),
        )
    }

    /// What is still missing for a submission.
    fn check_complete(&self) -> Result<(), ApiError> {
        let missing = [
            ("/description", self.description.is_none()),
            ("/theme", self.theme.is_none()),
            ("/holder_id", self.holder_id.is_none()),
        ];
        let faults: Vec<Fault> = missing
            .into_iter()
            .filter(|(_, missing)| *missing)
            .map(|(pointer, _)| {
                let text = Text::new("Nécessaire pour déposer.", "Needed to submit.");
                Fault::at(pointer, FaultCode::Required, text)
            })
            .collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid(faults))
        }
    }

    /// Applies a change of the holder.
    pub fn change(&mut self, patch: InitiativePatch) -> Result<(), ApiError> {
        macro_rules! set {
            ($($field:ident),+) => {$(if let Some(value) = patch.$field { self.$field = value; })+};
        }
        macro_rules! fill {
            ($($field:ident),+) => {$(if let Some(value) = patch.$field { self.$field = Some(value); })+};
        }
        set!(
            title,
            origin,
            delivery,
            building_work,
            land,
            requests_money,
            needs,
            place,
            starts_on,
            ends_on,
            host_id,
            inspired_by_practice_id
        );
        fill!(description, theme, holder_id);
        if let Some(location) = patch.location {
            self.latitude = location.map(|location| location.latitude);
            self.longitude = location.map(|location| location.longitude);
        }
        if self
            .starts_on
            .zip(self.ends_on)
            .is_some_and(|(start, end)| end < start)
        {
            return Err(ApiError::fault(
                "/ends_on",
                FaultCode::Inconsistent,
                "La fin précède le début.",
                "The end comes before the start.",
            ));
        }
        if self.host_id.is_some() && self.host_id == self.holder_id {
            return Err(ApiError::fault(
                "/host_id",
                FaultCode::Inconsistent,
                "La structure porteuse est une autre que le porteur.",
                "The host organisation is another one than the holder.",
            ));
        }
        Ok(())
    }

    /// Receives it: starts the reply clock and computes what silence would mean.
    pub fn submit(&mut self, commune: &CommuneRow, now: DateTime<Utc>) -> Result<(), ApiError> {
        self.check_complete()?;
        let today = paris_day(now);
        self.submitted_at = Some(now);
        self.submission_number += 1;
        self.reply_due_on = Some(plus_days(today, i64::from(commune.reply_delay_days)));
        self.implicit_decision_on = today.checked_add_months(Months::new(2));
        Ok(())
    }

    /// Stops the reply clock while the holder works.
    pub fn pause(&mut self, today: NaiveDate) {
        self.reply_paused_on = Some(today);
    }

    /// Moves the promised day by the time that the holder took.
    pub fn resume(&mut self, today: NaiveDate) {
        let paused = self
            .reply_paused_on
            .take()
            .map_or(0, |since| (today - since).num_days());
        self.reply_due_on = self.reply_due_on.map(|due| plus_days(due, paused));
        self.submission_number += 1;
    }

    /// Starts the reply clock anew.
    pub fn restart(&mut self, commune: &CommuneRow, today: NaiveDate) {
        self.reply_due_on = Some(plus_days(today, i64::from(commune.reply_delay_days)));
        self.reply_paused_on = None;
        self.decided_at = None;
    }

    /// Somebody of the town hall has answered; the first time counts.
    pub fn replied(&mut self, now: DateTime<Utc>) {
        self.first_reply_at.get_or_insert(now);
    }

    /// Makes it public.
    pub fn publish(&mut self, now: DateTime<Utc>) {
        self.published_at.get_or_insert(now);
        self.publication_withheld_reason = None;
    }

    /// Takes it back from the public, or does not give it.
    pub fn withhold(&mut self, reason: String) {
        self.published_at = None;
        self.publication_withheld_reason = Some(reason);
    }
}

/// The text of an initiative that searches look into.
pub fn searched(title: &str, rest: [Option<&str>; 3]) -> String {
    let parts: Vec<&str> = std::iter::once(title)
        .chain(rest.into_iter().flatten())
        .collect();
    fold(&parts.join(" "))
}

/// An initiative that the caller may read; 404 otherwise.
pub async fn find(session: &mut Session, id: InitiativeId) -> Result<Found, ApiError> {
    let row = initiatives::table
        .find((id, id.commune()))
        .select(InitiativeRow::as_select())
        .first(&mut session.conn)
        .await?;
    readable(session, row).await
}

/// The same, held until the transaction ends. Lock initiatives before conventions, commitments and envelopes.
pub async fn lock(session: &mut Session, id: InitiativeId) -> Result<Found, ApiError> {
    let row = lock_row(&mut session.conn, id).await?;
    readable(session, row).await
}

/// A row held until the transaction ends, for what time does by itself.
pub async fn lock_row(
    conn: &mut AsyncPgConnection,
    id: InitiativeId,
) -> Result<InitiativeRow, ApiError> {
    Ok(initiatives::table
        .find((id, id.commune()))
        .select(InitiativeRow::as_select())
        .for_update()
        .first(conn)
        .await?)
}

async fn readable(session: &mut Session, row: InitiativeRow) -> Result<Found, ApiError> {
    let standing = row.standing(&session.conn, &session.actor).await?;
    if row.is_readable(&standing) {
        Ok(Found { row, standing })
    } else {
        Err(ApiError::not_found())
    }
}

/// What inspires something is a published sheet, of any commune.
pub async fn require_inspiration(
    conn: &mut AsyncPgConnection,
    inspiration: Option<PracticeId>,
) -> Result<(), ApiError> {
    let Some(id) = inspiration else {
        return Ok(());
    };
    let published = practices::table
        .filter(practices::id.eq(id))
        .filter(practices::commune_code.eq(id.commune()))
        .filter(practices::state.eq("published"));
    if diesel::select(exists(published)).get_result(conn).await? {
        return Ok(());
    }
    Err(ApiError::fault(
        "/inspired_by_practice_id",
        FaultCode::NotFound,
        "Aucune fiche publiée n'a cet identifiant.",
        "No published sheet has this id.",
    ))
}

/// Adds a row.
pub async fn insert(conn: &mut AsyncPgConnection, row: &InitiativeRow) -> Result<(), ApiError> {
    diesel::insert_into(initiatives::table)
        .values((row, initiatives::folded_text.eq(row.folded_text())))
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes a row that the caller holds locked; `from` guards against a state that is not the one that was read.
pub async fn save(
    conn: &mut AsyncPgConnection,
    row: &mut InitiativeRow,
    from: InitiativeState,
) -> Result<(), ApiError> {
    let (id, commune, version) = (row.id, row.commune_code.clone(), row.version);
    row.version += 1;
    let changed = diesel::update(initiatives::table.find((id, commune)))
        .filter(initiatives::state.eq(from))
        .filter(initiatives::version.eq(version))
        .set((&*row, initiatives::folded_text.eq(row.folded_text())))
        .execute(conn)
        .await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(ApiError::new(Code::WrongState))
    }
}

/// What goes with an action into the history.
pub struct Remark<'a> {
    pub reason: Option<&'a str>,
    pub visibility: Visibility,
}

impl Remark<'_> {
    /// Nothing to add, for everybody who may read the initiative.
    pub const PUBLIC: Self = Self {
        reason: None,
        visibility: Visibility::Public,
    };
}

/// Takes a step: moves the state, saves the row and writes the history.
pub async fn advance(
    session: &mut Session,
    row: &mut InitiativeRow,
    step: Step<InitiativeState>,
    action: InitiativeAction,
    remark: Remark<'_>,
) -> Result<(), ApiError> {
    if step.to != step.from {
        row.state = step.to;
        row.state_changed_at = session.now;
    }
    save(&mut session.conn, row, step.from).await?;
    record(session, row, step, action, remark).await
}

/// Writes the history of an action that changed no column of the row, or whose row is saved already.
pub async fn record(
    session: &mut Session,
    row: &InitiativeRow,
    step: Step<InitiativeState>,
    action: InitiativeAction,
    remark: Remark<'_>,
) -> Result<(), ApiError> {
    let entry = Entry {
        commune: &row.commune_code,
        initiative: Some(row.id),
        subject: Subject::Initiative,
        subject_id: row.id.0,
        action: action.code(),
        states: (step.from != step.to).then(|| (step.from.code(), step.to.code())),
        reason: remark.reason,
        role: step.role,
        visibility: remark.visibility,
    };
    audit::record(session, entry).await
}

/// The first convention has become active: the initiative is in progress. Anything but `accepted` stays as it is.
pub async fn start(session: &mut Session, row: &mut InitiativeRow) -> Result<(), ApiError> {
    if row.state != InitiativeState::Accepted {
        return Ok(());
    }
    let step = Step {
        from: InitiativeState::Accepted,
        to: InitiativeState::InProgress,
        role: Role::Clock,
    };
    advance(session, row, step, InitiativeAction::Start, Remark::PUBLIC).await
}

/// How many days a holder has at least between the reminder and the end of a request for changes.
const NOTICE_DAYS: i64 = 14;

/// Lets lapse what its holder has left unanswered until the day that the clock announced. Returns how many.
pub async fn lapse_by_time(session: &mut Session) -> Result<usize, ApiError> {
    let today = session.today();
    let announced = reminders::table
        .filter(reminders::subject_id.eq(initiatives::id))
        .filter(reminders::commune_code.eq(initiatives::commune_code))
        .filter(reminders::kind.eq("answer"))
        .filter(reminders::due_on.le(today))
        .filter(reminders::said_on.le(plus_days(today, -NOTICE_DAYS)))
        // Not one of an earlier request.
        .filter(
            reminders::said_on
                .nullable()
                .ge(initiatives::reply_paused_on),
        );
    let forgotten: Vec<InitiativeRow> = initiatives::table
        .filter(initiatives::state.eq(InitiativeState::ChangesRequested))
        .filter(exists(announced))
        .order(initiatives::id)
        .limit(100)
        .select(InitiativeRow::as_select())
        .for_update()
        .skip_locked()
        .load(&mut session.conn)
        .await?;
    let count = forgotten.len();
    for mut row in forgotten {
        row.reply_paused_on = None;
        let step = Step {
            from: row.state,
            to: InitiativeState::Lapsed,
            role: Role::Clock,
        };
        advance(
            session,
            &mut row,
            step,
            InitiativeAction::Lapse,
            Remark::PUBLIC,
        )
        .await?;
    }
    Ok(count)
}

/// A new row of `opinions`.
#[derive(Debug, Insertable)]
#[diesel(table_name = opinions)]
pub struct OpinionRow {
    pub id: OpinionId,
    pub commune_code: String,
    pub initiative_id: InitiativeId,
    pub submission_number: i32,
    pub outcome: OpinionOutcome,
    pub text: String,
    pub estimated_cost_cents: Option<i64>,
    pub given_by: UserId,
    pub given_at: DateTime<Utc>,
}

/// Adds an opinion on the present submission.
pub async fn give_opinion(
    session: &mut Session,
    row: &mut InitiativeRow,
    new: NewOpinion,
) -> Result<(), ApiError> {
    let opinion = OpinionRow {
        id: OpinionId::new(&row.commune_code, session.now)?,
        commune_code: row.commune_code.clone(),
        initiative_id: row.id,
        submission_number: row.submission_number,
        outcome: new.outcome,
        text: new.text,
        estimated_cost_cents: new.estimated_cost_cents,
        given_by: session.actor.person()?.id,
        given_at: session.now,
    };
    diesel::insert_into(opinions::table)
        .values(&opinion)
        .execute(&mut session.conn)
        .await?;
    row.opinion_id = Some(opinion.id);
    Ok(())
}

/// A new row of `decisions`.
#[derive(Debug, Insertable)]
#[diesel(table_name = decisions)]
pub struct DecisionRow {
    pub id: DecisionId,
    pub commune_code: String,
    pub initiative_id: InitiativeId,
    pub outcome: DecisionOutcome,
    pub reason: String,
    pub mandate_id: MandateId,
    pub decided_by: UserId,
    pub decided_on: NaiveDate,
    pub decided_at: DateTime<Utc>,
    /// The function under which it was decided, as the mandate named it on that day.
    pub capacity: String,
    pub recorded_by: Option<UserId>,
    pub paper_reference: Option<String>,
}

/// In whose name something is decided, and on which day.
pub struct Decider {
    mandate_id: MandateId,
    pub user_id: UserId,
    /// The mandate under which they sign for the commune, if they do.
    pub signs_by: Option<MandateId>,
    capacity: String,
    decided_on: NaiveDate,
    /// The agent who records it, and where the paper is.
    recorded: Option<(UserId, String)>,
}

impl Decider {
    /// The caller, today, under the mandate that they hold.
    pub fn caller(session: &Session, standing: &Standing) -> Result<Self, ApiError> {
        let mandate = standing
            .mandate(Role::ElectedOfficial)
            .ok_or_else(|| ApiError::internal("a decision without a mandate passed the policy"))?;
        Ok(Self {
            mandate_id: mandate.id,
            user_id: session.actor.person()?.id,
            signs_by: standing.signing_mandate().map(|mandate| mandate.id),
            capacity: mandate.capacity.clone(),
            decided_on: session.today(),
            recorded: None,
        })
    }

    /// The official of a paper that the caller records, on a day that is not before `earliest`. That the mandate covers
    /// the day, and that nobody stands on both sides, the database holds.
    pub async fn on_paper(
        session: &mut Session,
        commune: &str,
        paper: DecisionPaper,
        earliest: NaiveDate,
    ) -> Result<Self, ApiError> {
        let DecisionPaper {
            mandate_id,
            decided_on,
            paper_reference,
        } = paper;
        if decided_on > session.today() || decided_on < earliest {
            return Err(ApiError::fault(
                "/decided_on",
                FaultCode::OutOfRange,
                "Ni dans l'avenir, ni avant le dépôt ou l'avis.",
                "Neither in the future, nor before the submission or the opinion.",
            ));
        }
        let mandate = mandates::model::of_commune(&mut session.conn, mandate_id, commune)
            .await?
            .filter(|mandate| mandate.role == MandateRole::ElectedOfficial)
            .ok_or_else(|| {
                ApiError::fault(
                    "/mandate_id",
                    FaultCode::NotFound,
                    "Aucun mandat d'un élu de la commune n'a cet identifiant.",
                    "No mandate of an official of the commune has this id.",
                )
            })?;
        Ok(Self {
            mandate_id,
            user_id: mandate.user_id,
            signs_by: mandate.may_sign.then_some(mandate_id),
            capacity: mandate.capacity,
            decided_on,
            recorded: Some((session.actor.person()?.id, paper_reference)),
        })
    }
}

/// Decides in the name of an official.
pub async fn decide(
    session: &mut Session,
    found: &mut Found,
    outcome: DecisionOutcome,
    reason: &str,
    decider: Decider,
) -> Result<(), ApiError> {
    let (recorded_by, paper_reference) = decider.recorded.unzip();
    let decision = DecisionRow {
        id: DecisionId::new(&found.row.commune_code, session.now)?,
        commune_code: found.row.commune_code.clone(),
        initiative_id: found.row.id,
        outcome,
        reason: reason.to_owned(),
        mandate_id: decider.mandate_id,
        decided_by: decider.user_id,
        decided_on: decider.decided_on,
        decided_at: session.now,
        capacity: decider.capacity,
        recorded_by,
        paper_reference,
    };
    diesel::insert_into(decisions::table)
        .values(&decision)
        .execute(&mut session.conn)
        .await?;
    found.row.decided_at = Some(session.now);
    found.row.decision_id = Some(decision.id);
    found.row.replied(session.now);
    Ok(())
}

/// The last decision, as far as contesting it goes.
#[derive(Clone, Debug, Queryable)]
pub struct DecisionInName {
    pub id: DecisionId,
    pub decided_by: UserId,
    /// The agent who recorded it from a paper.
    pub recorded_by: Option<UserId>,
    pub contestable_until: NaiveDate,
}

impl DecisionInName {
    /// Whether this person may still say that it is not what they decided.
    pub fn is_contestable_by(&self, user: Option<UserId>, day: Option<NaiveDate>) -> bool {
        self.recorded_by.is_some()
            && user == Some(self.decided_by)
            && day.is_some_and(|day| day <= self.contestable_until)
    }
}

/// Marks the last decision as contested by the caller, in whose name it was recorded, and takes it back.
pub async fn contest(
    session: &mut Session,
    row: &mut InitiativeRow,
    reason: &str,
) -> Result<(), ApiError> {
    let me = session.actor.person()?.id;
    let last: Option<DecisionInName> = match row.decision_id {
        Some(decision) => decisions::table
            .find((decision, &row.commune_code))
            .select((
                decisions::id,
                decisions::decided_by,
                decisions::recorded_by,
                contestable_until(decisions::decided_at),
            ))
            .first(&mut session.conn)
            .await
            .optional()?,
        None => None,
    };
    let last = last
        .filter(|decision| decision.recorded_by.is_some())
        .ok_or_else(|| {
            ApiError::requirement(
                "Seule une décision prise sur papier et enregistrée par un agent se conteste.",
                "Only a decision on paper that an agent recorded is contested.",
            )
        })?;
    in_time(me, last.decided_by, session.today(), last.contestable_until)?;
    diesel::update(decisions::table.find((last.id, &row.commune_code)))
        .set((
            decisions::contested_at.eq(session.now),
            decisions::contested_by.eq(me),
            decisions::contest_reason.eq(reason),
        ))
        .execute(&mut session.conn)
        .await?;
    row.decided_at = None;
    Ok(())
}

/// What was recorded on paper is contested by the official in whose name that was, and within days.
pub fn in_time(
    caller: UserId,
    official: UserId,
    today: NaiveDate,
    until: NaiveDate,
) -> Result<(), ApiError> {
    if caller != official {
        return Err(ApiError::forbidden(
            "Seul l'élu au nom de qui cela a été enregistré le conteste.",
            "Only the official in whose name it was recorded contests it.",
        ));
    }
    if today > until {
        return Err(ApiError {
            detail: Some(Text::made(
                format!("Cela se contestait jusqu'au {until}."),
                format!("It could be contested until {until}."),
            )),
            ..ApiError::new(Code::RequirementMissing)
        });
    }
    Ok(())
}

/// An opinion on the present submission must be there before anybody decides: the day on which it was given.
pub async fn require_opinion(
    session: &mut Session,
    row: &InitiativeRow,
) -> Result<NaiveDate, ApiError> {
    let last: Option<(i32, DateTime<Utc>)> = match row.opinion_id {
        Some(opinion) => opinions::table
            .find((opinion, &row.commune_code))
            .select((opinions::submission_number, opinions::given_at))
            .first(&mut session.conn)
            .await
            .optional()?,
        None => None,
    };
    match last {
        Some((submission, given_at)) if submission == row.submission_number => {
            Ok(paris_day(given_at))
        }
        _ => Err(ApiError::requirement(
            "Aucun avis n'a été donné depuis le dernier dépôt.",
            "No opinion has been given since the last submission.",
        )),
    }
}

/// The actions that the caller may take now; `contestable` where the last decision was recorded in their name,
/// `evaluated` where the evaluation is written.
pub fn allowed_actions(found: &Found, contestable: bool, evaluated: bool) -> Vec<InitiativeAction> {
    let published = found.row.published_at.is_some();
    let received = found.row.submitted_at.is_some();
    INITIATIVE
        .allowed(found.row.state, &found.standing)
        .into_iter()
        .filter(|action| match action {
            InitiativeAction::Endorse
            | InitiativeAction::TakePart
            | InitiativeAction::Unpublish => published,
            InitiativeAction::Publish => received && !published,
            InitiativeAction::Recuse => !found.standing.recused,
            InitiativeAction::ContestRecusal => found.standing.may_contest_recusal,
            InitiativeAction::Contest => contestable,
            InitiativeAction::Evaluate => !evaluated,
            _ => true,
        })
        .collect()
}
