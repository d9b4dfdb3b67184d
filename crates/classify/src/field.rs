//! What the name of a field or column says about its values: better than any expression over them.

use crate::Class;

/// Words of a name and what they say. All words of a row must be in the name, side by side.
const NAMES: [(&[&str], Class); 63] = [
    (&["password"], Class::Password),
    (&["passwd"], Class::Password),
    (&["pwd"], Class::Password),
    (&["passphrase"], Class::Password),
    (&["pass", "word"], Class::Password),
    (&["secret"], Class::Secret),
    (&["api", "key"], Class::Secret),
    (&["apikey"], Class::Secret),
    (&["access", "key"], Class::Secret),
    (&["private", "key"], Class::Secret),
    (&["encryption", "key"], Class::Secret),
    (&["signing", "key"], Class::Secret),
    (&["access", "token"], Class::Secret),
    (&["auth", "token"], Class::Secret),
    (&["refresh", "token"], Class::Secret),
    (&["bearer", "token"], Class::Secret),
    (&["session", "token"], Class::Secret),
    (&["authorization"], Class::Secret),
    (&["credential"], Class::Secret),
    (&["credentials"], Class::Secret),
    (&["connection", "string"], Class::Secret),
    (&["otp"], Class::OneTimeCode),
    (&["verification", "code"], Class::OneTimeCode),
    (&["mfa", "code"], Class::OneTimeCode),
    (&["pin", "code"], Class::OneTimeCode),
    (&["iban"], Class::Iban),
    (&["card", "number"], Class::PaymentCard),
    (&["credit", "card"], Class::PaymentCard),
    (&["debit", "card"], Class::PaymentCard),
    (&["cvv"], Class::PaymentCard),
    (&["cvc"], Class::PaymentCard),
    (&["routing", "number"], Class::RoutingNumber),
    (&["aba"], Class::RoutingNumber),
    (&["ssn"], Class::TaxId),
    (&["social", "security"], Class::TaxId),
    (&["tax", "id"], Class::TaxId),
    (&["tax", "number"], Class::TaxId),
    (&["vat", "number"], Class::TaxId),
    (&["ein"], Class::TaxId),
    (&["national", "id"], Class::NationalId),
    (&["bsn"], Class::NationalId),
    (&["cpf"], Class::NationalId),
    (&["nhs", "number"], Class::NationalId),
    (&["aadhaar"], Class::NationalId),
    (&["driver", "license"], Class::NationalId),
    (&["passport"], Class::Passport),
    (&["account", "number"], Class::BankAccount),
    (&["bank", "account"], Class::BankAccount),
    (&["diagnosis"], Class::Health),
    (&["diagnoses"], Class::Health),
    (&["medication"], Class::Health),
    (&["medical"], Class::Health),
    (&["allergies"], Class::Health),
    (&["blood", "type"], Class::Health),
    (&["salary"], Class::Salary),
    (&["wage"], Class::Salary),
    (&["compensation"], Class::Salary),
    (&["birth", "date"], Class::Birth),
    (&["date", "of", "birth"], Class::Birth),
    (&["birthday"], Class::Birth),
    (&["dob"], Class::Birth),
    (&["email"], Class::Email),
    (&["phone"], Class::Phone),
];

/// The longest name that is looked at, in bytes. A longer one is no name.
const NAME_BYTES_MAX: usize = 256;

/// What the values of a field are by its name, in any of the usual spellings (`apiKey`, `API_KEY`,
/// `api-key`, `billing.api_key`).
#[must_use]
pub fn field_class(field_name: &str) -> Option<Class> {
    if field_name.len() > NAME_BYTES_MAX {
        return None;
    }
    let words = words(field_name);
    let says = |wanted: &[&str]| words.windows(wanted.len()).any(|words| words == wanted);
    NAMES.iter().filter(|(wanted, _)| says(wanted)).map(|(_, class)| *class).min()
}

/// The words of a name in lower case.
fn words(name: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut was_lower = false;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let is_upper = character.is_uppercase();
        // `IBANNumber` is two words too: the last capital begins the second.
        let next_is_lower = characters.peek().is_some_and(|next| next.is_lowercase());
        if !character.is_alphanumeric() || is_upper && (was_lower || next_is_lower) {
            words.push(std::mem::take(&mut word));
        }
        word.extend(character.to_lowercase().filter(|character| character.is_alphanumeric()));
        was_lower = character.is_lowercase() || character.is_numeric();
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::field_class;
    use crate::Class;

    #[test]
    fn names_say_what_their_values_are() {
        let cases = [
            ("password", Some(Class::Password)),
            ("userPassword", Some(Class::Password)),
            ("API_KEY", Some(Class::Secret)),
            ("billing.apiKey", Some(Class::Secret)),
            ("IBANNumber", Some(Class::Iban)),
            ("employee-ssn", Some(Class::TaxId)),
            ("base_salary", Some(Class::Salary)),
            ("Diagnosis", Some(Class::Health)),
            ("dateOfBirth", Some(Class::Birth)),
            ("lesson", None),
            ("being", None),
            ("compass", None),
            ("title", None),
            ("", None),
        ];
        for (name, want) in cases {
            assert_eq!(field_class(name), want, "{name}");
        }
    }
}
