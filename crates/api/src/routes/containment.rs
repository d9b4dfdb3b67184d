//! Routes about what is taken from live agents.

use std::sync::Arc;

use pathwarden_wire::{AwaitOrders, Contain, Containments, Orders, PointPdp, Release};

use super::Route;
use crate::exchange::Allowed::{Agents, Operators, Readers};

/// Taking, giving back, and carrying out.
pub(super) fn containing() -> Vec<Route> {
    vec![
        Route::post::<AwaitOrders, Orders, _>(
            "/v1/points/orders",
            Agents,
            "Say how an enforcement point stands, and wait for what it must apply",
            |e| async {
                let door = e.warden.door(e.caller()?);
                door.orders(e.body().await?).await
            },
        ),
        Route::get::<Containments, _>(
            "/v1/containments",
            Readers,
            "What is taken from whom, and which enforcement points have applied it",
            |e| async move { e.warden.containments() },
        ),
        Route::post::<Contain, Containments, _>(
            "/v1/containments",
            Operators,
            "Take something from a session, an agent or a tool server",
            |e| async {
                let warden = Arc::clone(&e.warden);
                warden.contain(e.body().await?).await
            },
        ),
        Route::post::<Release, Containments, _>(
            "/v1/containments/release",
            Operators,
            "Give something back before its time",
            |e| async {
                let warden = Arc::clone(&e.warden);
                warden.release(e.body().await?).await
            },
        ),
    ]
}
