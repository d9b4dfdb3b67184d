//! Keys, notes, checkpoints and proofs as text: what parses prints the same, and what is forged is
//! refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pathwarden_types::Digest;
use proptest::prelude::*;

use super::{ORIGIN, entry, leaves, nodes, root, signer};
use crate::tree::{empty_root, leaf_hash, prove_inclusion};
use crate::{
    Checkpoint, CheckpointError, KeyError, NoteError, ProofError, Signer, TlogProof, VerifierKey,
};

fn note_error(text: &str, key: &VerifierKey) -> NoteError {
    match Checkpoint::verify(text, key) {
        Err(CheckpointError::Note { source }) => source,
        other => panic!("expected a refused note, got {other:?}"),
    }
}

fn proof(index: u64, size: u64, signer: &Signer) -> TlogProof {
    let leaves = leaves(size);
    let Ok(path) = prove_inclusion(index, size, nodes(&leaves));
    TlogProof::new(index, path, &Checkpoint::sign(signer, size, root(&leaves)))
}

/// The key from the documentation of Go's `golang.org/x/mod/sumdb/note`.
#[test]
fn a_verifier_key_made_elsewhere_parses() {
    let line = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let key: VerifierKey = line.parse().unwrap();
    assert_eq!((key.name(), key.id()), ("PeterNeumann", [0xc7, 0x4f, 0x20, 0xa3]));
    assert_eq!(key.to_string(), line);
}

/// The note from the same documentation, signed by another implementation.
#[test]
fn a_note_signed_elsewhere_verifies() {
    let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    let note = format!("{text}\n\u{2014} PeterNeumann {signature}\n");
    assert_eq!(crate::note::verify(&note, &key.parse().unwrap()), Ok(text));
}

#[test]
fn wrong_verifier_keys_are_refused() {
    let line = signer(1).verifier_key().to_string();
    for wrong in [
        String::new(),
        "name".into(),
        "+00000000+AA==".into(),
        line.replace("pathwarden", "pathwardem"),
        line.replace(ORIGIN, "with space"),
        line.replacen("+A", "+B", 1),
        format!("{line}\n"),
        format!("{line}="),
    ] {
        assert!(wrong.parse::<VerifierKey>().is_err(), "{wrong}");
    }
}

#[test]
fn names_that_would_break_a_note_are_refused() {
    for name in ["", "two words", "a+b", "line\nbreak", "nb\u{a0}sp", &"x".repeat(256)] {
        assert!(matches!(Signer::from_seed(name, &[1; 32]), Err(KeyError::Name { .. })), "{name}");
    }
}

#[test]
fn a_key_survives_its_pkcs8_file() {
    let one = signer(1);
    let again = Signer::from_pkcs8(ORIGIN, &one.to_pkcs8().unwrap()).unwrap();
    assert_eq!(one.verifier_key(), again.verifier_key());
    assert!(matches!(Signer::from_pkcs8(ORIGIN, b"not a key"), Err(KeyError::Private)));
}

#[test]
fn a_checkpoint_is_laid_out_as_specified() {
    let checkpoint = Checkpoint::sign(&signer(1), 0, empty_root());
    let start =
        format!("{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\u{2014} {ORIGIN} ");
    assert!(checkpoint.text().starts_with(&start), "{}", checkpoint.text());
    assert_eq!(checkpoint.origin(), ORIGIN);
    assert_eq!(Checkpoint::verify(checkpoint.text(), signer(1).verifier_key()), Ok(checkpoint));
}

#[test]
fn a_checkpoint_by_another_key_is_refused() {
    let text = Checkpoint::sign(&signer(2), 0, empty_root()).text().to_owned();
    assert!(matches!(note_error(&text, signer(1).verifier_key()), NoteError::NotSigned { .. }));
}

/// The scenario of CVE-2022-39199: what is believed must never depend on an identity that the other
/// side reports. A log of another name, signed with the very same key, is another log.
#[test]
fn a_checkpoint_cannot_name_its_own_log() {
    let other = Signer::from_seed("pathwarden.local/other", &[1; 32]).unwrap();
    let theirs = Checkpoint::sign(&other, 3, empty_root()).text().to_owned();
    let ours = signer(1);
    assert!(matches!(note_error(&theirs, ours.verifier_key()), NoteError::NotSigned { .. }));
    let renamed = theirs.replace("local/other", "local/0badcafe");
    assert!(Checkpoint::verify(&renamed, ours.verifier_key()).is_err());
    // Signed by us, yet the text is of another log.
    let text = format!("elsewhere\n0\n{}\n", STANDARD.encode(empty_root().as_bytes()));
    let error = Checkpoint::verify(&ours.sign(&text), ours.verifier_key()).unwrap_err();
    assert!(matches!(error, CheckpointError::Origin { .. }));
}

#[test]
fn foreign_signatures_are_ignored_and_a_wrong_one_of_ours_is_not() {
    let (ours, other) = (signer(1), Signer::from_seed("witness.example", &[9; 32]).unwrap());
    let text = Checkpoint::sign(&ours, 0, empty_root()).text().to_owned();
    let body = text.split_once("\n\n").unwrap().0.to_owned() + "\n";
    let line = |note: String| note.split_once("\n\n").unwrap().1.to_owned();
    let witnessed = format!("{text}{}", line(other.sign(&body)));
    assert!(Checkpoint::verify(&witnessed, ours.verifier_key()).is_ok());
    assert!(Checkpoint::verify(&witnessed, other.verifier_key()).is_err());
    let doubled = format!("{text}{}", line(ours.sign("something else\n")));
    assert!(matches!(note_error(&doubled, ours.verifier_key()), NoteError::BadSignature { .. }));
}

