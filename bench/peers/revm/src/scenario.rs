//! Scenarios: a genesis, transactions that set it up, and the transactions that are timed, each through transact
//! and commit. Senders are given, so that no signature is recovered. The format is in bench/scenarios.mjs. Commit puts
//! the changes into a hash table; a chain needs the state's root as well, so a second line adds that, by alloy-trie.

use crate::{clock, input, Measured};
use alloy_rlp::Encodable;
use alloy_trie::{HashBuilder, Nibbles};
use revm::context::{BlockEnv, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::primitives::{keccak256, TxKind, B256};
use revm::{Context, ExecuteCommitEvm, MainBuilder, MainContext};
use serde_json::Value;
use std::path::Path;

const ROUNDS: usize = 7;

fn transaction(v: &Value) -> TxEnv {
    let to = v["to"].as_str().map(|_| input::address(&v["to"]));
    TxEnv {
        tx_type: 2,
        caller: input::address(&v["sender"]),
        gas_limit: input::number(&v["gas"]),
        gas_price: input::word(&v["maxFeePerGas"]).to(),
        gas_priority_fee: Some(input::word(&v["maxPriorityFeePerGas"]).to()),
        kind: to.map_or(TxKind::Create, TxKind::Call),
        value: input::word(&v["value"]),
        data: input::bytes(&v["input"]),
        nonce: input::number(&v["nonce"]),
        chain_id: Some(input::number(&v["chainId"])),
        ..Default::default()
    }
}

fn root_of(mut leaves: Vec<(B256, Vec<u8>)>) -> B256 {
    leaves.sort_unstable();
    let mut builder = HashBuilder::default();
    for (key, value) in &leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    builder.root()
}

fn state_root(db: &CacheDB<EmptyDB>) -> B256 {
    let accounts = db.cache.accounts.iter().filter(|(_, account)| !account.info.is_empty());
    let leaves = accounts.map(|(address, account)| {
        let slots = account.storage.iter().filter(|(_, value)| !value.is_zero());
        let storage_root = root_of(slots.map(|(k, v)| (keccak256(k.to_be_bytes::<32>()), alloy_rlp::encode(v))).collect());
        let info = &account.info;
        let fields: [&dyn Encodable; 4] = [&info.nonce, &info.balance, &storage_root, &info.code_hash];
        let mut leaf = Vec::with_capacity(110);
        alloy_rlp::encode_list::<_, dyn Encodable>(&fields, &mut leaf);
        (keccak256(address), leaf)
    });
    root_of(leaves.collect())
}

pub fn run_file(path: &Path, emit: &mut impl FnMut(Measured)) {
    let file = input::read_json(path);
    let list = |key: &str| file[key].as_array().unwrap().iter().map(transaction).collect::<Vec<_>>();
    let (setup, timed) = (list("setup"), list("transactions"));
    let env = &file["env"];
    let block = BlockEnv {
        number: input::word(&env["currentNumber"]),
        beneficiary: input::address(&env["currentCoinbase"]),
        timestamp: input::word(&env["currentTimestamp"]),
        gas_limit: u64::MAX,
        basefee: input::number(&env["currentBaseFee"]),
        prevrandao: Some(input::word(&env["currentRandom"]).into()),
        ..Default::default()
    };
    let mut context = Context::mainnet().with_db(input::state(&file["alloc"])).with_block(block).modify_cfg_chained(|cfg| {
        cfg.set_spec_and_mainnet_gas_params(input::fork(file["fork"].as_str().unwrap()));
        cfg.chain_id = input::number(&file["chainId"]);
    });
    let mut evm = context.clone().build_mainnet();
    for tx in setup {
        let result = evm.transact_commit(tx).unwrap();
        assert!(result.is_success(), "{}: setup: {result:?}", path.display());
    }
    context.journaled_state.database = evm.ctx.journaled_state.database;

    let (mut samples, mut with_root) = (Vec::new(), Vec::new());
    let mut gas = 0;
    for _ in 0..ROUNDS {
        let mut evm = context.clone().build_mainnet();
        let transactions = timed.clone();
        gas = 0;
        let begin = clock::thread_ns();
        for tx in transactions {
            let result = evm.transact_commit(tx).unwrap();
            assert!(result.is_success(), "{}: {result:?}", path.display());
            gas += result.tx_gas_used();
        }
        samples.push((clock::thread_ns() - begin) as f64 / 1000.0 / timed.len() as f64);
        std::hint::black_box(state_root(&evm.ctx.journaled_state.database));
        with_root.push((clock::thread_ns() - begin) as f64 / 1000.0 / timed.len() as f64);
    }
    for (label, mut samples) in [("tx", samples), ("tx with root", with_root)] {
        samples.sort_by(f64::total_cmp);
        let name = file["name"].as_str().unwrap().to_owned();
        emit(Measured { name, label: label.into(), gas, us: samples[ROUNDS / 2], runs: (ROUNDS * timed.len()) as u64 });
    }
}
