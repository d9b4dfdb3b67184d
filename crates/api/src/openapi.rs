//! The OpenAPI 3.1 document, made from the table of routes.

use pathwarden_wire::Fault;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::exchange::Allowed;
use crate::routes::Route;

/// The document.
pub(crate) fn document(routes: &[Route]) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let fault = generator.subschema_for::<Fault>();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let mut operation = json!({
            "summary": route.summary,
            "description": format!("For {}.", route.allowed.in_words()),
            "parameters": parameters(route.path),
            "responses": {
                "default": { "description": "What went wrong, and what to do about it",
                    "content": { "application/json": { "schema": fault } } }
            },
            "security": match route.allowed {
                Allowed::Anyone => json!([]),
                _ => json!([{ "bearer": [] }]),
            },
        });
        let answer = match route.response {
            Some(schema) => {
                json!({ "application/json": { "schema": schema(&mut generator) } })
            }
            None => json!({ "text/plain": { "schema": { "type": "string" } } }),
        };
        set(
            &mut operation,
            "responses",
            "200",
            json!({ "description": "Done", "content": answer }),
        );
        if let (Some(schema), Value::Object(members)) = (route.request, &mut operation) {
            let content = json!({ "application/json": { "schema": schema(&mut generator) } });
            members
                .insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
        }
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        if let Value::Object(path) = path {
            path.insert(route.method.to_owned(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Pathwarden", "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" } },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn set(operation: &mut Value, member: &str, key: &str, value: Value) {
    if let Some(Value::Object(members)) = operation.get_mut(member) {
        members.insert(key.to_owned(), value);
    }
}

fn parameters(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::exchange::Allowed;

    #[test]
    fn the_document_names_every_route_once() {
        let routes = crate::routes::all();
        let document = crate::openapi_document();
        for route in &routes {
            let operation =
                document.pointer("/paths").and_then(|p| p.get(route.path)?.get(route.method));
            assert!(operation.is_some(), "{} {}", route.method, route.path);
        }
        assert!(document.pointer("/components/schemas/Ask").is_some());
    }

    #[test]
    fn an_agent_can_do_nothing_but_act() {
        let theirs: Vec<&str> = crate::routes::all()
            .iter()
            .filter(|route| matches!(route.allowed, Allowed::Agents | Allowed::Anyone))
            .map(|route| route.path)
            .collect();
        assert_eq!(
            theirs,
            [
                "/v1/join",
                "/v1/actions",
                "/v1/actions/{action}/wait",
                "/v1/effects",
                "/v1/observations",
                "/v1/openapi.json",
                "/v1/catalogues",
                "/v1/findings/new",
                "/v1/changes",
                "/v1/points/orders"
            ]
        );
    }
}
