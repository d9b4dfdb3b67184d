"""What the converter makes of single logs, as data; needs neither AgentDojo nor a network.

    python3 -m unittest discover -s bench/agentdojo
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
import convert
import runlog

TRACE = "model/banking/user_task_0/none/none.json"
USER = {"role": "user", "content": "Pay the bill"}
TOOLS = [{"name": "pay", "description": "Pay.", "schema": {"type": "object"}}]


def log(*messages, **changed):
    whole = {
        "suite_name": "banking",
        "pipeline_name": "model",
        "user_task_id": "user_task_0",
        "injection_task_id": None,
        "attack_type": None,
        "injections": {},
        "messages": list(messages) or [USER],
        "error": None,
        "duration": 6.0,
        "utility": True,
        "security": True,
    }
    return {**whole, **changed}


def call(tool, args=None, name=None):
    return {"function": tool, "args": {} if args is None else args, "id": name}


def turn(*calls, text=None):
    return {"role": "assistant", "content": text, "tool_calls": list(calls) or None}


def answer(asked, output, error=None):
    return {"role": "tool", "content": output, "tool_call": asked, "tool_call_id": asked["id"], "error": error}


def schemas(version, suite):
    if suite != "banking":
        raise runlog.LeftOut("unknown suite")
    return TOOLS


def converted(files, **options):
    """The sessions made of a folder with these files, and the summary."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        summary = convert.Summary()
        return list(convert.convert(Path(folder), schemas, summary=summary, **options)), summary


def events_of(*messages, **changed):
    [(events, _)], _ = converted({TRACE: log(*messages, **changed)})
    return events


def brief(events):
    """The events after the first, as (event, what it holds)."""
    key = {"action": "args", "result": "output", "model_output": "text", "user_message": "text"}
    return [(event["ev"], event[key[event["ev"]]]) for event in events[1:]]


