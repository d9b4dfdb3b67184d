//! From what a rule demands to what an enforcement point can do without thinking.

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_classify::{self as classify, Class};
use pathwarden_types::Obligation;
use serde_json::Value;

/// Turns every redaction into a rewrite of one string; leaves the rest as it is.
///
/// # Errors
///
/// Why an obligation cannot be fulfilled: the place is not a string, the class is unknown, two rules
/// rewrite the same place, or content of the class would remain.
pub(crate) fn resolve(
    demanded: &[Obligation],
    arguments: &Value,
) -> Result<Vec<Obligation>, String> {
    let mut rewrites: BTreeMap<&str, String> = BTreeMap::new();
    let mut redactions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut rest = Vec::new();
    for obligation in demanded {
        match obligation {
            Obligation::Redact { pointer, classes } => {
                redactions.entry(pointer).or_default().extend(classes.iter().map(String::as_str));
            }
            Obligation::Rewrite { pointer, value } => {
                if rewrites.insert(pointer, value.clone()).is_some_and(|before| before != *value) {
                    return Err(format!("two rules rewrite `{pointer}` differently"));
                }
            }
            Obligation::RateLimit { .. } | Obligation::Watch => rest.push(obligation.clone()),
        }
    }
    for (pointer, classes) in redactions {
        let value = redacted(arguments, pointer, &classes)?;
        if rewrites.insert(pointer, value).is_some() {
            return Err(format!("one rule redacts and another rewrites `{pointer}`"));
        }
    }
    let rewrites = rewrites
        .into_iter()
        .map(|(pointer, value)| Obligation::Rewrite { pointer: pointer.to_owned(), value });
    Ok(rewrites.chain(rest).collect())
}

fn redacted(arguments: &Value, pointer: &str, names: &BTreeSet<&str>) -> Result<String, String> {
    let Some(Value::String(text)) = arguments.pointer(pointer) else {
        return Err(format!("`{pointer}` is not a string, so it cannot be redacted"));
    };
    let classes = names
        .iter()
        .map(|name| {
            Class::from_name(name).ok_or_else(|| format!("`{name}` is no class of content"))
        })
        .collect::<Result<Vec<Class>, String>>()?;
    // The way to the string would carry out what is cut from it.
    let in_way = pointer.split('/').flat_map(classify::find);
    if in_way.into_iter().any(|found| classes.contains(&found.class)) {
        return Err(
            "a name in the arguments is restricted itself, so it cannot be cut out".to_owned()
        );
    }
    let value = classify::redact(text, &classes);
    if value == *text || classify::redact(&value, &classes) != value {
        return Err(format!("what is restricted at `{pointer}` cannot be cut out"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use pathwarden_types::Obligation;
    use serde_json::json;

    use super::resolve;

    fn redact(pointer: &str, class: &str) -> Obligation {
        Obligation::Redact { pointer: pointer.to_owned(), classes: vec![class.to_owned()] }
    }

    #[test]
    fn a_redaction_becomes_a_rewrite() {
        let arguments = json!({"body": "IBAN DE89 3704 0044 0532 0130 00, thanks"});
        let resolved = resolve(&[redact("/body", "iban")], &arguments);
        let want = Obligation::Rewrite {
            pointer: "/body".to_owned(),
            value: "IBAN [redacted: iban], thanks".to_owned(),
        };
        assert_eq!(resolved, Ok(vec![want]));
    }

    #[test]
    fn what_cannot_be_fulfilled_is_an_error() {
        let arguments = json!({"body": "nothing here", "n": 4_111_111_111_111_111_u64,
            "DE89370400440532013000": "x"});
        for obligation in [
            redact("/missing", "iban"),
            redact("/n", "payment_card"),
            redact("/body", "no_such_class"),
            redact("/DE89370400440532013000", "iban"),
            redact("/DE89370400440532013001", "iban"),
        ] {
            assert!(
                resolve(std::slice::from_ref(&obligation), &arguments).is_err(),
                "{obligation:?}"
            );
        }
    }
}
