//! Checks that need type information. rustc makes them once for each type, at the user's spans.
//!
//! The code that passes arguments to handlers compiles for any type. These checks state which types
//! are allowed, so a wrong type is one error, however many handlers name it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::model::{Argument, By, Kind, Route};

/// Checks on the values of constants, for the initializer of `PATH`.
///
/// For a failed check, rustc prints "evaluation of `<Chat as IntoRoute>::PATH::ORIGINS` failed
/// here". So each check is named after the mistake. A `const` item cannot use the generics of its
/// impl. For a generic route, the checks are expressions, which rustc evaluates when the route is
/// added to an app.
pub(super) fn values(route: &Route) -> TokenStream {
    let Route {
        path,
        data,
        generics,
        ..
    } = route;
    if route.handler(Kind::Connect).is_some() {
        // With `connect`, the type of the data does not read the handshake.
        return TokenStream::new();
    }
    let reads = quote!(__harpia::__private::Reads::<#data>);
    let fields = quote_spanned! {data.span()=>
        __harpia::__private::check_path_fields(#reads::PATH_FIELDS, #path)
    };
    let origins = route.any_origin.as_ref().map(
        |any| quote_spanned!(any.span()=> __harpia::__private::check_any_origin(#reads::COOKIES)),
    );
    if generics.params.is_empty() {
        let origins = origins.map(|check| quote!(const ORIGINS: () = #check;));
        quote!(const DATA: () = #fields; #origins)
    } else {
        quote!(#fields; #origins;)
    }
}

/// Checks on types: those beside the impl, and those inside it. Checks beside the impl see no
/// bounds that would hide a mistake, but cannot name the impl's generics.
pub(super) fn types(route: &Route) -> (TokenStream, TokenStream) {
    let (arguments, auth) = (arguments(route), unseen_auth(route));
    if !route.generics.params.is_empty() {
        return (quote!(), quote!(#arguments #auth));
    }
    let (on_route, named) = (route_and_data(route), named_handlers(route));
    let beside = quote!(const _: fn() = || { #on_route #arguments #auth #named };);
    (beside, quote!())
}

/// Names the handlers, so that rustc does not take the methods that they call for dead code while
/// no app has the route. With that, rustc's `dead_code` lint tells whether something calls a near
/// miss.
fn named_handlers(route: &Route) -> TokenStream {
    if route.near_misses.is_empty() {
        return TokenStream::new();
    }
    let self_type = &route.self_type;
    let named = route.handlers.iter().map(|handler| {
        let (cfgs, name) = (&handler.cfgs, &handler.name);
        quote!(#(#cfgs)* let _ = <#self_type>::#name;)
    });
    quote!(#(#named)*)
}

/// Refuses an `auth` that a macro call in the block expands to. It would never be called, and the
/// route would look authenticated. On a type without such a method, the path resolves to the `auth`
/// of a trait, which passes the check.
fn unseen_auth(route: &Route) -> Option<TokenStream> {
    if route.handler(Kind::Auth).is_some() {
        return None;
    }
    let (path, self_type) = (route.macro_call.as_ref()?, &route.self_type);
    Some(quote_spanned! {path.span()=>
        let _ = {
            #[allow(unused_imports)]
            use __harpia::__private::NoAuth as _;
            || <_ as __harpia::route::NoHiddenAuth>::check(<#self_type>::auth)
        };
    })
}

/// Checks on the route and its data. For a generic route, the bounds of `Route` make these checks.
fn route_and_data(route: &Route) -> TokenStream {
    let Route {
        self_type, data, ..
    } = route;
    // A type that is not `Sync` has its error from the line above.
    let shared = quote_spanned! {self_type.span()=>
        let _ = |__route: &#self_type| {
            let _: &dyn ::core::marker::Sync = __route;
            let _: &dyn ::core::marker::Send = __harpia::__private::Shared::<#self_type>::some();
        };
    };
    let bound = match route.handler(Kind::Connect) {
        Some(_) => quote_spanned!(data.span()=> ::core::marker::Send + 'static),
        None => quote_spanned!(data.span()=> __harpia::FromHandshake),
    };
    let extracted = quote_spanned! {data.span()=>
        fn route_data<D: #bound>() {}
        let _ = route_data::<#data>;
    };
    quote!(#shared #extracted)
}

/// Checks on the types of the handlers' arguments.
fn arguments(route: &Route) -> TokenStream {
    let mut lines = TokenStream::new();
    let mut checked: Vec<(&Type, Check)> = Vec::new();
    for handler in &route.handlers {
        for argument in &handler.arguments {
            for one in checks_of(argument) {
                if checked.contains(&one) {
                    continue;
                }
                let (cfgs, check) = (&handler.cfgs, one.1.expand(one.0, route));
                lines.extend(quote!(#(#cfgs)* let _ = #check;));
                if cfgs.is_empty() {
                    checked.push(one);
                }
            }
        }
    }
    lines
}

fn checks_of(argument: &Argument) -> Vec<(&Type, Check)> {
    match argument {
        Argument::Socket(ty) => vec![(ty, Check::Socket)],
        Argument::Parameter { ty, by, .. } => match by {
            By::Reference => vec![(ty, Check::Value)],
            By::Value => vec![(ty, Check::Value), (ty, Check::Clone)],
        },
        _ => Vec::new(),
    }
}

/// A requirement on a type.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Check {
    Socket,
    Value,
    Clone,
}

impl Check {
    fn expand(self, ty: &Type, route: &Route) -> TokenStream {
        match self {
            Self::Socket => {
                let data = &route.data;
                let reader = match route.handler(Kind::Connect) {
                    Some(_) => quote!(MadeByConnect),
                    None => quote!(Reads),
                };
                quote_spanned! {ty.span()=>
                    <#ty as __harpia::route::HandlerSocket<_>>::is(
                        __harpia::__private::#reader::<#data>::socket(),
                    )
                }
            }
            Self::Value => {
                quote_spanned!(ty.span()=> <#ty as __harpia::extract::FromValue>::from_value)
            }
            // A type that cannot be parsed has its error from `Check::Value`.
            Self::Clone => quote_spanned! {ty.span()=>
                || <_ as ::core::clone::Clone>::clone(__harpia::__private::Value::<#ty>::some())
            },
        }
    }
}
