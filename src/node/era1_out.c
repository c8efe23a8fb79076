/* Writing era1 files. */
#include <string.h>

#include "base/mem.h"
#include "node/era1_int.h"
#include "node/snappy_frame.h"
#include "prim/hex.h"
#include "prim/rlp.h"
#include "sys/file.h"
#include "sys/sealed.h"

struct era1_out {
    struct sealed_out *file;
    struct arena arena; /* names */
    const char *folder, *network, *path;
    u64 epoch;
    struct buf plain, value;
    struct era1_sums sums;
};

static void put_entry(struct era1_out *out, enum era1_type type, const void *value, size_t len)
{
    u8 header[ERA1_ENTRY_HEADER] = {0};
    era1_put_le(header, type, 2);
    era1_put_le(header + 2, len, 4);
    sealed_add(out->file, header, sizeof header);
    if (len)
        sealed_add(out->file, value, len);
}

static void put_framed(struct era1_out *out, enum era1_type type, const u8 *bytes, size_t len)
{
    buf_reset(&out->value);
    snappy_frame_encode(&out->value, bytes, len);
    put_entry(out, type, out->value.data, out->value.len);
}

enum status era1_create(struct era1_out **created, const char *folder, const char *network,
                        u64 epoch, struct err *err)
{
    struct era1_out *out = NEW(struct era1_out);
    arena_init(&out->arena);
    buf_init(&out->plain, SIZE_MAX / 2);
    buf_init(&out->value, SIZE_MAX / 2);
    out->epoch = epoch;
    out->folder = arena_format(&out->arena, "%s", folder);
    out->network = arena_format(&out->arena, "%s", network);
    out->path = arena_format(&out->arena, "%s/%s-%05llu.unfinished", folder, network,
                             (unsigned long long)epoch);
    enum status status = file_make_folder(folder, err);
    if (status == STATUS_OK)
        status = sealed_create(&out->file, out->path, err);
    if (status != STATUS_OK) {
        era1_drop(out);
        return status;
    }
    put_entry(out, ERA1_VERSION, NULL, 0);
    *created = out;
    return STATUS_OK;
}

static void put_receipts(struct era1_out *out, const struct chain_block *block)
{
    struct buf one;
    buf_init(&one, SIZE_MAX / 2);
    buf_reset(&out->plain);
    size_t mark = rlp_list_begin(&out->plain);
    for (u32 i = 0; i < block->block.tx_count; i++) {
        buf_reset(&one);
        receipt_encode(&one, &block->receipts[i]);
        if (block->receipts[i].type == TX_LEGACY)
            rlp_put_raw(&out->plain, one.data, one.len);
        else
            rlp_put_bytes(&out->plain, one.data, one.len);
    }
    rlp_list_end(&out->plain, mark);
    buf_fini(&one);
    put_framed(out, ERA1_RECEIPTS, out->plain.data, out->plain.len);
}

/* [transactions, ommers]: a block without its header. */
static void put_body(struct era1_out *out, const struct block *block)
{
    struct buf whole;
    struct rlp_item header;
    buf_init(&whole, SIZE_MAX / 2);
    block_encode(&whole, block);
    struct rlp all = rlp_open(whole.data, whole.len), parts = {0};
    bool good = rlp_list(&all, &parts) == RLP_OK && rlp_item(&parts, &header) == RLP_OK;
    buf_reset(&out->plain);
    size_t mark = rlp_list_begin(&out->plain);
    if (good)
        rlp_put_raw(&out->plain, parts.p, (size_t)(parts.end - parts.p));
    rlp_list_end(&out->plain, mark);
    buf_fini(&whole);
    put_framed(out, ERA1_BODY, out->plain.data, out->plain.len);
}

void era1_add(struct era1_out *out, const struct chain_block *block)
{
    const struct header *header = &block->block.header;
    hash32 difficulty = era1_difficulty(block->total_difficulty);
    era1_sum(&out->sums, header->number, sealed_written(out->file), &block->block.hash,
             &difficulty);
    buf_reset(&out->plain);
    header_encode(&out->plain, header);
    put_framed(out, ERA1_HEADER, out->plain.data, out->plain.len);
    put_body(out, &block->block);
    put_receipts(out, block);
    put_entry(out, ERA1_DIFFICULTY, difficulty.b, sizeof difficulty.b);
}

void era1_drop(struct era1_out *out)
{
    if (!out)
        return;
    sealed_drop(out->file);
    buf_fini(&out->plain);
    buf_fini(&out->value);
    arena_fini(&out->arena);
    mem_free(out);
}

/* The name is known when the accumulator is. */
static enum status take_name(struct era1_out *out, const hash32 *root, struct err *err)
{
    char hex[2 + 8 + 1];
    hex_encode(hex, root->b, 4);
    const char *name = arena_format(&out->arena, "%s/%s-%05llu-%s.era1", out->folder, out->network,
                                    (unsigned long long)out->epoch, hex + 2);
    return file_rename(out->path, name, err);
}

enum status era1_finish(struct era1_out *out, struct err *err)
{
    hash32 root = era1_accumulator(&out->sums);
    put_entry(out, ERA1_ACCUMULATOR, root.b, sizeof root.b);
    buf_reset(&out->value);
    era1_index(&out->value, &out->sums, sealed_written(out->file));
    put_entry(out, ERA1_INDEX, out->value.data, out->value.len);
    enum status status = sealed_finish(out->file, err);
    out->file = NULL;
    if (status == STATUS_OK)
        status = take_name(out, &root, err);
    era1_drop(out);
    return status;
}
