#include "rpc/session.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "rpc/filters.h"
#include "rpc/param.h"
#include "rpc/shape.h"

enum {
    UNSENT_HIGH = 1 << 20, /* bytes on the line past which subscriptions wait */
    UNSENT_MAX = 1 << 24,  /* and past which a reader is given up, for what cannot wait */
    NOTE_KEEP = 1 << 16,   /* bytes of buffer kept between events */
    WAITS_MAX = 4096,      /* requests that wait at a time */
    HEADS_MAX = 1 << 22,   /* and bytes of their envelopes, whose ids may be long */
};

enum subscription_kind { SUB_HEADS, SUB_LOGS, SUB_PENDING, SUB_SYNCING };

struct subscription {
    u64 id;
    enum subscription_kind kind;
    u64 next_block;   /* the first one not told yet */
    u64 next_arrival; /* the first transaction not told yet */
    bool whole_txs;
    struct log_choice choice;
    struct log_range range;
    struct arena arena; /* what the choice borrows */
};

struct rpc_session {
    struct rpc *rpc;
    const struct rpc_session_ops *ops;
    void *ctx;
    struct rpc_session *prev, *next;
    struct subscription **subs;
    u32 sub_count, sub_cap;
    bool is_ended; /* given up; its owner is about to free it */
};

/* A request that waits for its receipt. */
struct wait {
    struct rpc_asker asker;
    hash32 hash;
    u64 deadline_ms;
    u8 *head;
    size_t head_len;
};

struct rpc_sessions {
    struct rpc *rpc;
    struct rpc_session *first;
    u32 sub_count; /* of all sessions */
    struct wait *waits;
    u32 wait_count, wait_cap;
    size_t head_bytes;      /* of all of them */
    struct timer *soon;     /* fires when the request at hand is answered */
    struct timer *deadline; /* of the wait that ends first */
    bool is_soon;
    struct buf note;
};

/* --- waking up ------------------------------------------------------------------------------ */

static void on_changed(void *ctx)
{
    struct rpc_sessions *sessions = ctx;
    if (sessions->is_soon || (!sessions->sub_count && !sessions->wait_count))
        return;
    sessions->is_soon = true;
    timer_start(sessions->soon, 0, 0);
}

static void on_leaving(void *ctx, u64 number);
static void on_soon(void *ctx);
static void on_deadline(void *ctx);

struct rpc_sessions *rpc_sessions_new(struct rpc *rpc)
{
    struct rpc_sessions *sessions = NEW(struct rpc_sessions);
    struct dev *dev = rpc->dev;
    sessions->rpc = rpc;
    sessions->soon = timer_new(dev->loop, on_soon, sessions);
    sessions->deadline = timer_new(dev->loop, on_deadline, sessions);
    buf_init(&sessions->note, SIZE_MAX / 2);
    dev->watcher = (struct dev_watcher){on_changed, on_leaving, sessions};
    return sessions;
}

static void wait_remove(struct rpc_sessions *sessions, u32 place)
{
    mem_free(sessions->waits[place].head);
    sessions->head_bytes -= sessions->waits[place].head_len;
    sessions->waits[place] = sessions->waits[--sessions->wait_count];
}

void rpc_sessions_free(struct rpc_sessions *sessions)
{
    assert(!sessions->first);
    sessions->rpc->dev->watcher = (struct dev_watcher){0};
    for (u32 i = 0; i < sessions->wait_count; i++) {
        struct wait *wait = &sessions->waits[i];
        wait->asker.answer(wait->asker.ctx, "", 0);
        mem_free(wait->head);
    }
    mem_free(sessions->waits);
    timer_free(sessions->soon);
    timer_free(sessions->deadline);
    buf_fini(&sessions->note);
    mem_free(sessions);
}

/* --- sessions ------------------------------------------------------------------------------- */

