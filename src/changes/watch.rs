//! Waiting for changes: one task of the process asks the database for all who wait, and none asks while nobody waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::model;
use crate::db::Pool;
use crate::http::error::ApiError;
use crate::state::State;

/// How often the database is asked.
const PAUSE: Duration = Duration::from_millis(250);

/// What is known of the feed in this process.
#[derive(Default)]
pub struct Watch {
    heads: watch::Sender<Heads>,
    asking: AtomicBool,
}

/// How far the feed has come.
#[derive(Default)]
struct Heads {
    /// Changes up to here are not told apart by commune.
    since: i64,
    all: i64,
    communes: HashMap<String, i64>,
    /// The program ends.
    over: bool,
}

impl Heads {
    /// Whether there may be changes behind a place.
    fn passed(&self, commune: Option<&str>, after: i64) -> bool {
        let head = match commune {
            None => Some(&self.all),
            Some(commune) => self.communes.get(commune),
        };
        self.over || self.since > after || head.is_some_and(|head| *head > after)
    }
}

impl Watch {
    /// Lets everybody go who waits, now and from now on.
    pub fn end(&self) {
        self.heads.send_modify(|heads| heads.over = true);
    }
}

/// Waits until there may be changes behind a place that was the end of the feed; false when there are none in time.
pub async fn passes(state: &State, commune: Option<&str>, after: i64, until: Instant) -> bool {
    let watch = &state.feed;
    let mut heads = watch.heads.subscribe();
    if !watch.asking.swap(true, Ordering::SeqCst) {
        watch.heads.send_if_modified(|heads| {
            if after > heads.all {
                (heads.since, heads.all) = (after, after);
            }
            false
        });
        // A task of its own: whoever began may hang up, and others wait.
        actix_web::rt::spawn(ask(state.clone()));
    }
    let passed = heads.wait_for(|heads| heads.passed(commune, after));
    timeout_at(until, passed)
        .await
        .is_ok_and(|passed| passed.is_ok_and(|heads| !heads.over))
}

/// Ends with the task, however that ends.
struct Asking<'a>(&'a AtomicBool);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Asks as long as somebody waits.
async fn ask(state: State) {
    let watch = &state.feed;
    loop {
        let asking = Asking(&watch.asking);
        while watch.heads.receiver_count() > 0 {
            tokio::time::sleep(PAUSE).await;
            let all = watch.heads.borrow().all;
            match look(&state.pool, all).await {
                Ok((head, communes)) if head > all => watch.heads.send_modify(|heads| {
                    heads.all = head;
                    heads.communes.extend(communes);
                }),
                Ok(_) => {}
                Err(error) => tracing::warn!(cause = %error, "looking for changes"),
            }
        }
        drop(asking);
        // Somebody may have come at the last moment, and have seen this task at work.
        if watch.heads.receiver_count() == 0 || watch.asking.swap(true, Ordering::SeqCst) {
            return;
        }
    }
}

/// The end of the feed, and the last change of each commune behind a place.
async fn look(pool: &Pool, after: i64) -> Result<(i64, Vec<(String, i64)>), ApiError> {
    let mut conn = pool.get().await.map_err(ApiError::busy)?;
    let head = model::head(&mut conn).await?;
    let communes = if head > after {
        model::latest(&mut conn, after).await?
    } else {
        Vec::new()
    };
    // What came between the two questions is told with the next.
    let head = communes.iter().map(|(_, last)| *last).max().unwrap_or(head);
    Ok((head, communes))
}
