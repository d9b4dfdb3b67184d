//! The section `risk`: how signals add up, where the operator says otherwise.

use pathwarden_decide::RiskSettings;
use pathwarden_types::{Ratio, SignalKind};

use crate::Config;
use crate::section::Section;

/// The signals that are weighed, as the file spells them: the same words as in records and policies.
const SIGNALS: [(&str, SignalKind); 10] = [
    ("identity", SignalKind::Identity),
    ("permissions", SignalKind::Permissions),
    ("prompt_context", SignalKind::PromptContext),
    ("tool", SignalKind::Tool),
    ("destination", SignalKind::Destination),
    ("behaviour", SignalKind::Behaviour),
    ("data_classification", SignalKind::DataClassification),
    ("threat_intelligence", SignalKind::ThreatIntelligence),
    ("approval_history", SignalKind::ApprovalHistory),
    ("confidence", SignalKind::Confidence),
];

/// Weights and bands are written in percent.
const PERCENT_MAX: u64 = 100;

pub(crate) fn read(risk: &mut Section<'_>, config: &mut Config) {
    let shipped = RiskSettings::default();
    let bands = read_bands(risk).unwrap_or(shipped.bands);
    let weights = risk.section("weights", |weights| {
        SIGNALS
            .into_iter()
            .filter_map(|(name, kind)| Some((kind, name, read_weight(weights, name)?)))
            .collect::<Vec<_>>()
    });
    for (_, name, weight) in &weights {
        if *weight == Ratio::ZERO {
            let words = format!("risk.weights.{name}: this signal counts for nothing");
            config.dangers.push(words);
        }
    }
    if bands.iter().zip(shipped.bands).any(|(band, shipped)| *band > shipped) {
        let words = "risk.bands: more risk is let through than the shipped bands let through";
        config.dangers.push(words.to_owned());
    }
    let weights = weights.into_iter().map(|(kind, _, weight)| (kind, weight)).collect();
    config.settings.risk = RiskSettings { weights, bands };
}

fn read_weight(weights: &mut Section<'_>, name: &str) -> Option<Ratio> {
    weights.optional_integer(name, 0..=PERCENT_MAX).map(percent)
}

/// Where the bands begin; a fault where they do not rise.
fn read_bands(risk: &mut Section<'_>) -> Option<[Ratio; 4]> {
    const ADVICE: &str = "give where guarded, elevated, high and severe begin: four whole numbers \
        from 1 to 100, each greater than the one before";
    let found = risk.integers("bands")?;
    let rising = found.windows(2).all(|pair| matches!(pair, [low, high] if low < high));
    let in_range = found.iter().all(|band| (1..=PERCENT_MAX).contains(band));
    match <[u64; 4]>::try_from(found) {
        Ok(bands) if rising && in_range => Some(bands.map(percent)),
        Ok(_) => {
            risk.fault("bands", "these do not rise from 1 to 100", ADVICE);
            None
        }
        Err(found) => {
            risk.fault("bands", &format!("there are {}, not four", found.len()), ADVICE);
            None
        }
    }
}

fn percent(value: u64) -> Ratio {
    let steps = value.saturating_mul(u64::from(Ratio::STEPS) / PERCENT_MAX);
    u16::try_from(steps).map_or(Ratio::ONE, Ratio::of)
}
