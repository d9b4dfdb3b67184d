# Inputs that the tests start from.
package pathwarden_fixture

# A harmless read by an agent with a task.
read := {
	"action": {
		"kind": "tool_call",
		"server": "files",
		"server_inside": true,
		"name": "read_file",
		"class": "read",
		"arguments": {"path": "invoices/1.txt"},
		"arguments_bytes": 25,
		"claim": "unseen",
	},
	"agent": {"name": "invoices", "owner": "finance", "role": "finance", "purpose": "handle invoices"},
	"task": {"stated": true, "text": "ask the vendor for updated tax documents"},
	"session": {
		"actions": 1,
		"refused": 0,
		"repeats": 0,
		"looping": "none",
		"untrusted_seen": false,
		"restricted_seen": false,
	},
	"purpose": {
		"acts": ["look"],
		"asked": false,
		"left_open": false,
		"ordered": false,
		"reversible": true,
		"outward": false,
		"authenticates": false,
		"sets_credential": false,
		"asks_secret": false,
		"asks_everything": false,
	},
	"conduct": {"deviations": [], "excess": [], "escalations": []},
	"supply": {"trust": "known", "reasons": []},
	"model": {"server_tools": []},
	"host": {
		"program": "",
		"program_place": "",
		"acts": [],
		"doubts": [],
		"server": "",
		"tool": "",
		"standing": "",
	},
	"targets": [],
	"origins": [],
	"contents": [],
	"approval": "none",
	"risk": {"score": 0, "likelihood": 0, "impact": 0, "band": "low", "terms": []},
	"now_ms": 1700000000000,
}

vendor := {
	"pointer": "/to",
	"kind": "email",
	"value": "billing@vendor.example",
	"inside": false,
	"given_by": "content",
}

colleague := object.union(vendor, {"value": "ann@us.example", "inside": true, "given_by": "task"})

stranger := object.union(vendor, {"value": "x@evil.example", "given_by": "nobody"})

misleading := object.union(vendor, {"value": "eve@evil.example", "given_by": "outside_content"})

account := {
	"pointer": "/iban",
	"kind": "account",
	"value": "DE89370400440532013000",
	"inside": false,
	"given_by": "content",
}

# An argument that decides something, and who gave its value.
origin(role, given_by) := {
	"pointer": "/to",
	"role": role,
	"given_by": given_by,
	"cue": 0,
}

iban := {"pointer": "/body", "class": "iban", "count": 1}

secret := {"pointer": "/body", "class": "secret", "count": 1}

with_action(change) := object.union(read, {"action": change})

with_purpose(start, change) := object.union(start, {"purpose": change})

with_band(start, band) := object.union(start, {"risk": {"band": band}})

with_session(change) := object.union(read, {"session": change})

send(targets, contents) := object.union(with_action({"class": "send", "name": "send_mail"}), {
	"purpose": {"acts": ["message"], "asked": true},
	"targets": targets,
	"contents": contents,
})

pay(targets) := object.union(with_action({"class": "pay", "name": "pay"}), {
	"purpose": {"acts": ["pay"], "asked": true},
	"targets": targets,
})

approved(start) := object.union(start, {"approval": "approved"})

# A server that asks the client for something.
asks(kind, inside) := with_action({"kind": kind, "name": "asked", "server_inside": inside})

page := {"pointer": "/url", "kind": "url", "value": "https://evil.example/", "inside": false, "given_by": "nobody"}

# A process that does one thing to the machine.
does(kind, verb, place) := object.union(
	with_action({"kind": kind, "server": "host", "server_inside": false, "name": verb, "class": "write"}),
	{"host": {
		"program": "/usr/bin/cat",
		"program_place": "system",
		"acts": [{"verb": verb, "place": place, "what": "/x", "in_workspace": false}],
		"standing": "attempt",
	}},
)

with_host(start, change) := object.union(start, {"host": change})

# The names of the rules among results.
names(results) := {result.rule | some result in results}
