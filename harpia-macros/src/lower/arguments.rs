//! Finds out what each argument of a handler means.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{FnArg, Pat, PatType, Type};

use crate::diagnostics::{Diagnostics, Problem};
use crate::model::{Argument, By, Kind};
use crate::parse::Method;
use crate::suggest::nearest_or_longer;

use super::parameters::{UsedParameters, condition, is_word, text_type};
use super::wording::handler as wording;

/// Returns the arguments of one handler, in order.
pub(super) fn read(
    kind: Kind,
    method: &Method,
    names: &[String],
    seen: &mut UsedParameters,
    problems: &mut Diagnostics,
) -> Vec<Argument> {
    let mut reader = Reader {
        kind,
        names,
        condition: condition(method),
        claimed: Vec::new(),
        seen,
        found: Vec::new(),
    };
    let inputs = || method.signature.inputs.iter().filter_map(typed);
    reader.claimed = inputs().filter_map(|one| reader.claim(one)).collect();
    for argument in inputs() {
        match reader.argument(argument) {
            Ok(argument) => reader.found.push(argument),
            Err(ArgumentError::At(node, problem)) => problems.on(node, problem),
            Err(ArgumentError::Reported) => {}
        }
    }
    reader.found
}

struct Reader<'a> {
    kind: Kind,
    /// The path parameters.
    names: &'a [String],
    /// The predicate of the handler's `#[cfg]`.
    condition: Option<TokenStream>,
    /// The names of the handler's arguments, without the path parameters. If `code` is among them,
    /// an argument with another name is never read as the code.
    claimed: Vec<String>,
    seen: &'a mut UsedParameters,
    found: Vec<Argument>,
}

/// Why an argument is not valid.
enum ArgumentError {
    /// A problem, and the node to report it at.
    At(TokenStream, Problem),
    /// The same mistake has been reported at another handler.
    Reported,
}

impl<'a> Reader<'a> {
    fn argument(&mut self, argument: &PatType) -> Result<Argument, ArgumentError> {
        let name = name_of(&argument.pat);
        let known = name.as_ref().and_then(|name| self.parameter_name(name));
        if let (Some(known), false) = (known, is_exclusive_socket(&argument.ty)) {
            return self.parameter(known, &argument.ty);
        }
        match self.socket(argument)? {
            Some(socket) => Ok(socket),
            None => self.next_in_order(argument, name.as_ref()),
        }
    }

