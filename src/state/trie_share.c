/* Hashing on several threads: subtrees that do not touch each other first, then what is above them. */
#include "base/mem.h"
#include "state/trie_int.h"
#include "sys/workers.h"

/* Many more subtrees than threads, so that none waits long for the last. */
enum { SUBTREES_WANTED = 128, JOBS_MAX = 32, LEVELS_MAX = 3 };

struct hash_job {
    struct job job;
    const struct link_at *links;
    size_t count;
};

struct subtrees {
    struct link_at *links;
    size_t count, cap;
};

static void add(struct subtrees *subtrees, struct trie_link *link, size_t depth)
{
    if (!link_is_dirty(link))
        return;
    if (subtrees->count == subtrees->cap) {
        subtrees->cap = subtrees->cap ? 2 * subtrees->cap : SUBTREES_WANTED;
        subtrees->links = mem_realloc(subtrees->links, subtrees->cap * sizeof *subtrees->links);
    }
    subtrees->links[subtrees->count++] = (struct link_at){link, depth};
}

/* Each subtree gives way to its children; leaves, which have none, to nothing: they are few here. */
static void split(struct subtrees *subtrees)
{
    struct subtrees below = {NULL, 0, 0};
    for (size_t i = 0; i < subtrees->count; i++) {
        struct branch *branch = link_node(subtrees->links[i].link);
        if (branch->kind == NODE_LEAF)
            continue;
        unsigned children = (unsigned)__builtin_popcount(branch->mask & 0xffff);
        for (unsigned c = 0; c < children; c++)
            add(&below, branch->links + c, subtrees->links[i].depth + branch->prefix_len + 1);
    }
    mem_free(subtrees->links);
    *subtrees = below;
}

static void hash_run(struct job *job)
{
    const struct hash_job *hash = (const struct hash_job *)(const void *)job;
    links_hash(hash->links, hash->count);
}

static void hash_done(struct job *job)
{
    (void)job;
}

static void hash_all(const struct subtrees *subtrees, struct workers *workers)
{
    struct hash_job jobs[JOBS_MAX];
    size_t at = 0;
    for (size_t i = 0; i < JOBS_MAX; i++) {
        size_t end = subtrees->count * (i + 1) / JOBS_MAX;
        jobs[i] =
            (struct hash_job){{.run = hash_run, .done = hash_done}, subtrees->links + at, end - at};
        if (end > at)
            workers_add(workers, &jobs[i].job);
        at = end;
    }
    workers_finish(workers);
}

void trie_hash_shared(struct trie *const *tries, size_t count, struct workers *workers)
{
    if (workers && workers_are_many(workers)) {
        struct subtrees subtrees = {NULL, 0, 0};
        for (size_t i = 0; i < count; i++)
            add(&subtrees, &tries[i]->root, 0);
        for (int level = 0; level < LEVELS_MAX && subtrees.count < SUBTREES_WANTED; level++)
            split(&subtrees);
        if (subtrees.count)
            hash_all(&subtrees, workers);
        mem_free(subtrees.links);
    }
    trie_hash(tries, count);
}
