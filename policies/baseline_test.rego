package pathwarden_baseline_test

import data.pathwarden
import data.pathwarden_fixture as fixture

test_a_read_inside_is_allowed if {
	fixture.names(pathwarden.decision) == {"baseline.read_inside"} with input as fixture.read
}

test_a_read_outside_is_not_provided_for if {
	outside := fixture.with_action({"server_inside": false})
	fixture.names(pathwarden.decision) == set() with input as outside
}

test_a_write_inside_is_allowed_for_a_task if {
	write := fixture.with_action({"class": "write"})
	fixture.names(pathwarden.decision) == {"baseline.write_inside"} with input as write
}

test_a_write_without_a_task_is_not_provided_for if {
	write := object.union(fixture.with_action({"class": "write"}), {"task": {"stated": false}})
	fixture.names(pathwarden.decision) == set() with input as write
}

test_dangerous_classes_wait_for_a_person if {
	every class in {"configure", "delete", "execute", "unknown"} {
		start := fixture.with_action({"class": class})
		fixture.names(pathwarden.decision) == {"baseline.needs_person"} with input as start
	}
}

test_an_approval_lets_a_dangerous_class_through if {
	start := fixture.approved(fixture.with_action({"class": "delete"}))
	fixture.names(pathwarden.decision) == {"baseline.approved"} with input as start
}

test_the_eighth_repeat_is_denied_and_the_seventh_is_not if {
	seventh := fixture.with_session({"repeats": 7})
	not "baseline.loop" in fixture.names(pathwarden.decision) with input as seventh
	eighth := fixture.with_session({"repeats": 8})
	"baseline.loop" in fixture.names(pathwarden.decision) with input as eighth
}

test_an_approval_does_not_end_a_loop if {
	eighth := fixture.approved(fixture.with_session({"repeats": 8}))
	"baseline.loop" in fixture.names(pathwarden.decision) with input as eighth
}

test_the_fifth_refusal_waits_for_a_person if {
	fourth := fixture.with_session({"refused": 4})
	not "baseline.many_refusals" in fixture.names(pathwarden.decision) with input as fourth
	fifth := fixture.with_session({"refused": 5})
	"baseline.many_refusals" in fixture.names(pathwarden.decision) with input as fifth
	not "baseline.many_refusals" in fixture.names(pathwarden.decision) with input as fixture.approved(fifth)
}

test_sends_are_limited_per_minute if {
	some result in pathwarden.decision with input as fixture.send([fixture.vendor], [])
	result.rule == "baseline.send_rate"
	result.obligations == [{"kind": "rate_limit", "per_minute": 30}]
}

test_a_send_after_untrusted_content_is_watched if {
	start := object.union(
		fixture.send([fixture.vendor], []),
		{"session": {"untrusted_seen": true}},
	)
	"baseline.send_after_untrusted" in fixture.names(pathwarden.decision) with input as start
}

test_a_missing_fact_is_denied if {
	every name in {"action", "task", "session", "targets", "contents", "approval"} {
		start := object.remove(fixture.read, [name])
		"baseline.unusable_facts" in fixture.names(pathwarden.decision) with input as start
	}
}

test_a_target_without_an_origin_is_denied if {
	start := fixture.send([object.remove(fixture.vendor, ["given_by"])], [])
	"baseline.unusable_facts" in fixture.names(pathwarden.decision) with input as start
}

test_content_without_a_place_is_denied if {
	start := fixture.send([fixture.vendor], [object.remove(fixture.iban, ["pointer"])])
	"baseline.unusable_facts" in fixture.names(pathwarden.decision) with input as start
}

test_a_read_or_write_that_reaches_an_unknown_target_waits if {
	every class in {"read", "write"} {
		start := object.union(fixture.with_action({"class": class}), {"targets": [fixture.stranger]})
		fixture.names(pathwarden.decision) == {"baseline.reaches_unknown"} with input as start
		known := object.union(start, {"targets": [fixture.vendor]})
		not "baseline.reaches_unknown" in fixture.names(pathwarden.decision) with input as known
	}
}
