//! HTTP and HTTPS to other machines: one way out for every shell.
//!
//! **What it is for.** Pooled connections by plain HTTP and by TLS, the system's own authorities trusted,
//! with a limit on how long connecting may take.
//!
//! **What it never does.** It decides nothing, follows no redirect, and trusts no certificate that the
//! system does not.
//!
//! **Where to start.** [`client`].

use std::time::Duration;

use bytes::Buf;
use hyper::body::Body;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

/// A pool of connections.
pub type Client<B> = legacy::Client<HttpsConnector<HttpConnector>, B>;

/// A client with a pool of its own, which gives up connecting after `connect`.
#[must_use]
pub fn client<B>(connect: Duration) -> Client<B>
where
    B: Body + Send,
    B::Data: Send + Buf,
{
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(connect));
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls())
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(http);
    legacy::Client::builder(TokioExecutor::new()).build(connector)
}

/// What the system trusts. With nothing to trust, every certificate is refused.
fn tls() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate of the system could not be read");
    }
    roots.add_parsable_certificates(found.certs);
    let provider = aws_lc_rs::default_provider();
    let builder = ClientConfig::builder_with_provider(provider.into());
    #[expect(clippy::expect_used, reason = "the provider is compiled in with these versions")]
    let versions = builder.with_safe_default_protocol_versions().expect("versions of TLS");
    versions.with_root_certificates(roots).with_no_client_auth()
}
