//! Primitives outside the EVM: keccak as revm uses it (assembly), and the root of a trie of a million accounts by
//! alloy-trie, which reth uses. Precompiles are compared inside the EVM, by bench/evm/precompiles.json.

use crate::{clock, Measured};
use alloy_primitives::keccak256;
use alloy_trie::{HashBuilder, Nibbles};
use std::hint::black_box;

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
    let mut samples: Vec<f64> = (0..ROUNDS).map(|_| trie_root_us()).collect();
    samples.sort_by(f64::total_cmp);
    let us = samples[ROUNDS / 2];
    emit(Measured { name: "trie_root".into(), label: "1M".into(), gas: 0, us, runs: ROUNDS as u64 });
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
