//! `/v1/accounts`, `/v1/me`

use actix_web::{get, patch, post, web};

use super::dto::{Me, MePatch, MyMandate, NewAccount, PasswordChange};
use super::model::{self, UserRow};
use crate::auth::actor::Actor;
use crate::auth::caller::{Anyone, Caller};
use crate::auth::passwords::{Passwords, is_too_common};
use crate::clock::{age_on, paris_day};
use crate::http::error::{ApiError, Fault, FaultCode, Text};
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::UserId;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(register_account)
        .service(get_me)
        .service(update_me)
        .service(change_password);
}

/// Age from which somebody may have an account.
const MINIMUM_AGE: u32 = 15;

fn show(user: UserRow, actor: &Actor) -> Me {
    Me {
        id: user.id,
        email: user.email,
        display_name: user.display_name,
        full_name: user.full_name,
        birth_on: user.birth_on,
        locale: user.locale,
        is_admin: user.is_admin,
        mandates: actor.mandates().iter().map(MyMandate::from).collect(),
        created_at: user.created_at,
    }
}

fn too_common(pointer: &str) -> Fault {
    let text = Text::new(
        "Ce mot de passe est parmi les premiers que quelqu'un essaierait.",
        "This password is among the first that anybody would try.",
    );
    Fault::at(pointer, FaultCode::Inconsistent, text)
}

/// Register an account
///
/// Anyone of 15 or older. Then get a token with `POST /v1/auth/token`.
#[utoipa::path(
    tag = "accounts",
    request_body = NewAccount,
    responses(
        (status = 201, description = "The account.", body = Me),
        (status = 409, description = "An account exists already with this address.", body = crate::http::problem::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many passwords at once.", body = crate::http::problem::Problem, content_type = "application/problem+json"),
    ),
    security(()),
)]
#[post("/v1/accounts")]
pub async fn register_account(
    state: web::Data<State>,
    anyone: Anyone,
    body: Json<NewAccount>,
) -> Answer {
    let new = body.0;
    let now = state.clock.now();
    let mut faults = Vec::new();
    if age_on(new.birth_on, paris_day(now)) < MINIMUM_AGE {
        let text = Text::new("Il faut avoir 15 ans.", "One must be 15.");
        faults.push(Fault::at("/birth_on", FaultCode::OutOfRange, text));
    }
    if is_too_common(
        &new.password,
        &[&new.email, &new.display_name, &new.full_name],
    ) {
        faults.push(too_common("/password"));
    }
    if !faults.is_empty() {
        return Err(ApiError::invalid(faults));
    }
    let password_hash = state.passwords.hash(new.password).await?;
    state
        .write(&anyone, async move |session| {
            let user = UserRow {
                id: UserId::new(session.now)?,
                email: new.email.to_lowercase(),
                password_hash,
                display_name: new.display_name,
                full_name: new.full_name,
                birth_on: new.birth_on,
                is_admin: false,
                locale: new.locale,
                created_at: session.now,
                version: 1,
            };
            model::insert(&mut session.conn, &user).await?;
            Reply::created(
                "/v1/me".to_owned(),
                user.version,
                &show(user, &Actor::default()),
            )
        })
        .await
}

/// Get one's own account
///
/// With the mandates that count today.
#[utoipa::path(tag = "accounts", responses((status = 200, description = "The caller's account.", body = Me)))]
#[get("/v1/me")]
pub async fn get_me(state: web::Data<State>, caller: Caller) -> Answer {
    let mut session = state.read(&caller).await?;
    let user = model::find(&mut session.conn, session.actor.person()?.id).await?;
    Reply::resource(user.version, &show(user, &session.actor))
}

/// Change one's own account
///
/// Names and language. The address and the day of birth stay.
#[utoipa::path(
    tag = "accounts",
    params(IfMatchHeader),
    request_body(content = MePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The account as it is now.", body = Me)),
)]
#[patch("/v1/me")]
pub async fn update_me(
    state: web::Data<State>,
    caller: Caller,
    if_match: IfMatch,
    body: Json<MePatch>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let id = session.actor.person()?.id;
            if_match.check(model::lock(&mut session.conn, id).await?.version)?;
            model::change(&mut session.conn, id, &body.0).await?;
            let user = model::find(&mut session.conn, id).await?;
            Reply::resource(user.version, &show(user, &session.actor))
        })
        .await
}

/// Change one's password
///
/// Ends every other session: refresh tokens given before stop counting.
#[utoipa::path(
    tag = "accounts",
    request_body = PasswordChange,
    responses(
        (status = 204, description = "The new password counts."),
        (status = 429, description = "Too many passwords at once.", body = crate::http::problem::Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/me/password")]
pub async fn change_password(
    state: web::Data<State>,
    caller: Caller,
    body: Json<PasswordChange>,
) -> Answer {
    let user = {
        let mut session = state.read(&caller).await?;
        let id = session.actor.person()?.id;
        model::find(&mut session.conn, id).await?
    };
    // Hashing takes long, and needs no transaction. Whether it was refused counts only if this was not done before.
    let new_hash = hash_new(&state.passwords, &user, body.0).await;
    state
        .write(&caller, async move |session| {
            let password_hash = new_hash?;
            // Of two changes from the same old password only the first counts.
            if model::lock(&mut session.conn, user.id).await?.password_hash != user.password_hash {
                return Err(not_the_current_password());
            }
            model::set_password(&mut session.conn, user.id, &password_hash, session.now).await?;
            Ok(Reply::no_content())
        })
        .await
}

fn not_the_current_password() -> ApiError {
    ApiError::fault(
        "/current_password",
        FaultCode::Inconsistent,
        "Ce n'est pas votre mot de passe actuel.",
        "This is not your current password.",
    )
}

/// The hash of a new password, for somebody who knows the present one.
async fn hash_new(
    passwords: &Passwords,
    user: &UserRow,
    change: PasswordChange,
) -> Result<String, ApiError> {
    let present = Some(user.password_hash.clone());
    if !passwords.verify(change.current_password, present).await? {
        return Err(not_the_current_password());
    }
    let known = [&*user.email, &*user.display_name, &*user.full_name];
    if is_too_common(&change.new_password, &known) {
        return Err(ApiError::invalid(vec![too_common("/new_password")]));
    }
    passwords.hash(change.new_password).await
}
