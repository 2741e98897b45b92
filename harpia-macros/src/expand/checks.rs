//! Checks that need type information. rustc makes each check once per type, and reports errors at
//! the user's code.
//!
//! The code that passes arguments to handlers compiles for any type. These checks state which types
//! are allowed. A wrong type is therefore one error, however many handlers name it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::model::{Argument, By, Kind, Route};

/// Checks on the values of constants, for the initializer of `PATH`.
///
/// For a failed check, rustc prints "evaluation of `<Chat as IntoRoute>::PATH::ORIGINS` failed
/// here". Each check is a `const` item, because its name in this text then tells the mistake. A
/// `const` item cannot use the generics of its impl. The checks of a generic route are therefore
/// expressions, which rustc evaluates when the route is added to an app.
pub(super) fn values(route: &Route) -> TokenStream {
    let Route {
        path,
        data,
        generics,
        ..
    } = route;
    if route.handler(Kind::Connect).is_some() {
        // `connect` makes the data, so the type of the data does not read the handshake.
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

/// Returns the checks on types: those to emit beside the impl, and those to emit inside it. Beside
/// the impl, no bounds hide a mistake, but a check there cannot name the impl's generics.
pub(super) fn types(route: &Route) -> (TokenStream, TokenStream) {
    let (arguments, auth) = (arguments(route), unseen_auth(route));
    if !route.generics.params.is_empty() {
        return (quote!(), quote!(#arguments #auth));
    }
    let (on_route, named) = (route_and_data(route), named_handlers(route));
    let beside = quote!(const _: fn() = || { #on_route #arguments #auth #named };);
    (beside, quote!())
}

/// Returns code that names the handlers. Without it, rustc would take the methods that the handlers
/// call for dead code if no app has the route. With it, rustc's `dead_code` lint reports exactly
/// the near misses that nothing calls.
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

/// Refuses an `auth` that a macro call in the block expands to. harpia would never call such an
/// `auth`, but the route would look authenticated. If the type has no method `auth`, the path in
/// this check resolves to the `auth` of a trait, which passes.
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

/// Returns the checks on the route and its data. For a generic route, the bounds of `Route` make
/// these checks.
fn route_and_data(route: &Route) -> TokenStream {
    let Route {
        self_type, data, ..
    } = route;
    // The line about `Sync` reports a type that is not `Sync`. For such a type, `Shared::some`
    // returns a type that is `Send`, so that the next line does not report it again.
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

/// Returns the checks on the types of the handlers' arguments.
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
            // `Check::Value` reports a type that cannot be parsed. For such a type, `Value::some`
            // returns a type that is `Clone`, so that this check does not report it again.
            Self::Clone => quote_spanned! {ty.span()=>
                || <_ as ::core::clone::Clone>::clone(__harpia::__private::Value::<#ty>::some())
            },
        }
    }
}
