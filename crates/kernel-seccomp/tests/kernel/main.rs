//! The filters and the emulation against the real kernel.

#[cfg(test)]
mod harness;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod races;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod single;
