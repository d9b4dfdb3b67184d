//! How much of a text is looked at: counted in tests, which bound it, and nowhere else.

#[cfg(test)]
thread_local! {
    static BYTES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Says that so many bytes are looked at.
pub(crate) fn looks_at(bytes: usize) {
    #[cfg(test)]
    BYTES.with(|sum| sum.set(sum.get() + bytes));
    #[cfg(not(test))]
    let _ = bytes;
}

/// How many bytes this thread looked at in a piece of work.
#[cfg(test)]
pub(crate) fn of(work: impl FnOnce()) -> usize {
    BYTES.set(0);
    work();
    BYTES.get()
}
