// The first instructions of an executable whose file must not be written to by what runs in its containers
// (CVE-2019-5736): what a process sees at /proc/PID/exe of the runtime, or of a child that shares its memory, lies on a
// read-only mount.
//
// The usual way to get there is to execute the own file again, from a copy or a read-only mount, which starts the C
// library and Swift twice. Here the mappings of the file are replaced instead by mappings of the same file through a
// detached read-only mount, before anything has been written to them, and the kernel is told that this is the
// executable (PR_SET_MM_MAP, prctl(2), which needs CONFIG_CHECKPOINT_RESTORE and CAP_SYS_ADMIN).
//
// Invariants
// 1. Nothing of the C library is called: it has not started, its string functions are not linked up yet. An executable
//    that has a loader is left alone: its data is in use.
//    (test: `the executable becomes read-only without being executed again`)
// 2. What cannot be done is left: `SelfProtection` asks the kernel where the executable lies and executes again.
//    (test: `a runtime whose executable the kernel does not change executes itself again from a read-only mount`)
// 3. Only the verbs that make processes in containers pay for it.
//    (test: `a verb that makes no process in a container leaves the executable alone`)
#define _GNU_SOURCE 1
#include "cstart.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

// The compiler must not make calls of the C library of what looks like them.
#define BEFORE_LIBC __attribute__((no_stack_protector, no_builtin))

#if defined(__x86_64__)
BEFORE_LIBC static inline long raw(long n, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}

// The kernel enters with the stack as execve(2) fills it and a function to register at exit in rdx; _start wants both.
__asm__(
    ".text\n.globl forkless_start\n.type forkless_start, @function\n"
    "forkless_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rbx\n"
    "  mov %rdx, %r12\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call forkless_protect_executable\n"
    "  mov %rbx, %rsp\n"
    "  mov %r12, %rdx\n"
    "  jmp _start\n"
    ".size forkless_start, .-forkless_start\n");
