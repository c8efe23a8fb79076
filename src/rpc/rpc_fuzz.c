/*
 * Any text given to the RPC: the answer is valid JSON of the right shape, or nothing, and the chain lives on. One node
 * serves all inputs, as a real one does; it goes back to its beginning after each.
 */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "prim/json.h"
#include "rpc/rpc.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct rpc *rpc_for_fuzzing(struct dev **dev)
{
    struct err err;
    struct loop *loop;
    struct dev_options options = dev_options_default();
    options.accounts = 2;
    enum status status = loop_new(&loop, &err);
    assert(status == STATUS_OK);
    status = dev_open(dev, loop, &options, &err);
    assert(status == STATUS_OK);
    struct rpc_options rpc = rpc_options_default();
    rpc.answer_max = 1 << 20;
    rpc.call_gas_max = 1000000;
    return rpc_new(*dev, &rpc);
}

static void check_answer(json answer)
{
    bool has_result = json_get(answer, "result") != NULL;
    bool has_error = json_get(answer, "error") != NULL;
    assert(json_kind(answer) == JSON_KIND_OBJECT && has_result != has_error);
    assert(strcmp(json_text(json_get(answer, "jsonrpc")), "2.0") == 0 && json_get(answer, "id"));
}

static void check(const struct buf *out)
{
    json root;
    struct arena arena;
    if (!out->len)
        return;
    arena_init(&arena);
    enum status status =
        json_parse_in(&root, &arena, (const char *)out->data, out->len, 1024, NULL);
    assert(status == STATUS_OK);
    if (json_kind(root) == JSON_KIND_ARRAY)
        for (size_t i = 0; i < json_count(root); i++)
            check_answer(json_at(root, i));
    else
        check_answer(root);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static struct rpc *rpc;
    static struct dev *dev;
    struct buf out;
    if (!rpc)
        rpc = rpc_for_fuzzing(&dev);
    buf_init(&out, 0);
    char *text = mem_alloc(size + 1); /* of just that length, so that reading past it shows */
    memcpy(text, data, size);
    rpc_handle(rpc, text, size, &out);
    check(&out);
    if (chain_head(dev->chain)->block.header.number)
        assert(chain_unwind(dev->chain, 0));
    chain_state_unedit(dev->chain, 0);
    txpool_clear(dev->pool);
    mem_free(text);
    buf_fini(&out);
    return 0;
}
