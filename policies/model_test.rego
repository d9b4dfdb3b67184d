package pathwarden_model_test

import data.pathwarden
import data.pathwarden_fixture as fixture

# A model is asked, and may use these tools that its provider runs.
call(server_tools) := object.union(
	fixture.with_action({"kind": "model_call", "server": "openai", "name": "gpt-5"}),
	{"model": {"server_tools": server_tools}},
)

plain := call([])

remote(tool) := call([object.union(
	{"kind": "mcp", "name": "x", "server_url": "https://mcp.acme.example", "approval": "always"},
	tool,
)])

test_a_model_may_be_asked if {
	"model.call" in fixture.names(pathwarden.decision) with input as plain
}

test_a_provider_outside_may_be_asked if {
	start := object.union(plain, {"action": {"server_inside": false}})
	fixture.names(pathwarden.decision) == {"model.call"} with input as start
}

test_a_secret_is_taken_out_and_the_call_goes_on if {
	start := object.union(plain, {"contents": [fixture.secret]})
	found := fixture.names(pathwarden.decision) with input as start
	found == {"model.call", "model.secret", "baseline.read_inside"}
	outside := object.union(start, {"action": {"server_inside": false}})
	not "baseline.secret_outside" in fixture.names(pathwarden.decision) with input as outside
}

test_account_numbers_go_only_to_a_provider_of_ours if {
	start := object.union(plain, {"contents": [fixture.iban]})
	not "baseline.outside_reader" in fixture.names(pathwarden.decision) with input as start
	outside := object.union(start, {"action": {"server_inside": false}})
	"baseline.outside_reader" in fixture.names(pathwarden.decision) with input as outside
}

test_a_remote_server_of_ours_that_asks_is_watched if {
	found := fixture.names(pathwarden.decision) with input as remote({})
	"model.server_tool" in found
	not "model.remote_unapproved" in found
	not "model.remote_unnamed" in found
}

test_a_remote_server_that_does_not_ask_is_denied if {
	found := fixture.names(pathwarden.decision) with input as remote({"approval": "never"})
	"model.remote_unapproved" in found
}

test_a_connector_is_denied if {
	found := fixture.names(pathwarden.decision) with input as remote({"server_url": ""})
	"model.remote_unnamed" in found
}

test_a_remote_server_outside_is_denied if {
	target := {
		"pointer": "/server_tools/0/server_url",
		"kind": "url",
		"value": "https://evil.example",
		"inside": false,
		"given_by": "nobody",
	}
	start := object.union(remote({}), {"targets": [target]})
	"model.remote_outside" in fixture.names(pathwarden.decision) with input as start
}

test_a_provider_s_own_tools_are_watched if {
	start := call([{"kind": "web_search", "name": "", "server_url": "", "approval": ""}])
	found := fixture.names(pathwarden.decision) with input as start
	"model.server_tool" in found
	not "model.remote_unapproved" in found
}

test_what_no_model_emitted_waits_unless_it_reads if {
	every claim in {"orphan", "altered"} {
		send := fixture.with_action({"class": "send", "claim": claim})
		sprintf("model.%s", [claim]) in fixture.names(pathwarden.decision) with input as send
		read := fixture.with_action({"claim": claim})
		not sprintf("model.%s", [claim]) in fixture.names(pathwarden.decision) with input as read
		approved := fixture.approved(send)
		not sprintf("model.%s", [claim]) in fixture.names(pathwarden.decision) with input as approved
	}
}

test_an_approval_of_the_agent_s_own_waits_for_a_person if {
	given := call([{"kind": "mcp_approval_response", "name": "", "server_url": "", "approval": "given"}])
	"model.approves" in fixture.names(pathwarden.decision) with input as given
	not "model.approves" in fixture.names(pathwarden.decision) with input as fixture.approved(given)
}
