//! The routes of the API: one list, read to serve them and read to describe them, so that neither can miss one.

use actix_web::dev::HttpServiceFactory;
use actix_web::web;
use utoipa_actix_web::OpenApiFactory;
use utoipa_actix_web::service_config::ServiceConfig;

/// What the list of routes is read for.
pub enum Routes<'a, 's> {
    /// To answer requests. Each worker does this, and describes nothing: a description takes 12 MB to make.
    Serve(&'a mut web::ServiceConfig),
    /// To make the OpenAPI document.
    Describe(&'a mut ServiceConfig<'s>),
}

impl Routes<'_, '_> {
    /// Adds a route.
    pub fn service<F: HttpServiceFactory + OpenApiFactory + 'static>(
        &mut self,
        route: F,
    ) -> &mut Self {
        match self {
            Self::Serve(config) => {
                config.service(route);
            }
            Self::Describe(config) => {
                config.service(route);
            }
        }
        self
    }

    /// Adds what the handlers of a worker share.
    pub fn data<T: 'static>(&mut self, make: impl FnOnce() -> web::Data<T>) -> &mut Self {
        if let Self::Serve(config) = self {
            config.app_data(make());
        }
        self
    }

    /// Adds the routes of a resource.
    pub fn configure(&mut self, resource: impl FnOnce(&mut Self)) -> &mut Self {
        resource(self);
        self
    }
}
