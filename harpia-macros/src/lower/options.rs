//! Reads the options of the attribute: checks their keys and values.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use std::time::Duration;
use syn::{Expr, Lit, LitStr, Type};

use crate::diagnostics::{Diagnostics, Problem};
use crate::parse::{OptionArgument, OptionValue};
use crate::suggest::nearest_or_longer;
use crate::value::{self, TimeFault};

use super::wording::options as wording;

/// The options of one attribute.
pub(super) struct Options {
    pub(super) data: Option<Type>,
    /// The method calls on `Options::new()`.
    pub(super) calls: Vec<TokenStream>,
    pub(super) any_origin: Option<TokenStream>,
    pub(super) broadcasts: bool,
    /// The key `auth_timeout`, if it is set. It needs an `auth` handler.
    pub(super) auth_timeout: Option<Ident>,
}

pub(super) const KEYS: [&str; 20] = [
    "data",
    "broadcast",
    "auth_timeout",
    "max_message",
    "idle_timeout",
    "ping",
    "write_timeout",
    "message_timeout",
    "handler_timeout",
    "backlog",
    "compression",
    "slow",
    "rate",
    "byte_rate",
    "publish_rate",
    "max_topics",
    "max_topic_len",
    "origins",
    "protocols",
    "crate",
];

pub(super) fn lower(arguments: &[OptionArgument], problems: &mut Diagnostics) -> Options {
    let mut options = Options {
        data: None,
        calls: Vec::new(),
        any_origin: None,
        broadcasts: true,
        auth_timeout: None,
    };
    let mut seen: Vec<&Ident> = Vec::new();
    for argument in arguments {
        if seen.contains(&&argument.key) {
            // An unknown key has been reported at its first use.
            if KEYS.iter().any(|known| argument.key == known) {
                let problem = wording::duplicate_option(&argument.key);
                problems.at(argument.key.span(), problem);
            }
            continue;
        }
        seen.push(&argument.key);
        if let Err(problem) = options.set(argument, problems) {
            problems.on(&argument.value, problem);
        }
    }
    options
}

