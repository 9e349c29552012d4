//! Two programs that want the same, and the end of one.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::House;

#[tokio::test]
async fn a_second_program_on_the_same_folder_is_refused() {
    let house = House::new();
    let first = house.serve();
    let second = house.run(&[], &[("PORT", "0")], "");
    assert!(!second.succeeded);
    let expected = format!(
        "another program (process {}) is already using the data folder",
        first.id()
    );
    assert!(second.said.contains(&expected), "{}", second.said);
    assert_eq!(
        first.get("/readyz").await.0,
        200,
        "the first is undisturbed"
    );

    // With a folder of its own it is welcome, but not on the port of the first.
    let port = first.address.rsplit(':').next().unwrap();
    let third = house.run(&["--data-dir", "other"], &[("PORT", port)], "");
    assert!(!third.succeeded);
    let expected = format!("cannot listen on 127.0.0.1:{port}");
    assert!(third.said.contains(&expected), "{}", third.said);
    assert_eq!(first.end("TERM").code(), Some(0));
}

#[tokio::test]
async fn an_accepted_request_is_answered_before_the_end() {
    let house = House::new();
    let program = house.serve();
    let host = program.address.trim_start_matches("http://").to_owned();
    let body = format!(
        "grant_type=password&username=maire%40demo.example&password={}",
        fifty_fifty::demonstration::PASSWORD
    );
    let head = format!(
        "POST /v1/auth/token HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(&host).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    // "Go on": the request is accepted.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let ended = std::thread::spawn(move || program.end("TERM"));
    // From the moment when nobody else is let in, it is ending.
    while TcpStream::connect(&host).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("\"access_token\""), "{answer}");
    assert_eq!(ended.join().unwrap().code(), Some(0));
}

#[tokio::test]
async fn what_is_no_http_is_no_error_of_ours() {
    let house = House::new();
    let program = house.serve();
    let host = program.address.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&host).unwrap();
    stream
        .write_all(b"GET /v1/communes HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request"), "{answer}");
    assert_eq!(program.get("/livez").await.0, 200);
    assert!(!program.said().contains("ERROR"), "{}", program.said());
    assert_eq!(program.end("TERM").code(), Some(0));
}
