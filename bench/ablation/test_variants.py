"""Every change of a variant still finds its place in the shipped policy.

    python3 -m unittest discover -s bench/ablation
"""

from __future__ import annotations

import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import shuffle
import variants

SHIPPED = Path(__file__).resolve().parents[2] / "policies"
ALL = [variants.FULL, *variants.without_signals(), *variants.without_stages(), *variants.strictness(), *variants.grid()]


def baseline_of(variant, shipped=SHIPPED):
    with tempfile.TemporaryDirectory() as folder:
        variant.policy(shipped, Path(folder) / "policies")
        return (Path(folder) / "policies/baseline.rego").read_text(encoding="utf-8")


class Variants(unittest.TestCase):
    def test_every_change_finds_its_place(self):
        shipped = baseline_of(variants.FULL)
        for variant in ALL:
            with self.subTest(variant.name):
                self.assertEqual(baseline_of(variant) != shipped, bool(variant.changes))

    def test_a_change_that_fits_nowhere_is_an_error(self):
        with self.assertRaises(variants.Unknown):
            baseline_of(variants.Variant("lost", (("no such text", ""),)))

    def test_tests_of_the_policy_are_left_out(self):
        with tempfile.TemporaryDirectory() as folder:
            variants.FULL.policy(SHIPPED, Path(folder) / "policies")
            names = [path.name for path in (Path(folder) / "policies").iterdir()]
        self.assertFalse([name for name in names if name.endswith("_test.rego")])

    def test_bands_rise_and_stay_in_range(self):
        for variant in ALL:
            with self.subTest(variant.name):
                bands = tomllib.loads(variant.configuration())["risk"]["bands"]
                self.assertEqual(bands, sorted(set(bands)))
                self.assertTrue(len(bands) == 4 and 1 <= bands[0] and bands[-1] <= 100)

    def test_every_signal_is_taken_out_once(self):
        silent = [variant.weights[0][0] for variant in variants.without_signals() if len(variant.weights) == 1]
        self.assertEqual(tuple(silent), variants.SIGNALS)

    def test_mixed_sessions_keep_their_own_order(self):
        lines = [f'{{"session":"{name}","seq":{seq}}}' for name in "abc" for seq in range(9)]
        mixed = shuffle.mixed(lines, 7)
        self.assertNotEqual(mixed, lines)
        self.assertEqual(sorted(mixed, key=lambda line: line[12]), lines)


if __name__ == "__main__":
    unittest.main()
