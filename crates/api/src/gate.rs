//! What the listener admits at a time, request ids, and time-outs without a clock.

use crate::{ApiError, Code, Service, limits::Limits, limits::REQUEST_ID_CHARS_MAX};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use futures::future::{Either, select};
use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Header that carries the request id in both directions.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What every handler works with.
#[derive(Clone)]
pub(crate) struct Context<S> {
    pub(crate) service: S,
    pub(crate) limits: Limits,
    pub(crate) gate: Arc<Gate>,
}

/// Counters of what runs.
pub(crate) struct Gate {
    pub(crate) reads: Arc<Counter>,
    pub(crate) submissions: Arc<Counter>,
    pub(crate) batches: Arc<Counter>,
    pub(crate) streams: Arc<Counter>,
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            reads: Counter::new(limits.reads_max),
            submissions: Counter::new(limits.submissions_max),
            batches: Counter::new(limits.batches_max),
            streams: Counter::new(limits.streams_max),
        })
    }
}

/// A bound on how many of a kind run at a time.
pub(crate) struct Counter {
    used: AtomicUsize,
    max: usize,
}

impl Counter {
    fn new(max: usize) -> Arc<Self> {
        let used = AtomicUsize::new(0);
        Arc::new(Self { used, max })
    }

    /// A place, or the answer `busy`.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Slot, ApiError> {
        if self.used.fetch_add(1, Ordering::AcqRel) >= self.max {
            self.used.fetch_sub(1, Ordering::AcqRel);
            return Err(Code::Busy.into());
        }
        Ok(Slot(self.clone()))
    }
}

/// A place that is given back when dropped.
pub(crate) struct Slot(Arc<Counter>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.used.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Number of the request.
#[derive(Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// The outermost layer: gives each request its id and writes the bodies of errors.
pub(crate) async fn identify<S: Service>(
    State(context): State<Context<S>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = brought_id(request.headers()).unwrap_or_else(|| context.service.request_id());
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        response = error.render(&id);
    }
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    response
}

/// The caller's own request id, if it is short and plain enough for logs and headers.
fn brought_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(&REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let fits = (1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(plain);
    fits.then(|| id.to_string())
}

/// The layer of everything that only reads: bounded in number and in time.
pub(crate) async fn bounded<S: Service>(
    State(context): State<Context<S>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let _slot = context.gate.reads.enter()?;
    within(&context.service, context.limits.request_timeout, next.run(request)).await
}

/// Runs `future` for at most `duration`.
pub(crate) async fn within<S: Service, T>(
    service: &S,
    duration: Duration,
    future: impl Future<Output = T>,
) -> Result<T, ApiError> {
    match select(pin!(future), pin!(service.pause(duration))).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(_) => Err(Code::RequestTimeout.into()),
    }
}
