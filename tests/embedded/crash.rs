//! What a program that is killed leaves behind, and what the next start makes of it.

use crate::support::*;
use fifty_fifty::db::embedded::{Cluster, EmbeddedError};
use std::process::{Command, Stdio};

#[tokio::test]
async fn a_killed_program_is_recovered_and_a_living_one_is_left_alone() {
    let folder = folder();
    let data = folder.path().join("data");
    let mut holder = Holder::start("keep", &data, folder.path());
    let (url, _) = holder.ready().await;
    sql(&url, "CREATE TABLE t (x int); INSERT INTO t VALUES (7)").await;
    let before = server(&data);

    // The first lives: the second is refused and disturbs nothing.
    let error = Cluster::start(options(&data)).await.err().unwrap();
    assert!(matches!(error, EmbeddedError::InUse { .. }), "{error}");
    let number = holder.process.id().to_string();
    assert!(error.to_string().contains(&number), "{error}");
    eprintln!("{error}");
    assert_eq!(server(&data), before);
    assert_eq!(sql(&url, "SELECT x FROM t").await, "7");

    // The first is killed: its server runs on, and the next start takes over.
    let family = family(before);
    holder.kill();
    assert!(runs(before));
    let (options, heard) = listening(&data);
    let cluster = Cluster::start(options).await.unwrap();
    assert!(heard.lock().unwrap().join("\n").contains("still runs"));
    assert!(!family.iter().any(|pid| runs(*pid)), "two servers at once");
    assert_ne!(server(&data), before);
    assert_eq!(sql(&cluster.url("postgres"), "SELECT x FROM t").await, "7");
    cluster.stop().await.unwrap();
    assert_eq!(mentioning(&data), Vec::<String>::new());
}

#[tokio::test]
async fn a_killed_program_with_its_killed_server_is_recovered() {
    let folder = folder();
    let data = folder.path().join("data");
    let mut holder = Holder::start("keep", &data, folder.path());
    let (url, _) = holder.ready().await;
    sql(&url, "CREATE TABLE t (x int); INSERT INTO t VALUES (7)").await;
    // A session that does not notice the death of the server for a while.
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let busy = "DO $$ DECLARE e timestamptz := clock_timestamp() + interval '2 s'; \
                BEGIN WHILE clock_timestamp() < e LOOP END LOOP; END $$";
    let session = tokio::spawn(async move { client.simple_query(busy).await.is_ok() });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let server = server(&data);
    holder.kill();
    kill(server);
    let cluster = Cluster::start(options(&data)).await.unwrap();
    assert_eq!(sql(&cluster.url("postgres"), "SELECT x FROM t").await, "7");
    cluster.stop().await.unwrap();
    let _ = session.await;
}

#[tokio::test]
async fn a_cut_initdb_is_forgotten() {
    let folder = folder();
    let data = folder.path().join("data");
    let mut holder = Holder::start("keep", &data, folder.path());
    let unfinished = || {
        let entries = std::fs::read_dir(data.join("cluster"))
            .into_iter()
            .flatten();
        entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().contains("new"))
            .count()
    };
    until("initdb works", || unfinished() == 1).await;
    holder.kill();
    assert!(!data.join("cluster/pgdata").exists());
    let cluster = Cluster::start(options(&data)).await.unwrap();
    assert!(cluster.is_new());
    assert_eq!(unfinished(), 0);
    assert_eq!(sql(&cluster.url("postgres"), "SELECT 1").await, "1");
    cluster.stop().await.unwrap();
    until("everything ended", || mentioning(&data).is_empty()).await;
    assert_eq!(unfinished(), 0);
}

/// Killed in the very moment when it starts its server, which then starts all alone.
#[tokio::test]
async fn a_start_that_is_cut_is_recovered() {
    let folder = folder();
    let data = folder.path().join("data");
    let cluster = Cluster::start(options(&data)).await.unwrap();
    cluster.stop().await.unwrap();
    let log = data.join("cluster/postgres.log");
    for delay in [0, 5, 10, 15, 20, 30, 40, 60] {
        std::fs::remove_file(&log).unwrap();
        let mut holder = Holder::start("keep", &data, folder.path());
        while !log.exists() {
            std::hint::spin_loop();
        }
        std::thread::sleep(std::time::Duration::from_millis(delay));
        holder.kill();
        let cluster = Cluster::start(options(&data)).await.unwrap();
        assert_eq!(sql(&cluster.url("postgres"), "SELECT 1").await, "1");
        cluster.stop().await.unwrap();
        until("all ended", || mentioning(&data).is_empty()).await;
    }
}

