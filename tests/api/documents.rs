//! Files about an initiative: who puts them in, what becomes of them, who gets them out, and what is left when
//! something goes wrong.

use std::path::Path;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use fifty_fifty::clockwork;
use futures_util::{StreamExt, stream};
use reqwest::Body;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::conventions::{active, drafted, opened, signing};
use crate::evaluations::farm_tracks;
use crate::initiatives::{accepted, association, idea, in_review};
use crate::support::app::{DOCUMENT_MAX_BYTES, LOOS, World};
use crate::support::{Client, TestApp};

/// A text that somebody keeps.
pub const PRESENCE: &str = "Présents : 12 voisins, rue Faidherbe.";

/// Where such a text goes.
pub fn attaching(initiative: &str) -> String {
    format!("{initiative}/documents?name=presence.txt&purpose=minutes")
}

/// A document of Camille's about the initiative.
pub async fn attached(world: &World, initiative: &str) -> String {
    let reply = world.camille.upload(&attaching(initiative), PRESENCE).await;
    let path = reply.header("location").to_owned();
    reply.created();
    path
}

/// The smallest PDF that is one.
fn pdf() -> Vec<u8> {
    b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n".to_vec()
}

/// A picture of 16 by 8 grey pixels.
const PICTURE: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L\
    2u71////m8H////6/+b9//j/wAALCAAIABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/xAAWEAADAAAAAAAAAAAAAAAAAAAABEH/2gAIAQEAAD8AArCw\
    rD//2Q==";

