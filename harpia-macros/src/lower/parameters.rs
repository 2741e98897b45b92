//! The path parameters that the handlers of a block take, with the types that the handlers name.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

use crate::model::Parameter;
use crate::parse::{Method, conditions};

/// The parameters that the handlers read so far take.
#[derive(Default)]
pub(super) struct UsedParameters {
    pub(super) parameters: Vec<Parameter>,
    /// Unknown names that have been reported. If several handlers read the same unknown name, the
    /// mistake is probably in the path, so it is reported once.
    pub(super) unknown: Vec<String>,
}

impl UsedParameters {
    /// Returns the index of the slot for a parameter of this type in the route's tuple. Handlers
    /// that take a parameter by the same type share a slot, and a `&str` uses the slot of a
    /// `String`. `condition` is the handler's `#[cfg]`: a slot has its type if at least one of its
    /// handlers is compiled, and is `()` otherwise.
    pub(super) fn slot(&mut self, name: &str, ty: &Type, condition: Option<&TokenStream>) -> usize {
        let parameters = &mut self.parameters;
        let known = parameters
            .iter()
            .position(|known| known.name == name && is_alike(&known.ty, ty));
        if let Some(known) = known
            && is_word(ty, "String")
        {
            // Replaces `::std::string::String` by the user's `String`, which may be a type of
            // their own.
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

/// Returns the predicate under which a method is compiled, or `None` if it always is.
pub(super) fn condition(method: &Method) -> Option<TokenStream> {
    let predicates: Vec<TokenStream> = method.attributes.iter().flat_map(conditions).collect();
    match predicates.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        all => Some(quote!(all(#(#all),*))),
    }
}

/// Returns the type that a `&str` borrows from.
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
