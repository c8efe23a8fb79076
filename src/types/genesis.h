/*
 * Genesis files in geth's format: {config, alloc, difficulty, gasLimit, ...}. Unknown keys are named and
 * refused, and every mistake says where it stands and which field it is about. As in geth, letter case in
 * keys does not count (another spelling is worth a warning), null stands for nothing, and numbers may be
 * JSON's, decimal or 0x text.
 */
#pragma once

#include "base/arena.h"
#include "base/status.h"
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

/* Stops at the first mistake: err is "genesis: line 3, column 5: config.londonBlock: ...". */
MUST_READ enum status genesis_parse(struct genesis *genesis, struct arena *arena, const char *text,
                                    size_t len, struct err *err);

struct genesis_finding {
    bool is_mistake;       /* else a warning: the file is good without heeding it */
    unsigned line, column; /* from 1; 0 of what is wrong with the whole file */
    const char *text;      /* "config.londonBlock: ..."; lent for the call */
};

typedef void genesis_found(void *ctx, const struct genesis_finding *finding);

enum { GENESIS_FINDINGS_MAX = 100 };

/*
 * The same to the end of the file: every mistake and warning is reported, the first GENESIS_FINDINGS_MAX of
 * either. STATUS_OK when there was no mistake; *genesis is untouched otherwise.
 */
MUST_READ enum status genesis_check(struct genesis *genesis, struct arena *arena, const char *text,
                                    size_t len, genesis_found *found, void *ctx);

/* Fills the roots, base fee and later fields that the fork at the genesis block asks for and the
 * maker left out. */
void genesis_complete_header(struct header *header, const struct chain_config *config);
