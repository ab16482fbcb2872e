// What parent and child see of each other's memory.
#include "cases.h"

#include <ucontext.h>

static uint64_t expected;

static int same_digest(void *memory) { return digest(memory, LARGE_BYTES) == expected ? 0 : 1; }

static void contents(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    expected = digest(large, LARGE_BYTES);
    train();
    report("all of it", same_digest, large);
    train();
    report("all of it again", same_digest, large);
}

// Protections, and mappings of other kinds beside: what is not left out is copied, what is shared stays shared.

static unsigned char *shared, *of_file, *read_only, *executable, *locked, *hidden;

static int look_at_kinds(void *unused) {
    (void)unused;
    int wrong = 0;
    wrong |= digest(large, LARGE_BYTES) != expected ? 1 : 0;
    wrong |= digest(read_only, LARGE_BYTES) != expected ? 2 : 0;
    wrong |= digest(executable, LARGE_BYTES) != expected ? 4 : 0;
    wrong |= of_file[5 * MIB] != 'f' || of_file[0] != 0 ? 8 : 0;
    wrong |= shared[0] != 's' ? 16 : 0;
    wrong |= digest(locked, LARGE_BYTES) != expected ? 32 : 0;
    shared[MIB] = 'c';
    if (mprotect(hidden, LARGE_BYTES, PROT_READ) < 0 || digest(hidden, LARGE_BYTES) != expected) wrong |= 64;
    return wrong;
}

