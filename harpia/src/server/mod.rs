//! skeleton
use crate::route::Route;
#[derive(Debug, Default)]
pub struct Router;
impl Router {
    pub fn new() -> Self {
        Self
    }
    pub fn ws<R: Route>(self, route: R) -> Self {
        let _ = route;
        self
    }
    pub fn merge(self, _: Router) -> Self {
        self
    }
}
#[derive(Debug, Default)]
pub struct App;
impl App {
    pub fn new() -> Self {
        Self
    }
    pub fn ws<R: Route>(self, route: R) -> Self {
        let _ = route;
        self
    }
    pub fn merge(self, _: Router) -> Self {
        self
    }
}
