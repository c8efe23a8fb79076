#include "trace/seen.h"

struct prestate_trace {
    struct seen seen;
    bool diff, no_code, empty_too;
    /* Diff mode: the two halves of the answer, written when the transaction ends. */
    struct buf pre, post;
};

/* Writes one slot into an object that is opened by the first of them. */
static void put_slot(struct buf *out, bool *is_open, const u256 *key, u256 value)
{
    char name[WORD_TEXT_MAX];
    if (!*is_open)
        json_out_object(out, "storage");
    *is_open = true;
    json_out_word(out, trace_word_text(name, key), value);
}

static void put_account(struct buf *out, const struct prestate_trace *pre,
                        const struct seen_account *account)
{
    bool is_open = false;
    json_out_quantity_u256(out, "balance", account->wei);
    if (account->code_len && !pre->no_code)
        json_out_data(out, "code", account->code, account->code_len);
    if (account->code_len)
        json_out_hash(out, "codeHash", &account->code_hash);
    if (account->nonce)
        json_out_u64(out, "nonce", account->nonce);
    const struct slot_entry *slot;
    for (size_t at = 0; (slot = seen_next_slot(&pre->seen, account, &at));) {
        /* In diff mode: only slots that change and had a value; of a deleted account, all. */
        bool is_told =
            !pre->diff || account->is_deleted ||
            (!u256_is_zero(slot->value) &&
             !u256_eq(slot->value, trace_slot(&pre->seen.trace, &slot->addr, &slot->key)));
        if (!is_told)
            continue;
        put_slot(out, &is_open, &slot->key, slot->value);
    }
    if (is_open)
        json_out_object_end(out);
}

/* What is different now. */
static void put_changes(struct buf *out, const struct prestate_trace *pre,
                        const struct seen_account *account)
{
    const struct evm_host *host = &pre->seen.trace.host;
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
    const struct slot_entry *slot;
    for (size_t at = 0; (slot = seen_next_slot(&pre->seen, account, &at));) {
        u256 now = trace_slot(&pre->seen.trace, addr, &slot->key);
        if (!u256_eq(now, slot->value) && !u256_is_zero(now))
            put_slot(out, &is_open, &slot->key, now);
    }
    if (is_open)
        json_out_object_end(out);
}

static void put_diff(struct prestate_trace *pre, const struct seen_account *account)
{
    bool changes = !account->is_deleted && seen_is_changed(&pre->seen, account);
    if (changes) {
        trace_open_addr(&pre->post, &account->addr);
        put_changes(&pre->post, pre, account);
        json_out_object_end(&pre->post);
    }
    if ((changes || account->is_deleted) && !account->was_empty) {
        trace_open_addr(&pre->pre, &account->addr);
        put_account(&pre->pre, pre, account);
        json_out_object_end(&pre->pre);
    }
}

static void prestate_begin(struct trace *trace)
{
    seen_begin((struct seen *)trace);
}

static void prestate_end(struct trace *trace)
{
    struct prestate_trace *pre = (struct prestate_trace *)trace;
    size_t count = seen_sort(&pre->seen);
    for (size_t i = 0; i < count; i++) {
        const struct seen_account *account = pre->seen.accounts[i];
        if (pre->diff) {
            put_diff(pre, account);
        } else if (pre->empty_too || !account->was_empty) {
            trace_open_addr(&pre->pre, &account->addr);
            put_account(&pre->pre, pre, account);
            json_out_object_end(&pre->pre);
        }
    }
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
        {"disableStorage", &pre->seen.no_storage},
        {"includeEmpty", &pre->empty_too},
    };
    (void)config;
    buf_init(&pre->pre, trace->bytes_max);
    buf_init(&pre->post, trace->bytes_max);
    seen_init(&pre->seen);
    for (size_t i = 0; i < ARRAY_LEN(options) && status == STATUS_OK; i++)
        status = trace_option_bool(options[i].out, own, options[i].name, err);
    if (status == STATUS_OK && pre->diff && pre->empty_too)
        status = err_set(err, STATUS_INVALID, "cannot use diffMode with includeEmpty");
    return status;
}

static void prestate_fini(struct trace *trace)
{
    struct prestate_trace *pre = (struct prestate_trace *)trace;
    seen_fini(&pre->seen);
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
