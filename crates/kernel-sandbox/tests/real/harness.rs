//! A runner with the usual lines: the standard one starts threads before `main` is ours.

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A name and what to run.
pub(crate) type Test = (&'static str, fn());

/// All tests together; a hanging one ends the program, and with it every box.
const RUN_MAX: Duration = Duration::from_secs(120);
const THREADS: usize = 4;

/// Runs the tests whose names hold one of the arguments that are no options.
pub(crate) fn run(tests: &[Test]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let exact = arguments.iter().any(|argument| argument == "--exact");
    let wanted: Vec<&String> =
        arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let matches = |name: &str| {
        wanted.is_empty()
            || wanted.iter().any(|part| if exact { name == *part } else { name.contains(*part) })
    };
    let chosen: Vec<Test> = tests.iter().copied().filter(|(name, _)| matches(name)).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        chosen.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", chosen.len());
    let (started, total) = (Instant::now(), chosen.len());
    let failed = all(chosen, started);
    let passed = total - failed.len();
    let (word, code) =
        if failed.is_empty() { ("ok", ExitCode::SUCCESS) } else { ("FAILED", ExitCode::from(101)) };
    failed.iter().for_each(|name| println!("failed: {name}"));
    println!(
        "\ntest result: {word}. {passed} passed; {} failed; 0 ignored; 0 measured; {} filtered out; \
         finished in {:.2}s\n",
        failed.len(),
        tests.len() - total,
        started.elapsed().as_secs_f64()
    );
    code
}

fn all(chosen: Vec<Test>, started: Instant) -> Vec<&'static str> {
    let total = chosen.len();
    let queue = Arc::new(Mutex::new(chosen.into_iter()));
    let (tell, told) = mpsc::channel();
    for _ in 0..THREADS {
        let (queue, tell) = (Arc::clone(&queue), tell.clone());
        thread::spawn(move || {
            loop {
                let next = queue.lock().unwrap().next();
                let Some((name, test)) = next else { return };
                let passed = panic::catch_unwind(AssertUnwindSafe(test)).is_ok();
                tell.send((name, passed)).unwrap();
            }
        });
    }
    let mut failed = Vec::new();
    for _ in 0..total {
        match told.recv_timeout(RUN_MAX.saturating_sub(started.elapsed())) {
            Ok((name, true)) => println!("test {name} ... ok"),
            Ok((name, false)) => {
                println!("test {name} ... FAILED");
                failed.push(name);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                println!("test run hangs");
                std::process::exit(101);
            }
        }
    }
    failed
}
