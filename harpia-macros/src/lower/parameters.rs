//! The path parameters that the handlers of a block take, each as the types that they name.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

use crate::model::Parameter;
use crate::parse::{Method, conditions};

/// The parameters that the handlers of a block have read so far.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) parameters: Vec<Parameter>,
    /// Names that mean nothing here, and have their error: several handlers that read one are one
    /// mistake, in the path.
    pub(super) unknown: Vec<String>,
}

impl Seen {
    /// The index of a parameter as this type; one slot serves all handlers that take it alike, and
    /// a `String` those that take a `&str`. It is there if one of them is.
    pub(super) fn slot(&mut self, name: &str, ty: &Type, condition: Option<&TokenStream>) -> usize {
        let parameters = &mut self.parameters;
        let known = parameters
            .iter()
            .position(|known| known.name == name && is_alike(&known.ty, ty));
        if let Some(known) = known
            && is_word(ty, "String")
        {
            // The user's own word: it may be a type of theirs.
            parameters[known].ty = ty.clone();
        }
        let index = known.unwrap_or_else(|| {
            parameters.push(Parameter {
                name: name.to_owned(),
                ty: ty.clone(),
                conditions: Some(Vec::new()),
            });
            parameters.len() - 1
        });
        let conditions = &mut parameters[index].conditions;
        match (condition, &mut *conditions) {
            (Some(condition), Some(all)) => all.push(condition.clone()),
            _ => *conditions = None,
        }
        index
    }
}

/// What must hold for a method to be there, as one predicate; nothing, where it always is.
pub(super) fn condition(method: &Method) -> Option<TokenStream> {
    let predicates: Vec<TokenStream> = method.attributes.iter().flat_map(conditions).collect();
    match predicates.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        all => Some(quote!(all(#(#all),*))),
    }
}

/// What a `&str` is lent from.
pub(super) fn text_type() -> Type {
    syn::parse_quote!(::std::string::String)
}

fn is_alike(one: &Type, other: &Type) -> bool {
    let is_text = |ty: &Type| is_word(ty, "String") || *ty == text_type();
    one == other || (is_text(one) && is_text(other))
}

pub(super) fn is_word(ty: &Type, word: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident(word))
}
