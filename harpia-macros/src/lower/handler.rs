//! Handlers: which methods they are, and what each of their arguments means.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{
    Attribute, FnArg, Pat, PatType, ReceiverKind, ReturnType, Signature, Type, TypeReference,
};

use crate::diagnostics::{Diagnostics, Problem};
use crate::model::{Argument, By, Handler, Kind, Parameter};
use crate::parse::{Block, Method};
use crate::suggest::nearest;

use super::{nearest_name, slot, wording};

/// What a handler's arguments are read against.
pub(super) struct Context<'a> {
    pub(super) block: &'a Block,
    /// The path's parameters, unless the path itself is wrong: then what an argument means is not
    /// known, and not asked.
    pub(super) names: Option<&'a [String]>,
    pub(super) broadcasts: bool,
    pub(super) parameters: &'a mut Vec<Parameter>,
}

/// Returns the handler that a method is, if it is one and is right.
pub(super) fn lower(
    method: &Method,
    context: Context<'_>,
    problems: &mut Diagnostics,
) -> Option<Handler> {
    let signature = &method.signature;
    let Some(kind) = Kind::of(&signature.ident) else {
        check_name(signature, context.block, problems);
        return None;
    };
    if !check_signature(kind, signature, problems) {
        return None;
    }
    let output = output(signature);
    if let Some(output) = &output
        && kind == Kind::Message
        && !context.broadcasts
        && mentions(output, "Broadcast")
    {
        problems.on(output, wording::broadcast_off());
        return None;
    }
    let arguments = Arguments {
        kind,
        names: context.names?,
        parameters: context.parameters,
        found: Vec::new(),
    };
    Some(Handler {
        kind,
        name: signature.ident.clone(),
        cfgs: cfgs(&method.attributes),
        is_async: signature.asyncness.is_some(),
        arguments: arguments.read(signature, problems),
        output,
    })
}

/// A method that was meant as a handler must not silently be an ordinary one.
fn check_name(signature: &Signature, block: &Block, problems: &mut Diagnostics) {
    let name = signature.ident.to_string();
    let takes_socket = signature.inputs.iter().any(is_socket);
    let on = name.strip_prefix("on_");
    if !takes_socket && on.is_none() {
        return;
    }
    let bare = on.or_else(|| name.strip_prefix("handle_")).unwrap_or(&name);
    if takes_socket && (name == "auth" || nearest(bare, ["authenticate", "authorize"]).is_some()) {
        problems.at(signature.ident.span(), wording::no_auth(&name));
        return;
    }
    let near = nearest(bare, Kind::ALL.map(Kind::name));
    if let Some(meant) = near.or_else(|| meant_by_others(bare, block)) {
        problems.at(signature.ident.span(), wording::misspelt(&name, meant));
    }
}

/// What other frameworks call a handler that this block does not have.
fn meant_by_others(name: &str, block: &Block) -> Option<&'static str> {
    const SYNONYMS: [(&str, &str); 8] = [
        ("connect", "open"),
        ("connected", "open"),
        ("connection", "open"),
        ("disconnect", "close"),
        ("disconnected", "close"),
        ("receive", "message"),
        ("text", "message"),
        ("msg", "message"),
    ];
    let (_, meant) = SYNONYMS.into_iter().find(|(known, _)| *known == name)?;
    let mut methods = block.methods.iter();
    let has_it = methods.any(|method| method.signature.ident == meant);
    (!has_it).then_some(meant)
}

fn is_socket(argument: &FnArg) -> bool {
    match argument {
        FnArg::Typed(argument) => match &*argument.ty {
            Type::Reference(reference) => is_socket_type(&reference.elem),
            other => is_socket_type(other),
        },
        FnArg::Receiver(_) => false,
    }
}

fn is_socket_type(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|segment| segment.ident == "Socket")
        }
        _ => false,
    }
}