#[tokio::test]
async fn an_outdated_process_number_harms_nobody() {
    let folder = folder();
    Cluster::start(options(folder.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let data = folder.path().join("cluster/pgdata");
    // An innocent process, of the server's own user, that has got the number since.
    let mut innocent = Command::new("sleep")
        .arg("60")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let nobody = 4_000_000;
    for number in [innocent.id(), std::process::id(), 1, nobody] {
        let text = format!("{number}\n{}\n1\n5432\n\n\n0 0\nready\n", data.display());
        let file = data.join("postmaster.pid");
        std::fs::write(&file, text).unwrap();
        set_mode(&file, 0o666);
        let socket = folder.path().join("cluster/.s.PGSQL.5432.lock");
        std::fs::copy(&file, socket).unwrap();
        let cluster = Cluster::start(options(folder.path())).await.unwrap();
        assert_eq!(sql(&cluster.url("postgres"), "SELECT 1").await, "1");
        cluster.stop().await.unwrap();
    }
    // Cut while it was being written.
    for text in ["", "\n", "12x"] {
        let file = data.join("postmaster.pid");
        std::fs::write(&file, text).unwrap();
        set_mode(&file, 0o666);
        let socket = folder.path().join("cluster/.s.PGSQL.5432.lock");
        std::fs::copy(&file, socket).unwrap();
        let cluster = Cluster::start(options(folder.path())).await.unwrap();
        cluster.stop().await.unwrap();
    }
    assert!(innocent.try_wait().unwrap().is_none(), "it was killed");
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}

/// A throwaway cluster goes with its program, whether that ends or is killed.
#[tokio::test]
async fn a_throwaway_leaves_nothing() {
    for mode in ["throwaway-end", "throwaway-kill"] {
        let folder = folder();
        let data = folder.path().join("unused");
        let mut holder = Holder::start(mode, &data, folder.path());
        let (_, place) = holder.ready().await;
        if mode == "throwaway-kill" {
            let family = family(server(&place));
            assert!(family.len() > 1);
            holder.kill();
            until("the server ended", || !family.iter().any(|pid| runs(*pid))).await;
        } else {
            assert!(holder.process.wait().unwrap().success());
        }
        until("the folder is gone", || !place.exists()).await;
        until("all ended", || mentioning(&place).is_empty()).await;
        assert!(!data.exists(), "nothing was downloaded");
    }
}

#[tokio::test]
async fn a_throwaway_is_gone_after_its_stop_and_after_its_drop() {
    let folder = folder();
    for stop in [true, false] {
        let cluster = Cluster::throwaway(options(folder.path())).await.unwrap();
        assert_eq!(sql(&cluster.url("postgres"), "SHOW fsync").await, "off");
        let place = cluster.location().to_owned();
        if stop {
            cluster.stop().await.unwrap();
        } else {
            drop(cluster);
        }
        assert!(!place.exists());
        assert_eq!(mentioning(&place), Vec::<String>::new());
    }
}

/// Killed so early that there is no server yet.
#[tokio::test]
async fn a_throwaway_killed_in_the_making_leaves_nothing() {
    let folder = folder();
    let mut holder = Holder::start("throwaway-kill", folder.path(), folder.path());
    let name = format!("fifty-fifty-{}-", holder.process.id());
    let made = || {
        let mut entries = std::env::temp_dir().read_dir().unwrap().flatten();
        entries.find(|entry| entry.file_name().to_string_lossy().starts_with(&name))
    };
    until("initdb works", || {
        made().is_some_and(|entry| entry.path().join("cluster").exists())
    })
    .await;
    holder.kill();
    until("the folder is gone", || made().is_none()).await;
    until("all ended", || !ps("command=").contains(&name)).await;
    assert!(made().is_none());
}
