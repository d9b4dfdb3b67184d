//! Collects what is read, whatever the API.

use std::collections::BTreeMap;
use std::ops::Range;

use pathwarden_json::{Json, Kind, push_string};

use super::fields::{Fields, Spot};
use super::plain::{is_mark, is_quiet, plain};
use super::{
    Declared, Part, PartKind, Request, RequestFault, ServerTool, chat, gemini, messages, responses,
};
use crate::Api;

/// The longest id or name that is only an id or a name, in bytes: those that providers make are shorter.
const NAME_BYTES_MAX: usize = 64;

/// Members of a request that steer the call and that no model reads.
const SETTINGS: [&str; 18] = [
    "betas",
    "client_metadata",
    "fallback_credit_token",
    "fallbacks",
    "include",
    "labels",
    "metadata",
    "prompt_cache_key",
    "safetySettings",
    "safety_identifier",
    "safety_settings",
    "stop",
    "stop_sequences",
    "toolConfig",
    "tool_choice",
    "tool_config",
    "user",
    "user_profile_id",
];

/// Everything that a request says.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    pub(super) model: String,
    pub(super) streams: bool,
    pub(super) continues: Option<String>,
    pub(super) parts: Vec<Part>,
    /// Where each part stands in the body, in bytes.
    pub(super) spans: Vec<Range<usize>>,
    pub(super) tools: Vec<Declared>,
    pub(super) server_tools: Vec<ServerTool>,
    pub(super) tools_at: Option<Range<usize>>,
    /// The tools of calls, by id, so that a result has the name of its tool.
    names: BTreeMap<String, String>,
    /// How many calls without id a tool has so far, and how many results.
    called: BTreeMap<String, usize>,
    answered: BTreeMap<String, usize>,
}

/// To what a part belongs.
#[derive(Clone, Debug, Default)]
pub(super) struct Label {
    pub(super) call: Option<String>,
    pub(super) name: Option<String>,
}

impl Label {
    pub(super) const fn named(name: Option<String>) -> Self {
        Self { call: None, name }
    }
}

impl Reader {
    pub(super) fn read(
        api: Api,
        root: Json<'_>,
        model_of_path: Option<&str>,
    ) -> Result<Self, RequestFault> {
        if root.kind() != Kind::Object {
            return Err(RequestFault::NotAnObject);
        }
        let mut fields = Fields::of(&Spot::root(root))?;
        let mut reader = Self { streams: fields.flag("stream")?, ..Self::default() };
        reader.model = model(api, &mut fields, model_of_path)?;
        match api {
            Api::ChatCompletions => chat::read(&mut reader, &mut fields)?,
            Api::Responses => responses::read(&mut reader, &mut fields)?,
            Api::Messages => messages::read(&mut reader, &mut fields)?,
            Api::GenerateContent => gemini::read(&mut reader, &mut fields)?,
        }
        for setting in SETTINGS {
            fields.take(setting);
        }
        reader.rest(fields, PartKind::System, &Label::default())?;
        Ok(reader)
    }

    /// A part, whatever kind of value it is.
    pub(super) fn part(
        &mut self,
        kind: PartKind,
        spot: &Spot<'_>,
        label: &Label,
    ) -> Result<(), RequestFault> {
        let is_string = kind != PartKind::Media && spot.kind() == Kind::String;
        let text = if is_string { spot.string()? } else { plain(spot.value.text()) };
        self.push(kind, spot, label, (text, is_string))
    }

    /// A part without words that can be read here.
    pub(super) fn media(&mut self, spot: &Spot<'_>, label: &Label) -> Result<(), RequestFault> {
        self.part(PartKind::Media, spot, label)
    }

    /// A part of which the text is made.
    pub(super) fn shown(
        &mut self,
        kind: PartKind,
        spot: &Spot<'_>,
        label: &Label,
        text: String,
    ) -> Result<(), RequestFault> {
        self.push(kind, spot, label, (text, false))
    }

    fn push(
        &mut self,
        kind: PartKind,
        spot: &Spot<'_>,
        label: &Label,
        (text, is_string): (String, bool),
    ) -> Result<(), RequestFault> {
        if self.parts.len() >= Request::PARTS_MAX {
            return Err(RequestFault::TooMany { what: "parts", max: Request::PARTS_MAX });
        }
        let Label { call, name } = label.clone();
        self.parts.push(Part { kind, pointer: spot.at.clone(), text, is_string, call, name });
        self.spans.push(spot.value.span());
        Ok(())
    }

