//! Names that look alike to a person or a model.

use pathwarden_types::is_invisible;

/// What names that look alike have in common: the confusable skeleton of Unicode Technical Standard
/// 39, section 4, without case, separators and what does not show.
#[must_use]
pub fn skeleton(name: &str) -> String {
    let shown: String = name.chars().filter(|c| !is_invisible(*c)).flat_map(lower).collect();
    plain(&unicode_security::skeleton(&shown).collect::<String>())
}

/// A name without its convention of writing, so that `readFile` and `read_file` are one; what does not
/// show stays.
pub(crate) fn plain(name: &str) -> String {
    let is_kept = |c: &char| c.is_alphanumeric() || is_invisible(*c);
    name.chars().filter(is_kept).flat_map(lower).collect()
}

fn lower(character: char) -> impl Iterator<Item = char> {
    character.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{plain, skeleton};

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        for (a, b) in [
            ("read_file", "readFile"),
            ("read_all", "read_a1l"),
            ("read_file", "re\u{430}d_file"),
            ("read_file", "read\u{200b}_file"),
            ("send-mail", "send_mail"),
            ("open", "0pen"),
        ] {
            assert_eq!(skeleton(a), skeleton(b), "{a} {b}");
        }
        for (a, b) in [("read_file", "read_files"), ("get_user", "set_user")] {
            assert_ne!(skeleton(a), skeleton(b));
        }
        assert_eq!(plain("read_file"), plain("readFile"));
        assert_ne!(plain("read_all"), plain("read_a1l"));
        assert_ne!(plain("read_file"), plain("read\u{200b}_file"));
    }
}
