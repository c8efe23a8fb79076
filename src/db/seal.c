/*
 * What every change begins with: the list of tables, and which pages are free. Were it wrong, what is written would
 * destroy what is there. So between changes the checksums of these pages are kept, and held against the file before
 * anything is changed and before it is written.
 */
#include <unistd.h>

#include "base/mem.h"
#include "db/crc32c.h"
#include "db/db_int.h"
#include "db/page.h"

void seal_add(struct seal *seal, u64 page, u64 count)
{
    struct run *last = seal->count ? seal->runs + seal->count - 1 : NULL;
    if (last && last->page + last->pages == page) {
        last->pages += count;
        return;
    }
    if (seal->count == seal->room) {
        seal->room = 2 * seal->room + 8;
        seal->runs = mem_realloc(seal->runs, seal->room * sizeof *seal->runs);
    }
    seal->runs[seal->count++] = (struct run){.page = page, .pages = count};
}

static enum status run_sum(const struct run *run, int fd, u32 *sum, struct err *err)
{
    enum { STEP = 16 };
    u8 bytes[STEP * PAGE];
    *sum = 0;
    for (u64 i = 0; i < run->pages; i += STEP) {
        size_t len = (size_t)(run->pages - i < STEP ? run->pages - i : STEP) * PAGE;
        if (pread(fd, bytes, len, (off_t)((run->page + i) * PAGE)) != (ssize_t)len)
            return err_set(err, STATUS_INVALID, "page %llu cannot be read",
                           (unsigned long long)run->page + i);
        *sum = crc32c(*sum, bytes, len);
    }
    return STATUS_OK;
}

enum status seal_take(struct seal *seal, int fd, struct err *err)
{
    *seal = (struct seal){0};
    enum status status = pages_seal(fd, seal, err);
    for (size_t i = 0; i < seal->count && !status; i++)
        status = run_sum(seal->runs + i, fd, &seal->runs[i].sum, err);
    return status;
}

enum status seal_check(const struct seal *seal, int fd, struct err *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < seal->count && !status; i++) {
        u32 sum;
        const struct run *run = seal->runs + i;
        status = run_sum(run, fd, &sum, err);
        if (!status && sum != run->sum)
            status =
                err_set(err, STATUS_INVALID,
                        "page %llu, or one of the %llu that follow, lists tables or free pages "
                        "and is damaged",
                        (unsigned long long)run->page, (unsigned long long)run->pages - 1);
    }
    return status;
}

void seal_drop(struct seal *seal)
{
    mem_free(seal->runs);
    mem_free(seal->others);
    *seal = (struct seal){0};
}