    /// Returns the path parameter that a name refers to. `_room` refers to `room`: the handler
    /// takes the parameter and does not use it.
    fn parameter_name(&self, name: &Ident) -> Option<&'a str> {
        let written = name.unraw().to_string();
        let names = || self.names.iter().map(String::as_str);
        names()
            .find(|known| *known == written)
            .or_else(|| names().find(|known| *known == plain(name)))
    }

    /// Returns the name that an argument claims, or `None` for a path parameter. A pattern without
    /// a name, such as `(x, y)`, can only be the message, and claims the message's name.
    fn claim(&self, argument: &PatType) -> Option<String> {
        match name_of(&argument.pat) {
            Some(name) => self.parameter_name(&name).is_none().then(|| plain(&name)),
            None if is_exclusive(&argument.ty) || is_any_socket(&argument.ty) => None,
            None => self.kind.message_name().map(str::to_owned),
        }
    }

    /// Reads a path parameter. `&T` and `T` share a slot of the tuple, and `&str` borrows from the
    /// slot of a `String`.
    fn parameter(&mut self, name: &str, ty: &Type) -> Result<Argument, ArgumentError> {
        let (ty, by) = match ty {
            Type::Reference(reference) if reference.mutability.is_some() => {
                let problem = wording::exclusive_parameter(name, &reference.elem);
                return Err(ArgumentError::at(ty, problem));
            }
            Type::Reference(reference) if is_word(&reference.elem, "str") => {
                (text_type(), By::Reference)
            }
            Type::Reference(reference) => ((*reference.elem).clone(), By::Reference),
            other => (other.clone(), By::Value),
        };
        let index = self.seen.slot(name, &ty, self.condition.as_ref());
        Ok(Argument::Parameter { index, by, ty })
    }

    fn socket(&self, argument: &PatType) -> Result<Option<Argument>, ArgumentError> {
        if self.kind == Kind::Connect {
            return match is_any_socket(&argument.ty) {
                true => Err(ArgumentError::at(
                    &argument.ty,
                    wording::connect_with_socket(),
                )),
                false => Ok(None),
            };
        }
        let mut found = self.found.iter();
        if found.any(|one| matches!(one, Argument::Socket(_))) {
            return Ok(None);
        }
        match &*argument.ty {
            Type::Reference(reference) if reference.mutability.is_some() => {
                Ok(Some(Argument::Socket((*reference.elem).clone())))
            }
            Type::Reference(reference) if is_socket_type(&reference.elem) => Err(
                ArgumentError::at(&argument.ty, wording::socket_by_value(&reference.elem)),
            ),
            ty if is_socket_type(ty) && !self.may_be_message(argument) => {
                Err(ArgumentError::at(ty, wording::socket_by_value(ty)))
            }
            _ => Ok(None),
        }
    }

    /// Returns whether a `Socket` by value may be the message, of a user's type with that name.
    fn may_be_message(&self, argument: &PatType) -> bool {
        let Some(own) = self.kind.message_name() else {
            return false;
        };
        let is_free = !self.found.iter().any(is_ordered);
        is_free
            && match name_of(&argument.pat) {
                Some(name) if plain(&name) == own => true,
                Some(_) => self.names.is_empty() && !self.claimed.iter().any(|name| name == own),
                None => true,
            }
    }

    fn next_in_order(
        &mut self,
        argument: &PatType,
        name: Option<&Ident>,
    ) -> Result<Argument, ArgumentError> {
        let ty = (*argument.ty).clone();
        let count = self.found.iter().filter(|one| is_ordered(one)).count();
        let Some(next) = self.kind.in_order().get(count) else {
            return Err(self.extra(argument, name));
        };
        if *next == "code" && referent(&ty).is_some_and(|ty| is_word(ty, "str")) {
            let reason = name.map_or_else(|| "reason".to_owned(), plain);
            return Err(ArgumentError::at(&ty, wording::close_order(&reason)));
        }
        let is_another = name.is_some_and(|name| plain(name) != *next);
        let is_reported = name.is_some_and(|name| self.seen.unknown.contains(&plain(name)));
        if is_reported || (is_another && self.claimed.iter().any(|name| name == next)) {
            return Err(self.extra(argument, name));
        }
        match *next {
            "message" | "first" => {
                self.check_message(argument, name)?;
                match is_socket_type(&ty) {
                    true => Ok(Argument::MessageOrSocket(ty)),
                    false => Ok(Argument::Message(ty)),
                }
            }
            "request" => Ok(Argument::Request(ty)),
            "code" => Ok(Argument::Code(ty)),
            "reason" => Ok(Argument::Reason(ty)),
            "error" => Ok(Argument::Error(ty)),
            name => unreachable!("`Kind::in_order` has the unknown argument `{name}`"),
        }
    }

    /// Checks the name of the message, and that the handler takes the message by value. On a route
    /// with path parameters, the name must be the message's own, or start with `_`.
    fn check_message(
        &mut self,
        argument: &PatType,
        name: Option<&Ident>,
    ) -> Result<(), ArgumentError> {
        let own = self.kind.message_name().unwrap_or("message");
        let is_own = |name: &Ident| plain(name) == own || name.to_string().starts_with('_');
        if let (Some(name), false) = (name.filter(|name| !is_own(name)), self.names.is_empty()) {
            let near = nearest(&plain(name), self.names).unwrap_or(&self.names[0]);
            let problem = wording::message_or_parameter(&plain(name), own, near);
            return Err(self.unknown(argument, plain(name), problem));
        }
        match referent(&argument.ty) {
            Some(ty) => {
                let name = name.map_or_else(|| own.to_owned(), Ident::to_string);
                let problem = wording::message_by_reference(self.kind, &name, ty);
                Err(ArgumentError::at(&argument.ty, problem))
            }
            None => Ok(()),
        }
    }

    /// Returns the error for an argument that the handler cannot take. If the argument is likely to
    /// be a misspelled path parameter, the error is about that.
    fn extra(&mut self, argument: &PatType, name: Option<&Ident>) -> ArgumentError {
        let names = self.names;
        if let (Some(name), false, false) = (name, names.is_empty(), is_any_socket(&argument.ty)) {
            let name = plain(name);
            let near = nearest(&name, names);
            let is_known = self.seen.unknown.contains(&name);
            if is_known
                || near.is_some()
                || matches!(self.kind, Kind::Auth | Kind::Open | Kind::Message)
            {
                let problem = wording::unknown_parameter(self.kind, &name, near, names);
                return self.unknown(argument, name, problem);
            }
        }
        let is_socket = is_any_socket(&argument.ty);
        let problem = wording::extra_argument(self.kind, argument, is_socket, names);
        ArgumentError::at(argument, problem)
    }

    fn unknown(&mut self, argument: &PatType, name: String, problem: Problem) -> ArgumentError {
        if self.seen.unknown.contains(&name) {
            return ArgumentError::Reported;
        }
        self.seen.unknown.push(name);
        ArgumentError::at(&argument.pat, problem)
    }
}

