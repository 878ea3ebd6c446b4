//! Parts of requests: paths, queries, bodies.

use crate::{
    ApiError, Code, PageRequest, Service, ServiceChain,
    limits::{CURSOR_CHARS_MAX, NAME_CHARS_MAX, PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX},
};
use axum::{
    body::{Body, HttpBody},
    extract::{FromRequestParts, Path as AxumPath, Query as AxumQuery},
    http::request::Parts,
};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use serde::{Deserialize, de::DeserializeOwned};
use std::{fmt, str::FromStr};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::Type},
};

/// Parameters of the path; a wrong one is `bad_parameter`.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = AxumPath::<T>::from_request_parts(parts, state).await;
        path.map(|AxumPath(path)| Self(path))
            .map_err(|error| ApiError::detailed(Code::BadParameter, error.body_text()))
    }
}

/// Parameters of the query; a wrong or unknown one is `bad_parameter`.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = AxumQuery::<T>::from_request_parts(parts, state).await;
        query
            .map(|AxumQuery(query)| Self(query))
            .map_err(|error| ApiError::detailed(Code::BadParameter, error.body_text()))
    }
}

/// Parses a text of the path or query.
pub(crate) fn parse<T: FromStr>(field: &str, text: &str) -> Result<T, ApiError>
where
    T::Err: fmt::Display,
{
    text.parse()
        .map_err(|error| ApiError::detailed(Code::BadParameter, format_args!("{field}: {error}")))
}

/// A name of the path or query, bounded.
pub(crate) fn name<'a>(field: &str, text: &'a str) -> Result<&'a str, ApiError> {
    let fits = !text.is_empty() && text.chars().count() <= NAME_CHARS_MAX;
    fits.then_some(text).ok_or_else(|| {
        let detail = format_args!("{field}: 1..={NAME_CHARS_MAX}").to_string();
        ApiError::detailed(Code::BadParameter, detail)
    })
}

/// The chain that the path names.
pub(crate) fn chain<S: Service>(service: &S, text: &str) -> Result<ServiceChain<S>, ApiError> {
    let chain = parse("chain", name("chain", text)?)?;
    service.chain(&chain).ok_or_else(|| Code::UnknownChain.into())
}

/// Path of an operation on a chain.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ChainPath {
    /// Name or genesis digest of the chain, or `default` for the node's first one.
    #[param(example = "default")]
    pub(crate) chain: String,
}

/// Which page of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// `next` of the page before; the first page when absent.
    #[param(max_length = 256)]
    pub(crate) cursor: Option<String>,
    /// Most items, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<usize>,
}

impl PageQuery {
    /// The page that is asked for.
    pub(crate) fn page(self) -> Result<PageRequest, ApiError> {
        page(self.cursor, self.limit)
    }
}

/// Checks cursor and number of items.
pub(crate) fn page(cursor: Option<String>, limit: Option<usize>) -> Result<PageRequest, ApiError> {
    let long = |cursor: &String| cursor.chars().count() > CURSOR_CHARS_MAX;
    if cursor.as_ref().is_some_and(long) {
        return Err(Code::BadCursor.into());
    }
    let limit = items(limit)?;
    Ok(PageRequest { cursor, limit })
}

/// Checks a number of items.
pub(crate) fn items(limit: Option<usize>) -> Result<usize, ApiError> {
    match limit.unwrap_or(PAGE_ITEMS_DEFAULT) {
        limit @ 1..=PAGE_ITEMS_MAX => Ok(limit),
        _ => Err(ApiError::detailed(
            Code::BadParameter,
            format_args!("limit: 1..={PAGE_ITEMS_MAX}"),
        )),
    }
}

/// Reads a body of at most `limit` bytes. One that says it is longer is not read at all.
pub(crate) async fn read_body(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::detailed(Code::BodyTooLarge, format_args!("{limit} bytes"));
    let announced = body.size_hint();
    if announced.lower() > limit as u64 {
        return Err(too_large());
    }
    let mut stream = body.into_data_stream();
    let unreadable = |error: axum::Error| ApiError::detailed(Code::BodyUnreadable, error);
    let first = stream.try_next().await.map_err(unreadable)?.unwrap_or_default();
    // A small body is one frame: no copy.
    let Some(second) = stream.try_next().await.map_err(unreadable)? else {
        return if first.len() > limit {
            Err(too_large())
        } else {
            Ok(first)
        };
    };
    let mut out = BytesMut::with_capacity((announced.lower() as usize).min(limit));
    let mut next = Some(second);
    out.extend_from_slice(&first);
    while let Some(frame) = next {
        if out.len() + frame.len() > limit {
            return Err(too_large());
        }
        out.extend_from_slice(&frame);
        next = stream.try_next().await.map_err(unreadable)?;
    }
    Ok(out.freeze())
}

/// Bytes in a body, as the document describes them.
pub(crate) struct Binary;

impl PartialSchema for Binary {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        RefOr::T(Schema::Object(object.build()))
    }
}

impl ToSchema for Binary {}
