//! How a client's shell is called: every generation of clients has its own tool for it.

use serde_json::{Value, json};

/// A shell tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShellTool {
    /// A function `exec_command` with a `cmd`.
    ExecCommand,
    /// A function `shell_command` with a `command`, a text.
    ShellCommand,
    /// A function `shell` with a `command`, an argument vector.
    Shell,
    /// The protocol's own tool `local_shell`.
    LocalShell,
    /// A free-form tool `exec` that takes JavaScript, which in turn may call `exec_command`.
    JavaScript,
}

/// What the client can do for the model.
pub(in crate::model_server) struct Tools {
    pub(super) shell: Option<ShellTool>,
}

impl Tools {
    pub(super) fn new(tools: &[Value]) -> Self {
        Self { shell: tools.iter().find_map(find_shell) }
    }
}

fn find_shell(tool: &Value) -> Option<ShellTool> {
    match (tool["type"].as_str()?, tool["name"].as_str()) {
        ("function", Some("exec_command")) => Some(ShellTool::ExecCommand),
        ("function", Some("shell_command")) => Some(ShellTool::ShellCommand),
        ("function", Some("shell")) => Some(ShellTool::Shell),
        ("local_shell", _) => Some(ShellTool::LocalShell),
        ("custom", Some("exec")) => Some(ShellTool::JavaScript),
        ("namespace", _) => tool["tools"].as_array()?.iter().find_map(find_shell),
        _ => None,
    }
}

impl ShellTool {
    /// The output item that calls this tool.
    pub(super) fn call(self, command: &str, call_id: &str) -> Value {
        let function = |name: &str, arguments: &Value| {
            json!({
                "type": "function_call",
                "id": format!("fc_{call_id}"),
                "call_id": call_id,
                "name": name,
                "arguments": arguments.to_string(),
                "status": "completed",
            })
        };
        // The longest that a command may take before the client turns to the model again.
        let yield_time_ms = 30_000;
        match self {
            Self::ExecCommand => {
                function("exec_command", &json!({ "cmd": command, "yield_time_ms": yield_time_ms }))
            }
            Self::ShellCommand => function("shell_command", &json!({ "command": command })),
            Self::Shell => function("shell", &json!({ "command": ["bash", "-lc", command] })),
            Self::LocalShell => json!({
                "type": "local_shell_call",
                "id": format!("lsh_{call_id}"),
                "call_id": call_id,
                "status": "completed",
                "action": { "type": "exec", "command": ["bash", "-lc", command], "env": {} },
            }),
            Self::JavaScript => {
                let argument = json!({ "cmd": command, "yield_time_ms": yield_time_ms });
                json!({
                    "type": "custom_tool_call",
                    "id": format!("ctc_{call_id}"),
                    "call_id": call_id,
                    "name": "exec",
                    "input": format!("text(JSON.stringify(await tools.exec_command({argument})));"),
                    "status": "completed",
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_is_found_among_other_tools() {
        for (tool, expected) in [
            (json!({ "type": "function", "name": "exec_command" }), Some(ShellTool::ExecCommand)),
            (json!({ "type": "function", "name": "shell_command" }), Some(ShellTool::ShellCommand)),
            (json!({ "type": "function", "name": "shell" }), Some(ShellTool::Shell)),
            (json!({ "type": "local_shell" }), Some(ShellTool::LocalShell)),
            (
                json!({ "type": "namespace", "name": "functions", "tools": [{ "type": "custom", "name": "exec" }] }),
                Some(ShellTool::JavaScript),
            ),
            (json!({ "type": "custom", "name": "apply_patch" }), None),
        ] {
            let tools = [
                json!({ "type": "web_search" }),
                json!({ "type": "namespace", "tools": [] }),
                tool,
            ];
            assert_eq!(Tools::new(&tools).shell, expected);
        }
    }

    #[test]
    fn a_call_holds_the_command_where_its_tool_looks_for_it() {
        let command = "echo \"it's\"";
        let arguments = |tool: ShellTool| {
            let call = tool.call(command, "call_1");
            serde_json::from_str::<Value>(call["arguments"].as_str().unwrap()).unwrap()
        };
        assert_eq!(arguments(ShellTool::ExecCommand)["cmd"], command);
        assert_eq!(arguments(ShellTool::ShellCommand)["command"], command);
        assert_eq!(arguments(ShellTool::Shell)["command"], json!(["bash", "-lc", command]));
        let local = ShellTool::LocalShell.call(command, "call_1");
        assert_eq!(local["action"]["command"][2], command);
        let script = ShellTool::JavaScript.call(command, "call_1");
        assert!(script["input"].as_str().unwrap().contains(r#""cmd":"echo \"it's\"""#));
    }
}
