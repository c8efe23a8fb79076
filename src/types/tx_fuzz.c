/* What is accepted as a transaction encodes to the bytes it came from; a sender is found or
 * refused, never a crash. */
#include <string.h>

#include "base/assert.h"
#include "types/tx.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

static void check_canonical(const u8 *data, size_t size, struct arena *arena)
{
    struct tx tx, copy;
    if (tx_decode(&tx, arena, data, size) != TX_OK)
        return;
    struct buf out;
    buf_init(&out, INPUT_MAX);
    tx_copy(&copy, &tx, arena);
    tx_encode(&out, &copy);
    assert(out.len == size && memcmp(out.data, data, size) == 0);
    tx_hash_update(&copy);
    assert(hash32_eq(&copy.hash, &tx.hash));
    buf_reset(&out);
    tx_encode_item(&out, &tx);
    struct rlp body = rlp_open(out.data, out.len);
    assert(tx_decode_item(&copy, arena, &body) == TX_OK && rlp_at_end(&body));
    buf_fini(&out);
    for (enum fork fork = FORK_FRONTIER; fork < FORK_COUNT; fork += 5) {
        enum tx_verdict verdict = tx_check(&tx, fork, 6);
        assert(verdict < TX_VERDICT_COUNT && tx_verdict_text(verdict));
        tx.has_sender = false;
        assert(tx_recover(&tx, fork, tx.chain_id) == TX_OK || !tx.has_sender);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct arena arena;
    struct tx tx;
    struct tx_sidecar sidecar;
    if (size > INPUT_MAX / 2)
        return 0;
    arena_init(&arena);
    check_canonical(data, size, &arena);
    if (tx_decode_network(&tx, &sidecar, &arena, data, size) == TX_OK)
        assert(!sidecar.present || sidecar.count == tx.blob_count);
    arena_fini(&arena);
    return 0;
}
