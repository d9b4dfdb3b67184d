# What any agent may do, and when a person or a stop is needed. Nothing is allowed unless a rule
# says so; what rules say adds up, and the most restrained verdict counts.
package pathwarden

# How often the very same call may be decided in one session before it counts as a loop.
repeats_max := 8

# How many refusals a session may collect before a person has to look at it.
refusals_max := 5

# How many messages may go out per minute.
sends_per_minute := 30

# Kinds of action that a person has to approve whoever asks: they change how other things work,
# destroy, run code, or nobody said what they do.
person_classes := {"configure", "delete", "execute", "unknown"}

approved if input.approval == "approved"

# baseline.unusable_facts
# Why: a rule that reads a missing fact is undefined, and an undefined deny is no deny. The engine
# checks all facts before it asks; this repeats it for those that the shipped rules read, so that
# they hold even where somebody evaluates them without that check.
decision contains {
	"rule": "baseline.unusable_facts",
	"verdict": "deny",
	"reason": "a fact that the rules need is missing or of a wrong type",
	"advice": "tell the person that an operator must look at it",
} if {
	not usable
}

usable if {
	is_string(input.action.class)
	is_boolean(input.action.server_inside)
	is_boolean(input.task.stated)
	is_number(input.session.repeats)
	is_number(input.session.refused)
	is_boolean(input.session.untrusted_seen)
	is_string(input.approval)
	is_array(input.targets)
	is_array(input.contents)
	not has_unusable_target
	not has_unusable_content
}

has_unusable_target if {
	some target in input.targets
	not usable_target(target)
}

usable_target(target) if {
	is_string(target.kind)
	is_string(target.given_by)
	is_boolean(target.inside)
}

has_unusable_content if {
	some content in input.contents
	not usable_content(content)
}

usable_content(content) if {
	is_string(content.pointer)
	is_string(content.class)
}

# baseline.read_inside
# Why: looking at what the organisation runs itself changes nothing and tells nobody outside.
decision contains {
	"rule": "baseline.read_inside",
	"verdict": "allow",
	"reason": "reads from a server of the organisation",
} if {
	input.action.class == "read"
	input.action.server_inside == true
	not reaches_unknown
}

# baseline.write_inside
# Why: a change inside can be changed back. Somebody must have asked for something, though: an agent
# that nobody gave a task has no business changing anything.
decision contains {
	"rule": "baseline.write_inside",
	"verdict": "allow",
	"reason": "changes something on a server of the organisation, for a stated task",
} if {
	input.action.class == "write"
	input.action.server_inside == true
	input.task.stated == true
	not reaches_unknown
}

# baseline.reaches_unknown
# Why: a link can carry data out in its path, and an invitation is a message. Where a read or a write
# reaches somebody outside whom neither the task nor content of ours names, a person decides.
decision contains {
	"rule": "baseline.reaches_unknown",
	"verdict": "hold",
	"reason": "reads or writes something that reaches a target outside which nobody named",
	"advice": "wait for the answer, or use a target that the task or your own content names",
} if {
	input.action.class in {"read", "write"}
	reaches_unknown
	not approved
}

reaches_unknown if {
	some target in input.targets
	target.inside != true
	not target.given_by in {"content", "task"}
}

# baseline.approved
# Why: the approval of a person, bound to this very action, is a reason to let it through. It lowers
# nothing: a deny stays a deny.
decision contains {
	"rule": "baseline.approved",
	"verdict": "allow",
	"reason": "a person approved this very action",
} if {
	approved
}

# baseline.needs_person
# Why: see person_classes.
decision contains {
	"rule": "baseline.needs_person",
	"verdict": "hold",
	"reason": "a person must approve what configures, deletes, runs code or is unknown",
	"advice": "wait for the answer, or find a way that only reads",
} if {
	input.action.class in person_classes
	not approved
}

# baseline.loop
# Why: an agent that makes the same call over and over is stuck, and each turn costs money.
decision contains {
	"rule": "baseline.loop",
	"verdict": "deny",
	"reason": "the same call was made too often in this session",
	"advice": "do not repeat this call; use what it returned before, or tell the person what is missing",
} if {
	input.session.repeats >= repeats_max
}

# baseline.many_refusals
# Why: a session that keeps running into refusals is probing or misled; a person should look before
# it finds the one way that works.
decision contains {
	"rule": "baseline.many_refusals",
	"verdict": "hold",
	"reason": "many actions of this session were refused",
	"advice": "wait for the answer; do not try other ways to do what was refused",
} if {
	input.session.refused >= refusals_max
	not approved
}

# baseline.send_rate
# Why: a message cannot be called back, so a run-away agent must be slow enough to be stopped.
decision contains {
	"rule": "baseline.send_rate",
	"verdict": "constrain",
	"reason": "messages are limited per minute",
	"obligations": [{"kind": "rate_limit", "per_minute": sends_per_minute}],
} if {
	input.action.class == "send"
}

# baseline.send_after_untrusted
# Why: content that outsiders wrote may hold instructions. A message that follows is marked for a
# person to look at, even if nothing in it is forbidden.
decision contains {
	"rule": "baseline.send_after_untrusted",
	"verdict": "constrain",
	"reason": "sends something after reading content that outsiders may have written",
	"obligations": [{"kind": "watch"}],
} if {
	input.action.class == "send"
	input.session.untrusted_seen == true
}
