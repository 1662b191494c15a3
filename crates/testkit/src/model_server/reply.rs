//! How an answer goes over the wire, whole or cut.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures::{StreamExt, stream};
use serde_json::Value;

/// All of a stream.
pub(super) fn events(events: Vec<Value>) -> Response {
    Sse::new(stream::iter(events).map(|event| Ok::<_, Infallible>(to_event(&event))))
        .into_response()
}

/// The beginning of a stream, then a dropped connection.
pub(super) fn cut_events(events: Vec<Value>) -> Response {
    let beginning = stream::iter(events).map(|event| Ok(to_event(&event)));
    Sse::new(beginning.chain(cut())).into_response()
}

/// A whole JSON document.
pub(super) fn json(status: StatusCode, value: &Value) -> Response {
    with_body(status, Body::from(value.to_string()))
}

/// Half a JSON document, then a dropped connection.
pub(super) fn cut_json(value: &Value) -> Response {
    let text = value.to_string();
    let half = Bytes::from(text.into_bytes()).split_to(10);
    with_body(StatusCode::OK, Body::from_stream(stream::iter([Ok(half)]).chain(cut())))
}

/// An error.
pub(super) fn failure(
    status: StatusCode,
    retry_after_seconds: Option<u32>,
    body: String,
) -> Response {
    let mut response = with_body(status, Body::from(body));
    if let Some(seconds) = retry_after_seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn with_body(status: StatusCode, body: Body) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Both protocols name an event by the type that its data holds.
fn to_event(data: &Value) -> Event {
    Event::default().event(data["type"].as_str().unwrap_or("message")).data(data.to_string())
}

#[derive(Debug, thiserror::Error)]
#[error("the script wants the stream to be cut here")]
struct Cut;

/// Yields first: what was written before has to leave before the connection falls.
fn cut<T>() -> impl futures::Stream<Item = Result<T, Cut>> {
    stream::once(async {
        tokio::task::yield_now().await;
        Err(Cut)
    })
}
