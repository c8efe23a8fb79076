/* EIP-712: the hash of structured data, which people sign knowing what it says. Private to the room. */
#pragma once

#include "rpc/call.h"

/*
 * typed: {types, primaryType, domain, message}. *hash is keccak256("\x19\x01" ++ domain ++ message). False with the
 * error set, naming type or field, when the data does not fit its types.
 */
bool typed_data_hash(struct rpc_call *call, json typed, hash32 *hash);
