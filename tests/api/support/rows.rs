//! Rows written straight into the database, for lives that a test does not tell step by step. Triggers and foreign
//! keys stay asleep; checks do not.

use fifty_fifty::ids::{UserId, tenant_uuid};
use uuid::Uuid;

use super::TestApp;

/// An initiative as it is at the end of a life.
pub struct Initiative<'a> {
    pub commune: &'a str,
    pub state: &'a str,
    pub holder: Uuid,
    pub author: UserId,
    pub submitted_at: &'a str,
    pub published: bool,
}

impl TestApp {
    /// A new id in a commune.
    pub fn row_id(&self, commune: &str) -> Uuid {
        tenant_uuid(commune, self.state.clock.now()).unwrap()
    }

    /// Writes rows.
    pub async fn write_rows(&self, sql: &str) {
        let refusal = self
            .attack(&format!("SET session_replication_role = replica; {sql}"))
            .await;
        assert_eq!(refusal, None, "{sql}");
    }

    /// A holder, with this member if it has an account.
    pub async fn holder_row(&self, commune: &str, kind: &str, member: Option<UserId>) -> Uuid {
        let id = self.row_id(commune);
        self.write_rows(&format!(
            "INSERT INTO holders (id, commune_code, kind, name, created_at) \
             VALUES ('{id}', '{commune}', '{kind}', 'Porteur', '2020-01-01T10:00:00Z')"
        ))
        .await;
        if let Some(member) = member {
            self.write_rows(&format!(
                "INSERT INTO holder_members (holder_id, commune_code, user_id, state, role, since) \
                 VALUES ('{id}', '{commune}', '{member}', 'active', 'lead', '2020-01-01T10:00:00Z')"
            ))
            .await;
        }
        id
    }

    /// An initiative; the commune promised to answer within 60 days.
    pub async fn initiative_row(&self, row: Initiative<'_>) -> Uuid {
        let Initiative {
            commune,
            state,
            holder,
            author,
            submitted_at,
            published,
        } = row;
        let id = self.row_id(commune);
        let published_at = if published {
            format!("'{submitted_at}'")
        } else {
            "NULL".to_owned()
        };
        self.write_rows(&format!(
            "INSERT INTO initiatives (id, commune_code, state, origin, delivery, title, description, theme, holder_id, \
                author_id, channel, published_at, submitted_at, submission_number, reply_due_on, state_changed_at, \
                created_at, folded_text) \
             VALUES ('{id}', '{commune}', '{state}', 'idea', 'joint', 'Chemins', 'Des chemins', 'agriculture', \
                '{holder}', '{author}', 'online', {published_at}, '{submitted_at}', 1, \
                ('{submitted_at}'::timestamptz AT TIME ZONE 'Europe/Paris')::date + 60, '{submitted_at}', \
                '{submitted_at}', 'chemins')"
        ))
        .await;
        id
    }
}

impl TestApp {
    /// A fingerprint of every row that people can write: equal when nothing has changed.
    pub async fn fingerprint(&self) -> String {
        let (client, connection) =
            tokio_postgres::connect(&self.database_url(), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        // A reader gives what is committed its place in the feed: that is no change.
        client.execute("SELECT feed_head()", &[]).await.unwrap();
        let tables = "SELECT string_agg(format('SELECT %L || coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), '''')
                FROM %I AS t%s', tablename, tablename, CASE tablename WHEN 'communes' THEN ' WHERE enrolled_at IS NOT NULL' ELSE '' END), ' UNION ALL ')
            FROM pg_tables WHERE schemaname = 'public'
                AND tablename NOT IN ('departments', 'regions', 'epci', 'commune_postal_codes', 'lifecycle_transitions')";
        let query: String = client.query_one(tables, &[]).await.unwrap().get(0);
        let rows = client.query(&query, &[]).await.unwrap();
        let mut parts: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        parts.sort_unstable();
        parts.join("\n")
    }
}

/// Runs a statement for each table that people can write.
fn each_table(body: &str) -> String {
    format!(
        "DO $$ DECLARE t text; columns text; BEGIN
            FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
                AND tablename NOT IN ('departments', 'regions', 'epci', 'communes', 'commune_postal_codes', 'lifecycle_transitions')
            LOOP
                SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
                WHERE attrelid = t::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
                {body}
            END LOOP;
        END $$"
    )
}

impl TestApp {
    /// Keeps every row as it is now.
    pub async fn keep(&self) {
        let copy = each_table(
            "EXECUTE format('CREATE TABLE kept.%I AS SELECT %s FROM %I', t, columns, t);",
        );
        self.write_rows(&format!("CREATE SCHEMA kept; {copy}"))
            .await;
    }

    /// Brings all rows back as they were kept. Communes stay as they are.
    pub async fn bring_back(&self) {
        let copy = each_table(
            "EXECUTE format('DELETE FROM %I', t);
            EXECUTE format('INSERT INTO %I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM kept.%I', t, columns, columns, t);",
        );
        self.write_rows(&copy).await;
    }
}
