#include <stdlib.h>

#include "evm/opcode.h"
#include "prim/hex.h"
#include "prim/keccak.h"
#include "trace/slot_table.h"
#include "trace/trace_int.h"

/* An account the transaction looked at, as it was before; in diff mode also what became of it. */
struct prestate_account {
    struct prestate_account *next;
    addr20 addr;
    u256 wei;
    u64 nonce;
    const u8 *code;
    size_t code_len;
    hash32 code_hash;
    bool was_empty;
    bool is_created, is_deleted; /* by this transaction */
};

struct prestate_trace {
    struct trace trace;
    bool diff, no_code, no_storage, empty_too;
    struct prestate_account *first;
    size_t account_count;
    struct slot_table before;
    /* Diff mode: the two halves of the answer, written when the transaction ends. */
    struct buf pre, post;
};

/* --- looking --------------------------------------------------------------------------------- */

static struct prestate_account *account_find(const struct prestate_trace *pre, const addr20 *addr)
{
    struct prestate_account *account = pre->first;
    while (account && !addr20_eq(&account->addr, addr))
        account = account->next;
    return account;
}

/* Notes the account as it is now, when it is seen for the first time. NULL when the trace is full. */
static struct prestate_account *account_look(struct prestate_trace *pre, const addr20 *addr)
{
    const struct evm_host *host = &pre->trace.host;
    struct prestate_account *account = account_find(pre, addr);
    if (account)
        return account;
    account = trace_keep(&pre->trace, sizeof *account);
    if (!account)
        return NULL;
    struct evm_code_view code = host->ops->code(host->ctx, addr);
    account->addr = *addr;
    account->wei = host->ops->balance(host->ctx, addr);
    account->nonce = host->ops->nonce(host->ctx, addr);
    account->code = trace_keep_bytes(&pre->trace, code.bytes, code.len);
    account->code_len = account->code ? code.len : 0;
    account->code_hash = code.hash;
    account->was_empty = !account->nonce && !code.len && u256_is_zero(account->wei);
    account->next = pre->first;
    pre->first = account;
    pre->account_count++;
    return account;
}

static void slot_look(struct prestate_trace *pre, const addr20 *addr, const u256 *key)
{
    bool is_new;
    if (pre->no_storage || !account_look(pre, addr))
        return;
    struct slot_entry *entry = slot_table_get(&pre->before, addr, key, &is_new);
    if (is_new)
        entry->value = trace_slot(&pre->trace, addr, key);
}

/* The account, and where its code comes from if that is a delegation (EIP-7702). */
static void callee_look(struct prestate_trace *pre, const addr20 *addr)
{
    const struct evm_host *host = &pre->trace.host;
    addr20 target;
    account_look(pre, addr);
    if (pre->trace.tx.fork < FORK_PRAGUE)
        return;
    struct evm_code_view code = host->ops->code(host->ctx, addr);
    if (evm_delegation_target(&target, &code))
        account_look(pre, &target);
}

static void created_look(struct prestate_trace *pre, const addr20 *addr)
{
    struct prestate_account *account = account_look(pre, addr);
    if (account)
        account->is_created = true;
}

static void create2_look(struct prestate_trace *pre, const struct evm_step *step)
{
    u64 at = u256_to_u64_sat(*step_top(step, 1)), len = u256_to_u64_sat(*step_top(step, 2));
    hash32 hash, salt = u256_to_hash(*step_top(step, 3));
    struct keccak keccak;
    keccak_init(&keccak);
    /* Init code may lie in memory that the instruction is yet to open: zeroes. */
    u64 there = at < step->memory_len ? step->memory_len - at : 0;
    u64 n = there < len ? there : len;
    static const u8 zeroes[64];
    keccak_update(&keccak, step->memory + at * !!n, n);
    for (u64 left = len - n; left;) {
        u64 piece = left < sizeof zeroes ? left : sizeof zeroes;
        keccak_update(&keccak, zeroes, piece);
        left -= piece;
    }
    keccak_final(&keccak, &hash);
    addr20 addr = evm_create2_address(&step->msg->recipient, &salt, &hash);
    created_look(pre, &addr);
}

static void selfdestruct_look(struct prestate_trace *pre, const addr20 *self)
{
    struct prestate_account *account = account_look(pre, self);
    /* EIP-6780: from Cancun on only what this transaction made is deleted. */
    if (account && (pre->trace.tx.fork < FORK_CANCUN || account->is_created))
        account->is_deleted = true;
}

