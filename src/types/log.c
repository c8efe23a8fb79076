#include "types/log.h"

#include "prim/keccak.h"
#include "types/rlp_try.h"

enum { TOPIC_SIZE = 33, ADDR_SIZE = 21 };

static size_t log_payload(const struct log *log)
{
    return ADDR_SIZE + rlp_size_list((size_t)log->topic_count * TOPIC_SIZE) +
           rlp_size_bytes(log->data, log->data_len);
}

size_t log_size(const struct log *log)
{
    return rlp_size_list(log_payload(log));
}

void log_encode(struct buf *out, const struct log *log)
{
    rlp_put_list_header(out, log_payload(log));
    rlp_put_addr(out, &log->addr);
    rlp_put_list_header(out, (size_t)log->topic_count * TOPIC_SIZE);
    for (u32 i = 0; i < log->topic_count; i++)
        rlp_put_hash(out, &log->topics[i]);
    rlp_put_bytes(out, log->data, log->data_len);
}

enum rlp_verdict log_decode(struct rlp *rlp, struct log *log)
{
    struct rlp at = *rlp, fields, topics;
    struct log found = {0};
    RLP_TRY(rlp_list(&at, &fields));
    RLP_TRY(rlp_addr(&fields, &found.addr));
    RLP_TRY(rlp_list(&fields, &topics));
    while (!rlp_at_end(&topics)) {
        if (found.topic_count == LOG_TOPICS_MAX)
            return RLP_TRAILING;
        RLP_TRY(rlp_hash(&topics, &found.topics[found.topic_count]));
        found.topic_count++;
    }
    RLP_TRY(rlp_bytes(&fields, &found.data, &found.data_len));
    RLP_TRY(rlp_finish(&fields));
    *log = found;
    *rlp = at;
    return RLP_OK;
}

hash32 log_list_hash(const struct log *logs, size_t count)
{
    size_t payload = 0;
    for (size_t i = 0; i < count; i++)
        payload += log_size(&logs[i]);
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    rlp_put_list_header(&out, payload);
    for (size_t i = 0; i < count; i++)
        log_encode(&out, &logs[i]);
    hash32 hash;
    keccak256(&hash, out.data, out.len);
    buf_fini(&out);
    return hash;
}
