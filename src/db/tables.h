/*
 * Every table of the store, and the bytes of its keys and values. Numbers in keys are big-endian, so
 * that order is by value; values begin as each table's owner says. DB_FORMAT changes whenever a line
 * here changes its meaning: an older program then refuses the folder, with words.
 */
#pragma once

enum {
    /* 2: tables of the past; 3: addresses and visits, pruned blocks. What is older means the same. */
    DB_FORMAT = 3,
    DB_FORMAT_MIN = 1, /* the oldest that is read; writing to it makes it DB_FORMAT */
};

/* clang-format off */

/*    name          key                            value                                       owner */
#define DB_TABLES(X) \
    X(META,         meta)         /* a word in ASCII             as the word says                        chain */ \
    X(ACCOUNTS,     accounts)     /* keccak(address)             address, nonce, balance, hashes         state */ \
    X(SLOTS,        slots)        /* keccak(address), keccak(key)  key, value                            state */ \
    X(CODES,        codes)        /* keccak(code)                the code                                state */ \
    X(NODES,        nodes)        /* owner, path                 a trie's branch                         state */ \
    X(UNDO,         undo)         /* number                      the change sets that lead back          chain */ \
    X(BLOCKS,       blocks)       /* number, hash                header, body, receipts, total difficulty chain */ \
    X(NUMBERS,      numbers)      /* block hash                  its number                              chain */ \
    X(CANONICAL,    canonical)    /* number                      block hash                              chain */ \
    X(TRANSACTIONS, transactions) /* transaction hash            block number, index                     chain */ \
    X(ADDRESSES,    addresses)    /* address, role, number, index  as the role says                      chain */ \
    X(POOL,         pool)         /* transaction hash            kind, number, network form             txpool */ \
    X(ACCOUNT_PAST, account_past) /* keccak(address), number     what it was before that block           state */ \
    X(SLOT_PAST,    slot_past)    /* keccak(address), keccak(key), number  the same                      state */ \
    X(VISITS,       visits)       /* number                      whom its transactions visit             chain */

/* clang-format on */

enum db_table {
#define X(name, lower) DB_##name,
    DB_TABLES(X)
#undef X
        DB_TABLE_COUNT,
};
