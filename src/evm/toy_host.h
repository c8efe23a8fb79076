/*
 * A world small enough to hold in one hand: a host for tests, fuzzers and benchmarks of the EVM, which
 * then need neither state nor chain behind them. Follows evm/host.h to the letter, but keeps
 * everything in two tables and undoes by copying records back. Not meant to be fast with many accounts.
 */
#pragma once

#include "evm/evm.h"

struct toy_host;

struct toy_host *toy_host_new(void);
void toy_host_free(struct toy_host *host);

/* What evm_begin takes. Borrows host. */
struct evm_host toy_host_door(struct toy_host *host);

/* Puts an account (code is copied) or a slot there, outside any transaction. */
void toy_host_put(struct toy_host *host, const addr20 *addr, u256 wei, u64 nonce, const u8 *code,
                  size_t code_len);
void toy_host_put_slot(struct toy_host *host, const addr20 *addr, u256 key, u256 value);

/* Ends the transaction: what was destroyed is removed, warmth and transient storage are forgotten. */
void toy_host_end_tx(struct toy_host *host, enum fork fork);

u256 toy_host_slot(const struct toy_host *host, const addr20 *addr, u256 key);
u256 toy_host_balance(const struct toy_host *host, const addr20 *addr);
u64 toy_host_nonce(const struct toy_host *host, const addr20 *addr);
size_t toy_host_code_len(const struct toy_host *host, const addr20 *addr);
unsigned toy_host_log_count(const struct toy_host *host);

/* A hash over everything a transaction can change: two runs are equal when their digests are. */
hash32 toy_host_digest(const struct toy_host *host);
