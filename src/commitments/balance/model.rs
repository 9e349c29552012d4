//! What was promised and what was delivered of it. Every figure follows from the commitments as one reader sees them, so
//! that whoever reads them can add up the same.

use bigdecimal::{BigDecimal, ToPrimitive};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::sum;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Balance, DueCommitment, KindBalance, SideBalance};
use crate::commitments::checks::dto::CheckOutcome;
use crate::commitments::dto::{Commitment, CommitmentFilter, Side};
use crate::commitments::lifecycle::{CommitmentState, FulfilmentState, HandOverState};
use crate::commitments::model::CommitmentRow;
use crate::db::schema::{commitments, fulfilments, initiatives, upkeep_checks, upkeep_hand_overs};
use crate::figures::{plain, rate};
use crate::http::cursor::Page;
use crate::http::error::ApiError;
use crate::ids::{CommitmentId, HolderId, InitiativeId};

/// How many things that are due a balance names.
const DUE_MAX: usize = 20;

/// What is known of a commitment besides its row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Value of the acknowledged fulfilments, in euro cents.
    pub delivered_cents: i64,
    /// The latest occurrence that somebody looked after, and what they saw.
    pub last_check: Option<(NaiveDate, CheckOutcome)>,
    /// Who has taken the upkeep over and owes it today.
    pub kept_by: Option<HolderId>,
}

type Joined = (
    CommitmentRow,
    Option<BigDecimal>,
    Option<NaiveDate>,
    Option<CheckOutcome>,
    Option<HolderId>,
);

fn tallied((row, delivered, checked_on, outcome, kept_by): Joined) -> (CommitmentRow, Tally) {
    let tally = Tally {
        delivered_cents: whole(delivered),
        last_check: checked_on.zip(outcome),
        kept_by,
    };
    (row, tally)
}

fn whole(cents: Option<BigDecimal>) -> i64 {
    cents.map_or(0, |cents| cents.to_i64().unwrap_or(i64::MAX))
}

/// The commitments, each with its tally.
macro_rules! tallied {
    ($table:expr, $today:expr) => {{
        let last_check = || {
            upkeep_checks::table
                .filter(upkeep_checks::commitment_id.eq(commitments::id))
                .filter(upkeep_checks::commune_code.eq(commitments::commune_code))
                .order((
                    upkeep_checks::occurs_on.desc(),
                    upkeep_checks::checked_at.desc(),
                ))
        };
        $table.select((
            CommitmentRow::as_select(),
            fulfilments::table
                .filter(fulfilments::commitment_id.eq(commitments::id))
                .filter(fulfilments::commune_code.eq(commitments::commune_code))
                .filter(fulfilments::state.eq(FulfilmentState::Acknowledged))
                .select(sum(fulfilments::value_cents))
                .single_value(),
            last_check().select(upkeep_checks::occurs_on).single_value(),
            last_check().select(upkeep_checks::outcome).single_value(),
            upkeep_hand_overs::table
                .filter(upkeep_hand_overs::commitment_id.eq(commitments::id))
                .filter(upkeep_hand_overs::commune_code.eq(commitments::commune_code))
                .filter(upkeep_hand_overs::state.eq(HandOverState::Accepted))
                .filter(upkeep_hand_overs::starts_on.le($today))
                .order((
                    upkeep_hand_overs::starts_on.desc(),
                    upkeep_hand_overs::answered_at.desc(),
                ))
                .select(upkeep_hand_overs::holder_id)
                .single_value(),
        ))
    }};
}

/// What everybody may read: the commitments that conventions bind, or have bound, in published initiatives, with their
/// tallies.
macro_rules! bound {
    ($today:expr) => {
        tallied!(
            commitments::table.inner_join(
                initiatives::table.on(initiatives::id
                    .eq(commitments::initiative_id)
                    .and(initiatives::commune_code.eq(commitments::commune_code))),
            ),
            $today
        )
        .filter(commitments::state.eq_any(CommitmentState::BOUND))
        .filter(initiatives::published_at.is_not_null())
    };
}

/// The tally of one commitment.
pub async fn of_commitment(
    conn: &mut AsyncPgConnection,
    id: CommitmentId,
    today: NaiveDate,
) -> Result<Tally, ApiError> {
    let found: Joined = tallied!(commitments::table, today)
        .filter(commitments::id.eq(id))
        .filter(commitments::commune_code.eq(id.commune()))
        .first(conn)
        .await?;
    Ok(tallied(found).1)
}

/// All commitments of an initiative with their tallies, in the order in which they were proposed.
pub async fn of_initiative(
    conn: &mut AsyncPgConnection,
    id: InitiativeId,
    today: NaiveDate,
) -> Result<Vec<(CommitmentRow, Tally)>, ApiError> {
    let found: Vec<Joined> = tallied!(commitments::table, today)
        .filter(commitments::initiative_id.eq(id))
        .filter(commitments::commune_code.eq(id.commune()))
        .order((commitments::created_at, commitments::id))
        .load(conn)
        .await?;
    Ok(found.into_iter().map(tallied).collect())
}

/// The public commitments of a commune.
pub async fn of_commune(
    conn: &mut AsyncPgConnection,
    commune: &str,
    today: NaiveDate,
) -> Result<Vec<(CommitmentRow, Tally)>, ApiError> {
    let found: Vec<Joined> = bound!(today)
        .filter(commitments::commune_code.eq(commune))
        .load(conn)
        .await?;
    Ok(found.into_iter().map(tallied).collect())
}

/// Where a commitment stands in the list of its commune.
pub type Position = (DateTime<Utc>, CommitmentId);

