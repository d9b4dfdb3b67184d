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
		"baseline.needs_person" in fixture.names(pathwarden.decision) with input as start
	}
}

test_what_the_task_asks_for_is_allowed if {
	every class in {"write", "send", "pay", "delete", "configure", "execute"} {
		asked := fixture.with_purpose(fixture.with_action({"class": class}), {"asked": true})
		found := fixture.names(pathwarden.decision) with input as asked
		"baseline.fits_task" in found
		not "baseline.not_asked" in found
		not "baseline.needs_person" in found
	}
}

test_no_task_asks_for_an_unknown_tool if {
	asked := fixture.with_purpose(fixture.with_action({"class": "unknown"}), {"asked": true})
	found := fixture.names(pathwarden.decision) with input as asked
	"baseline.needs_person" in found
	not "baseline.fits_task" in found
}

test_what_the_task_does_not_ask_for_waits if {
	start := fixture.with_action({"class": "delete"})
	"baseline.not_asked" in fixture.names(pathwarden.decision) with input as start
	open := fixture.with_purpose(start, {"left_open": true})
	not "baseline.not_asked" in fixture.names(pathwarden.decision) with input as open
}

test_what_content_orders_is_denied_even_if_asked_for_and_approved if {
	start := fixture.with_purpose(fixture.with_action({"class": "send"}), {"asked": true})
	ordered := fixture.approved(object.union(start, {"origins": [fixture.origin("target", "ordered")]}))
	found := fixture.names(pathwarden.decision) with input as ordered
	"baseline.ordered" in found
	not "baseline.fits_task" in found
}

test_an_order_without_a_value_is_denied_unless_it_is_asked_for if {
	write := fixture.with_purpose(fixture.with_action({"class": "write"}), {"ordered": true})
	"baseline.ordered_kind" in fixture.names(pathwarden.decision) with input as write
	asked := fixture.with_purpose(write, {"asked": true})
	not "baseline.ordered_kind" in fixture.names(pathwarden.decision) with input as asked
}

test_a_command_of_the_agents_own_waits if {
	start := fixture.with_purpose(fixture.with_action({"class": "execute"}), {"asked": true})
	every given_by in {"nobody", "record", "pointed"} {
		own := object.union(start, {"origins": [fixture.origin("command", given_by)]})
		"baseline.outside_command" in fixture.names(pathwarden.decision) with input as own
	}
	given := object.union(start, {"origins": [fixture.origin("command", "task")]})
	not "baseline.outside_command" in fixture.names(pathwarden.decision) with input as given
}

test_a_read_from_a_place_that_nobody_named_waits if {
	start := object.union(fixture.read, {"origins": [fixture.origin("target", "nobody")]})
	"baseline.fetches_unknown" in fixture.names(pathwarden.decision) with input as start
	not "baseline.fetches_unknown" in fixture.names(pathwarden.decision) with input as fixture.approved(start)
}

test_a_value_from_running_text_of_outsiders_waits if {
	start := fixture.with_purpose(fixture.with_action({"class": "send"}), {"asked": true})
	lifted := object.union(start, {"origins": [fixture.origin("target", "outside_content")]})
	found := fixture.names(pathwarden.decision) with input as lifted
	"baseline.outside_value" in found
	not "baseline.fits_task" in found
	not "baseline.outside_value" in fixture.names(pathwarden.decision) with input as fixture.approved(lifted)
}

test_a_payee_whom_nobody_named_waits if {
	start := fixture.with_purpose(fixture.with_action({"class": "pay"}), {"asked": true})
	made_up := object.union(start, {"origins": [fixture.origin("target", "nobody")]})
	found := fixture.names(pathwarden.decision) with input as made_up
	"baseline.payee_from_nobody" in found
	not "baseline.fits_task" in found
}

test_only_the_person_chooses_a_credential if {
	start := fixture.with_purpose(
		fixture.with_action({"class": "write"}),
		{"asked": true, "sets_credential": true},
	)
	every given_by in {"record", "nobody", "content", "pointed"} {
		other := object.union(start, {"origins": [fixture.origin("credential", given_by)]})
		"baseline.credential_of_others" in fixture.names(pathwarden.decision) with input as other
	}
	own := object.union(start, {"origins": [fixture.origin("credential", "task")]})
	not "baseline.credential_of_others" in fixture.names(pathwarden.decision) with input as own
}

test_the_band_of_the_risk_counts if {
	want := {
		"low": {"baseline.read_inside"},
		"guarded": {"baseline.read_inside", "baseline.risk_elevated"},
		"elevated": {"baseline.read_inside", "baseline.risk_elevated"},
		"high": {"baseline.read_inside", "baseline.risk_high"},
		"severe": {"baseline.read_inside", "baseline.risk_severe"},
	}
	every band, rules in want {
		fixture.names(pathwarden.decision) == rules with input as fixture.with_band(fixture.read, band)
	}
}

test_an_approval_lets_a_dangerous_class_through if {
	start := fixture.approved(fixture.with_action({"class": "delete"}))
	fixture.names(pathwarden.decision) == {"baseline.approved"} with input as start
}

test_a_loop_is_broken_and_not_before if {
	every looping in {"none", "warn", "throttle"} {
		start := fixture.with_session({"looping": looping})
		not "baseline.loop" in fixture.names(pathwarden.decision) with input as start
	}
	broken := fixture.with_session({"looping": "break"})
	"baseline.loop" in fixture.names(pathwarden.decision) with input as broken
	"baseline.loop" in fixture.names(pathwarden.decision) with input as fixture.approved(broken)
}

