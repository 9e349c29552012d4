//! The private cluster as the rest of the program sees it: start it, ask for its URL, stop it.

use super::account::Account;
use super::download::download;
use super::error::EmbeddedError;
use super::lock::Lock;
use super::options::Options;
use super::place::Place;
use super::programs::Programs;
use super::search::installed;
use super::server::Server;
use super::stop::Stop;
use super::supervisor::Supervisor;
use super::{Address, USER, create};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A running PostgreSQL of the program's own. [`Cluster::stop`] ends it; dropping it does too,
/// but blocks the thread for as long as that takes.
///
/// The parts are dropped in this order: the server ends before another program may have the
/// folder, and before a throwaway's folder is removed.
pub struct Cluster {
    server: Server,
    lock: Lock,
    supervisor: Option<Supervisor>,
    address: Address,
    place: Place,
    is_new: bool,
}

impl Cluster {
    /// Starts the cluster of a data folder; makes it, or recovers what a killed program has
    /// left, as needed.
    ///
    /// # Errors
    /// When another program uses the folder, no programs of PostgreSQL can be had, or they fail.
    pub async fn start(options: Options) -> Result<Self, EmbeddedError> {
        let (place, account) = Place::settle(&options.data_dir).await?;
        let lock = Lock::take(&place.folder).await?;
        place.explain(&account, &*options.progress);
        place.make_cluster(&account)?;
        let made_by = create::major(&place)?;
        let programs = obtain(&options, made_by, &place, &account)
            .await
            .map_err(|error| other_major(error, made_by, &place))?;
        let address = Address::of(&place, &account);
        let parts = (place, account, programs, address, lock);
        Self::launch(parts, None, made_by.is_none(), &options).await
    }

    /// Starts a cluster for tests in a temporary folder: fast rather than durable, and ended and
    /// removed however this process ends. `data_dir` only keeps programs that are downloaded.
    ///
    /// # Errors
    /// When no programs of PostgreSQL can be had, or they fail.
    pub async fn throwaway(mut options: Options) -> Result<Self, EmbeddedError> {
        options.durable = false;
        let programs = match installed(&options, None, None).await? {
            Some(programs) => programs,
            None => {
                let (shelf, account) = Place::settle(&options.data_dir).await?;
                obtain(&options, None, &shelf, &account).await?
            }
        };
        let (place, account) = Place::settle(&std::env::temp_dir().join(unique_name())).await?;
        let address = Address::of(&place, &account);
        let supervisor = Supervisor::start(&place, &address)?;
        let lock = Lock::take(&place.folder).await?;
        place.make_cluster(&account)?;
        let parts = (place, account, programs, address, lock);
        Self::launch(parts, Some(supervisor), true, &options).await
    }

    async fn launch(
        (place, account, programs, mut address, lock): (Place, Account, Programs, Address, Lock),
        supervisor: Option<Supervisor>,
        is_new: bool,
        options: &Options,
    ) -> Result<Self, EmbeddedError> {
        if is_new {
            (options.progress)("a new PostgreSQL cluster is being made");
            create::create(&place, &programs, &account, options.durable).await?;
        }
        address.prepare(&account)?;
        // Nobody will miss what an unclean stop loses of a throwaway.
        let stop = match supervisor {
            Some(_) => Stop::Immediate,
            None => Stop::Fast,
        };
        let server = Server::start(&place, &address, &programs, &account, options, stop).await?;
        Ok(Self {
            server,
            lock,
            supervisor,
            address,
            place,
            is_new,
        })
    }

    /// The URL of a database of this cluster, for its superuser. Only `postgres` and the
    /// templates exist in a new cluster.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.address.url(USER, database)
    }

    /// Whether this start has made the cluster.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The folder that really holds the cluster.
    #[must_use]
    pub fn location(&self) -> &Path {
        &self.place.home
    }

    /// Ends the sessions and the server, and waits until it has left.
    ///
    /// # Errors
    /// When the server does not end.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        self.server.stop().await?;
        if let Some(folder) = self.address.folder_apart() {
            // Empty now; the next start makes it again.
            let _ = std::fs::remove_dir(folder);
        }
        drop(self.lock);
        if let Some(supervisor) = self.supervisor {
            supervisor.finish().await;
        }
        Ok(())
    }
}

/// The programs of this machine, or downloaded ones.
async fn obtain(
    options: &Options,
    needed: Option<u32>,
    place: &Place,
    account: &Account,
) -> Result<Programs, EmbeddedError> {
    let shelf = place.programs();
    match installed(options, needed, Some(&shelf)).await? {
        Some(programs) => Ok(programs),
        None => download(options, needed, &shelf, account).await,
    }
}

/// Names the version that an existing cluster needs, when its programs could not be had.
fn other_major(error: EmbeddedError, made_by: Option<u32>, place: &Place) -> EmbeddedError {
    match (error, made_by) {
        (EmbeddedError::NoPrograms { reason }, Some(major)) => EmbeddedError::OtherMajor {
            data: place.data(),
            major,
            reason,
        },
        (error, _) => error,
    }
}

/// A name that no other process uses, nor another cluster of this one.
fn unique_name() -> String {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos());
    format!("fifty-fifty-{}-{nanos:x}", std::process::id())
}
