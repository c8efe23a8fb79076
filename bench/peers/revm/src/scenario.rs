//! Scenarios: a genesis, transactions that set it up, and the transactions that are timed, each through transact
//! and commit. Senders are given, so that no signature is recovered. The format is in bench/scenarios.mjs.

use crate::{clock, input, Measured};
use revm::context::{BlockEnv, TxEnv};
use revm::primitives::TxKind;
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

    let mut samples = Vec::new();
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
    }
    samples.sort_by(f64::total_cmp);
    let name = file["name"].as_str().unwrap().to_owned();
    emit(Measured { name, label: "tx".into(), gas, us: samples[ROUNDS / 2], runs: (ROUNDS * timed.len()) as u64 });
}
