//! Benchmarks, as ratios measured side by side.
