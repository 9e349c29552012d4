//! What time does by itself: the program turns it every hour, and each turn may be repeated without harm.

use crate::commitments::fulfilment_model as fulfilments;
use crate::commitments::model as commitments;
use crate::conventions::model as conventions;
use crate::http::error::ApiError;
use crate::idempotency;
use crate::initiatives::model as initiatives;
use crate::state::State;

/// One turn, each chore in a transaction of its own.
pub async fn turn(state: &State) -> Result<(), ApiError> {
    let mut session = state.as_time_passes().await?;
    let lapsed = initiatives::lapse_by_time(&mut session).await;
    let lapsed = session.finish(lapsed).await?;

    let mut session = state.as_time_passes().await?;
    let acknowledged = fulfilments::acknowledge_by_silence(&mut session).await;
    let acknowledged = session.finish(acknowledged).await?;

    let mut session = state.as_time_passes().await?;
    let expired = conventions::expire_by_time(&mut session).await;
    let expired = session.finish(expired).await?;

    let mut session = state.as_time_passes().await?;
    let freed = commitments::free_what_is_terminated(&mut session).await;
    let freed = session.finish(freed).await?;

    let mut session = state.as_time_passes().await?;
    let now = session.now;
    let forgotten = idempotency::forget(&mut session.conn, now)
        .await
        .map_err(ApiError::from);
    session.finish(forgotten).await?;

    if lapsed + acknowledged + expired + freed > 0 {
        tracing::info!(lapsed, acknowledged, expired, freed, "time has passed");
    }
    Ok(())
}
