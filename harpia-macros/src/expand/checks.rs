//! Checks that only the types can answer, once for each type, with the user's spans.
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
/// For a failed check, rustc prints "evaluation of `<Chat as IntoRoute>::PATH::ORIGINS` failed here".
/// So each check is named after the mistake. What depends on generics can be no item: it is evaluated
/// where the route is added to an app.
pub(super) fn values(route: &Route) -> TokenStream {
    let Route {
        path,
        data,
        generics,
        ..
    } = route;
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

/// Checks on types: the ones beside the impl, and the ones inside it. The checks beside it have no
/// bounds to rely on, and cannot name the generics of the impl.
pub(super) fn types(route: &Route) -> (TokenStream, TokenStream) {
    let (arguments, auth) = (arguments(route), unseen_auth(route));
    if !route.generics.params.is_empty() {
        return (quote!(), quote!(#arguments #auth));
    }
    let (whole, live) = (whole(route), live(route));
    let beside = quote!(const _: fn() = || { #whole #arguments #auth #live };);
    (beside, quote!())
}

/// Names the handlers, so that what they call is not dead code while the route is not added to an
/// app yet: rustc says whether a near miss is called.
fn live(route: &Route) -> TokenStream {
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

/// Refuses an `auth` that a macro in the block expands to: it would never be called, and the route
/// would look authenticated. Where the type has none, its place is taken by a trait's.
fn unseen_auth(route: &Route) -> Option<TokenStream> {
    let mut handlers = route.handlers.iter();
    if handlers.any(|handler| handler.kind == Kind::Auth) {
        return None;
    }
    let (path, self_type) = (route.unseen.as_ref()?, &route.self_type);
    Some(quote_spanned! {path.span()=>
        let _ = {
            #[allow(unused_imports)]
            use __harpia::__private::NoAuth as _;
            || <_ as __harpia::route::NoHiddenAuth>::check(<#self_type>::auth)
        };
    })
}

/// Checks on the route and its data. For a generic route, the trait makes them.
fn whole(route: &Route) -> TokenStream {
    let Route {
        self_type, data, ..
    } = route;
    // One that is not even `Sync` has its error already.
    let shared = quote_spanned! {self_type.span()=>
        let _ = |__route: &#self_type| {
            let _: &dyn ::core::marker::Sync = __route;
            let _: &dyn ::core::marker::Send = __harpia::__private::Shared::<#self_type>::some();
        };
    };
    let extracted = quote_spanned! {data.span()=>
        fn route_data<D: __harpia::FromHandshake>() {}
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
            for one in wanted(argument) {
                if checked.contains(&one) {
                    continue;
                }
                let (cfgs, check) = (&handler.cfgs, one.1.expand(one.0, &route.data));
                lines.extend(quote!(#(#cfgs)* let _ = #check;));
                if cfgs.is_empty() {
                    checked.push(one);
                }
            }
        }
    }
    lines
}

fn wanted(argument: &Argument) -> Vec<(&Type, Check)> {
    match argument {
        Argument::Socket(ty) => vec![(ty, Check::Socket)],
        Argument::Parameter { ty, by, .. } => match by {
            By::Reference => vec![(ty, Check::Value)],
            By::Value => vec![(ty, Check::Value), (ty, Check::Clone)],
        },
        _ => Vec::new(),
    }
}

/// The requirement that a check makes of a type.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Check {
    Socket,
    Value,
    Clone,
}

impl Check {
    fn expand(self, ty: &Type, data: &Type) -> TokenStream {
        match self {
            Self::Socket => quote_spanned! {ty.span()=>
                <#ty as __harpia::route::HandlerSocket<_>>::is(
                    __harpia::__private::Reads::<#data>::socket(),
                )
            },
            Self::Value => {
                quote_spanned!(ty.span()=> <#ty as __harpia::extract::FromValue>::from_value)
            }
            // One that cannot be parsed has its error already.
            Self::Clone => quote_spanned! {ty.span()=>
                || <_ as ::core::clone::Clone>::clone(__harpia::__private::Value::<#ty>::some())
            },
        }
    }
}
