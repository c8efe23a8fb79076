#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/test.h"
#include "state/memory.h"
#include "state/state.h"

static u64 next(u64 *random)
{
    *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
    return *random >> 8;
}

/* One commit of random changes; what leads back. */
static struct state_changes *random_undo(struct state *state, u64 *random)
{
    const u8 code[] = {0x60, 0x01, 0x60, 0x02};
    state_begin_tx(state);
    for (int i = 0; i < 40; i++) {
        const addr20 addr = {{0xa0, [19] = (u8)(next(random) % 60)}};
        u256 value = u256_shl(u256_from_u64(next(random)), (unsigned)(next(random) % 200));
        const u256 key = u256_from_u64(next(random) % 9);
        switch (next(random) % 6) {
        case 0: state_set_balance(state, &addr, &value); break;
        case 1: state_set_nonce(state, &addr, next(random)); break;
        case 2: state_set_code(state, &addr, code, next(random) % (sizeof code + 1)); break;
        case 3: state_mark_destroyed(state, &addr); break;
        default:
            state_touch(state, &addr);
            value = next(random) % 3 ? value : U256_ZERO;
            state_storage_set(state, state_storage_slot(state, &addr, &key).handle, &value);
        }
    }
    state_end_tx(state, FORK_BERLIN);
    struct state_changes *undo;
    CHECK_EQ(state_commit(state, &undo, NULL), STATUS_OK);
    return undo;
}

static void check_same(const struct state_changes *a, const struct state_changes *b)
{
    CHECK_EQ(a->account_count, b->account_count);
    CHECK_EQ(a->slot_count, b->slot_count);
    CHECK_EQ(b->code_count, 0);
    CHECK_MEM((const u8 *)a->slots, (const u8 *)b->slots, a->slot_count * sizeof *a->slots);
    for (u32 i = 0; i < a->account_count; i++) {
        const struct account_change *p = a->accounts + i, *q = b->accounts + i;
        CHECK(addr20_eq(&p->addr, &q->addr) && hash32_eq(&p->addr_hash, &q->addr_hash));
        CHECK(p->exists == q->exists && p->account.nonce == q->account.nonce);
        CHECK(u256_eq(p->account.balance, q->account.balance));
        CHECK(hash32_eq(&p->account.code_hash, &q->account.code_hash));
        CHECK(hash32_eq(&p->account.storage_root, &q->account.storage_root));
        CHECK(p->slot_begin == q->slot_begin && p->slot_end == q->slot_end);
    }
}

/* Cut short or with one byte changed, it is refused or says something else in the same bytes. */
static void check_mangled(const struct buf *bytes, u64 *random)
{
    for (int i = 0; i < 200; i++) {
        u8 *copy = mem_dup(bytes->data, bytes->len);
        size_t len = i % 2 ? bytes->len : next(random) % bytes->len;
        if (len)
            copy[next(random) % len] ^= (u8)(1 << next(random) % 8);
        struct state_changes *changes;
        if (state_changes_decode(&changes, copy, len, NULL) == STATUS_OK) {
            struct buf again;
            buf_init(&again, bytes->len + 1);
            state_changes_encode(&again, changes);
            CHECK_EQ(again.len, len);
            CHECK_MEM(again.data, copy, len);
            buf_fini(&again);
            state_changes_free(changes);
        }
        mem_free(copy);
    }
}

TEST(change_sets_survive_encoding)
{
    struct memory_state *memory = memory_state_new(3);
    struct state_backend backend = memory_state_backend(memory);
    struct state *state = state_new(&backend, 3);
    u64 random = 88172645463325252;
    for (int block = 0; block < 60; block++) {
        struct state_changes *undo = random_undo(state, &random), *read = NULL;
        struct buf bytes;
        buf_init(&bytes, 1 << 20);
        state_changes_encode(&bytes, undo);
        CHECK_EQ(state_changes_decode(&read, bytes.data, bytes.len, NULL), STATUS_OK);
        check_same(undo, read);
        check_mangled(&bytes, &random);
        state_changes_free(read);
        state_changes_free(undo);
        buf_fini(&bytes);
    }
    state_free(state);
    memory_state_free(memory);
}
