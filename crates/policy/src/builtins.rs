//! Which functions of the engine a rule may call.

use regorus::Value;
use regorus::rvm::Instruction;
use regorus::rvm::program::Program;

/// Functions that depend on nothing but their arguments, and whose work is bounded by the size of
/// their arguments. Sorted.
///
/// Left out on purpose, besides everything that reaches out of the evaluation: `numbers.range` and
/// `bits.lsh` (a short call makes a huge value), `walk` (the bytecode machine cannot), `json.*` and
/// `units.*` (nothing in the input is JSON text or a size in words).
const ALLOWED: [&str; 65] = [
    "__builtin_sets.intersection",
    "__builtin_sets.union",
    "abs",
    "array.concat",
    "array.reverse",
    "array.slice",
    "ceil",
    "concat",
    "contains",
    "count",
    "endswith",
    "floor",
    "format_int",
    "glob.match",
    "glob.quote_meta",
    "indexof",
    "indexof_n",
    "intersection",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "lower",
    "max",
    "min",
    "object.filter",
    "object.get",
    "object.keys",
    "object.remove",
    "object.subset",
    "object.union",
    "object.union_n",
    "product",
    "regex.find_all_string_submatch_n",
    "regex.find_n",
    "regex.is_valid",
    "regex.match",
    "regex.replace",
    "regex.split",
    "replace",
    "round",
    "sort",
    "split",
    "sprintf",
    "startswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "strings.count",
    "strings.replace_n",
    "strings.reverse",
    "substring",
    "sum",
    "to_number",
    "trim",
    "trim_left",
    "trim_prefix",
    "trim_right",
    "trim_space",
    "trim_suffix",
    "type_name",
    "union",
    "upper",
];

/// Functions that raise no error, whatever they are given. Sorted.
const TOTAL: [&str; 8] = [
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "type_name",
];

/// Names that reach out of the evaluation, whether this build of the engine has them or not.
const OUTSIDE: [&str; 11] = [
    "crypto.",
    "graphql.",
    "http.",
    "io.",
    "net.",
    "opa.",
    "print",
    "providers.",
    "rand.",
    "time.",
    "uuid.",
];

/// Whether a rule may call `name`.
pub(crate) fn is_allowed(name: &str) -> bool {
    ALLOWED.binary_search(&name).is_ok()
}

/// Whether `name` is a function that reads or touches something other than its arguments.
pub(crate) fn reaches_out(name: &str) -> bool {
    name == "trace"
        || name == "__builtin_host_await"
        || OUTSIDE.iter().any(|outside| {
            if outside.ends_with('.') { name.starts_with(outside) } else { name == *outside }
        })
}

/// Whether the evaluation of `program` can raise an error, as opposed to being undefined: it calls
/// functions that can, it calculates, or it reads the arguments, which have no known type.
pub(crate) fn can_fail(program: &Program) -> bool {
    let calls = program.builtin_info_table.iter();
    calls.map(|call| call.name.as_str()).any(|name| TOTAL.binary_search(&name).is_err())
        || program.instructions.iter().any(is_arithmetic)
        || program.literals.contains(&Value::from("arguments"))
}

const fn is_arithmetic(instruction: &Instruction) -> bool {
    matches!(
        instruction,
        Instruction::Add { .. }
            | Instruction::Sub { .. }
            | Instruction::Mul { .. }
            | Instruction::Div { .. }
            | Instruction::Mod { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::{ALLOWED, TOTAL, is_allowed};

    #[test]
    fn the_tables_are_sorted_for_the_search() {
        assert!(ALLOWED.is_sorted());
        assert!(TOTAL.is_sorted());
        assert!(TOTAL.iter().all(|name| is_allowed(name)));
    }
}
