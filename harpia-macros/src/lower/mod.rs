//! Gives the syntax its meaning: turns a [`Source`] into a valid [`Route`], or reports every
//! problem.

mod arguments;
mod handler;
mod near_miss;
mod options;
mod parameters;
mod wording;

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Expr, GenericArgument, Lit, LitStr, PathArguments, PathSegment, Type};

use crate::diagnostics::Diagnostics;
use crate::model::{Argument, Handler, Kind, NearMiss, Route};
use crate::names;
use crate::parse::{Arguments, Block, Item, Source};
use crate::path;

use parameters::UsedParameters;

/// Returns a route unless there is a problem. Either the problem is reported here, or rustc is
/// certain to report it.
pub(crate) fn route(source: &Source, problems: &mut Diagnostics) -> Option<Route> {
    let path = source
        .arguments
        .as_ref()
        .and_then(|arguments| route_path(arguments, source, problems));
    let options = source
        .arguments
        .as_ref()
        .map(|arguments| options::lower(&arguments.options, problems));
    let block = block(source, problems)?;
    let mut seen = UsedParameters::default();
    let mut handlers = Vec::new();
    for method in &block.methods {
        let context = handler::Context {
            names: path.as_ref().map(|(_, names)| names.as_slice()),
            seen: &mut seen,
        };
        handlers.extend(handler::lower(method, context, problems));
    }
    let data = options.as_ref().and_then(|options| options.data.clone());
    let data = data
        .or_else(|| socket_data_type(&handlers))
        .or_else(|| connect_data_type(&handlers));
    let auth_timeout = options.as_ref().map(|options| &options.auth_timeout);
    if let Some(key) = auth_timeout.and_then(Option::as_ref) {
        check_auth(key, block, data.as_ref(), problems);
    }
    check_repeated(block, problems);
    let near_misses = near_miss::find(block);
    check_has_handlers(block, &near_misses, problems);
    let is_tied = !block
        .generics
        .params
        .iter()
        .any(|one| block.is_unconstrained(one));
    let ((path, _), options) = (path?, options?);
    let route = Route {
        path,
        generics: block.generics.clone(),
        self_type: block.self_type.clone(),
        data: data.unwrap_or_else(|| syn::parse_quote!(())),
        options: options.calls,
        any_origin: options.any_origin,
        broadcasts: options.broadcasts,
        parameters: seen.parameters,
        handlers,
        near_misses,
        macro_call: block.macros.first().cloned(),
    };
    (is_tied && problems.is_empty()).then_some(route)
}

fn route_path(
    arguments: &Arguments,
    source: &Source,
    problems: &mut Diagnostics,
) -> Option<(LitStr, Vec<String>)> {
    let mut bare = arguments.bare.iter();
    let Some(first) = bare.next() else {
        problems.at(arguments.span, wording::missing_path(type_name(source)));
        return None;
    };
    for second in bare {
        problems.on(second, wording::second_path(second));
    }
    let Expr::Lit(syn::ExprLit {
        lit: Lit::Str(path),
        ..
    }) = ungrouped(first)
    else {
        problems.on(first, wording::path_not_literal());
        return None;
    };
    let mut reserved = names::ARGUMENT_NAMES.to_vec();
    if has_connect(source) {
        reserved.push(names::REQUEST);
    }
    match path::parse(&path.value(), &reserved) {
        Ok(parameters) => Some((path.clone(), parameters)),
        Err(fault) => {
            problems.at(path.span(), wording::path_fault(&path.value(), &fault));
            None
        }
    }
}

fn has_connect(source: &Source) -> bool {
    match &source.item {
        Some(Item::Impl(block)) => handler::is_in(block, Kind::Connect),
        _ => false,
    }
}

/// Returns the name of the block's type.
fn type_name(source: &Source) -> Option<&Ident> {
    match source.item.as_ref()? {
        Item::Impl(block) => match &block.self_type {
            Type::Path(path) => Some(&path.path.segments.last()?.ident),
            _ => None,
        },
        Item::Other { name, .. } => name.as_ref(),
    }
}

