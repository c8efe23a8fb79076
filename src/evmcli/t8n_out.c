/* What t8n writes: the post-state, the results, the body. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "evmcli/t8n.h"
#include "prim/json_out.h"
#include "prim/keccak.h"
#include "sys/file.h"

enum { OUTPUT_MAX = 1 << 30 };

/* What geth puts in place of the hash of a block that has none yet. */
static const hash32 NO_BLOCK_HASH = {{0x13, 0x37}};

/* --- the post-state ------------------------------------------------------------------------ */

struct dumped {
    addr20 addr;
    struct account account;
};

struct dump {
    struct dumped *list;
    size_t count, cap;
};

static void dump_add(void *arg, const addr20 *addr, const struct account *account)
{
    struct dump *dump = arg;
    if (dump->count == dump->cap) {
        dump->cap = dump->cap ? 2 * dump->cap : 64;
        dump->list = mem_realloc(dump->list, dump->cap * sizeof *dump->list);
    }
    dump->list[dump->count++] = (struct dumped){*addr, *account};
}

static int compare_dumped(const void *a, const void *b)
{
    return memcmp(((const struct dumped *)a)->addr.b, ((const struct dumped *)b)->addr.b, 20);
}

static void hex_key(char out[67], const u8 *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    *out++ = '0';
    *out++ = 'x';
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = 0;
}

struct slot_out {
    struct buf *out;
    bool begun;
};

static void write_slot(void *arg, const u256 *key, const u256 *value)
{
    struct slot_out *slots = arg;
    char name[67];
    hash32 hash = u256_to_hash(*key);
    if (!slots->begun)
        json_out_object(slots->out, "storage");
    slots->begun = true;
    hex_key(name, hash.b, 32);
    json_out_word(slots->out, name, *value);
}

static void write_account(struct buf *out, struct state *state, const struct dumped *dumped)
{
    char name[67];
    struct slot_out slots = {out, false};
    struct state_code code = state_code(state, &dumped->addr);
    hex_key(name, dumped->addr.b, 20);
    json_out_object(out, name);
    if (code.len)
        json_out_data(out, "code", code.bytes, code.len);
    state_each_slot(state, &dumped->addr, write_slot, &slots);
    if (slots.begun)
        json_out_object_end(out);
    json_out_quantity_u256(out, "balance", dumped->account.balance);
    if (dumped->account.nonce)
        json_out_quantity(out, "nonce", dumped->account.nonce);
    json_out_object_end(out);
}

static void write_alloc(struct buf *out, const char *key, struct state *state)
{
    struct dump dump = {0};
    state_each_account(state, dump_add, &dump);
    if (dump.count)
        qsort(dump.list, dump.count, sizeof *dump.list, compare_dumped);
    json_out_object(out, key);
    for (size_t i = 0; i < dump.count; i++)
        write_account(out, state, &dump.list[i]);
    json_out_object_end(out);
    mem_free(dump.list);
}

/* --- the results ------------------------------------------------------------------------------ */

struct place {
    u64 number, timestamp;
    u32 index;
    const hash32 *tx_hash;
};

static void write_log(struct buf *out, const struct log *log, const struct place *at, u32 index)
{
    json_out_object(out, NULL);
    json_out_addr(out, "address", &log->addr);
    json_out_array(out, "topics");
    for (u32 i = 0; i < log->topic_count; i++)
        json_out_hash(out, NULL, &log->topics[i]);
    json_out_array_end(out);
    json_out_data(out, "data", log->data, log->data_len);
    json_out_quantity(out, "blockNumber", at->number);
    json_out_hash(out, "transactionHash", at->tx_hash);
    json_out_quantity(out, "transactionIndex", at->index);
    json_out_hash(out, "blockHash", &NO_BLOCK_HASH);
    json_out_quantity(out, "blockTimestamp", at->timestamp);
    json_out_quantity(out, "logIndex", index);
    json_out_bool(out, "removed", false);
    json_out_object_end(out);
}

