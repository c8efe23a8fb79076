/* Transactions as test files and t8n write them in JSON: as geth's RPC, with several names for some fields. */
#pragma once

#include "evmcli/reader.h"
#include "types/tx.h"

/*
 * Reads everything but the signature's making: nonce, fees, gas or gasLimit, to, value, input or data, accessList,
 * maxFeePerBlobGas, blobVersionedHashes, authorizationList, chainId, v, r, s. The type is the member `type`,
 * or else follows from the members that are there. Lists are allocated from the reader's arena.
 */
void txjson_read(struct reader *reader, struct tx *tx, json object);

/* The parts that are lists. */
void txjson_read_access_list(struct reader *reader, struct tx *tx, json list);
void txjson_read_blob_hashes(struct reader *reader, struct tx *tx, json list);
void txjson_read_authorizations(struct reader *reader, struct tx *tx, json list);
