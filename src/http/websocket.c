#include "http/websocket.h"

#include <string.h>
#include <wslay/wslay.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/mem.h"
#include "crypto/sha1.h"
#include "http/websocket_int.h"
#include "prim/utf8.h"

enum {
    KEY_LEN = 24,
    REASON_MAX = 123,     /* a control frame's 125 bytes less the code */
    FRAGMENTS_MAX = 4096, /* of one message; each costs work even when it is empty */
    KEEP_MAX = 65536,     /* bytes of buffers an idle connection keeps */
};

enum mode {
    MODE_OPEN,
    MODE_CLOSING, /* the close frame is sent or waits to be; of what comes only the peer's counts */
    MODE_GONE,    /* the line is given up */
};

struct websocket {
    struct websockets *all;
    struct conn *conn;
    struct websocket *prev, *next;
    void *user;
    wslay_frame_context_ptr frames;
    enum mode mode;
    u32 busy; /* calls on the stack that still look at it */

    const u8 *input; /* what frames are read from, during a call */
    size_t input_len;
    u64 frame_left;  /* bytes of the frame's payload to come */
    bool is_inside;  /* between a frame's header and its end */
    bool is_control; /* the frame */
    u8 control_opcode;
    u8 control[125];
    u32 control_len;
    bool is_in_message; /* a message has begun and is not complete */
    bool is_final;      /* the frame is the message's last */
    u32 fragments;
    struct buf message;
    struct buf out; /* frames, until the input at hand is used up */

    u64 heard_ms;    /* when the peer was last heard of */
    u64 moved_ms;    /* when it last took something, or nothing waited */
    u64 taken;       /* how much it had taken then */
    u64 written;     /* bytes handed to the line in all */
    u64 deadline_ms; /* while closing */
    bool is_asked;   /* a ping is out */
    bool is_broken;  /* where frames begin is no longer known */
    bool is_agreed;  /* both sides have closed: only what waits is still to be sent */
};

struct websocket_options websocket_options_default(void)
{
    return (struct websocket_options){
        .message_max = 15 * 1024 * 1024,
        .unsent_max = 4 * 1024 * 1024,
        .ping_ms = 30 * 1000,
        .stall_ms = 30 * 1000,
        .close_ms = 10 * 1000,
    };
}

/* --- the handshake -------------------------------------------------------------------------- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool websocket_key_is_valid(const char *key)
{
    return strlen(key) == KEY_LEN && strspn(key, base64_digits) == KEY_LEN - 2 &&
           strcmp(key + KEY_LEN - 2, "==") == 0;
}

void websocket_accept(char out[WEBSOCKET_ACCEPT_SIZE], const char *key)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[KEY_LEN + sizeof guid];
    u8 hash[SHA1_LEN + 1] = {0};
    assert(strlen(key) == KEY_LEN);
    memcpy(text, key, KEY_LEN);
    memcpy(text + KEY_LEN, guid, sizeof guid);
    sha1(hash, text, KEY_LEN + sizeof guid - 1);
    for (size_t i = 0; i < SHA1_LEN + 1; i += 3) {
        u32 bits = (u32)hash[i] << 16 | (u32)hash[i + 1] << 8 | hash[i + 2];
        for (size_t k = 0; k < 4; k++)
            *out++ = base64_digits[bits >> (18 - 6 * k) & 63];
    }
    out[-1] = '='; /* twenty bytes are one short of a multiple of three */
    *out = 0;
}

/* --- writing -------------------------------------------------------------------------------- */

static ssize_t on_frame_send(const uint8_t *data, size_t len, int flags, void *ctx)
{
    (void)flags;
    struct websocket *ws = ctx;
    buf_add(&ws->out, data, len);
    return (ssize_t)len;
}

static void put_frame(struct websocket *ws, u8 opcode, const void *bytes, size_t len)
{
    struct wslay_frame_iocb frame = {
        .fin = 1,
        .opcode = opcode,
        .payload_length = len,
        .data = bytes,
        .data_length = len,
    };
    ssize_t sent = wslay_frame_send(ws->frames, &frame);
    assert(sent == (ssize_t)len);
}

static void flush(struct websocket *ws)
{
    if (ws->mode != MODE_GONE && ws->out.len) {
        conn_write(ws->conn, ws->out.data, ws->out.len);
        ws->written += ws->out.len;
    }
    if (ws->out.cap > KEEP_MAX)
        buf_fini(&ws->out);
    else
        buf_reset(&ws->out);
}

