/*
 * Parameters, checked in one place. Each function reads the index-th parameter (or a given value) into *out; when it
 * is missing or wrong it sets the call's error (-32602, geth's words) and returns false. `what` names a
 * value in that message. Private to the room.
 */
#pragma once

#include "rpc/call.h"

/* NULL when absent or null: both mean "not given". */
json param_at(const struct rpc_call *call, size_t index);
bool param_has(const struct rpc_call *call, size_t index);

/* The index-th parameter; sets "missing value for required argument" and gives NULL when it is not there. */
json param_need(struct rpc_call *call, size_t index);

bool param_addr(struct rpc_call *call, size_t index, addr20 *out);
bool param_hash(struct rpc_call *call, size_t index, hash32 *out);
bool param_u64(struct rpc_call *call, size_t index, u64 *out);
bool param_u256(struct rpc_call *call, size_t index, u256 *out);
bool param_data(struct rpc_call *call, size_t index, const u8 **bytes, size_t *len);
bool param_bool(struct rpc_call *call, size_t index, bool *out);
bool param_text(struct rpc_call *call, size_t index, const char **out);

/* A number as tools for development chains write it: a quantity, decimal text, or a JSON number. */
bool param_loose_u256(struct rpc_call *call, size_t index, u256 *out);
bool param_loose_u64(struct rpc_call *call, size_t index, u64 *out);

/* How many transactions a page may have: from 1 to 100. */
enum { PAGE_SIZE_MAX = 100 };
bool param_page_size(struct rpc_call *call, size_t index, u32 *out);

/* The same on any value. */
bool value_addr(struct rpc_call *call, json value, const char *what, addr20 *out);
bool value_hash(struct rpc_call *call, json value, const char *what, hash32 *out);
bool value_u64(struct rpc_call *call, json value, const char *what, u64 *out);
bool value_u256(struct rpc_call *call, json value, const char *what, u256 *out);
/* Bytes are the call's arena's. */
bool value_data(struct rpc_call *call, json value, const char *what, const u8 **bytes, size_t *len);
bool value_bool(struct rpc_call *call, json value, const char *what, bool *out);
bool value_loose_u256(struct rpc_call *call, json value, const char *what, u256 *out);

/* A storage word: "0x" and up to 64 digits, leading zeroes or not. */
bool value_word(struct rpc_call *call, json value, const char *what, u256 *out);

/* For objects: reads member `key` if it is there; *has says so. */
bool member_addr(struct rpc_call *call, json object, const char *key, addr20 *out, bool *has);
bool member_hash(struct rpc_call *call, json object, const char *key, hash32 *out, bool *has);
bool member_u64(struct rpc_call *call, json object, const char *key, u64 *out, bool *has);
bool member_u256(struct rpc_call *call, json object, const char *key, u256 *out, bool *has);
bool member_data(struct rpc_call *call, json object, const char *key, const u8 **bytes, size_t *len,
                 bool *has);

/* An array of at most 65,536 items; *list is NULL if it is not there. */
bool member_list(struct rpc_call *call, json object, const char *key, json *list, bool *has);

/* A list of withdrawals (EIP-4895), the call's arena's; what one leaves out is 0. */
struct withdrawal;
bool member_withdrawals(struct rpc_call *call, json object, const char *key,
                        const struct withdrawal **list, u32 *count, bool *has);

/* The key of an object's member as an address, or as a storage word. */
bool param_key_addr(struct rpc_call *call, const struct json_iter *iter, addr20 *out);
bool param_key_word(struct rpc_call *call, const struct json_iter *iter, u256 *out);

/* An object, or nothing: refuses anything else. */
bool value_is_object(struct rpc_call *call, json value, const char *what);
