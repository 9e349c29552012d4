//! What time does by itself: the program turns it every hour, and each turn may be repeated without harm.

use crate::clients::usage;
use crate::commitments::fulfilments::model as fulfilments;
use crate::commitments::model as commitments;
use crate::conventions::model as conventions;
use crate::documents::model as documents;
use crate::evaluations::model as evaluations;
use crate::exports::changes;
use crate::http::error::ApiError;
use crate::idempotency;
use crate::imports::model as imports;
use crate::initiatives::model as initiatives;
use crate::state::{Session, State};
use crate::webhooks::model as webhooks;
use crate::worklist::reminders;

/// One turn, each chore in transactions of its own. A chore takes a hundred at a time; what a long stop has left is caught
/// up in the same turn.
pub async fn turn(state: &State) -> Result<(), ApiError> {
    // First, so that nothing lapses that was not announced.
    let said = reminders::say(state).await?;
    let lapsed = all(state, initiatives::lapse_by_time).await?;
    let acknowledged = all(state, fulfilments::acknowledge_by_silence).await?;
    let agreed = all(state, evaluations::agree_by_silence).await?;
    let expired = all(state, conventions::expire_by_time).await?;

    let freed = all(state, commitments::free_what_is_terminated).await?;

    let mut session = state.as_time_passes().await?;
    let now = session.now;
    let forgotten = idempotency::forget(&mut session.conn, now)
        .await
        .map_err(ApiError::from);
    session.finish(forgotten).await?;

    all(state, changes::add_up).await?;
    let mut session = state.as_time_passes().await?;
    let forgotten = webhooks::forget(&mut session).await;
    session.finish(forgotten).await?;
    let mut session = state.as_time_passes().await?;
    let forgotten = usage::forget(&mut session).await;
    session.finish(forgotten).await?;

    let mut swept = 0;
    loop {
        let more = documents::sweep(state).await? + imports::sweep(state).await?;
        if more == 0 {
            break;
        }
        swept += more;
    }

    if said + lapsed + acknowledged + agreed + expired + freed + swept > 0 {
        tracing::info!(
            said,
            lapsed,
            acknowledged,
            agreed,
            expired,
            freed,
            swept,
            "time has passed"
        );
    }
    Ok(())
}

/// Repeats a chore until nothing is left to do.
async fn all(
    state: &State,
    chore: impl AsyncFn(&mut Session) -> Result<usize, ApiError>,
) -> Result<usize, ApiError> {
    let mut count = 0;
    loop {
        let mut session = state.as_time_passes().await?;
        let done = chore(&mut session).await;
        match session.finish(done).await? {
            0 => return Ok(count),
            done => count += done,
        }
    }
}
