//! `/v1/auth/token`, `/v1/auth/revoke`, `/.well-known/jwks.json`

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use diesel::OptionalExtension;
use uuid::Uuid;

use super::dto::{
    GrantType, RevocationRequest, TokenAnswer, TokenError, TokenErrorCode as Fault, TokenRequest,
};
use crate::auth::actor::Actor;
use crate::auth::caller::{Anyone, Shown, Unidentified};
use crate::auth::policy::Scope;
use crate::auth::tokens::{ACCESS_LIFETIME, ClientGrant, Jwks, scope_list};
use crate::http::error::{ApiError, Code};
use crate::http::extract::Form;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{ClientId, UserId};
use crate::state::{Session, State};
use crate::{clients, users};

pub fn configure(routes: &mut Routes) {
    routes
        .service(issue_token)
        .service(revoke_token)
        .service(get_jwks);
}

/// A form that cannot be read is refused in OAuth's own words.
fn read<T>(form: Result<Form<T>, ApiError>) -> Result<T, Answer> {
    match form {
        Ok(Form(request)) => Ok(request),
        Err(error) if error.code == Code::MalformedForm => Err(refuse(
            Fault::InvalidRequest,
            "A parameter is missing, repeated or not UTF-8.",
        )),
        Err(error) => Err(Err(error)),
    }
}

fn refuse(error: Fault, error_description: &'static str) -> Answer {
    Reply::new(
        StatusCode::BAD_REQUEST,
        &TokenError {
            error,
            error_description,
        },
    )
}

/// The program's id or secret is wrong, or it does not count any more, or not from here: nobody is told which.
fn refuse_client() -> Answer {
    Ok(Reply {
        challenge: Some("Basic realm=\"Fifty-Fifty\""),
        ..Reply::new(
            StatusCode::UNAUTHORIZED,
            &TokenError {
                error: Fault::InvalidClient,
                error_description: "The program or its secret does not count, or not from here.",
            },
        )?
    })
}

