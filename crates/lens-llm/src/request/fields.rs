//! Values with their places, and objects of which every member is read once.

use std::borrow::Cow;

use pathwarden_json::{Json, Kind};

use super::RequestFault;

/// A value, and the pointer (RFC 6901) that leads to it.
#[derive(Clone, Debug)]
pub(super) struct Spot<'a> {
    pub(super) value: Json<'a>,
    pub(super) at: String,
}

impl<'a> Spot<'a> {
    pub(super) const fn root(value: Json<'a>) -> Self {
        Self { value, at: String::new() }
    }

    /// A fault of what stands here.
    pub(super) fn shape(&self, expected: &'static str) -> RequestFault {
        RequestFault::Shape { at: self.at.clone(), expected }
    }

    pub(super) fn kind(&self) -> Kind {
        self.value.kind()
    }

    /// The string that it is. One with half of a surrogate pair has no text that all readers agree on.
    pub(super) fn string(&self) -> Result<String, RequestFault> {
        let string = self.value.string().map(Cow::into_owned);
        string.ok_or_else(|| self.shape("a string of whole characters"))
    }

    pub(super) fn items(&self) -> Result<impl Iterator<Item = Self>, RequestFault> {
        if self.kind() != Kind::Array {
            return Err(self.shape("an array"));
        }
        Ok(self.each())
    }

    /// The items of an array; what is none is its own only item. Google reads a field that repeats so.
    pub(super) fn many(&self) -> Vec<Self> {
        if self.kind() == Kind::Array { self.each().collect() } else { vec![self.clone()] }
    }

    fn each(&self) -> impl Iterator<Item = Self> + use<'a> {
        let at = self.at.clone();
        let items = self.value.items().enumerate();
        items.map(move |(index, value)| Self { value, at: format!("{at}/{index}") })
    }

    fn child(at: &str, name: &str, value: Json<'a>) -> Self {
        Self { value, at: format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")) }
    }
}

/// The members of one object. Who reads one takes it; what nobody took is [`Self::rest`], so that nothing
/// is overlooked.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    at: String,
    left: Vec<(Cow<'a, str>, Json<'a>)>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(spot: &Spot<'a>) -> Result<Self, RequestFault> {
        if spot.kind() != Kind::Object {
            return Err(spot.shape("an object"));
        }
        let left = spot.value.members().collect();
        Ok(Self { at: spot.at.clone(), left, asked: Vec::new() })
    }

    /// The member of this name; `null` is as good as none.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Spot<'a>> {
        self.asked.push(name);
        let place = self.left.iter().position(|(key, _)| key == name)?;
        let (_, value) = self.left.remove(place);
        (value.kind() != Kind::Null).then(|| Spot::child(&self.at, name, value))
    }

    /// The member under one of the two names that Google knows it by. With both, the second is a
    /// look-alike that [`Self::rest`] refuses.
    pub(super) fn either(&mut self, camel: &'static str, snake: &'static str) -> Option<Spot<'a>> {
        let camel = self.take(camel);
        self.asked.push(snake);
        if camel.is_some() { camel } else { self.take(snake) }
    }

    /// As [`Self::take`], for a string.
    pub(super) fn string(&mut self, name: &'static str) -> Result<Option<String>, RequestFault> {
        self.take(name).map(|spot| spot.string()).transpose()
    }

    /// As [`Self::take`], for what must be there.
    pub(super) fn need(
        &mut self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Spot<'a>, RequestFault> {
        let fault = RequestFault::Shape { at: format!("{}/{name}", self.at), expected };
        self.take(name).ok_or(fault)
    }

    /// Whether a switch is on.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, RequestFault> {
        match self.take(name) {
            None => Ok(false),
            Some(spot) if spot.kind() == Kind::Boolean => Ok(spot.value.text() == "true"),
            Some(spot) => Err(spot.shape("true or false")),
        }
    }

    /// What nobody took, by name, in the order of the text.
    ///
    /// A member that another reader takes for one that was asked for is a fault: some match names without
    /// regard to case (Go's `encoding/json`), and Google knows two names of each.
    pub(super) fn rest(self) -> Result<Vec<(String, Spot<'a>)>, RequestFault> {
        let asked: Vec<_> = self.asked.iter().map(|name| (fold(name), *name)).collect();
        let spots = self.left.into_iter().map(|(key, value)| {
            let folded = fold(&key);
            match asked.iter().find(|(name, _)| *name == folded) {
                None => {
                    let spot = Spot::child(&self.at, &key, value);
                    Ok((key.into_owned(), spot))
                }
                Some((_, meant)) => Err(RequestFault::LookAlike {
                    at: self.at.clone(),
                    found: key.into_owned(),
                    meant,
                }),
            }
        });
        spots.collect()
    }
}

/// Equal for names that differ in case only, also for the two letters outside ASCII whose case is in it
/// (the long s and the Kelvin sign).
fn fold(name: &str) -> String {
    name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}
