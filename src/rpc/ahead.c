#include "rpc/ahead.h"

#include <string.h>

#include "base/mem.h"
#include "prim/hex.h"
#include "rpc/call.h"

static const char METHOD[] = "eth_sendRawTransaction";

enum {
    DIGITS_MIN = 2 * 80,         /* of a signed transaction; shorter texts are something else */
    DIGITS_MAX = 2 * 128 * 1024, /* longer ones carry blobs, of which the proofs cost more */
    SKIPPED_MAX = 8,             /* texts in between that were no transactions, or not asked for */
};

/* One text of hexadecimal digits in the body, and the sender if the text is a transaction. */
struct ahead_tx {
    const char *digits;
    size_t len; /* of the digits; of the bytes that replace them once they are decoded */
    bool is_found;
    addr20 sender;
};

struct rpc_ahead {
    enum fork fork;
    u64 chain_id;
    char *body, *work; /* the text, and a copy in which digits become bytes */
    size_t len;
    u32 count, at;
    struct ahead_tx txs[];
};

/* The next text of digits: 0x in quotation marks, long enough. */
static bool next_text(const char **at, const char *end, struct ahead_tx *tx)
{
    const char *open, *close;
    while ((open = memmem(*at, (size_t)(end - *at), "\"0x", 3))) {
        close = memchr(open + 3, '"', (size_t)(end - open - 3));
        if (!close)
            return false;
        *tx = (struct ahead_tx){.digits = open + 3, .len = (size_t)(close - open - 3)};
        *at = close;
        if (tx->len >= DIGITS_MIN && tx->len <= DIGITS_MAX)
            return true;
    }
    return false;
}

static u32 count_texts(const char *body, size_t len, u32 max)
{
    struct ahead_tx tx;
    u32 count = 0;
    const char *at = body;
    while (count < max && next_text(&at, body + len, &tx))
        count++;
    return count;
}

struct rpc_ahead *rpc_ahead_new(const struct rpc *rpc, const char *body, size_t len)
{
    if (!memmem(body, len, METHOD, sizeof METHOD - 1))
        return NULL;
    u32 count = count_texts(body, len, rpc->options.batch_max);
    struct header next;
    dev_next_header(rpc->dev, &next);
    enum fork fork = chain_fork(rpc->dev->chain, &next);
    /* Rules for signatures that may change with the next block: recovered when that is known. */
    if (!count || fork < FORK_SPURIOUS)
        return NULL;
    struct rpc_ahead *ahead = mem_alloc(sizeof *ahead + count * sizeof ahead->txs[0] + 2 * len);
    *ahead = (struct rpc_ahead){.fork = fork, .len = len, .count = count};
    ahead->chain_id = chain_config(rpc->dev->chain)->chain_id;
    ahead->body = (char *)(ahead->txs + count);
    ahead->work = ahead->body + len;
    memcpy(ahead->body, body, len);
    memcpy(ahead->work, body, len);
    const char *at = ahead->work;
    for (u32 i = 0; i < count; i++) {
        bool found = next_text(&at, ahead->work + len, &ahead->txs[i]);
        (void)found; /* as it was when they were counted */
    }
    return ahead;
}

void rpc_ahead_free(struct rpc_ahead *ahead)
{
    mem_free(ahead);
}

u32 rpc_ahead_count(const struct rpc_ahead *ahead)
{
    return ahead->count;
}

static void recover(const struct rpc_ahead *ahead, struct ahead_tx *text, struct arena *arena)
{
    struct tx tx;
    u8 *bytes = (u8 *)(uintptr_t)text->digits;
    if (hex_decode_bare(bytes, text->digits, text->len) != HEX_OK)
        return;
    text->len /= 2;
    if (tx_decode(&tx, arena, bytes, text->len) != TX_OK ||
        tx_recover(&tx, ahead->fork, ahead->chain_id) != TX_OK)
        return;
    text->is_found = true;
    text->sender = tx.sender;
}

void rpc_ahead_recover(struct rpc_ahead *ahead, u32 from, u32 to)
{
    struct arena arena;
    arena_init(&arena);
    for (u32 i = from; i < to; i++)
        recover(ahead, &ahead->txs[i], &arena);
    arena_fini(&arena);
}

bool rpc_ahead_handle(struct rpc *rpc, struct rpc_ahead *ahead, const struct rpc_asker *asker,
                      struct buf *out)
{
    rpc->ahead = ahead;
    bool is_answered = rpc_handle_for(rpc, asker, ahead->body, ahead->len, out);
    rpc->ahead = NULL;
    return is_answered;
}

const addr20 *rpc_ahead_sender(struct rpc_ahead *ahead, const u8 *bytes, size_t len)
{
    if (!ahead)
        return NULL;
    for (u32 i = ahead->at; i < ahead->count && i < ahead->at + SKIPPED_MAX; i++) {
        const struct ahead_tx *tx = &ahead->txs[i];
        if (tx->is_found && tx->len == len && memcmp(tx->digits, bytes, len) == 0) {
            ahead->at = i + 1;
            return &tx->sender;
        }
    }
    return NULL;
}
