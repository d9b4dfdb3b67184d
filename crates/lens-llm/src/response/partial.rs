//! Arguments that Gemini sends in parts, each with the path of the value that it is a part of.

use pathwarden_json::{DEPTH_MAX, Json, Kind};

use crate::response::shape::{Shape, member, quoted, text};

const PATH: Shape = Shape("a path like `$.name[0]` to a part of the arguments, without gaps");

/// A value that grows.
#[derive(Clone, Debug)]
pub(crate) enum Partial {
    Object(Vec<(String, Partial)>),
    Array(Vec<Partial>),
    Text(String),
    /// A number, a boolean or `null`, as JSON text.
    Scalar(String),
}

/// A step from a value to one inside it.
#[derive(Clone, Debug, Eq, PartialEq)]
enum PathStep {
    Name(String),
    Index(usize),
}

impl Default for Partial {
    fn default() -> Self {
        Self::Object(Vec::new())
    }
}

impl Partial {
    /// Takes a `PartialArg`.
    pub(crate) fn take(&mut self, part: Json<'_>) -> Result<(), Shape> {
        let path = text(part, "jsonPath").ok_or(PATH)?;
        let value = value(part)?;
        self.put(&steps(&path)?, value)
    }

    fn put(&mut self, path: &[PathStep], value: Self) -> Result<(), Shape> {
        let Some((step, rest)) = path.split_first() else { return self.join(value) };
        match (self, step) {
            (Self::Object(members), PathStep::Name(name)) => {
                match members.iter_mut().find(|(known, _)| known == name) {
                    Some((_, inner)) => inner.put(rest, value),
                    None => {
                        members.push((name.clone(), Self::new(rest, value)?));
                        Ok(())
                    }
                }
            }
            (Self::Array(items), PathStep::Index(index)) => {
                if *index == items.len() {
                    items.push(Self::new(rest, value)?);
                    return Ok(());
                }
                items.get_mut(*index).ok_or(PATH)?.put(rest, value)
            }
            _ => Err(PATH),
        }
    }

    /// A value that has this one at this path.
    fn new(path: &[PathStep], value: Self) -> Result<Self, Shape> {
        let Some((step, rest)) = path.split_first() else { return Ok(value) };
        let inner = Self::new(rest, value)?;
        match step {
            PathStep::Name(name) => Ok(Self::Object(vec![(name.clone(), inner)])),
            PathStep::Index(0) => Ok(Self::Array(vec![inner])),
            PathStep::Index(_) => Err(PATH),
        }
    }

    /// More of a text.
    fn join(&mut self, value: Self) -> Result<(), Shape> {
        match (self, value) {
            (Self::Text(text), Self::Text(more)) => {
                text.push_str(&more);
                Ok(())
            }
            _ => Err(Shape("one value for each path of the arguments")),
        }
    }

    /// JSON text.
    pub(crate) fn json(&self) -> String {
        match self {
            Self::Object(members) => {
                let members = members.iter();
                let members =
                    members.map(|(name, value)| format!("{}:{}", quoted(name), value.json()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
            Self::Array(items) => {
                format!("[{}]", items.iter().map(Self::json).collect::<Vec<_>>().join(","))
            }
            Self::Text(text) => quoted(text),
            Self::Scalar(text) => text.clone(),
        }
    }
}

/// The value of a `PartialArg`: one of four members. The path alone begins a text.
fn value(part: Json<'_>) -> Result<Partial, Shape> {
    let expected = Shape("a value in a part of the arguments");
    let of = |name, kind| part.member(name).filter(|value| value.kind() == kind);
    if let Some(text) = member(part, "stringValue") {
        return text.string().map(|text| Partial::Text(text.into_owned())).ok_or(expected);
    }
    if part.member("nullValue").is_some() {
        return Ok(Partial::Scalar("null".to_owned()));
    }
    let scalar = of("numberValue", Kind::Number).or_else(|| of("boolValue", Kind::Boolean));
    let scalar = scalar.map(|scalar| Partial::Scalar(scalar.text().to_owned()));
    // Protocol buffers leave out what is empty.
    let is_bare = |part: Json<'_>| {
        part.members().all(|(name, _)| matches!(name.as_ref(), "jsonPath" | "willContinue"))
    };
    scalar.or_else(|| is_bare(part).then(|| Partial::Text(String::new()))).ok_or(expected)
}

/// `$.a.b[0]['c']`, of RFC 9535.
fn steps(path: &str) -> Result<Vec<PathStep>, Shape> {
    let mut rest = path.strip_prefix('$').ok_or(PATH)?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = step(rest).ok_or(PATH)?;
        steps.push(step);
        rest = after;
    }
    // The depth of the arguments, and of the recursion over them.
    if steps.is_empty() || steps.len() >= DEPTH_MAX { Err(PATH) } else { Ok(steps) }
}

fn step(path: &str) -> Option<(PathStep, &str)> {
    if let Some(rest) = path.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        let plain = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
        let is_plain = !name.is_empty() && name.chars().all(plain);
        return is_plain.then(|| (PathStep::Name(name.to_owned()), after));
    }
    let inside = path.strip_prefix('[')?;
    if let Some(quote) = inside.chars().next().filter(|first| matches!(first, '\'' | '"')) {
        let (name, after) = inside.strip_prefix(quote)?.split_once(quote)?;
        let after = after.strip_prefix(']')?;
        return (!name.contains('\\')).then(|| (PathStep::Name(name.to_owned()), after));
    }
    let (digits, after) = inside.split_once(']')?;
    let is_index = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_index.then(|| digits.parse().ok())?.map(|index| (PathStep::Index(index), after))
}
