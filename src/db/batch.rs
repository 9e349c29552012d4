//! Lookups of single rows, several to a query. Those that come while one is under way wait for it and are answered
//! together by the next: nobody waits who is alone, and under load a query answers as many as its text has places for.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::Hash;

use actix_web::web::Data;
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use tokio::sync::oneshot;

use super::Pool;
use crate::http::error::ApiError;

/// How many keys a query has places for. The text is always the same, so PostgreSQL plans it once; an array of any
/// length would be planned each time, for the plan of a short one looks cheaper than that of an unknown one.
pub const PLACES: usize = 8;

/// What is found by a key.
pub trait Lookup: Clone + 'static {
    type Key: Copy + Eq + Hash + 'static;

    /// What there is under these keys, of which some may be the same.
    fn find(
        conn: &AsyncPgConnection,
        keys: [Self::Key; PLACES],
    ) -> impl Future<Output = QueryResult<Vec<Self>>>;

    /// The key under which it was found.
    fn key(&self) -> Self::Key;
}

type Waiting<V> = (<V as Lookup>::Key, oneshot::Sender<Result<V, ApiError>>);

/// The lookups of one worker.
pub struct Batch<V: Lookup> {
    waiting: RefCell<Vec<Waiting<V>>>,
    running: Cell<bool>,
}

impl<V: Lookup> Default for Batch<V> {
    fn default() -> Self {
        Self {
            waiting: RefCell::default(),
            running: Cell::default(),
        }
    }
}

impl<V: Lookup> Batch<V> {
    /// What is under this key, as it was committed before now or later; 404 when nothing is.
    pub async fn get(lookups: &Data<Self>, pool: &Pool, key: V::Key) -> Result<V, ApiError> {
        let (tell, told) = oneshot::channel();
        lookups.waiting.borrow_mut().push((key, tell));
        if !lookups.running.replace(true) {
            let (lookups, pool) = (Data::clone(lookups), pool.clone());
            // A task of its own: whoever began may hang up, and others wait.
            actix_web::rt::spawn(async move {
                let _running = Running(&lookups.running);
                while let Some(waiting) = lookups.take() {
                    answer(&pool, waiting).await;
                }
            });
        }
        told.await.map_err(ApiError::internal)?
    }

    fn take(&self) -> Option<Vec<Waiting<V>>> {
        let mut waiting = self.waiting.borrow_mut();
        let count = waiting.len().min(PLACES);
        (count > 0).then(|| waiting.drain(..count).collect())
    }
}

/// Ends with the task, however that ends.
struct Running<'a>(&'a Cell<bool>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

async fn answer<V: Lookup>(pool: &Pool, waiting: Vec<Waiting<V>>) {
    let found = find(pool, &waiting).await;
    for (key, tell) in waiting {
        let answer = match &found {
            Ok(found) => found.get(&key).cloned().ok_or_else(ApiError::not_found),
            Err(error) => Err(error.clone()),
        };
        // Who has hung up hears nothing.
        let _ = tell.send(answer);
    }
}

async fn find<V: Lookup>(
    pool: &Pool,
    waiting: &[Waiting<V>],
) -> Result<HashMap<V::Key, V>, ApiError> {
    let Some((first, _)) = waiting.first() else {
        return Ok(HashMap::new());
    };
    let mut keys = [*first; PLACES];
    for (place, (key, _)) in keys.iter_mut().zip(waiting) {
        *place = *key;
    }
    let conn = pool.get().await.map_err(ApiError::busy)?;
    let found = V::find(&conn, keys).await?;
    Ok(found
        .into_iter()
        .map(|value| (value.key(), value))
        .collect())
}
