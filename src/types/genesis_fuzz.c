/* Any bytes as a genesis file: read, or refused with words whose place is in the text. Reading to the end and
 * stopping at the first mistake agree. */
#include "base/assert.h"
#include "types/genesis.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct seen {
    unsigned lines;
    u32 mistakes, warnings;
};

static void on_found(void *ctx, const struct genesis_finding *finding)
{
    struct seen *seen = ctx;
    assert(finding->text[0]);
    assert(finding->line <= seen->lines);
    *(finding->is_mistake ? &seen->mistakes : &seen->warnings) += 1;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct arena arena;
    struct genesis genesis;
    struct err err = {""};
    struct seen seen = {.lines = 1};
    for (size_t i = 0; i < size; i++)
        seen.lines += data[i] == '\n';
    arena_init(&arena);
    enum status whole = genesis_check(&genesis, &arena, (const char *)data, size, on_found, &seen);
    enum status status = genesis_parse(&genesis, &arena, (const char *)data, size, &err);
    assert(whole == status);
    assert((status != STATUS_OK) == (seen.mistakes > 0));
    assert(seen.mistakes <= GENESIS_FINDINGS_MAX && seen.warnings <= GENESIS_FINDINGS_MAX);
    if (status != STATUS_OK)
        assert(err.text[0]);
    else
        assert(genesis.header.fields >= HEADER_FIELDS_FRONTIER);
    arena_fini(&arena);
    return 0;
}
