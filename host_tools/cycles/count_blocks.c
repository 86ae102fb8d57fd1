/* A QEMU plugin: how often each translated block was executed, while a network was at work.
 *
 *   -plugin count_blocks.so,plan=FILE
 *
 * FILE says in lines of "name value" what to look for; numbers are hexadecimal. A window begins
 * whenever the function at `begin` is entered and is counted when the one at `end` is: the
 * application reads its clock in the first and books the time in the second. From each load of a
 * kernel's address out of the table of stages until that kernel returns, what runs is the layer's;
 * column 0 is the rest. After each window the sums are written to `out`, whole or not at all, a
 * line for each block and column:
 *
 *   start bytes instructions column executed taken flash_reads
 *
 * `taken`: how often another block followed than the one behind it. `flash_reads`: words, halves
 * and bytes of data that were read between `flash` and `flash_end`.
 *
 * QEMU's packages bring no header for plugins; of its interface this needs the few declarations
 * below, which are the same in all versions of it so far. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef DD_PLUGIN_API
#define DD_PLUGIN_API 1
#endif

typedef uint64_t plugin_id;
struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGISTERS = 0, READS_AND_WRITES = 3 };
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int,
                                          void *);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *,
                                      void (*)(unsigned, uint32_t, uint64_t, void *), int, int,
                                      void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
bool qemu_plugin_mem_is_store(uint32_t);
#if DD_PLUGIN_API < 3
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
#else
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *, void *, size_t);
#endif

#define VISIBLE     __attribute__((visibility("default")))
#define KERNELS_MAX 4096
#define ENGINES_MAX 32

VISIBLE int qemu_plugin_version = DD_PLUGIN_API;

typedef struct range {
    uint64_t begin;
    uint64_t end;
} range;

typedef struct count {
    uint64_t executed;
    uint64_t taken;
    uint64_t flash_reads;
} count;

typedef struct block {
    struct block *next;
    uint64_t start;
    uint64_t end;
    size_t instructions;
    bool of_engine;
    count *window; /* [columns]: since the window began */
    count *sum;    /* [columns]: of all windows that were counted */
} block;

static struct {
    uint64_t begin;
    uint64_t end;
    range stages;
    uint64_t stride;
    range flash;
    range engine[ENGINES_MAX];
    size_t engines;
    uint64_t kernel[KERNELS_MAX]; /* where the kernel of each stage begins */
    size_t kernels;
    char out[4096];
    char part[4096];
} plan;

static block *blocks;
static block *previous;
static size_t column;
static size_t previous_column;
static size_t called; /* the stage whose kernel's address was loaded, from 1 on; or 0 */
static uint64_t back; /* where the kernel returns to */

static size_t columns(void)
{
    return plan.kernels + 1;
}

static bool within(range where, uint64_t at)
{
    return where.begin <= at && at < where.end;
}

static void begin_window(void)
{
    for (block *at = blocks; at != NULL; at = at->next) {
        memset(at->window, 0, columns() * sizeof *at->window);
    }
    column = 0;
    called = 0;
}

static void write_sums(void)
{
    FILE *file = fopen(plan.part, "w");
    if (file == NULL) {
        return; /* the host finds no counts, and says so */
    }
    for (const block *at = blocks; at != NULL; at = at->next) {
        for (size_t i = 0; i < columns(); i++) {
            if (at->sum[i].executed != 0) {
                fprintf(file,
                        "%" PRIx64 " %" PRIu64 " %zu %zu %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                        at->start, at->end - at->start, at->instructions, i, at->sum[i].executed,
                        at->sum[i].taken, at->sum[i].flash_reads);
            }
        }
    }
    if (fclose(file) == 0) {
        rename(plan.part, plan.out);
    }
}

static void end_window(void)
{
    for (block *at = blocks; at != NULL; at = at->next) {
        for (size_t i = 0; i < columns(); i++) {
            at->sum[i].executed += at->window[i].executed;
            at->sum[i].taken += at->window[i].taken;
            at->sum[i].flash_reads += at->window[i].flash_reads;
        }
    }
    begin_window();
    write_sums();
}

/* Enter the kernel that was called, or leave it. */
static void choose_column(const block *now)
{
    if (called != 0 && previous != NULL && now->start == plan.kernel[called - 1]) {
        column = called;
        called = 0;
        back = previous->end;
    } else if (column != 0 && now->start == back) {
        column = 0;
    }
}

static void on_block(unsigned cpu, void *data)
{
    block *const now = data;
    (void)cpu;
    if (previous != NULL && now->start != previous->end) {
        previous->window[previous_column].taken++;
    }
    if (now->start == plan.begin) {
        begin_window();
    } else if (now->start == plan.end) {
        end_window();
    }
    choose_column(now);
    now->window[column].executed++;
    previous = now;
    previous_column = column;
}

