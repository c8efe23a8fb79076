/*
 * The names that official tests give to reasons of refusal, and which of our verdicts each allows. Names that
 * are not in the table allow any: they are then only a request to refuse.
 */
#pragma once

#include "types/verdict.h"

/* expected: names joined by "|", any one of which will do. tx is read when block is BLOCK_TX. */
bool exception_fits(const char *expected, enum block_verdict block, enum tx_verdict tx);
bool exception_fits_tx(const char *expected, enum tx_verdict tx);
