#include "node/era1.h"

#include <string.h>

#include "base/mem.h"
#include "crypto/sha256.h"
#include "node/era1_int.h"
#include "node/snappy_frame.h"
#include "types/rlp_try.h"

/* --- what both sides share -------------------------------------------------------------------- */

void era1_put_le(u8 *out, u64 value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (u8)(value >> (8 * i));
}

u64 era1_get_le(const u8 *in, unsigned bytes)
{
    u64 value = 0;
    for (unsigned i = bytes; i > 0; i--)
        value = value << 8 | in[i - 1];
    return value;
}

hash32 era1_difficulty(u256 value)
{
    hash32 big = u256_to_hash(value), little;
    for (size_t i = 0; i < sizeof big.b; i++)
        little.b[i] = big.b[sizeof big.b - 1 - i];
    return little;
}

static hash32 join(const hash32 *left, const hash32 *right)
{
    u8 both[2 * sizeof(hash32)];
    hash32 out;
    memcpy(both, left->b, sizeof left->b);
    memcpy(both + sizeof left->b, right->b, sizeof right->b);
    sha256(&out, both, sizeof both);
    return out;
}

void era1_sum(struct era1_sums *sums, u64 number, u64 place, const hash32 *hash,
              const hash32 *difficulty)
{
    if (!sums->count)
        sums->first = number;
    sums->places[sums->count] = place;
    sums->roots[sums->count++] = join(hash, difficulty);
}

/* SSZ: merkleize with a limit of 8192 leaves, and mix in the length. */
hash32 era1_accumulator(const struct era1_sums *sums)
{
    hash32 *level = mem_dup(sums->roots, sizeof sums->roots);
    hash32 zero = {0}, length = {0};
    size_t count = sums->count;
    for (size_t width = ERA1_BLOCKS; width > 1; width /= 2) {
        for (size_t i = 0; 2 * i < count; i++)
            level[i] = join(&level[2 * i], 2 * i + 1 < count ? &level[2 * i + 1] : &zero);
        count = (count + 1) / 2;
        zero = join(&zero, &zero);
    }
    era1_put_le(length.b, sums->count, 8);
    hash32 root = join(count ? level : &zero, &length);
    mem_free(level);
    return root;
}

void era1_index(struct buf *out, const struct era1_sums *sums, u64 place)
{
    size_t size = 8 * ((size_t)sums->count + 2);
    u8 *at = buf_extend(out, size);
    era1_put_le(at, sums->first, 8);
    for (u32 i = 0; i < sums->count; i++)
        era1_put_le(at + 8 * (i + 1), sums->places[i] - place, 8);
    era1_put_le(at + size - 8, sums->count, 8);
}

