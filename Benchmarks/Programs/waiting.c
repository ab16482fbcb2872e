/*
 * waiting.c - waits in a read of its standard input and ends, with status 0, when there is something or the end.
 *
 * The idle program of the density benchmark: without a C library, so that thousands of it weigh nothing beside what
 * is measured. Call numbers: syscalls(2).
 */
#if defined(__x86_64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "    subq $16, %rsp\n"
    "    xorl %edi, %edi\n"
    "    movq %rsp, %rsi\n"
    "    movl $1, %edx\n"
    "    xorl %eax, %eax\n"
    "    syscall\n"
    "    xorl %edi, %edi\n"
    "    movl $231, %eax\n"
    "    syscall\n");
#elif defined(__aarch64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "    sub sp, sp, #16\n"
    "    mov x0, #0\n"
    "    mov x1, sp\n"
    "    mov x2, #1\n"
    "    mov x8, #63\n"
    "    svc #0\n"
    "    mov x0, #0\n"
    "    mov x8, #94\n"
    "    svc #0\n");
#else
#error "waiting.c is written for x86-64 and arm64"
#endif

__asm__(".section .note.GNU-stack,\"\",%progbits\n");
