//! The `impl IntoRoute` that makes a route of the user's type, and in it the `impl Route` that
//! stands for the user's block.

use proc_macro2::TokenStream;
use quote::quote;
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
    let demands = demands(route);
    let path_checks = checks::values(route);
    // One that cannot be a route has its error already: `.ws(Chat)` must not say that there is
    // none.
    let (bounds, made) = if generics.params.is_empty() {
        let made = quote!(__harpia::__private::Made(__Route(self)).route());
        (quote!(#where_clause), made)
    } else {
        (demands.clone(), quote!(__Route(self)))
    };
    let route = route_impl(route, &demands);
    quote! {
        #[automatically_derived]
        // Which lints look into generated code is not the user's concern.
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

/// The type `__Route`, and all that is said of it.
fn route_impl(route: &Route, demands: &TokenStream) -> TokenStream {
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
    let parameters::Expanded {
        types: parameter_types,
        values,
        beside: conditional_types,
    } = parameters::expand(route, demands);
    let methods = handlers
        .iter()
        .map(|handler| handler::expand(handler, route));
    let (outer_checks, inner_checks) = checks::types(route);
    let authenticates = handlers
        .iter()
        .any(|handler| handler.kind == Kind::Auth)
        .then(|| {
            quote!(
                const AUTHENTICATES: bool = true;
            )
        });
    quote! {
        struct __Route #impl_generics (::std::sync::Arc<#self_type>) #where_clause;

        #[automatically_derived]
        impl #impl_generics __harpia::Route for __Route #type_generics #demands {
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

            #(#methods)*
        }

        #conditional_types

        #outer_checks
    }
}

/// The bounds on the types that the generated code relies on. The checks report a type that breaks
/// them once. As bounds they keep each handler from reporting it again. (rustc assumes a bound with a
/// lifetime even if it is false.) A generic route's user may be the one to answer, and so meets the bound.
fn demands(route: &Route) -> TokenStream {
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
    quote! {
        where
            #(#predicates,)*
            for<'__given> #shared,
            for<'__given> #data: __harpia::FromHandshake
    }
}

fn predicates(generics: &Generics) -> impl Iterator<Item = &WherePredicate> {
    let clause = generics.where_clause.iter();
    clause.flat_map(|clause| &clause.predicates)
}

/// An async handler waits; one behind `#[cfg]` only where it is there.
fn inline(kind: Kind, handlers: &[Handler]) -> TokenStream {
    let lines = handlers
        .iter()
        .filter(|handler| handler.kind == kind && handler.is_async)
        .map(|handler| {
            let cfgs = &handler.cfgs;
            let name = proc_macro2::Ident::new(kind.name(), proc_macro2::Span::call_site());
            quote!(#(#cfgs)* let __inline = __inline.#name(false);)
        });
    quote!(#(#lines)*)
}
