//! Fixed-point numbers from 0 to 1, because a decision must replay byte for byte.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number from 0 to 1 in steps of one ten-thousandth.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Eq,
    Hash,
    JsonSchema,
    Ord,
    PartialEq,
    PartialOrd,
    Deserialize,
    Serialize,
)]
#[serde(try_from = "u16", into = "u16")]
#[schemars(with = "u16")]
pub struct Ratio(u16);

impl Ratio {
    /// The steps between 0 and 1.
    pub const STEPS: u16 = 10_000;
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// All.
    pub const ONE: Self = Self(Self::STEPS);

    /// `steps` ten-thousandths, at most one.
    #[must_use]
    pub const fn of(steps: u16) -> Self {
        if steps > Self::STEPS { Self::ONE } else { Self(steps) }
    }

    /// The number of ten-thousandths.
    #[must_use]
    pub const fn steps(self) -> u16 {
        self.0
    }

    /// The product, rounded down.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let product = u32::from(self.0) * u32::from(other.0) / u32::from(Self::STEPS);
        u16::try_from(product).map_or(Self::ONE, Self::of)
    }

    /// One minus this.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(Self::STEPS - self.0)
    }
}

impl TryFrom<u16> for Ratio {
    type Error = String;

    fn try_from(steps: u16) -> Result<Self, String> {
        if steps > Self::STEPS {
            Err(format!("`{steps}` is more than {} ten-thousandths", Self::STEPS))
        } else {
            Ok(Self(steps))
        }
    }
}

impl From<Ratio> for u16 {
    fn from(ratio: Ratio) -> Self {
        ratio.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}", self.0 / Self::STEPS, self.0 % Self::STEPS)
    }
}