static void on_read(unsigned cpu, uint32_t info, uint64_t at, void *data)
{
    const block *const now = data;
    (void)cpu;
    if (qemu_plugin_mem_is_store(
            info)) { /* QEMU 7.2 mixes reads and writes up when asked for one */
        return;
    }
    if (within(plan.flash, at)) {
        now->window[column].flash_reads++;
    }
    /* The kernel is the first member of a stage. */
    if (now->of_engine && within(plan.stages, at) && (at - plan.stages.begin) % plan.stride == 0) {
        called = (size_t)((at - plan.stages.begin) / plan.stride) + 1;
    }
}

static block *block_of(uint64_t start, uint64_t end, size_t instructions)
{
    for (block *at = blocks; at != NULL; at = at->next) {
        if (at->start == start && at->end == end) {
            return at;
        }
    }
    block *const fresh = calloc(1, sizeof *fresh);
    count *const counts = calloc(2 * columns(), sizeof *counts);
    if (fresh == NULL || counts == NULL) {
        fprintf(stderr, "count_blocks: no memory\n");
        exit(1);
    }
    *fresh = (block){blocks, start, end, instructions, false, counts, counts + columns()};
    for (size_t i = 0; i < plan.engines; i++) {
        fresh->of_engine = fresh->of_engine || within(plan.engine[i], start);
    }
    blocks = fresh;
    return fresh;
}

/* QEMU's own size of a block's last instruction takes in what it looked at behind a page's end. */
static size_t bytes_of(const struct qemu_plugin_insn *instruction)
{
    uint8_t first[2];
#if DD_PLUGIN_API < 3
    memcpy(first, qemu_plugin_insn_data(instruction), sizeof first);
#else
    qemu_plugin_insn_data(instruction, first, sizeof first);
#endif
    return first[1] >= 0xE8 ? 4 : 2; /* of Thumb: these upper five bits begin a long one */
}

static void on_translate(plugin_id id, struct qemu_plugin_tb *tb)
{
    const size_t instructions = qemu_plugin_tb_n_insns(tb);
    const struct qemu_plugin_insn *const first = qemu_plugin_tb_get_insn(tb, 0);
    const struct qemu_plugin_insn *const last = qemu_plugin_tb_get_insn(tb, instructions - 1);
    const uint64_t end = qemu_plugin_insn_vaddr(last) + bytes_of(last);
    block *const found = block_of(qemu_plugin_insn_vaddr(first), end, instructions);
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS, found);
    for (size_t i = 0; i < instructions; i++) {
        qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(tb, i), on_read, NO_REGISTERS,
                                         READS_AND_WRITES, found);
    }
}

static bool set(const char *name, const char *text)
{
    const uint64_t value = strtoull(text, NULL, 16);
    const struct {
        const char *name;
        uint64_t *at;
    } numbers[] = {
        {"begin", &plan.begin},           {"end", &plan.end},       {"stages", &plan.stages.begin},
        {"stages_end", &plan.stages.end}, {"stride", &plan.stride}, {"flash", &plan.flash.begin},
        {"flash_end", &plan.flash.end},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            *numbers[i].at = value;
            return true;
        }
    }
    if (strcmp(name, "kernel") == 0 && plan.kernels < KERNELS_MAX) {
        plan.kernel[plan.kernels++] = value;
    } else if (strcmp(name, "engine") == 0 && plan.engines < ENGINES_MAX) {
        plan.engine[plan.engines].begin = value;
    } else if (strcmp(name, "engine_end") == 0 && plan.engines < ENGINES_MAX) {
        plan.engine[plan.engines++].end = value;
    } else if (strcmp(name, "out") == 0) {
        const int length = snprintf(plan.out, sizeof plan.out, "%s", text);
        const int of_part = snprintf(plan.part, sizeof plan.part, "%s.part", text);
        return 0 < length && of_part < (int)sizeof plan.part;
    } else {
        return false;
    }
    return true;
}

static bool read_plan(const char *path)
{
    FILE *const file = fopen(path, "r");
    char line[4400];
    bool good = file != NULL;
    while (good && fgets(line, sizeof line, file) != NULL) {
        char *const text = strchr(line, ' ');
        char *const end = strchr(line, '\n');
        good = text != NULL && end != NULL;
        if (good) {
            *text = '\0';
            *end = '\0';
            good = set(line, text + 1);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return good && plan.kernels != 0 && plan.stride != 0 && plan.out[0] != '\0';
}

VISIBLE int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "plan=", 5) != 0 || !read_plan(argv[0] + 5)) {
        fprintf(stderr, "count_blocks: its plan cannot be read\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
