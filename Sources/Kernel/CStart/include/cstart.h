// Where the OCI runtime's machine code lies, settled before the C library starts. See cstart.c.
#ifndef FORKLESS_CSTART_H
#define FORKLESS_CSTART_H

// The executable's entry point (the linker's -e). It goes on at the C library's own, _start, whatever happens.
void forkless_start(void);

#endif
