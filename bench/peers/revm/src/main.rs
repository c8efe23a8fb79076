//! revm and the crypto crates around it as Ashlar's peers on the benchmark. Same inputs, same lines of output as
//! `ashlar-evm bench --json`:
//!   peer-revm bench PATH... [--fork F] [--json]     state-test files: the code of `to`, run with each `data`
//!   peer-revm tx FILE... [--json]                   scenarios: transactions through transact and commit
//!   peer-revm crypto [--json]                       keccak, ecrecover, bn254, BLS, trie root

mod clock;
mod code;
mod crypto;
mod input;
mod scenario;

use std::path::{Path, PathBuf};

/// What one line of output tells.
pub struct Measured {
    pub name: String,
    pub label: String,
    pub gas: u64,
    pub us: f64,
    pub runs: u64,
}

fn print_line(m: &Measured, json: bool) {
    if json {
        let (name, label) = (&m.name, &m.label);
        println!(
            r#"{{"name":"{name}","label":"{label}","gas":{},"us":{:.3},"runs":{}}}"#,
            m.gas, m.us, m.runs
        );
    } else {
        println!("{:<40} {:>14} gas {:>14.3} us {:>8} runs", format!("{} {}", m.name, m.label), m.gas, m.us, m.runs);
    }
}

/// All JSON files at or below a path, in order of their names.
fn find_files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let mut entries: Vec<_> = std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| find_files(entry, found));
    } else if path.extension().is_some_and(|e| e == "json") {
        found.push(path.to_owned());
    }
}

fn main() {
    let mut fork = String::from("Istanbul");
    let mut json = false;
    let mut files = Vec::new();
    let mut argv = std::env::args().skip(1);
    let mode = argv.next().unwrap_or_default();
    while let Some(word) = argv.next() {
        match word.as_str() {
            "--json" => json = true,
            "--fork" => fork = argv.next().expect("--fork wants a name"),
            path => find_files(Path::new(path), &mut files),
        }
    }
    let mut emit = |m: Measured| print_line(&m, json);
    match mode.as_str() {
        "bench" => files.iter().for_each(|f| code::run_file(f, &fork, &mut emit)),
        "tx" => files.iter().for_each(|f| scenario::run_file(f, &mut emit)),
        "crypto" => crypto::run_all(&mut emit),
        _ => {
            eprintln!("usage: peer-revm bench PATH... [--fork F] [--json] | tx FILE... [--json] | crypto [--json]");
            std::process::exit(2);
        }
    }
}
