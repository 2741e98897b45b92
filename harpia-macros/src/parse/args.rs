//! Parses the attribute's arguments: a path, then options such as `key = value`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Lit, Path, Token, Type};

/// Everything between the attribute's parentheses.
pub(crate) struct Arguments {
    /// Values without a key: the path, and values that should not be there.
    pub(crate) bare: Vec<Expr>,
    pub(crate) options: Vec<OptionArgument>,
    /// The span of the attribute, at which a missing argument is reported.
    pub(crate) span: Span,
}

/// One `key = value`.
pub(crate) struct OptionArgument {
    pub(crate) key: Ident,
    pub(crate) value: OptionValue,
}

/// A value, parsed as the kind that its key or its first token suggests.
pub(crate) enum OptionValue {
    Literal(Lit),
    Type(Box<Type>),
    Expr(Box<Expr>),
    Path(Path),
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Self {
            bare: Vec::new(),
            options: Vec::new(),
            span: Span::call_site(),
        };
        while !input.is_empty() {
            if input.peek(syn::Ident::peek_any)
                && input.peek2(Token![=])
                && !input.peek2(Token![==])
            {
                arguments.options.push(input.parse()?);
            } else {
                arguments.bare.push(input.parse()?);
            }
            if !input.is_empty() && input.parse::<Option<Token![,]>>()?.is_none() {
                let next: TokenTree = input.parse()?;
                return Err(missing_comma(&next));
            }
        }
        Ok(arguments)
    }
}

impl Parse for OptionArgument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        let value = if input.peek(Lit) {
            OptionValue::Literal(input.parse()?)
        } else if key == "crate" {
            OptionValue::Path(input.call(Path::parse_mod_style)?)
        } else if key == "data" {
            OptionValue::Type(input.parse()?)
        } else if let Some(value) = expression(input) {
            OptionValue::Expr(Box::new(value))
        } else {
            // The value of an unknown key may be a type. The key is the mistake to report.
            OptionValue::Type(input.parse()?)
        };
        Ok(Self { key, value })
    }
}

fn missing_comma(next: &TokenTree) -> syn::Error {
    let message = format!("expected `,`\n= help: write a comma before `{next}`");
    syn::Error::new(next.span(), message)
}

/// Parses the tokens up to the next comma as an expression, if they are one.
fn expression(input: ParseStream<'_>) -> Option<Expr> {
    let ahead = input.fork();
    let is_expression =
        ahead.parse::<Expr>().is_ok() && (ahead.is_empty() || ahead.peek(Token![,]));
    if is_expression {
        input.parse().ok()
    } else {
        None
    }
}

impl ToTokens for OptionValue {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Literal(value) => value.to_tokens(tokens),
            Self::Type(value) => value.to_tokens(tokens),
            Self::Expr(value) => value.to_tokens(tokens),
            Self::Path(value) => value.to_tokens(tokens),
        }
    }
}
