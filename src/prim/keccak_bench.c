/* Prints "name nanoseconds" for keccak; each figure is the best of several batches. */
#include <stdio.h>
#include <time.h>

#include "prim/keccak.h"

static u64 now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

enum { BATCHES = 40, CALLS = 2000 };

static hash32 out[4];
static u8 data[4][576];

static void one(size_t len)
{
    keccak256(&out[0], data[0], len);
    data[0][0] = out[0].b[0];
}

static void four(size_t len)
{
    const void *const messages[4] = {data[0], data[1], data[2], data[3]};
    const size_t lens[4] = {len, len, len, len};
    keccak256_x4(out, messages, lens);
    data[0][0] = out[0].b[0];
}

static void measure(const char *name, void (*run)(size_t), size_t len, unsigned messages)
{
    double best = 1e18;
    for (int i = 0; i < BATCHES; i++) {
        u64 start = now_ns();
        for (int j = 0; j < CALLS; j++)
            run(len);
        double ns = (double)(now_ns() - start) / CALLS / messages;
        best = ns < best ? ns : best;
    }
    printf("%s %.1f\n", name, best);
}

int main(void)
{
    measure("keccak256_32", one, 32, 1);
    measure("keccak256_136", one, 136, 1);
    measure("keccak256_576", one, 576, 1);
    measure("keccak256_x4_32", four, 32, 4);
    measure("keccak256_x4_136", four, 136, 4);
    measure("keccak256_x4_576", four, 576, 4);
    return 0;
}
