/*
 * The state in a store: an account's look-up, a block's commit and memory, as the state grows. A line per
 * size: 100,000 accounts and a million; ten million with --large. The store lies in the folder given
 * (TMPDIR or /tmp), and each commit waits for the disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "state/disk.h"
#include "state/state.h"
#include "state/verify.h"
#include "sys/clock.h"
#include "sys/file.h"

enum { BLOCK = 10000, BLOCKS_A_SYNC = 10, READS = 50000, UPDATES = 1000, UPDATE_BLOCKS = 50 };

struct world {
    char folder[256];
    struct db *db;
    struct disk_state *disk;
    struct state *state;
    u64 count; /* accounts */
};

static addr20 addr_of(u64 i)
{
    addr20 addr = {{0}};
    i = (i + 1) * 0x9e3779b97f4a7c15;
    memcpy(addr.b, &i, sizeof i);
    return addr;
}

static u64 random_below(u64 *random, u64 below)
{
    *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
    return (*random >> 11) % below;
}

static void must(enum status status, const struct err *err)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void world_open(struct world *world)
{
    struct err err;
    const struct db_options options = {0};
    must(db_open(&world->db, world->folder, &options, &err), &err);
    world->disk = disk_state_new(world->db, 0, 1);
    struct state_backend backend = disk_state_backend(world->disk);
    world->state = state_new(&backend, 1);
}

static void world_close(struct world *world)
{
    state_free(world->state);
    disk_state_free(world->disk);
    db_close(world->db);
}

static void sync_world(struct world *world)
{
    struct err err = {""};
    if (!db_is_writing(world->db))
        return;
    disk_state_save(world->disk);
    must(db_commit(world->db, &err), &err);
}

static void commit_block(struct world *world)
{
    struct err err = {""};
    hash32 root;
    state_end_tx(world->state, FORK_PRAGUE);
    state_root(world->state, &root);
    must(state_commit(world->state, NULL, &err), &err);
}

/* Kilobytes, of the line in /proc/self/status that begins so. */
static u64 memory_kb(const char *line)
{
    u8 *text;
    size_t len;
    if (file_read(&text, &len, "/proc/self/status", 1 << 16, NULL))
        return 0;
    const char *at = strstr((const char *)text, line);
    u64 kb = at ? strtoull(at + strlen(line), NULL, 10) : 0;
    mem_free(text);
    return kb;
}

struct times {
    u64 cpu, wall;
};

static struct times times_now(void)
{
    return (struct times){clock_thread_ns(), clock_monotonic_ns()};
}

static struct times times_since(struct times start)
{
    struct times now = times_now();
    return (struct times){now.cpu - start.cpu, now.wall - start.wall};
}

static void grow(struct world *world, u64 count)
{
    struct times start = times_now();
    u64 added = count - world->count;
    for (unsigned block = 1; world->count < count; block++) {
        state_begin_tx(world->state);
        for (u64 n = 0; n < BLOCK && world->count < count; n++, world->count++) {
            const addr20 addr = addr_of(world->count);
            const u256 wei = u256_from_u64(1000000000 + world->count);
            state_set_balance(world->state, &addr, &wei);
        }
        commit_block(world);
        if (block % BLOCKS_A_SYNC == 0)
            sync_world(world);
    }
    sync_world(world);
    struct times took = times_since(start);
    printf("disk_grow_%llu    %.0f accounts/s of processor time, %.0f by the clock\n",
           (unsigned long long)count, (double)added * 1e9 / (double)took.cpu,
           (double)added * 1e9 / (double)took.wall);
}

