package pathwarden_test

import data.pathwarden
import data.pathwarden_fixture as fixture

host_names(start) := names if {
	names := fixture.names(pathwarden.decision) with input as start
}

test_work_in_the_workspace_is_allowed if {
	some pair in [
		["file", "read", "workspace"], ["file", "write", "workspace"], ["file", "remove", "temporary"],
		["exec", "run", "system"], ["exec", "run", "workspace"], ["connect", "reach", "node"],
		["connect", "reach", "own"], ["connect", "reach", "named"], ["file", "read", "system"],
	]
	host_names(fixture.does(pair[0], pair[1], pair[2])) == {"host.ordinary"}
}

test_every_pair_of_ordinary_work_is_allowed if {
	every pair in [
		["read", "workspace"], ["write", "workspace"], ["remove", "temporary"], ["change", "toolchain"],
		["read", "system"], ["read", "persistence"],
	] {
		host_names(fixture.does("file", pair[0], pair[1])) == {"host.ordinary"}
	}
}

test_what_is_beyond_is_denied if {
	every triple in [
		["file", "read", "credential"], ["file", "read", "home"], ["file", "read", "warden"],
		["file", "write", "system"], ["file", "write", "persistence"], ["file", "remove", "home"],
		["file", "change", "control"], ["exec", "run", "elsewhere"], ["connect", "reach", "of_a_later_version"],
		["file", "read", "of_a_later_version"],
	] {
		"host.beyond" in host_names(fixture.does(triple[0], triple[1], triple[2]))
		not "host.ordinary" in host_names(fixture.does(triple[0], triple[1], triple[2]))
	}
}

test_an_address_that_nobody_named_waits_for_a_person if {
	every place in ["outside", "loopback"] {
		start := fixture.does("connect", "reach", place)
		host_names(start) == {"host.reaches_unknown"}
		host_names(fixture.approved(start)) == {"baseline.approved"}
	}
}

test_what_a_command_would_reach_is_decided_when_it_connects if {
	host_names(fixture.does("exec", "reach", "outside")) == {"host.ordinary"}
}

with_trust(start, trust) := object.union(start, {"supply": {"trust": trust, "reasons": []}})

test_a_changed_program_waits_where_agents_can_write_and_is_marked_elsewhere if {
	tool := with_trust(fixture.does("exec", "run", "toolchain"), "changed")
	host_names(tool) == {"host.ordinary", "host.program_changed"}
	host_names(fixture.approved(tool)) == {"host.ordinary", "baseline.approved"}
	system := with_trust(fixture.does("exec", "run", "system"), "changed")
	host_names(system) == {"host.ordinary", "host.program_of_system_changed"}
}

test_a_program_that_was_withdrawn_does_not_run if {
	every trust in ["revoked", "suspect", "of_a_later_version"] {
		start := with_trust(fixture.does("exec", "run", "system"), trust)
		"baseline.supply" in host_names(start)
	}
}

in_workspace(start) := fixture.with_host(start, {"acts": [object.union(
	start.host.acts[0],
	{"in_workspace": true},
)]})

test_a_secret_of_the_workspace_may_be_read_and_is_marked if {
	start := in_workspace(fixture.does("file", "read", "credential"))
	host_names(start) == {"host.ordinary", "host.reads_secret"}
}

test_a_setting_of_the_workspace_may_be_written if {
	host_names(in_workspace(fixture.does("file", "write", "credential"))) == {"host.ordinary"}
}

test_what_git_runs_is_written_by_nobody if {
	"host.beyond" in host_names(in_workspace(fixture.does("file", "write", "persistence")))
}

test_a_command_that_hides_is_denied if {
	every doubt in ["fetched_code", "privilege", "listens", "of_a_later_version"] {
		start := fixture.with_host(fixture.does("exec", "run", "system"), {"doubts": [doubt]})
		"host.doubtful_command" in host_names(start)
	}
}

test_code_that_cannot_be_read_is_watched if {
	start := fixture.with_host(fixture.does("exec", "run", "system"), {"doubts": ["opaque"]})
	host_names(start) == {"host.ordinary", "host.opaque_command"}
}

stands(standing, verb, place) := fixture.with_host(
	fixture.does("effect", verb, place),
	{"standing": standing, "server": "notes", "tool": "read_note"},
)

test_effects_are_judged_by_how_they_stand if {
	host_names(stands("declared", "reach", "outside")) == {"host.effect_known"}
	host_names(stands("undeclared", "read", "workspace")) == {"host.effect_undeclared"}
	host_names(stands("undeclared", "reach", "outside")) == {"host.effect_beyond"}
	host_names(stands("deviation", "read", "workspace")) == {"host.effect_deviation"}
	host_names(stands("orphan", "read", "workspace")) == {"host.effect_orphan"}
}

test_an_orphan_cuts_its_server_off if {
	some result in pathwarden.decision with input as stands("orphan", "read", "credential")
	result.contain == [{"verb": "no_egress", "target": "server", "expires_ms": 600000}]
}

test_many_refusals_hold_no_process if {
	start := object.union(fixture.does("file", "write", "workspace"), {"session": {"refused": 99}})
	host_names(start) == {"host.ordinary"}
}