struct rpc_session *rpc_session_new(struct rpc *rpc, const struct rpc_session_ops *ops, void *ctx)
{
    struct rpc_session *session = NEW(struct rpc_session);
    struct rpc_sessions *all = rpc->sessions;
    session->rpc = rpc;
    session->ops = ops;
    session->ctx = ctx;
    session->next = all->first;
    if (all->first)
        all->first->prev = session;
    all->first = session;
    return session;
}

static void subscription_remove(struct rpc_session *session, u32 place)
{
    rpc_choice_drop(session->rpc->filters, &session->subs[place]->choice);
    arena_fini(&session->subs[place]->arena);
    mem_free(session->subs[place]);
    session->subs[place] = session->subs[--session->sub_count];
    session->rpc->sessions->sub_count--;
}

void rpc_session_free(struct rpc_session *session)
{
    struct rpc_sessions *all = session->rpc->sessions;
    for (u32 i = all->wait_count; i > 0; i--)
        if (all->waits[i - 1].asker.session == session)
            wait_remove(all, i - 1);
    while (session->sub_count)
        subscription_remove(session, session->sub_count - 1);
    mem_free(session->subs);
    if (session->prev)
        session->prev->next = session->next;
    else
        all->first = session->next;
    if (session->next)
        session->next->prev = session->prev;
    mem_free(session);
}

/* The owner frees the session now or soon; nothing is said to it any more. */
static void session_end(struct rpc_session *session, const char *why)
{
    if (session->is_ended)
        return;
    session->is_ended = true;
    session->ops->end(session->ctx, why);
}

/* --- events --------------------------------------------------------------------------------- */

/* What was read of a store that is damaged is not to be shown: false, and the session ends saying so. */
static bool is_trusted(struct rpc_session *session)
{
    struct err err;
    bool is_whole = chain_status(session->rpc->dev->chain, &err) == STATUS_OK;
    if (!is_whole)
        session_end(session, err.text);
    return is_whole;
}

static struct buf *note_begin(struct rpc_session *session, const struct subscription *sub)
{
    struct buf *note = &session->rpc->sessions->note;
    buf_reset(note);
    json_out_object(note, NULL);
    json_out_raw(note, "jsonrpc", "\"2.0\"", 5);
    json_out_text(note, "method", "eth_subscription");
    json_out_object(note, "params");
    json_out_quantity(note, "subscription", sub->id);
    return note;
}

static void note_end(struct rpc_session *session)
{
    struct buf *note = &session->rpc->sessions->note;
    json_out_object_end(note);
    json_out_object_end(note);
    if (is_trusted(session))
        session->ops->send(session->ctx, note->data, note->len);
    if (note->cap > NOTE_KEEP)
        buf_fini(note);
}

static void tell_head(struct rpc_session *session, const struct subscription *sub,
                      const struct chain_block *block)
{
    struct buf *note = note_begin(session, sub);
    json_out_object(note, "result");
    shape_header_members(note, &block->block.header, &block->block.hash);
    json_out_object_end(note);
    note_end(session);
}

static void tell_log(struct rpc_session *session, const struct subscription *sub,
                     const struct chain_block *block, u32 tx, u32 log, bool is_removed)
{
    if (!log_choice_matches(&sub->choice, &block->receipts[tx].logs[log]))
        return;
    struct buf *note = note_begin(session, sub);
    shape_log(note, "result", block, tx, log, is_removed);
    note_end(session);
}

static void tell_logs(struct rpc_session *session, const struct subscription *sub,
                      const struct chain_block *block)
{
    if (!log_range_has(&sub->range, block->block.header.number) ||
        !log_choice_may_match(&sub->choice, block))
        return;
    for (u32 i = 0; i < block->block.tx_count; i++)
        for (u32 k = 0; k < block->receipts[i].log_count; k++)
            tell_log(session, sub, block, i, k, false);
}

/* The newest first, as geth undoes them. */
static void untell_logs(struct rpc_session *session, const struct subscription *sub,
                        const struct chain_block *block)
{
    if (!log_range_has(&sub->range, block->block.header.number) ||
        !log_choice_may_match(&sub->choice, block))
        return;
    for (u32 i = block->block.tx_count; i > 0; i--)
        for (u32 k = block->receipts[i - 1].log_count; k > 0; k--)
            tell_log(session, sub, block, i - 1, k - 1, true);
}

