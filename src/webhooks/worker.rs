//! Sends what is due. Each process of the API has a worker; they take deliveries from the same table and never the same
//! one. A delivery that was under way when its process ended is sent again, with the same id.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use chrono::TimeDelta;
use serde::Serialize;
use tokio::task::JoinSet;

use super::address::{self, NotPublic, PublicOnly};
use super::dto::DeliveryFault;
use super::model::{self, Claimed, Outcome, WebhookRow};
use super::signing;
use crate::changes;
use crate::changes::model as feed;
use crate::http::error::ApiError;
use crate::ids::WebhookId;
use crate::state::State;

/// How requests are sent.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long a receiver may take to answer.
    pub timeout: Duration,
    /// The pause after the first failure; the others grow with it.
    pub pause: Duration,
    /// Whether http and addresses that are not public are allowed: for tests.
    pub allow_private: bool,
}

/// The pauses between attempts, as multiples of the first one: of five seconds these are 5 s, 30 s, 2 min, 10 min, 1 h, 3 h,
/// 6 h, 12 h and 24 h.
const PAUSES: [u32; 9] = [1, 6, 24, 120, 720, 2160, 4320, 8640, 17280];
/// How often the database is asked for what is due.
const TURN: Duration = Duration::from_millis(500);
/// Requests under way at once, of a process and of each webhook: a slow receiver keeps nobody else waiting.
const ALL: usize = 32;
const EACH: usize = 4;

/// What a request says.
#[derive(Serialize)]
struct Message<T> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: chrono::DateTime<chrono::Utc>,
    data: T,
}

/// The test of a webhook.
#[derive(Serialize)]
struct Ping {
    webhook_id: WebhookId,
}

/// Hands out and sends, for as long as the program runs.
pub async fn run(state: State) {
    let http = match client(state.webhooks) {
        Ok(http) => http,
        Err(error) => {
            tracing::error!(cause = %error, "webhooks are not sent");
            return;
        }
    };
    let mut under_way: JoinSet<WebhookId> = JoinSet::new();
    let mut counts: HashMap<WebhookId, usize> = HashMap::new();
    let mut turns = tokio::time::interval(TURN);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = turns.tick() => {
                if let Err(error) = hand_out(&state).await {
                    tracing::warn!(cause = %error, "handing changes out to webhooks");
                }
            }
            Some(ended) = under_way.join_next() => {
                if let Ok(webhook) = ended
                    && let Some(count) = counts.get_mut(&webhook)
                {
                    *count -= 1;
                }
            }
        }
        counts.retain(|_, count| *count > 0);
        while under_way.len() < ALL {
            let claimed = match claim(&state, under_way.len(), &counts).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::warn!(cause = %error, "looking for deliveries");
                    break;
                }
            };
            if claimed.is_empty() {
                break;
            }
            for claimed in claimed {
                *counts.entry(claimed.webhook_id).or_default() += 1;
                under_way.spawn(deliver_one(state.clone(), http.clone(), claimed));
            }
        }
    }
}

async fn deliver_one(state: State, http: reqwest::Client, claimed: Claimed) -> WebhookId {
    let webhook = claimed.webhook_id;
    if let Err(error) = deliver(&state, &http, claimed).await {
        tracing::warn!(cause = %error, "a delivery waits for its lease to end");
    }
    webhook
}

/// A client that goes where it is told and nowhere else.
fn client(options: Options) -> reqwest::Result<reqwest::Client> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(options.timeout)
        .https_only(!options.allow_private)
        // A connection that is kept would skip the look at its address.
        .pool_max_idle_per_host(0)
        .user_agent(concat!("fifty-fifty/", env!("CARGO_PKG_VERSION")));
    if options.allow_private {
        client.build()
    } else {
        client.dns_resolver(PublicOnly).build()
    }
}

async fn hand_out(state: &State) -> Result<(), ApiError> {
    let head = {
        let mut conn = state.pool.get().await.map_err(ApiError::busy)?;
        feed::head(&mut conn).await?
    };
    loop {
        let mut session = state.as_time_passes().await?;
        let more = model::hand_out(&mut session, head).await;
        if !session.finish(more).await? {
            return Ok(());
        }
    }
}

async fn claim(
    state: &State,
    under_way: usize,
    counts: &HashMap<WebhookId, usize>,
) -> Result<Vec<Claimed>, ApiError> {
    // A request and what is written after it take less.
    let lease = TimeDelta::from_std(state.webhooks.timeout * 3).map_err(ApiError::internal)?;
    let free = i64::try_from(ALL.saturating_sub(under_way)).unwrap_or(0);
    let busy = counts
        .iter()
        .filter(|(_, count)| **count >= EACH)
        .map(|(webhook, _)| *webhook)
        .collect();
    let mut conn = state.pool.get().await.map_err(ApiError::busy)?;
    Ok(model::claim(&mut conn, state.clock.now(), lease, busy, free).await?)
}

