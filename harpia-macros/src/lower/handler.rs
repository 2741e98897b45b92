//! Finds the methods that are handlers, and checks their signatures.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, ReceiverKind, ReturnType, Signature, Type};

use crate::diagnostics::Diagnostics;
use crate::model::{Argument, Handler, Kind};
use crate::parse::{Block, Method, conditions, mentions};

use super::arguments::{self, typed};
use super::parameters::UsedParameters;
use super::wording::handler as wording;

/// The facts about the route that are known while the arguments of a handler are read.
pub(super) struct Context<'a> {
    /// The path parameters, or `None` if the path itself is wrong. In this case the meaning of an
    /// argument is not known, and arguments are not checked.
    pub(super) names: Option<&'a [String]>,
    pub(super) seen: &'a mut UsedParameters,
}

/// Returns the handler if the method is a handler and is valid.
pub(super) fn lower(
    method: &Method,
    context: Context<'_>,
    problems: &mut Diagnostics,
) -> Option<Handler> {
    let signature = &method.signature;
    let kind = Kind::of(&signature.ident)?;
    if !check_signature(kind, signature, problems) {
        return None;
    }
    let output = output(signature);
    let names = context.names?;
    let arguments = arguments::read(kind, method, names, context.seen, problems);
    let is_right = !problems.is_empty()
        || match kind {
            Kind::Auth => check_auth(method, &arguments, problems),
            Kind::Connect => check_connect(method, problems),
            _ => true,
        };
    if !is_right {
        return None;
    }
    Some(Handler {
        kind,
        name: signature.ident.clone(),
        cfgs: method.cfgs().collect(),
        is_async: signature.asyncness.is_some(),
        arguments,
        output,
    })
}

/// Returns whether a block has a handler.
pub(super) fn is_in(block: &Block, kind: Kind) -> bool {
    let mut names = block.methods.iter().map(|method| &method.signature.ident);
    names.any(|name| Kind::of(name) == Some(kind))
}

/// Checks that `auth` is not behind `#[cfg]`, takes the first message, and returns a value. If one
/// of these fails, the route would let everybody in. Returns whether all are right.
fn check_auth(method: &Method, arguments: &[Argument], problems: &mut Diagnostics) -> bool {
    let name = &method.signature.ident;
    let takes_first =
        |one: &Argument| matches!(one, Argument::Message(_) | Argument::MessageOrSocket(_));
    if let Some(condition) = condition(method) {
        problems.on(condition, wording::conditional(Kind::Auth));
    } else if !arguments.iter().any(takes_first) {
        problems.at(name.span(), wording::auth_without_first(&method.signature));
    } else if output(&method.signature).is_none() {
        problems.at(name.span(), wording::auth_without_result(&method.signature));
    } else {
        return true;
    }
    false
}

/// Checks that `connect` is not behind `#[cfg]`, and that it returns a value. A route whose
/// `connect` is compiled out would let everybody in. Returns whether both are right.
fn check_connect(method: &Method, problems: &mut Diagnostics) -> bool {
    let signature = &method.signature;
    if let Some(condition) = condition(method) {
        problems.on(condition, wording::conditional(Kind::Connect));
    } else if output(signature).is_none() {
        problems.at(
            signature.ident.span(),
            wording::connect_without_result(signature),
        );
    } else {
        return true;
    }
    false
}

/// Returns the first attribute that may compile the method out.
fn condition(method: &Method) -> Option<&Attribute> {
    let mut attributes = method.attributes.iter();
    attributes.find(|attribute| !conditions(attribute).is_empty())
}

/// Checks the signature, except for the meaning of each argument. Returns whether it is right.
fn check_signature(kind: Kind, signature: &Signature, problems: &mut Diagnostics) -> bool {
    let name = signature.ident.unraw().to_string();
    if !signature.generics.params.is_empty() {
        let lifetimes: Vec<String> = signature
            .generics
            .lifetimes()
            .map(|one| one.lifetime.to_string())
            .collect();
        let problem = if lifetimes.len() == signature.generics.params.len() {
            wording::lifetimes(&lifetimes)
        } else {
            wording::generic(&signature.generics)
        };
        problems.on(&signature.generics, problem);
        return false;
    }
    let mut arguments = signature.inputs.iter().filter_map(typed);
    if let Some(generic) = arguments.find(|argument| mentions(&argument.ty, "impl")) {
        problems.on(generic, wording::impl_trait(&generic.ty));
        return false;
    }
    if let Some(keyword) = &signature.constness {
        problems.on(keyword, wording::qualifier(&name, "const"));
        return false;
    }
    if !signature.safety.to_token_stream().is_empty() {
        problems.on(&signature.safety, wording::qualifier(&name, "unsafe"));
        return false;
    }
    if let Some(abi) = &signature.abi {
        problems.on(abi, wording::qualifier(&name, "extern"));
        return false;
    }
    match signature.receiver() {
        None => {
            problems.at(
                signature.ident.span(),
                wording::no_receiver(kind, signature),
            );
            false
        }
        Some(receiver) if !is_shared(&receiver.kind) || receiver.mutability.is_some() => {
            problems.on(receiver, wording::wrong_receiver(kind));
            false
        }
        Some(_) => true,
    }
}

fn is_shared(kind: &ReceiverKind) -> bool {
    match kind {
        ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
        _ => false,
    }
}

fn output(signature: &Signature) -> Option<Type> {
    match &signature.output {
        ReturnType::Type(_, ty) => Some((**ty).clone()),
        ReturnType::Default => None,
    }
}
