//! One field of connection data: the source of its value, and the code that reads it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Attribute, LitStr, Token, Type};

use crate::diagnostics::{Diagnostics, Problem};
use crate::suggest::nearest_or_longer;
use crate::value::is_token;

pub(super) struct Field {
    name: Ident,
    pub(super) ty: Type,
    pub(super) place: Place,
}

/// The source of a field's value.
pub(super) enum Place {
    /// The field's type implements `FromHandshake`.
    Own,
    Value {
        source: Source,
        name: String,
    },
    /// A value that middleware has added to the request.
    Extension,
    Default,
}

#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Source {
    Query,
    Header,
    Cookie,
    Path,
}

const KEYS: [&str; 6] = ["query", "header", "cookie", "path", "extension", "default"];

/// One `key` or `key = "name"` of `#[from(…)]`.
struct Entry {
    key: Ident,
    name: Option<LitStr>,
}

impl Field {
    pub(super) fn lower(field: &syn::Field, problems: &mut Diagnostics) -> Option<Self> {
        let name = field.ident.clone()?;
        let mut entries = Vec::new();
        for attribute in field.attrs.iter().filter(|one| one.path().is_ident("from")) {
            match entries_of(attribute) {
                Ok(found) if found.is_empty() => {
                    problems.on(attribute, no_source(&name));
                    return None;
                }
                Ok(found) => entries.extend(found),
                Err(error) => {
                    problems.push(error);
                    return None;
                }
            }
        }
        let mut entries = entries.into_iter();
        let first = entries.next();
        if let Some(second) = entries.next() {
            problems.at(second.key.span(), two_sources(&name, &second.key));
            return None;
        }
        let place = match first {
            Some(entry) => place(&entry, &name, problems)?,
            None => Place::Own,
        };
        Some(Self {
            name,
            ty: field.ty.clone(),
            place,
        })
    }

    /// Returns whether the field reads cookies. The header `Cookie` counts.
    pub(super) fn is_cookie(&self) -> bool {
        match &self.place {
            Place::Value { source, name } => match source {
                Source::Cookie => true,
                Source::Header => name.eq_ignore_ascii_case("cookie"),
                Source::Query | Source::Path => false,
            },
            Place::Own | Place::Extension | Place::Default => false,
        }
    }

    /// Returns the name of the path parameter that the field reads.
    pub(super) fn path_name(&self) -> Option<&str> {
        match &self.place {
            Place::Value {
                source: Source::Path,
                name,
            } => Some(name),
            _ => None,
        }
    }

    /// Returns the type that a single value is parsed as. For `Option<T>`, that is `T`.
    pub(super) fn value_type(&self) -> Option<&Type> {
        match &self.place {
            Place::Value { .. } => Some(inside_option(&self.ty).unwrap_or(&self.ty)),
            Place::Own | Place::Extension | Place::Default => None,
        }
    }

