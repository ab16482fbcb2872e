// Where the kernel enters the shim, the record that the node writes into each copy of it, and what the compiler expects
// of every program. See ShimRecord for the layout of the record.

    .section .text.start, "ax"
    .globl _start
#if defined(__x86_64__)
_start:
    xor %ebp, %ebp
    mov %rsp, %rdi
    lea shim_record(%rip), %rsi
    sub $8192, %rsp
    and $-16, %rsp
    mov %rsp, %rdx
    call shim_main
    ud2

    .globl memcpy
memcpy:
    mov %rdi, %rax
    mov %rdx, %rcx
    rep movsb
    ret

    .globl memset
memset:
    mov %rdi, %r8
    mov %esi, %eax
    mov %rdx, %rcx
    rep stosb
    mov %r8, %rax
    ret

    .globl strlen
strlen:
    mov %rdi, %rax
1:  cmpb $0, (%rax)
    je 2f
    inc %rax
    jmp 1b
2:  sub %rdi, %rax
    ret

// The shim allocates nothing: Swift's runtime refers to these from functions that are never reached.
    .globl posix_memalign, free, __stack_chk_fail
posix_memalign:
free:
__stack_chk_fail:
    ud2
#elif defined(__aarch64__)
_start:
    mov x29, #0
    mov x0, sp
    adrp x1, shim_record
    add x1, x1, :lo12:shim_record
    sub sp, sp, #8192
    mov x2, sp
    bl shim_main
    brk #1

    .globl memcpy
memcpy:
    mov x3, x0
1:  cbz x2, 2f
    ldrb w4, [x1], #1
    strb w4, [x3], #1
    sub x2, x2, #1
    b 1b
2:  ret

    .globl memset
memset:
    mov x3, x0
1:  cbz x2, 2f
    strb w1, [x3], #1
    sub x2, x2, #1
    b 1b
2:  ret

    .globl strlen
strlen:
    mov x3, x0
1:  ldrb w4, [x3]
    cbz w4, 2f
    add x3, x3, #1
    b 1b
2:  sub x0, x3, x0
    ret

    .globl posix_memalign, free, __stack_chk_fail
posix_memalign:
free:
__stack_chk_fail:
    brk #1
#endif

    .section .rodata.record, "a"
    .balign 16
shim_record:
    .ascii "FORKLESS-SHIM-01"   // 16: what it is, and the version of this layout
    .long 0                     // 4: milliseconds that it waits for a decision
    .long 0                     // 4: seconds that it waits for another node when one dies during a target's run
    .zero 40                    // 40: the shift's id, ended by NUL
    .zero 112                   // 112: the path of the node's socket, ended by NUL
    .zero 4096                  // 4096: the path of the original, ended by NUL

    .section .note.GNU-stack, "", @progbits
