//! Routes about what servers offer, and about what was found out of order.

use std::sync::Arc;

use pathwarden_types::Digest;
use pathwarden_wire::{
    AwaitChange, Catalogue, FindingRow, Found, Pdp, PinRow, PinShown, Pins, RulePin, SwitchTool,
    Withheld,
};

use super::{Route, blocking};
use crate::exchange::Allowed::{Agents, Operators, Readers};

/// What an agent's token can do.
pub(super) fn acting() -> Vec<Route> {
    vec![
        Route::post::<Catalogue, Withheld, _>(
            "/v1/catalogues",
            Agents,
            "Record what a server offers; what of it is not to be shown",
            |e| async {
                let (warden, door) = (Arc::clone(&e.warden), e.warden.door(e.caller()?));
                let catalogue: Catalogue = e.body().await?;
                warden.may_report(&catalogue.server)?;
                door.catalogue(catalogue).await
            },
        ),
        Route::post::<Found, (), _>("/v1/findings/new", Agents, "Record a finding", |e| async {
            let door = e.warden.door(e.caller()?);
            door.found(e.body().await?).await
        }),
        Route::post::<AwaitChange, u64, _>(
            "/v1/changes",
            Agents,
            "Wait until what agents may see has changed",
            |e| async {
                let door = e.warden.door(e.caller()?);
                let wait: AwaitChange = e.body().await?;
                door.changes(wait.since, wait.up_to_ms).await
            },
        ),
    ]
}

/// What people do and see.
pub(super) fn watching() -> Vec<Route> {
    vec![
        Route::get::<Vec<FindingRow>, _>(
            "/v1/findings",
            Readers,
            "What was out of order, latest last",
            |e| async move { e.warden.findings() },
        ),
        Route::get::<Pins, _>(
            "/v1/pins",
            Readers,
            "What servers offer, and what is switched off",
            |e| async move { e.warden.pins() },
        ),
        Route::get::<PinShown, _>(
            "/v1/pins/{item}",
            Readers,
            "An item with the forms that a person compares",
            |e| async {
                let (e, item) = e.parameter::<Digest>().await?;
                blocking(move || e.warden.pin_shown(item)).await
            },
        ),
        Route::post::<RulePin, PinRow, _>(
            "/v1/rulings",
            Operators,
            "Accept or revoke the form of an item that was shown",
            |e| async {
                let warden = Arc::clone(&e.warden);
                warden.rule_pin(e.body().await?).await
            },
        ),
        Route::post::<SwitchTool, Pins, _>(
            "/v1/tools/switch",
            Operators,
            "Switch a tool off or on",
            |e| async {
                let warden = Arc::clone(&e.warden);
                warden.switch_tool(e.body().await?).await
            },
        ),
    ]
}