class Events(unittest.TestCase):
    def test_text_stands_before_the_calls_of_its_turn(self):
        events = events_of(USER, turn(call("pay", {"to": "A"}), text="I pay."))
        self.assertEqual(brief(events), [("model_output", "I pay."), ("action", {"to": "A"})])

    def test_parallel_calls_stand_together_and_each_result_finds_its_own(self):
        first, second = call("pay", {"to": "A"}, "1"), call("pay", {"to": "B"}, "2")
        events = events_of(USER, turn(first, second), answer(second, "to B"), answer(first, "to A"))
        self.assertEqual([event["ev"] for event in events[1:]], ["action", "action", "result", "result"])
        results = {event["of"]: event["output"] for event in events[3:]}
        self.assertEqual(results, {events[1]["id"]: "to A", events[2]["id"]: "to B"})

    def test_results_without_ids_go_by_arguments_then_by_order(self):
        first, second = call("pay", {"to": "A"}), call("pay", {"to": "B"})
        events = events_of(USER, turn(first, second), answer(second, "to B"), answer(first, "to A"))
        self.assertEqual([event["of"] for event in events[3:]], [events[2]["id"], events[1]["id"]])
        same = call("pay", {"to": "A"})
        events = events_of(USER, turn(same, same), answer(same, "one"), answer(same, "two"))
        self.assertEqual([event["of"] for event in events[3:]], [events[1]["id"], events[2]["id"]])

    def test_one_id_for_all_calls_does_not_mix_up_tools(self):
        first, second = call("pay", {}, "x"), call("read", {}, "x")
        events = events_of(USER, turn(first, second), answer(second, "text"), answer(first, "paid"))
        self.assertEqual([event["source"] for event in events[3:]], ["tool:read", "tool:pay"])
        self.assertEqual([event["of"] for event in events[3:]], [events[2]["id"], events[1]["id"]])

    def test_a_tool_error_is_an_error_and_not_output(self):
        asked = call("pay")
        result = events_of(USER, turn(asked), answer(asked, "", "ValueError: no"))[2]
        self.assertEqual((result["output"], result["error"]), ("", "ValueError: no"))

    def test_string_and_block_contents_are_the_same(self):
        cases = (
            ("said", "said"),
            ([{"type": "text", "content": "said"}], "said"),
            ([{"type": "text", "text": "one"}, {"type": "text", "content": "two"}], "one\ntwo"),
            ([{"type": "thinking", "content": "hidden", "id": None}, {"type": "text", "content": "said"}], "said"),
            ([{"type": "image", "url": "u"}], '{"type": "image", "url": "u"}'),
        )
        for content, want in cases:
            with self.subTest(content=content):
                self.assertEqual(brief(events_of(USER, turn(text=content))), [("model_output", want)])

    def test_nothing_said_is_no_event(self):
        for content in (None, "", " \n", [], [{"type": "text", "content": None}]):
            with self.subTest(content=content):
                self.assertEqual(brief(events_of(USER, turn(text=content))), [])

    def test_arguments_are_always_an_object(self):
        cases = (
            ({"to": "A"}, {"to": "A"}, 0),
            ('{"to": "A"}', {"to": "A"}, 1),
            ("to A", {"_arguments": "to A"}, 1),
            ("[1]", {"_arguments": "[1]"}, 1),
            ("[" * 100_000, {"_arguments": "[" * 100_000}, 1),
            ([1, 2], {"_arguments": [1, 2]}, 1),
            (None, {}, 1),
        )
        for given, want, noted in cases:
            with self.subTest(given=str(given)[:20]):
                asked = {"function": "pay", "args": given}
                [(events, _)], summary = converted({TRACE: log(USER, turn(asked))})
                self.assertEqual(events[1]["args"], want)
                self.assertEqual(sum(summary.notes.values()), noted)

    def test_later_user_messages_are_events_and_not_the_goal(self):
        system = {"role": "system", "content": "The user's name is Emma Johnson, an employee."}
        events = events_of(system, USER, turn(text="Done."), {"role": "user", "content": "Sure?"})
        start = events[0]
        self.assertEqual((start["goal"], start["system"]), ("Pay the bill", system["content"]))
        self.assertEqual(start["principal"], {"agent": "banking-assistant", "user": "emma.johnson"})
        self.assertEqual(brief(events)[-1], ("user_message", "Sure?"))

    def test_a_result_without_a_call_is_counted_and_not_carried_over(self):
        asked = call("pay")
        [(events, _)], summary = converted({TRACE: log(USER, answer(asked, "paid"))})
        self.assertEqual(brief(events), [])
        self.assertEqual(summary.notes["results without a call, not carried over"], 1)

    def test_the_duration_is_spread_evenly_and_time_moves_on(self):
        cases = ((6.0, [0, 2000, 4000]), (None, [0, 1, 2]), (0.0, [0, 1, 2]), ("NaN", [0, 1, 2]), (-1, [0, 1, 2]))
        for duration, want in cases:
            with self.subTest(duration=duration):
                events = events_of(USER, turn(text="a"), turn(text="b"), duration=duration)
                self.assertEqual([event["ts_ms"] for event in events], want)


class LeftOut(unittest.TestCase):
    def test_what_is_not_a_whole_run_is_left_out_and_counted_by_reason(self):
        cases = (
            (log(error="context too long"), "ended in an error"),
            (log(utility=None), "unfinished, without a result"),
            ("{", "not readable as JSON"),
            ("[" * 100_000, "not readable as JSON"),
            (json.dumps(log()).replace("6.0", "1e999"), "not readable as JSON"),
            ([], "not an AgentDojo log"),
            ({"messages": []}, "not an AgentDojo log"),
            (log(benchmark_version=[1]), "not an AgentDojo log"),
            (log(suite_name="mine"), "unknown suite"),
            (log(turn(text="Hello")), "does not begin with a user's request"),
            (log(USER, {"role": "judge"}), "malformed message"),
            (log(USER, turn(text=3)), "malformed message"),
            (log(USER, {"role": "assistant", "content": None, "tool_calls": 3}), "malformed call"),
            (log(USER, turn("pay")), "malformed call"),
            (log(USER, {"role": "tool", "content": "paid"}), "malformed call"),
        )
        for content, reason in cases:
            with self.subTest(reason=reason, content=str(content)[:40]):
                sessions, summary = converted({TRACE: content, "b/" + TRACE: log()})
                self.assertEqual(len(sessions), 1)
                self.assertEqual(dict(summary.left_out), {reason: 1})

    def test_limits_hold_at_the_limit_and_not_one_past_it(self):
        said = [turn(text="a")] * (runlog.MAX_EVENTS - 1)
        self.assertEqual(len(events_of(USER, *said)), runlog.MAX_EVENTS)
        sessions, summary = converted({TRACE: log(USER, *said, turn(text="a"))})
        self.assertEqual((sessions, sum(summary.left_out.values())), ([], 1))
        size = len(json.dumps(log()))
        for limit, left_out in ((size, 0), (size - 1, 1)):
            with mock.patch.object(runlog, "MAX_LOG_BYTES", limit):
                self.assertEqual(sum(converted({TRACE: log()})[1].left_out.values()), left_out)

    def test_only_the_suites_asked_for(self):
        sessions, summary = converted({TRACE: log()}, suites=["slack"])
        self.assertEqual((sessions, dict(summary.left_out)), ([], {"of another suite than asked for": 1}))


