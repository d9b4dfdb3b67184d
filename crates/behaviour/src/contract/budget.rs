//! Budgets: what may be used in a window.

use super::spec::{BudgetSpec, What};
use crate::event::{Event, Phase};
use crate::window::{Distinct, Window};
use crate::words;

/// What was used of one budget.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Meter {
    Sum(Window),
    Distinct(Distinct),
}

impl BudgetSpec {
    fn span_ms(&self) -> u64 {
        self.within_ms.unwrap_or(Window::SESSION_MS)
    }

    pub(super) fn meter(&self) -> Meter {
        match self.what {
            What::Targets | What::Recipients => Meter::Distinct(Distinct::new(self.span_ms())),
            What::Calls | What::Bytes | What::Rows | What::Money(_) => {
                Meter::Sum(Window::new(self.span_ms()))
            }
        }
    }

    /// What an event adds to a sum. Money of a currency that the budget does not name is endless.
    fn amount(&self, event: &Event) -> u64 {
        match &self.what {
            What::Calls => u64::from(event.phase == Phase::Call),
            What::Bytes => event.usage.bytes,
            What::Rows => event.usage.rows,
            What::Money(currency) => event.usage.spend.as_ref().map_or(0, |spend| {
                if spend.currency == *currency { spend.minor } else { u64::MAX }
            }),
            What::Targets | What::Recipients => 0,
        }
    }

    fn values<'a>(&self, event: &'a Event) -> impl Iterator<Item = &'a String> {
        let values = match self.what {
            What::Targets => Some(&event.usage.targets),
            What::Recipients => Some(&event.usage.recipients),
            What::Calls | What::Bytes | What::Rows | What::Money(_) => None,
        };
        values.into_iter().flatten()
    }

    /// What would be used with this event, when that is more than the budget and it adds to it.
    pub(super) fn excess(&self, meter: &Meter, event: &Event) -> Option<String> {
        if !self.of.matches(event) {
            return None;
        }
        let (adds, used) = match meter {
            Meter::Sum(window) => {
                let amount = self.amount(event);
                (amount > 0, window.total(event.at).saturating_add(amount))
            }
            Meter::Distinct(distinct) => {
                let used = distinct.total_with(event.at, self.values(event));
                let is_new = used == u64::MAX || used > distinct.total(event.at);
                (is_new && self.values(event).next().is_some(), used)
            }
        };
        (adds && used > self.most).then(|| self.words(used))
    }

    pub(super) fn count(&self, meter: &mut Meter, event: &Event) {
        if self.of.matches(event) {
            match meter {
                Meter::Sum(window) => window.add(event.at, self.amount(event)),
                Meter::Distinct(distinct) => distinct.add(event.at, self.values(event)),
            }
        }
    }

    fn words(&self, used: u64) -> String {
        let unit = match &self.what {
            What::Calls => "calls".to_owned(),
            What::Bytes => "bytes".to_owned(),
            What::Rows => "rows".to_owned(),
            What::Targets => "different targets".to_owned(),
            What::Recipients => "different recipients".to_owned(),
            What::Money(currency) => format!("minor units of {}", words::quote(currency)),
        };
        let used = if used == u64::MAX { "too many".to_owned() } else { used.to_string() };
        let span = words::span(self.span_ms());
        format!("{used} {unit} in {span}, {} are allowed", self.most)
    }
}