/// The same, held upright with a telephone that knows where it is: EXIF with the camera's name, orientation 6 and a GPS
/// directory.
fn photo() -> (Vec<u8>, Vec<u8>) {
    let picture = BASE64_STANDARD.decode(PICTURE).unwrap();
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x03\0".to_vec();
    exif.extend(b"\x10\x01\x02\0\x0a\0\0\0\x32\0\0\0"); // the model, ten letters
    exif.extend(b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"); // turned by a quarter
    exif.extend(b"\x25\x88\x04\0\x01\0\0\0\x3c\0\0\0"); // where the GPS directory is
    exif.extend(b"\0\0\0\0Telephone\0");
    exif.extend(b"\x01\0\x02\0\x05\0\x03\0\0\0\x56\0\0\0\0\0\0\0\x32\0\0\0\x01\0\0\0"); // latitude
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let (head, rest) = picture.split_at(20);
    let photo = [head, &[0xff, 0xe1], &length, &exif, rest, b"and a film"].concat();
    (photo, picture)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The names of all files in a folder and those in it.
fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(files(&path));
        } else {
            names.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    names
}

impl TestApp {
    /// What a query of one number finds.
    pub async fn count(&self, sql: &str) -> i64 {
        let (client, connection) =
            tokio_postgres::connect(&self.database_url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Nothing is left of any upload.
    #[track_caller]
    fn has_no_file(&self) {
        assert_eq!(files(self.documents.path()), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_in_and_comes_out_as_it_was() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let initiative = accepted(&world).await;
    let path = format!(
        "{initiative}/documents?purpose=plan&name=Plan%20de%20la%20rue%20%22H%C3%B4che%22.pdf"
    );
    let reply = world.agent.upload(&path, pdf()).await;
    let path = reply.header("location").to_owned();
    let document = reply.created();
    let hash = sha256(&pdf());
    for (name, value) in [
        ("state", json!("stored")),
        ("name", json!("Plan de la rue \"Hôche\".pdf")),
        ("purpose", json!("plan")),
        ("internal", json!(false)),
        ("media_type", json!("application/pdf")),
        ("size_bytes", json!(pdf().len())),
        ("sha256", json!(hash)),
        ("convention_id", json!(null)),
    ] {
        assert_eq!(document[name], value, "{name}");
    }
    assert_eq!(document["uploaded_by"]["display_name"], "agent");
    // The public reads it too, and not who brought it.
    let public = world.anyone.get(&path).await.ok();
    assert_eq!(public["uploaded_by"], json!(null));
    let list = format!("{initiative}/documents");
    assert_eq!(world.anyone.get(&list).await.ok()["data"], json!([public]));

    let file = format!("{path}/file");
    let whole = world.anyone.get(&file).await;
    assert_eq!((whole.status.as_u16(), &whole.bytes), (200, &pdf()));
    let etag = format!("\"{hash}\"");
    for (name, value) in [
        ("etag", etag.as_str()),
        ("content-type", "application/octet-stream"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("accept-ranges", "bytes"),
        (
            "content-disposition",
            "attachment; filename*=UTF-8''Plan%20de%20la%20rue%20%22H%C3%B4che%22%2Epdf",
        ),
        (
            "cache-control",
            "public, max-age=30, stale-while-revalidate=300",
        ),
        ("content-length", &pdf().len().to_string()),
    ] {
        assert_eq!(whole.header(name), value, "{name}");
    }
    assert_eq!(
        world.camille.get(&file).await.header("cache-control"),
        "no-store"
    );
    let same = world.anyone.with("if-none-match", &etag).get(&file).await;
    assert_eq!((same.status.as_u16(), same.bytes.len()), (304, 0));

    let size = pdf().len();
    for (range, status, from, to) in [
        ("bytes=0-7", 206, 0, 8),
        ("bytes=9-", 206, 9, size),
        ("bytes=-6", 206, size - 6, size),
        ("bytes=60-9999", 206, 60, size),
        // What is no single range of bytes is answered with the whole.
        ("bytes=0-1,4-5", 200, 0, size),
        ("lines=1-2", 200, 0, size),
    ] {
        let part = world.anyone.with("range", range).get(&file).await;
        assert_eq!(part.status.as_u16(), status, "{range}");
        assert_eq!(part.bytes, &pdf()[from..to], "{range}");
        let expected = if status == 206 {
            format!("bytes {from}-{}/{size}", to - 1)
        } else {
            String::new()
        };
        assert_eq!(part.header("content-range"), expected, "{range}");
    }
    let behind = world
        .anyone
        .with("range", &format!("bytes={size}-"))
        .get(&file)
        .await;
    assert_eq!(behind.header("content-range"), format!("bytes */{size}"));
    behind.problem(416, "range_not_satisfiable");
    // A range of another file is none of this one.
    for (tag, status) in [(etag.as_str(), 206), ("\"another\"", 200)] {
        let caller = world
            .anyone
            .with("if-range", tag)
            .with("range", "bytes=0-7");
        assert_eq!(caller.get(&file).await.status.as_u16(), status, "{tag}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_tells_nothing_but_its_picture() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let initiative = accepted(&world).await;
    let (photo, picture) = photo();
    let path = format!("{initiative}/documents?purpose=photo&name=chantier.jpg");
    let document = world.camille.upload(&path, photo).await.created();
    assert_eq!(document["media_type"], "image/jpeg");
    let file = format!("/v1/documents/{}/file", document["id"].as_str().unwrap());
    let kept = world.anyone.get(&file).await.bytes;
    assert_eq!(document["sha256"], sha256(&kept));
    assert_eq!(document["size_bytes"], kept.len());
    for secret in [&b"Telephone"[..], b"\x25\x88", b"film"] {
        let found = kept.windows(secret.len()).any(|bytes| bytes == secret);
        assert!(!found, "{secret:?}");
    }
    // The picture is byte for byte the same, and it still stands upright.
    let upright =
        b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    assert_eq!(kept, [&picture[..20], upright, &picture[20..]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_say_what_a_file_is() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let initiative = accepted(&world).await;
    let zip = |first: &str, content: &str| {
        let mut entry = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        entry.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        entry.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        entry.extend(u16::try_from(first.len()).unwrap().to_le_bytes());
        entry.extend(b"\0\0");
        [&entry[..], first.as_bytes(), content.as_bytes()].concat()
    };
    let office = |folder: &str| {
        [
            zip("[Content_Types].xml", "<Types/>"),
            zip("_rels/.rels", "<Relationships/>"),
            zip("docProps/core.xml", "<x/>"),
            zip(&format!("{folder}/document.xml"), "<x/>"),
        ]
        .concat()
    };
    let odt = zip("mimetype", "application/vnd.oasis.opendocument.text");
    let ods = zip("mimetype", "application/vnd.oasis.opendocument.spreadsheet");
    let word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let excel = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    for (name, bytes, media_type) in [
        ("a.exe", pdf(), "application/pdf"),
        ("liste.csv", b"nom;heures\nA;3\n".to_vec(), "text/csv"),
        ("liste", b"nom;heures\nA;3\n".to_vec(), "text/plain"),
        // Nobody is ever served HTML: it is a text.
        (
            "a.html",
            b"<script>alert(1)</script>".to_vec(),
            "text/plain",
        ),
        ("a.odt", odt, "application/vnd.oasis.opendocument.text"),
        (
            "a.ods",
            ods,
            "application/vnd.oasis.opendocument.spreadsheet",
        ),
        ("a.docx", office("word"), word),
        ("a.xlsx", office("xl"), excel),
    ] {
        let path = format!("{initiative}/documents?purpose=other&name={name}");
        let document = world.camille.upload(&path, bytes).await.created();
        assert_eq!(document["media_type"], media_type, "{name}");
    }
    let kept = files(app.documents.path()).len();
    let (photo, _) = photo();
    let elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0".to_vec();
    for (what, bytes) in [
        ("a GIF", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec()),
        ("a program", elf),
        ("an archive", zip("run.sh", "rm -rf")),
        ("half a photo", photo[..photo.len() / 2].to_vec()),
        ("a photo and a program", [&photo[..40], b"\x7fELF"].concat()),
        ("Latin 1", b"caf\xe9".to_vec()),
    ] {
        let path = format!("{initiative}/documents?purpose=photo&name=photo.jpg");
        let reply = world.camille.upload(&path, bytes).await;
        assert_eq!(reply.status, 415, "{what}: {}", reply.text);
        reply.problem(415, "unsupported_media_type");
    }
    let reply = world.camille.upload(&attaching(&initiative), "").await;
    assert_eq!(reply.pointers(), ["#"]);
    reply.problem(422, "invalid_body");
    for name in ["", "a%2Fb", "a%5Cb", "a%0Ab", "%00", &"x".repeat(201)] {
        let path = format!("{initiative}/documents?purpose=photo&name={name}");
        let reply = world.camille.upload(&path, pdf()).await;
        reply.problem(400, "invalid_query");
    }
    // What was refused left nothing.
    assert_eq!(files(app.documents.path()).len(), kept);
    assert_eq!(app.count("SELECT count(*) FROM documents").await, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_is_too_large_however_it_comes() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = attaching(&accepted(&world).await);
    let limit = usize::try_from(DOCUMENT_MAX_BYTES).unwrap();
    world
        .camille
        .upload(&path, vec![b'x'; limit + 1])
        .await
        .problem(413, "too_large");
    app.has_no_file();
    // Without a length, counted as it comes.
    let host = app.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/octet-stream\r\n\r\n",
        world.camille.token()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
    for _ in 0..4 {
        stream.write_all(&chunk).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
    app.has_no_file();
    world
        .camille
        .upload(&path, vec![b'x'; limit])
        .await
        .created();
    assert_eq!(files(app.documents.path()).len(), 1);
    assert_eq!(app.count("SELECT count(*) FROM documents").await, 1);
}

/// Who reads a document, and its file, and finds it in the list.
async fn readers<'a>(document: &Value, people: &[(&'a str, &Client)]) -> Vec<&'a str> {
    let id = document["id"].as_str().unwrap();
    let list = format!(
        "/v1/initiatives/{}/documents",
        document["initiative_id"].as_str().unwrap()
    );
    let mut readers = Vec::new();
    for (name, person) in people {
        let found = person.get(&format!("/v1/documents/{id}")).await.status;
        let file = person.get(&format!("/v1/documents/{id}/file")).await.status;
        let listed = person.get(&list).await.body["data"]
            .to_string()
            .contains(id);
        assert_eq!(found, file, "{name}");
        assert_eq!(found == 200, listed, "{name}");
        if found == 200 {
            readers.push(*name);
        } else {
            assert_eq!(found, 404, "{name}");
        }
    }
    readers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_as_public_as_what_it_is_about() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let people = [
        ("anyone", &world.anyone),
        ("resident", &world.dominique),
        ("elsewhere", &world.foreign_agent),
        ("admin", &world.admin),
        ("agent", &world.agent),
        ("mayor", &world.mayor),
        ("owner", &world.camille),
    ];
    let all = people.map(|(name, _)| name);
    let sides = ["agent", "mayor", "owner"];
    let text = PRESENCE;

    // A draft is its holder's alone, and nobody else adds to it.
    let holder = association(&world.camille, "Les chemins de Loos").await;
    let draft = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/initiatives"), idea(&holder))
        .await
        .created();
    let path = format!("/v1/initiatives/{}", draft["id"].as_str().unwrap());
    let document = world
        .camille
        .upload(&attaching(&path), text)
        .await
        .created();
    assert_eq!(readers(&document, &people).await, ["owner"]);
    for stranger in [&world.agent, &world.dominique, &world.foreign_agent] {
        let reply = stranger.upload(&attaching(&path), text).await;
        reply.problem(404, "not_found");
    }
    world.camille.act(&path, "submit", json!(null)).await.ok();
    assert_eq!(readers(&document, &people).await, sides);
    world.agent.act(&path, "start_review", json!({})).await.ok();
    assert_eq!(readers(&document, &people).await, all);
    let reason = json!({"reason": "Un nom à retirer."});
    world.agent.act(&path, "unpublish", reason).await.ok();
    assert_eq!(readers(&document, &people).await, sides);

    // What is internal stays so.
    let (initiative, _) = active(&world).await;
    let internal = format!("{}&internal=true", attaching(&initiative));
    let document = world.agent.upload(&internal, text).await.created();
    assert_eq!(readers(&document, &people).await, sides);
    // Those who only read add nothing.
    for refused in [
        &world.dominique,
        &world.mayor,
        &world.foreign_agent,
        &world.admin,
    ] {
        let reply = refused.upload(&attaching(&initiative), text).await;
        reply.problem(403, "forbidden");
    }

    // A convention, from draft to force.
    let (initiative, convention) = drafted(&world).await;
    let id = convention.rsplit('/').next().unwrap();
    let about = format!("{}&convention={id}", attaching(&initiative));
    let document = world.agent.upload(&about, text).await.created();
    assert_eq!(document["convention_id"], id);
    assert_eq!(readers(&document, &people).await, sides);
    let open = world
        .agent
        .act(&convention, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = open["content_sha256"].as_str().unwrap();
    for signatory in [&world.camille, &world.mayor] {
        assert_eq!(readers(&document, &people).await, sides);
        let sign = format!("{convention}/sign");
        signatory.post(&sign, signing(hash)).await.ok();
    }
    assert_eq!(readers(&document, &people).await, all);

    // A fulfilment, once it is acknowledged.
    let columns = format!("{initiative}/commitments");
    let commitments = world.agent.get(&columns).await.ok();
    let all_of = commitments["data"].as_array().unwrap();
    let owed = all_of
        .iter()
        .find(|owed| owed["side"] == "commune")
        .unwrap();
    let done = json!({"done_on": "2026-06-15", "quantity": "8", "evidence": "Bon de livraison"});
    let path = format!(
        "/v1/commitments/{}/fulfilments",
        owed["id"].as_str().unwrap()
    );
    let fulfilment = world.agent.post(&path, done).await.created();
    let id = fulfilment["id"].as_str().unwrap();
    let about = format!("{}&fulfilment={id}", attaching(&initiative));
    let document = world.agent.upload(&about, text).await.created();
    assert_eq!(readers(&document, &people).await, sides);
    let path = format!("/v1/fulfilments/{id}");
    world
        .camille
        .act(&path, "acknowledge", json!(null))
        .await
        .ok();
    assert_eq!(readers(&document, &people).await, all);

    // An evaluation, once it is validated; from then on it takes no more.
    let path = format!("{initiative}/evaluation");
    let evaluation = world.agent.post(&path, farm_tracks()).await.created();
    let id = evaluation["id"].as_str().unwrap();
    let about = format!("{}&evaluation={id}", attaching(&initiative));
    let refused = world.camille.upload(&about, text).await;
    refused.problem(403, "forbidden");
    let document = world.agent.upload(&about, text).await.created();
    assert_eq!(readers(&document, &people).await, sides);
    world
        .agent
        .act(&initiative, "complete", json!(null))
        .await
        .ok();
    world.camille.act(&path, "agree", json!(null)).await.ok();
    world.mayor.act(&path, "validate", json!(null)).await.ok();
    assert_eq!(readers(&document, &people).await, all);
    let refused = world.agent.upload(&about, text).await;
    refused.problem(409, "wrong_state");

    // The list by what they are about.
    for (filter, count) in [
        ("", 3),
        ("?evaluation=", 1),
        ("?purpose=minutes", 3),
        ("?purpose=photo", 0),
    ] {
        let id = if filter == "?evaluation=" { id } else { "" };
        let list = format!("{initiative}/documents{filter}{id}");
        let found = world.anyone.get(&list).await.ok();
        assert_eq!(found["data"].as_array().unwrap().len(), count, "{filter}");
    }
    let first = world
        .anyone
        .get(&format!("{initiative}/documents?limit=2"))
        .await
        .ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = format!("{initiative}/documents?limit=2&cursor={cursor}");
    let rest = world.anyone.get(&rest).await.ok();
    let pages = [&first["data"][0], &first["data"][1], &rest["data"][0]];
    let subjects = ["convention_id", "fulfilment_id", "evaluation_id"];
    for subject in subjects {
        let about = pages
            .iter()
            .filter(|document| document[subject] != json!(null));
        assert_eq!(about.count(), 1, "{subject}");
    }

    // What is of another initiative, or of nobody, is nothing to be about; and one thing is enough.
    let (other, _) = active(&world).await;
    let before = app.fingerprint().await;
    for about in [
        format!("convention={}", convention.rsplit('/').next().unwrap()),
        format!("fulfilment={}", fulfilment["id"].as_str().unwrap()),
        format!("convention={}", uuid::Uuid::nil()),
    ] {
        let reply = world
            .camille
            .upload(&format!("{}&{about}", attaching(&other)), text)
            .await;
        reply.problem(400, "invalid_query");
    }
    let nobody = uuid::Uuid::nil();
    let both = format!(
        "{}&convention={nobody}&fulfilment={nobody}",
        attaching(&other)
    );
    let reply = world.camille.upload(&both, text).await;
    reply.problem(400, "invalid_query");
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_is_erased() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let initiative = in_review(&world).await;
    let path = attached(&world, &initiative).await;
    let hash = world.camille.get(&path).await.ok()["sha256"].clone();
    // The town hall has what its agents brought, and what it must take away.
    for refused in [
        &world.mayor,
        &world.dominique,
        &world.foreign_agent,
        &world.admin,
    ] {
        let reply = refused.with("if-match", "*").delete(&path).await;
        reply.problem(403, "forbidden");
    }
    let theirs = world
        .agent
        .upload(&attaching(&initiative), pdf())
        .await
        .created();
    let theirs = format!("/v1/documents/{}", theirs["id"].as_str().unwrap());
    let camille = world.camille.with("if-match", "*");
    camille.delete(&theirs).await.problem(403, "forbidden");

    let agent = world.agent.with("if-match", "*");
    assert_eq!(agent.delete(&path).await.status, 204);
    assert_eq!(files(app.documents.path()).len(), 1);
    let left = world.camille.get(&path).await.ok();
    assert_eq!(
        (&left["state"], &left["name"], &left["sha256"]),
        (&json!("erased"), &json!(null), &hash)
    );
    assert_eq!(left["erased_at"], "2026-06-15T10:00:00Z");
    for reader in [&world.camille, &world.agent, &world.anyone] {
        let file = reader.get(&format!("{path}/file")).await;
        file.problem(404, "not_found");
        let list = reader.get(&format!("{initiative}/documents")).await.ok();
        assert_eq!(list["data"].as_array().unwrap().len(), 1);
    }
    world.anyone.get(&path).await.problem(404, "not_found");
    let again = agent.delete(&path).await.problem(409, "wrong_state");
    assert_eq!(again["state"], "erased");
    let history = format!("{initiative}/history?limit=100");
    let history = world.camille.get(&history).await.ok();
    let acts: Vec<(&str, &str)> = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["subject"] == "document")
        .map(|entry| {
            (
                entry["action"].as_str().unwrap(),
                entry["actor"]["display_name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        acts,
        [
            ("upload", "camille"),
            ("upload", "agent"),
            ("erase", "agent")
        ]
    );
    assert_eq!(
        app.count("SELECT count(*) FROM documents WHERE emptied_at IS NOT NULL")
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_the_edge_of_the_quota_one_goes_in() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = attaching(&accepted(&world).await);
    let commune = format!("/v1/communes/{LOOS}");
    let quota = |bytes: i64| json!({"document_quota_bytes": bytes});
    let admin = world.admin.with("if-match", "*");
    // Who runs the store says how much there is.
    let mayor = world.mayor.with("if-match", "*");
    mayor
        .patch(&commune, quota(5_000))
        .await
        .problem(403, "forbidden");
    let settings = admin.patch(&commune, quota(1_000)).await.ok()["settings"].clone();
    assert_eq!(settings["document_quota_bytes"], 1_000);

    let mut accepted = Vec::new();
    for _ in 0..10 {
        let mut crowd = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (camille, path) = (world.camille.clone(), path.clone());
            crowd.spawn(async move { camille.upload(&path, vec![b'x'; 600]).await });
        }
        while let Some(reply) = crowd.join_next().await {
            let reply = reply.unwrap();
            if reply.status == 201 {
                accepted.push(reply.header("location").to_owned());
            } else {
                reply.problem(409, "quota_exceeded");
            }
        }
        assert_eq!(accepted.len(), 1);
        assert_eq!(files(app.documents.path()).len(), 1);
        admin
            .patch(&commune, quota(599))
            .await
            .problem(409, "quota_exceeded");
        // What is erased makes room.
        let path = accepted.pop().unwrap();
        let camille = world.camille.with("if-match", "*");
        assert_eq!(camille.delete(&path).await.status, 204);
    }
    app.has_no_file();
    let sql = format!("SELECT document_bytes FROM communes WHERE code = '{LOOS}'");
    assert_eq!(app.count(&sql).await, 0);
    admin.patch(&commune, quota(0)).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_upload_twice_is_one_document() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = attaching(&accepted(&world).await);
    let camille = world.camille.with("idempotency-key", "presence");
    let first = camille.upload(&path, PRESENCE).await.created();
    let again = camille.upload(&path, PRESENCE).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.created(), first);
    // Another file, or another name, is another upload.
    for (path, file) in [
        (path.clone(), "autre chose"),
        (path.replace("presence", "absence"), PRESENCE),
    ] {
        let other = camille.upload(&path, file).await;
        other.problem(422, "idempotency_mismatch");
    }
    assert_eq!(files(app.documents.path()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_leaves_nothing() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = attaching(&accepted(&world).await);
    let host = app.address.trim_start_matches("http://").to_owned();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nContent-Length: 100000\r\n\
         Content-Type: application/octet-stream\r\n\r\n",
        world.camille.token()
    );
    for number in 0..40_u64 {
        let mut stream = TcpStream::connect(&host).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
            .write_all(&vec![b'x'; usize::try_from(number).unwrap() * 2_000])
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_micros(number * 211)).await;
        drop(stream);
    }
    // What was begun is taken back, by the server itself and not by the sweep.
    while app.count("SELECT count(*) FROM documents").await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    app.has_no_file();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_does_what_a_crash_left() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let initiative = accepted(&world).await;
    let kept = attached(&world, &initiative).await;
    let erased = attached(&world, &initiative).await;
    let folder = app.documents.path().join(LOOS);

    // Cut while the bytes came, and after they had come.
    for is_whole in [false, true] {
        let id = app.row_id(LOOS);
        let about = initiative.rsplit('/').next().unwrap();
        let row = format!(
            "INSERT INTO documents (id, commune_code, initiative_id, state, name, purpose, internal, uploaded_by, created_at)
             VALUES ('{id}', '{LOOS}', '{about}', 'pending', 'x', 'other', false, '{}', '{}')",
            world.camille.id(),
            app.state.clock.now().to_rfc3339()
        );
        assert_eq!(app.attack(&row).await, None);
        let name = if is_whole {
            id.to_string()
        } else {
            format!("{id}#1")
        };
        std::fs::write(folder.join(name), "x").unwrap();
        // Nobody sees it meanwhile.
        let path = format!("/v1/documents/{id}");
        world.camille.get(&path).await.problem(404, "not_found");
        let file = world.camille.get(&format!("{path}/file")).await;
        file.problem(404, "not_found");
    }
    // Cut between the erasure and its bytes.
    let camille = world.camille.with("if-match", "*");
    assert_eq!(camille.delete(&erased).await.status, 204);
    app.write_rows("UPDATE documents SET emptied_at = NULL")
        .await;
    let name = erased.rsplit('/').next().unwrap();
    std::fs::write(folder.join(name), "x").unwrap();

    assert_eq!(files(app.documents.path()).len(), 4);
    clockwork::turn(&app.state).await.unwrap();
    // An upload may still be under way.
    assert_eq!(files(app.documents.path()).len(), 3);
    app.travel_to("2026-06-15T11:00:01Z");
    for _ in 0..2 {
        clockwork::turn(&app.state).await.unwrap();
        let name = kept.rsplit('/').next().unwrap().to_owned();
        assert_eq!(files(app.documents.path()), [name]);
    }
    let rows = "SELECT count(*) FROM documents WHERE state = 'pending' OR state = 'erased' AND emptied_at IS NULL";
    assert_eq!(app.count(rows).await, 0);
    let file = world.anyone.get(&format!("{kept}/file")).await;
    assert_eq!(file.text, PRESENCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_too_late_is_not_kept() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let meeting = held_meeting(&world).await;
    let paths = [
        (world.camille.clone(), attaching(&accepted(&world).await)),
        (world.agent.clone(), attaching(&meeting)),
    ];
    let mut uploads = tokio::task::JoinSet::new();
    let (open, _) = tokio::sync::broadcast::channel::<()>(1);
    for (client, path) in paths {
        let mut opened = open.subscribe();
        let rest = async move {
            opened.recv().await.unwrap();
            Ok::<_, std::io::Error>(b"end")
        };
        let file = stream::iter([Ok(b"beginning, ".as_slice())]).chain(stream::once(async move {
            rest.await.map(|end| end.as_slice())
        }));
        uploads.spawn(async move { client.upload(&path, Body::wrap_stream(file)).await });
    }
    let pending = "SELECT count(*) FROM documents WHERE state = 'pending'";
    while app.count(pending).await < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // So late that it was taken for one that was cut.
    app.travel_to("2026-06-15T11:00:01Z");
    clockwork::turn(&app.state).await.unwrap();
    assert_eq!(app.count(pending).await, 0);
    open.send(()).unwrap();
    while let Some(reply) = uploads.join_next().await {
        reply.unwrap().problem(408, "request_timeout");
    }
    app.has_no_file();
}

/// A scan of Camille's of the paper of a convention that she sees.
async fn scanned(world: &World, initiative: &str, convention: &str) -> String {
    let about = convention.rsplit('/').next().unwrap();
    let path = format!(
        "{initiative}/documents?name=signatures.pdf&purpose=scan&internal=true&convention={about}"
    );
    let reply = world.camille.upload(&path, pdf()).await;
    let path = reply.header("location").to_owned();
    reply.created();
    path
}

/// What an agent records of Camille's signature on paper, with its scan.
fn on_paper(hash: &str, scan: &str) -> Value {
    let id = scan.rsplit('/').next().unwrap();
    json!({"party": "holder", "content_sha256": hash, "signed_on": "2026-06-15", "paper_reference": "Registre 17",
        "document_id": id})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_on_paper_carries_its_scan() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, convention, hash) = opened(&world).await;
    let (other, other_convention) = drafted(&world).await;
    let record = format!("{convention}/record_signature");
    let id = convention.rsplit('/').next().unwrap();
    // What is no internal scan of this version proves nothing, or shows names to everybody.
    for path in [
        format!("{initiative}/documents?name=x.pdf&purpose=scan&internal=false&convention={id}"),
        format!("{initiative}/documents?name=x.pdf&purpose=photo&internal=true&convention={id}"),
        format!("{initiative}/documents?name=x.pdf&purpose=scan&internal=true"),
    ] {
        let document = world.agent.upload(&path, pdf()).await;
        let scan = document.header("location").to_owned();
        document.created();
        let reply = world.agent.post(&record, on_paper(&hash, &scan)).await;
        assert_eq!(reply.pointers(), ["#/document_id"], "{path}");
        reply.problem(422, "invalid_body");
    }
    let of_another = scanned(&world, &other, &other_convention).await;
    let nobody = format!("/v1/documents/{}", app.row_id(LOOS));
    let elsewhere = format!("/v1/documents/{}", app.row_id("62498"));
    let erased = scanned(&world, &initiative, &convention).await;
    let camille = world.camille.with("if-match", "*");
    camille.delete(&erased).await.expect(204);
    for scan in [of_another, nobody, elsewhere, erased] {
        let reply = world.agent.post(&record, on_paper(&hash, &scan)).await;
        assert_eq!(reply.pointers(), ["#/document_id"], "{scan}");
    }

    let scan = scanned(&world, &initiative, &convention).await;
    let id = scan.rsplit('/').next().unwrap();
    world.agent.post(&record, on_paper(&hash, &scan)).await.ok();
    let sign = format!("{convention}/sign");
    world.mayor.post(&sign, signing(&hash)).await.ok();
    let of_holder = |convention: &Value| {
        let parties = convention["parties"].as_array().unwrap();
        let holder = parties.iter().find(|party| party["party"] == "holder");
        holder.unwrap()["document_id"].clone()
    };
    for inside in [&world.agent, &world.camille, &world.mayor] {
        assert_eq!(of_holder(&inside.get(&convention).await.ok()), id);
    }
    for outside in [&world.anyone, &world.dominique] {
        assert_eq!(of_holder(&outside.get(&convention).await.ok()), json!(null));
        outside.get(&scan).await.problem(404, "not_found");
    }
    // No side takes away what shows that it has signed; the town hall answers for what must go.
    camille.delete(&scan).await.problem(403, "forbidden");
    let agent = world.agent.with("if-match", "*");
    agent.delete(&scan).await.expect(204);
    assert_eq!(of_holder(&world.agent.get(&convention).await.ok()), id);
    let left = world.agent.get(&scan).await.ok();
    assert_eq!(left["state"], "erased");
    let proof = world
        .anyone
        .get(&format!("{convention}/verification"))
        .await;
    assert_eq!(proof.ok()["holds"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_signature_and_the_erasure_of_its_scan_at_once_both_are_whole() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for _ in 0..10 {
        let (initiative, convention, hash) = opened(&world).await;
        let scan = scanned(&world, &initiative, &convention).await;
        let record = format!("{convention}/record_signature");
        let camille = world.camille.with("if-match", "*");
        let (signed, erased) = tokio::join!(
            world.agent.post(&record, on_paper(&hash, &scan)),
            camille.delete(&scan)
        );
        match (signed.status.as_u16(), erased.status.as_u16()) {
            (200, 403) | (422, 204) => {}
            other => panic!("{other:?}: {} {}", signed.text, erased.text),
        }
    }
    let bare = "SELECT count(*) FROM signatures AS s JOIN documents AS d ON d.id = s.document_id WHERE d.state = 'erased'";
    assert_eq!(app.count(bare).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_initiative_from_paper_carries_its_scan() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let paper = |channel: &str| {
        json!({"title": "Huit jardinières", "description": "Rue Hoche.", "theme": "living_environment",
        "holder": {"kind": "collective", "name": "Voisins"}, "submit": true,
        "on_behalf": {"channel": channel, "paper_reference": "2026-117"}})
    };
    let create = format!("/v1/communes/{LOOS}/initiatives");
    let mut made = Vec::new();
    for channel in ["paper", "phone"] {
        let entered = world.agent.post(&create, paper(channel)).await.created();
        assert_eq!(entered["inside"]["paper_document_id"], json!(null));
        made.push(format!(
            "/v1/initiatives/{}",
            entered["id"].as_str().unwrap()
        ));
    }
    let scan = "name=demande.pdf&purpose=scan&internal=true&paper=true";
    for (path, query) in [
        (&made[1], scan.to_owned()),
        (&made[0], scan.replace("scan", "other")),
        (&made[0], scan.replace("internal=true", "internal=false")),
        (&made[0], format!("{scan}&convention={}", app.row_id(LOOS))),
    ] {
        let reply = world
            .agent
            .upload(&format!("{path}/documents?{query}"), pdf())
            .await;
        assert_eq!(reply.pointers(), ["paper"], "{query}");
        reply.problem(400, "invalid_query");
    }
    let own = in_review(&world).await;
    let refused = world
        .camille
        .upload(&format!("{own}/documents?{scan}"), pdf())
        .await;
    refused.problem(403, "forbidden");

    let mut scans = Vec::new();
    // A better scan takes the place of the first.
    for _ in 0..2 {
        let path = format!("{}/documents?{scan}", made[0]);
        let document = world.agent.upload(&path, pdf()).await.created();
        let entered = world.agent.get(&made[0]).await.ok();
        assert_eq!(entered["inside"]["paper_document_id"], document["id"]);
        scans.push(format!(
            "/v1/documents/{}",
            document["id"].as_str().unwrap()
        ));
    }
    world
        .agent
        .act(&made[0], "start_review", json!({}))
        .await
        .ok();
    assert_eq!(world.anyone.get(&made[0]).await.ok()["inside"], json!(null));
    world.anyone.get(&scans[1]).await.problem(404, "not_found");
    // Once it is erased, the record says of which file it was made, and goes on.
    let agent = world.agent.with("if-match", "*");
    agent.delete(&scans[1]).await.expect(204);
    let entered = world.agent.get(&made[0]).await.ok();
    assert!(scans[1].ends_with(entered["inside"]["paper_document_id"].as_str().unwrap()));
    let opinion = json!({"outcome": "favourable", "text": "Sans difficulté."});
    world
        .agent
        .act(&made[0], "give_opinion", opinion)
        .await
        .ok();
}

/// A meeting of the town hall's, about nothing else.
async fn held_meeting(world: &World) -> String {
    let meeting = json!({"title": "Réunion de quartier", "held_on": "2026-06-10"});
    meeting_like(world, meeting).await
}

async fn meeting_like(world: &World, meeting: Value) -> String {
    let path = format!("/v1/communes/{LOOS}/meetings");
    let made = world.agent.post(&path, meeting).await.created();
    format!("/v1/meetings/{}", made["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn minutes_are_as_public_as_their_meeting() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let open = held_meeting(&world).await;
    for refused in [
        &world.camille,
        &world.mayor,
        &world.foreign_agent,
        &world.admin,
    ] {
        let reply = refused.upload(&attaching(&open), PRESENCE).await;
        reply.problem(403, "forbidden");
    }
    let minutes = world
        .agent
        .upload(&attaching(&open), PRESENCE)
        .await
        .created();
    assert_eq!(minutes["initiative_id"], json!(null));
    assert!(open.ends_with(minutes["meeting_id"].as_str().unwrap()));
    let internal = format!("{}&internal=true", attaching(&open));
    let internal = world.agent.upload(&internal, PRESENCE).await.created();

    // About an initiative that is not published, and then is.
    let holder = association(&world.camille, "Les haies").await;
    let mut hidden = idea(&holder);
    hidden["submit"] = json!(true);
    let initiatives = format!("/v1/communes/{LOOS}/initiatives");
    let hidden = world.camille.post(&initiatives, hidden).await.created();
    let about = json!({"title": "Autour des haies", "held_on": "2026-06-10", "initiative_id": hidden["id"]});
    let shut = meeting_like(&world, about).await;
    let shut_minutes = world
        .agent
        .upload(&attaching(&shut), PRESENCE)
        .await
        .created();

    let town_hall = vec!["agent", "mayor"];
    let all = vec!["anyone", "neighbour", "holder", "agent", "mayor"];
    let sides = vec!["holder", "agent", "mayor"];
    let initiative = format!("/v1/initiatives/{}", hidden["id"].as_str().unwrap());
    for published in [false, true] {
        if published {
            let review = world
                .agent
                .act(&initiative, "start_review", json!({}))
                .await;
            review.ok();
        }
        for (meeting, document, expected) in [
            (&open, &minutes, &all),
            (&open, &internal, &town_hall),
            (&shut, &shut_minutes, if published { &all } else { &sides }),
        ] {
            let id = document["id"].as_str().unwrap();
            let mut readers = Vec::new();
            for (name, person) in [
                ("anyone", &world.anyone),
                ("neighbour", &world.dominique),
                ("holder", &world.camille),
                ("agent", &world.agent),
                ("mayor", &world.mayor),
            ] {
                let found = person.get(&format!("/v1/documents/{id}")).await.status;
                let file = person.get(&format!("/v1/documents/{id}/file")).await.status;
                let list = person.get(&format!("{meeting}/documents")).await;
                assert_eq!(
                    (found, found == 200),
                    (file, list.text.contains(id)),
                    "{name}"
                );
                if found == 200 {
                    readers.push(name);
                }
            }
            assert_eq!(&readers, expected, "{document}");
        }
    }
    // They are not among the documents of the initiative.
    let list = world
        .agent
        .get(&format!("{initiative}/documents"))
        .await
        .ok();
    assert_eq!(list["data"], json!([]));
    // On both sides, one does not act for the town hall.
    let me = world.agent.id();
    let join = format!(
        "INSERT INTO holder_members VALUES ('{holder}', '{LOOS}', '{me}', 'active', 'member', false, now())"
    );
    assert_eq!(app.attack(&join).await, None);
    let reply = world.agent.upload(&attaching(&shut), PRESENCE).await;
    reply.problem(409, "conflict_of_interest");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_meeting_its_documents_go() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let meeting = held_meeting(&world).await;
    let other = held_meeting(&world).await;
    let kept = world
        .agent
        .upload(&attaching(&other), PRESENCE)
        .await
        .created();
    let mut gone = Vec::new();
    for _ in 0..3 {
        let document = world
            .agent
            .upload(&attaching(&meeting), PRESENCE)
            .await
            .created();
        gone.push(format!(
            "/v1/documents/{}",
            document["id"].as_str().unwrap()
        ));
    }
    // One was erased before, and one is on its way.
    let agent = world.agent.with("if-match", "*");
    agent.delete(&gone[0]).await.expect(204);
    let id = app.row_id(LOOS);
    let about = meeting.rsplit('/').next().unwrap();
    let row = format!(
        "INSERT INTO documents (id, commune_code, meeting_id, state, name, purpose, internal, uploaded_by, created_at)
         VALUES ('{id}', '{LOOS}', '{about}', 'pending', 'x', 'other', false, '{}', '2026-06-15T10:00:00Z')",
        world.agent.id()
    );
    assert_eq!(app.attack(&row).await, None);

    agent.delete(&meeting).await.expect(204);
    assert_eq!(files(app.documents.path()), [kept["id"].as_str().unwrap()]);
    for path in gone.iter().chain([&format!("{meeting}/documents")]) {
        world.agent.get(path).await.problem(404, "not_found");
    }
    let left = "SELECT count(*) FROM documents WHERE state = 'erased' AND emptied_at IS NOT NULL AND meeting_id IS NULL";
    assert_eq!(app.count(left).await, 3);
    let told = "SELECT count(*) FROM events WHERE subject = 'document' AND action = 'erase'";
    assert_eq!(app.count(told).await, 3);
    let bytes = format!("SELECT document_bytes FROM communes WHERE code = '{LOOS}'");
    assert_eq!(
        app.count(&bytes).await,
        kept["size_bytes"].as_i64().unwrap()
    );
    app.travel_to("2026-06-15T11:00:01Z");
    clockwork::turn(&app.state).await.unwrap();
    assert_eq!(
        app.count("SELECT count(*) FROM documents WHERE state = 'pending'")
            .await,
        0
    );

    // An upload and the deletion of its meeting at once: no bytes without a row, and no row without a meeting.
    for _ in 0..20 {
        let meeting = held_meeting(&world).await;
        let path = attaching(&meeting);
        let (uploaded, deleted) =
            tokio::join!(world.agent.upload(&path, PRESENCE), agent.delete(&meeting));
        deleted.expect(204);
        assert!(
            [201, 404].contains(&uploaded.status.as_u16()),
            "{}",
            uploaded.text
        );
        assert_eq!(files(app.documents.path()).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_what_a_document_is() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, convention) = active(&world).await;
    let path = attached(&world, &initiative).await;
    let id = path.rsplit('/').next().unwrap();
    let initiative = initiative.rsplit('/').next().unwrap();
    let convention = convention.rsplit('/').next().unwrap();
    let other = accepted(&world).await;
    let other = other.rsplit('/').next().unwrap();
    let meeting = held_meeting(&world).await;
    let minutes = world
        .agent
        .upload(&attaching(&meeting), PRESENCE)
        .await
        .created();
    let minutes = minutes["id"].as_str().unwrap();
    let meeting = meeting.rsplit('/').next().unwrap();
    let scan = format!("/v1/initiatives/{initiative}/documents?name=x&purpose=scan&internal=true");
    let scan = world.agent.upload(&scan, PRESENCE).await.created()["id"].clone();
    let scan = scan.as_str().unwrap();
    let (signed_for, open, hash) = opened(&world).await;
    let of_opened = scanned(&world, &signed_for, &open).await;
    let of_opened = of_opened.rsplit('/').next().unwrap();
    let open = open.rsplit('/').next().unwrap();
    let signature = |method: &str, scan: &str| {
        format!(
            "INSERT INTO signatures (id, commune_code, convention_id, party, method, content_sha256, identity_id, user_id,
                 capacity, signed_on, signed_at, recorded_by, paper_reference, document_id)
             SELECT '{}', commune_code, convention_id, party, '{method}', '{hash}', identity_id, user_id, capacity, '2026-06-15', now(),
                 CASE '{method}' WHEN 'paper' THEN '{}'::uuid END, CASE '{method}' WHEN 'paper' THEN 'R' END, '{scan}'
             FROM convention_parties WHERE convention_id = '{open}' AND party = 'holder'",
            app.row_id(LOOS),
            world.agent.id(),
        )
    };
    let camille = world.camille.id();
    let insert = |commune: &str, about: &str, columns: &str, values: &str| {
        let id = app.row_id(LOOS);
        format!(
            "INSERT INTO documents (id, commune_code, initiative_id, purpose, internal, uploaded_by, created_at, {columns})
             VALUES ('{id}', '{commune}', '{about}', 'other', false, '{camille}', '2026-06-15T10:00:00Z', {values})"
        )
    };
    let update = |set: &str| format!("UPDATE documents SET {set} WHERE id = '{id}'");
    let erase = format!(
        "state = 'erased', name = NULL, erased_by = '{camille}', erased_at = '2026-06-15T10:00:00Z'"
    );
    for (attack, refusal) in [
        (
            insert("62498", initiative, "state, name", "'pending', 'x'"),
            "documents_id_carries_commune",
        ),
        (
            insert(
                LOOS,
                initiative,
                "state, name, media_type, size_bytes, sha256",
                "'stored', 'x', 'text/plain', 1, repeat('0', 64)",
            ),
            "documents_start",
        ),
        (
            insert(
                LOOS,
                initiative,
                "state, name, size_bytes",
                "'pending', 'x', 1",
            ),
            "documents_whole_when_stored",
        ),
        (
            insert(LOOS, initiative, "state", "'pending'"),
            "documents_erased_whole",
        ),
        (
            insert(LOOS, initiative, "state, name", "'pending', ''"),
            "documents_name",
        ),
        (
            insert(
                LOOS,
                other,
                "state, name, convention_id",
                &format!("'pending', 'x', '{convention}'"),
            ),
            "documents_of_one_initiative",
        ),
        (
            insert(
                LOOS,
                initiative,
                "state, name, fulfilment_id",
                &format!("'pending', 'x', '{convention}'"),
            ),
            "documents_of_one_initiative",
        ),
        (
            insert(
                LOOS,
                initiative,
                "state, name, evaluation_id",
                &format!("'pending', 'x', '{convention}'"),
            ),
            "documents_of_one_initiative",
        ),
        (
            insert(
                LOOS,
                initiative,
                "state, name, meeting_id",
                &format!("'pending', 'x', '{meeting}'"),
            ),
            "documents_about_something",
        ),
        (
            format!("UPDATE documents SET meeting_id = NULL WHERE id = '{minutes}'"),
            "documents_about_something",
        ),
        (
            format!("UPDATE documents SET meeting_id = '{meeting}' WHERE id = '{id}'"),
            "documents_transition",
        ),
        (
            format!("DELETE FROM meetings WHERE id = '{meeting}'"),
            "documents_about_something",
        ),
        // A scan is internal, of this very paper, and there is a paper.
        (
            format!("UPDATE initiatives SET paper_document_id = '{id}' WHERE id = '{initiative}'"),
            "initiatives_scan",
        ),
        (
            format!("UPDATE initiatives SET paper_document_id = '{scan}' WHERE id = '{other}'"),
            "initiatives_scan",
        ),
        (
            format!(
                "UPDATE initiatives SET paper_document_id = '{scan}' WHERE id = '{initiative}'"
            ),
            "initiatives_scan_of_paper",
        ),
        (
            format!("UPDATE signatures SET document_id = '{scan}'"),
            "signatures_append_only",
        ),
        (signature("paper", id), "signatures_scan"),
        (signature("paper", scan), "signatures_scan"),
        (signature("simple", of_opened), "signatures_scan_of_paper"),
        (update("state = 'pending'"), "documents_transition"),
        (update("sha256 = repeat('0', 64)"), "documents_transition"),
        (
            update(&format!("{erase}, size_bytes = 1")),
            "documents_do_not_change",
        ),
        (
            update(&format!("{erase}, internal = true")),
            "documents_do_not_change",
        ),
        (
            update(&erase.replace("name = NULL, ", "")),
            "documents_erased_whole",
        ),
        (
            update("state = 'erased', name = NULL"),
            "documents_erased_whole",
        ),
        ("DELETE FROM documents".to_owned(), "documents_stay"),
        (
            format!("UPDATE communes SET document_quota_bytes = 10 WHERE code = '{LOOS}'"),
            "communes_document_quota",
        ),
        (
            format!("UPDATE communes SET document_bytes = -1 WHERE code = '{LOOS}'"),
            "communes_document_quota",
        ),
    ] {
        assert_eq!(
            app.attack(&attack).await.as_deref(),
            Some(refusal),
            "{attack}"
        );
    }
    // Erased once and for all.
    assert_eq!(app.attack(&update(&erase)).await, None);
    for (set, refusal) in [
        (
            "state = 'stored', name = 'x', erased_by = NULL, erased_at = NULL",
            "documents_transition",
        ),
        (
            "erased_at = '2027-01-01T00:00:00Z'",
            "documents_do_not_change",
        ),
        ("sha256 = repeat('0', 64)", "documents_do_not_change"),
    ] {
        assert_eq!(
            app.attack(&update(set)).await.as_deref(),
            Some(refusal),
            "{set}"
        );
    }
    assert_eq!(
        app.attack("DELETE FROM documents").await.as_deref(),
        Some("documents_stay")
    );
}
