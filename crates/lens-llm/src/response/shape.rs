//! Small steps over JSON that all lenses take.

use std::borrow::Cow;

use pathwarden_json::{Json, Kind, push_string};

use crate::answer::{Call, CallKind, Ruling};

/// What a provider sent is not what its protocol says; the words say what was expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Shape(pub(crate) &'static str);

/// The member of this name, unless it is `null`.
pub(crate) fn member<'a>(object: Json<'a>, name: &str) -> Option<Json<'a>> {
    object.member(name).filter(|value| value.kind() != Kind::Null)
}

/// The string of this name.
pub(crate) fn text<'a>(object: Json<'a>, name: &str) -> Option<Cow<'a, str>> {
    object.member(name).and_then(Json::string)
}

/// The string of this name, which decides something: when it is there, it must be one.
pub(crate) fn strict_text<'a>(object: Json<'a>, name: &str) -> Result<Option<Cow<'a, str>>, Shape> {
    let Some(value) = member(object, name) else { return Ok(None) };
    value.string().map(Some).ok_or(Shape("a string in the name, id or arguments of a call"))
}

/// The whole number of this name.
pub(crate) fn number(object: Json<'_>, name: &str) -> Option<u64> {
    object.member(name).and_then(|value| value.text().parse().ok())
}

/// The items of the array of this name; none when it is absent.
pub(crate) fn items<'a>(object: Json<'a>, name: &str) -> Result<Vec<Json<'a>>, Shape> {
    match member(object, name) {
        None => Ok(Vec::new()),
        Some(array) if array.kind() == Kind::Array => Ok(array.items().collect()),
        Some(_) => Err(Shape("a list of what the model said")),
    }
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

/// Is this the text of a JSON object that every parser reads alike?
pub(crate) fn is_object(text: &str) -> bool {
    Json::parse(text.as_bytes()).is_ok_and(|value| value.kind() == Kind::Object)
}

/// The arguments of a function, which a model wrote as text: an object as it is, nothing as `{}`, and
/// anything else in an object, so that rules see it and find none of the fields they ask for.
pub(crate) fn arguments(text: &str) -> String {
    if text.trim().is_empty() {
        "{}".to_owned()
    } else if is_object(text) {
        text.to_owned()
    } else {
        input(text)
    }
}

/// Free text as arguments.
pub(crate) fn input(text: &str) -> String {
    format!("{{\"input\":{}}}", quoted(text))
}

/// A JSON value as arguments.
pub(crate) fn value_arguments(value: Json<'_>) -> String {
    match value.kind() {
        Kind::Object => value.text().to_owned(),
        _ => format!("{{\"input\":{}}}", value.text()),
    }
}

/// New arguments in the form in which the model wrote the old ones: what [`arguments`] put in an object
/// comes out of it again.
pub(crate) fn written(kind: CallKind, old: &str, new: &str) -> String {
    let object = kind != CallKind::Custom && (old.trim().is_empty() || is_object(old));
    let inner = Json::parse(new.as_bytes()).ok().and_then(|new| {
        let only = new.members().count() == 1 || kind == CallKind::Custom;
        only.then(|| text(new, "input")).flatten().map(Cow::into_owned)
    });
    inner.filter(|_| !object).unwrap_or_else(|| new.to_owned())
}

/// The same for arguments that are a JSON value.
pub(crate) fn written_value(old: Json<'_>, new: &str) -> String {
    let inner = Json::parse(new.as_bytes()).ok().and_then(|new| new.member("input"));
    match inner {
        Some(inner) if old.kind() != Kind::Object => inner.text().to_owned(),
        _ => new.to_owned(),
    }
}

/// Do these rulings fit these calls: one for each, and new arguments are an object?
pub(crate) fn fit(calls: &[Call], rulings: &[Ruling]) -> bool {
    calls.len() == rulings.len()
        && calls.iter().zip(rulings).all(|(call, ruling)| match ruling {
            Ruling::Release | Ruling::Instead(_) => true,
            Ruling::Rewrite(new) => {
                is_object(new) && (call.kind != CallKind::Custom || has_input(new))
            }
        })
}

fn has_input(new: &str) -> bool {
    Json::parse(new.as_bytes()).is_ok_and(|new| text(new, "input").is_some())
}

/// An object with some members replaced (or appended, when they were not there) and, where the new text
/// is `None`, left out.
pub(crate) fn rebuild(object: Json<'_>, changes: &[(&str, Option<String>)]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (name, value) in object.members() {
        match changes.iter().find(|(changed, _)| *changed == name) {
            Some((_, None)) => {}
            Some((_, Some(new))) => parts.push(format!("{}:{new}", quoted(&name))),
            None => parts.push(format!("{}:{}", quoted(&name), value.text())),
        }
    }
    let missing = changes.iter().filter(|(name, _)| object.member(name).is_none());
    parts.extend(
        missing.filter_map(|(name, new)| Some(format!("{}:{}", quoted(name), new.as_ref()?))),
    );
    format!("{{{}}}", parts.join(","))
}
