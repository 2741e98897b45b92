//! Expands the method of `Route` for one handler. This method reads the arguments, calls the user's
//! method, and converts the return value to the trait's result. A token that is about a word of the
//! user's code has the span of that word, so that rustc reports errors there.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Index, Type};

use crate::model::{Argument, By, Handler, Kind, Route};

pub(super) fn expand(handler: &Handler, route: &Route) -> TokenStream {
    let Handler { cfgs, name, .. } = handler;
    let span = name.span().resolved_at(Span::call_site());
    let subject = match handler.kind {
        Kind::Connect => quote!(__handshake: &__harpia::extract::Handshake),
        _ => quote!(__socket: &mut __harpia::Socket<Self::Data>),
    };
    let extra = extra_arguments(handler.kind);
    let output = match handler.kind {
        Kind::Connect => quote!(Self::Data),
        Kind::Message => quote!(__harpia::Broadcast),
        _ => quote!(()),
    };
    let output = quote!(::core::result::Result<#output, __harpia::BoxError>);
    let body = body(handler, route);
    let method = Ident::new(handler.kind.name(), span);
    let future = quote_spanned! {span=>
        impl ::core::future::Future<Output = #output> + ::core::marker::Send
    };
    let block = quote_spanned!(span=> async move { #body });
    quote! {
        #(#cfgs)*
        fn #method(
            &self,
            #subject,
            __parameters: &Self::Parameters,
            #extra
        ) -> #future {
            #block
        }
    }
}

/// Returns the arguments of the method of `Route`, without the socket or handshake and without the
/// path parameters.
fn extra_arguments(kind: Kind) -> TokenStream {
    match kind {
        Kind::Connect | Kind::Open | Kind::Drain => quote!(),
        Kind::Auth | Kind::Message => quote!(__message: __harpia::Message,),
        Kind::Close => quote!(__code: __harpia::CloseCode, __reason: &str,),
        Kind::Error => quote!(__error: &__harpia::Error,),
    }
}

fn body(handler: &Handler, route: &Route) -> TokenStream {
    let span = handler.name.span().resolved_at(Span::call_site());
    let name = &handler.name;
    let self_type = &route.self_type;
    let mut lets = unused(handler.kind);
    let mut arguments = TokenStream::new();
    for (at, argument) in handler.arguments.iter().enumerate() {
        let variable = format_ident!("__argument_{at}");
        let (line, value) = read(argument, &variable, &route.data);
        lets.extend(line);
        arguments.extend(quote!(#value,));
    }
    let wait = handler.is_async.then(|| quote_spanned!(span=> .await));
    let call = quote_spanned!(span=> <#self_type>::#name(&self.0, #arguments) #wait);
    let result = result(handler, route);
    quote! {
        #lets
        let __output = #call;
        #result
    }
}

/// Returns code that uses all arguments. An argument that the user's method does not take would
/// otherwise cause a warning.
fn unused(kind: Kind) -> TokenStream {
    let rest = match kind {
        Kind::Connect => return quote!(let _ = (__handshake, __parameters);),
        Kind::Open | Kind::Drain => quote!(),
        Kind::Auth | Kind::Message => quote!(let _ = &__message;),
        Kind::Close => quote!(let _ = (&__code, __reason);),
        Kind::Error => quote!(let _ = __error;),
    };
    quote!(let _ = (&__socket, __parameters); #rest)
}

/// Returns the statement that prepares an argument, and the expression that is passed to the user's
/// method.
fn read(argument: &Argument, variable: &Ident, data: &Type) -> (TokenStream, TokenStream) {
    match argument {
        Argument::Socket(ty) => {
            let socket = quote_spanned! {ty.span()=>
                __harpia::__private::Lend::<#ty, #data>::lend(__socket)
            };
            (quote!(let #variable = #socket;), quote!(#variable))
        }
        Argument::Parameter { index, by, ty } => {
            let index = Index::from(*index);
            let value = match by {
                By::Reference => quote!(&__parameters.#index),
                By::Value => quote_spanned! {ty.span()=>
                    __harpia::__private::Cloned::<#ty>::of(&__parameters.#index)
                },
            };
            (quote!(), value)
        }
        Argument::Message(ty) => {
            let message = quote_spanned! {ty.span()=>
                <#ty as __harpia::FromMessage>::from_message(__message)
            };
            (quote!(let #variable = #message?;), quote!(#variable))
        }
        Argument::MessageOrSocket(ty) => {
            let message = quote_spanned! {ty.span()=>
                <#ty as __harpia::route::MessageArgument>::from_argument(__message)
            };
            (quote!(let #variable = #message?;), quote!(#variable))
        }
        Argument::Request(ty) => {
            let request = quote!(&__harpia::extract::Handshake);
            (quote!(), fixed(ty, &request, "__handshake"))
        }
        Argument::Code(ty) => (quote!(), fixed(ty, &quote!(__harpia::CloseCode), "__code")),
        Argument::Reason(ty) => (quote!(), fixed(ty, &quote!(&str), "__reason")),
        Argument::Error(ty) => (quote!(), fixed(ty, &quote!(&__harpia::Error), "__error")),
    }
}

/// Returns the code that passes an argument whose type is fixed by the trait. rustc reports any
/// other type where the user wrote it.
fn fixed(ty: &Type, wanted: &TokenStream, value: &str) -> TokenStream {
    let value = Ident::new(value, Span::call_site());
    quote_spanned! {ty.span()=>
        <#ty as __harpia::route::HandlerArgument<#wanted>>::from_argument(#value)
    }
}

/// Returns the call that converts the handler's return value to the trait's result.
fn result(handler: &Handler, route: &Route) -> TokenStream {
    let span = handler
        .output
        .as_ref()
        .map_or(handler.name.span(), Spanned::span);
    if handler.kind == Kind::Message && route.broadcasts {
        return quote_spanned!(span=> __harpia::MessageOutput::into_broadcast(__output));
    }
    if handler.kind == Kind::Connect {
        let data = &route.data;
        return quote_spanned! {span=>
            <_ as __harpia::ConnectOutput<#data>>::into_data(__output)
        };
    }
    let output = match handler.kind {
        Kind::Auth => quote!(AuthOutput),
        _ => quote!(HandlerOutput),
    };
    let result = quote_spanned!(span=> __harpia::#output::into_result(__output));
    match handler.kind {
        Kind::Message => quote!(#result.map(|()| __harpia::Broadcast::Skip)),
        _ => result,
    }
}