    /// Returns the initializer of the field, `field: value`.
    pub(super) fn read(&self) -> TokenStream {
        let Self { name, ty, place } = self;
        let span = ty.span();
        let value = match place {
            Place::Own => quote_spanned! {span=>
                <#ty as __harpia::extract::FromHandshake>::from_handshake(__handshake).await?
            },
            Place::Extension => match inside_option(ty) {
                Some(inner) => quote_spanned! {span=>
                    __handshake.extensions().get::<#inner>().cloned()
                },
                None => quote_spanned!(span=> __handshake.require_extension::<#ty>()?),
            },
            Place::Default => quote_spanned!(span=> <#ty as ::core::default::Default>::default()),
            Place::Value { source, name } => {
                let source = source.tokens();
                match inside_option(ty) {
                    Some(inner) => quote_spanned! {span=>
                        __harpia::__private::Value::<#inner>::find(__handshake, #source, #name)?
                    },
                    None => quote_spanned! {span=>
                        __harpia::__private::Value::<#ty>::require(__handshake, #source, #name)?
                    },
                }
            }
        };
        quote!(#name: #value)
    }
}

impl Source {
    fn of(key: &str) -> Option<Self> {
        match key {
            "query" => Some(Self::Query),
            "header" => Some(Self::Header),
            "cookie" => Some(Self::Cookie),
            "path" => Some(Self::Path),
            _ => None,
        }
    }

    fn tokens(self) -> TokenStream {
        let variant = match self {
            Self::Query => "Query",
            Self::Header => "Header",
            Self::Cookie => "Cookie",
            Self::Path => "Path",
        };
        let variant = Ident::new(variant, Span::call_site());
        quote!(__harpia::extract::Source::#variant)
    }
}

fn entries_of(attribute: &Attribute) -> syn::Result<Vec<Entry>> {
    attribute.parse_args_with(|input: ParseStream<'_>| {
        let mut entries = Vec::new();
        while !input.is_empty() {
            let key = input.call(Ident::parse_any)?;
            let name = match input.parse::<Option<Token![=]>>()? {
                Some(_) => Some(input.parse()?),
                None => None,
            };
            entries.push(Entry { key, name });
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(entries)
    })
}

fn place(entry: &Entry, field: &Ident, problems: &mut Diagnostics) -> Option<Place> {
    let key = entry.key.to_string();
    let without_name = match key.as_str() {
        "default" => Some(Place::Default),
        "extension" => Some(Place::Extension),
        _ => None,
    };
    if let Some(place) = without_name {
        if let Some(name) = &entry.name {
            problems.on(name, needless_name(&key));
            return None;
        }
        return Some(place);
    }
    let Some(source) = Source::of(&key) else {
        problems.at(entry.key.span(), unknown_key(&key));
        return None;
    };
    let name = match &entry.name {
        Some(name) => name.value(),
        None if source == Source::Header => field.unraw().to_string().replace('_', "-"),
        None => field.unraw().to_string(),
    };
    if source == Source::Header && !is_token(&name) {
        let problem = header_name(&name);
        match &entry.name {
            Some(written) => problems.on(written, problem),
            None => problems.at(field.span(), problem),
        }
        return None;
    }
    Some(Place::Value { source, name })
}

fn needless_name(key: &str) -> Problem {
    Problem::new(
        format!("`{key}` takes no name"),
        format!("write `#[from({key})]`"),
    )
}

/// Reports a header name that no request can have.
fn header_name(name: &str) -> Problem {
    let with_dashes = name.split_whitespace().collect::<Vec<_>>().join("-");
    let meant = match is_token(&with_dashes) {
        true => with_dashes,
        false => "user-agent".to_owned(),
    };
    Problem::new(
        format!("`{name}` cannot be the name of a header"),
        format!(
            "write the header's name, as in `#[from(header = \"{meant}\")]`: it has letters, \
             digits and `-`"
        ),
    )
}

fn unknown_key(key: &str) -> Problem {
    let help = match nearest_or_longer(key, KEYS) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of `#[from({})]`", KEYS.join(")]`, `#[from(")),
    };
    Problem::new(format!("unknown key `{key}`"), help)
}

fn no_source(field: &Ident) -> Problem {
    Problem::new(
        format!("`from` must say where `{field}` comes from"),
        format!("write one of `#[from({})]`", KEYS.join(")]`, `#[from(")),
    )
}

fn two_sources(field: &Ident, key: &Ident) -> Problem {
    Problem::new(
        format!("field `{field}` must have one source, not two"),
        format!("remove this `{key}`"),
    )
}

/// Returns the `T` of `Option<T>`. It is recognized by name, as in every derive macro.
fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    let syn::PathArguments::AngleBracketed(generics) = &last.arguments else {
        return None;
    };
    match generics.args.first()? {
        syn::GenericArgument::Type(inner) if last.ident == "Option" => Some(inner),
        _ => None,
    }
}
