//! A cluster's ordinary life: made, stopped, started again, and where it may lie.

use crate::support::*;
use fifty_fifty::db::embedded::{Cluster, EmbeddedError};
use std::process::Command;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_second_start_is_fast_and_keeps_the_data() {
    let folder = folder();
    let data = folder.path().join("data");
    let cluster = Cluster::start(options(&data)).await.unwrap();
    assert!(cluster.is_new());
    let url = cluster.url("postgres");
    sql(&url, "CREATE TABLE t (x text); INSERT INTO t VALUES ('é')").await;
    for (setting, value) in [
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("shared_buffers", "128MB"),
        ("max_connections", "100"),
        ("TimeZone", "UTC"),
        ("jit", "off"),
        ("fsync", "off"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
    ] {
        assert_eq!(sql(&url, &format!("SHOW {setting}")).await, value);
    }
    let (location, family) = (cluster.location().to_owned(), family(server(&data)));
    cluster.stop().await.unwrap();
    assert!(!family.iter().any(|pid| runs(*pid)), "a process is left");

    let begin = Instant::now();
    let cluster = Cluster::start(options(&data)).await.unwrap();
    let took = begin.elapsed();
    eprintln!("the second start took {took:?}");
    assert!(took < Duration::from_millis(1500));
    assert!(!cluster.is_new());
    assert_eq!(cluster.location(), location);
    assert_eq!(sql(&cluster.url("postgres"), "SELECT x FROM t").await, "é");

    // Dropping it ends it as well.
    let server = server(&data);
    drop(cluster);
    assert!(!runs(server));
    assert_eq!(mentioning(&data), Vec::<String>::new());
}

#[tokio::test]
async fn a_durable_cluster_keeps_the_safe_settings() {
    let folder = folder();
    let mut options = options(folder.path());
    options.durable = true;
    let cluster = Cluster::start(options).await.unwrap();
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let value = sql(&cluster.url("postgres"), &format!("SHOW {setting}")).await;
        assert_eq!(value, "on");
    }
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn the_server_is_apart_from_the_program() {
    let folder = folder();
    let cluster = Cluster::start(options(folder.path())).await.unwrap();
    let server = server(folder.path()).to_string();

    // A Ctrl-C goes to the process group of the terminal.
    let groups = ps("pid=,pgid=");
    let group = |pid: &str| {
        groups.lines().find_map(|line| {
            let (id, group) = line.trim().split_once(' ')?;
            (id == pid).then(|| group.trim().to_owned())
        })
    };
    assert_eq!(group(&server), Some(server.clone()));
    assert_ne!(group(&server), group(&std::process::id().to_string()));

    // Nobody but the owner may come near the socket.
    use std::os::unix::fs::PermissionsExt;
    let private = folder.path().join("cluster").metadata().unwrap();
    assert_eq!(private.permissions().mode() & 0o777, 0o700);

    #[cfg(target_os = "linux")]
    {
        for entry in std::fs::read_dir(format!("/proc/{server}/fd")).unwrap() {
            let Ok(target) = entry.unwrap().path().read_link() else {
                continue;
            };
            assert!(!target.ends_with("lock"), "the lock is inherited");
        }
        let status = std::fs::read_to_string(format!("/proc/{server}/status")).unwrap();
        if is_root() {
            let groups = status.lines().find(|line| line.starts_with("Groups:"));
            assert_eq!(groups.unwrap().trim(), "Groups:", "root's groups are kept");
        }
    }
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_or_strange_path_is_no_obstacle() {
    let folder = folder();
    let long = folder.path().join("l".repeat(150));
    let strange = folder.path().join("a, \"b\" %é'c");
    for data in [long, strange] {
        for round in 0..2 {
            let cluster = Cluster::start(options(&data)).await.unwrap();
            assert_eq!(cluster.is_new(), round == 0);
            assert_eq!(sql(&cluster.url("postgres"), "SELECT 1").await, "1");
            cluster.stop().await.unwrap();
        }
    }
}

/// A clone under /root: the server's account cannot come near it.
#[tokio::test]
async fn roots_own_folder_gets_a_substitute() {
    if !is_root() {
        return;
    }
    let folder = folder();
    set_mode(folder.path(), 0o700);
    let data = folder.path().join("clone/data");
    let mut location = None;
    for round in 0..2 {
        let (options, heard) = listening(&data);
        let cluster = Cluster::start(options).await.unwrap();
        assert_eq!(cluster.is_new(), round == 0);
        assert_eq!(sql(&cluster.url("postgres"), "SELECT 1").await, "1");
        let place = cluster.location().to_owned();
        assert!(!place.starts_with(folder.path()));
        let said = heard.lock().unwrap().join("\n");
        assert!(said.contains(&*place.to_string_lossy()), "{said}");
        assert_eq!(*location.get_or_insert(place.clone()), place);
        cluster.stop().await.unwrap();
    }
    let location = location.unwrap();
    std::fs::remove_dir_all(&location).unwrap();
    // Unless it holds other clusters of this machine.
    let _ = std::fs::remove_dir(location.parent().unwrap());
}

/// `sudo` on the folder of an ordinary user, and an ordinary user on root's.
#[tokio::test]
async fn root_continues_the_cluster_of_its_owner() {
    if !is_root() {
        return;
    }
    let folder = folder();
    let cluster = Cluster::start(options(folder.path())).await.unwrap();
    cluster.stop().await.unwrap();
    // Handed to another unprivileged user, as if that user had made it.
    let status = Command::new("chown")
        .args(["-R", "12345:12345"])
        .arg(folder.path())
        .status();
    assert!(status.unwrap().success());
    let cluster = Cluster::start(options(folder.path())).await.unwrap();
    assert!(!cluster.is_new());
    let server = server(folder.path());
    let owners = ps("pid=,uid=");
    let line = owners
        .lines()
        .find(|line| line.trim().starts_with(&format!("{server} ")));
    assert!(line.unwrap().ends_with("12345"));
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_fails_is_quoted() {
    let folder = folder();
    let cluster = Cluster::start(options(folder.path())).await.unwrap();
    cluster.stop().await.unwrap();
    let file = folder.path().join("cluster/pgdata/postgresql.conf");
    std::fs::write(file, "no_such_setting = 1\n").unwrap();
    let error = Cluster::start(options(folder.path())).await.err().unwrap();
    assert!(matches!(error, EmbeddedError::Start { .. }), "{error}");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
    eprintln!("{error}");
}