/// Get tokens
///
/// OAuth 2, form-encoded. With `grant_type=password` for a person's own programs, and `grant_type=refresh_token` for
/// the next pair: each refresh token counts once, and one that comes back later ends the whole session. With
/// `grant_type=client_credentials` for the program of a partner.
#[utoipa::path(
    tag = "authentication",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Tokens.", body = TokenAnswer),
        (status = 400, description = "No tokens, in OAuth's own form; or a query, which this operation does not take.", body = TokenError),
        (status = 401, description = "The program or its secret does not count, in OAuth's own form.", body = TokenError,
            example = json!({"error": "invalid_client", "error_description": "No program has this name and secret, or it may not act now."})),
        (status = 429, description = "Too many passwords at once.", body = crate::http::problem::Problem, content_type = "application/problem+json"),
    ),
    security(()),
)]
#[post("/v1/auth/token")]
pub async fn issue_token(
    state: web::Data<State>,
    anyone: Unidentified,
    form: Result<Form<TokenRequest>, ApiError>,
) -> Answer {
    let request = match read(form) {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    match request.grant_type.parse() {
        Ok(GrantType::Password) if state.password_grant => {
            let (Some(email), Some(password)) = (request.username, request.password) else {
                return refuse(Fault::InvalidRequest, "username and password are needed.");
            };
            // PostgreSQL keeps no NUL, so no account has one.
            if email.contains('\0') {
                return refuse(Fault::InvalidGrant, "The address or the password is wrong.");
            }
            let user = users::model::by_email(&mut state.read(&anyone).await?.conn, &email).await?;
            let hash = user.as_ref().map(|user| user.password_hash.clone());
            let right = state.passwords.verify(password, hash).await?;
            match user {
                Some(user) if right => {
                    let keys = State::clone(&state);
                    state
                        .write(&anyone, async move |session| {
                            give(&keys, session, user.id, None).await
                        })
                        .await
                }
                _ => refuse(Fault::InvalidGrant, "The address or the password is wrong."),
            }
        }
        Ok(GrantType::RefreshToken) => {
            let Some(secret) = request.refresh_token else {
                return refuse(Fault::InvalidRequest, "refresh_token is needed.");
            };
            let keys = State::clone(&state);
            state
                .write(
                    &anyone,
                    async move |session| match users::model::use_refresh_token(
                        &mut session.conn,
                        &secret,
                        session.now,
                    )
                    .await?
                    {
                        Some((user, family)) => give(&keys, session, user, Some(family)).await,
                        None => refuse(
                            Fault::InvalidGrant,
                            "The refresh token does not count (any more).",
                        ),
                    },
                )
                .await
        }
        Ok(GrantType::ClientCredentials) => {
            let shown = match (
                anyone.basic_credentials(),
                request.client_id,
                request.client_secret,
            ) {
                (Some(pair), None, None) => Some(pair),
                (None, Some(id), Some(secret)) => Some((id, secret)),
                (Some(_), ..) => {
                    return refuse(
                        Fault::InvalidRequest,
                        "The program shows its secret in the header or in the form, not in both.",
                    );
                }
                (None, ..) => None,
            };
            let Some((id, secret)) = shown else {
                return refuse_client();
            };
            give_program(&state, &anyone, &id, &secret, request.scope.as_deref()).await
        }
        Ok(GrantType::Password) | Err(_) => refuse(
            Fault::UnsupportedGrantType,
            "grant_type is password, refresh_token or client_credentials.",
        ),
    }
}

/// A token for a program, if its secret counts and it may call from here.
async fn give_program(
    state: &State,
    anyone: &Unidentified,
    id: &str,
    secret: &str,
    scope: Option<&str>,
) -> Answer {
    let mut session = state.read(anyone).await?;
    let Ok(id) = id.parse().map(ClientId) else {
        return refuse_client();
    };
    let row = clients::model::find(&mut session.conn, id)
        .await
        .optional()?;
    let known = row.and_then(|row| Some((row.number_of(secret, session.now)?, row)));
    let Some((number, row)) = known else {
        return refuse_client();
    };
    anyone.count_for(row.id);
    let mut grant = ClientGrant {
        id: row.id,
        secret: number,
        scopes: row.scopes.iter().copied().flatten().collect(),
    };
    let shown = Shown {
        grant: grant.clone(),
        address: anyone.came_from(),
        needs: None,
    };
    // What will be asked of the token at each request is asked of the secret.
    match Actor::load_program(&session.conn, row.user_id, Some(&shown), session.now, false).await {
        Err(error) if error.code == Code::Unauthorized => return refuse_client(),
        checked => checked?,
    };
    if let Some(asked) = scope.filter(|scope| !scope.trim().is_empty()) {
        let asked: Result<Vec<Scope>, _> = asked.split_whitespace().map(str::parse).collect();
        match asked {
            Ok(asked) if asked.iter().all(|scope| grant.scopes.contains(scope)) => {
                grant.scopes.retain(|scope| asked.contains(scope));
            }
            _ => {
                return refuse(
                    Fault::InvalidScope,
                    "The program has not all of these scopes.",
                );
            }
        }
    }
    Reply::new(
        StatusCode::OK,
        &TokenAnswer {
            access_token: state
                .keys
                .issue_to_client(row.user_id, &grant, session.now)
                .map_err(ApiError::internal)?,
            token_type: "Bearer",
            expires_in: ACCESS_LIFETIME.as_secs(),
            refresh_token: None,
            scope: scope_list(&grant.scopes),
        },
    )
}

async fn give(state: &State, session: &mut Session, user: UserId, family: Option<Uuid>) -> Answer {
    let actor = Actor::load(&session.conn, Some(user), session.now, false).await?;
    let mut roles: Vec<String> = actor
        .mandates()
        .iter()
        .map(|mandate| format!("{}:{}", mandate.role, mandate.commune))
        .collect();
    if actor.is_admin() {
        roles.push("admin".to_owned());
    }
    let refresh_token =
        users::model::issue_refresh_token(&mut session.conn, user, family, session.now).await?;
    Reply::new(
        StatusCode::OK,
        &TokenAnswer {
            access_token: state
                .keys
                .issue(user, roles, session.now)
                .map_err(ApiError::internal)?,
            token_type: "Bearer",
            expires_in: ACCESS_LIFETIME.as_secs(),
            refresh_token: Some(refresh_token),
            scope: String::new(),
        },
    )
}

/// Revoke a refresh token
///
/// Signs out: the refresh token and all that came from the same sign-in stop counting (RFC 7009). An unknown token
/// is no error.
#[utoipa::path(
    tag = "authentication",
    request_body(content = RevocationRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 204, description = "The token does not count any more."),
        (status = 400, description = "A form that cannot be read, in OAuth's own words.", body = TokenError),
    ),
    security(()),
)]
#[post("/v1/auth/revoke")]
pub async fn revoke_token(
    state: web::Data<State>,
    anyone: Unidentified,
    form: Result<Form<RevocationRequest>, ApiError>,
) -> Answer {
    let request = match read(form) {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    state
        .write(&anyone, async move |session| {
            users::model::revoke_refresh_token(&mut session.conn, &request.token, session.now)
                .await?;
            Ok(Reply::no_content())
        })
        .await
}

/// Get the public keys
///
/// What checks our access tokens (RFC 7517). Keys overlap during a rotation.
#[utoipa::path(
    tag = "authentication",
    responses((status = 200, description = "The keys.", body = Jwks)),
    security(()),
)]
#[get("/.well-known/jwks.json")]
pub async fn get_jwks(state: web::Data<State>, _: Anyone) -> Answer {
    Ok(Reply::data(&state.keys.jwks())?.public(300))
}
