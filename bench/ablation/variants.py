"""The ways in which the decision is run: with a signal or a stage taken out, stricter, laxer.

A variant is a name, changes of the shipped policy's text, and the section `risk` of a configuration.
A change that no longer finds its place in the policy is an error, so that a stage which was renamed
cannot be reported as one that does nothing.
"""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

SIGNALS = (
    "identity",
    "permissions",
    "prompt_context",
    "tool",
    "destination",
    "behaviour",
    "data_classification",
    "threat_intelligence",
    "approval_history",
    "confidence",
)
# Where the shipped bands begin, in percent, and where the last of them has to end.
BANDS = (20, 40, 60, 80)
BAND_MAX = 100
# Everybody who can have given a value, from best to worst, apart from those who order something.
GIVERS = ("task", "content", "record", "pointed", "outside_content")
SHIPPED_GIVERS = GIVERS[:4]


class Unknown(Exception):
    """A change does not fit the policy."""


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way to decide."""

    name: str
    # Text of `baseline.rego` and what stands there instead.
    changes: tuple[tuple[str, str], ...] = ()
    # Signal and weight in percent.
    weights: tuple[tuple[str, int], ...] = ()
    bands: tuple[int, ...] = BANDS

    def policy(self, shipped: Path, folder: Path) -> None:
        """Writes the policy into a new folder."""
        folder.mkdir()
        for path in sorted(shipped.iterdir()):
            is_rule = path.suffix == ".rego" and not path.name.endswith("_test.rego")
            if is_rule or path.name == "data.json":
                shutil.copy(path, folder / path.name)
        file = folder / "baseline.rego"
        text = file.read_text(encoding="utf-8")
        for old, new in self.changes:
            if text.count(old) != 1:
                raise Unknown(f"{self.name}: the policy has {text.count(old)} places with {old!r}, not one")
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")

    def configuration(self) -> str:
        """The configuration: the server as it is assumed without one, and the risk."""
        lines = ["[servers.tools]", "inside = true", "outside_content = true", "[risk]"]
        lines.append(f"bands = {list(self.bands)}")
        lines.append("[risk.weights]")
        lines += [f"{signal} = {weight}" for signal, weight in self.weights]
        return "\n".join(lines) + "\n"


def never(head: str, first: str) -> tuple[str, str]:
    """The rule that begins so does not hold."""
    return f"{head} if {{\n\t{first}", f"{head} if {{\n\t1 == 2\n\t{first}"


NO_ORDERED = never("has_ordered_origin", "some origin")
NO_OUTSIDE = never("has_outside_origin", "some origin")
# Whatever is done for a stated task counts as asked for.
ALL_ASKED = ("\tinput.purpose.asked == true\n", "")
NO_RISK = (
    ('\tinput.risk.band == "high"\n', "\t1 == 2\n"),
    ('\tinput.risk.band == "severe"\n', "\t1 == 2\n"),
)
FULL = Variant("everything on")


def giving(name: str, givers: tuple[str, ...]) -> Variant:
    """Only these may give a value that decides something."""
    good = ", ".join(f'"{giver}"' for giver in givers)
    bad = ", ".join(f'"{giver}"' for giver in GIVERS if giver not in givers)
    shipped = ", ".join(f'"{giver}"' for giver in SHIPPED_GIVERS)
    outside = f"origin.given_by in {{{bad}}}" if bad else "1 == 2"
    return Variant(
        name,
        ((f"givers := {{{shipped}}}", f"givers := {{{good}}}"), ('origin.given_by == "outside_content"', outside)),
    )


def scaled(percent: int) -> tuple[int, ...]:
    """The shipped bands, moved; the highest that pass the end lie just before it, in order."""
    moved = [max(1, band * percent // 100) for band in BANDS]
    return tuple(min(band, BAND_MAX - len(moved) + 1 + place) for place, band in enumerate(moved))


def without_signals() -> list[Variant]:
    """Each signal weighs nothing, then all of them."""
    one = [Variant(f"no signal `{signal}`", weights=((signal, 0),)) for signal in SIGNALS]
    return [*one, Variant("no signal at all", weights=tuple((signal, 0) for signal in SIGNALS))]


def without_stages() -> list[Variant]:
    """Each stage of the policy is taken out."""
    loop = ('\tinput.session.looping == "break"\n', "\t1 == 2\n")
    many = ("\tinput.session.refused >= refusals_max\n", "\t1 == 2\n")
    person = ("\tinput.action.class in person_classes\n", "\t1 == 2\n")
    fits = ("\tinput.action.server_inside == true\n\tfits_task\n", "\t1 == 2\n\tfits_task\n")
    return [
        Variant("no `ordered`: what content orders counts as any other value", (NO_ORDERED,)),
        Variant("no `outside_value`: values out of running text of outsiders pass", (NO_OUTSIDE,)),
        Variant("neither of both: no lineage of values in the rules", (NO_ORDERED, NO_OUTSIDE)),
        Variant("neither of both, and no rule on the risk", (NO_ORDERED, NO_OUTSIDE, *NO_RISK)),
        Variant("no `not_asked`: a stated task asks for everything", (ALL_ASKED,)),
        Variant("no `reaches_unknown`", (never("reaches_unknown", "some target"),)),
        Variant("no `payee_from_nobody`", (never("pays_whom_nobody_named", "input.action"),)),
        Variant("no `credential_of_others`", (never("sets_credential_of_others", "input.purpose"),)),
        Variant("no `needs_person`", (person,)),
        Variant("no `loop`", (loop,)),
        Variant("no `many_refusals`", (many,)),
        Variant("no `risk_high`, no `risk_severe`", NO_RISK),
        giving("`pointed` is no good giver", ("task", "content", "record")),
        giving("`record` is no good giver", ("task", "content", "pointed")),
        Variant("no `fits_task`: nothing is allowed because the task asks for it", (fits,)),
    ]


def strictness() -> list[Variant]:
    """From strict to lax, for the curve."""
    strict = Variant("only the task gives; bands at half", giving("", GIVERS[:1]).changes, bands=scaled(50))
    sets = [giving(f"givers: {', '.join(GIVERS[:count])}", GIVERS[:count]) for count in (1, 2, 3, 5)]
    bands = [Variant(f"bands at {percent} %", bands=scaled(percent)) for percent in (25, 50, 75, 125, 150)]
    lax = Variant("neither `ordered` nor `outside_value`, no rule on the risk", (NO_ORDERED, NO_OUTSIDE, *NO_RISK))
    return [strict, *sets[:3], *bands[:3], FULL, *bands[3:], *sets[3:], lax]


def grid() -> list[Variant]:
    """The settings that are chosen among when a suite is left out: the only numbers that were chosen by
    looking at results."""
    return [
        FULL,
        Variant("bands at 50 %", bands=scaled(50)),
        Variant("bands at 75 %", bands=scaled(75)),
        Variant("bands at 125 %", bands=scaled(125)),
        Variant("what a task is about weighs half", weights=(("prompt_context", 40),)),
    ]
