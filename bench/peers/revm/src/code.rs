//! State-test files: the code of `to` is run with each `data`, on fresh state, with no inspector and code analysed
//! beforehand. `transact` without commit leaves the state as it was.

use crate::{clock, input, Measured};
use revm::context::{BlockEnv, TxEnv};
use revm::primitives::TxKind;
use revm::{Context, ExecuteEvm, MainBuilder, MainContext};
use serde_json::Value;
use std::path::Path;

pub fn run_file(path: &Path, fork: &str, emit: &mut impl FnMut(Measured)) {
    let file = input::read_json(path);
    for (name, test) in file.as_object().expect("a state-test file") {
        let data = test["transaction"]["data"].as_array().expect("transaction.data");
        for (index, data) in data.iter().enumerate() {
            let label = test["_info"]["labels"][index.to_string()].as_str().map(str::to_owned);
            let label = label.unwrap_or_else(|| index.to_string()).trim_start_matches(":label ").to_owned();
            emit(run_case(name, label, test, data, fork));
        }
    }
}

fn block_of(env: &Value) -> BlockEnv {
    BlockEnv {
        number: input::word(&env["currentNumber"]),
        beneficiary: input::address(&env["currentCoinbase"]),
        timestamp: input::word(&env["currentTimestamp"]),
        gas_limit: u64::MAX,
        basefee: 0,
        prevrandao: Some(input::word(&env["currentRandom"]).into()),
        ..Default::default()
    }
}

fn run_case(name: &str, label: String, test: &Value, data: &Value, fork: &str) -> Measured {
    let transaction = &test["transaction"];
    let tx = TxEnv {
        caller: input::address(&transaction["sender"]),
        kind: TxKind::Call(input::address(&transaction["to"])),
        gas_limit: input::number(&transaction["gasLimit"][0]),
        value: input::word(&transaction["value"][0]),
        data: input::bytes(data),
        ..Default::default()
    };
    let context = Context::mainnet()
        .with_db(input::state(&test["pre"]))
        .with_block(block_of(&test["env"]))
        .modify_cfg_chained(|cfg| {
            cfg.set_spec_and_mainnet_gas_params(input::fork(fork));
            cfg.tx_gas_limit_cap = Some(u64::MAX);
            cfg.disable_nonce_check = true;
            cfg.disable_balance_check = true;
            cfg.disable_block_gas_limit = true;
            cfg.disable_eip3607 = true;
        });
    let intrinsic = context.cfg.gas_params.initial_tx_gas_for_tx(&tx, None).initial_total_gas();
    let mut evm = context.build_mainnet();
    let outcome = evm.transact(tx.clone()).unwrap_or_else(|e| panic!("{name} {label}: {e:?}"));
    assert!(outcome.result.is_success(), "{name} {label}: {:?}", outcome.result);
    let gas = outcome.result.gas().total_gas_spent() - intrinsic;
    let (us, runs) = clock::median_us(|| {
        std::hint::black_box(evm.transact(tx.clone()).unwrap());
    });
    Measured { name: name.to_owned(), label, gas, us, runs }
}