/// Unwraps the invisible groups around types that a `macro_rules!` macro has passed on.
fn ungrouped(mut expr: &Expr) -> &Expr {
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    expr
}

fn block<'a>(source: &'a Source, problems: &mut Diagnostics) -> Option<&'a Block> {
    match source.item.as_ref()? {
        Item::Other { keyword, name } => {
            problems.at(*keyword, wording::not_an_impl(name.as_ref()));
            None
        }
        Item::Impl(block) => {
            if let Some(of_trait) = &block.of_trait {
                problems.on(of_trait, wording::trait_impl(of_trait));
                return None;
            }
            let is_second = |attribute: &&syn::Attribute| {
                let last = attribute.path().segments.last();
                last.is_some_and(|segment| segment.ident == "ws_route")
            };
            if let Some(second) = block.attributes.iter().find(is_second) {
                problems.on(second, wording::two_routes(&block.self_type));
                return None;
            }
            Some(block)
        }
    }
}

/// Reports a block without any handler, unless another mistake has been reported.
fn check_has_handlers(block: &Block, near_misses: &[NearMiss], problems: &mut Diagnostics) {
    let mut names = block.methods.iter().map(|method| &method.signature.ident);
    if names.any(|name| Kind::of(name).is_some()) || !problems.is_empty() {
        return;
    }
    match near_misses.first() {
        Some(near) => problems.at(near.name.span(), wording::misnamed(&block.self_type, near)),
        None => problems.on(&block.self_type, wording::no_handlers(&block.self_type)),
    }
}

/// Reports `auth_timeout` without `auth`. Such a route would look authenticated, but would let
/// everybody in.
fn check_auth(key: &Ident, block: &Block, data: Option<&Type>, problems: &mut Diagnostics) {
    if !handler::is_in(block, Kind::Auth) {
        problems.at(key.span(), wording::auth_timeout(data));
    }
}

/// Reports two handlers of the same name. Without this, rustc would report an error at each use of
/// the name.
fn check_repeated(block: &Block, problems: &mut Diagnostics) {
    for name in block.repeated().filter(|name| Kind::of(name).is_some()) {
        problems.at(
            name.span(),
            wording::handler::defined_twice(&name.unraw().to_string()),
        );
    }
}

/// Returns the `D` of the first handler that names `Socket<D>`. Handlers without a `#[cfg]` are
/// searched first.
fn socket_data_type(handlers: &[Handler]) -> Option<Type> {
    let named_by = |is_conditional: bool| {
        let handlers = handlers.iter();
        let mut arguments = handlers
            .filter(move |handler| handler.cfgs.is_empty() != is_conditional)
            .flat_map(|handler| &handler.arguments);
        arguments.find_map(socket_data)
    };
    named_by(false).or_else(|| named_by(true))
}

/// Returns the `D` of an argument `&mut Socket<D>`.
fn socket_data(argument: &Argument) -> Option<Type> {
    let Argument::Socket(Type::Path(path)) = argument else {
        return None;
    };
    first_generic(path.path.segments.last()?)
}

/// Returns the `D` of a `connect` handler that returns `HandlerResult<D>` or `Result<D, E>`.
fn connect_data_type(handlers: &[Handler]) -> Option<Type> {
    let connect = handlers.iter().find(|one| one.kind == Kind::Connect)?;
    let Type::Path(output) = connect.output.as_ref()? else {
        return None;
    };
    let last = output.path.segments.last()?;
    let is_result = last.ident == "HandlerResult" || last.ident == "Result";
    is_result.then(|| first_generic(last)).flatten()
}

fn first_generic(segment: &PathSegment) -> Option<Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(generics) => match generics.args.first()? {
            GenericArgument::Type(ty) => Some(ty.clone()),
            _ => None,
        },
        _ => None,
    }
}
