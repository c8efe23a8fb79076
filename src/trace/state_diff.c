#include "trace/seen.h"

/* What a transaction changed, as OpenEthereum's stateDiff shows it: each value "=", or from and to; of an account that
 * came or went, one of them. */
struct diff_trace {
    struct seen seen;
    struct buf out; /* what stands between the braces, written when the transaction ends */
};

enum change { SAME, CHANGED, CAME, WENT };

/* An account comes and goes as a whole; in one that stays, this is asked of each value. */
static enum change change_of(enum change account, bool is_same)
{
    return account != SAME ? account : is_same ? SAME : CHANGED;
}

typedef void put_fn(struct buf *out, const char *key, const void *value);

static void put_change(struct buf *out, const char *key, enum change change, put_fn *put,
                       const void *from, const void *to)
{
    if (change == SAME) {
        json_out_text(out, key, "=");
        return;
    }
    json_out_object(out, key);
    switch (change) {
    case SAME: break;
    case CAME: put(out, "+", to); break;
    case WENT: put(out, "-", from); break;
    case CHANGED:
        json_out_object(out, "*");
        put(out, "from", from);
        put(out, "to", to);
        json_out_object_end(out);
        break;
    }
    json_out_object_end(out);
}

static void put_quantity(struct buf *out, const char *key, const void *value)
{
    json_out_quantity_u256(out, key, *(const u256 *)value);
}

static void put_word(struct buf *out, const char *key, const void *value)
{
    json_out_word(out, key, *(const u256 *)value);
}

static void put_code(struct buf *out, const char *key, const void *value)
{
    const struct evm_code_view *code = value;
    json_out_data(out, key, code->bytes, code->len);
}

/* As in Erigon, slots of an account that went are not told of. */
static void put_storage(struct diff_trace *diff, const struct seen_account *account,
                        enum change change)
{
    char key[WORD_TEXT_MAX];
    const struct slot_entry *slot;
    json_out_object(&diff->out, "storage");
    for (size_t at = 0; change != WENT && (slot = seen_next_slot(&diff->seen, account, &at));) {
        u256 now = trace_slot(&diff->seen.trace, &slot->addr, &slot->key);
        if (!u256_eq(now, slot->value))
            put_change(&diff->out, trace_word_text(key, &slot->key), change_of(change, false),
                       put_word, &slot->value, &now);
    }
    json_out_object_end(&diff->out);
}

static void put_account(struct diff_trace *diff, const struct seen_account *account, bool is_there)
{
    const struct evm_host *host = &diff->seen.trace.host;
    const addr20 *addr = &account->addr;
    enum change change = is_there == account->was_there ? SAME : is_there ? CAME : WENT;
    struct evm_code_view now = host->ops->code(host->ctx, addr),
                         before = {.bytes = account->code, .len = account->code_len};
    u256 wei = host->ops->balance(host->ctx, addr),
         nonce = u256_from_u64(host->ops->nonce(host->ctx, addr)),
         nonce_before = u256_from_u64(account->nonce);
    trace_open_addr(&diff->out, addr);
    put_change(&diff->out, "balance", change_of(change, u256_eq(wei, account->wei)), put_quantity,
               &account->wei, &wei);
    put_change(&diff->out, "code", change_of(change, hash32_eq(&now.hash, &account->code_hash)),
               put_code, &before, &now);
    put_change(&diff->out, "nonce", change_of(change, u256_eq(nonce, nonce_before)), put_quantity,
               &nonce_before, &nonce);
    put_storage(diff, account, change);
    json_out_object_end(&diff->out);
}

static void diff_begin(struct trace *trace)
{
    seen_begin((struct seen *)trace);
}

static void diff_end(struct trace *trace)
{
    struct diff_trace *diff = (struct diff_trace *)trace;
    size_t count = seen_sort(&diff->seen);
    for (size_t i = 0; i < count; i++) {
        const struct seen_account *account = diff->seen.accounts[i];
        bool is_there = trace->host.ops->account_exists(trace->host.ctx, &account->addr);
        bool differs =
            is_there != account->was_there || (is_there && seen_is_changed(&diff->seen, account));
        if (differs)
            put_account(diff, account, is_there);
    }
    trace->is_full = trace->is_full || diff->out.full;
}

static void diff_result(struct buf *out, const char *key, const struct trace *trace)
{
    const struct diff_trace *diff = (const struct diff_trace *)trace;
    json_out_object(out, key);
    buf_add(out, diff->out.data, diff->out.len);
    json_out_object_end(out);
}

static enum status diff_configure(struct trace *trace, json config, json own, struct err *err)
{
    struct diff_trace *diff = (struct diff_trace *)trace;
    (void)config;
    (void)own;
    (void)err;
    buf_init(&diff->out, trace->bytes_max);
    seen_init(&diff->seen);
    return STATUS_OK;
}

static void diff_fini(struct trace *trace)
{
    struct diff_trace *diff = (struct diff_trace *)trace;
    seen_fini(&diff->seen);
    buf_fini(&diff->out);
}

const struct trace_kind TRACE_STATE_DIFF = {
    .name = "stateDiff",
    .size = sizeof(struct diff_trace),
    .configure = diff_configure,
    .begin = diff_begin,
    .end = diff_end,
    .result = diff_result,
    .fini = diff_fini,
};
