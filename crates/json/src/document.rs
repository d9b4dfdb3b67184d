//! Proven text that is owned.

use std::ops::Range;

use crate::{Json, JsonFault};

/// Text that was proven to be one JSON value, with the bytes as they came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    text: String,
    span: Range<usize>,
}

impl Document {
    /// Proves and keeps `bytes`; gives them back when they are not JSON.
    ///
    /// # Errors
    ///
    /// The bytes, and [`JsonFault`] with the place.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, (Vec<u8>, JsonFault)> {
        let span = match Json::parse(&bytes) {
            Ok(value) => value.span(),
            Err(fault) => return Err((bytes, fault)),
        };
        String::from_utf8(bytes).map(|text| Self { text, span }).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            (error.into_bytes(), JsonFault::NotUtf8 { at })
        })
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> Json<'_> {
        Json { whole: &self.text, start: self.span.start, end: self.span.end }
    }

    /// The text, byte for byte as it came.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes as they came.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }
}
