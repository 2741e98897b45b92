//! The macros of harpia, the declarative real-time framework. Use them through `harpia`, which
//! documents them.
//!
//! Tokens in, tokens out. Each macro goes through the same stages: `parse` knows syntax only,
//! `lower` gives it meaning and reports every mistake it finds, `expand` cannot fail.

mod derive;
mod diagnostics;
mod expand;
mod lower;
mod model;
mod names;
mod parse;
mod path;
mod routes;
#[cfg(test)]
mod snapshots;
mod suggest;
mod text;
mod value;

use proc_macro::TokenStream;

use diagnostics::Diagnostics;

/// Makes a WebSocket route of an `impl` block. Documented in `harpia`.
#[proc_macro_attribute]
pub fn ws_route(arguments: TokenStream, item: TokenStream) -> TokenStream {
    ws_route_tokens(arguments.into(), item.into()).into()
}

/// Fills connection data from a handshake. Documented in `harpia`.
#[proc_macro_derive(FromHandshake, attributes(from))]
pub fn from_handshake(item: TokenStream) -> TokenStream {
    derive::from_handshake(item.into()).into()
}

/// Makes a router of routes whose paths are compared at compile time. Documented in `harpia`.
#[proc_macro]
pub fn routes(items: TokenStream) -> TokenStream {
    routes::routes(items.into()).into()
}

fn ws_route_tokens(
    arguments: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> proc_macro2::TokenStream {
    let mut problems = Diagnostics::new();
    let source = parse::source(arguments, item, &mut problems);
    let route = lower::route(&source, &mut problems);
    expand::output(&source, route, problems.finish())
}
