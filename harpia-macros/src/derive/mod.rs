//! `#[derive(FromHandshake)]`: fills each field from its source in the handshake.

mod field;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DataStruct, DeriveInput, Fields, Path, Type};

use crate::diagnostics::{Diagnostics, Problem};
use crate::names;
use crate::text::{in_small_letters, text_of};

use field::{Field, Place};

pub(crate) fn from_handshake(item: TokenStream) -> TokenStream {
    let mut problems = Diagnostics::new();
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => {
            problems.push(error);
            return problems.finish();
        }
    };
    let krate = krate(&input.attrs, &mut problems);
    let fields = fields(&input, &mut problems);
    let body = match fields {
        Some(fields) if problems.is_empty() => implementation(&input, &fields),
        // With this impl, routes with this data do not each add an error.
        _ => stub(&input),
    };
    let problems = problems.finish();
    quote! {
        #problems
        #[allow(unused_qualifications)]
        const _: () = {
            use #krate as __harpia;
            #body
        };
    }
}

/// Returns the path in `#[from(crate = …)]` on the struct.
fn krate(attributes: &[Attribute], problems: &mut Diagnostics) -> Path {
    let mut krate = names::default_crate();
    for attribute in attributes.iter().filter(|one| one.path().is_ident("from")) {
        let parsed = attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                let key = text_of(&meta.path);
                let help = format!("move `#[from({key})]` to a field");
                let rule = "`from` on a struct takes only `crate`";
                return Err(meta.error(format!("{rule}\n= help: {help}")));
            }
            krate = meta.value()?.call(Path::parse_mod_style)?;
            Ok(())
        });
        if let Err(error) = parsed {
            problems.push(error);
        }
    }
    krate
}

fn fields(input: &DeriveInput, problems: &mut Diagnostics) -> Option<Vec<Field>> {
    let name = &input.ident;
    let refused = |what: &str, help: String| {
        Problem::new(
            format!("`FromHandshake` cannot be derived for {what}"),
            help,
        )
    };
    match &input.data {
        Data::Struct(DataStruct {
            fields: Fields::Named(fields),
            ..
        }) => {
            let fields = fields.named.iter();
            Some(
                fields
                    .filter_map(|field| Field::lower(field, problems))
                    .collect(),
            )
        }
        Data::Struct(DataStruct {
            fields: Fields::Unit,
            ..
        }) => Some(Vec::new()),
        Data::Struct(DataStruct {
            fields: Fields::Unnamed(fields),
            ..
        }) => {
            let fields_named = named(fields);
            let help = format!("name the fields: `struct {name} {{ {fields_named} }}`");
            problems.on(fields, refused("a tuple struct", help));
            None
        }
        Data::Enum(data) => {
            let help = format!("make it a struct, or write `impl FromHandshake for {name}`");
            problems.at(data.enum_token.span, refused("an enum", help));
            None
        }
        Data::Union(data) => {
            let help = format!("make it a struct, or write `impl FromHandshake for {name}`");
            problems.at(data.union_token.span, refused("a union", help));
            None
        }
    }
}

/// Suggests names for the fields of a tuple struct, made from their types.
fn named(fields: &syn::FieldsUnnamed) -> String {
    let named = fields.unnamed.iter().enumerate().map(|(at, field)| {
        let ident = match &field.ty {
            Type::Path(path) => path.path.segments.last().map(|last| &last.ident),
            _ => None,
        };
        let name = ident.map_or_else(
            || format!("field_{at}"),
            |ident| in_small_letters(ident, '_'),
        );
        format!("{name}: {}", text_of(&field.ty))
    });
    named.collect::<Vec<_>>().join(", ")
}

fn implementation(input: &DeriveInput, fields: &[Field]) -> TokenStream {
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let own_cookies = fields.iter().any(|field| field.is_cookie());
    let nested: Vec<_> = fields
        .iter()
        .filter(|field| matches!(field.place, Place::Own))
        .map(|field| &field.ty)
        .collect();
    let cookies = nested
        .iter()
        .map(|ty| quote!(|| <#ty as __harpia::extract::FromHandshake>::READS_COOKIES));
    let path_names = fields.iter().filter_map(Field::path_name);
    let path_nested = nested
        .iter()
        .map(|ty| quote!(<#ty as __harpia::extract::FromHandshake>::PATH_FIELDS));
    let checks = value_checks(fields);
    // A default value need not be `Send`. So defaults are made last, with no `.await` after them.
    let is_default = |field: &&Field| matches!(field.place, Place::Default);
    let read = fields.iter().filter(|field| !is_default(field));
    let values = read
        .chain(fields.iter().filter(is_default))
        .map(Field::read);
    let made = match &input.data {
        Data::Struct(DataStruct {
            fields: Fields::Unit,
            ..
        }) => quote!(Self),
        _ => quote!(Self { #(#values,)* }),
    };
    quote! {
        #[allow(unused_imports)]
        use __harpia::__private::Lenient as _;

        #[automatically_derived]
        impl #impl_generics __harpia::extract::FromHandshake for #name #type_generics #where_clause {
            const READS_COOKIES: bool = #own_cookies #(#cookies)*;
            const PATH_FIELDS: __harpia::extract::PathFields = __harpia::extract::PathFields {
                own: &[#(#path_names),*],
                nested: &[#(#path_nested),*],
            };
            async fn from_handshake(
                __handshake: &__harpia::extract::Handshake,
            ) -> ::core::result::Result<Self, __harpia::extract::Rejection> {
                #checks
                let _ = __handshake;
                ::core::result::Result::Ok(#made)
            }
        }
    }
}

/// Checks that the fields' types can be parsed. A type that cannot is one error, however many
/// fields have it.
fn value_checks(fields: &[Field]) -> TokenStream {
    let mut types: Vec<&Type> = Vec::new();
    for ty in fields.iter().filter_map(Field::value_type) {
        if !types.contains(&ty) {
            types.push(ty);
        }
    }
    let checks = types.into_iter().map(
        |ty| quote_spanned!(ty.span()=> let _ = <#ty as __harpia::extract::FromValue>::from_value;),
    );
    quote!(#(#checks)*)
}

fn stub(input: &DeriveInput) -> TokenStream {
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let span = Span::call_site().located_at(name.span());
    quote_spanned! {span=>
        #[automatically_derived]
        impl #impl_generics __harpia::extract::FromHandshake for #name #type_generics #where_clause {
            async fn from_handshake(
                _: &__harpia::extract::Handshake,
            ) -> ::core::result::Result<Self, __harpia::extract::Rejection> {
                ::core::panic!("does not compile")
            }
        }
    }
}
