//! The gateway between real connections: a client, and a provider that plays what the test puts down.

mod apis;
mod broken;
mod calls;
mod client;
mod credentials;
mod errors;
mod gone;
mod holds;
mod packed;
mod passing;
mod provider;
mod records;
mod redirects;
mod ways;
mod windows;
