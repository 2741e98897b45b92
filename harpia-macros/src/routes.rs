//! `routes![…]`: makes a router, and compares every two paths at compile time.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Path, Token, Type, Visibility};

use crate::diagnostics::{Diagnostics, Problem};
use crate::names;
use crate::text::text_of;

struct Routes {
    krate: Path,
    visibility: Visibility,
    name: Ident,
    types: Punctuated<Type, Token![,]>,
}

impl Parse for Routes {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut krate = names::default_crate();
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            krate = input.call(Path::parse_mod_style)?;
            input.parse::<Token![;]>()?;
        }
        let ahead = input.fork();
        let has_head = ahead.parse::<Visibility>().is_ok() && ahead.peek(Token![fn]);
        let (visibility, name) = if has_head {
            let visibility = input.parse()?;
            input.parse::<Token![fn]>()?;
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![;]>()?;
            (visibility, name)
        } else {
            (Visibility::Inherited, Ident::new("routes", input.span()))
        };
        Ok(Self {
            krate,
            visibility,
            name,
            types: Punctuated::parse_terminated(input)?,
        })
    }
}

pub(crate) fn routes(input: TokenStream) -> TokenStream {
    let mut problems = Diagnostics::new();
    let routes: Routes = match syn::parse2(input) {
        Ok(routes) => routes,
        Err(error) => {
            problems.push(error);
            return problems.finish();
        }
    };
    let types: Vec<&Type> = routes.types.iter().collect();
    let aliases: Vec<Ident> = types
        .iter()
        .enumerate()
        .map(|(at, ty)| format_ident!("__{}_{at}", routes.name, span = ty.span()))
        .collect();
    let mut pairs = Vec::new();
    for (at, second) in types.iter().enumerate() {
        if types[..at].contains(second) {
            problems.on(second, same_type(second));
            continue;
        }
        let second = (*second, &aliases[at]);
        let before = types[..at].iter().copied().zip(&aliases);
        pairs.extend(before.map(|first| compare(first, second)));
    }
    let problems = problems.finish();
    let Routes {
        krate,
        visibility,
        name,
        ..
    } = &routes;
    let arguments: Vec<Ident> = (0..types.len())
        .map(|at| format_ident!("__route_{at}"))
        .collect();
    let made = types.iter().zip(&arguments).map(|(ty, argument)| {
        let argument = Ident::new(&argument.to_string(), ty.span());
        quote!(.ws(#argument))
    });
    quote! {
        // Each of the user's types is named only here, so a type that does not exist is one error.
        #(
            #[allow(dead_code, non_camel_case_types)]
            type #aliases = #types;
        )*
        #visibility fn #name(#(#arguments: #aliases),*) -> #krate::Router {
            use #krate as __harpia;
            #[allow(unused_imports)]
            use __harpia::__private::NoPath as _;

            #(#pairs)*
            __harpia::Router::new() #(#made)*
        }
        #problems
    }
}

/// Compares the paths of two types, each with its alias. If the paths are equal, rustc prints
/// "evaluation of `routes::Chat_and_Talk` failed here". The block allows several pairs of that
/// name.
fn compare(first: (&Type, &Ident), second: (&Type, &Ident)) -> TokenStream {
    let (first_name, second_name) = (text_of(first.0), text_of(second.0));
    let span = second.0.span();
    let both = format_ident!("{}_and_{}", word_of(first.0), word_of(second.0));
    let (first, second) = (first.1, second.1);
    quote_spanned! {span=>
        {
            #[allow(dead_code, non_upper_case_globals)]
            const #both: () = __harpia::__private::check_distinct(
                #first_name,
                __harpia::__private::PathOf::<#first>::PATH,
                #second_name,
                __harpia::__private::PathOf::<#second>::PATH,
            );
        }
    }
}

/// Returns the name of a type, without its path and generics.
fn word_of(ty: &Type) -> Ident {
    let last = match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    };
    last.map_or_else(|| format_ident!("route"), |last| last.ident.unraw())
}

fn same_type(ty: &Type) -> Problem {
    Problem::new(
        format!("`{}` is listed twice", text_of(ty)),
        "remove this one: a type is one route",
    )
}
