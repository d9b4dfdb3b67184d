use std::io::Read;
fn main() {
    let mut s =
        pathwarden_lens_shell::Surroundings { home: "/home/u".into(), ..Default::default() };
    s.variables.insert("USER".into(), "u".into());
    let mut t = String::new();
    std::io::stdin().read_to_string(&mut t).unwrap();
    for line in t.split("\n%%\n") {
        let n = std::time::Instant::now();
        let p = pathwarden_lens_shell::of_script(line.as_bytes(), &s);
        let e = n.elapsed();
        println!("## {line}   ({e:?})");
        println!(
            "   {:?}",
            p.would.iter().map(|w| format!("{} {}", w.act.as_str(), w.what)).collect::<Vec<_>>()
        );
        println!("   {:?}", p.doubts.iter().map(|w| w.as_str()).collect::<Vec<_>>());
    }
}
