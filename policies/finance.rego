# What an agent that handles invoices, vendors and payments may do. Agents of other roles are judged by
# the other files.
package pathwarden

# The roles that this file is about, as the configuration names them.
finance_roles := {"finance", "finance-assistant", "accounts-payable"}

of_finance if input.agent.role in finance_roles

# Who approves payments, in the organisation's words.
payment_role := "finance-approver"

# How long a payment waits for an approval: 15 minutes.
payment_wait_ms := 900000

# A target is known when the person named it in the task, or when it stands in content that the
# session read. What nobody gave, the agent made up.
is_known(target) if target.given_by in {"content", "task"}

is_named_outside(target) if target.given_by in {"record", "pointed", "outside_content", "ordered"}

has_unknown_target if {
	some target in input.targets
	not is_known(target)
	not is_named_outside(target)
}

has_outside_named_target if {
	some target in input.targets
	is_named_outside(target)
}

has_target if some _ in input.targets

# finance.send_allowed
# Why: writing to somebody whom the task or the thread names is what the agent is for.
decision contains {
	"rule": "finance.send_allowed",
	"verdict": "allow",
	"reason": "every recipient was named by the task or by content that was read",
} if {
	of_finance
	input.action.class == "send"
	has_target
	not has_unknown_target
	not has_outside_named_target
}

# finance.outside_named_recipient
# Why: "forward this to …" in a mail from outside is how an agent is misled. Who only such content
# names may be right; a person tells.
decision contains {
	"rule": "finance.outside_named_recipient",
	"verdict": "hold",
	"reason": "a recipient is named only by content that outsiders may have written",
	"advice": "wait for the answer, or ask the person to name the recipient",
} if {
	of_finance
	input.action.class == "send"
	has_outside_named_target
	input.approval != "approved"
}

# finance.unknown_recipient
# Why: a recipient that nobody named is a slip of the model or the work of an injected instruction.
decision contains {
	"rule": "finance.unknown_recipient",
	"verdict": "deny",
	"reason": "a recipient was named neither by the task nor by content that was read",
	"advice": "use an address from the thread, or ask the person to name the recipient",
} if {
	of_finance
	input.action.class == "send"
	has_unknown_target
}

# finance.no_recipient
# Why: where nobody can tell whom a message reaches, a person decides.
decision contains {
	"rule": "finance.no_recipient",
	"verdict": "hold",
	"reason": "sends something, but to whom cannot be told",
	"advice": "wait for the answer, or name the recipient in an argument of its own",
} if {
	of_finance
	input.action.class == "send"
	not has_target
	not approved
}

# finance.payment
# Why: money that moved does not come back. One person of the finance team approves each payment.
decision contains {
	"rule": "finance.payment",
	"verdict": "hold",
	"reason": "a payment needs the approval of the finance team",
	"advice": "wait for the answer",
	"approval": {"role": payment_role, "within_ms": payment_wait_ms},
} if {
	of_finance
	input.action.class == "pay"
	not approved
}

# finance.unknown_account
# Why: a changed account number is how invoice fraud works. One that nobody gave is not paid to, not
# even with an approval: a person who is asked about ten payments overlooks the wrong digit.
decision contains {
	"rule": "finance.unknown_account",
	"verdict": "deny",
	"reason": "the account to pay to was named neither by the task nor by content that was read",
	"advice": "use the account on the invoice, or ask the person to name it",
} if {
	of_finance
	input.action.class == "pay"
	has_unknown_target
}
