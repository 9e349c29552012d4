//! Closed lists: one declaration gives the Rust type, the JSON and database code, the schema, and the French and
//! English labels that `/v1/reference` serves.

/// A closed list as data, for the reference endpoints and for checks against the database.
#[derive(Clone, Copy)]
pub struct CodeList {
    /// The list's own name, snake_case.
    pub name: &'static str,
    /// Its members: code, French label, English label.
    pub codes: &'static [(&'static str, &'static str, &'static str)],
}

impl CodeList {
    /// The labels of a code, French and English.
    pub fn labels(&self, code: &str) -> Option<(&'static str, &'static str)> {
        self.codes
            .iter()
            .find(|(known, ..)| *known == code)
            .map(|(_, fr, en)| (*fr, *en))
    }
}

/// A member of a closed list.
pub trait Coded: Sized + 'static {
    /// The whole list.
    const LIST: CodeList;

    /// The code as it stands in JSON and in the database.
    fn code(self) -> &'static str;
}

/// Declares a closed list:
/// `codes! { /// doc  pub enum Theme "theme" { Sport = "sport", "Sport", "Sport"; } }`.
macro_rules! codes {
    ($(
        $(#[doc = $doc:literal])+
        pub enum $name:ident $list:literal {
            $($(#[$variant_doc:meta])* $variant:ident = $code:literal, $fr:literal, $en:literal;)+
        }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $code)] $variant,)+
        }

        impl $name {
            /// The list with its labels.
            pub const LIST: $crate::codes::CodeList =
                $crate::codes::CodeList { name: $list, codes: &[$(($code, $fr, $en)),+] };

            /// Every member, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as it stands in JSON and in the database.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }
        }

        impl $crate::codes::Coded for $name {
            const LIST: $crate::codes::CodeList = Self::LIST;

            fn code(self) -> &'static str {
                self.code()
            }
        }

        // By hand: utoipa does not see a `serde(rename)` that comes through a macro.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, Type};
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some([$($code),+]))
                    .description(Some(concat!($($doc),+).trim()))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($code => Ok(Self::$variant),)+
                    other => Err(format!("{other:?} is no {}", $list)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                std::io::Write::write_all(out, self.code().as_bytes())?;
                Ok(diesel::serialize::IsNull::No)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(bytes: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(std::str::from_utf8(bytes.as_bytes())?.parse()?)
            }
        }
    )+};
}
pub(crate) use codes;
