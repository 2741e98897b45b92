//! Expands the `impl IntoRoute` that turns the user's type into a route. The `impl Route` with the
//! handlers is inside it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Path, WherePredicate};

use crate::model::{Handler, Kind, Route};

use super::{checks, handler, parameters};

pub(super) fn expand(route: &Route, krate: &Path) -> TokenStream {
    let Route {
        path,
        generics,
        self_type,
        ..
    } = route;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let route_bounds = route_bounds(route);
    let path_checks = checks::values(route);
    // If the user's type cannot be a route, the checks report why. This impl has no bounds of its
    // own, so that `.ws(Chat)` still compiles, and rustc adds no error about a missing trait.
    let (bounds, made) = if generics.params.is_empty() {
        let made = quote!(__harpia::__private::Made(__Route(self)).route());
        (quote!(#where_clause), made)
    } else {
        (route_bounds.clone(), quote!(__Route(self)))
    };
    let route = route_impl(route, &route_bounds);
    quote! {
        #[automatically_derived]
        // These lints also look into generated code.
        #[allow(trivial_bounds, unused_qualifications)]
        impl #impl_generics #krate::IntoRoute for #self_type #bounds {
            const PATH: &'static str = {
                use #krate as __harpia;
                #[allow(unused_imports)]
                use __harpia::__private::ReadsNothing as _;

                #path_checks
                #path
            };
            fn share_route(self: ::std::sync::Arc<Self>) -> impl #krate::Route {
                use #krate as __harpia;
                #[allow(unused_imports)]
                use __harpia::__private::{Lenient as _, ReadsNothing as _};

                #route
                #made
            }
        }
    }
}

/// Returns the type `__Route`, its impls and its checks.
fn route_impl(route: &Route, route_bounds: &TokenStream) -> TokenStream {
    let Route {
        path,
        generics,
        self_type,
        data,
        options,
        handlers,
        ..
    } = route;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let inline = Kind::ALL.map(|kind| inline(kind, handlers));
    let connect = connect(route);
    let parameters::Expanded {
        types: parameter_types,
        values,
        beside: conditional_types,
    } = parameters::expand(route, route_bounds);
    let methods = handlers
        .iter()
        .map(|handler| handler::expand(handler, route));
    let (outer_checks, inner_checks) = checks::types(route);
    let authenticates = route.handler(Kind::Auth).map(|_| {
        quote!(
            const AUTHENTICATES: bool = true;
        )
    });
    quote! {
        struct __Route #impl_generics (::std::sync::Arc<#self_type>) #where_clause;

        #[automatically_derived]
        impl #impl_generics __harpia::Route for __Route #type_generics #route_bounds {
            const PATH: &'static str = #path;
            const OPTIONS: __harpia::Options = __harpia::Options::new() #(#options)*;
            const INLINE: __harpia::route::Inline = {
                let __inline = __harpia::route::Inline::ALL;
                #(#inline)*
                __inline
            };
            #authenticates
            type Data = #data;
            type Parameters = #parameter_types;

            fn parameters(
                __path: &__harpia::extract::PathValues,
            ) -> ::core::result::Result<Self::Parameters, __harpia::extract::Rejection> {
                #inner_checks
                let _ = __path;
                #values
            }

            #connect
            #(#methods)*
        }

        #conditional_types

        #outer_checks
    }
}

/// Returns the `connect` method of a route that has no `connect` handler. The method makes the
/// route's data with `FromHandshake`.
fn connect(route: &Route) -> TokenStream {
    if route.handler(Kind::Connect).is_some() {
        return TokenStream::new();
    }
    let data = &route.data;
    let from_handshake = quote_spanned! {data.span()=>
        __harpia::__private::Reads::<#data>::connect(__handshake)
    };
    quote! {
        const PATH_FIELDS: __harpia::extract::PathFields =
            __harpia::__private::Reads::<#data>::PATH_FIELDS;
        const READS_COOKIES: bool = __harpia::__private::Reads::<#data>::COOKIES;

        fn connect(
            &self,
            __handshake: &__harpia::extract::Handshake,
            __parameters: &Self::Parameters,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<Self::Data, __harpia::BoxError>,
        > + ::core::marker::Send {
            let _ = __parameters;
            #from_handshake
        }
    }
}

/// Returns the bounds that the generated code relies on.
///
/// The checks report a type that breaks a bound. The bounds have a lifetime, `for<'__given>`,
/// because rustc assumes that such a bound holds, even if it does not. Without the lifetime, rustc
/// would report the type again at each handler. A generic route gets bounds without the lifetime,
/// because they may hold for some of the types that its user chooses and not for others.
fn route_bounds(route: &Route) -> TokenStream {
    let Route {
        self_type,
        data,
        generics,
        ..
    } = route;
    let predicates = predicates(generics);
    let shared = quote!(#self_type: ::core::marker::Send + ::core::marker::Sync);
    if !generics.params.is_empty() {
        return quote!(where #(#predicates,)* #shared);
    }
    let data_bound = match route.handler(Kind::Connect) {
        Some(_) => quote!(::core::marker::Send + 'static),
        None => quote!(__harpia::FromHandshake),
    };
    quote! {
        where
            #(#predicates,)*
            for<'__given> #shared,
            for<'__given> #data: #data_bound
    }
}

fn predicates(generics: &Generics) -> impl Iterator<Item = &WherePredicate> {
    let clause = generics.where_clause.iter();
    clause.flat_map(|clause| &clause.predicates)
}

/// Returns the code that marks an `async` handler as one that may wait. The code has the handler's
/// own `#[cfg]`. `connect` may always wait and is not marked.
fn inline(kind: Kind, handlers: &[Handler]) -> TokenStream {
    let lines = handlers
        .iter()
        .filter(|handler| handler.kind == kind && handler.is_async && kind != Kind::Connect)
        .map(|handler| {
            let cfgs = &handler.cfgs;
            let name = proc_macro2::Ident::new(kind.name(), proc_macro2::Span::call_site());
            quote!(#(#cfgs)* let __inline = __inline.#name(false);)
        });
    quote!(#(#lines)*)
}