/* One transaction that came in; false when there is none left to tell of. */
static bool tell_arrival(struct rpc_session *session, struct subscription *sub)
{
    u32 index;
    const struct dev *dev = session->rpc->dev;
    if (sub->kind != SUB_PENDING || sub->next_arrival == dev->arrival_count)
        return false;
    if (dev->arrival_count - sub->next_arrival > DEV_ARRIVALS) {
        session_end(session, "too slow: transactions to tell of are no longer listed");
        return false;
    }
    const hash32 *hash = &dev->arrivals[sub->next_arrival++ % DEV_ARRIVALS];
    const struct chain_block *block = chain_find_tx(dev->chain, hash, &index);
    const struct tx *tx = block ? &block->block.txs[index] : txpool_get(dev->pool, hash);
    if (sub->whole_txs && !tx)
        return is_trusted(session); /* dropped meanwhile */
    struct buf *note = note_begin(session, sub);
    if (sub->whole_txs)
        shape_tx(note, "result", tx, NULL, 0); /* as it was when it came */
    else
        json_out_hash(note, "result", hash);
    note_end(session);
    return true;
}

static bool is_about_blocks(const struct subscription *sub)
{
    return sub->kind == SUB_HEADS || sub->kind == SUB_LOGS;
}

/* The next block to some subscription of the session; false when all have been told of the head. */
static bool tell_block(struct rpc_session *session)
{
    struct chain *chain = session->rpc->dev->chain;
    u64 number = chain_head(chain)->block.header.number + 1, head = number;
    for (u32 i = 0; i < session->sub_count; i++)
        if (is_about_blocks(session->subs[i]) && session->subs[i]->next_block < number)
            number = session->subs[i]->next_block;
    if (number == head)
        return false;
    const struct chain_block *block = chain_by_number(chain, number);
    if (!block) {
        if (is_trusted(session))
            session_end(session, "too slow: blocks to tell of are no longer held");
        return false;
    }
    for (u32 i = 0; i < session->sub_count && !session->is_ended; i++) {
        struct subscription *sub = session->subs[i];
        if (!is_about_blocks(sub) || sub->next_block != number)
            continue;
        sub->next_block++;
        if (sub->kind == SUB_HEADS)
            tell_head(session, sub, block);
        else
            tell_logs(session, sub, block);
    }
    return true;
}

static bool tell_something(struct rpc_session *session)
{
    for (u32 i = 0; i < session->sub_count; i++)
        if (tell_arrival(session, session->subs[i]) || session->is_ended)
            return true;
    return tell_block(session);
}

/* Says what is new, as long as the line takes it. */
void rpc_session_resume(struct rpc_session *session)
{
    while (!session->is_ended && session->ops->unsent(session->ctx) <= UNSENT_HIGH)
        if (!tell_something(session))
            return;
}

/* Blocks after `number` are about to go: the logs that were told of are taken back. */
static void take_back(struct rpc_session *session, struct subscription *sub, u64 number)
{
    struct chain *chain = session->rpc->dev->chain;
    u64 told = sub->next_block;
    sub->next_block = told > number + 1 ? number + 1 : told;
    if (sub->kind != SUB_LOGS)
        return;
    for (u64 at = told - 1; at > number && !session->is_ended; at--) {
        const struct chain_block *block = chain_by_number(chain, at);
        if (block && block->receipts)
            untell_logs(session, sub, block);
        else if (!is_trusted(session))
            return;
        if (session->ops->unsent(session->ctx) > UNSENT_MAX)
            session_end(session, "too slow: logs to take back do not wait");
    }
}

