# What an agent's processes may do to the machine: programs, files, connections. The kernel asks before it
# happens; what happened without being asked is judged afterwards, as an effect.
package pathwarden

is_attempt if input.action.kind in {"exec", "file", "connect"}

is_effect if input.action.kind == "effect"

# Where reading is part of any work. Programs read the machine's settings and their own.
read_places := {
	"workspace", "system", "toolchain", "temporary", "device", "process", "persistence", "named",
}

# Where an agent may leave something.
write_places := {"workspace", "toolchain", "temporary", "device", "named"}

# Where the programs stand that it may start. What it builds itself can do no more than it can.
run_places := {"workspace", "system", "toolchain", "temporary", "named"}

# Whom it may reach: the node that governs it, what its own processes offer, what the operator named, and
# who turns names into addresses.
reach_places := {"node", "own", "named", "resolver"}

change_verbs := {"write", "remove", "change"}

# What makes a command line one that nobody should have to trust.
bad_doubts := {"fetched_code", "decoded_code", "privilege", "listens", "history", "too_deep", "too_long", "unparsable"}

known_doubts := {
	"fetched_code", "decoded_code", "privilege", "listens", "history", "too_deep", "too_long", "unparsable",
	"opaque", "decoded", "wildcard",
}

is_allowed_act(act) if {
	act.verb == "read"
	act.place in read_places
}

# A project's own keys and settings: programs under test need them. The reading is marked.
is_allowed_act(act) if {
	act.verb == "read"
	act.place == "credential"
	act.in_workspace == true
}

is_allowed_act(act) if {
	act.verb in change_verbs
	act.place in write_places
}

# A project's own settings, which an agent may be asked to write.
is_allowed_act(act) if {
	act.verb in change_verbs
	act.place == "credential"
	act.in_workspace == true
}

is_allowed_act(act) if {
	act.verb == "run"
	act.place in run_places
}

is_allowed_act(act) if {
	act.verb == "reach"
	act.place in reach_places
}

# What a command line would reach is decided when it connects: then the address is known.
is_allowed_act(act) if {
	act.verb == "reach"
	input.action.kind == "exec"
}

# Addresses that nobody named, on this machine or elsewhere: a person decides.
is_unknown_reach(act) if {
	input.action.kind == "connect"
	act.verb == "reach"
	act.place in {"loopback", "outside"}
}

reaches_unknown_host if {
	some act in input.host.acts
	is_unknown_reach(act)
}

forbidden_acts contains act if {
	some act in input.host.acts
	not is_allowed_act(act)
	not is_unknown_reach(act)
}

has_forbidden_act if some _ in forbidden_acts

has_bad_doubt if {
	some doubt in input.host.doubts
	doubt in bad_doubts
}

has_bad_doubt if {
	some doubt in input.host.doubts
	not doubt in known_doubts
}

# host.ordinary
# Why: an agent that may work on a machine works in its workspace, with the machine's programs.
decision contains {
	"rule": "host.ordinary",
	"verdict": "allow",
	"reason": "stays within the workspace, the system's programs and what the operator named",
} if {
	is_attempt
	not has_forbidden_act
	not has_bad_doubt
	not reaches_unknown_host
}

# host.reaches_unknown
# Why: what leaves cannot be called back. Nothing waits in the kernel for the answer: the connection is
# refused, the question stands, and the next try after it was approved goes through.
decision contains {
	"rule": "host.reaches_unknown",
	"verdict": "hold",
	"reason": "a process connects to an address that nobody named",
	"advice": "try again when a person has answered, or go on without it",
} if {
	reaches_unknown_host
	not approved
}

# host.beyond
# Why: credentials, other people's files and what starts by itself later are not part of the work.
decision contains {
	"rule": "host.beyond",
	"verdict": "deny",
	"reason": "does something beyond the workspace that is not part of ordinary work",
	"advice": "stay in the workspace; ask the person for what is missing, or to name it to the operator",
} if {
	is_attempt
	has_forbidden_act
}