class Outcome(unittest.TestCase):
    FILES = {f"model/banking/user_task_{n}/direct/injection_task_0.json": log(attack_type="direct") for n in range(9)}

    def test_events_and_their_order_do_not_tell_how_the_run_went(self):
        other = {name: {**run, "utility": False, "security": False} for name, run in self.FILES.items()}
        before, after = converted(self.FILES)[0], converted(other)[0]
        self.assertEqual([events for events, _ in before], [events for events, _ in after])
        self.assertNotEqual([label for _, label in before], [label for _, label in after])

    def test_ids_are_unique_and_the_same_each_time(self):
        ids = [events[0]["session"] for events, _ in converted(self.FILES)[0]]
        self.assertEqual(len(set(ids)), len(self.FILES))
        self.assertEqual(ids, sorted(ids))
        self.assertEqual(ids, [events[0]["session"] for events, _ in converted(self.FILES)[0]])
        # Pinned: another id would orphan decisions and labels that people keep.
        self.assertEqual(runlog.session_of(TRACE), "ad-bd53b4a800ff")

    def test_an_attack_succeeds_only_where_there_was_one(self):
        cases = (
            ({"attack_type": None, "security": True}, ("benign", "none", False)),
            ({"attack_type": "direct", "security": True}, ("attack", "direct", True)),
            ({"attack_type": "direct", "security": False}, ("attack", "direct", False)),
        )
        for changed, want in cases:
            with self.subTest(changed=changed):
                [(_, label)], _ = converted({TRACE: log(**changed)})
                self.assertEqual((label["kind"], label["attack"], label["attack_succeeded"]), want)


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_main(self, *arguments):
        said, asked = io.StringIO(), ["convert.py", *map(str, arguments)]
        known = mock.patch.object(convert, "schemas_of_agentdojo", lambda: schemas)
        with known, mock.patch.object(sys, "argv", asked):
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                try:
                    convert.main()
                except SystemExit as ended:
                    return ended.code, said.getvalue()
        return 0, said.getvalue()

    def test_half_a_surrogate_pair_does_not_make_a_line_that_others_cannot_read(self):
        events = events_of({"role": "user", "content": "a\ud83d"})
        self.assertEqual(json.loads(convert.line(events[0]).decode("utf-8"))["goal"], "a?")

    def test_a_folder_without_runs_leaves_no_file(self):
        out = self.folder / "events.jsonl"
        code, said = self.run_main(self.folder, "--out", out)
        self.assertEqual((code, list(self.folder.iterdir())), (1, []))
        self.assertIn("nothing to convert", said)

    def test_a_failed_write_keeps_the_old_file_and_no_part(self):
        (self.folder / "log.json").write_text(json.dumps(log()))
        out = self.folder / "events.jsonl"
        out.write_text("old")
        with mock.patch.object(convert, "line", side_effect=OSError("disk full")):
            code, said = self.run_main(self.folder, "--out", out)
        self.assertEqual((code, out.read_text()), (1, "old"))
        self.assertIn("disk full", said)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"log.json", "events.jsonl"})

    def test_labels_never_go_where_the_events_go(self):
        out = self.folder / "events.jsonl"
        self.assertEqual(self.run_main(self.folder, "--out", out, "--labels", out)[0], 2)

    def test_gzipped_and_plain_hold_the_same(self):
        (self.folder / "log.json").write_text(json.dumps(log()))
        plain, zipped = self.folder / "e.jsonl", self.folder / "e.jsonl.gz"
        self.assertEqual(self.run_main(self.folder, "--out", plain)[0], 0)
        self.assertEqual(self.run_main(self.folder, "--out", zipped)[0], 0)
        self.assertEqual(gzip.decompress(zipped.read_bytes()), plain.read_bytes())


if __name__ == "__main__":
    unittest.main()
