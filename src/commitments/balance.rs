//! What was promised and what was delivered of it.

use bigdecimal::{BigDecimal, ToPrimitive};
use diesel::dsl::sum;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Balance, Commitment, Side};
use super::lifecycle::{CommitmentState, FulfilmentState};
use crate::db::schema::{commitments, fulfilments};
use crate::http::error::ApiError;
use crate::ids::{CommitmentId, InitiativeId};

/// Delivered of promised with two decimals, never above 1.
pub fn progress(delivered_cents: i64, value_cents: i64) -> String {
    if value_cents <= 0 {
        return "1.00".to_owned();
    }
    let hundredths = delivered_cents.clamp(0, value_cents).saturating_mul(100) / value_cents;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Value of the acknowledged fulfilments of each commitment of an initiative.
pub async fn delivered(
    conn: &mut AsyncPgConnection,
    id: InitiativeId,
) -> Result<Vec<(CommitmentId, i64)>, ApiError> {
    let sums: Vec<(CommitmentId, Option<BigDecimal>)> = fulfilments::table
        .inner_join(
            commitments::table.on(commitments::id
                .eq(fulfilments::commitment_id)
                .and(commitments::commune_code.eq(fulfilments::commune_code))),
        )
        .filter(commitments::initiative_id.eq(id))
        .filter(commitments::commune_code.eq(id.commune()))
        .filter(fulfilments::state.eq(FulfilmentState::Acknowledged))
        .group_by(fulfilments::commitment_id)
        .select((fulfilments::commitment_id, sum(fulfilments::value_cents)))
        .load(conn)
        .await?;
    Ok(sums
        .into_iter()
        .map(|(id, cents)| (id, whole(cents)))
        .collect())
}

/// Value of the acknowledged fulfilments of one commitment.
pub async fn delivered_of(conn: &mut AsyncPgConnection, id: CommitmentId) -> Result<i64, ApiError> {
    let cents: Option<BigDecimal> = fulfilments::table
        .filter(fulfilments::commitment_id.eq(id))
        .filter(fulfilments::commune_code.eq(id.commune()))
        .filter(fulfilments::state.eq(FulfilmentState::Acknowledged))
        .select(sum(fulfilments::value_cents))
        .first(conn)
        .await?;
    Ok(whole(cents))
}

fn whole(cents: Option<BigDecimal>) -> i64 {
    cents.and_then(|cents| cents.to_i64()).unwrap_or(0)
}

/// What the commitments add up to, by side.
pub fn balance(shown: &[Commitment]) -> Balance {
    let mut balance = Balance::default();
    for commitment in shown {
        let side = match commitment.side {
            Side::Commune => &mut balance.commune,
            Side::Holder => &mut balance.holder,
            Side::Host => &mut balance.host,
            Side::ThirdParty => &mut balance.third_party,
        };
        if !matches!(
            commitment.state,
            CommitmentState::Declined | CommitmentState::Withdrawn
        ) {
            side.promised_cents += commitment.value_cents;
        }
        side.delivered_cents += commitment.delivered_cents;
    }
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
    }
}