static void on_leaving(void *ctx, u64 number)
{
    struct rpc_sessions *sessions = ctx;
    struct rpc_session *next;
    rpc_filters_leave(sessions->rpc->filters, sessions->rpc->dev->chain, number);
    for (struct rpc_session *session = sessions->first; session; session = next) {
        next = session->next;
        for (u32 i = 0; i < session->sub_count && !session->is_ended; i++)
            if (is_about_blocks(session->subs[i]))
                take_back(session, session->subs[i], number);
    }
}

/* --- answers that wait ---------------------------------------------------------------------- */

static void arm_deadline(struct rpc_sessions *sessions)
{
    u64 first = UINT64_MAX, now = loop_now_ms(sessions->rpc->dev->loop);
    for (u32 i = 0; i < sessions->wait_count; i++)
        if (sessions->waits[i].deadline_ms < first)
            first = sessions->waits[i].deadline_ms;
    if (sessions->wait_count)
        timer_start(sessions->deadline, first > now ? first - now : 0, 0);
    else
        timer_stop(sessions->deadline);
}

bool rpc_wait_add(struct rpc *rpc, const struct rpc_asker *asker, const hash32 *hash,
                  u64 timeout_ms, const void *head, size_t len)
{
    struct rpc_sessions *sessions = rpc->sessions;
    if (sessions->wait_count == WAITS_MAX || len > HEADS_MAX - sessions->head_bytes)
        return false;
    sessions->head_bytes += len;
    if (sessions->wait_count == sessions->wait_cap) {
        sessions->wait_cap = sessions->wait_cap ? 2 * sessions->wait_cap : 8;
        sessions->waits =
            mem_realloc(sessions->waits, sessions->wait_cap * sizeof *sessions->waits);
    }
    sessions->waits[sessions->wait_count++] = (struct wait){
        .asker = *asker,
        .hash = *hash,
        .deadline_ms = loop_now_ms(rpc->dev->loop) + timeout_ms,
        .head = mem_dup(head, len),
        .head_len = len,
    };
    arm_deadline(sessions);
    return true;
}

void rpc_wait_fail(struct rpc_call *call, const hash32 *hash, const char *why)
{
    rpc_fail(call, RPC_TIMEOUT, "%s", why);
    call->data = arena_dup(call->arena, hash->b, sizeof hash->b);
    call->data_len = sizeof hash->b;
    call->has_data = true;
}

/* Answers one if it can be answered now; it is gone then. */
static bool wait_settle(struct rpc_sessions *sessions, u32 place, u64 now)
{
    u32 index;
    struct wait wait = sessions->waits[place];
    struct rpc *rpc = sessions->rpc;
    const struct chain_block *block = chain_find_tx(rpc->dev->chain, &wait.hash, &index);
    bool is_waiting = !block && txpool_get(rpc->dev->pool, &wait.hash);
    if (is_waiting && now < wait.deadline_ms)
        return false;
    struct buf answer;
    struct rpc_call call;
    buf_init(&answer, SIZE_MAX / 2);
    rpc_call_init(&call, rpc, &answer);
    buf_add(&answer, wait.head, wait.head_len);
    if (block)
        shape_receipt(&call, RPC_RESULT, block, index);
    else
        rpc_wait_fail(&call, &wait.hash,
                      is_waiting ? "the transaction was added to the pool but is not in a block yet"
                                 : "the transaction was dropped from the pool");
    rpc_call_finish(&call, wait.head_len);
    wait_remove(sessions, place);
    wait.asker.answer(wait.asker.ctx, answer.data, answer.len);
    arena_reset(&rpc->arena);
    buf_fini(&answer);
    return true;
}

/* Answering may bring new requests and end sessions, so the list is looked through again after each. */
static void settle_waits(struct rpc_sessions *sessions)
{
    u64 now = loop_now_ms(sessions->rpc->dev->loop);
    for (u32 i = 0; i < sessions->wait_count;)
        i = wait_settle(sessions, i, now) ? 0 : i + 1;
    arm_deadline(sessions);
}

static void on_deadline(void *ctx)
{
    settle_waits(ctx);
}

