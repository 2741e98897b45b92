//! The `impl Route` that stands for the user's block.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Type, WhereClause};

use crate::model::{Handler, Kind, Parameter, Route};

use super::{checks, handler};

pub(super) fn expand(route: &Route) -> TokenStream {
    let Route {
        path,
        generics,
        self_type,
        data,
        options,
        parameters,
        handlers,
        ..
    } = route;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let shared = shared(self_type, where_clause);
    let inline = Kind::ALL.map(|kind| inline(kind, handlers));
    let parameter_types = parameters.iter().map(|parameter| &parameter.ty);
    let parsed = parameters.iter().map(parse);
    let methods = handlers
        .iter()
        .map(|handler| handler::expand(handler, route));
    let (outer_checks, inner_checks) = checks::expand(route);
    quote! {
        struct __Route #impl_generics (#self_type) #where_clause;

        #[automatically_derived]
        impl #impl_generics __harpia::Route for __Route #type_generics #shared {
            const PATH: &'static str = #path;
            const OPTIONS: __harpia::Options = __harpia::Options::new() #(#options)*;
            const INLINE: __harpia::route::Inline = {
                let __inline = __harpia::route::Inline::ALL;
                #(#inline)*
                __inline
            };
            type Data = #data;
            type Parameters = (#(#parameter_types,)*);

            fn parameters(
                __path: &__harpia::extract::PathValues,
            ) -> ::core::result::Result<Self::Parameters, __harpia::extract::Rejection> {
                #inner_checks
                let _ = __path;
                ::core::result::Result::Ok((#(#parsed,)*))
            }

            #(#methods)*
        }

        #[automatically_derived]
        impl #impl_generics __harpia::IntoRoute for #self_type #shared {
            const PATH: &'static str = #path;
            fn into_route(self) -> impl __harpia::Route {
                __Route(self)
            }
        }

        #outer_checks
    }
}

/// All connections share the route. Said here, a type that cannot be shared is one error at its
/// name; left to the trait, it is one for each handler as well.
fn shared(self_type: &Type, where_clause: Option<&WhereClause>) -> TokenStream {
    let predicates = where_clause
        .map(|clause| &clause.predicates)
        .into_iter()
        .flatten();
    let bounds = quote_spanned!(self_type.span()=> ::core::marker::Send + ::core::marker::Sync);
    quote!(where #(#predicates,)* #self_type: #bounds)
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

fn parse(parameter: &Parameter) -> TokenStream {
    let Parameter { name, ty } = parameter;
    quote_spanned!(ty.span()=> __harpia::__private::parameter::<#ty>(__path, #name)?)
}
