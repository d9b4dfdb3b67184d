package pathwarden_finance_test

import data.pathwarden
import data.pathwarden_fixture as fixture

test_a_send_to_known_recipients_is_allowed if {
	start := fixture.send([fixture.vendor, fixture.colleague], [])
	fixture.names(pathwarden.decision) == {"baseline.fits_task", "baseline.send_rate", "finance.send_allowed"} with input as start
}

test_one_unknown_recipient_is_enough_to_deny if {
	start := fixture.send([fixture.vendor, fixture.stranger], [])
	found := fixture.names(pathwarden.decision) with input as start
	"finance.unknown_recipient" in found
	not "finance.send_allowed" in found
}

test_a_recipient_that_only_outsiders_name_waits if {
	start := fixture.send([fixture.vendor, fixture.misleading], [])
	found := fixture.names(pathwarden.decision) with input as start
	"finance.outside_named_recipient" in found
	not "finance.send_allowed" in found
	not "finance.unknown_recipient" in found
	allowed := fixture.names(pathwarden.decision) with input as fixture.approved(start)
	not "finance.outside_named_recipient" in allowed
}

test_an_approval_does_not_make_a_recipient_known if {
	start := fixture.approved(fixture.send([fixture.stranger], []))
	"finance.unknown_recipient" in fixture.names(pathwarden.decision) with input as start
}

test_a_send_to_nobody_knows_whom_waits if {
	start := fixture.send([], [])
	"finance.no_recipient" in fixture.names(pathwarden.decision) with input as start
	not "finance.no_recipient" in fixture.names(pathwarden.decision) with input as fixture.approved(start)
}

test_restricted_content_is_taken_out_for_an_outside_reader if {
	start := fixture.send([fixture.vendor], [fixture.iban])
	some result in pathwarden.decision with input as start
	result.rule == "baseline.outside_reader"
	result.obligations == [{"kind": "redact", "pointer": "/body", "classes": ["iban"]}]
}

test_restricted_content_stays_for_an_inside_reader if {
	start := fixture.send([fixture.colleague], [fixture.iban])
	not "baseline.outside_reader" in fixture.names(pathwarden.decision) with input as start
}

test_an_address_is_no_restricted_content if {
	address := object.union(fixture.iban, {"class": "email"})
	start := fixture.send([fixture.vendor], [address])
	not "baseline.outside_reader" in fixture.names(pathwarden.decision) with input as start
}

test_a_server_outside_is_an_outside_reader if {
	start := object.union(
		fixture.with_action({"class": "write", "server_inside": false}),
		{"contents": [fixture.iban]},
	)
	"baseline.outside_reader" in fixture.names(pathwarden.decision) with input as start
}

test_an_approved_send_to_nobody_knows_whom_is_still_redacted if {
	start := fixture.approved(fixture.send([], [fixture.iban]))
	"baseline.outside_reader" in fixture.names(pathwarden.decision) with input as start
}

test_a_secret_goes_to_nobody_outside if {
	found := fixture.names(pathwarden.decision) with input as fixture.send([fixture.vendor], [fixture.secret])
	"baseline.secret_outside" in found
	not "baseline.outside_reader" in found
}

test_a_secret_may_go_to_a_colleague if {
	start := fixture.send([fixture.colleague], [fixture.secret])
	not "baseline.secret_outside" in fixture.names(pathwarden.decision) with input as start
}

test_a_payment_waits_for_the_finance_team if {
	some result in pathwarden.decision with input as fixture.pay([fixture.account])
	result.rule == "finance.payment"
	result.approval == {"role": "finance-approver", "within_ms": 900000}
}

test_the_account_of_a_payment_is_not_redacted if {
	start := object.union(fixture.pay([fixture.account]), {"contents": [fixture.iban]})
	fixture.names(pathwarden.decision) == {"baseline.fits_task", "finance.payment"} with input as start
}

test_an_approved_payment_goes_through if {
	start := fixture.approved(fixture.pay([fixture.account]))
	fixture.names(pathwarden.decision) == {"baseline.approved", "baseline.fits_task"} with input as start
}

test_an_account_that_nobody_gave_is_not_paid_to if {
	made_up := object.union(fixture.account, {"given_by": "nobody"})
	start := fixture.approved(fixture.pay([made_up]))
	"finance.unknown_account" in fixture.names(pathwarden.decision) with input as start
}