static void on_soon(void *ctx)
{
    struct rpc_sessions *sessions = ctx;
    struct rpc_session *next;
    sessions->is_soon = false;
    settle_waits(sessions);
    for (struct rpc_session *session = sessions->first; session; session = next) {
        next = session->next;
        rpc_session_resume(session);
    }
}

/* --- methods -------------------------------------------------------------------------------- */

/* geth's words, so that clients fall back to polling. */
static struct rpc_session *session_of(struct rpc_call *call)
{
    struct rpc_session *session = call->asker ? call->asker->session : NULL;
    if (!session)
        rpc_fail(call, RPC_NO_NOTIFICATIONS, "notifications not supported");
    return session;
}

static bool kind_of(struct rpc_call *call, enum subscription_kind *kind)
{
    static const char *const names[] = {
        [SUB_HEADS] = "newHeads",
        [SUB_LOGS] = "logs",
        [SUB_PENDING] = "newPendingTransactions",
        [SUB_SYNCING] = "syncing",
    };
    const char *name;
    if (!param_text(call, 0, &name))
        return false;
    for (u32 i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *kind = (enum subscription_kind)i;
            return true;
        }
    }
    return rpc_fail(call, RPC_METHOD_NOT_FOUND, "no \"%.200s\" subscription in eth namespace",
                    name);
}

static struct subscription *subscription_add(struct rpc_call *call, struct rpc_session *session,
                                             enum subscription_kind kind)
{
    struct rpc_sessions *all = call->rpc->sessions;
    if (all->sub_count >= call->rpc->options.filters_max) {
        rpc_fail(call, RPC_LIMIT_EXCEEDED, "too many subscriptions: there are %u", all->sub_count);
        return NULL;
    }
    if (session->sub_count == session->sub_cap) {
        session->sub_cap = session->sub_cap ? 2 * session->sub_cap : 4;
        session->subs = mem_realloc(session->subs, session->sub_cap * sizeof(void *));
    }
    struct subscription *sub = NEW(struct subscription);
    session->subs[session->sub_count++] = sub;
    all->sub_count++;
    sub->id = rpc_filters_next_id(call->rpc->filters);
    sub->kind = kind;
    sub->next_block = chain_head(call->chain)->block.header.number + 1;
    sub->next_arrival = call->dev->arrival_count;
    arena_init(&sub->arena);
    json_out_quantity(call->out, RPC_RESULT, sub->id);
    return sub;
}

static void eth_subscribe(struct rpc_call *call)
{
    struct log_choice choice = {0};
    struct log_range range = {.from_head = true, .to_head = true};
    enum subscription_kind kind = SUB_HEADS;
    bool whole_txs = false;
    struct rpc_session *session = session_of(call);
    if (!session || !kind_of(call, &kind))
        return;
    if (kind == SUB_LOGS && param_has(call, 1) &&
        !log_filter_read(call, param_at(call, 1), &choice, &range))
        return;
    if (kind == SUB_PENDING && param_has(call, 1) && !param_bool(call, 1, &whole_txs))
        return;
    struct subscription *sub =
        rpc_choice_fits(call, &choice) ? subscription_add(call, session, kind) : NULL;
    if (!sub)
        return;
    sub->whole_txs = whole_txs;
    sub->range = range;
    rpc_choice_keep(call->rpc->filters, &sub->choice, &choice, &sub->arena);
}

static void eth_unsubscribe(struct rpc_call *call)
{
    u64 id;
    struct rpc_session *session = session_of(call);
    if (!session || !param_u64(call, 0, &id))
        return;
    for (u32 i = 0; i < session->sub_count; i++) {
        if (session->subs[i]->id == id) {
            subscription_remove(session, i);
            json_out_bool(call->out, RPC_RESULT, true);
            return;
        }
    }
    rpc_fail(call, RPC_SERVER_ERROR, "subscription not found");
}

const struct rpc_method RPC_ETH_SUBSCRIBE[] = {
    {"eth_subscribe", eth_subscribe, "subscription options?"},
    {"eth_unsubscribe", eth_unsubscribe, "id"},
    {NULL, NULL, NULL},
};
