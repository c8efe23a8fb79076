/*
 * Genesis files in geth's format: {config, alloc, difficulty, gasLimit, ...}. Unknown keys are
 * named and refused, and every error names the field it is about.
 */
#pragma once

#include "base/arena.h"
#include "base/status.h"
#include "prim/json.h"
#include "types/chain_config.h"
#include "types/header.h"

struct genesis_slot {
    hash32 key, value;
};

struct genesis_account {
    addr20 addr;
    u64 nonce;
    u256 balance; /* wei */
    const u8 *code;
    size_t code_len;
    const struct genesis_slot *slots;
    u32 slot_count;
};

/* Lists are borrowed from the arena given to genesis_parse, or from the maker. */
struct genesis {
    struct chain_config config;
    struct header header; /* complete but for state_root, which the state gives */
    const struct genesis_account *accounts;
    u32 account_count;
};

MUST_READ enum status genesis_parse(struct genesis *genesis, struct arena *arena, const char *text,
                                    size_t len, struct err *err);

/* Parts of it, for files that hold them under other names. */
MUST_READ enum status genesis_parse_json(struct genesis *genesis, struct arena *arena, json root,
                                         struct err *err);
MUST_READ enum status genesis_parse_config(struct chain_config *config, json object,
                                           struct err *err);
MUST_READ enum status genesis_parse_alloc(const struct genesis_account **accounts, u32 *count,
                                          struct arena *arena, json object, struct err *err);
/* Fills the roots, base fee and later fields that the fork at the genesis block asks for and the
 * maker left out. */
void genesis_complete_header(struct header *header, const struct chain_config *config);