/// Checks all but the arguments.
fn check_signature(kind: Kind, signature: &Signature, problems: &mut Diagnostics) -> bool {
    let name = signature.ident.to_string();
    if !signature.generics.params.is_empty() {
        problems.on(&signature.generics, wording::generic());
        return false;
    }
    if let Some(generic) = signature
        .inputs
        .iter()
        .find(|input| mentions(input, "impl"))
    {
        problems.on(generic, wording::generic());
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
            problems.at(signature.ident.span(), wording::no_receiver(kind));
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

/// Reads the arguments of one handler, in order.
struct Arguments<'a> {
    kind: Kind,
    names: &'a [String],
    parameters: &'a mut Vec<Parameter>,
    found: Vec<Argument>,
}

impl Arguments<'_> {
    fn read(mut self, signature: &Signature, problems: &mut Diagnostics) -> Vec<Argument> {
        for argument in &signature.inputs {
            if let FnArg::Typed(argument) = argument
                && let Err(problem) = self.add(argument)
            {
                problems.on(problem.0, problem.1);
            }
        }
        self.found
    }

    fn add(&mut self, argument: &PatType) -> Result<(), Wrong> {
        let name = name_of(&argument.pat);
        let by_name = name.as_ref().filter(|name| self.is_parameter(name));
        if let Some(name) = by_name {
            let argument = self.parameter(&name.unraw().to_string(), &argument.ty);
            self.found.push(argument);
            return Ok(());
        }
        if let Some(socket) = self.socket(argument)? {
            self.found.push(socket);
            return Ok(());
        }
        let next = self.next_in_order(argument, name.as_ref())?;
        self.found.push(next);
        Ok(())
    }

    fn is_parameter(&self, name: &Ident) -> bool {
        self.names.iter().any(|known| name.unraw() == known)
    }

    /// `&T` and `T` are the same slot, and `&str` is a `String`'s.
    fn parameter(&mut self, name: &str, ty: &Type) -> Argument {
        let (ty, by) = match ty {
            Type::Reference(reference) if is_str(&reference.elem) => {
                (syn::parse_quote!(::std::string::String), By::Reference)
            }
            Type::Reference(reference) => ((*reference.elem).clone(), By::Reference),
            Type::Path(path) if path.path.is_ident("String") => {
                (syn::parse_quote!(::std::string::String), By::Value)
            }
            other => (other.clone(), By::Value),
        };
        let index = slot(self.parameters, name, &ty);
        Argument::Parameter { index, by, ty }
    }

    fn socket(&self, argument: &PatType) -> Result<Option<Argument>, Wrong> {
        let has_one = self
            .found
            .iter()
            .any(|one| matches!(one, Argument::Socket(_)));
        match &*argument.ty {
            Type::Reference(TypeReference {
                mutability: Some(_),
                elem,
                ..
            }) if !has_one => Ok(Some(Argument::Socket((**elem).clone()))),
            Type::Reference(reference) if is_socket_type(&reference.elem) && !has_one => Err(
                Wrong::at(&argument.ty, wording::socket_by_value(&reference.elem)),
            ),
            ty if is_socket_type(ty) && !has_one => {
                Err(Wrong::at(ty, wording::socket_by_value(ty)))
            }
            _ => Ok(None),
        }
    }

    fn next_in_order(&self, argument: &PatType, name: Option<&Ident>) -> Result<Argument, Wrong> {
        let count = self.found.iter().filter(|one| is_ordered(one)).count();
        let next = match (self.kind, count) {
            (Kind::Message, 0) => Argument::Message((*argument.ty).clone()),
            (Kind::Close, 0) => Argument::Code((*argument.ty).clone()),
            (Kind::Close, 1) => Argument::Reason((*argument.ty).clone()),
            (Kind::Error, 0) => Argument::Error((*argument.ty).clone()),
            _ => return Err(self.extra(argument, name)),
        };
        let names = self.names;
        if let (Argument::Message(_), Some(name), false) = (&next, name, names.is_empty()) {
            let is_unused = name.to_string().starts_with('_');
            if name != "message" && !is_unused {
                let near = nearest_name(&name.to_string(), names).unwrap_or(&names[0]);
                let problem = wording::message_or_parameter(&name.to_string(), near);
                return Err(Wrong::at(&argument.pat, problem));
            }
        }
        Ok(next)
    }

    fn extra(&self, argument: &PatType, name: Option<&Ident>) -> Wrong {
        let names = self.names;
        if let (Some(name), false) = (name, names.is_empty()) {
            let near = nearest_name(&name.to_string(), names);
            let problem = wording::unknown_parameter(self.kind, &name.to_string(), near, names);
            return Wrong::at(&argument.pat, problem);
        }
        Wrong::at(argument, wording::extra_argument(self.kind))
    }
}

/// A problem and the node it is at.
struct Wrong(TokenStream, Problem);

impl Wrong {
    fn at(node: &impl ToTokens, problem: Problem) -> Self {
        Self(node.to_token_stream(), problem)
    }
}

fn is_ordered(argument: &Argument) -> bool {
    !matches!(argument, Argument::Socket(_) | Argument::Parameter { .. })
}

fn name_of(pat: &Pat) -> Option<Ident> {
    match pat {
        Pat::Ident(pat) => Some(pat.ident.clone()),
        _ => None,
    }
}

fn is_str(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("str"))
}

fn output(signature: &Signature) -> Option<Type> {
    match &signature.output {
        ReturnType::Type(_, ty) => Some((**ty).clone()),
        ReturnType::Default => None,
    }
}

/// Says whether a word stands somewhere in a node.
fn mentions(node: &impl ToTokens, word: &str) -> bool {
    fn any(tokens: TokenStream, word: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == word,
            TokenTree::Group(group) => any(group.stream(), word),
            _ => false,
        })
    }
    any(node.to_token_stream(), word)
}

/// A handler that is not there must not be called.
fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    let is_cfg = |attribute: &&Attribute| attribute.path().is_ident("cfg");
    attributes.iter().filter(is_cfg).cloned().collect()
}