    /// A member that should be an id or a name. One that could be words is a part as well.
    pub(super) fn mark(
        &mut self,
        fields: &mut Fields<'_>,
        member: &'static str,
    ) -> Result<Option<String>, RequestFault> {
        let Some(spot) = fields.take(member) else { return Ok(None) };
        let string = spot.string()?;
        if !is_mark(&string, NAME_BYTES_MAX) {
            self.media(&spot, &Label::default())?;
        }
        Ok(Some(string))
    }

    /// What nobody took of an object: strings as parts of this kind, everything else as it stands, and
    /// with the name where that could be words.
    pub(super) fn rest(
        &mut self,
        fields: Fields<'_>,
        kind: PartKind,
        label: &Label,
    ) -> Result<(), RequestFault> {
        for (name, spot) in fields.rest()? {
            if !is_mark(&name, NAME_BYTES_MAX) {
                let mut text = String::from("{");
                push_string(&mut text, &name);
                text.push_str(&format!(":{}}}", plain(spot.value.text())));
                self.shown(PartKind::Media, &spot, label, text)?;
            } else if !is_quiet(spot.value) {
                let kind = if spot.kind() == Kind::String { kind } else { PartKind::Media };
                self.part(kind, &spot, label)?;
            }
        }
        Ok(())
    }

    /// Members whose text the model reads, as parts of this kind.
    pub(super) fn texts(
        &mut self,
        fields: &mut Fields<'_>,
        members: &[&'static str],
        kind: PartKind,
        label: &Label,
    ) -> Result<(), RequestFault> {
        let spots = members.iter().filter_map(|member| fields.take(member));
        spots.collect::<Vec<_>>().iter().try_for_each(|spot| self.part(kind, spot, label))
    }

    /// The label of a call. One without id gets it from its place: the tool, and how many calls of it
    /// without id came before.
    pub(super) fn call(&mut self, id: Option<String>, name: Option<String>) -> Label {
        let id = id.unwrap_or_else(|| count(&mut self.called, name.as_deref()));
        if let Some(name) = &name {
            self.names.insert(id.clone(), name.clone());
        }
        Label { call: Some(id), name }
    }

    /// The label of a result, with the tool of its call.
    pub(super) fn result(&mut self, id: Option<String>, name: Option<String>) -> Label {
        let id = id.unwrap_or_else(|| count(&mut self.answered, name.as_deref()));
        let name = name.or_else(|| self.names.get(&id).cloned());
        Label { call: Some(id), name }
    }

    pub(super) fn declare(&mut self, tool: Declared) -> Result<(), RequestFault> {
        self.room_for_tool()?;
        self.tools.push(tool);
        Ok(())
    }

    pub(super) fn serve(&mut self, tool: ServerTool) -> Result<(), RequestFault> {
        self.room_for_tool()?;
        self.server_tools.push(tool);
        Ok(())
    }

    fn room_for_tool(&self) -> Result<(), RequestFault> {
        if self.tools.len() + self.server_tools.len() >= Request::TOOLS_MAX {
            return Err(RequestFault::TooMany { what: "tools", max: Request::TOOLS_MAX });
        }
        Ok(())
    }
}

/// The model that a body asks for. That of the path counts, so a body may not name another.
fn model(api: Api, fields: &mut Fields<'_>, of_path: Option<&str>) -> Result<String, RequestFault> {
    let spot = fields.take("model");
    let named = spot.as_ref().map(Spot::string).transpose()?;
    match (spot, named, of_path) {
        (Some(spot), Some(named), Some(of_path)) => {
            let is_same = named.strip_prefix("models/").unwrap_or(&named) == of_path;
            is_same.then(|| of_path.to_owned()).ok_or_else(|| spot.shape("the model of the path"))
        }
        (_, _, Some(of_path)) => Ok(of_path.to_owned()),
        (_, Some(named), None) => Ok(named),
        // A template at the provider names the model, and so does the path.
        (_, None, None) if matches!(api, Api::Responses | Api::GenerateContent) => {
            Ok(String::new())
        }
        (_, None, None) => {
            Err(RequestFault::Shape { at: "/model".to_owned(), expected: "the model" })
        }
    }
}

/// The id of the Nth call of a tool that came without one, or of its result: `NAME#N`.
fn count(counts: &mut BTreeMap<String, usize>, name: Option<&str>) -> String {
    let name = name.unwrap_or_default();
    let count = counts.entry(name.to_owned()).or_default();
    *count += 1;
    format!("{name}#{count}")
}
