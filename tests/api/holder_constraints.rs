//! What the database holds of holders, whatever the code does.

use diesel::sql_types::{Array, Text};
use diesel_async::RunQueryDsl;
use fifty_fifty::ids::HolderId;
use fifty_fifty::registry::is_siret;
use serde_json::Value;

use crate::holders::{HOLDERS, holder};
use crate::support::TestApp;
use crate::support::app::{LENS, LOOS};

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_the_rules_of_holders() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let made = world
        .camille
        .post(HOLDERS, holder("association", "Jardins"))
        .await
        .created();
    let person = world
        .camille
        .post(HOLDERS, holder("person", "Camille"))
        .await
        .created();
    let (id, camille) = (made["id"].as_str().unwrap(), world.camille.id());
    let set = |what: &str, holder: &Value| {
        format!(
            "UPDATE holders SET {what} WHERE id = '{}'",
            holder["id"].as_str().unwrap()
        )
    };
    let elsewhere = HolderId::new(LENS, app.state.clock.now()).unwrap();
    let attacks = [
        (set("siret = '21620528600019'", &made), "holders_siret"),
        (set("siret = '2162052860001'", &made), "holders_siret"),
        (set("siret = '35600000049838'", &made), "holders_siret"),
        (set("rna = 'W62'", &made), "holders_rna"),
        (set("kind = 'club'", &made), "holders_kind"),
        (
            set("siret = '21620528600018'", &person),
            "holders_natural_persons_have_no_siret",
        ),
        (
            set("rna = 'W621000123'", &person),
            "holders_natural_persons_have_no_siret",
        ),
        (
            set("kind = 'company', rna = 'W621000123'", &made),
            "holders_rna_is_for_associations",
        ),
        (
            set(&format!("id = '{elsewhere}'"), &made),
            "holders_id_carries_commune",
        ),
        (
            format!(
                "INSERT INTO holder_members VALUES ('{id}', '{LOOS}', '{}', 'active', 'lead', false, now())",
                world.dominique.id()
            ),
            "holder_members_one_lead",
        ),
        (
            format!(
                "INSERT INTO holder_members VALUES ('{id}', '{LENS}', '{camille}', 'active', 'member', false, now())"
            ),
            "holder_members_holder_id_commune_code_fkey",
        ),
        (
            format!("UPDATE holder_members SET state = 'king' WHERE user_id = '{camille}'"),
            "holder_members_state",
        ),
    ];
    for (sql, constraint) in attacks {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(constraint), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_and_the_database_read_a_siret_alike() {
    let app = TestApp::new().await;
    let mut candidates: Vec<String> = (0..200)
        .map(|n| format!("35600000{:06}", n * 4999))
        .collect();
    candidates.extend((0..200).map(|n| format!("78435090{:06}", n * 4999)));
    candidates.extend(["", "1", "3560000000004", "2162052860001X"].map(str::to_owned));
    let expected: Vec<String> = candidates
        .iter()
        .filter(|text| is_siret(text))
        .cloned()
        .collect();
    assert!(expected.len() > 40, "{}", expected.len());
    let accepted: Vec<String> = diesel::select(
        diesel::dsl::sql::<Array<Text>>("ARRAY(SELECT n FROM unnest(")
            .bind::<Array<Text>, _>(candidates)
            .sql(") WITH ORDINALITY AS given (n, place) WHERE is_siret(n) ORDER BY place)"),
    )
    .get_result(&mut app.database().await)
    .await
    .unwrap();
    assert_eq!(accepted, expected);
}
