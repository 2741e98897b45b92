//! Which paths lead where: routes as they are added, and the table they are built into.
//!
//! Mistakes are collected while an app is put together and reported when it is built.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::extract::{FromHandshake, PathValues};
use crate::hub::RouteId;
use crate::options::Options;
use crate::path::{Pattern, canonical, decode};
use crate::route::{IntoRoute, Route, missing_path_field};

use super::check;
use super::upgrade::{Endpoint, RouteConfig, Typed};

/// Routes, to be nested under a prefix or merged into an app.
///
/// [`routes!`](macro@crate::routes) makes one of several types and compares their paths as it
/// compiles.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Chat;
///
/// #[ws_route("/chat")]
/// impl Chat {
///     fn open(&self, ws: &mut Socket) {
///         ws.send("welcome");
///     }
/// }
///
/// let api = Router::new().ws(Chat);
/// let app = App::new().nest("/api", api);   // answers /api/chat
/// ```
#[derive(Default)]
pub struct Router {
    entries: Vec<Entry>,
    mistakes: Vec<Error>,
}

struct Entry {
    pattern: Pattern,
    options: Options,
    reads_cookies: bool,
    build: Box<dyn FnOnce(RouteConfig) -> Arc<dyn Endpoint> + Send>,
}

impl Router {
    /// Begins without routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route: the value of a type with `#[ws_route]`, shared by all its connections. In an
    /// `Arc` it is [shared with the program](crate#share-state-with-a-background-task) too.
    pub fn ws(self, route: impl IntoRoute) -> Self {
        self.add(route.into_route())
    }

    fn add<R: Route>(mut self, route: R) -> Self {
        // The macro says this first, with the user's own words underlined; for the rest it holds
        // here, since only here all types are known.
        const {
            assert!(
                missing_path_field(<R::Data as FromHandshake>::PATH_FIELDS, R::PATH).is_none(),
                "the route's data reads a path parameter that is not in the route's path"
            );
            assert!(
                !(R::OPTIONS.allows_any_origin()
                    && (R::READS_COOKIES || <R::Data as FromHandshake>::READS_COOKIES)),
                "`origins = any` on a route that reads cookies"
            );
        };
        match Pattern::parse(R::PATH) {
            Ok(pattern) => self.entries.push(Entry {
                pattern,
                options: R::OPTIONS,
                reads_cookies: R::READS_COOKIES || <R::Data as FromHandshake>::READS_COOKIES,
                build: Box::new(|settings| Arc::new(Typed::new(route, settings))),
            }),
            Err(message) => self.mistakes.push(Error::Config { message }),
        }
        self
    }

    /// Adds another router's routes under a prefix, in which there are no parameters. Without a
    /// prefix that is [`merge`](Self::merge).
    pub fn nest(mut self, prefix: &str, router: Self) -> Self {
        self.mistakes.extend(router.mistakes);
        match Pattern::parse_prefix(prefix) {
            Ok(prefix) => self
                .entries
                .extend(router.entries.into_iter().map(|entry| Entry {
                    pattern: entry.pattern.prefixed(&prefix),
                    ..entry
                })),
            Err(message) => self.mistakes.push(Error::Config { message }),
        }
        self
    }

    /// Adds another router's routes as they are.
    pub fn merge(mut self, router: Self) -> Self {
        self.mistakes.extend(router.mistakes);
        self.entries.extend(router.entries);
        self
    }

    /// Returns what each route says for itself.
    pub(super) fn options(&self) -> impl Iterator<Item = &Options> {
        self.entries.iter().map(|entry| &entry.options)
    }

    /// Builds the table, or reports the first mistake.
    pub(super) fn build(
        mut self,
        settings: impl Fn(RouteId, &Options) -> RouteConfig,
    ) -> Result<RouteTable> {
        if !self.mistakes.is_empty() {
            return Err(self.mistakes.swap_remove(0));
        }
        let mut table = matchit::Router::new();
        let mut patterns = HashMap::new();
        let mut paths = Vec::new();
        for (id, entry) in (0..).zip(self.entries) {
            let matcher = entry.pattern.matcher();
            check::route(&entry.pattern, &entry.options)?;
            let settings = settings(id, &entry.options);
            if entry.reads_cookies && settings.allows_any_origin() {
                return Err(any_origin(&entry.pattern));
            }
            if let Some(first) = patterns.insert(matcher.clone(), entry.pattern.clone()) {
                return Err(Error::DuplicateRoute {
                    first: first.as_str().to_owned(),
                    second: entry.pattern.as_str().to_owned(),
                });
            }
            let names = entry.pattern.names().map(str::to_owned).collect();
            paths.push(entry.pattern.as_str().to_owned());
            let endpoint = (entry.build)(settings);
            table
                .insert(matcher, Destination { endpoint, names })
                .map_err(|error| Error::Config {
                    message: format!("path `{}`: {error}", entry.pattern.as_str()),
                })?;
        }
        Ok(RouteTable { table, paths })
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns = self.entries.iter().map(|entry| entry.pattern.as_str());
        f.debug_set().entries(patterns).finish()
    }
}

fn any_origin(pattern: &Pattern) -> Error {
    Error::Config {
        message: format!(
            "route `{}` reads cookies, and the app lets pages of any origin connect: any page \
             could act for its visitors; name the origins, or give the route its own",
            pattern.as_str()
        ),
    }
}

/// Finds the route of a request.
pub(super) struct RouteTable {
    table: matchit::Router<Destination>,
    /// The routes' paths as written, with their prefixes, in the order they were added.
    paths: Vec<String>,
}

struct Destination {
    endpoint: Arc<dyn Endpoint>,
    names: Vec<String>,
}

/// Where a path leads.
pub(super) enum Found {
    Route(Arc<dyn Endpoint>, PathValues),
    /// It is a route's, but a parameter's value is not UTF-8, so it is not there either.
    Unreadable,
    /// No route answers it: it is the fallback's.
    Nothing,
}

/// Formats as the list of paths.
impl fmt::Display for RouteTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.paths {
            [] => f.write_str("none"),
            paths => f.write_str(&paths.join(", ")),
        }
    }
}

impl RouteTable {
    /// Finds the route and its parameters' values.
    pub(super) fn find(&self, path: &str) -> Found {
        let path = canonical(path);
        let Ok(found) = self.table.at(&path) else {
            return Found::Nothing;
        };
        let names = found.value.names.iter();
        let values = found.params.iter().map(|(_, value)| decode(value));
        match values.collect::<Option<Vec<String>>>() {
            Some(values) => {
                let endpoint = Arc::clone(&found.value.endpoint);
                Found::Route(endpoint, names.cloned().zip(values).collect())
            }
            None => Found::Unreadable,
        }
    }
}
