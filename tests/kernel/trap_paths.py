"""Ways to name a file."""

import contextlib
import os

from node import Failed, code, expect, install
from trap import Place, Puppet, compared, last_json, outcomes


def trap_absent_page(node):
    with Place("absent") as place:
        program = install("absent", place.work / "absent")
        (place.work / "path").write_bytes(str(place.secret / "secret").encode() + b"\0")
        (place.work / "good").write_bytes(str(place.work / "data").encode() + b"\0")
        os.sync()
        place.arguments(50, place.work / "path")
        plain = last_json(place.outside([program]))
        expect(plain["absent"] >= 40 and plain["leaked"] == 50, f"without a box: {plain}")
        boxed = last_json(node.run(place.work, [program]).out)
        expect(boxed["leaked"] == 0 and boxed["opened"] == 0, f"leaked: {boxed}")
        expect(boxed["absent"] >= 40, f"the page was there: {boxed}")
        counts = []
        for times in (0, 200):
            place.arguments(times, place.work / "good")
            counts.append(opens(node, node.run(place.work, [program])))
        more = counts[1][0] - counts[0][0]
        expect(more >= 200, f"200 opens of an allowed file, and only {more} more were observed")
        ungoverned = counts[1][0] - counts[1][1]
        expect(ungoverned == counts[0][0] - counts[0][1], f"{ungoverned} opens are not covered by a decision")
        return (
            f"0 of 50 leaked ({code(boxed['errno'])}), page absent {boxed['absent']} times; 200 allowed opens:"
            f" {more} more observed, all governed"
        )


def opens(node, run):
    """Opens of a session that is over, observed and governed."""
    covered = node.json("coverage", run.session)[0]
    for plane in covered["planes"]:
        if plane["plane"] == "open":
            return plane["observed"], plane["governed"]
    raise Failed(f"no opens are covered: {covered}")


def plant_names(place):
    work, secret = place.work, place.secret
    (work / "folder").mkdir()
    (work / "link").symlink_to(secret / "secret")
    (work / "link_relative").symlink_to("../s/secret")
    (work / "link_chain").symlink_to("link_relative")
    (work / "link_folder").symlink_to(secret)
    os.link(secret / "secret", work / "old")


def trap_names(node):
    with Place("names") as place:
        program = install("spell", place.work / "spell")
        plant_names(place)
        place.arguments(place.base)
        plain = outcomes(place.outside([program]))
        boxed = outcomes(node.run(place.work, [program]).out)
        return compared(plain, boxed, "leaked")


def plant_changes(place):
    for name in ("other", "third", "victim", "victim2"):
        (place.secret / name).write_text(name)
    (place.secret / "empty").mkdir()
    for name in ("given", "exchanged"):
        (place.work / name).write_text(name)
    (place.work / "dangling").symlink_to(place.secret / "created")
    (place.work / "link").symlink_to(place.secret / "secret")


def trap_changes(node):
    with Place("changes-plain") as place:
        plant_changes(place)
        program = install("spell", place.work / "spell")
        place.arguments(place.base, "changes")
        plain = outcomes(place.outside([program]))
    with Place("changes") as place:
        plant_changes(place)
        program = install("spell", place.work / "spell")
        place.arguments(place.base, "changes")
        before = place.snapshot()
        boxed = outcomes(node.run(place.work, [program]).out)
        after = place.snapshot()
        seen = compared(plain, boxed, "leaked")
        changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
        expect(not changed, f"changed although refused: {', '.join(sorted(changed))}")
        stolen = [path.name for path in place.work.glob("stolen*")]
        expect(not stolen, f"taken along: {', '.join(stolen)}")
        return f"{seen}; nothing outside changed"


def trap_hard_link(node):
    """Made by the agent, and made before."""
    with Place("hard-link") as place:
        install("puppet", place.work / "puppet")
        os.link(place.secret / "secret", place.work / "old")
        with contextlib.ExitStack() as stack:
            puppet = Puppet(node, place, stack)
            read = puppet.does(f"open {place.work}/old")
            write = puppet.does(f"write {place.work}/old")
            good = puppet.does(f"open {place.work}/data")
        expect(not read.startswith("ok") and not write.startswith("ok"), f"old link: read {read}, write {write}")
        expect(good == f"ok {ord('A')}", f"an ordinary file: {good}")
        return f"a link from before: read {read}, write {write}; making one is among `changes`"


def trap_replaced(node):
    """A file that was looked at is not read or written once somebody outside has replaced it."""
    with Place("replaced") as place, contextlib.ExitStack() as stack:
        puppet = Puppet(node, place, stack)
        pinned = puppet.does(f"pin {place.secret}/secret")
        expect(pinned.startswith("ok"), f"it cannot be looked at: {pinned}")
        path = f"/proc/self/fd/{pinned.split()[1]}"
        (place.secret / "new").write_text("NEW")
        (place.secret / "new").rename(place.secret / "secret")
        seen = {word: puppet.does(f"{word} {path}") for word in ("open", "write")}
        expect(not any(answer.startswith("ok") for answer in seen.values()), f"{seen}")
        return ", ".join(f"{word} {answer}" for word, answer in seen.items())