impl Options {
    fn set(
        &mut self,
        argument: &OptionArgument,
        problems: &mut Diagnostics,
    ) -> Result<(), Problem> {
        let OptionArgument { key, value } = argument;
        let name = key.to_string();
        let call = match name.as_str() {
            "data" => {
                self.data = Some(data(value)?);
                return Ok(());
            }
            "crate" => return check_crate(value),
            "broadcast" => self.broadcast(value)?,
            "auth_timeout" => {
                self.auth_timeout = Some(key.clone());
                time(value, &name)?
            }
            "slow" => slow(value)?,
            "compression" => compression(value)?,
            "max_message" | "backlog" | "max_topic_len" => size(value, &name)?,
            "max_topics" => count(value, &name)?,
            "idle_timeout" | "ping" | "write_timeout" | "message_timeout" | "handler_timeout" => {
                duration(value, &name)?
            }
            "rate" => rate(value)?,
            "byte_rate" | "publish_rate" => byte_rate(value, &name)?,
            "origins" => self.origins(value)?,
            "protocols" => protocols(value)?,
            _ => {
                let near = nearest_or_longer(&name, KEYS);
                problems.at(key.span(), wording::unknown_option(&name, near, &KEYS));
                return Ok(());
            }
        };
        self.calls.push(quote_spanned!(key.span()=> .#key(#call)));
        Ok(())
    }

    fn broadcast(&mut self, value: &OptionValue) -> Result<TokenStream, Problem> {
        let scope = match word(value).as_deref() {
            Some("server") => quote!(Server),
            Some("route") => quote!(Route),
            Some("off") => {
                self.broadcasts = false;
                quote!(Off)
            }
            _ => return Err(one_of("broadcast", &["server", "route", "off"], value)),
        };
        Ok(quote!(__harpia::Scope::#scope))
    }

    fn origins(&mut self, value: &OptionValue) -> Result<TokenStream, Problem> {
        if word(value).as_deref() == Some("any") {
            self.any_origin = Some(quote!(#value));
            return Ok(quote!(__harpia::Origins::Any));
        }
        let list = texts(value).ok_or_else(|| {
            let text = text(value).map(LitStr::value);
            wording::origins(text.as_deref().filter(|text| value::is_origin(text)))
        })?;
        match list.iter().find(|text| !value::is_origin(&text.value())) {
            Some(wrong) => Err(wording::origin(&wrong.value())),
            None if list.iter().any(|text| text.value() == "null") => {
                self.any_origin = Some(quote!(#value));
                Ok(quote!(__harpia::Origins::Only(&[#(#list),*])))
            }
            None => Ok(quote!(__harpia::Origins::Only(&[#(#list),*]))),
        }
    }
}

fn data(value: &OptionValue) -> Result<Type, Problem> {
    match value {
        OptionValue::Type(ty) => Ok((**ty).clone()),
        OptionValue::Literal(Lit::Str(text)) => Err(wording::data_is_string(&text.value())),
        _ => Err(wording::data_is_no_type()),
    }
}

fn check_crate(value: &OptionValue) -> Result<(), Problem> {
    match value {
        OptionValue::Path(_) => Ok(()),
        _ => Err(wording::crate_is_no_path()),
    }
}

fn slow(value: &OptionValue) -> Result<TokenStream, Problem> {
    match word(value).as_deref() {
        Some("close") => Ok(quote!(__harpia::Slow::Close)),
        Some("skip") => Ok(quote!(__harpia::Slow::Skip)),
        _ => Err(one_of("slow", &["close", "skip"], value)),
    }
}

fn compression(value: &OptionValue) -> Result<TokenStream, Problem> {
    let from = match word(value).as_deref() {
        Some("off") => return Ok(quote!(::core::option::Option::None)),
        Some("on") => quote!(1024),
        _ => size(value, "compression").map_err(|_| wording::compression())?,
    };
    Ok(quote!(::core::option::Option::Some(#from)))
}

fn size(value: &OptionValue, key: &str) -> Result<TokenStream, Problem> {
    let size = match value {
        OptionValue::Literal(Lit::Str(text)) => value::size(&text.value()),
        OptionValue::Literal(Lit::Int(number)) => value::size(&number.to_string()),
        _ => None,
    };
    size.map(|bytes| quote!(#bytes))
        .ok_or_else(|| wording::size(key, number(value)))
}

fn count(value: &OptionValue, key: &str) -> Result<TokenStream, Problem> {
    let count = match value {
        OptionValue::Literal(Lit::Int(number)) if number.suffix().is_empty() => {
            number.base10_parse::<u32>().ok()
        }
        _ => None,
    };
    let count = count.ok_or_else(|| wording::count(key, number(value)))?;
    let count = proc_macro2::Literal::u32_unsuffixed(count);
    Ok(quote!(#count))
}

fn duration(value: &OptionValue, key: &str) -> Result<TokenStream, Problem> {
    if is_off(value) {
        return Ok(quote!(::core::option::Option::None));
    }
    let duration = time(value, key)?;
    Ok(quote!(::core::option::Option::Some(#duration)))
}

fn time(value: &OptionValue, key: &str) -> Result<TokenStream, Problem> {
    let duration = match value {
        OptionValue::Literal(Lit::Str(text)) => value::duration(&text.value()),
        OptionValue::Literal(Lit::Int(number)) => value::duration(&number.to_string()),
        _ => Err(TimeFault::NoTime),
    };
    duration
        .map(duration_tokens)
        .map_err(|fault| wording::duration(key, &fault))
}

fn rate(value: &OptionValue) -> Result<TokenStream, Problem> {
    if is_off(value) {
        return Ok(quote!(::core::option::Option::None));
    }
    let rate = text(value).and_then(|text| value::rate(&text.value()));
    let (messages, period) = rate.ok_or_else(|| wording::rate(number(value)))?;
    let period = duration_tokens(period);
    Ok(quote!(::core::option::Option::Some(__harpia::Rate::new(#messages, #period))))
}

fn byte_rate(value: &OptionValue, key: &str) -> Result<TokenStream, Problem> {
    if is_off(value) {
        return Ok(quote!(::core::option::Option::None));
    }
    let bytes = text(value).and_then(|text| value::byte_rate(&text.value()));
    let bytes = bytes.ok_or_else(|| wording::byte_rate(key, number(value)))?;
    Ok(quote!(::core::option::Option::Some(#bytes)))
}

fn duration_tokens(duration: Duration) -> TokenStream {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_millis(#milliseconds))
}

fn protocols(value: &OptionValue) -> Result<TokenStream, Problem> {
    let list = texts(value).ok_or_else(wording::protocols)?;
    for (at, name) in list.iter().enumerate() {
        if !value::is_token(&name.value()) {
            return Err(wording::protocol(&name.value()));
        }
        if list[..at].iter().any(|known| known.value() == name.value()) {
            return Err(wording::protocol_twice(&name.value()));
        }
    }
    Ok(quote!(&[#(#list),*]))
}

fn one_of(key: &str, words: &[&'static str], value: &OptionValue) -> Problem {
    let written = word(value).or_else(|| text(value).map(LitStr::value));
    let near = written.and_then(|written| nearest_or_longer(&written, words.iter().copied()));
    wording::one_of(key, words, near)
}

/// Returns the number at the start of a value.
fn number(value: &OptionValue) -> Option<u64> {
    match value {
        OptionValue::Literal(Lit::Str(text)) => value::number(&text.value()),
        OptionValue::Literal(Lit::Int(number)) => value::number(number.base10_digits()),
        _ => None,
    }
}

fn is_off(value: &OptionValue) -> bool {
    word(value).as_deref() == Some("off")
}

/// Returns a value that is a single word, such as `server`.
fn word(value: &OptionValue) -> Option<String> {
    match value {
        OptionValue::Expr(expr) => match &**expr {
            Expr::Path(path) => path.path.get_ident().map(Ident::to_string),
            _ => None,
        },
        _ => None,
    }
}

fn text(value: &OptionValue) -> Option<&LitStr> {
    match value {
        OptionValue::Literal(Lit::Str(text)) => Some(text),
        _ => None,
    }
}

/// Returns a value that is a nonempty list of string literals.
fn texts(value: &OptionValue) -> Option<Vec<&LitStr>> {
    let OptionValue::Expr(expr) = value else {
        return None;
    };
    let Expr::Array(array) = &**expr else {
        return None;
    };
    let texts: Option<Vec<&LitStr>> = array.elems.iter().map(literal_text).collect();
    texts.filter(|texts| !texts.is_empty())
}

fn literal_text(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(syn::ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        _ => None,
    }
}
