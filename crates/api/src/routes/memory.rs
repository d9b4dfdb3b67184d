//! Routes about what agents remember.

use std::sync::Arc;

use pathwarden_types::Digest;
use pathwarden_wire::{MemoryRow, MemoryShown, RuleMemory, RuledMemory};

use super::{Route, blocking};
use crate::exchange::Allowed::{Operators, Readers};

/// What people do and see.
pub(super) fn watching() -> Vec<Route> {
    vec![
        Route::get::<Vec<MemoryRow>, _>(
            "/v1/memory",
            Readers,
            "Every entry of agents' memory that is known",
            |e| async move { blocking(move || e.warden.memory()).await },
        ),
        Route::get::<MemoryShown, _>(
            "/v1/memory/{entry}",
            Readers,
            "An entry with its versions, what was made from it, and what was decided after it was read",
            |e| async {
                let (e, entry) = e.parameter::<Digest>().await?;
                blocking(move || e.warden.memory_shown(entry)).await
            },
        ),
        Route::post::<RuleMemory, RuledMemory, _>(
            "/v1/memory/rulings",
            Operators,
            "Quarantine, release or roll back an entry",
            |e| async {
                let warden = Arc::clone(&e.warden);
                warden.rule_memory(e.body().await?).await
            },
        ),
    ]
}