static void prestate_step(void *ctx, const struct evm_step *step)
{
    struct prestate_trace *pre = ctx;
    const struct evm_host *host = &pre->trace.host;
    const addr20 *self = &step->msg->recipient;
    addr20 addr;
    if (step->error != EVM_SUCCESS || pre->trace.is_full)
        return;
    switch (step->opcode) {
    case OP_SLOAD:
    case OP_SSTORE: slot_look(pre, self, step_top(step, 0)); break;
    case OP_EXTCODECOPY:
    case OP_EXTCODEHASH:
    case OP_EXTCODESIZE:
    case OP_BALANCE:
    case OP_SELFDESTRUCT:
        addr = word_addr(step_top(step, 0));
        account_look(pre, &addr);
        if (step->opcode == OP_SELFDESTRUCT)
            selfdestruct_look(pre, self);
        break;
    case OP_CALL:
    case OP_CALLCODE:
    case OP_DELEGATECALL:
    case OP_STATICCALL:
        addr = word_addr(step_top(step, 1));
        callee_look(pre, &addr);
        break;
    case OP_CREATE:
        addr = evm_create_address(self, host->ops->nonce(host->ctx, self));
        created_look(pre, &addr);
        break;
    case OP_CREATE2: create2_look(pre, step); break;
    }
}

static void prestate_begin(struct trace *trace)
{
    struct prestate_trace *pre = (struct prestate_trace *)trace;
    const struct trace_tx *tx = &trace->tx;
    if (tx->is_create)
        created_look(pre, &tx->to);
    else
        callee_look(pre, &tx->to);
    account_look(pre, &tx->from);
    account_look(pre, &tx->coinbase);
    for (size_t i = 0; i < tx->authority_count; i++)
        account_look(pre, &tx->authorities[i]);
}

/* --- writing --------------------------------------------------------------------------------- */

static void put_addr_key(struct buf *out, const addr20 *addr)
{
    char key[2 + 2 * 20 + 1];
    hex_encode(key, addr->b, sizeof addr->b);
    json_out_object(out, key);
}

/* Writes one slot into an object that is opened by the first of them. */
static void put_slot(struct buf *out, bool *is_open, const u256 *key, u256 value)
{
    char name[2 + 2 * 32 + 1];
    hash32 word = u256_to_hash(*key);
    if (!*is_open)
        json_out_object(out, "storage");
    *is_open = true;
    hex_encode(name, word.b, sizeof word.b);
    json_out_word(out, name, value);
}

static void put_account(struct buf *out, const struct prestate_trace *pre,
                        const struct prestate_account *account)
{
    bool is_open = false;
    json_out_quantity_u256(out, "balance", account->wei);
    if (account->code_len && !pre->no_code)
        json_out_data(out, "code", account->code, account->code_len);
    if (account->code_len)
        json_out_hash(out, "codeHash", &account->code_hash);
    if (account->nonce)
        json_out_u64(out, "nonce", account->nonce);
    for (size_t i = 0; i < pre->before.count; i++) {
        const struct slot_entry *slot = &pre->before.entries[i];
        if (!addr20_eq(&slot->addr, &account->addr))
            continue;
        /* In diff mode: only slots that change and had a value; of a deleted account, all. */
        bool is_told = !pre->diff || account->is_deleted ||
                       (!u256_is_zero(slot->value) &&
                        !u256_eq(slot->value, trace_slot(&pre->trace, &slot->addr, &slot->key)));
        if (!is_told)
            continue;
        put_slot(out, &is_open, &slot->key, slot->value);
    }
    if (is_open)
        json_out_object_end(out);
}

/* What is different now. */
static void put_changes(struct buf *out, const struct prestate_trace *pre,
                        const struct prestate_account *account)
{
    const struct evm_host *host = &pre->trace.host;
    const addr20 *addr = &account->addr;
    u256 wei = host->ops->balance(host->ctx, addr);
    u64 nonce = host->ops->nonce(host->ctx, addr);
    struct evm_code_view code = host->ops->code(host->ctx, addr);
    hash32 hash = {{0}};
    bool is_open = false;
    if (host->ops->account_exists(host->ctx, addr))
        hash = code.hash;
    if (!u256_eq(wei, account->wei))
        json_out_quantity_u256(out, "balance", wei);
    if (!pre->no_code && !hash32_eq(&code.hash, &account->code_hash))
        json_out_data(out, "code", code.bytes, code.len);
    if (!hash32_eq(&hash, &account->code_hash))
        json_out_hash(out, "codeHash", &hash);
    if (nonce != account->nonce && nonce)
        json_out_u64(out, "nonce", nonce);
    for (size_t i = 0; i < pre->before.count; i++) {
        const struct slot_entry *slot = &pre->before.entries[i];
        if (!addr20_eq(&slot->addr, addr))
            continue;
        u256 now = trace_slot(&pre->trace, addr, &slot->key);
        if (!u256_eq(now, slot->value) && !u256_is_zero(now))
            put_slot(out, &is_open, &slot->key, now);
    }
    if (is_open)
        json_out_object_end(out);
}

