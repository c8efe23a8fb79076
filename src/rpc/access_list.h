/* Finds what a message touches (eth_createAccessList). Private to the room. */
#pragma once

#include "rpc/run.h"

/*
 * Runs tx until the list of what it touches no longer changes; the list is then tx's own, in the call's arena. It
 * leaves out what is warm anyway: sender, recipient, precompiles, and who agreed to be one (EIP-7702). *gas_used and *failure (EVM_SUCCESS if none) are
 * those of the last run. False with the error set when it cannot begin.
 */
bool access_list_find(struct rpc_call *call, struct run *run, struct tx *tx, u64 *gas_used,
                      enum evm_status *failure);