/// Sends one delivery and writes down how that ended. No connection to the database is held meanwhile.
async fn deliver(state: &State, http: &reqwest::Client, claimed: Claimed) -> Result<(), ApiError> {
    let (webhook, body) = message(state, &claimed).await?;
    let outcome = match body {
        None => Outcome::Void,
        Some(body) => match send(state, http, &webhook, &claimed, body).await? {
            Ok(status) => Outcome::Received(status),
            Err((status, fault)) => Outcome::Failed {
                status,
                fault,
                again: pause(state.webhooks.pause, claimed.attempts)?,
            },
        },
    };
    let mut session = state.as_time_passes().await?;
    let done = model::conclude(&mut session, &claimed, outcome).await;
    session.finish(done).await
}

/// What there is to say now, as everybody may read it; nothing when that is nothing.
async fn message(
    state: &State,
    claimed: &Claimed,
) -> Result<(WebhookRow, Option<String>), ApiError> {
    let mut conn = state.pool.get().await.map_err(ApiError::busy)?;
    let webhook = model::find(&mut conn, claimed.webhook_id).await?;
    let Some(position) = claimed.change_position else {
        let ping = Message {
            kind: "ping".to_owned(),
            timestamp: claimed.created_at,
            data: Ping {
                webhook_id: webhook.id,
            },
        };
        let body = serde_json::to_string(&ping).map_err(ApiError::internal)?;
        return Ok((webhook, Some(body)));
    };
    let row = feed::find(&mut conn, position).await?;
    let change = changes::routes::shown(state, &mut conn, vec![row])
        .await?
        .pop();
    let body = change
        .map(|change| {
            serde_json::to_string(&Message {
                kind: format!("{}.{}", change.kind, change.change),
                timestamp: change.at,
                data: change,
            })
        })
        .transpose()
        .map_err(ApiError::internal)?;
    Ok((webhook, body))
}

type Sent = Result<i16, (Option<i16>, DeliveryFault)>;

/// One request. Nothing of the answer is read but its status.
async fn send(
    state: &State,
    http: &reqwest::Client,
    webhook: &WebhookRow,
    claimed: &Claimed,
    body: String,
) -> Result<Sent, ApiError> {
    let url = match reqwest::Url::parse(&webhook.url) {
        Ok(url) if state.webhooks.allow_private || address::is_allowed(&url) => url,
        _ => return Ok(Err((None, DeliveryFault::Address))),
    };
    let now = state.clock.now();
    let (id, timestamp) = (claimed.id.to_string(), now.timestamp());
    let signature = signing::signatures(&webhook.secrets(now), &id, timestamp, &body)?;
    let answer = http
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(body)
        .send()
        .await;
    Ok(match answer {
        Ok(answer) => {
            let status = i16::try_from(answer.status().as_u16()).map_err(ApiError::internal)?;
            if answer.status().is_success() {
                Ok(status)
            } else {
                Err((Some(status), DeliveryFault::Status))
            }
        }
        Err(error) => Err((None, fault(&error))),
    })
}

fn fault(error: &reqwest::Error) -> DeliveryFault {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<NotPublic>() {
            return DeliveryFault::Address;
        }
        cause = error.source();
    }
    if error.is_timeout() {
        DeliveryFault::Timeout
    } else {
        DeliveryFault::Connection
    }
}

/// The pause after so many attempts, a fifth longer or shorter so that what failed together does not come back together.
fn pause(first: Duration, attempts: i32) -> Result<Option<TimeDelta>, ApiError> {
    let place = usize::try_from(attempts).unwrap_or(0).saturating_sub(1);
    let Some(times) = PAUSES.get(place) else {
        return Ok(None);
    };
    let thousandths = 800 + getrandom::u32().map_err(ApiError::internal)? % 401;
    let pause = first * *times * thousandths / 1000;
    TimeDelta::from_std(pause)
        .map(Some)
        .map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_in_two_days() {
        let first = Duration::from_secs(5);
        let mut whole = Duration::ZERO;
        for (attempts, times) in (1..).zip(PAUSES) {
            let (meant, before) = (first * times, whole);
            // Whatever chance says.
            let pause = pause(first, attempts).unwrap().unwrap().to_std().unwrap();
            assert!(
                pause >= meant * 4 / 5 && pause <= meant * 6 / 5,
                "{attempts}: {pause:?}"
            );
            assert!(meant >= before, "{attempts}: {meant:?}");
            whole += meant;
        }
        let hours = whole.as_secs() / 3600;
        assert!((36..56).contains(&hours), "{hours}");
        assert_eq!(pause(first, 10).unwrap(), None);
    }
}
