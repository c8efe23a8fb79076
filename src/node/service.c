#include "node/service.h"

#include "args/version.h"
#include "base/mem.h"
#include "rpc/ahead.h"
#include "sys/clock.h"
#include "sys/random.h"
#include "sys/workers.h"

/* An answer this large is rare; its memory is given back. */
enum { ANSWER_KEEP = 1 << 20, PART_TXS = 4 };

struct service {
    struct loop *loop;
    struct rpc *rpc;
    struct workers *workers;
    struct http_server *server;
    struct buf answer;
    struct dev *dev;
    struct memory_watch memory;
    u64 lines_max; /* bytes that may wait on all lines; 0: any */
    u64 delayed;   /* bytes of requests whose senders are looked for */
    struct timer *look, *rest;
    bool will_look, has_rested;
    u64 worked_ns; /* until the last look whether there is work */
};

/* --- memory ----------------------------------------------------------------------------------- */

static void make_room(struct service *service)
{
    if (!memory_is_short(&service->memory, service->dev->chain, loop_now_ms(service->loop)))
        return;
    dev_sync_now(service->dev);
    chain_rest(service->dev->chain);
}

/* What the last one left must not add to what this one takes, where there is little to spare. */
static void request_begins(struct service *service)
{
    if (service->memory.is_tight)
        make_room(service);
}

static void look_at_memory(struct service *service)
{
    if (service->lines_max && service->server)
        http_server_shed(service->server, service->lines_max);
    make_room(service);
}

static void on_look(void *ctx)
{
    struct service *service = ctx;
    service->will_look = false;
    look_at_memory(service);
}

/* After so long with next to no work, memory is given back. */
enum { REST_MS = 5000 };
static const u64 REST_WORK_NS = 2000000;

static void on_rest(void *ctx)
{
    struct service *service = ctx;
    u64 now_ns = clock_thread_ns();
    bool is_idle = now_ns - service->worked_ns < REST_WORK_NS;
    if (is_idle && !service->has_rested)
        chain_rest(service->dev->chain);
    service->has_rested = is_idle;
    service->worked_ns = clock_thread_ns();
}

/* What was large is looked at on the spot, the rest soon. */
static void request_done(struct service *service, size_t bytes)
{
    enum { LARGE = 64 << 10, SOON_MS = 20 };
    if (!service->lines_max)
        return;
    evm_settle(chain_evm(service->dev->chain));
    if (bytes >= LARGE)
        look_at_memory(service);
    if (service->will_look)
        return;
    service->will_look = true;
    timer_start(service->look, SOON_MS, 0);
}

static void answer_done(struct service *service)
{
    size_t bytes = service->answer.len;
    if (service->answer.cap > ANSWER_KEEP)
        buf_fini(&service->answer);
    request_done(service, bytes);
}

static void answer_later(void *exchange, const void *json, size_t len)
{
    http_answer(exchange, json, len);
}

/* --- requests that bring transactions --------------------------------------------------------- */

/* Such a request waits until the senders are found, which goes on beside the loop; some at a time in one job. */
struct part {
    struct job job;
    struct delayed *delayed;
    u32 from, to;
};

struct delayed {
    struct service *service;
    struct http_exchange *exchange;
    struct rpc_ahead *ahead;
    size_t bytes;
    u32 parts_left;
    struct part parts[];
};

static void part_run(struct job *job)
{
    struct part *part = (struct part *)job;
    rpc_ahead_recover(part->delayed->ahead, part->from, part->to);
}

static void part_done(struct job *job)
{
    struct delayed *delayed = ((struct part *)job)->delayed;
    if (--delayed->parts_left)
        return;
    struct service *service = delayed->service;
    struct rpc_asker asker = {.answer = answer_later, .ctx = delayed->exchange};
    request_begins(service);
    if (rpc_ahead_handle(service->rpc, delayed->ahead, &asker, &service->answer))
        http_answer(delayed->exchange, service->answer.data, service->answer.len);
    answer_done(service);
    service->delayed -= delayed->bytes;
    rpc_ahead_free(delayed->ahead);
    mem_free(delayed);
}

static void look_ahead(struct service *service, struct http_exchange *exchange,
                       struct rpc_ahead *ahead, size_t len)
{
    u32 txs = rpc_ahead_count(ahead), count = (txs + PART_TXS - 1) / PART_TXS;
    struct delayed *delayed = mem_alloc(sizeof *delayed + count * sizeof delayed->parts[0]);
    *delayed = (struct delayed){service, exchange, ahead, len, count};
    service->delayed += len;
    for (u32 i = 0; i < count; i++) {
        u32 from = i * PART_TXS, to = i + 1 == count ? txs : from + PART_TXS;
        struct part *part = &delayed->parts[i];
        *part = (struct part){{.run = part_run, .done = part_done}, delayed, from, to};
        workers_add(service->workers, &part->job);
    }
}

