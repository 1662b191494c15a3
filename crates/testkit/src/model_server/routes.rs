//! From an HTTP request to an answer, and into the journal.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    Answer, CallUsage, Request, Script, Turn, anthropic, conversation::Conversation,
    journal::Journal, openai, player::Player, reply, speech::Speech,
};

/// Conversations are sent whole every time, with all tool output.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What the handler works with.
pub(super) struct Routes {
    player: Mutex<Player>,
    usage: CallUsage,
    journal: Arc<Journal>,
}

impl Routes {
    pub(super) fn new(script: Script, journal: Arc<Journal>) -> Self {
        let usage = script.usage;
        Self { player: Mutex::new(Player::new(script)), usage, journal }
    }

    fn next_turn(&self, conversation: &Conversation) -> Turn {
        self.player.lock().unwrap_or_else(PoisonError::into_inner).next(conversation)
    }
}

/// One handler for every path: nothing may be asked that the journal does not hold.
pub(super) fn router(routes: Routes) -> Router {
    Router::new()
        .fallback(handle)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(routes))
}

/// What is asked.
enum Asked {
    Greeting,
    Models,
    TokenCount,
    Message(Conversation, Protocol),
    Unknown,
}

/// How it is asked, with what an answer depends on.
enum Protocol {
    Anthropic(anthropic::Tools),
    OpenAi(openai::Tools),
}

async fn handle(
    State(routes): State<Arc<Routes>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parsed: Option<Value> = serde_json::from_slice(&body).ok();
    let asked = understand(&method, uri.path(), parsed.as_ref());
    let answer = match &asked {
        Asked::Message(conversation, _) if conversation.offers_tools => {
            Answer::Turn(routes.next_turn(conversation))
        }
        Asked::Greeting | Asked::Models | Asked::TokenCount | Asked::Message(..) => Answer::Aside,
        Asked::Unknown => Answer::Refused,
    };
    routes.journal.record(Request {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: uri.query().map(str::to_owned),
        credential: credential(&headers),
        body_bytes: body.len(),
        body: parsed,
        answer: answer.clone(),
    });
    respond(asked, answer, routes.usage).await
}

fn understand(method: &Method, path: &str, body: Option<&Value>) -> Asked {
    let message = |read: fn(&Value) -> Option<Asked>| body.and_then(read).unwrap_or(Asked::Unknown);
    match (method, path) {
        (&Method::HEAD | &Method::GET, "/") => Asked::Greeting,
        (&Method::GET, "/v1/models") => Asked::Models,
        (&Method::POST, "/v1/messages/count_tokens") => Asked::TokenCount,
        (&Method::POST, "/v1/messages") => message(|body| {
            let (conversation, tools) = anthropic::read(body)?;
            Some(Asked::Message(conversation, Protocol::Anthropic(tools)))
        }),
        (&Method::POST, "/v1/responses") => message(|body| {
            let (conversation, tools) = openai::read(body)?;
            Some(Asked::Message(conversation, Protocol::OpenAi(tools)))
        }),
        _ => Asked::Unknown,
    }
}

async fn respond(asked: Asked, answer: Answer, usage: CallUsage) -> Response {
    let (conversation, protocol) = match asked {
        Asked::Message(conversation, protocol) => (conversation, protocol),
        Asked::Greeting => return reply::json(StatusCode::OK, &json!({})),
        Asked::Models => return reply::json(StatusCode::OK, &openai::models()),
        Asked::TokenCount => {
            return reply::json(StatusCode::OK, &json!({ "input_tokens": usage.input_tokens }));
        }
        Asked::Unknown => return reply::json(StatusCode::NOT_FOUND, &anthropic::error(404)),
    };
    let turn = match answer {
        Answer::Turn(turn) => turn,
        // Some side requests ask for JSON with a title; those who want prose take this as prose.
        Answer::Aside | Answer::Refused => Turn::say(r#"{"title": "Scripted work"}"#),
    };
    let speak = |speech: Speech| match &protocol {
        Protocol::Anthropic(tools) => anthropic::respond(&conversation, tools, speech, usage),
        Protocol::OpenAi(tools) => openai::respond(&conversation, tools, speech, usage),
    };
    match turn {
        Turn::Hang => std::future::pending().await,
        Turn::Fail { status, retry_after_seconds, body } => {
            let own_body = || match protocol {
                Protocol::Anthropic(_) => anthropic::error(status).to_string(),
                Protocol::OpenAi(_) => openai::error(status).to_string(),
            };
            let status = StatusCode::from_u16(status)
                .expect("a script's failures have a status from 400 to 599");
            reply::failure(status, retry_after_seconds, body.unwrap_or_else(own_body))
        }
        Turn::Shell(command) => speak(Speech::Run(command)),
        Turn::WriteFile { path, content } => speak(Speech::write_file(&path, &content)),
        Turn::Say(text) => speak(Speech::Say(text)),
        Turn::CutStream => speak(Speech::BreakOff),
    }
}

fn credential(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || text(header::AUTHORIZATION).map(|it| it.strip_prefix("Bearer ").unwrap_or(it));
    text(header::HeaderName::from_static("x-api-key")).or_else(bearer).map(str::to_owned)
}
