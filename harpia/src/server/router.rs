//! Routing: the routes as a program adds them, and the table that finds the route of a path.
//!
//! The router collects invalid paths while routes are added. [`Router::build`] reports the first.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::extract::PathValues;
use crate::hub::{Hub, RouteId};
use crate::options::Options;
use crate::path::{Pattern, canonical, decode};
use crate::route::{IntoRoute, Route, missing_path_field};

use super::check;
use super::route_config::RouteConfig;
use super::upgrade::{Endpoint, Typed};

/// Collects routes, to nest them under a prefix or merge them into an app.
///
/// [`routes!`](macro@crate::routes) makes a router of several types, and compares their paths at
/// compile time.
///
/// # Examples
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
/// let app = App::new().nest("/api", api); // serves /api/chat
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
    build: Box<dyn FnOnce(RouteId, RouteConfig, Hub) -> Arc<dyn Endpoint> + Send>,
}

impl Router {
    /// Creates a router without routes.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Router;
    ///
    /// let router = Router::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route: a value of a type with `#[ws_route]`.
    ///
    /// All connections of the route share the value. In an `Arc`, it is also
    /// [shared with the rest of the program](crate#share-state-with-a-background-task).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use harpia::prelude::*;
    ///
    /// struct Chat;
    ///
    /// #[ws_route("/chat")]
    /// impl Chat {
    ///     fn open(&self) {}
    /// }
    ///
    /// let chat = Arc::new(Chat);
    /// let router = Router::new().ws(Arc::clone(&chat));
    /// ```
    pub fn ws(self, route: impl IntoRoute) -> Self {
        self.add_made(route)
    }

    fn add_made<I: IntoRoute>(self, route: I) -> Self {
        self.add::<I, _>(route.into_route())
    }

    fn add<I: IntoRoute, R: Route>(mut self, route: R) -> Self {
        // These checks are for hand-written routes. The code of the macro has the same checks in
        // `PATH`, which is evaluated first, so that the error underlines the user's own code.
        const {
            let _ = I::PATH;
            assert!(
                missing_path_field(R::PATH_FIELDS, R::PATH).is_none(),
                "the route's data reads a path parameter that is not in the route's path"
            );
            assert!(
                !(R::OPTIONS.allows_any_page() && R::READS_COOKIES),
                "`origins = any` on a route that reads cookies"
            );
        };
        match Pattern::parse(R::PATH) {
            Ok(pattern) => self.entries.push(Entry {
                pattern,
                options: R::OPTIONS,
                reads_cookies: R::READS_COOKIES,
                build: Box::new(|id, config, hub| Arc::new(Typed::new(route, id, config, hub))),
            }),
            Err(message) => self.mistakes.push(Error::Config { message }),
        }
        self
    }

    /// Adds the routes of another router under a prefix.
    ///
    /// The prefix has no parameters. To add routes without a prefix, use [`merge`](Self::merge).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Chat;
    ///
    /// #[ws_route("/chat")]
    /// impl Chat {
    ///     fn open(&self) {}
    /// }
    ///
    /// let v1 = Router::new().ws(Chat);
    /// let api = Router::new().nest("/v1", v1); // has /v1/chat
    /// ```
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

    /// Adds the routes of another router.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Chat;
    ///
    /// #[ws_route("/chat")]
    /// impl Chat {
    ///     fn open(&self) {}
    /// }
    ///
    /// let public = Router::new().ws(Chat);
    /// let all = Router::new().merge(public); // has /chat
    /// ```
    pub fn merge(mut self, router: Self) -> Self {
        self.mistakes.extend(router.mistakes);
        self.entries.extend(router.entries);
        self
    }

    /// Returns the options that each route sets itself.
    pub(super) fn options(&self) -> impl Iterator<Item = &Options> {
        self.entries.iter().map(|entry| &entry.options)
    }

    /// Builds the table, or returns the first error. `configure` merges a route's options with the
    /// app's.
    pub(super) fn build(
        mut self,
        hub: &Hub,
        configure: impl Fn(&Options) -> RouteConfig,
    ) -> Result<RouteTable> {
        if !self.mistakes.is_empty() {
            return Err(self.mistakes.swap_remove(0));
        }
        let mut table = matchit::Router::new();
        let mut patterns = HashMap::new();
        let mut paths = Vec::new();
        if self.entries.len() > usize::from(RouteId::MAX) {
            return Err(Error::Config {
                message: format!("the app has more than {} routes", RouteId::MAX),
            });
        }
        for (id, entry) in (0..).zip(self.entries) {
            let matcher = entry.pattern.matcher();
            check::route(&entry.pattern, &entry.options)?;
            let config = configure(&entry.options);
            check::pauses(&entry.pattern, &config.limits);
            if entry.reads_cookies && config.rules.origins.allow_any_page() {
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
            let endpoint = (entry.build)(id, config, hub.clone());
            table
                .insert(matcher, Destination { endpoint, names })
                .map_err(|error| Error::Config {
                    message: format!("path `{}`: {error}", entry.pattern.as_str()),
                })?;
        }
        let slashes = |path: &String| path.matches('/').count();
        let max_slashes = paths.iter().map(slashes).max().unwrap_or_default();
        Ok(RouteTable {
            table,
            paths,
            max_slashes,
        })
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
             could act for its visitors; list the origins, or set `origins` on the route",
            pattern.as_str()
        ),
    }
}

/// Finds the route of a request.
pub(super) struct RouteTable {
    table: matchit::Router<Destination>,
    /// The routes' paths as written, with their prefixes, in the order of their addition.
    paths: Vec<String>,
    /// The number of slashes in the path with the most of them.
    max_slashes: usize,
}

struct Destination {
    endpoint: Arc<dyn Endpoint>,
    names: Vec<String>,
}

/// The result of looking up a path.
pub(super) enum Found {
    Route(Arc<dyn Endpoint>, PathValues),
    /// A route has this path, but a parameter's value is not UTF-8. This is a 404, and the fallback
    /// does not get the request.
    Unreadable,
    /// No route has this path, so the fallback gets the request.
    NoRoute,
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
    /// Finds the route of an upgrade's path.
    ///
    /// A slash at the end is ignored: no route can be declared with one, and some clients add it
    /// before the query.
    pub(super) fn find_upgrade(&self, path: &str) -> Found {
        match (self.find(path), path.strip_suffix('/')) {
            (Found::NoRoute, Some(shorter)) if !shorter.is_empty() => self.find(shorter),
            (found, _) => found,
        }
    }

    /// Finds the route of a path and the values of its parameters.
    pub(super) fn find(&self, path: &str) -> Found {
        // A path with thousands of segments would be expensive to make canonical.
        if path.bytes().filter(|byte| *byte == b'/').count() > self.max_slashes {
            return Found::NoRoute;
        }
        let path = canonical(path);
        let Ok(found) = self.table.at(&path) else {
            return Found::NoRoute;
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