static void on_request(void *ctx, struct http_exchange *exchange, const char *body, size_t len)
{
    struct service *service = ctx;
    /* A delayed request is held twice. Where that comes to too much it is answered on the spot. */
    bool has_room = !service->lines_max || service->delayed + len < service->lines_max;
    struct rpc_ahead *ahead = has_room && workers_are_many(service->workers)
                                  ? rpc_ahead_new(service->rpc, body, len)
                                  : NULL;
    if (ahead) {
        look_ahead(service, exchange, ahead, len);
        return;
    }
    struct rpc_asker asker = {.answer = answer_later, .ctx = exchange};
    request_begins(service);
    if (rpc_handle_for(service->rpc, &asker, body, len, &service->answer))
        http_answer(exchange, service->answer.data, service->answer.len);
    answer_done(service);
}

/* --- WebSocket ------------------------------------------------------------------------------ */

static void session_send(void *ws, const void *json, size_t len)
{
    websocket_send(ws, json, len);
}

static size_t session_unsent(void *ws)
{
    return websocket_unsent(ws);
}

static void session_end(void *ws, const char *why)
{
    websocket_close(ws, WEBSOCKET_POLICY, why);
}

static const struct rpc_session_ops session_ops = {session_send, session_unsent, session_end};

static void on_opened(void *ctx, struct websocket *ws)
{
    struct service *service = ctx;
    websocket_set_user(ws, rpc_session_new(service->rpc, &session_ops, ws));
}

static void on_message(void *ctx, struct websocket *ws, const char *text, size_t len)
{
    struct service *service = ctx;
    struct rpc_asker asker = {websocket_user(ws), session_send, ws};
    request_begins(service);
    if (rpc_handle_for(service->rpc, &asker, text, len, &service->answer) && service->answer.len)
        websocket_send(ws, service->answer.data, service->answer.len);
    answer_done(service);
}

static void on_drained(void *ctx, struct websocket *ws)
{
    (void)ctx;
    rpc_session_resume(websocket_user(ws));
}

static void on_closed(void *ctx, struct websocket *ws)
{
    (void)ctx;
    rpc_session_free(websocket_user(ws));
}

static const struct websocket_handler websocket_handler = {on_opened, on_message, on_drained,
                                                           on_closed};

/* --- life ------------------------------------------------------------------------------------- */

static void on_end(void *ctx)
{
    struct service *service = ctx;
    http_server_close(service->server);
    service->server = NULL;
    loop_stop(service->loop);
}

enum status service_open(struct service **out, struct loop *loop, struct dev *dev,
                         const struct rpc_options *rpc_options,
                         const struct http_options *http_options, const struct memory_plan *memory,
                         struct err *err)
{
    struct service *service = NEW(struct service);
    struct rpc_options rpc = *rpc_options;
    struct http_options http = *http_options;
    if (!rpc.client)
        rpc.client = VERSION_CLIENT;
    rpc.seed = random_u64();
    http.websocket = &websocket_handler;
    service->loop = loop;
    service->dev = dev;
    service->rest = timer_new(loop, on_rest, service);
    timer_start(service->rest, REST_MS, REST_MS);
    if (memory) {
        memory_bound_service(memory, &rpc, &http);
        memory_watch_open(&service->memory, memory);
        service->lines_max = memory->shares[MEMORY_LINES];
        service->look = timer_new(loop, on_look, service);
    }
    buf_init(&service->answer, 0);
    service->rpc = rpc_new(dev, &rpc);
    service->workers = workers_new(loop, 0);
    enum status status = loop_on_end(loop, on_end, service, err);
    if (status == STATUS_OK)
        status = http_server_open(&service->server, loop, &http, on_request, service, err);
    if (status == STATUS_OK)
        *out = service;
    else
        service_close(service);
    return status;
}

void service_close(struct service *service)
{
    if (!service)
        return;
    http_server_close(service->server);
    timer_free(service->look);
    timer_free(service->rest);
    memory_watch_close(&service->memory);
    workers_free(service->workers);
    rpc_free(service->rpc);
    buf_fini(&service->answer);
    mem_free(service);
}

u16 service_port(const struct service *service)
{
    return http_server_port(service->server);
}