static void kinds(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    expected = digest(large, LARGE_BYTES);
    read_only = make_large(PROT_READ);
    executable = make_large(PROT_READ | PROT_EXEC);
    locked = make_large(PROT_READ | PROT_WRITE);
    if (mlock(locked, LARGE_BYTES) < 0) die("mlock");
    hidden = make_large(PROT_NONE);
    shared = must_map(LARGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
    shared[0] = 's';
    int file = memfd_create("large", 0);
    if (file < 0 || ftruncate(file, LARGE_BYTES) < 0) die("memfd_create");
    of_file = mmap(NULL, LARGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    for (size_t i = 0; i < LARGE_BYTES; i += 4096) of_file[i] = 0;
    of_file[5 * MIB] = 'f';
    train();
    report("every kind", look_at_kinds, NULL);
    printf("shared from the child: %c\n", shared[MIB]);
}

static int grow_down(void *top) {
    // Below the mapping there is room, and touching the page below makes it grow.
    volatile unsigned char *below = (unsigned char *)top - 4096;
    *below = 1;
    return 0;
}

static void growing(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    unsigned char *room = must_map(64 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);
    munmap(room, 64 * MIB);
    unsigned char *stack = mmap(room + 60 * MIB, 4 * MIB, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    if (stack == MAP_FAILED) die("mmap");
    memset(stack, 1, 4 * MIB);
    train();
    report("grows in the child", grow_down, stack);
}

// Neither sees what the other writes.

static int to_child[2], from_child[2];

static int write_everywhere(void *unused) {
    (void)unused;
    for (size_t i = 0; i < LARGE_BYTES; i += 4096) large[i + 7] ^= 0x55;
    return digest(large, LARGE_BYTES) == expected ? 1 : 0;
}

/// Stays until it is told, then looks at what its parent has written over meanwhile.
static int look_later(void *unused) {
    (void)unused;
    char byte;
    if (read(to_child[0], &byte, 1) != 1) return 2;
    byte = digest(large, LARGE_BYTES) == expected ? 'y' : 'n';
    if (write(from_child[1], &byte, 1) != 1) return 3;
    return 0;
}

static void isolation(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    expected = digest(large, LARGE_BYTES);
    train();
    report("child writes", write_everywhere, NULL);
    printf("parent's after: %s\n", digest(large, LARGE_BYTES) == expected ? "unchanged" : "changed");
}

static void staying(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    expected = digest(large, LARGE_BYTES);
    if (pipe(to_child) < 0 || pipe(from_child) < 0) die("pipe");
    train();
    fflush(stdout);
    pid_t pid = start(look_later, NULL);
    for (size_t i = 0; i < LARGE_BYTES; i += 64) large[i] ^= 0xaa;
    char byte = 0;
    if (write(to_child[1], "x", 1) != 1 || read(from_child[0], &byte, 1) != 1) die("talk");
    printf("child's own: %c, %s\n", byte, ending(pid));
    // Ordinary from now on, of all the memory: what windows did to the mappings is undone.
    expected = digest(large, LARGE_BYTES);
    report("afterwards", same_digest, large);
}

// The kernel reads and writes it for the child, too.

static int let_kernel_look(void *unused) {
    (void)unused;
    int ends[2], wrong = 0;
    if (pipe(ends) < 0) return 64;
    if (write(ends[1], large + 8 * MIB, 4096) != 4096) wrong |= 1;
    if (read(ends[0], large + 16 * MIB + 100, 4096) != 4096) wrong |= 2;
    if (memcmp(large + 8 * MIB, large + 16 * MIB + 100, 4096) != 0) wrong |= 4;
    // What stood around the bytes that were read is what the parent had.
    if (large[16 * MIB] != (unsigned char)((16 * MIB >> 12) * 7 + 1)) wrong |= 8;
    if (stat((const char *)large + 24 * MIB, &(struct stat){0}) == 0 || errno != ENOENT) wrong |= 16;
    return wrong;
}

static int execute_from_large(void *words) {
    char **list = words;
    execv(list[0], list);
    return 127;
}

static void kernel(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    memcpy(large + 24 * MIB, "/no/such/file", 14);
    // A path, 2,000 words of 500 bytes and their list, all in there.
    char **list = (char **)(large + 32 * MIB), *text = (char *)large + 33 * MIB;
    list[0] = strcpy(text, "/bin/sh"), list[1] = strcpy(text + 100, "-c");
    list[2] = strcpy(text + 200, "printf %s \"$*\" | md5sum");
    text += 4096;
    for (int i = 3; i < 2003; i++, text += 512) {
        memset(text, 'a' + i % 26, 500);
        text[500] = 0;
        list[i] = text;
    }
    list[2003] = NULL;
    train();
    report("read, written and named by the kernel", let_kernel_look, NULL);
    train();
    report("a megabyte of arguments", execute_from_large, list);
}

// What a child does to its mappings.

static int change_mappings(void *unused) {
    (void)unused;
    int wrong = 0;
    unsigned char *moved = mremap(large, 16 * MIB, 32 * MIB, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) return 64;
    if (moved[5 * MIB] != (unsigned char)((5 * MIB >> 12) * 7 + 1) || moved[20 * MIB] != 0) wrong |= 1;
    if (*(uint32_t *)(moved + 12 * MIB + 128) != 12 * MIB) wrong |= 1;
    unsigned char *emptied = large + 20 * MIB;
    if (madvise(emptied, MIB, MADV_DONTNEED) < 0 || emptied[0] != 0 || emptied[128 + 2] != 0) wrong |= 2;
    if (munmap(large + 24 * MIB, 4 * MIB) < 0) wrong |= 4;
    unsigned char *fresh = mmap(large + 24 * MIB, 4 * MIB, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (fresh != large + 24 * MIB || fresh[0] != 0 || fresh[2 * MIB] != 0) wrong |= 8;
    if (mprotect(large + 32 * MIB, MIB, PROT_READ) < 0) wrong |= 16;
    if (*(uint32_t *)(large + 32 * MIB + 4096 + 128) != 32 * MIB + 4096) wrong |= 32;
    return wrong;
}

/// Something that grows where something else was does not find what that held.
static int grow_into_gap(void *unused) {
    (void)unused;
    if (munmap(large + 16 * MIB, 16 * MIB) < 0) return 64;
    unsigned char *moved = mremap(large + 40 * MIB, 4 * MIB, 12 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED, large + 18 * MIB);
    if (moved != large + 18 * MIB) return 32;
    if (*(uint32_t *)(moved + MIB + 128) != 41 * MIB) return 1;
    for (size_t i = 4 * MIB; i < 12 * MIB; i += 4096)
        if (moved[i] != 0 || moved[i + 130] != 0) return 2;
    return *(uint32_t *)(large + 32 * MIB + 128) == 32 * MIB ? 0 : 4;
}

static int change_and_stay(void *unused) {
    if (change_mappings(unused) != 0) return 1;
    stay();  // beyond the parent's patience: what it copies now must not undo the changes
    if (large[20 * MIB] != 0 || large[24 * MIB] != 0) return 2;
    return *(uint32_t *)(large + 40 * MIB + 128) == 40 * MIB ? 0 : 4;
}

static void mappings(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    expected = digest(large, LARGE_BYTES);
    train();
    report("moved, emptied, unmapped, protected", change_mappings, NULL);
    train();
    report("grown into a gap", grow_into_gap, NULL);
    train();
    report_staying("the same, and it stays", change_and_stay, NULL);
    printf("parent's after: %s\n", digest(large, LARGE_BYTES) == expected ? "unchanged" : "changed");
}

// The heap, which malloc goes on using on both sides, and what was never written.

static int use_heap(void *unused) {
    (void)unused;
    char *blocks[4000];
    for (int i = 0; i < 4000; i++) {
        blocks[i] = malloc(5000);
        memset(blocks[i], i, 5000);
    }
    for (int i = 0; i < 4000; i++)
        if (blocks[i][17] != (char)i) return 1;
    for (int i = 0; i < 4000; i += 2) free(blocks[i]);
    char *zeros = calloc(1, 3 * MIB);
    for (size_t i = 0; i < 3 * MIB; i++)
        if (zeros[i] != 0) return 2;
    return 0;
}

static int untouched_is_zero(void *sparse) {
    const unsigned char *at = sparse;
    for (size_t i = 0; i < 256 * MIB; i += 61440)
        if (at[i] != (i == 0)) return 1;
    return 0;
}

static void heap(void) {
    char *blocks[3000];
    for (int i = 0; i < 3000; i++) memset(blocks[i] = malloc(16000), i, 16000);
    FILE *file = fopen("/dev/null", "w");  // its buffer and its lock lie in the heap
    train();
    report("malloc in the child", use_heap, NULL);
    for (int i = 0; i < 3000; i++)
        if (blocks[i][100] != (char)i) die("the parent's heap");
    fprintf(file, "%d", 1);
    fclose(file);
    large = make_large(PROT_READ | PROT_WRITE);
    unsigned char *sparse = must_map(256 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    sparse[0] = 1;
    train();
    report("what nobody wrote", untouched_is_zero, sparse);
}

// A stack in the middle of it, as those of coroutines are.

static ucontext_t around, within;

static void on_that_stack(void) {
    train();
    report("from a stack within", use_heap, NULL);
}

static void stack(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    getcontext(&within);
    within.uc_stack.ss_sp = large + 20 * MIB;
    within.uc_stack.ss_size = MIB;
    within.uc_link = &around;
    makecontext(&within, on_that_stack, 0);
    swapcontext(&around, &within);
}

// The program's own MADV_DONTFORK and MADV_WIPEONFORK.

static unsigned char *not_for_children, *wiped;

static int look_at_own_advice(void *unused) {
    (void)unused;
    int wrong = 0;
    unsigned char there;
    if (mincore(not_for_children, 4096, &there) == 0 || errno != ENOMEM) wrong |= 1;
    if (wiped[0] != 0) wrong |= 2;
    if (digest(large, LARGE_BYTES) != expected) wrong |= 4;
    return wrong;
}

static void advice(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    expected = digest(large, LARGE_BYTES);
    not_for_children = make_large(PROT_READ | PROT_WRITE);
    wiped = make_large(PROT_READ | PROT_WRITE);
    if (madvise(not_for_children, LARGE_BYTES, MADV_DONTFORK) < 0 || madvise(wiped, LARGE_BYTES, MADV_WIPEONFORK) < 0)
        die("madvise");
    for (int i = 0; i < 3; i++) {
        train();
        report("its own advice", look_at_own_advice, NULL);
    }
}

const struct named_case memory_cases[] = {
    {"contents", contents}, {"kinds", kinds},       {"growing", growing}, {"isolation", isolation}, {"staying", staying},
    {"kernel", kernel},     {"mappings", mappings}, {"heap", heap}, {"stack", stack},       {"advice", advice},       {NULL, NULL},
};
