//! Parses the item below the attribute. Bodies are not parsed, so that incomplete code still
//! expands.

use std::iter;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, GenericParam, Generics, Path, Signature, Token, Type, Visibility, WherePredicate,
    braced, token,
};

use super::mentions;

/// The item below the attribute.
pub(crate) enum Item {
    Impl(Box<Block>),
    /// Any other item: its keyword, and its name if it has one.
    Other {
        keyword: Span,
        name: Option<Ident>,
    },
}

/// An `impl` block.
pub(crate) struct Block {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) generics: Generics,
    /// The trait of `impl Trait for Type`.
    pub(crate) of_trait: Option<Path>,
    pub(crate) self_type: Type,
    pub(crate) methods: Vec<Method>,
    /// The paths of macro calls in place of methods, such as `handlers!();`.
    pub(crate) macros: Vec<Path>,
}

/// A method.
pub(crate) struct Method {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) signature: Signature,
    /// The position of the method: the number of tokens of the block before it.
    pub(crate) position: usize,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let begins_impl =
            input.peek(Token![impl]) || (input.peek(Token![unsafe]) && input.peek2(Token![impl]));
        if begins_impl {
            input.parse::<Option<Token![unsafe]>>()?;
            return Block::parse(attributes, input).map(|block| Self::Impl(Box::new(block)));
        }
        input.parse::<Visibility>()?;
        let mut keyword = input.span();
        for skipped in ["async", "const", "unsafe", "default"] {
            if input.peek(Ident::peek_any) && input.fork().call(Ident::parse_any)? == skipped {
                input.call(Ident::parse_any)?;
                keyword = input.span();
            }
        }
        input.parse::<TokenTree>()?;
        let name = input.call(Ident::parse_any).ok();
        while input.parse::<TokenTree>().is_ok() {}
        Ok(Self::Other { keyword, name })
    }
}

impl Block {
    fn parse(attributes: Vec<Attribute>, input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse::<Token![impl]>()?;
        let mut generics: Generics = if input.peek(Token![<]) {
            input.parse()?
        } else {
            Generics::default()
        };
        let negative = input.parse::<Option<Token![!]>>()?;
        let first: Type = input.parse()?;
        let (of_trait, self_type) = if input.parse::<Option<Token![for]>>()?.is_some() {
            (Some(trait_path(&first)?), input.parse()?)
        } else if let Some(negative) = negative {
            return Err(syn::Error::new(negative.span(), "expected a type"));
        } else {
            (None, first)
        };
        generics.where_clause = input.parse()?;
        let content;
        braced!(content in input);
        let block_len = len(&content);
        content.call(Attribute::parse_inner)?;
        let (methods, macros) = items(&content, block_len)?;
        Ok(Self {
            attributes,
            generics,
            of_trait,
            self_type,
            methods,
            macros,
        })
    }

    /// Returns methods whose name an earlier method has, unless `#[cfg]` chooses between them.
    pub(crate) fn repeated(&self) -> impl Iterator<Item = &Ident> {
        let methods = self.methods.iter().enumerate();
        methods.filter_map(|(at, method)| {
            let name = &method.signature.ident;
            let has_name = |other: &&Method| other.signature.ident.unraw() == name.unraw();
            let is_later = self.methods[..at].iter().any(|other| has_name(&other));
            let mut alike = self.methods.iter().filter(has_name);
            (is_later && !alike.any(Method::has_cfg)).then_some(name)
        })
    }

    /// Returns whether the self type does not use a generic parameter. rustc reports such a
    /// parameter.
    pub(crate) fn is_unconstrained(&self, parameter: &GenericParam) -> bool {
        let name = match parameter {
            GenericParam::Lifetime(_) => return false,
            GenericParam::Type(ty) => ty.ident.to_string(),
            GenericParam::Const(constant) => constant.ident.to_string(),
        };
        let mut others = self.generics.params.iter();
        let in_bounds = others.any(|other| other != parameter && mentions(other, &name));
        let clause = self.generics.where_clause.iter();
        let mut predicates = clause.flat_map(|clause| &clause.predicates);
        let in_clause = predicates.any(|predicate| match predicate {
            WherePredicate::Type(bound) if is_name(&bound.bounded_ty, &name) => {
                mentions(&bound.bounds, &name)
            }
            other => mentions(other, &name),
        });
        !mentions(&self.self_type, &name) && !in_bounds && !in_clause
    }
}

