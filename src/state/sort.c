/* Sorting by hash, whose bytes are as good as random: by the first four, then what is left. */
#include "state/state_int.h"

enum { SMALL = 48 };

static bool keyed_before(const struct keyed *a, const struct keyed *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix;
    return memcmp(a->hash->b, b->hash->b, sizeof a->hash->b) < 0;
}

static void insertion_sort(struct keyed *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct keyed item = items[i];
        size_t at = i;
        for (; at > 0 && keyed_before(&item, items + at - 1); at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

static void radix_pass(struct keyed *to, const struct keyed *from, size_t count, unsigned shift)
{
    size_t starts[256] = {0}, next = 0;
    for (size_t i = 0; i < count; i++)
        starts[from[i].prefix >> shift & 0xff]++;
    for (unsigned digit = 0; digit < 256; digit++) {
        size_t here = starts[digit];
        starts[digit] = next;
        next += here;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[from[i].prefix >> shift & 0xff]++] = from[i];
}

void keyed_sort(struct keyed *items, struct keyed *scratch, size_t count)
{
    if (count > SMALL) {
        radix_pass(scratch, items, count, 32);
        radix_pass(items, scratch, count, 40);
        radix_pass(scratch, items, count, 48);
        radix_pass(items, scratch, count, 56);
    }
    insertion_sort(items, count);
}
