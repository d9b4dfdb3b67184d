//! Images, sounds and resources.

use rmcp::ErrorData;
use rmcp::model::{
    ContentBlock, ReadResourceResponse, ReadResourceResult, Resource, ResourceContents,
    ResourceTemplate,
};
use serde_json::json;

/// A PNG of one red pixel.
pub(super) const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

/// A WAV file without samples.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

/// The resource with a text.
const TEXT_URI: &str = "test://static-text";

/// The resource with bytes.
const BINARY_URI: &str = "test://static-binary";

/// The resource that clients subscribe to.
const WATCHED_URI: &str = "test://watched-resource";

/// What stands before and after the parameter of the template.
const TEMPLATE: (&str, &str) = ("test://template/", "/data");

pub(super) fn image() -> ContentBlock {
    ContentBlock::image(PNG, "image/png")
}

pub(super) fn audio() -> ContentBlock {
    ContentBlock::audio(WAV, "audio/wav")
}

pub(super) fn embedded(uri: &str, mime_type: &str, text: &str) -> ContentBlock {
    ContentBlock::resource(ResourceContents::text(text, uri).with_mime_type(mime_type))
}

pub(super) fn resources() -> Vec<Resource> {
    [
        (TEXT_URI, "static-text", "A text.", "text/plain"),
        (BINARY_URI, "static-binary", "An image.", "image/png"),
        (WATCHED_URI, "watched-resource", "A text to subscribe to.", "text/plain"),
    ]
    .into_iter()
    .map(|(uri, name, description, mime_type)| {
        Resource::new(uri, name).with_description(description).with_mime_type(mime_type)
    })
    .collect()
}

pub(super) fn templates() -> Vec<ResourceTemplate> {
    let (before, after) = TEMPLATE;
    let template = ResourceTemplate::new(format!("{before}{{id}}{after}"), "template")
        .with_description("Substitutes its parameter.")
        .with_mime_type("application/json");
    vec![template]
}

pub(super) fn read(uri: &str) -> Result<ReadResourceResponse, ErrorData> {
    let contents = match uri {
        TEXT_URI => ResourceContents::text("This is the content of the static text resource.", uri)
            .with_mime_type("text/plain"),
        BINARY_URI => ResourceContents::blob(PNG, uri).with_mime_type("image/png"),
        WATCHED_URI => {
            ResourceContents::text("Watched resource.", uri).with_mime_type("text/plain")
        }
        _ => from_template(uri).ok_or_else(|| {
            ErrorData::resource_not_found("Resource not found", Some(json!({ "uri": uri })))
        })?,
    };
    Ok(ReadResourceResult::new(vec![contents]).into())
}

fn from_template(uri: &str) -> Option<ResourceContents> {
    let (before, after) = TEMPLATE;
    let id = uri.strip_prefix(before)?.strip_suffix(after)?;
    let text =
        json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") }).to_string();
    Some(ResourceContents::text(text, uri).with_mime_type("application/json"))
}