static void read_accounts(struct world *world, u64 *random)
{
    u64 found = 0, absent = 0;
    state_set_cache(world->state, 0, 0);
    struct times start = times_now();
    for (int i = 0; i < READS; i++) {
        const addr20 addr = addr_of(random_below(random, world->count));
        found += state_account_exists(world->state, &addr);
        if (i % 1000 == 0)
            state_forget(world->state);
    }
    struct times took = times_since(start);
    start = times_now();
    for (int i = 0; i < READS; i++) {
        const addr20 addr = addr_of(world->count + random_below(random, world->count));
        absent += !state_account_exists(world->state, &addr);
        if (i % 1000 == 0)
            state_forget(world->state);
    }
    struct times missed = times_since(start);
    if (found != READS || absent != READS)
        exit(1);
    printf("disk_read_%llu    %.0f ns an account, %.0f ns an absent one\n",
           (unsigned long long)world->count, (double)took.cpu / READS, (double)missed.cpu / READS);
}

static void update_accounts(struct world *world, u64 *random)
{
    struct times start = times_now();
    for (int block = 0; block < UPDATE_BLOCKS; block++) {
        state_begin_tx(world->state);
        for (int i = 0; i < UPDATES; i++) {
            const addr20 addr = addr_of(random_below(random, world->count));
            state_set_nonce(world->state, &addr, state_nonce(world->state, &addr) + 1);
        }
        commit_block(world);
        sync_world(world);
    }
    struct times took = times_since(start);
    printf("disk_commit_%llu  %.2f ms of processor time for a durable block of %d updates, %.2f by "
           "the clock\n",
           (unsigned long long)world->count, (double)took.cpu / 1e6 / UPDATE_BLOCKS, UPDATES,
           (double)took.wall / 1e6 / UPDATE_BLOCKS);
}

static void print_fault(void *arg, const char *words)
{
    (void)arg;
    printf("%s\n", words);
    exit(1);
}

static void verify(struct world *world)
{
    struct state_verified verified;
    hash32 root;
    state_root(world->state, &root);
    struct times start = times_now();
    state_verify(&verified, world->db, &root, print_fault, NULL);
    printf("disk_verify_%llu  %.2f s\n", (unsigned long long)world->count,
           (double)times_since(start).cpu / 1e9);
}

static void show_size(struct world *world)
{
    u64 bytes = 0;
    for (unsigned table = 0; table < DB_TABLE_COUNT; table++)
        bytes += db_stat(world->db, (enum db_table)table).bytes;
    printf("disk_size_%llu    %.0f bytes an account, of which nodes %.0f; memory now %llu kB of "
           "our own, at most %llu "
           "kB with pages of the file\n",
           (unsigned long long)world->count, (double)bytes / (double)world->count,
           (double)db_stat(world->db, DB_NODES).bytes / (double)world->count,
           (unsigned long long)memory_kb("RssAnon:"), (unsigned long long)memory_kb("VmHWM:"));
}

/* As a node does when nothing has happened for a while. */
static void rest(struct world *world)
{
    state_rest(world->state);
    disk_state_rest(world->disk);
    db_rest(world->db);
    mem_trim();
    printf("disk_rest_%llu    %llu kB resident, of which %llu our own\n",
           (unsigned long long)world->count, (unsigned long long)memory_kb("VmRSS:"),
           (unsigned long long)memory_kb("RssAnon:"));
}

static void measure(struct world *world, u64 count)
{
    u64 random = 88172645463325252;
    grow(world, count);
    world_close(world);
    world_open(world);
    read_accounts(world, &random);
    update_accounts(world, &random);
    verify(world);
    show_size(world);
    rest(world);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct world world = {.count = 0};
    bool large = argc > 1 && strcmp(argv[1], "--large") == 0;
    const char *folder = getenv("TMPDIR");
    char path[300];
    snprintf(world.folder, sizeof world.folder, "%s/ashlar-bench-XXXXXX", folder ? folder : "/tmp");
    if (!mkdtemp(world.folder))
        return 1;
    world_open(&world);
    measure(&world, 100000);
    measure(&world, 1000000);
    if (large)
        measure(&world, 10000000);
    world_close(&world);
    snprintf(path, sizeof path, "%s/data.mdb", world.folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/lock", world.folder);
    unlink(path);
    return rmdir(world.folder) != 0;
}
