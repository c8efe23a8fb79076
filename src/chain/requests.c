#include "chain/requests.h"

#include "crypto/sha256.h"

const addr20 REQUEST_WITHDRAWAL_CONTRACT = {{0x00, 0x00, 0x09, 0x61, 0xef, 0x48, 0x0e,
                                             0xb5, 0x5e, 0x80, 0xd1, 0x9a, 0xd8, 0x35,
                                             0x79, 0xa6, 0x4c, 0x00, 0x70, 0x02}};
const addr20 REQUEST_CONSOLIDATION_CONTRACT = {{0x00, 0x00, 0xbb, 0xdd, 0xc7, 0xce, 0x48,
                                                0x86, 0x42, 0xfb, 0x57, 0x9f, 0x8b, 0x00,
                                                0xf3, 0xa5, 0x90, 0x00, 0x72, 0x51}};

/* keccak256("DepositEvent(bytes,bytes,bytes,bytes,bytes)") */
static const hash32 DEPOSIT_TOPIC = {{0x64, 0x9b, 0xbc, 0x62, 0xd0, 0xe3, 0x13, 0x42,
                                      0xaf, 0xea, 0x4e, 0x5c, 0xd8, 0x2d, 0x40, 0x49,
                                      0xe7, 0xe1, 0xee, 0x91, 0x2f, 0xc0, 0x88, 0x9a,
                                      0xa7, 0x90, 0x80, 0x3b, 0xe3, 0x90, 0x38, 0xc5}};

/* The event's five fields: where each one's length word stands, and what it must be. */
static const struct {
    u16 offset, size;
} FIELDS[] = {{160, 48}, {256, 32}, {320, 8}, {384, 96}, {512, 8}};

enum { EVENT_SIZE = 576, DEPOSIT_SIZE = 48 + 32 + 8 + 96 + 8, WORD = 32 };

static bool is_deposit(const struct log *log, const addr20 *contract)
{
    return addr20_eq(&log->addr, contract) && log->topic_count &&
           hash32_eq(&log->topics[0], &DEPOSIT_TOPIC);
}

static bool word_is(const u8 *word, u64 value)
{
    return u256_eq(u256_load_be(word), u256_from_u64(value));
}

static bool deposit_extract(u8 out[DEPOSIT_SIZE], const struct log *log)
{
    if (log->data_len != EVENT_SIZE)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++) {
        const u8 *length = log->data + FIELDS[i].offset;
        if (!word_is(log->data + i * WORD, FIELDS[i].offset) || !word_is(length, FIELDS[i].size))
            return false;
        memcpy(out, length + WORD, FIELDS[i].size);
        out += FIELDS[i].size;
    }
    return true;
}

static size_t deposits_count(const struct receipt *receipts, u32 count, const addr20 *contract)
{
    size_t found = 0;
    for (u32 i = 0; i < count; i++)
        for (u32 k = 0; k < receipts[i].log_count; k++)
            found += is_deposit(&receipts[i].logs[k], contract);
    return found;
}

enum block_verdict request_deposits(struct request *request, struct arena *arena,
                                    const struct receipt *receipts, u32 count,
                                    const addr20 *deposit_contract)
{
    size_t deposits = deposits_count(receipts, count, deposit_contract);
    u8 *data = arena_alloc(arena, deposits * DEPOSIT_SIZE), *at = data;
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < receipts[i].log_count; k++) {
            if (!is_deposit(&receipts[i].logs[k], deposit_contract))
                continue;
            if (!deposit_extract(at, &receipts[i].logs[k]))
                return BLOCK_DEPOSIT_EVENT;
            at += DEPOSIT_SIZE;
        }
    }
    *request = (struct request){REQUEST_DEPOSIT, data, deposits * DEPOSIT_SIZE};
    return BLOCK_OK;
}

/* Each request's hash covers its type byte too, which is put before the data in a scratch buffer.
 */
hash32 request_list_hash(const struct request *requests, u32 count)
{
    hash32 hashes[REQUEST_TYPES], hash;
    struct buf scratch;
    buf_init(&scratch, SIZE_MAX / 2);
    for (u32 i = 0; i < count; i++) {
        buf_reset(&scratch);
        buf_add_byte(&scratch, requests[i].type);
        buf_add(&scratch, requests[i].data, requests[i].len);
        sha256(&hashes[i], scratch.data, scratch.len);
    }
    buf_fini(&scratch);
    sha256(&hash, hashes, count * sizeof *hashes);
    return hash;
}
