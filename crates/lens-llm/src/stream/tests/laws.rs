use proptest::collection::vec;
use proptest::prelude::*;

use super::fixtures::all;
use super::*;

const APIS: [Api; 4] = [Api::ChatCompletions, Api::Responses, Api::Messages, Api::GenerateContent];

fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// A ruling that depends on nothing but the call.
fn mixed(seed: u8) -> impl Fn(&Call) -> Ruling {
    move |call| match (call.id.len() as u8).wrapping_add(call.name.len() as u8).wrapping_mul(seed)
        % 3
    {
        0 => Ruling::Release,
        1 => refuse(call),
        _ => rewrite(call),
    }
}

fn broken(text: &str, breaks: &str) -> String {
    text.replace('\n', breaks)
}

#[test]
fn when_all_is_released_every_byte_is_as_it_came() {
    for (api, text) in all() {
        for breaks in ["\n", "\r", "\r\n"] {
            let text = format!("\u{feff}: hello\n\n{}", broken(&text, breaks));
            let run = run_text(api, &text, release);
            assert_eq!(String::from_utf8(run.bytes).unwrap(), text, "{api:?} {breaks:?}");
            assert_eq!(run.end, Ok(Ending::Whole));
            assert!(!run.calls.is_empty());
        }
    }
}

#[test]
fn byte_by_byte_is_the_same_as_at_once() {
    for (api, text) in all() {
        for seed in 0..6 {
            let whole = run_text(api, &text, mixed(seed));
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(run(api, &bytes, mixed(seed)), whole, "{api:?}");
        }
    }
}

#[test]
fn nothing_of_a_call_comes_before_its_ruling() {
    for (api, text) in all() {
        let mut stream = Stream::new(api);
        let mut passed = Vec::new();
        for byte in text.as_bytes() {
            stream.push(&[*byte]).unwrap();
            while let Some(step) = stream.step() {
                match step {
                    Step::Pass(bytes) => passed.extend(bytes),
                    Step::Calls(calls) => {
                        let held = String::from_utf8(std::mem::take(&mut passed)).unwrap();
                        assert!(!held.contains("SEC") && !held.contains("\"read\""), "{held}");
                        stream.rule(calls.iter().map(refuse).collect()).unwrap();
                        // The words of the refusal have the name in them.
                        let Some(Step::Pass(bytes)) = stream.step() else { panic!("refusal") };
                        assert!(!String::from_utf8(bytes).unwrap().contains("SEC"));
                    }
                }
            }
        }
        assert!(!String::from_utf8(passed).unwrap().contains("SEC"));
    }
}

#[test]
fn cut_anywhere_only_whole_events_are_out() {
    for (api, text) in all() {
        let text = broken(&text, "\n");
        for cut in 0..text.len() {
            let run = run(api, &[&text.as_bytes()[..cut]], release);
            let out = String::from_utf8(run.bytes).unwrap();
            assert!(text.starts_with(&out));
            assert!(out.is_empty() || out.ends_with("\n\n"));
            let is_between = cut == 0 || text.as_bytes()[..cut].ends_with(b"\n\n");
            match run.end {
                Ok(_) => assert_eq!(out.len(), cut),
                Err(StreamFault::Cut) => assert!(!is_between || out.len() < cut),
                Err(fault) => panic!("{fault}"),
            }
        }
    }
}

#[test]
fn refused_answers_have_no_call_for_a_client() {
    for (api, text) in all() {
        let refused = run_text(api, &text, refuse);
        let again = run_text(api, &String::from_utf8(refused.bytes).unwrap(), release);
        assert_eq!(again.end, Ok(Ending::Whole), "{api:?}");
        assert!(again.output.calls.is_empty(), "{api:?}");
        assert!(again.output.text.contains("refused"), "{api:?}");
    }
}

#[test]
fn rewritten_answers_have_the_new_arguments() {
    for (api, text) in all() {
        let first = run_text(api, &text, rewrite);
        let again = run_text(api, &String::from_utf8(first.bytes).unwrap(), release);
        let names = |output: &Output| {
            output.calls.iter().map(|call| (call.id.clone(), call.name.clone())).collect::<Vec<_>>()
        };
        assert_eq!(names(&again.output), names(&first.output));
        assert!(again.output.calls.iter().all(|call| call.arguments == "{\"input\":\"new\"}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_pieces_change_nothing(
        which in 0_usize..4,
        cuts in vec(any::<usize>(), 0..12),
        seed in 0_u8..9,
        breaks in prop_oneof![Just("\n"), Just("\r"), Just("\r\n")],
    ) {
        let (api, text) = all().swap_remove(which);
        let text = broken(&text, breaks);
        let whole = run_text(api, &text, mixed(seed));
        prop_assert_eq!(&whole.end, &Ok(Ending::Whole));
        prop_assert_eq!(run(api, &pieces(text.as_bytes(), &cuts), mixed(seed)), whole);
    }

    /// Whatever comes, nothing panics, and what passes without a ruling is a prefix of it.
    #[test]
    fn arbitrary_bytes_are_harmless(
        which in 0_usize..4,
        bytes in vec(any::<u8>(), 0..200),
        noise in "(data: |event: |\\{|\\}|\"type\"|:|,|\\[|\\]|\"index\"|0|\n|\r){0,60}",
    ) {
        for input in [bytes.as_slice(), noise.as_bytes()] {
            let run = run(APIS[which], &[input], release);
            prop_assert!(input.starts_with(&run.bytes));
        }
    }

    /// A stream with a piece lost or doubled never panics and never lets a secret pass that was not
    /// ruled on.
    #[test]
    fn damaged_streams_release_nothing(
        which in 0_usize..4,
        from in any::<usize>(),
        length in 0_usize..200,
        doubled in any::<bool>(),
    ) {
        let (api, text) = all().swap_remove(which);
        let mut events: Vec<&str> = text.split_inclusive("\n\n").collect();
        let from = from % events.len();
        let to = (from + length % 4).min(events.len());
        let part: Vec<&str> = events[from..to].to_vec();
        if doubled {
            events.splice(from..from, part);
        } else {
            events.drain(from..to);
        }
        let run = run(api, &[events.concat().as_bytes()], refuse);
        prop_assert!(!String::from_utf8(run.bytes).unwrap().contains("SECRET"));
    }
}
