//! The policy that decides: loading another, and how it stands.

use std::sync::Arc;

use pathwarden_decide::Snapshot;
use pathwarden_store::Append;
use pathwarden_types::Event;
use pathwarden_wire::{Fault, FaultKind, PolicyStatus, RuleRow};

use crate::{Warden, internal, knowledge};

impl Warden {
    /// Loads the policy anew, with everything beside it. One that does not load changes nothing but
    /// the status.
    ///
    /// # Errors
    ///
    /// A fault that says why the policy that decides is still the old one.
    pub async fn reload_policy(&self) -> Result<PolicyStatus, Fault> {
        self.reload_with(|_| (self.load_policy)()).await
    }

    /// Loads a policy that is made in view of the one that decides. One that does not load changes
    /// nothing but the status.
    ///
    /// # Errors
    ///
    /// As [`reload_policy`](Self::reload_policy).
    pub async fn reload_with(
        &self,
        load: impl FnOnce(&Snapshot) -> Result<Snapshot, String>,
    ) -> Result<PolicyStatus, Fault> {
        let _one_at_a_time = self.reloading.lock().await;
        let loaded = load(&self.snapshot.load_full());
        let taken = self.take_policy(loaded).await;
        // Only now: a status that speaks of no refusal speaks of the policy that was loaded.
        *self.refused_reload.lock().map_err(|_| internal())? =
            taken.as_ref().err().map(|(why, _)| why.clone());
        taken.map_err(|(_, fault)| fault)?;
        self.policy()
    }

    /// Lets a policy decide; otherwise says why not, and gives the fault.
    async fn take_policy(&self, loaded: Result<Snapshot, String>) -> Result<(), (String, Fault)> {
        let snapshot = loaded.map_err(|why| {
            tracing::error!(why, "the policy is not loaded; the one before still decides");
            let message = format!("the policy is not loaded: {why}");
            let advice = "mend it; the one before still decides";
            (why, Fault::new(FaultKind::Conflict, message, advice))
        })?;
        if snapshot.version() == self.snapshot.load().version() {
            return Ok(());
        }
        let told = |fault: Fault| (fault.message.clone(), fault);
        let event = Event::PolicyLoaded { policy: snapshot.version() };
        let record = self.record(self.now(), None, event);
        let entry = record.to_bytes().map_err(|_| told(internal()))?;
        let payloads = vec![snapshot.to_bytes().to_vec()];
        self.append(Append { entry, payloads }).await.map_err(told)?;
        tracing::info!(version = %snapshot.version(), "a new policy decides");
        self.snapshot.store(Arc::new(snapshot));
        self.restraint.announce();
        Ok(())
    }

    /// The policy that decides, and what stands beside it.
    ///
    /// # Errors
    ///
    /// A fault when a lock is broken.
    pub fn policy(&self) -> Result<PolicyStatus, Fault> {
        let snapshot = self.snapshot.load();
        let rules = snapshot.bundle().rules().iter().map(|place| RuleRow {
            rule: place.rule.clone(),
            file: place.file.clone(),
            line: place.line,
        });
        Ok(PolicyStatus {
            version: snapshot.version(),
            rules: rules.collect(),
            knowledge: knowledge::knowledge(&snapshot),
            refused_reload: self.refused_reload.lock().map_err(|_| internal())?.clone(),
        })
    }
}
