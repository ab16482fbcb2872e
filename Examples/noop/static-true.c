/*
 * static-true.c - the smallest ordinary C program, linked statically: it starts the C library and returns 0.
 */
int main(void) { return 0; }