impl ArgumentError {
    fn at(node: &impl ToTokens, problem: Problem) -> Self {
        Self::At(node.to_token_stream(), problem)
    }
}

pub(super) fn typed(argument: &FnArg) -> Option<&PatType> {
    match argument {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    }
}

fn name_of(pat: &Pat) -> Option<Ident> {
    match pat {
        Pat::Ident(pat) => Some(pat.ident.clone()),
        _ => None,
    }
}

/// Returns a name without the `_` that marks an unused variable.
fn plain(name: &Ident) -> String {
    let name = name.unraw().to_string();
    match name.strip_prefix('_') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => name,
    }
}

fn is_ordered(argument: &Argument) -> bool {
    !matches!(argument, Argument::Socket(_) | Argument::Parameter { .. })
}

fn is_exclusive(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference) if reference.mutability.is_some())
}

/// Returns whether a type is `&mut Socket`. Such an argument is the socket, whatever its name,
/// because path parameters are never passed as `&mut`.
fn is_exclusive_socket(ty: &Type) -> bool {
    is_exclusive(ty) && is_any_socket(ty)
}

pub(super) fn is_socket(argument: &FnArg) -> bool {
    typed(argument).is_some_and(|argument| is_any_socket(&argument.ty))
}

/// Returns whether an argument is a `Handshake`, by reference or by value.
pub(super) fn is_handshake(argument: &FnArg) -> bool {
    let is_named = |ty: &Type| is_type_named(ty, "Handshake");
    typed(argument).is_some_and(|argument| match &*argument.ty {
        Type::Reference(reference) => is_named(&reference.elem),
        other => is_named(other),
    })
}

fn is_socket_type(ty: &Type) -> bool {
    is_type_named(ty, "Socket")
}

/// Returns whether the last segment of a type's path is a name.
fn is_type_named(ty: &Type, name: &str) -> bool {
    match ty {
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|segment| segment.ident == name)
        }
        _ => false,
    }
}

fn is_any_socket(ty: &Type) -> bool {
    is_socket_type(ty) || referent(ty).is_some_and(is_socket_type)
}

/// Returns the referent of a reference without a named lifetime.
fn referent(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Reference(reference) if reference.lifetime.is_none() => Some(&reference.elem),
        _ => None,
    }
}

fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a str> {
    nearest_or_longer(name, names.iter().map(String::as_str))
}