bool era1_is(const u8 *bytes, size_t len)
{
    static const u8 version[ERA1_ENTRY_HEADER] = {0x65, 0x32};
    return len >= sizeof version && memcmp(bytes, version, sizeof version) == 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct era1_in {
    u32 awaited; /* the type of the entry that must come; 0: a header or the accumulator */
    u64 place,
        header_place; /* of the entry at hand, and of the block's first, from their file's beginning */
    struct header header;
    hash32 hash;
    u256 total_difficulty; /* of the last block */
    struct buf head, body; /* unpacked */
    struct buf unpacked;   /* receipts */
    struct buf block;
    struct buf index;
    struct arena arena;
    struct era1_sums sums;
};

struct era1_in *era1_in_new(void)
{
    struct era1_in *in = NEW(struct era1_in);
    in->awaited = ERA1_VERSION;
    buf_init(&in->head, SIZE_MAX / 2);
    buf_init(&in->body, SIZE_MAX / 2);
    buf_init(&in->unpacked, SIZE_MAX / 2);
    buf_init(&in->block, SIZE_MAX / 2);
    buf_init(&in->index, SIZE_MAX / 2);
    arena_init(&in->arena);
    return in;
}

void era1_in_free(struct era1_in *in)
{
    if (!in)
        return;
    buf_fini(&in->head);
    buf_fini(&in->body);
    buf_fini(&in->unpacked);
    buf_fini(&in->block);
    buf_fini(&in->index);
    arena_fini(&in->arena);
    mem_free(in);
}

/* NULL, or what is wrong: so below. */
static const char *unpack(struct buf *out, const u8 *value, size_t len)
{
    buf_reset(out);
    return snappy_frame_decode(out, value, len, ERA1_ENTRY_MAX);
}

static const char *take_header(struct era1_in *in, const u8 *value, size_t len)
{
    const char *wrong = unpack(&in->head, value, len);
    if (wrong)
        return wrong;
    struct rlp rlp = rlp_open(in->head.data, in->head.len);
    if (header_decode(&rlp, &in->header) != RLP_OK || rlp_finish(&rlp) != RLP_OK)
        return "a header does not decode";
    if (in->sums.count == ERA1_BLOCKS)
        return "it holds more than 8192 blocks";
    if (in->sums.count && in->header.number != in->sums.first + in->sums.count)
        return "its blocks do not follow each other";
    in->hash = header_hash(&in->header);
    in->header_place = in->place;
    in->awaited = ERA1_BODY;
    return NULL;
}

static const char *take_body(struct era1_in *in, const u8 *value, size_t len)
{
    in->awaited = ERA1_RECEIPTS;
    return unpack(&in->body, value, len);
}

static enum rlp_verdict decode_receipts(struct era1_in *in, struct receipt **receipts, u32 *count)
{
    enum {
        RECEIPT_SIZE_MIN = 256
    }; /* its bloom's; else a list of single bytes would take many times its size */
    struct rlp all = rlp_open(in->unpacked.data, in->unpacked.len), list;
    size_t many;
    RLP_TRY(rlp_list(&all, &list));
    RLP_TRY(rlp_finish(&all));
    RLP_TRY(rlp_count(list, &many));
    if (many > (size_t)(list.end - list.p) / RECEIPT_SIZE_MIN)
        return RLP_TRUNCATED;
    struct receipt *made = arena_zalloc(&in->arena, many * sizeof *made);
    for (size_t i = 0; i < many; i++) {
        struct rlp_item item;
        RLP_TRY(rlp_item(&list, &item));
        /* A typed receipt is bytes in the list; a plain one stands in it as the list that it is. */
        const u8 *bytes = item.is_list ? item.start : item.payload;
        RLP_TRY(
            receipt_decode(&made[i], &in->arena, bytes, (size_t)(item.payload + item.len - bytes)));
    }
    *receipts = made;
    *count = (u32)many;
    return RLP_OK;
}

static const char *take_receipts(struct era1_in *in, const u8 *value, size_t len)
{
    struct receipt *receipts;
    u32 count;
    const char *wrong = unpack(&in->unpacked, value, len);
    if (wrong)
        return wrong;
    arena_reset(&in->arena);
    if (decode_receipts(in, &receipts, &count) != RLP_OK)
        return "receipts do not decode";
    hash32 root = process_receipts_root(receipts, count);
    if (!hash32_eq(&root, &in->header.receipts_root))
        return "receipts are not those of their block's header";
    in->awaited = ERA1_DIFFICULTY;
    return NULL;
}

static enum rlp_verdict put_block(struct era1_in *in)
{
    struct rlp all = rlp_open(in->body.data, in->body.len), parts;
    RLP_TRY(rlp_list(&all, &parts));
    RLP_TRY(rlp_finish(&all));
    buf_reset(&in->block);
    size_t mark = rlp_list_begin(&in->block);
    rlp_put_raw(&in->block, in->head.data, in->head.len);
    rlp_put_raw(&in->block, parts.p, (size_t)(parts.end - parts.p));
    rlp_list_end(&in->block, mark);
    return RLP_OK;
}

static const char *take_difficulty(struct era1_in *in, const u8 *value, size_t len)
{
    hash32 big, little;
    u256 expected;
    if (len != sizeof big.b)
        return "a total difficulty has not 32 bytes";
    memcpy(little.b, value, len);
    for (size_t i = 0; i < len; i++)
        big.b[i] = value[len - 1 - i];
    u256 found = u256_from_hash(&big);
    bool overflows = u256_add_carry(&expected, in->total_difficulty, in->header.difficulty);
    bool is_known = in->sums.count || !in->header.number;
    if (is_known && (overflows || !u256_eq(found, expected)))
        return "a total difficulty is wrong";
    if (put_block(in) != RLP_OK)
        return "a body does not decode";
    in->total_difficulty = found;
    era1_sum(&in->sums, in->header.number, in->header_place, &in->hash, &little);
    in->awaited = 0;
    return NULL;
}

static const char *take_accumulator(struct era1_in *in, const u8 *value, size_t len)
{
    hash32 root = era1_accumulator(&in->sums);
    if (!in->sums.count)
        return "it holds no blocks";
    if (len != sizeof root.b || memcmp(root.b, value, len) != 0)
        return "the accumulator is not that of its blocks";
    in->awaited = ERA1_INDEX;
    return NULL;
}

static const char *take_index(struct era1_in *in, const u8 *value, size_t len)
{
    buf_reset(&in->index);
    era1_index(&in->index, &in->sums, in->place);
    if (len != in->index.len || memcmp(in->index.data, value, len) != 0)
        return "the index of blocks is wrong";
    in->awaited = ERA1_VERSION;
    return NULL;
}

static const char *take_version(struct era1_in *in, size_t len)
{
    in->place = 0;
    in->sums.count = 0;
    in->total_difficulty = u256_from_u64(0);
    in->awaited = 0;
    return len ? "it is of another version" : NULL;
}

static bool is_known(u32 type)
{
    return type == ERA1_VERSION || type == ERA1_INDEX ||
           (type >= ERA1_HEADER && type <= ERA1_ACCUMULATOR);
}

static bool is_awaited(const struct era1_in *in, u32 type)
{
    return in->awaited ? type == in->awaited : type == ERA1_HEADER || type == ERA1_ACCUMULATOR;
}

static const char *take(struct era1_in *in, u32 type, const u8 *value, size_t len)
{
    if (!is_known(type))
        return NULL; /* e2store: entries of other types are passed over */
    if (!is_awaited(in, type))
        return "its entries are not in order";
    switch (type) {
    case ERA1_VERSION: return take_version(in, len);
    case ERA1_HEADER: return take_header(in, value, len);
    case ERA1_BODY: return take_body(in, value, len);
    case ERA1_RECEIPTS: return take_receipts(in, value, len);
    case ERA1_DIFFICULTY: return take_difficulty(in, value, len);
    case ERA1_ACCUMULATOR: return take_accumulator(in, value, len);
    default: return take_index(in, value, len);
    }
}

enum status era1_entry_size(const u8 *header, u64 *len, struct err *err)
{
    u64 size = era1_get_le(header + 2, 4);
    if (header[6] || header[7])
        return err_set(err, STATUS_INVALID, "an entry of the era1 file makes no sense");
    if (size > ERA1_ENTRY_MAX)
        return err_set(err, STATUS_INVALID, "an entry of the era1 file says that it is too long");
    *len = size;
    return STATUS_OK;
}

enum status era1_take(struct era1_in *in, const u8 *entry, size_t len, const u8 **rlp,
                      size_t *rlp_len, struct err *err)
{
    u32 type = (u32)era1_get_le(entry, 2);
    const char *wrong = take(in, type, entry + ERA1_ENTRY_HEADER, len - ERA1_ENTRY_HEADER);
    if (wrong)
        return err_set(err, STATUS_INVALID, "after %u blocks of the era1 file: %s", in->sums.count,
                       wrong);
    in->place += len;
    *rlp = NULL;
    if (type == ERA1_DIFFICULTY) {
        *rlp = in->block.data;
        *rlp_len = in->block.len;
    }
    return STATUS_OK;
}

enum status era1_end(const struct era1_in *in, struct err *err)
{
    if (in->awaited == ERA1_VERSION)
        return STATUS_OK;
    return err_set(err, STATUS_INVALID, "the era1 file is cut off after %u blocks", in->sums.count);
}
