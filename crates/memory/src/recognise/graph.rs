//! The knowledge graph of the official memory server (modelcontextprotocol/servers, `src/memory`).

use pathwarden_json::{Json, Kind};

use super::{Reads, Uses, is_long, text, texts};
use pathwarden_types::WriteMode::Add;

/// A call of one of its nine tools, when it has their form. Its server never overwrites: entities that
/// exist are left as they are, and observations are added.
pub(super) fn uses(server: &str, tool: &str, arguments: Json<'_>) -> Option<Uses> {
    let mut uses = Uses::of(server);
    let list = |name: &str| arguments.member(name).filter(|list| list.kind() == Kind::Array);
    match tool {
        "create_entities" => list("entities")?.items().for_each(|one| entity(&mut uses, one)),
        "create_relations" => list("relations")?.items().for_each(|one| relation(&mut uses, one)),
        "add_observations" => {
            list("observations")?.items().for_each(|one| observations(&mut uses, one));
        }
        "delete_entities" => {
            list("entityNames")?;
            texts(arguments, "entityNames").iter().for_each(|name| uses.remove(name, None));
        }
        "delete_observations" => {
            list("deletions")?.items().for_each(|one| deletion(&mut uses, one));
        }
        "delete_relations" => list("relations")?.items().for_each(|one| {
            let key = text(one, "from").unwrap_or_default();
            uses.remove(&key, Some(sentence(one)));
        }),
        "read_graph" => uses.reads = Reads::Any,
        "search_nodes" => {
            text(arguments, "query")?;
            uses.reads = Reads::Any;
        }
        "open_nodes" => {
            list("names")?;
            uses.reads = Reads::Keys(Vec::new());
            texts(arguments, "names").iter().for_each(|name| uses.read(name));
        }
        _ => return None,
    }
    Some(uses)
}

/// Names and types are an agent's words as well, and long ones can say something.
fn entity(uses: &mut Uses, entity: Json<'_>) {
    let name = text(entity, "name").unwrap_or_default();
    let observations = texts(entity, "observations");
    if observations.is_empty() || is_long(&name) {
        uses.write(&name, name.clone(), Add);
    }
    if let Some(kind) = text(entity, "entityType").filter(|kind| is_long(kind)) {
        uses.write(&name, kind, Add);
    }
    observations.into_iter().for_each(|text| uses.write(&name, text, Add));
}

fn relation(uses: &mut Uses, relation: Json<'_>) {
    let key = text(relation, "from").unwrap_or_default();
    uses.write(&key, sentence(relation), Add);
    if let Some(kind) = text(relation, "relationType").filter(|kind| is_long(kind)) {
        uses.write(&key, kind, Add);
    }
}

/// A relation as one text.
fn sentence(relation: Json<'_>) -> String {
    let part = |name| text(relation, name).unwrap_or_default();
    format!("{} {} {}", part("from"), part("relationType"), part("to"))
}

fn observations(uses: &mut Uses, observation: Json<'_>) {
    let key = text(observation, "entityName").unwrap_or_default();
    texts(observation, "contents").into_iter().for_each(|text| uses.write(&key, text, Add));
}

fn deletion(uses: &mut Uses, deletion: Json<'_>) {
    let key = text(deletion, "entityName").unwrap_or_default();
    let all = texts(deletion, "observations");
    all.into_iter().for_each(|text| uses.remove(&key, Some(text)));
}