# host.doubtful_command
# Why: a command line that hides what it runs, runs what it fetches, takes rights or opens the machine to
# others is how attacks look, and how work seldom does.
decision contains {
	"rule": "host.doubtful_command",
	"verdict": "deny",
	"reason": "the command line hides what it does, takes rights, or opens the machine to others",
	"advice": "run the plain command that is meant",
} if {
	is_attempt
	has_bad_doubt
}

# What stands where agents may write, or where it is not known who may.
runs_replaceable if {
	some act in input.host.acts
	act.verb == "run"
	act.place != "system"
}

# host.program_changed
# Why: what was put in the place of a tool that somebody trusted runs with all that the tool may do. It waits
# until a person has looked, or has accepted it.
decision contains {
	"rule": "host.program_changed",
	"verdict": "hold",
	"reason": "a program is not what it was when it was run before; see `pathwarden mcp pins list host --open`",
	"advice": "try again when a person has answered or accepted it, or go on without it",
} if {
	is_other_program
	runs_replaceable
	not approved
}

# host.program_of_system_changed
# Why: only those who run the machine can change what stands there, and they do so with every update. It is
# found and marked.
decision contains {
	"rule": "host.program_of_system_changed",
	"verdict": "constrain",
	"reason": "a program of the system is not what it was when it was run before",
	"obligations": [{"kind": "watch"}],
} if {
	is_other_program
	not runs_replaceable
}

# host.reads_secret
# Why: what a secret was read for shows afterwards.
decision contains {
	"rule": "host.reads_secret",
	"verdict": "constrain",
	"reason": "reads a credential of the workspace",
	"obligations": [{"kind": "watch"}],
} if {
	is_attempt
	some act in input.host.acts
	act.verb == "read"
	act.place == "credential"
}

# host.opaque_command
# Why: code in another language says little of what it will do; the kernel watches it.
decision contains {
	"rule": "host.opaque_command",
	"verdict": "constrain",
	"reason": "the command line holds code that cannot be read from outside",
	"obligations": [{"kind": "watch"}],
} if {
	is_attempt
	some doubt in input.host.doubts
	doubt in {"opaque", "decoded", "wildcard"}
}

# host.effect_known
# Why: what a tool did while its call was open, as its contract says, is the call's work; where no contract
# is, it is part of it as long as it is something that agents may do at all.
decision contains {
	"rule": "host.effect_known",
	"verdict": "allow",
	"reason": "belongs to the call that was open",
} if {
	is_effect
	input.host.standing == "declared"
}

decision contains {
	"rule": "host.effect_undeclared",
	"verdict": "allow",
	"reason": "nothing unusual, while a call of a tool without an effect contract was open",
} if {
	is_effect
	input.host.standing == "undeclared"
	not has_forbidden_act
}

# host.effect_beyond
# Why: a tool without a contract did what no agent may. Its server has no more to say to the outside until
# a person has looked.
decision contains {
	"rule": "host.effect_beyond",
	"verdict": "deny",
	"reason": "a call was open, and its server did something that is not part of ordinary work",
	"advice": "go on without this tool; a person looks at its server",
	"contain": [{"verb": "no_egress", "target": "server", "expires_ms": 600000}],
} if {
	is_effect
	input.host.standing == "undeclared"
	has_forbidden_act
}

# host.effect_deviation
# Why: a tool that does what its contract does not say is not the tool that was reviewed.
decision contains {
	"rule": "host.effect_deviation",
	"verdict": "deny",
	"reason": "a tool did what its effect contract does not say",
	"advice": "go on without this tool; a person looks at its server",
	"contain": [{"verb": "no_egress", "target": "server", "expires_ms": 600000}],
} if {
	is_effect
	input.host.standing == "deviation"
}

# host.effect_orphan
# Why: nobody asked for it. Whatever it was for, it must not leave the machine.
decision contains {
	"rule": "host.effect_orphan",
	"verdict": "deny",
	"reason": "something was done that no open call and no decision accounts for",
	"advice": "go on without this tool; a person looks at its server",
	"contain": [{"verb": "no_egress", "target": "server", "expires_ms": 600000}],
} if {
	is_effect
	input.host.standing == "orphan"
}
