//! Queries whose SQL is written once. diesel-async writes the text of a query anew each time that it runs, prepared or
//! not; on a single view that was a sixth of the server's work.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use diesel::QueryResult;
use diesel::pg::{Pg, PgQueryBuilder};
use diesel::query_builder::{AstPass, Query, QueryBuilder, QueryFragment, QueryId};

thread_local! {
    /// The text of each query, by the type that stands for it.
    static TEXTS: RefCell<HashMap<TypeId, Rc<str>>> = RefCell::default();
}

/// A query that remembers its text. Only for queries whose type alone decides the text: others do not compile.
#[derive(Clone, Debug)]
pub struct Remembered<Q>(pub Q);

impl<Q: Query> Query for Remembered<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryId> QueryId for Remembered<Q> {
    type QueryId = Q::QueryId;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: QueryFragment<Pg> + QueryId> QueryFragment<Pg> for Remembered<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn to_sql(&self, out: &mut PgQueryBuilder, backend: &Pg) -> QueryResult<()> {
        const {
            assert!(
                Q::HAS_STATIC_QUERY_ID,
                "its text may differ from one run to the next"
            )
        };
        let Some(id) = Q::query_id() else {
            return self.0.to_sql(out, backend);
        };
        let known = TEXTS.with_borrow(|texts| texts.get(&id).cloned());
        let text = match known {
            Some(text) => text,
            None => {
                let mut builder = PgQueryBuilder::default();
                self.0.to_sql(&mut builder, backend)?;
                let text: Rc<str> = builder.finish().into();
                TEXTS.with_borrow_mut(|texts| texts.insert(id, Rc::clone(&text)));
                text
            }
        };
        out.push_sql(&text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;

    use super::*;
    use crate::db::schema::communes;

    fn text<Q: QueryFragment<Pg>>(query: &Q) -> String {
        let mut builder = PgQueryBuilder::default();
        query.to_sql(&mut builder, &Pg).unwrap();
        builder.finish()
    }

    #[test]
    fn the_text_is_that_of_the_query_the_second_time_too() {
        let by_code = |code| communes::table.find(code).select(communes::name);
        let by_name = |name| {
            communes::table
                .filter(communes::name.eq(name))
                .select(communes::name)
        };
        for value in ["62528", "62498"] {
            assert_eq!(text(&Remembered(by_code(value))), text(&by_code(value)));
            assert_eq!(text(&Remembered(by_name(value))), text(&by_name(value)));
        }
    }
}