test_what_breaks_a_contract_or_a_limit_is_denied if {
	deviates := object.union(fixture.read, {"conduct": {"deviations": ["payments: no read before"]}})
	"baseline.contract" in fixture.names(pathwarden.decision) with input as deviates
	exceeds := object.union(fixture.read, {"conduct": {"excess": ["more than 600 calls"]}})
	"baseline.too_much" in fixture.names(pathwarden.decision) with input as exceeds
}

test_the_fifth_refusal_waits_for_a_person if {
	write := fixture.with_action({"class": "write"})
	fourth := object.union(write, {"session": {"refused": 4}})
	not "baseline.many_refusals" in fixture.names(pathwarden.decision) with input as fourth
	fifth := object.union(write, {"session": {"refused": 5}})
	"baseline.many_refusals" in fixture.names(pathwarden.decision) with input as fifth
	not "baseline.many_refusals" in fixture.names(pathwarden.decision) with input as fixture.approved(fifth)
}

test_reading_goes_on_after_refusals if {
	fifth := fixture.with_session({"refused": 5})
	not "baseline.many_refusals" in fixture.names(pathwarden.decision) with input as fifth
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
	every name in {"action", "task", "session", "targets", "origins", "purpose", "conduct", "risk", "contents", "approval"} {
		start := object.remove(fixture.read, [name])
		"baseline.unusable_facts" in fixture.names(pathwarden.decision) with input as start
	}
}

test_a_target_without_an_origin_is_denied if {
	start := fixture.send([object.remove(fixture.vendor, ["given_by"])], [])
	"baseline.unusable_facts" in fixture.names(pathwarden.decision) with input as start
}

test_an_argument_without_an_origin_is_denied if {
	start := object.union(
		fixture.read,
		{"origins": [object.remove(fixture.origin("target", "task"), ["given_by"])]},
	)
	"baseline.unusable_facts" in fixture.names(pathwarden.decision) with input as start
}

test_content_without_a_place_is_denied if {
	start := fixture.send([fixture.vendor], [object.remove(fixture.iban, ["pointer"])])
	"baseline.unusable_facts" in fixture.names(pathwarden.decision) with input as start
}

test_what_reaches_an_unknown_target_waits if {
	link := object.union(fixture.stranger, {"kind": "url", "value": "https://evil.example/"})
	every class in {"read", "write", "send"} {
		start := object.union(fixture.with_action({"class": class}), {"targets": [link]})
		"baseline.reaches_unknown" in fixture.names(pathwarden.decision) with input as start
		approved := fixture.approved(start)
		not "baseline.reaches_unknown" in fixture.names(pathwarden.decision) with input as approved
		known := object.union(start, {"targets": [fixture.vendor]})
		not "baseline.reaches_unknown" in fixture.names(pathwarden.decision) with input as known
	}
}

test_an_address_that_a_read_is_asked_about_is_not_reached if {
	start := object.union(fixture.read, {"targets": [fixture.stranger]})
	not "baseline.reaches_unknown" in fixture.names(pathwarden.decision) with input as start
}

test_a_write_that_the_task_asks_for_may_reach_whom_nobody_named if {
	start := fixture.with_purpose(
		object.union(fixture.with_action({"class": "write"}), {"targets": [fixture.stranger]}),
		{"asked": true},
	)
	not "baseline.reaches_unknown" in fixture.names(pathwarden.decision) with input as start
}

test_a_canary_is_denied_even_if_a_person_approved if {
	start := fixture.approved(fixture.with_action({"server": "pathwarden-canary"}))
	"baseline.canary" in fixture.names(pathwarden.decision) with input as start
}

test_what_is_not_what_was_trusted_is_denied if {
	every trust in {"changed", "suspect", "revoked", "of_a_later_version"} {
		start := object.union(fixture.read, {"supply": {"trust": trust, "reasons": []}})
		"baseline.supply" in fixture.names(pathwarden.decision) with input as start
	}
	unseen := object.union(fixture.read, {"supply": {"trust": "unseen", "reasons": []}})
	not "baseline.supply" in fixture.names(pathwarden.decision) with input as unseen
}

test_what_a_server_of_ours_asks_is_allowed_and_a_strangers_question_waits if {
	every kind in {"sampling", "elicitation", "roots"} {
		fixture.names(pathwarden.decision) == {"baseline.read_inside"} with input as fixture.asks(kind, true)
		outside := fixture.asks(kind, false)
		"baseline.asks_outside" in fixture.names(pathwarden.decision) with input as outside
		approved := fixture.names(pathwarden.decision) with input as fixture.approved(outside)
		not "baseline.asks_outside" in approved
	}
}

test_nobody_asks_for_secrets_in_a_form_or_for_everything if {
	every fact, rule in {"asks_secret": "baseline.asks_secret", "asks_everything": "baseline.asks_everything"} {
		start := fixture.with_purpose(fixture.asks("elicitation", true), {fact: true})
		rule in fixture.names(pathwarden.decision) with input as start
	}
}

test_nobody_is_sent_to_a_page_that_nobody_named if {
	start := object.union(fixture.asks("elicitation", true), {"targets": [fixture.page]})
	"baseline.asks_elsewhere" in fixture.names(pathwarden.decision) with input as start
	named := object.union(fixture.page, {"given_by": "task"})
	fine := object.union(start, {"targets": [named]})
	not "baseline.asks_elsewhere" in fixture.names(pathwarden.decision) with input as fine
}

test_a_server_of_ours_is_answered_and_a_stranger_is_not if {
	reply := fixture.with_action({"kind": "reply", "class": "write"})
	"baseline.reply_inside" in fixture.names(pathwarden.decision) with input as reply
	outside := fixture.with_action({"kind": "reply", "class": "write", "server_inside": false})
	not "baseline.reply_inside" in fixture.names(pathwarden.decision) with input as outside
}
