//! What the whole application shares, and the two ways in which handlers reach the database: to read, and to write.

use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection, TransactionManager};
use ipnet::IpNet;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::auth::actor::Actor;
use crate::auth::caller::Request;
use crate::auth::passwords::Passwords;
use crate::auth::tokens::Keys;
use crate::changes::watch::Watch;
use crate::clients::usage::Usage;
use crate::clock::{Clock, paris_day};
use crate::db::{Connection, DatabaseError, Pool};
use crate::documents::storage::Storage;
use crate::http::cursor::{Cursors, Page};
use crate::http::error::ApiError;
use crate::http::reply::{Answer, Reply};
use crate::ids::UserId;
use crate::{idempotency, webhooks};

/// Shared by all requests; a clone is the same state.
#[derive(Clone)]
pub struct State {
    shared: Arc<Shared>,
    /// Where the feed of changes has come to.
    pub feed: Arc<Watch>,
    /// How much programs of partners do.
    pub usage: Arc<Usage>,
    pub pool: Pool,
}

/// What a state is made of.
pub struct Shared {
    pub clock: Clock,
    pub keys: Keys,
    pub passwords: Passwords,
    pub cursors: Cursors,
    /// Where the bytes of documents are.
    pub documents: Storage,
    /// Largest file that is imported, in bytes.
    pub import_max_bytes: u64,
    /// How webhooks are sent.
    pub webhooks: webhooks::worker::Options,
    /// Whose word on where a request comes from is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether `grant_type=password` is open.
    pub password_grant: bool,
}

/// A connection, the moment, and who acts.
pub struct Session {
    pub conn: Connection,
    pub now: DateTime<Utc>,
    pub actor: Actor,
}

type Manager = <AsyncPgConnection as AsyncConnection>::TransactionManager;

impl Session {
    /// The day of this request in Europe/Paris.
    pub fn today(&self) -> NaiveDate {
        paris_day(self.now)
    }
}

impl Deref for State {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Session {
    /// Ends a transaction: commits what succeeded, takes back what failed.
    pub async fn finish<T>(mut self, done: Result<T, ApiError>) -> Result<T, ApiError> {
        match &done {
            Ok(_) => Manager::commit_transaction(&mut *self.conn).await?,
            Err(_) => Manager::rollback_transaction(&mut *self.conn).await?,
        }
        done
    }
}

impl State {
    /// The state of a new application.
    pub fn new(shared: Shared, pool: Pool) -> Self {
        Self {
            shared: Arc::new(shared),
            feed: Arc::default(),
            usage: Arc::default(),
            pool,
        }
    }

    /// The same state for one of so many workers, with connections of its own: a connection is driven by the thread
    /// that opened it, and one that is used on another thread wakes two for each answer.
    pub fn for_one_of(&self, workers: usize) -> Result<Self, DatabaseError> {
        Ok(Self {
            shared: Arc::clone(&self.shared),
            feed: Arc::clone(&self.feed),
            usage: Arc::clone(&self.usage),
            pool: self.pool.share(workers)?,
        })
    }

    async fn session(&self, request: &Request, lock: bool) -> Result<Session, ApiError> {
        let now = self.clock.now();
        let mut conn = self.pool.get().await.map_err(ApiError::busy)?;
        if lock {
            Manager::begin_transaction(&mut *conn).await?;
        }
        let actor = match (request.user, &request.client) {
            (Some(account), Some(shown)) => {
                Actor::load_program(&conn, account, Some(shown), now, lock).await
            }
            (user, _) => Actor::load(&conn, user, now, lock).await,
        };
        // A program shows which of its secrets its token was given for.
        let actor = actor.and_then(|actor| match &request.client {
            None if actor.is_program() => Err(ApiError::unauthorized(true)),
            _ => Ok(actor),
        });
        match actor {
            Ok(actor) => Ok(Session { conn, now, actor }),
            Err(error) => {
                if lock {
                    Manager::rollback_transaction(&mut *conn).await?;
                }
                Err(error)
            }
        }
    }

    /// A transaction in which nobody acts but time; end it with `finish`.
    pub async fn as_time_passes(&self) -> Result<Session, ApiError> {
        let now = self.clock.now();
        let mut conn = self.pool.get().await.map_err(ApiError::busy)?;
        Manager::begin_transaction(&mut *conn).await?;
        Ok(Session {
            conn,
            now,
            actor: Actor::default(),
        })
    }

    /// A transaction in the name of somebody who has asked for it before, with the rights that they have now; end it with
    /// `finish`.
    pub async fn in_the_name_of(&self, user: UserId) -> Result<Session, ApiError> {
        let mut session = self.as_time_passes().await?;
        match Actor::load(&session.conn, Some(user), session.now, true).await {
            Ok(actor) => {
                session.actor = actor;
                Ok(session)
            }
            Err(error) => session.finish(Err(error)).await,
        }
    }

    /// A connection to read what everybody may read, whoever asks.
    pub async fn as_everybody(&self) -> Result<Session, ApiError> {
        Ok(Session {
            now: self.clock.now(),
            conn: self.pool.get().await.map_err(ApiError::busy)?,
            actor: Actor::default(),
        })
    }

    /// A connection to read with; each statement sees the latest commit.
    pub async fn read(&self, request: &Request) -> Result<Session, ApiError> {
        self.session(request, false).await
    }

    /// A transaction of the caller's before the one that answers; end it with `finish`.
    pub async fn begin(&self, request: &Request) -> Result<Session, ApiError> {
        self.session(request, true).await
    }

    /// Runs `work` in one transaction and commits when it succeeds. The work goes on to its end in a task of its own
    /// when the client hangs up. A repeated `Idempotency-Key` gets the stored answer instead.
    pub async fn write<F>(&self, request: &Request, work: F) -> Answer
    where
        F: AsyncFnOnce(&mut Session) -> Answer + 'static,
    {
        let (state, request) = (self.clone(), request.clone());
        actix_web::rt::spawn(async move {
            let mut session = state.session(&request, true).await?;
            let answer = idempotency::once(&mut session, &request, &state.cursors, work).await;
            session.finish(answer).await
        })
        .await
        .map_err(ApiError::internal)?
    }

    /// Where a list goes on, if the caller came with a cursor of this very list.
    pub fn after<P: DeserializeOwned>(
        &self,
        request: &Request,
        cursor: Option<&str>,
    ) -> Result<Option<P>, ApiError> {
        cursor
            .map(|cursor| self.cursors.open(&request.list_scope(), cursor))
            .transpose()
    }

    /// A page as an answer. `position` tells where an item stands, `wrap` makes the named page of its items.
    pub fn page<T, P: Serialize, B: Serialize>(
        &self,
        request: &Request,
        page: Page<T>,
        position: impl FnOnce(&T) -> P,
        wrap: impl FnOnce(Vec<T>, bool, Option<String>) -> B,
    ) -> Answer {
        let scope = request.list_scope();
        let next_cursor = match page.items.last() {
            Some(last) if page.has_more => Some(self.cursors.seal(&scope, &position(last))?),
            _ => None,
        };
        let mut link = format!("<{scope}>; rel=\"first\"");
        if let Some(cursor) = &next_cursor {
            let joint = if scope.contains('?') { '&' } else { '?' };
            link.push_str(&format!(", <{scope}{joint}cursor={cursor}>; rel=\"next\""));
        }
        let reply = Reply::data(&wrap(page.items, page.has_more, next_cursor))?;
        Ok(Reply {
            link: Some(link),
            ..reply
        })
    }
}