void websocket_send(struct websocket *ws, const void *text, size_t len)
{
    if (ws->mode != MODE_OPEN)
        return;
    put_frame(ws, WSLAY_TEXT_FRAME, text, len);
    if (!ws->busy)
        flush(ws);
}

size_t websocket_unsent(const struct websocket *ws)
{
    return ws->mode == MODE_GONE ? 0 : conn_unsent(ws->conn) + ws->out.len;
}

/* --- a connection's life -------------------------------------------------------------------- */

static void unlink_from_all(struct websocket *ws)
{
    if (ws->prev)
        ws->prev->next = ws->next;
    else
        ws->all->first = ws->next;
    if (ws->next)
        ws->next->prev = ws->prev;
    ws->all->count--;
}

static void websocket_free(struct websocket *ws)
{
    wslay_frame_context_free(ws->frames);
    buf_fini(&ws->message);
    buf_fini(&ws->out);
    mem_free(ws);
}

/* The line is given up. The memory stays while a call still looks at it. */
static void drop(struct websocket *ws)
{
    if (ws->mode == MODE_GONE)
        return;
    ws->busy++;
    conn_close(ws->conn);
    ws->mode = MODE_GONE;
    unlink_from_all(ws);
    ws->all->handler->closed(ws->all->ctx, ws);
    if (--ws->busy == 0)
        websocket_free(ws);
}

static void begin_closing(struct websocket *ws)
{
    ws->mode = MODE_CLOSING;
    ws->deadline_ms = loop_now_ms(ws->all->loop) + ws->all->options.close_ms;
}

void websocket_close(struct websocket *ws, enum websocket_code code, const char *reason)
{
    u8 body[2 + REASON_MAX] = {(u8)(code >> 8), (u8)code};
    size_t len = strlen(reason) < REASON_MAX ? strlen(reason) : REASON_MAX;
    if (ws->mode != MODE_OPEN)
        return;
    memcpy(body + 2, reason, len);
    put_frame(ws, WSLAY_CONNECTION_CLOSE, body, 2 + len);
    begin_closing(ws);
    if (!ws->busy)
        flush(ws);
}

/* --- reading -------------------------------------------------------------------------------- */

static ssize_t on_frame_recv(uint8_t *to, size_t len, int flags, void *ctx)
{
    (void)flags;
    struct websocket *ws = ctx;
    size_t n = len < ws->input_len ? len : ws->input_len;
    if (!n)
        return -1; /* nothing now */
    memcpy(to, ws->input, n);
    ws->input += n;
    ws->input_len -= n;
    return (ssize_t)n;
}