impl Method {
    /// Returns the conditions under which the method exists, each as a `#[cfg]`.
    pub(crate) fn cfgs(&self) -> impl Iterator<Item = Attribute> {
        let conditions = self.attributes.iter().flat_map(conditions);
        conditions.map(|condition| syn::parse_quote!(#[cfg(#condition)]))
    }

    fn has_cfg(&self) -> bool {
        self.cfgs().next().is_some()
    }
}

/// Returns the predicates under which an attribute keeps its item: `unix` for `#[cfg(unix)]`, and
/// `any(not(debug), unix)` for `#[cfg_attr(debug, cfg(unix))]`.
pub(crate) fn conditions(attribute: &Attribute) -> Vec<TokenStream> {
    let mut found = Vec::new();
    find_conditions(attribute.meta.to_token_stream(), &mut found);
    found
}

fn find_conditions(attribute: TokenStream, found: &mut Vec<TokenStream>) {
    let mut trees = attribute.into_iter();
    let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(group))) =
        (trees.next(), trees.next())
    else {
        return;
    };
    if name == "cfg" {
        found.push(group.stream());
    } else if name == "cfg_attr" {
        let mut parts = split_at_commas(group.stream()).into_iter();
        let Some(applies) = parts.next() else {
            return;
        };
        let mut inner = Vec::new();
        parts.for_each(|attribute| find_conditions(attribute, &mut inner));
        found.extend(inner.iter().map(|inner| quote!(any(not(#applies), #inner))));
    }
}

fn split_at_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for tree in tokens {
        match (&tree, parts.last_mut()) {
            (TokenTree::Punct(punct), _) if punct.as_char() == ',' => {
                parts.push(TokenStream::new());
            }
            (_, Some(part)) => part.extend([tree]),
            _ => {}
        }
    }
    parts
}

fn is_name(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident(name))
}

fn trait_path(ty: &Type) -> syn::Result<Path> {
    match ty {
        Type::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        other => Err(syn::Error::new(other.span(), "expected a trait")),
    }
}

/// Parses the methods, and the paths of macro calls among them.
fn items(content: ParseStream<'_>, block_len: usize) -> syn::Result<(Vec<Method>, Vec<Path>)> {
    let (mut methods, mut macros) = (Vec::new(), Vec::new());
    while !content.is_empty() {
        let position = block_len - len(content);
        let attributes = content.call(Attribute::parse_outer)?;
        content.parse::<Visibility>()?;
        let ahead = content.fork();
        let is_method = ahead.parse::<Signature>().is_ok() && ahead.peek(token::Brace);
        if is_method {
            methods.push(Method {
                attributes,
                signature: content.parse()?,
                position,
            });
            content.parse::<TokenTree>()?;
        } else {
            macros.extend(called_macro(content));
            skip_item(content)?;
        }
    }
    Ok((methods, macros))
}

/// Returns the number of tokens that are left.
fn len(input: ParseStream<'_>) -> usize {
    let rest = iter::successors(Some(input.cursor()), |cursor| Some(cursor.token_tree()?.1));
    rest.count() - 1
}

fn called_macro(content: ParseStream<'_>) -> Option<Path> {
    let ahead = content.fork();
    let path = ahead.call(Path::parse_mod_style).ok()?;
    ahead.peek(Token![!]).then_some(path)
}

/// Skips a constant, a type or a macro call, up to its `;` or its braces.
fn skip_item(content: ParseStream<'_>) -> syn::Result<()> {
    while !content.is_empty() {
        let tree: TokenTree = content.parse()?;
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == ';' => return Ok(()),
            TokenTree::Group(group)
                if group.delimiter() == proc_macro2::Delimiter::Brace
                    && !content.peek(Token![;]) =>
            {
                return Ok(());
            }
            _ => {}
        }
    }
    Ok(())
}
