//! Primitives outside the EVM, under the names of Ashlar's own lines: keccak as revm uses it (assembly), revm's
//! precompiles (libsecp256k1, arkworks, blst), and the root of a trie of a million accounts by alloy-trie, which
//! reth uses.

use crate::{clock, Measured};
use alloy_primitives::keccak256;
use alloy_trie::{HashBuilder, Nibbles};
use revm::precompile::{u64_to_address, Precompiles};
use revm::primitives::hex;
use std::hint::black_box;

/// Whose inputs are those of the programs that call precompiles.
const CALLS: &str = include_str!("../../../evm/precompiles.json");

const ACCOUNTS: u64 = 1_000_000;
const ROUNDS: usize = 3;

pub fn run_all(emit: &mut impl FnMut(Measured)) {
    for size in [32usize, 136, 1024] {
        let mut data = vec![0x5au8; size];
        let (us, runs) = clock::median_us(|| {
            let digest = keccak256(&data);
            data[..32].copy_from_slice(digest.as_slice());
        });
        emit(Measured { name: "keccak256".into(), label: size.to_string(), gas: 0, us, runs });
    }
    precompiles(emit);
    let mut samples: Vec<f64> = (0..ROUNDS).map(|_| trie_root_us()).collect();
    samples.sort_by(f64::total_cmp);
    let us = samples[ROUNDS / 2];
    emit(Measured { name: "trie_root".into(), label: "1M".into(), gas: 0, us, runs: ROUNDS as u64 });
}

fn precompiles(emit: &mut impl FnMut(Measured)) {
    let file: serde_json::Value = serde_json::from_str(CALLS).unwrap();
    let test = &file["precompiles"];
    let input_of = |label: &str| {
        let labels = test["_info"]["labels"].as_object().unwrap();
        let (index, _) = labels.iter().find(|(_, l)| l.as_str() == Some(label)).unwrap();
        let data = test["transaction"]["data"][index.parse::<usize>().unwrap()].as_str().unwrap();
        hex::decode(&data[2 + 128..]).unwrap()
    };
    let mut blake = input_of("blake2f_12");
    blake[..4].copy_from_slice(&1000u32.to_be_bytes());
    for (name, label, at, input) in [
        ("ecrecover", "", 1, input_of("ecrecover")),
        ("sha256", "136", 2, vec![0xab; 136]),
        ("bn254_add", "", 6, input_of("bn254_add")),
        ("bn254_mul", "", 7, input_of("bn254_mul")),
        ("bn254_pairing", "2", 8, input_of("bn254_pairing_2")),
        ("blake2f_1000", "rounds", 9, blake),
        ("bls12381_pairing", "2", 15, input_of("bls_pairing_2")),
    ] {
        let precompile = Precompiles::prague().get(&u64_to_address(at)).unwrap();
        let run = || precompile.execute(black_box(&input), u64::MAX, 0).unwrap();
        assert!(run().is_success(), "{name}");
        let (us, runs) = clock::median_us(|| {
            black_box(run());
        });
        emit(Measured { name: name.into(), label: label.into(), gas: 0, us, runs });
    }
}

/// An account's RLP, 70 bytes: nonce 1, a balance of one byte, no storage, no code.
fn account_rlp(balance: u8) -> Vec<u8> {
    let mut rlp = vec![0xf8, 0x44, 0x01, balance & 0x7f | 1, 0xa0];
    rlp.extend(alloy_trie::EMPTY_ROOT_HASH);
    rlp.push(0xa0);
    rlp.extend(alloy_trie::KECCAK_EMPTY);
    rlp
}

/// From sorted hashed keys and encoded accounts to the root.
fn trie_root_us() -> f64 {
    let mut leaves: Vec<_> = (0..ACCOUNTS)
        .map(|i| (Nibbles::unpack(keccak256(i.to_be_bytes())), account_rlp(i as u8)))
        .collect();
    leaves.sort();
    let begin = clock::thread_ns();
    let mut builder = HashBuilder::default();
    for (key, value) in &leaves {
        builder.add_leaf(*key, value);
    }
    black_box(builder.root());
    (clock::thread_ns() - begin) as f64 / 1000.0
}
