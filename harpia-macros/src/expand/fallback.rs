//! The stub in place of a route that has mistakes, so that `.ws(Chat)` does not add another.

use proc_macro2::TokenStream;
use quote::quote;

use crate::parse::Block;

pub(super) fn expand(block: &Block) -> TokenStream {
    let (generics, _, where_clause) = block.generics.split_for_impl();
    let self_type = &block.self_type;
    quote! {
        #[automatically_derived]
        impl #generics __harpia::IntoRoute for #self_type #where_clause {
            const PATH: &'static str = "";
            fn into_route(self) -> impl __harpia::Route {
                __harpia::__private::Broken
            }
        }
    }
}
