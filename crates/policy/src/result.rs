//! Reads what the rules returned, strictly: a result that is not understood in full counts as a
//! deny, because it may have been meant as one.

use std::collections::BTreeMap;

use pathwarden_types::{ApprovalNeed, Containment, Obligation, RuleHit, Verdict};
use regorus::Value;
use serde::{Deserialize, Deserializer};

use crate::Judgement;
use crate::judgement::Refusal;
use crate::limits::{RESULT_ORDERS_MAX, RESULT_TEXT_BYTES_MAX, RESULTS_MAX};

/// Where each rule stands: name to file and line.
pub(crate) type Places = BTreeMap<String, (String, u32)>;

/// One result, understood.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) hit: RuleHit,
    pub(crate) obligations: Vec<Obligation>,
    pub(crate) approval: Option<ApprovalNeed>,
    pub(crate) contain: Vec<Containment>,
}

/// One result as a rule writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    rule: String,
    verdict: Verdict,
    reason: String,
    #[serde(default)]
    advice: String,
    #[serde(default)]
    obligations: Vec<Obligation>,
    #[serde(default, deserialize_with = "present")]
    approval: Option<ApprovalNeed>,
    #[serde(default)]
    contain: Vec<Containment>,
}

/// A key that is there must have a value: `null` is no way to ask for no approval.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ApprovalNeed>, D::Error> {
    ApprovalNeed::deserialize(from).map(Some)
}

/// The judgement that the value of the entry point means.
pub(crate) fn read(value: &Value, places: &Places) -> Judgement {
    let results = match value {
        Value::Set(results) => results,
        Value::Undefined => {
            return Judgement::refuse(Refusal::Undefined, "the policies gave no answer at all");
        }
        _ => return malformed("`decision` is not a set"),
    };
    if results.len() > RESULTS_MAX {
        return malformed(&format!("more than {RESULTS_MAX} results"));
    }
    match results.iter().map(|result| row(result, places)).collect::<Result<Vec<_>, _>>() {
        Ok(rows) => Judgement::of(rows),
        Err(why) => malformed(&why),
    }
}

fn malformed(why: &str) -> Judgement {
    Judgement::refuse(Refusal::MalformedResult, why)
}

/// One result. The error names what is wrong and where, and no value but the rule's name.
fn row(result: &Value, places: &Places) -> Result<Row, String> {
    let name = result.as_object().ok().and_then(|fields| fields.get(&Value::from("rule")));
    let known = name
        .and_then(|name| name.as_string().ok())
        .and_then(|name| places.get(name.as_ref()))
        .ok_or("a result without the name of a rule in this bundle")?;
    let wrong = |why: &str| format!("{}:{}: {why}", known.0, known.1);
    let raw: RawRow = serde_json::to_value(result)
        .and_then(serde_json::from_value)
        .map_err(|_| wrong("a result with an unknown or missing key, or a wrong type"))?;
    check(&raw).map_err(wrong)?;
    let hit = RuleHit {
        rule: raw.rule,
        file: known.0.clone(),
        line: known.1,
        verdict: raw.verdict,
        reason: raw.reason,
        advice: raw.advice,
    };
    Ok(Row { hit, obligations: raw.obligations, approval: raw.approval, contain: raw.contain })
}

/// What the types do not say.
fn check(raw: &RawRow) -> Result<(), &'static str> {
    let text = raw.rule.len() + raw.reason.len() + raw.advice.len();
    if raw.reason.is_empty() {
        Err("a result without a reason")
    } else if text > RESULT_TEXT_BYTES_MAX {
        Err("a result with too much text")
    } else if raw.obligations.len() + raw.contain.len() > RESULT_ORDERS_MAX {
        Err("a result with too many obligations or containment orders")
    } else if (raw.verdict == Verdict::Constrain) == raw.obligations.is_empty() {
        Err("obligations go with `constrain`, and `constrain` with obligations")
    } else if raw.approval.is_some() && raw.verdict != Verdict::Hold {
        Err("an approval goes with `hold`")
    } else if !raw.obligations.iter().all(is_exact) {
        Err("an obligation with a pointer that is no JSON pointer, or without classes")
    } else {
        Ok(())
    }
}

/// Whether an enforcement point can tell what to do.
fn is_exact(obligation: &Obligation) -> bool {
    let is_pointer = |pointer: &String| pointer.is_empty() || pointer.starts_with('/');
    match obligation {
        Obligation::Redact { pointer, classes } => is_pointer(pointer) && !classes.is_empty(),
        Obligation::Rewrite { pointer, .. } => is_pointer(pointer),
        Obligation::RateLimit { .. } | Obligation::Watch => true,
    }
}
