//! Expands the path parameters of a route into one tuple. The server parses it before the upgrade.
//!
//! The handlers' code names the elements of the tuple by index, so no `#[cfg]` may change an index.
//!
//! A parameter may be taken only by handlers behind a `#[cfg]`. If all of them are compiled out,
//! the parameter's type may be compiled out, too, and the element is `()`. Rust allows no `#[cfg]`
//! on an element of a tuple type, but it allows one on an associated type. The element therefore
//! names an associated type. Such a type can also use the route's generics.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::model::{Parameter, Route};

pub(super) struct Expanded {
    /// The type of the tuple.
    pub(super) types: TokenStream,
    /// The code that makes the tuple, or rejects the request.
    pub(super) values: TokenStream,
    /// The items that stand beside the `impl Route`.
    pub(super) beside: TokenStream,
}

pub(super) fn expand(route: &Route, route_bounds: &TokenStream) -> Expanded {
    let (mut types, mut values) = (TokenStream::new(), TokenStream::new());
    let mut lets = TokenStream::new();
    let (mut names, mut choices) = (Vec::new(), TokenStream::new());
    for (at, parameter) in route.parameters.iter().enumerate() {
        let (ty, value) = (&parameter.ty, parsed(parameter));
        let Some(conditions) = &parameter.conditions else {
            types.extend(quote!(#ty,));
            values.extend(quote!(#value,));
            continue;
        };
        let (name, variable) = (type_name(at), format_ident!("__parameter_{at}"));
        types.extend(quote!(<Self as __ConditionalParameters>::#name,));
        values.extend(quote!(#variable,));
        lets.extend(quote! {
            #[cfg(any(#(#conditions),*))]
            let #variable = #value;
            #[cfg(not(any(#(#conditions),*)))]
            let #variable = ();
        });
        choices.extend(quote! {
            #[cfg(any(#(#conditions),*))]
            type #name = #ty;
            #[cfg(not(any(#(#conditions),*)))]
            type #name = ();
        });
        names.push(name);
    }
    let (impl_generics, type_generics, _) = route.generics.split_for_impl();
    let beside = (!names.is_empty()).then(|| {
        quote! {
            trait __ConditionalParameters {
                #(type #names;)*
            }

            impl #impl_generics __ConditionalParameters for __Route #type_generics #route_bounds {
                #choices
            }
        }
    });
    Expanded {
        types: quote!((#types)),
        values: quote!(#lets ::core::result::Result::Ok((#values))),
        beside: quote!(#beside),
    }
}

fn type_name(at: usize) -> Ident {
    format_ident!("Parameter{at}")
}

fn parsed(parameter: &Parameter) -> TokenStream {
    let Parameter { name, ty, .. } = parameter;
    quote_spanned!(ty.span()=> __harpia::__private::Value::<#ty>::parse(__path, #name)?)
}
