/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#pragma once

#include "base/types.h"

/* The length of the longest valid beginning of the text: len if all of it is UTF-8. Linear; ASCII costs
 * an eighth of a step a byte. */
size_t utf8_valid_len(const char *text, size_t len);