/* Does anything that put_changes may show, or a slot now zero, differ? */
static bool is_changed(const struct prestate_trace *pre, const struct prestate_account *account)
{
    const struct evm_host *host = &pre->trace.host;
    const addr20 *addr = &account->addr;
    hash32 hash = {{0}};
    if (host->ops->account_exists(host->ctx, addr))
        hash = host->ops->code(host->ctx, addr).hash;
    if (!u256_eq(host->ops->balance(host->ctx, addr), account->wei) ||
        host->ops->nonce(host->ctx, addr) != account->nonce ||
        !hash32_eq(&hash, &account->code_hash))
        return true;
    for (size_t i = 0; i < pre->before.count; i++) {
        const struct slot_entry *slot = &pre->before.entries[i];
        if (addr20_eq(&slot->addr, addr) &&
            !u256_eq(slot->value, trace_slot(&pre->trace, addr, &slot->key)))
            return true;
    }
    return false;
}

static int account_compare(const void *a, const void *b)
{
    const struct prestate_account *const *left = a, *const *right = b;
    return memcmp((*left)->addr.b, (*right)->addr.b, sizeof(addr20));
}

/* All accounts by address; the caller frees the list. */
static const struct prestate_account **accounts_sorted(const struct prestate_trace *pre)
{
    const struct prestate_account **list =
        NEW_ARRAY(const struct prestate_account *, pre->account_count + 1);
    size_t n = 0;
    for (const struct prestate_account *account = pre->first; account; account = account->next)
        list[n++] = account;
    qsort(list, n, sizeof(const struct prestate_account *), account_compare);
    return list;
}

static void put_diff(struct prestate_trace *pre, const struct prestate_account *account)
{
    bool changes = !account->is_deleted && is_changed(pre, account);
    if (changes) {
        put_addr_key(&pre->post, &account->addr);
        put_changes(&pre->post, pre, account);
        json_out_object_end(&pre->post);
    }
    if ((changes || account->is_deleted) && !account->was_empty) {
        put_addr_key(&pre->pre, &account->addr);
        put_account(&pre->pre, pre, account);
        json_out_object_end(&pre->pre);
    }
}

static void prestate_end(struct trace *trace)
{
    struct prestate_trace *pre = (struct prestate_trace *)trace;
    const struct prestate_account **accounts = accounts_sorted(pre);
    for (size_t i = 0; i < pre->account_count; i++) {
        const struct prestate_account *account = accounts[i];
        if (pre->diff) {
            put_diff(pre, account);
        } else if (pre->empty_too || !account->was_empty) {
            put_addr_key(&pre->pre, &account->addr);
            put_account(&pre->pre, pre, account);
            json_out_object_end(&pre->pre);
        }
    }
    mem_free(accounts);
    trace->is_full = trace->is_full || pre->pre.full || pre->post.full;
}

static void prestate_result(struct buf *out, const char *key, const struct trace *trace)
{
    const struct prestate_trace *pre = (const struct prestate_trace *)trace;
    json_out_object(out, key);
    if (pre->diff) {
        json_out_object(out, "post");
        buf_add(out, pre->post.data, pre->post.len);
        json_out_object_end(out);
        json_out_object(out, "pre");
    }
    buf_add(out, pre->pre.data, pre->pre.len);
    json_out_object_end(out);
    if (pre->diff)
        json_out_object_end(out);
}

static enum status prestate_configure(struct trace *trace, json config, json own, struct err *err)
{
    struct prestate_trace *pre = (struct prestate_trace *)trace;
    enum status status = STATUS_OK;
    const struct {
        const char *name;
        bool *out;
    } options[] = {
        {"diffMode", &pre->diff},
        {"disableCode", &pre->no_code},
        {"disableStorage", &pre->no_storage},
        {"includeEmpty", &pre->empty_too},
    };
    (void)config;
    buf_init(&pre->pre, trace->bytes_max);
    buf_init(&pre->post, trace->bytes_max);
    trace->hooks.step = prestate_step;
    for (size_t i = 0; i < ARRAY_LEN(options) && status == STATUS_OK; i++)
        status = trace_option_bool(options[i].out, own, options[i].name, err);
    if (status == STATUS_OK && pre->diff && pre->empty_too)
        status = err_set(err, STATUS_INVALID, "cannot use diffMode with includeEmpty");
    return status;
}

static void prestate_fini(struct trace *trace)
{
    struct prestate_trace *pre = (struct prestate_trace *)trace;
    slot_table_fini(&pre->before);
    buf_fini(&pre->pre);
    buf_fini(&pre->post);
}

const struct trace_kind TRACE_PRESTATE = {
    .name = "prestateTracer",
    .size = sizeof(struct prestate_trace),
    .configure = prestate_configure,
    .begin = prestate_begin,
    .end = prestate_end,
    .result = prestate_result,
    .fini = prestate_fini,
};
