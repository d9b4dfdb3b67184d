//! The session of a transport at an endpoint of several servers: theirs, one after the other. It says where
//! to go on, and decides nothing; a client that changes it is one that names another session.

use pathwarden_types::Name;

/// The sessions of these servers in one.
pub(super) fn joined<'a>(sessions: impl Iterator<Item = (&'a Name, &'a str)>) -> String {
    let each = sessions.map(|(server, id)| format!("{server}:{}", escaped(id)));
    each.collect::<Vec<_>>().join(",")
}

/// The session at one server.
pub(super) fn of(outer: &str, server: &Name) -> Option<String> {
    outer.split(',').find_map(|part| {
        let (name, id) = part.split_once(':')?;
        (name == server.as_str()).then(|| unescaped(id))
    })
}

/// Commas end a part, so they are spelled otherwise; and so is what they are spelled with.
fn escaped(id: &str) -> String {
    id.replace('~', "~0").replace(',', "~1")
}

fn unescaped(id: &str) -> String {
    id.replace("~1", ",").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::{joined, of};

    #[test]
    fn each_server_finds_its_own_session() {
        let (a, b) = ("files".parse().unwrap(), "mail".parse().unwrap());
        for id in ["x", "a,b", "~1", "~,~0:", ""] {
            let outer = joined([(&a, id), (&b, "other")].into_iter());
            assert_eq!(
                (of(&outer, &a).unwrap().as_str(), of(&outer, &b).unwrap().as_str()),
                (id, "other")
            );
        }
        assert_eq!(of("", &a), None);
        assert_eq!(of("filesx:1", &a), None);
    }
}
