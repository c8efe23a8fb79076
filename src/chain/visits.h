/*
 * Whom a block's transactions visit: the accounts that send them, that they go to, that they create, and that any call
 * inside them comes from or goes to, failed ones too; collected while they execute. An account counts once a
 * transaction.
 *
 *   visits_reset(&visits);            // before a block
 *   exec.visits = &visits;            // exec_tx does the rest
 *
 * What is collected is one list of bytes, which is also how the index keeps it (chain/addresses.h): one visit after
 * another, each
 *   20 bytes   the address
 *   4 bytes    the transaction's place in its block, big-endian
 *   1 byte     the role
 *   more       SENT: the transaction's nonce, 8 bytes, big-endian; CREATED: who created it, 20 bytes
 */
#pragma once

#include "base/buf.h"
#include "evm/evm.h"
#include "state/state.h"
#include "types/tx.h"

enum visit_role {
    VISIT_MET, /* called, calling, or gone to; also a contract that came to nothing, or had no code */
    VISIT_SENT,    /* the transaction is its own */
    VISIT_CREATED, /* a contract that began here, and had code when the transaction was over */
    VISIT_ROLES,
};

struct visit {
    addr20 addr;
    u32 index;
    enum visit_role role;
    u64 nonce;      /* VISIT_SENT */
    addr20 creator; /* VISIT_CREATED: the account that began it, itself maybe a contract */
};

struct met; /* one of this transaction's accounts */

struct visits {
    struct buf list;
    u32 index;       /* of the next transaction */
    struct met *met; /* private from here */
    u32 met_count, met_cap;
    u32 *table; /* places in met, from 1 on, by address */
    u32 table_cap;
    u64 seed;
};

/* seed: random, so that nobody can choose addresses that collide. */
void visits_init(struct visits *visits, u64 seed);
void visits_fini(struct visits *visits);
void visits_reset(struct visits *visits);

/* Around a transaction's message: before it, after it, and when the transaction is ended. */
void visits_begin(struct visits *visits, struct evm *evm);
void visits_settle(struct visits *visits, struct evm *evm, struct state *state);
void visits_end(struct visits *visits, struct state *state, const struct tx *tx);

/* Takes the first visit off a list. False at its end, and, with *len left above 0, when it makes no sense. */
MUST_READ bool visits_next(struct visit *visit, const u8 **list, size_t *len);
