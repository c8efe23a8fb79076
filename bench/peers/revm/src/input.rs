//! The little of the JSON formats that both kinds of benchmark share.

use revm::bytecode::Bytecode;
use revm::database::{CacheDB, EmptyDB};
use revm::primitives::{hardfork::SpecId, hex, Address, Bytes, B256, U256};
use revm::state::AccountInfo;
use serde_json::Value;
use std::path::Path;

pub fn read_json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn word(v: &Value) -> U256 {
    match v.as_str() {
        Some(text) => U256::from_str_radix(text.trim_start_matches("0x"), 16).expect("a number in hex"),
        None => U256::from(v.as_u64().unwrap_or(0)),
    }
}

pub fn number(v: &Value) -> u64 {
    word(v).to::<u64>()
}

pub fn bytes(v: &Value) -> Bytes {
    hex::decode(v.as_str().unwrap_or("0x")).expect("bytes in hex").into()
}

pub fn address(v: &Value) -> Address {
    Address::from_slice(&bytes(v))
}

/// The fork of that name, as the official tests write it.
pub fn fork(name: &str) -> SpecId {
    match name {
        "Paris" => SpecId::MERGE,
        "ConstantinopleFix" => SpecId::PETERSBURG,
        other => other.parse().unwrap_or_else(|_| panic!("no fork is called {other}")),
    }
}

/// A state of its own from a genesis allocation; code is analysed here, once.
pub fn state(alloc: &Value) -> CacheDB<EmptyDB> {
    let mut db = CacheDB::new(EmptyDB::default());
    for (name, account) in alloc.as_object().expect("an allocation") {
        let at = Address::from_slice(&hex::decode(name).expect("an address"));
        let code = Bytecode::new_legacy(bytes(&account["code"]));
        let code_hash = code.hash_slow();
        let (balance, nonce) = (word(&account["balance"]), number(&account["nonce"]));
        let info = AccountInfo { balance, nonce, code_hash, code: Some(code), ..Default::default() };
        db.insert_account_info(at, info);
        for (slot, value) in account["storage"].as_object().into_iter().flatten() {
            let slot = U256::from_be_bytes(B256::left_padding_from(&hex::decode(even(slot)).unwrap()).0);
            db.insert_account_storage(at, slot, word(value)).unwrap();
        }
    }
    db
}

fn even(digits: &str) -> String {
    let digits = digits.trim_start_matches("0x");
    format!("{}{digits}", if digits.len() % 2 == 1 { "0" } else { "" })
}