/* RFC 6455, 7.4: codes that may stand in a frame. */
static bool may_be_sent(u32 code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

/* RFC 6455, 5.5.1 and 7.1.1: the peer's code is sent back, and then the server closes the line. */
static void take_close(struct websocket *ws)
{
    const u8 *body = ws->control;
    u32 len = ws->control_len, code = len < 2 ? 0 : (u32)body[0] << 8 | body[1];
    if (ws->mode == MODE_OPEN) {
        if (len == 1 || (len && !may_be_sent(code))) {
            websocket_close(ws, WEBSOCKET_PROTOCOL, "the close code is not one that may be sent");
        } else if (len > 2 && utf8_valid_len((const char *)body + 2, len - 2) != len - 2) {
            websocket_close(ws, WEBSOCKET_NOT_UTF8, "the reason is not UTF-8");
        } else {
            put_frame(ws, WSLAY_CONNECTION_CLOSE, body, len < 2 ? 0 : 2);
            begin_closing(ws);
        }
    }
    ws->is_agreed = true;
}

static void take_control(struct websocket *ws)
{
    switch (ws->control_opcode) {
    case WSLAY_PING:
        if (ws->mode == MODE_OPEN)
            put_frame(ws, WSLAY_PONG, ws->control, ws->control_len);
        return;
    case WSLAY_CONNECTION_CLOSE: take_close(ws); return;
    default: return; /* a pong: it was heard, that is all */
    }
}

static void take_message(struct websocket *ws)
{
    const char *text = ws->message.len ? (const char *)ws->message.data : "";
    size_t len = ws->message.len;
    ws->is_in_message = false;
    ws->fragments = 0;
    if (ws->mode != MODE_OPEN)
        buf_reset(&ws->message);
    else if (utf8_valid_len(text, len) != len)
        websocket_close(ws, WEBSOCKET_NOT_UTF8, "the message is not UTF-8");
    else
        ws->all->handler->message(ws->all->ctx, ws, text, len);
    if (ws->message.cap > KEEP_MAX)
        buf_fini(&ws->message);
    else
        buf_reset(&ws->message);
}

/* Looks at a frame's header; false when it broke a rule. */
static bool begin_frame(struct websocket *ws, const struct wslay_frame_iocb *frame)
{
    const char *wrong = NULL;
    enum websocket_code code = WEBSOCKET_PROTOCOL;
    bool is_continuation = frame->opcode == WSLAY_CONTINUATION_FRAME;
    bool is_control = wslay_is_ctrl_frame(frame->opcode);
    u64 in_message = is_continuation ? ws->message.len : 0;
    if (!frame->mask)
        wrong = "frames from a client are masked";
    else if (frame->rsv)
        wrong = "no extension was agreed on";
    else if ((frame->opcode > WSLAY_BINARY_FRAME && !is_control) || frame->opcode > WSLAY_PONG)
        wrong = "the frame has an opcode that does not exist";
    else if (!is_control && is_continuation != ws->is_in_message)
        wrong = is_continuation ? "there is no message to continue" : "a message is not complete";
    else if (frame->opcode == WSLAY_BINARY_FRAME)
        wrong = "messages are JSON text, not binary", code = WEBSOCKET_NOT_TEXT;
    else if (!is_control && frame->payload_length > ws->all->options.message_max - in_message)
        wrong = "the message is larger than this server takes", code = WEBSOCKET_TOO_BIG;
    else if (!is_control && ++ws->fragments > FRAGMENTS_MAX)
        wrong = "the message is in too many fragments", code = WEBSOCKET_POLICY;
    if (wrong) {
        websocket_close(ws, code, wrong);
        ws->is_broken |= code == WEBSOCKET_PROTOCOL;
    }
    if (ws->is_broken)
        return false;
    ws->is_inside = true;
    ws->is_control = is_control;
    ws->frame_left = frame->payload_length;
    if (is_control) {
        ws->control_opcode = frame->opcode;
        ws->control_len = 0;
    } else {
        ws->is_in_message = true;
        ws->is_final = frame->fin;
    }
    return true;
}

/* One step: a frame's header with its first bytes, or more of them. */
static void take_part(struct websocket *ws, const struct wslay_frame_iocb *frame)
{
    if (!ws->is_inside && !begin_frame(ws, frame))
        return;
    if (ws->is_control) {
        assert(ws->control_len + frame->data_length <= sizeof ws->control);
        if (frame->data_length)
            memcpy(ws->control + ws->control_len, frame->data, frame->data_length);
        ws->control_len += (u32)frame->data_length;
    } else if (ws->mode == MODE_OPEN) {
        buf_add(&ws->message, frame->data, frame->data_length);
    }
    ws->frame_left -= frame->data_length;
    if (ws->frame_left)
        return;
    ws->is_inside = false;
    if (ws->is_control)
        take_control(ws);
    else if (ws->is_final)
        take_message(ws);
}

static void read_frames(struct websocket *ws)
{
    while (ws->mode != MODE_GONE && !ws->is_broken && !ws->is_agreed) {
        struct wslay_frame_iocb frame = {0};
        ssize_t got = wslay_frame_recv(ws->frames, &frame);
        if (got == WSLAY_ERR_WANT_READ)
            return;
        if (got < 0) {
            websocket_close(ws, WEBSOCKET_PROTOCOL, "the frame breaks the protocol");
            ws->is_broken = true;
        } else {
            take_part(ws, &frame);
        }
        if (ws->out.len > KEEP_MAX)
            flush(ws);
    }
}

static void take_input(struct websocket *ws, const u8 *bytes, size_t len)
{
    ws->input = bytes;
    ws->input_len = len;
    ws->heard_ms = loop_now_ms(ws->all->loop);
    ws->is_asked = false;
    ws->busy++;
    read_frames(ws);
    ws->input = NULL;
    ws->input_len = 0;
    flush(ws);
    if (ws->is_agreed && ws->mode != MODE_GONE && !conn_unsent(ws->conn))
        drop(ws);
    else if (ws->mode == MODE_OPEN && conn_unsent(ws->conn) > ws->all->options.unsent_max)
        conn_pause(ws->conn);
    if (--ws->busy == 0 && ws->mode == MODE_GONE)
        websocket_free(ws);
}

static void on_data(void *ctx, const u8 *bytes, size_t len)
{
    take_input(ctx, bytes, len);
}

static void on_drained(void *ctx)
{
    struct websocket *ws = ctx;
    if (ws->is_agreed) {
        drop(ws);
        return;
    }
    conn_resume(ws->conn);
    if (ws->mode == MODE_OPEN)
        ws->all->handler->drained(ws->all->ctx, ws);
}

static void on_ended(void *ctx)
{
    drop(ctx);
}

static const struct conn_handler conn_handler = {on_data, on_drained, on_ended};

void websockets_add(struct websockets *all, struct conn *conn, const u8 *bytes, size_t len)
{
    static const struct wslay_frame_callbacks callbacks = {on_frame_send, on_frame_recv, NULL};
    struct websocket *ws = NEW(struct websocket);
    ws->all = all;
    ws->conn = conn;
    ws->next = all->first;
    if (all->first)
        all->first->prev = ws;
    all->first = ws;
    all->count++;
    int failed = wslay_frame_context_init(&ws->frames, &callbacks, ws);
    assert(!failed); /* it only takes memory */
    buf_init(&ws->message, all->options.message_max);
    buf_init(&ws->out, SIZE_MAX / 2);
    ws->heard_ms = ws->moved_ms = loop_now_ms(all->loop);
    conn_start(conn, &conn_handler, ws);
    ws->busy++;
    all->handler->opened(all->ctx, ws);
    ws->busy--;
    take_input(ws, bytes, len);
}

/* --- deadlines ------------------------------------------------------------------------------ */

static void look_at(struct websocket *ws, u64 now)
{
    const struct websocket_options *options = &ws->all->options;
    size_t unsent = conn_unsent(ws->conn);
    if (ws->mode == MODE_CLOSING) {
        if (now >= ws->deadline_ms)
            drop(ws);
        return;
    }
    if (!unsent || ws->written - unsent > ws->taken)
        ws->moved_ms = now;
    if (unsent && ws->moved_ms > ws->heard_ms)
        ws->heard_ms = ws->moved_ms; /* who reads is alive, and may not have been listened to */
    ws->taken = ws->written - unsent;
    if (now - ws->moved_ms >= options->stall_ms) {
        websocket_close(ws, WEBSOCKET_POLICY, "what was sent was not read");
    } else if (now - ws->heard_ms >= 2 * (u64)options->ping_ms) {
        drop(ws);
    } else if (now - ws->heard_ms >= options->ping_ms && !ws->is_asked) {
        put_frame(ws, WSLAY_PING, "", 0);
        flush(ws);
        ws->is_asked = true;
    }
}

void websockets_tick(struct websockets *all)
{
    u64 now = loop_now_ms(all->loop);
    struct websocket *next;
    for (struct websocket *ws = all->first; ws; ws = next) {
        next = ws->next;
        look_at(ws, now);
    }
}

static u64 waiting_on(const struct websocket *ws)
{
    return ws->message.cap + ws->out.cap + (ws->mode == MODE_GONE ? 0 : conn_unsent(ws->conn));
}

u64 websockets_waiting(const struct websockets *all)
{
    u64 bytes = 0;
    for (const struct websocket *ws = all->first; ws; ws = ws->next)
        bytes += waiting_on(ws);
    return bytes;
}

u64 websockets_shed(struct websockets *all, u64 more_than)
{
    struct websocket *most = NULL;
    u64 bytes = more_than;
    for (struct websocket *ws = all->first; ws; ws = ws->next)
        if (!ws->busy && ws->mode != MODE_GONE && waiting_on(ws) > bytes) {
            most = ws;
            bytes = waiting_on(ws);
        }
    if (!most)
        return 0;
    drop(most);
    return bytes;
}

void websockets_close(struct websockets *all)
{
    while (all->first) {
        websocket_close(all->first, WEBSOCKET_GOING_AWAY, "the node is stopping");
        drop(all->first);
    }
}

void websocket_set_user(struct websocket *ws, void *user)
{
    ws->user = user;
}

void *websocket_user(const struct websocket *ws)
{
    return ws->user;
}