static void write_receipt(struct buf *out, const struct t8n *t8n, u32 index)
{
    const struct receipt *receipt = &t8n->process.receipts[index];
    const struct tx *tx = &t8n->included[index];
    const struct evm_block *block = &t8n->env.block;
    struct place at = {block->number, block->timestamp, index, &tx->hash};
    addr20 none = {0};
    bool created = tx->is_create;
    json_out_object(out, NULL);
    if (receipt->type)
        json_out_quantity(out, "type", receipt->type);
    json_out_data(out, "root", receipt->root.b, receipt->has_root ? 32 : 0);
    json_out_quantity(out, "status", receipt->succeeded);
    json_out_quantity(out, "cumulativeGasUsed", receipt->cumulative_gas);
    json_out_data(out, "logsBloom", receipt->bloom.b, sizeof receipt->bloom.b);
    json_out_array(out, "logs");
    for (u32 i = 0; i < receipt->log_count; i++)
        write_log(out, &receipt->logs[i], &at, receipt->log_index_base + i);
    json_out_array_end(out);
    json_out_hash(out, "transactionHash", &tx->hash);
    json_out_addr(out, "contractAddress", created ? &receipt->created : &none);
    json_out_quantity(out, "gasUsed", receipt->gas_used);
    json_out_null(out, "effectiveGasPrice");
    if (tx->type == TX_BLOB) {
        json_out_quantity(out, "blobGasUsed", receipt->blob_gas_used);
        json_out_quantity_u256(out, "blobGasPrice", block->blob_base_fee);
    }
    json_out_hash(out, "blockHash", &NO_BLOCK_HASH);
    json_out_quantity(out, "blockNumber", block->number);
    json_out_quantity(out, "transactionIndex", index);
    json_out_object_end(out);
}

static hash32 logs_hash(struct t8n *t8n)
{
    struct process *process = &t8n->process;
    struct log *all = arena_alloc(&t8n->arena, (process->log_count + 1) * sizeof *all);
    size_t count = 0;
    for (u32 i = 0; i < process->receipt_count; i++)
        for (u32 j = 0; j < process->receipts[i].log_count; j++)
            all[count++] = process->receipts[i].logs[j];
    return log_list_hash(all, count);
}

static void write_roots(struct buf *out, struct t8n *t8n, const hash32 *root)
{
    struct process *process = &t8n->process;
    hash32 tx_root = process_tx_root(t8n->included, t8n->included_count);
    hash32 receipts_root = process_receipts_root(process->receipts, process->receipt_count);
    hash32 logs = logs_hash(t8n);
    json_out_hash(out, "stateRoot", root);
    json_out_hash(out, "txRoot", &tx_root);
    json_out_hash(out, "receiptsRoot", &receipts_root);
    json_out_hash(out, "logsHash", &logs);
    json_out_data(out, "logsBloom", process->bloom.b, sizeof process->bloom.b);
}

