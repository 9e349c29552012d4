//! One throwaway PostgreSQL for the whole run, with a migrated template that every test clones.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel_async::SimpleAsyncConnection;
use fifty_fifty::communes::reference_data;
use fifty_fifty::db;
use fifty_fifty::db::embedded::{Cluster, Options};

struct Server {
    /// Address of a database, by its name.
    url: Box<dyn Fn(&str) -> String + Send + Sync>,
}

/// The server is made by whichever test comes first, on a thread with a runtime that outlives them all.
static SERVER: LazyLock<Server> =
    LazyLock::new(|| std::thread::spawn(start).join().expect("PostgreSQL starts"));

static NEXT: AtomicU32 = AtomicU32::new(0);

fn template() -> String {
    format!("fifty_fifty_template_{}", std::process::id())
}

fn start() -> Server {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(async {
        let url: Box<dyn Fn(&str) -> String + Send + Sync> =
            match std::env::var("TEST_DATABASE_URL") {
                Ok(elsewhere) => {
                    let (server, _) = elsewhere
                        .rsplit_once('/')
                        .expect("TEST_DATABASE_URL: postgres://…/database");
                    let server = server.to_owned();
                    Box::new(move |database| format!("{server}/{database}"))
                }
                Err(_) => {
                    // Its supervisor ends it when this process is gone, however it went.
                    let cluster = Cluster::throwaway(Options::new(""))
                        .await
                        .expect("a throwaway cluster");
                    let cluster: &'static Cluster = Box::leak(Box::new(cluster));
                    Box::new(|database| cluster.url(database))
                }
            };
        let mut maintenance = db::connect_unlimited(&url("postgres")).await.unwrap();
        maintenance
            .batch_execute(&format!("DROP DATABASE IF EXISTS {}", template()))
            .await
            .unwrap();
        maintenance
            .batch_execute(&format!("CREATE DATABASE {}", template()))
            .await
            .unwrap();
        db::migrate(&url(&template()))
            .await
            .expect("migrations run");
        let mut conn = db::connect_unlimited(&url(&template())).await.unwrap();
        reference_data::load(&mut conn)
            .await
            .expect("reference data load");
        conn.batch_execute("VACUUM ANALYZE").await.unwrap();
        Server { url }
    });
    std::mem::forget(runtime);
    server
}

/// A database for one test, dropped with it.
pub struct TestDatabase {
    pub url: String,
    name: String,
}

impl TestDatabase {
    pub async fn new() -> Self {
        let name = format!(
            "fifty_fifty_test_{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::SeqCst)
        );
        let server = tokio::task::spawn_blocking(|| &*SERVER).await.unwrap();
        let mut maintenance = db::connect_unlimited(&(server.url)("postgres"))
            .await
            .unwrap();
        let clone = format!(
            "CREATE DATABASE {name} TEMPLATE {} STRATEGY file_copy",
            template()
        );
        maintenance.batch_execute(&clone).await.unwrap();
        Self {
            url: (server.url)(&name),
            name,
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A destructor cannot await, and the test's own runtime may be ending.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let mut maintenance = db::connect_unlimited(&(SERVER.url)("postgres"))
                    .await
                    .unwrap();
                maintenance.batch_execute(&drop).await.unwrap();
            });
        });
        let _ = dropped.join();
    }
}
