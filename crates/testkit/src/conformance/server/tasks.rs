//! Tools that go on as tasks when the client knows what a task is.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, CreateTaskResult,
    ElicitRequest, InputRequest,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::task_manager::{TaskContext, TaskExit, TaskFuture, TaskOptions};
use serde_json::{Value, json};

use super::Server;
use super::ask::form;
use super::rounds;
use super::tools::{capabilities, done, failed};

/// How often the client should ask for the state of a task.
const POLL_MS: u64 = 200;

/// How long a task that fails takes.
const FAIL_AFTER: Duration = Duration::from_millis(300);

/// The longest that a task computes.
const SECONDS_MAX: u64 = 120;

impl Server {
    pub(super) async fn call_task(
        &self,
        call: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let declared = capabilities(context).supports_tasks();
        match call.name.as_ref() {
            "slow_compute" if !declared => {
                tokio::time::sleep(pause(call)).await;
                Ok(computed(pause(call)).into())
            }
            "slow_compute" => {
                let pause = pause(call);
                Ok(self.spawn(move |task| Box::pin(compute(pause, task))))
            }
            "failing_job"
            | "protocol_error_job"
            | "confirm_delete"
            | "multi_input"
            | "test_tool_with_task"
                if !declared =>
            {
                let required = ClientCapabilities::builder().enable_tasks().build();
                Err(ErrorData::missing_required_client_capability(required))
            }
            "failing_job" => Ok(self.spawn(|_| {
                Box::pin(async {
                    tokio::time::sleep(FAIL_AFTER).await;
                    Ok(failed("the job failed, as asked"))
                })
            })),
            "protocol_error_job" => Ok(self.spawn(|_| {
                Box::pin(async {
                    tokio::time::sleep(FAIL_AFTER).await;
                    Err(ErrorData::internal_error("the job broke, as asked", None).into())
                })
            })),
            "confirm_delete" => Ok(self.spawn(|task| Box::pin(confirm(task)))),
            "multi_input" => Ok(self.spawn(|task| Box::pin(confirm_both(task)))),
            "test_tool_with_task" => Ok(match rounds::name(call)? {
                Err(asked) => asked.into(),
                Ok(name) => self.spawn(move |_| {
                    Box::pin(async move { Ok(done(format!("Hello from a task, {name}!"))) })
                }),
            }),
            _ => Err(ErrorData::invalid_params("there is no such tool", None)),
        }
    }

    fn spawn(&self, work: impl FnOnce(TaskContext) -> TaskFuture) -> CallToolResponse {
        let options = TaskOptions::new().with_poll_interval_ms(POLL_MS);
        CreateTaskResult::new(self.tasks.spawn(options, work)).into()
    }
}

fn pause(call: &CallToolRequestParams) -> Duration {
    let seconds = call.arguments.as_ref().and_then(|arguments| arguments.get("seconds")?.as_u64());
    Duration::from_secs(seconds.unwrap_or_default().min(SECONDS_MAX))
}

fn computed(pause: Duration) -> CallToolResult {
    done(format!("Computed for {} s", pause.as_secs()))
}

async fn compute(pause: Duration, task: TaskContext) -> Result<CallToolResult, TaskExit> {
    tokio::select! {
        () = task.cancelled() => Err(TaskExit::Cancelled),
        () = tokio::time::sleep(pause) => Ok(computed(pause)),
    }
}

async fn confirm(task: TaskContext) -> Result<CallToolResult, TaskExit> {
    let answer = task.request_input("confirm", question("Really delete it?")?).await?;
    Ok(done(format!("Deleted nothing, as answered: {}", content(&answer))))
}

async fn confirm_both(task: TaskContext) -> Result<CallToolResult, TaskExit> {
    let first = task.request_input("first", question("The first?")?);
    let second = task.request_input("second", question("The second?")?);
    let (first, second) = tokio::try_join!(first, second)?;
    Ok(done(format!("Answered: {} and {}", content(&first), content(&second))))
}

fn question(message: &str) -> Result<InputRequest, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": { "confirm": { "type": "boolean" } },
        "required": ["confirm"],
    });
    Ok(InputRequest::Elicitation(ElicitRequest::new(form(message, schema)?)))
}

fn content(answer: &Value) -> &Value {
    answer.get("content").unwrap_or(&Value::Null)
}