static void write_rejected(struct buf *out, const struct t8n *t8n)
{
    if (!t8n->rejected_count)
        return;
    json_out_array(out, "rejected");
    for (u32 i = 0; i < t8n->rejected_count; i++) {
        json_out_object(out, NULL);
        json_out_u64(out, "index", t8n->rejected[i].index);
        json_out_text(out, "error", t8n->rejected[i].error);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void write_requests(struct buf *out, struct t8n *t8n)
{
    struct process *process = &t8n->process;
    if (t8n->fork < FORK_PRAGUE) {
        json_out_null(out, "requests");
        return;
    }
    hash32 hash = request_list_hash(process->requests, process->request_count);
    json_out_hash(out, "requestsHash", &hash);
    json_out_array(out, "requests");
    for (u32 i = 0; i < process->request_count; i++) {
        const struct request *request = &process->requests[i];
        u8 *bytes = arena_alloc(&t8n->arena, request->len + 1);
        bytes[0] = request->type;
        memcpy(bytes + 1, request->data, request->len);
        json_out_data(out, NULL, bytes, request->len + 1);
    }
    json_out_array_end(out);
}

static void write_figures(struct buf *out, struct t8n *t8n)
{
    const struct t8n_env *env = &t8n->env;
    if (env->has_difficulty)
        json_out_quantity_u256(out, "currentDifficulty", env->block.difficulty);
    else
        json_out_null(out, "currentDifficulty");
    json_out_quantity(out, "gasUsed", t8n->process.exec.gas_used);
    if (env->has_base_fee)
        json_out_quantity_u256(out, "currentBaseFee", env->block.base_fee);
    if (env->has_withdrawals) {
        hash32 root = process_withdrawals_root(env->withdrawals, env->withdrawal_count);
        json_out_hash(out, "withdrawalsRoot", &root);
    }
    if (env->has_blob_base_fee) {
        json_out_quantity(out, "currentExcessBlobGas", env->excess_blob_gas);
        json_out_quantity(out, "blobGasUsed", t8n->process.exec.blob_gas_used);
    }
    write_requests(out, t8n);
}

static void write_result(struct buf *out, const char *key, struct t8n *t8n, const hash32 *root)
{
    json_out_object(out, key);
    write_roots(out, t8n, root);
    json_out_array(out, "receipts");
    for (u32 i = 0; i < t8n->process.receipt_count; i++)
        write_receipt(out, t8n, i);
    json_out_array_end(out);
    write_rejected(out, t8n);
    write_figures(out, t8n);
    json_out_object_end(out);
}

/* --- where it goes --------------------------------------------------------------------------- */

/* The body as hex text: rlp([tx, ...]). */
static void write_body(struct buf *out, const char *key, struct t8n *t8n)
{
    struct buf rlp;
    buf_init(&rlp, OUTPUT_MAX);
    size_t mark = rlp_list_begin(&rlp);
    for (u32 i = 0; i < t8n->included_count; i++)
        tx_encode_item(&rlp, &t8n->included[i]);
    rlp_list_end(&rlp, mark);
    json_out_data(out, key, rlp.data, rlp.len);
    buf_fini(&rlp);
}

struct part {
    const char *key, *where;
};

static void write_part(struct buf *out, const char *key, const struct part *part, struct t8n *t8n,
                       const hash32 *root)
{
    if (strcmp(part->key, "alloc") == 0)
        write_alloc(out, key, t8n->prestate.state);
    else if (strcmp(part->key, "result") == 0)
        write_result(out, key, t8n, root);
    else
        write_body(out, key, t8n);
}

/* All parts for one stream, as members of one object. */
static void write_stream(FILE *to, const char *name, const struct part parts[3], struct t8n *t8n,
                         const hash32 *root)
{
    struct buf out;
    bool any = false;
    buf_init(&out, OUTPUT_MAX);
    json_out_object(&out, NULL);
    for (size_t i = 0; i < 3; i++)
        if (parts[i].where && strcmp(parts[i].where, name) == 0) {
            write_part(&out, parts[i].key, &parts[i], t8n, root);
            any = true;
        }
    json_out_object_end(&out);
    buf_add_byte(&out, '\n');
    if (any)
        fwrite(out.data, 1, out.len, to);
    buf_fini(&out);
}

const char *t8n_path(struct t8n *t8n, const char *name)
{
    const char *base = t8n->flags.basedir;
    return base && *base ? arena_format(&t8n->arena, "%s/%s", base, name) : name;
}

static enum t8n_exit write_file(const struct part *part, struct t8n *t8n, const hash32 *root)
{
    const char *where = part->where;
    struct err err;
    struct buf out;
    if (!where || !*where || strcmp(where, "stdout") == 0 || strcmp(where, "stderr") == 0)
        return T8N_OK;
    const char *path = t8n_path(t8n, where);
    buf_init(&out, OUTPUT_MAX);
    write_part(&out, NULL, part, t8n, root);
    enum status status = file_write(path, out.data, out.len, &err);
    buf_fini(&out);
    return status == STATUS_OK ? T8N_OK : t8n_fail(T8N_IO, "%s", err.text);
}

enum t8n_exit t8n_write(struct t8n *t8n)
{
    const struct part parts[3] = {{"alloc", t8n->flags.alloc_out},
                                  {"result", t8n->flags.result_out},
                                  {"body", t8n->flags.body_out}};
    hash32 root;
    struct err err;
    state_root(t8n->prestate.state, &root);
    if (state_commit(t8n->prestate.state, NULL, &err) != STATUS_OK)
        return t8n_fail(T8N_EVM, "could not commit state: %s", err.text);
    enum t8n_exit code = T8N_OK;
    for (size_t i = 0; code == T8N_OK && i < 3; i++)
        code = write_file(&parts[i], t8n, &root);
    if (code != T8N_OK)
        return code;
    write_stream(stdout, "stdout", parts, t8n, &root);
    write_stream(stderr, "stderr", parts, t8n, &root);
    return T8N_OK;
}
