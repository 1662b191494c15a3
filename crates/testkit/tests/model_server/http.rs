//! The smallest HTTP client: one request a connection, and every byte that comes back.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::Value;

/// Sends a request without waiting for what comes back.
pub(crate) fn send(base_url: &str, method: &str, path: &str, body: &str) -> TcpStream {
    let address = base_url.strip_prefix("http://").expect("an http address");
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nx-api-key: fake\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    stream
}

/// What comes back until the connection ends, however it ends.
pub(crate) fn receive(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A dropped connection may show as a reset; what came before counts.
    drop(stream.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends JSON and returns everything that comes back.
pub(crate) fn post(base_url: &str, path: &str, body: &Value) -> String {
    receive(send(base_url, "POST", path, &body.to_string()))
}