#[test]
fn signed_text_that_is_no_checkpoint_is_refused() {
    let ours = signer(1);
    let root = STANDARD.encode(empty_root().as_bytes());
    for body in [
        format!("{ORIGIN}\n0\n"),
        format!("{ORIGIN}\n00\n{root}\n"),
        format!("{ORIGIN}\n+1\n{root}\n"),
        format!("{ORIGIN}\n-1\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("{ORIGIN}\n0\n{root}A\n"),
        format!("{ORIGIN}\n0\nAAAA\n"),
        format!("{ORIGIN}\n0\n{root}\nextension\n"),
        format!("\n0\n{root}\n"),
        "\n".into(),
    ] {
        let error = Checkpoint::verify(&ours.sign(&body), ours.verifier_key()).unwrap_err();
        assert!(matches!(error, CheckpointError::Malformed { .. }), "{body:?}: {error}");
    }
}

#[test]
fn too_many_signatures_and_too_long_notes_are_refused() {
    let ours = signer(1);
    let text = Checkpoint::sign(&ours, 0, empty_root()).text().to_owned();
    let line = text.split_once("\n\n").unwrap().1;
    let many = |count: usize| text.clone() + &line.repeat(count - 1);
    assert!(Checkpoint::verify(&many(64), ours.verifier_key()).is_ok());
    assert!(Checkpoint::verify(&many(65), ours.verifier_key()).is_err());
    let long = format!("{}{text}", "x".repeat(crate::note::NOTE_BYTES_MAX));
    assert!(matches!(note_error(&long, ours.verifier_key()), NoteError::TooLong { .. }));
}

#[test]
fn proofs_verify_parse_and_print() {
    let ours = signer(1);
    for size in 1..40 {
        for index in 0..size {
            let proof = proof(index, size, &ours);
            let again: TlogProof = proof.to_string().parse().unwrap();
            assert_eq!(again, proof);
            let leaf = leaf_hash(&entry(index));
            assert_eq!(again.verify(&leaf, ours.verifier_key()).unwrap().size(), size);
            let other = leaf_hash(&entry(index + 1));
            let error = again.verify(&other, ours.verifier_key()).unwrap_err();
            assert_eq!(error, ProofError::NotIncluded { index });
        }
    }
}

#[test]
fn the_extra_line_is_kept_and_does_not_matter() {
    let ours = signer(1);
    let plain = proof(3, 9, &ours).to_string();
    let text = plain.replacen("\nindex", "\nextra aGVsbG8=\nindex", 1);
    let proof: TlogProof = text.parse().unwrap();
    assert_eq!((proof.extra(), proof.to_string()), (Some(&b"hello"[..]), text));
    assert!(proof.verify(&leaf_hash(&entry(3)), ours.verifier_key()).is_ok());
}

#[test]
fn texts_that_are_no_proof_are_refused() {
    let text = proof(3, 9, &signer(1)).to_string();
    let hash_line = text.lines().nth(2).unwrap().to_owned() + "\n";
    for wrong in [
        String::new(),
        text.replace("@v1", "@v2"),
        text.replace("index 3", "index 03"),
        text.replace("index 3\n", ""),
        text.replacen("\nindex", "\nextra !\nindex", 1),
        text.replacen("\nindex", "\nextra aGVsbG8=\nextra aGVsbG8=\nindex", 1),
        text.replace(&hash_line, "AAAA\n"),
        text.replace(&hash_line, &hash_line.repeat(65)),
        text.split_once("\n\n").unwrap().0.to_owned(),
    ] {
        assert!(wrong.parse::<TlogProof>().is_err(), "{wrong}");
    }
}

proptest! {
    /// The whole chain from text to trust: no byte of a proof can change unseen.
    #[test]
    fn any_changed_byte_of_a_proof_is_seen(at: usize, to in 0x20_u8..0x7f) {
        let ours = signer(1);
        let proof = proof(5, 11, &ours);
        let mut bytes = proof.to_string().into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        let leaf = leaf_hash(&entry(5));
        let verified = text.parse().is_ok_and(|proof: TlogProof| {
            proof.verify(&leaf, ours.verifier_key()).is_ok()
        });
        prop_assert!(!verified, "{}", text);
    }

    #[test]
    fn any_flipped_bit_of_a_checkpoint_is_seen(size: u64, root: [u8; 32], bit: usize) {
        let ours = signer(1);
        let checkpoint = Checkpoint::sign(&ours, size, Digest::from_bytes(root));
        prop_assert_eq!(
            Checkpoint::verify(checkpoint.text(), ours.verifier_key()), Ok(checkpoint.clone())
        );
        let mut bytes = checkpoint.text().as_bytes().to_vec();
        let at = bit / 8 % bytes.len();
        bytes[at] ^= 1 << (bit % 8);
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(Checkpoint::verify(&text, ours.verifier_key()).is_err());
        }
    }

    #[test]
    fn a_key_line_parses_as_it_prints(name in "[a-z./0-9]{1,40}", seed: [u8; 32]) {
        let signer = Signer::from_seed(&name, &seed).unwrap();
        let key = signer.verifier_key();
        prop_assert_eq!(&key.to_string().parse::<VerifierKey>().unwrap(), key);
    }

    #[test]
    fn arbitrary_text_never_panics(text in "[\\PC\n\u{2014} +]{0,300}") {
        let key = signer(1).verifier_key().clone();
        prop_assert!(Checkpoint::verify(&text, &key).is_err());
        prop_assert!(text.parse::<TlogProof>().is_err());
        prop_assert!(text.parse::<VerifierKey>().is_err());
    }
}
