#include "types/verdict.h"

static const struct {
    const char *name, *text;
} TX_WORDS[] = {
#define X(id, sentence) {#id, sentence},
    TX_VERDICTS(X)
#undef X
};

static const struct {
    const char *name, *text;
} BLOCK_WORDS[] = {
#define X(id, sentence) {#id, sentence},
    BLOCK_VERDICTS(X)
#undef X
};

const char *tx_verdict_name(enum tx_verdict verdict)
{
    return TX_WORDS[verdict].name;
}

const char *tx_verdict_text(enum tx_verdict verdict)
{
    return TX_WORDS[verdict].text;
}

const char *block_verdict_name(enum block_verdict verdict)
{
    return BLOCK_WORDS[verdict].name;
}

const char *block_verdict_text(enum block_verdict verdict)
{
    return BLOCK_WORDS[verdict].text;
}
