//! Every list is answered by an index: on 100,000 initiatives no query that a user can make reads a table from end to
//! end. PostgreSQL itself counts the scans.

use fifty_fifty::ids::InitiativeId;

use crate::initiatives::association;
use crate::support::app::{LENS, LOOS};
use crate::support::{Client, TestApp};

/// How often `initiatives` was read from end to end, as far as the sessions that have ended say.
async fn whole_reads(app: &TestApp) -> i64 {
    let (client, connection) = tokio_postgres::connect(&app.database_url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    loop {
        let others: i64 = client.query_one(others, &[]).await.unwrap().get(0);
        if others == 0 {
            let count = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'initiatives'";
            return client.query_one(count, &[]).await.unwrap().get(0);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_reads_a_whole_table() {
    let mut app = TestApp::new().await;
    let world = app.world().await;
    let holder = association(&world.camille, "Les chemins de Loos").await;
    let mut sql = String::new();
    for (commune, share) in [(LOOS, 2_000), (LENS, 98_000)] {
        let id = InitiativeId::new(commune, app.state.clock.now())
            .unwrap()
            .to_string();
        let holder = if commune == LOOS {
            format!("'{holder}'::uuid")
        } else {
            "NULL::uuid".to_owned()
        };
        sql.push_str(&format!(
            "INSERT INTO initiatives (id, commune_code, state, origin, delivery, title, description, theme, holder_id, author_id,
                channel, published_at, submitted_at, submission_number, reply_due_on, latitude, longitude, state_changed_at,
                created_at, folded_text)
             SELECT ('{}' || lpad(to_hex(n), 12, '0'))::uuid, '{commune}',
                (ARRAY['in_review', 'accepted', 'in_progress', 'closed', 'withdrawn'])[1 + n % 5], 'idea', 'holder', 'Projet ' || n,
                'x', (ARRAY['sport', 'culture', 'energy', 'health'])[1 + n % 4],
                CASE WHEN n % 50 = 0 THEN {holder} ELSE NULL END, '{}', 'online',
                CASE WHEN n % 10 > 0 THEN now() END, now(), 1, '2026-01-01'::date + n % 300,
                44 + n % 600 / 100.0, n % 500 / 100.0, now(), '2020-01-01'::timestamptz + n * interval '1 minute',
                'projet ' || (ARRAY['chemin', 'jardin', 'ecole', 'velo'])[1 + n % 4] || ' ' || n
             FROM generate_series(1, {share}) AS n;",
            &id[..24],
            world.dominique.id(),
        ));
    }
    app.write_rows(&format!(
        "ALTER TABLE initiatives DROP CONSTRAINT initiatives_complete_when_submitted; {sql}"
    ))
    .await;
    assert_eq!(app.attack("VACUUM ANALYZE initiatives").await, None);

    let anyone = &world.anyone;
    let agent = &world.agent;
    let questions: Vec<(&Client, String)> = vec![
        (anyone, "/v1/initiatives".to_owned()),
        (anyone, "/v1/initiatives?sort=created_at".to_owned()),
        (anyone, format!("/v1/initiatives?commune={LOOS}")),
        (
            anyone,
            format!("/v1/initiatives?commune={LOOS}&state=in_progress"),
        ),
        (
            anyone,
            format!("/v1/initiatives?commune={LOOS}&state=in_progress,closed&theme=sport"),
        ),
        (anyone, "/v1/initiatives?state=closed".to_owned()),
        (anyone, "/v1/initiatives?theme=culture".to_owned()),
        (anyone, "/v1/initiatives?q=jardin+1999".to_owned()),
        (
            anyone,
            "/v1/initiatives?bbox=2.70,49.90,2.80,49.95".to_owned(),
        ),
        (anyone, format!("/v1/initiatives?holder={holder}")),
        (agent, format!("/v1/initiatives?commune={LOOS}")),
        (
            agent,
            format!("/v1/initiatives?commune={LOOS}&state=withdrawn"),
        ),
        (
            agent,
            format!("/v1/initiatives?commune={LOOS}&inbox=to_instruct"),
        ),
        (
            agent,
            format!("/v1/initiatives?commune={LOOS}&inbox=overdue&sort=reply_due_on"),
        ),
        (
            agent,
            format!("/v1/initiatives?commune={LOOS}&inbox=to_decide"),
        ),
        (
            agent,
            format!("/v1/initiatives?commune={LOOS}&inbox=to_sign"),
        ),
        (&world.camille, "/v1/me/initiatives".to_owned()),
        (anyone, format!("/v1/communes/{LOOS}/holders")),
    ];
    // A session tells its counts when it ends: a server for each question, and none before and after.
    app.restart().await;
    let mut before = whole_reads(&app).await;
    let mut whole = Vec::new();
    for (who, path) in &questions {
        who.at(&app.address).get(path).await.ok();
        app.restart().await;
        let after = whole_reads(&app).await;
        if after > before {
            whole.push(path);
        }
        before = after;
    }
    assert!(whole.is_empty(), "these read the whole table: {whole:#?}");
}