#elif defined(__aarch64__)
BEFORE_LIBC static inline long raw(long n, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

__asm__(
    ".text\n.globl forkless_start\n.type forkless_start, %function\n"
    "forkless_start:\n"
    "  mov x29, xzr\n"
    "  mov x30, xzr\n"
    "  mov x19, x0\n"
    "  mov x0, sp\n"
    "  bl forkless_protect_executable\n"
    "  mov x0, x19\n"
    "  mov x30, xzr\n"
    "  b _start\n"
    ".size forkless_start, .-forkless_start\n");
#else
#error "Forkless starts programs on x86-64 and arm64"
#endif

#define CALL(n, ...) CALL_(n, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(n, a, b, c, d, e, f, ...) raw((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

BEFORE_LIBC static inline void zero(void *at, unsigned long count) {
    volatile uint8_t *bytes = at;
    for (unsigned long i = 0; i < count; i++) bytes[i] = 0;
}

// What execve(2) left on the stack, and where the file is mapped.
struct image {
    uintptr_t *stack;
    char **arguments, **environment;
    unsigned long argument_count, environment_count;
    const Elf64_Phdr *headers;
    unsigned long header_count;
    uintptr_t bias;  // what was added to the file's addresses
    uintptr_t page;  // bytes of a page
};

BEFORE_LIBC static int same(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

BEFORE_LIBC static char *end_of(char *text) {
    while (*text) text++;
    return text + 1;
}

// One of these words is the verb of every command line that makes a process in a container; where it is something
// else, such as the name of a container, protection does no harm.
BEFORE_LIBC static int enters_containers(const struct image *image) {
    for (unsigned long i = 1; i < image->argument_count; i++) {
        const char *word = image->arguments[i];
        if (same(word, "run") || same(word, "create") || same(word, "exec") || same(word, "start")) return 1;
    }
    return 0;
}

// False for an executable that was loaded by an interpreter: its data is in use by now.
BEFORE_LIBC static int read_image(struct image *image, uintptr_t *stack) {
    zero(image, sizeof *image);
    image->stack = stack;
    image->argument_count = stack[0];
    image->arguments = (char **)(stack + 1);
    image->environment = image->arguments + image->argument_count + 1;
    while (image->environment[image->environment_count]) image->environment_count++;
    for (const Elf64_auxv_t *entry = (const void *)(image->environment + image->environment_count + 1); entry->a_type != AT_NULL; entry++) {
        if (entry->a_type == AT_PHDR) image->headers = (const Elf64_Phdr *)entry->a_un.a_val;
        if (entry->a_type == AT_PHNUM) image->header_count = entry->a_un.a_val;
        if (entry->a_type == AT_PAGESZ) image->page = entry->a_un.a_val;
    }
    if (!image->headers || !image->page || !image->argument_count) return 0;
    // Linkers put the program headers behind the file's header, and that at the begin of a segment.
    uintptr_t file = (uintptr_t)image->headers - sizeof(Elf64_Ehdr);
    int has_first = 0;
    for (unsigned long i = 0; i < image->header_count; i++) {
        const Elf64_Phdr *header = image->headers + i;
        if (header->p_type == PT_INTERP) return 0;
        if (header->p_type != PT_LOAD || header->p_offset != 0) continue;
        image->bias = file - header->p_vaddr;
        has_first = 1;
    }
    return has_first && ((const Elf64_Ehdr *)file)->e_phoff == sizeof(Elf64_Ehdr);
}

static const char executable[] = "/proc/self/exe";

BEFORE_LIBC static int lies_read_only(void) {
    struct statfs status;
    return CALL(SYS_statfs, executable, &status) == 0 && status.f_flags & 1 /* ST_RDONLY */;
}

// Opens the own file through a detached read-only mount; the mount lives as long as something is mapped from it.
BEFORE_LIBC static long open_read_only(void) {
    long tree = CALL(SYS_open_tree, AT_FDCWD, executable, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return tree;
    struct mount_attr attributes;
    zero(&attributes, sizeof attributes);
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    long result = CALL(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
    if (result >= 0) {
        // The descriptor is a place (O_PATH) and has to be opened by its name.
        char path[32];
        int at = 0;
        for (const char *from = "/proc/self/fd/"; *from; from++) path[at++] = *from;
        for (long unit = 1000000000; unit > 0; unit /= 10)
            if (tree >= unit || unit == 1) path[at++] = (char)('0' + tree / unit % 10);
        path[at] = 0;
        result = CALL(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    }
    CALL(SYS_close, tree);
    return result;
}

// Maps a segment over itself, as execve(2) has mapped it.
BEFORE_LIBC static int map_again(const struct image *image, const Elf64_Phdr *segment, long file) {
    uintptr_t begin = image->bias + segment->p_vaddr, end = begin + segment->p_filesz, start = begin & ~(image->page - 1);
    int protection = (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) | (segment->p_flags & PF_X ? PROT_EXEC : 0);
    if (segment->p_filesz == 0) return 1;
    long result = CALL(SYS_mmap, start, end - start, protection, MAP_PRIVATE | MAP_FIXED, file, segment->p_offset & ~(image->page - 1));
    if (result != (long)start) return 0;
    // What follows the file's bytes in their last page is zero.
    if (segment->p_flags & PF_W && segment->p_memsz > segment->p_filesz) zero((void *)end, -end & (image->page - 1));
    return 1;
}

// The record of a process's memory, as it was but for the executable.
BEFORE_LIBC static void describe(const struct image *image, struct prctl_mm_map *map, long file) {
    zero(map, sizeof *map);
    map->start_code = map->start_data = ~0ull;
    for (unsigned long i = 0; i < image->header_count; i++) {
        const Elf64_Phdr *segment = image->headers + i;
        if (segment->p_type != PT_LOAD) continue;
        uint64_t begin = image->bias + segment->p_vaddr, end = begin + segment->p_filesz;
        if (begin < map->start_code) map->start_code = begin;
        if (segment->p_flags & PF_X && end > map->end_code) map->end_code = end;
        // As execve(2) has it: from the last segment's begin.
        if (map->start_data == ~0ull || begin > map->start_data) map->start_data = begin;
        if (end > map->end_data) map->end_data = end;
    }
    map->start_brk = map->brk = (uint64_t)CALL(SYS_brk, 0);
    map->start_stack = (uint64_t)image->stack;
    map->arg_start = (uint64_t)image->arguments[0];
    map->arg_end = (uint64_t)end_of(image->arguments[image->argument_count - 1]);
    map->env_start = map->env_end = map->arg_end;
    if (image->environment_count > 0) map->env_end = (uint64_t)end_of(image->environment[image->environment_count - 1]);
    map->exe_fd = (uint32_t)file;
}

/// Called by `forkless_start` alone.
void forkless_protect_executable(uintptr_t *stack);
BEFORE_LIBC __attribute__((used, visibility("hidden"))) void forkless_protect_executable(uintptr_t *stack) {
    struct image image;
    if (!read_image(&image, stack) || !enters_containers(&image) || lies_read_only()) return;
    long file = open_read_only();
    if (file < 0) return;
    int is_mapped = 1;
    for (unsigned long i = 0; is_mapped && i < image.header_count; i++)
        if (image.headers[i].p_type == PT_LOAD) is_mapped = map_again(&image, image.headers + i, file);
    if (is_mapped) {
        struct prctl_mm_map map;
        describe(&image, &map, file);
        CALL(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map);
    }
    CALL(SYS_close, file);
}
