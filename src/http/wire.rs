//! One request over the network, one answer back: the only place that knows the HTTP library.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door to the network: bounded, without redirects, with one deadline set by its caller"
)]

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Response};
use secrecy::ExposeSecret;
use tokio::sync::OnceCell;

use super::excerpt::line;
use super::{BODY_LIMIT, Endpoint, Header, HttpError};

/// How long a connection may take; the call's own deadline may be shorter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("meta-orchestrator/", env!("CARGO_PKG_VERSION"));

/// What goes out.
#[derive(Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) to: &'a Endpoint,
    pub(super) headers: &'a [Header],
    /// JSON to POST; without it, a GET.
    pub(super) body: Option<&'a [u8]>,
}

/// What comes back, whatever its status.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

pub(super) type Exchange<'a> =
    Pin<Box<dyn Future<Output = Result<Incoming, HttpError>> + Send + 'a>>;

/// Carries one request; the rules about repeating it are tested without a network.
pub(super) trait Wire: Send + Sync {
    fn exchange<'a>(&'a self, outgoing: Outgoing<'a>) -> Exchange<'a>;
}

/// The network. Its clients are made when they are first needed: reading the system's certificates takes
/// longer than the program's whole start, and who asks a model on this machine never needs them.
#[derive(Default)]
pub(super) struct Internet {
    here: OnceCell<Client>,
    here_encrypted: OnceCell<Client>,
    away: OnceCell<Client>,
    away_encrypted: OnceCell<Client>,
}

impl Wire for Internet {
    fn exchange<'a>(&'a self, outgoing: Outgoing<'a>) -> Exchange<'a> {
        Box::pin(async move {
            let client = self.client(outgoing.to).await?;
            let url = outgoing.to.url();
            let request = match outgoing.body {
                Some(body) => client
                    .post(url)
                    .header(CONTENT_TYPE, "application/json")
                    .body(body.to_vec()),
                None => client.get(url),
            };
            let sent = request.headers(headers(outgoing.headers)?).send().await;
            let response = sent.map_err(|error| HttpError::Unreachable {
                server: outgoing.to.server().to_owned(),
                why: why(&error),
            })?;
            read(response, outgoing.to.server()).await
        })
    }
}

impl Internet {
    async fn client(&self, to: &Endpoint) -> Result<&Client, HttpError> {
        let cell = match (to.is_loopback(), to.is_encrypted()) {
            (true, false) => &self.here,
            (true, true) => &self.here_encrypted,
            (false, false) => &self.away,
            (false, true) => &self.away_encrypted,
        };
        let to = to.clone();
        cell.get_or_try_init(|| async move {
            let built = tokio::task::spawn_blocking(move || builder(&to).build()).await;
            let setup = |why: String| HttpError::Setup { why };
            match built {
                Ok(Ok(client)) => Ok(client),
                Ok(Err(error)) => Err(setup(why(&error))),
                Err(error) => Err(setup(error.to_string())),
            }
        })
        .await
    }
}

fn builder(to: &Endpoint) -> ClientBuilder {
    // An error says that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http2_max_header_list_size(16 * 1024);
    if to.is_loopback() {
        builder = builder.no_proxy();
    }
    if !to.is_encrypted() {
        builder = builder.tls_certs_only([]);
    }
    builder
}

fn headers(from: &[Header]) -> Result<HeaderMap, HttpError> {
    let mut headers = HeaderMap::new();
    for header in from {
        let bad = || HttpError::BadHeader {
            name: line(&header.name, &[]),
        };
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| bad())?;
        let mut value = HeaderValue::from_str(header.value.expose_secret()).map_err(|_| bad())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

async fn read(mut response: Response, server: &str) -> Result<Incoming, HttpError> {
    let status = response.status().as_u16();
    let text = |name| response.headers().get(name)?.to_str().ok();
    let retry_after = text(RETRY_AFTER).and_then(|wait| retry_after(wait, text(DATE), Utc::now()));
    let too_large = || HttpError::TooLarge {
        server: server.to_owned(),
        limit: BODY_LIMIT,
    };
    let announced = response.content_length().unwrap_or_default();
    if announced > BODY_LIMIT as u64 {
        return Err(too_large());
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > BODY_LIMIT => return Err(too_large()),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                return Err(HttpError::BrokenOff {
                    server: server.to_owned(),
                    why: why(&error),
                });
            }
        }
    }
    Ok(Incoming {
        status,
        retry_after,
        body,
    })
}

/// Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date, which is measured from the server's own
/// `Date` where it sent one, since its clock may not be ours.
fn retry_after(wait: &str, date: Option<&str>, now: DateTime<Utc>) -> Option<Duration> {
    let wait = wait.trim();
    if let Ok(seconds) = wait.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let read = |text: &str| DateTime::parse_from_rfc2822(text.trim()).ok();
    let from = date.and_then(read).map_or(now, |date| date.to_utc());
    let until = read(wait)?.to_utc();
    Some((until - from).to_std().unwrap_or_default())
}

/// The deepest cause is the one that a person can act on ("connection refused"); the others name the library.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no connection within {} s", CONNECT_TIMEOUT.as_secs());
    }
    let mut cause: &dyn Error = error;
    let mut said = String::from("the connection failed");
    while let Some(source) = cause.source() {
        said = source.to_string();
        cause = source;
    }
    line(&said, &[])
}

#[cfg(test)]
mod tests;