/// A page of them, the latest first.
pub async fn page_of_commune(
    conn: &mut AsyncPgConnection,
    commune: &str,
    filter: &CommitmentFilter,
    today: NaiveDate,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<(CommitmentRow, Tally)>, ApiError> {
    let mut query = bound!(today)
        .filter(commitments::commune_code.eq(commune))
        .order((commitments::created_at.desc(), commitments::id.desc()))
        .limit(limit + 1)
        .into_boxed();
    if let Some(side) = filter.side {
        query = query.filter(commitments::side.eq(side));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(commitments::kind.eq(kind));
    }
    if let Some(states) = &filter.state {
        query = query.filter(commitments::state.eq_any(states.clone()));
    }
    if let Some(year) = filter.budget_year {
        query = query.filter(commitments::budget_year.eq(year));
    }
    if let Some((created_at, id)) = after {
        query = query.filter(commitments::created_at.le(created_at)).filter(
            commitments::created_at
                .lt(created_at)
                .or(commitments::id.lt(id)),
        );
    }
    let found: Vec<Joined> = query.load(conn).await?;
    let items = found.into_iter().map(tallied).collect();
    Ok(Page::cut(items, limit))
}

/// These commitments with their tallies, as far as everybody may read them.
pub async fn public(
    conn: &mut AsyncPgConnection,
    ids: Vec<CommitmentId>,
    today: NaiveDate,
) -> QueryResult<Vec<(CommitmentRow, Tally)>> {
    let communes: Vec<String> = ids.iter().map(|id| id.commune()).collect();
    let found: Vec<Joined> = bound!(today)
        .filter(commitments::id.eq_any(ids))
        .filter(commitments::commune_code.eq_any(communes))
        .load(conn)
        .await?;
    Ok(found.into_iter().map(tallied).collect())
}

/// Delivered of promised with two decimals, never above 1.
pub fn progress(delivered_cents: i64, value_cents: i64) -> String {
    if value_cents <= 0 {
        return "1.00".to_owned();
    }
    let delivered = i128::from(delivered_cents.clamp(0, value_cents));
    let hundredths = delivered * 100 / i128::from(value_cents);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

impl SideBalance {
    fn add(&mut self, commitment: &Commitment, promised_cents: i64) {
        let place = self
            .kinds
            .iter()
            .position(|known| known.kind == commitment.kind);
        let place = place.unwrap_or_else(|| {
            self.kinds.push(KindBalance {
                kind: commitment.kind,
                promised_cents: 0,
                delivered_cents: 0,
            });
            self.kinds.len() - 1
        });
        if let Some(kind) = self.kinds.get_mut(place) {
            add(&mut kind.promised_cents, promised_cents);
            add(&mut kind.delivered_cents, commitment.delivered_cents);
        }
        add(&mut self.promised_cents, promised_cents);
        add(&mut self.delivered_cents, commitment.delivered_cents);
    }
}

/// Sums stop at the largest number that there is.
fn add(sum: &mut i64, cents: i64) {
    *sum = sum.saturating_add(cents);
}

/// What the commitments add up to.
pub fn balance(shown: &[Commitment]) -> Balance {
    let mut balance = Balance::default();
    let mut counted_cents: i64 = 0;
    let promised = shown.iter().filter(|commitment| {
        !matches!(
            commitment.state,
            CommitmentState::Declined | CommitmentState::Withdrawn
        )
    });
    for commitment in promised {
        let side = match commitment.side {
            Side::Commune => &mut balance.commune,
            Side::Holder => &mut balance.holder,
            Side::Host => &mut balance.host,
            Side::ThirdParty => &mut balance.third_party,
        };
        side.add(commitment, commitment.value_cents);
        add(&mut balance.promised_cents, commitment.value_cents);
        add(&mut balance.delivered_cents, commitment.delivered_cents);
        add(
            &mut counted_cents,
            commitment.delivered_cents.min(commitment.value_cents),
        );
        add(&mut balance.late_count, i64::from(commitment.is_late));
        if let Some(due_on) = commitment.next_due_on {
            balance.due.push(DueCommitment {
                commitment_id: commitment.id,
                initiative_id: commitment.initiative_id,
                side: commitment.side,
                title: commitment.title.clone(),
                due_on,
                is_late: commitment.is_late,
            });
        }
    }
    for side in [
        &mut balance.commune,
        &mut balance.holder,
        &mut balance.host,
        &mut balance.third_party,
    ] {
        side.kinds.sort_by_key(|known| known.kind);
    }
    balance
        .due
        .sort_by_key(|due| (!due.is_late, due.due_on, due.commitment_id));
    balance.due.truncate(DUE_MAX);
    let residents = [&balance.holder, &balance.host, &balance.third_party]
        .into_iter()
        .map(|side| BigDecimal::from(side.delivered_cents))
        .sum::<BigDecimal>();
    let all = &residents + BigDecimal::from(balance.commune.delivered_cents);
    balance.residents_share = rate(&residents, &all).map(|share| plain(&share));
    balance.progress =
        (balance.promised_cents > 0).then(|| progress(counted_cents, balance.promised_cents));
    balance
}

#[cfg(test)]
mod tests {
    use super::progress;

    #[test]
    fn progress_has_two_decimals_and_stays_within_one() {
        assert_eq!(progress(0, 300), "0.00");
        assert_eq!(progress(100, 300), "0.33");
        assert_eq!(progress(300, 300), "1.00");
        assert_eq!(progress(400, 300), "1.00");
        assert_eq!(progress(0, 0), "1.00");
        assert_eq!(progress(i64::MAX / 2, i64::MAX), "0.49");
    }
}
