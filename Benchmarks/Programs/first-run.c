/*
 * first-run.c - prints the names of an executable's functions in the order in which a run of it first comes to them.
 *
 * usage: first-run EXECUTABLE [ARGUMENT...]   The executable must have its symbols. What it says goes to standard error.
 *
 * It is stepped instruction by instruction, which takes some minutes for a run of milliseconds; the processes that it
 * makes are not, so that functions that only they run are missing. The list is for the linker (--symbol-ordering-file):
 * what a start runs through then stands together in the file.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

struct function {
    uint64_t begin;
    const char *name;
    long order; /* when it was first run, from 1 on; 0: never */
};

static struct function *functions;
static size_t count;

static int by_begin(const void *a, const void *b) {
    const struct function *one = a, *other = b;
    return one->begin < other->begin ? -1 : one->begin > other->begin;
}

static int by_order(const void *a, const void *b) {
    const struct function *one = a, *other = b;
    return one->order < other->order ? -1 : one->order > other->order;
}

static void fail(const char *what) {
    perror(what);
    exit(2);
}

static void read_symbols(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status)) fail(path);
    const char *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED) fail(path);
    const Elf64_Ehdr *header = (const void *)file;
    const Elf64_Shdr *sections = (const void *)(file + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB) continue;
        const Elf64_Sym *symbols = (const void *)(file + sections[i].sh_offset);
        const char *names = file + sections[sections[i].sh_link].sh_offset;
        size_t all = sections[i].sh_size / sizeof *symbols;
        functions = calloc(all + 1, sizeof *functions);
        for (size_t at = 0; at < all; at++) {
            int type = ELF64_ST_TYPE(symbols[at].st_info);
            int is_code = type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
            if (!is_code || symbols[at].st_shndx == SHN_UNDEF || symbols[at].st_shndx >= SHN_LORESERVE || !names[symbols[at].st_name]) continue;
            functions[count++] = (struct function){symbols[at].st_value, names + symbols[at].st_name, 0};
        }
    }
    if (!count) {
        fprintf(stderr, "%s has no symbols: link it without -s\n", path);
        exit(2);
    }
    qsort(functions, count, sizeof *functions, by_begin);
}

/* Marks every name of the function in which an instruction lies. */
static void mark(uint64_t instruction, long *next) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (functions[middle].begin <= instruction) low = middle + 1;
        else high = middle;
    }
    if (!low) return;
    size_t first = low - 1;
    while (first > 0 && functions[first - 1].begin == functions[low - 1].begin) first--;
    for (size_t at = first; at < low; at++)
        if (!functions[at].order) functions[at].order = ++*next;
}

static uint64_t instruction_of(pid_t pid) {
    struct user_regs_struct registers;
    struct iovec part = {&registers, sizeof registers};
    if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &part)) fail("read the registers");
#if defined(__x86_64__)
    return registers.rip;
#else
    return registers.pc;
#endif
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: first-run EXECUTABLE [ARGUMENT...]\n");
        return 2;
    }
    read_symbols(argv[1]);
    uint64_t low = functions[0].begin, high = functions[count - 1].begin + 1;
    uint8_t *seen = calloc(high - low, 1);
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        dup2(2, 1);
        execv(argv[1], argv + 1);
        _exit(127);
    }
    long next = 0;
    int status, signal = 0;
    while (waitpid(pid, &status, __WALL) >= 0 && WIFSTOPPED(status)) {
        signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        uint64_t at = instruction_of(pid);
        if (at >= low && at < high && !seen[at - low]) {
            seen[at - low] = 1;
            mark(at, &next);
        }
        if (ptrace(PTRACE_SINGLESTEP, pid, 0, signal)) fail("step");
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        fprintf(stderr, "%s ended with status %x\n", argv[1], (unsigned)status);
        return 1;
    }
    qsort(functions, count, sizeof *functions, by_order);
    for (size_t at = 0; at < count; at++)
        if (functions[at].order) puts(functions[at].name);
    return 0;
}
