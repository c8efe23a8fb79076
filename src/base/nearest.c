#include "base/nearest.h"

#include <ctype.h>
#include <string.h>

enum { WORD_MAX = 48 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

static bool is_same(char a, char b)
{
    return tolower((u8)a) == tolower((u8)b);
}

/* Levenshtein's distance, by rows. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t m = strnlen(a, WORD_MAX + 1), n = strnlen(b, WORD_MAX + 1);
    if (m > WORD_MAX || n > WORD_MAX)
        return WORD_MAX;
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + !is_same(a[i - 1], b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

const char *nearest_word(const char *word, const char *const *words, size_t count)
{
    const char *best = NULL;
    size_t best_distance = strnlen(word, WORD_MAX + 1) / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(word, words[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = words[i];
        }
    }
    return best;
}
