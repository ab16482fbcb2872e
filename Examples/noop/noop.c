/*
 * noop.c - the smallest program there is: it asks the kernel to end it, with status 0.
 *
 * No C library, no stack, no page but its own code: what starting it costs is what starting anything costs.
 * exit_group is system call 231 on x86-64 and 94 on arm64 (syscalls(2)).
 */
#if defined(__x86_64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "    xorl %edi, %edi\n"
    "    movl $231, %eax\n"
    "    syscall\n");
#elif defined(__aarch64__)
__asm__(
    ".globl _start\n"
    "_start:\n"
    "    mov x0, #0\n"
    "    mov x8, #94\n"
    "    svc #0\n");
#else
#error "noop.c is written for x86-64 and arm64"
#endif

/* An executable stack would be a warning of the linker and a difference nobody wants. */
__asm__(".section .note.GNU-stack,\"\",%progbits\n");
