//! Two programs that want the same.

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
