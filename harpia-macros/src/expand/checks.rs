//! Checks that only the types can answer, as constants with the user's spans.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::model::Route;

/// The checks beside the impl, and those within it: a constant beside it cannot see generics.
pub(super) fn expand(route: &Route) -> (TokenStream, TokenStream) {
    let checks = checks(route);
    if route.generics.params.is_empty() {
        (quote!(const _: () = { #checks };), quote!())
    } else {
        (quote!(), quote!(const { #checks };))
    }
}

fn checks(route: &Route) -> TokenStream {
    let Route { path, data, .. } = route;
    let reads = quote!(__harpia::__private::Reads::<#data>);
    let fields = quote_spanned! {data.span()=>
        __harpia::__private::check_path_fields(#reads::PATH_FIELDS, #path);
    };
    let origins = route.any_origin.as_ref().map(
        |any| quote_spanned!(any.span()=> __harpia::__private::check_any_origin(#reads::COOKIES);),
    );
    quote! {
        #[allow(unused_imports)]
        use __harpia::__private::ReadsNothing as _;
        #fields
        #origins
    }
}
