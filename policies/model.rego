# What an agent may show a model, and what a model may be given to use. What a model then asks the agent to
# do is an action like any other, judged by the other files.
package pathwarden

is_model_call if input.action.kind == "model_call"

# A tool that the provider of the model runs itself: nobody stands before it.
server_tools contains tool if {
	is_model_call
	some tool in input.model.server_tools
}

# An MCP server that the provider calls for the model, by its address or by a connector of the provider's.
remote_servers contains tool if {
	some tool in server_tools
	tool.kind == "mcp"
}

reaches_remote_outside if {
	is_model_call
	some target in input.targets
	target.inside != true
}

# model.call
# Why: thinking changes nothing. The operator chose the provider by configuring it.
decision contains {
	"rule": "model.call",
	"verdict": "allow",
	"reason": "asks a model of a provider that the operator configured",
} if {
	is_model_call
}

# model.secret
# Why: no model needs a credential to say what is to be done with it, and what it has seen it can repeat.
decision contains {
	"rule": "model.secret",
	"verdict": "constrain",
	"reason": "a credential would be shown to a model",
	"advice": "it was taken out; let a tool use the credential by its name",
	"obligations": [{"kind": "redact", "pointer": content.pointer, "classes": ["secret"]}],
} if {
	is_model_call
	some content in input.contents
	content.class == "secret"
}

# model.remote_outside
# Why: the provider would call a server that the organisation does not run, with what stands in the window.
decision contains {
	"rule": "model.remote_outside",
	"verdict": "deny",
	"reason": "the model may use a server outside the organisation, where nobody decides its calls",
	"advice": "reach the server through the gateway, so that its calls are decided",
} if {
	reaches_remote_outside
}

# model.remote_unapproved
# Why: what the provider calls without asking, nobody decides.
decision contains {
	"rule": "model.remote_unapproved",
	"verdict": "deny",
	"reason": "the model may use a server through its provider without anybody being asked",
	"advice": "set `require_approval` to `always`, or reach the server through the gateway",
} if {
	some tool in remote_servers
	tool.approval != "always"
}

# model.remote_unnamed
# Why: a connector says nothing of where it leads.
decision contains {
	"rule": "model.remote_unnamed",
	"verdict": "deny",
	"reason": "the model may use a server through its provider that has no address",
	"advice": "reach the server through the gateway, so that its calls are decided",
} if {
	some tool in remote_servers
	tool.server_url == ""
}

# model.server_tool
# Why: a search or a program that the provider runs can carry out what stands in the window.
decision contains {
	"rule": "model.server_tool",
	"verdict": "constrain",
	"reason": "the provider may run tools of its own with what stands in the window",
	"obligations": [{"kind": "watch"}],
} if {
	some _ in server_tools
}

# model.approves
# Why: the provider asks before it calls a server, so that somebody decides. The agent's own program is
# nobody.
decision contains {
	"rule": "model.approves",
	"verdict": "hold",
	"reason": "the agent approves a call that the provider makes by itself",
	"advice": "wait for the answer, or reach the server through the gateway",
} if {
	some tool in server_tools
	tool.kind == "mcp_approval_response"
	not approved
}

# model.orphan
# Why: who carries out what no model asked for is not the agent as it is known, or not the agent alone.
# Reading may be the harness at its work.
decision contains {
	"rule": "model.orphan",
	"verdict": "hold",
	"reason": "no model call of this session emitted this call",
	"advice": "wait for the answer; a person looks at who is calling",
} if {
	input.action.claim == "orphan"
	input.action.class != "read"
	not approved
}

# model.altered
# Why: between what the model said and what is carried out stands only the agent's own program.
decision contains {
	"rule": "model.altered",
	"verdict": "hold",
	"reason": "the model emitted this call with other arguments",
	"advice": "wait for the answer, or make the call as the model asked for it",
} if {
	input.action.claim == "altered"
	input.action.class != "read"
	not approved
}
