/* What was meant: of known words the one nearest to a word that is not known. */
#pragma once

#include "base/types.h"

/* NULL when none of the count words is near enough to be meant. Letter case costs nothing. */
const char *nearest_word(const char *word, const char *const *words, size_t count);
