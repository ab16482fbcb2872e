/*
 * cgi-echo.c - the same as a CGI program: started for one request, it answers with the request's body.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
    const char *text = getenv("CONTENT_LENGTH");
    long left = text ? strtol(text, 0, 10) : 0;
    printf("Content-Type: application/json\r\n\r\n");
    fflush(stdout);
    char buffer[65536];
    while (left > 0) {
        ssize_t count = read(0, buffer, left < (long)sizeof buffer ? (size_t)left : sizeof buffer);
        if (count <= 0) return 1;
        if (fwrite(buffer, 1, (size_t)count, stdout) != (size_t)count) return 1;
        left -= count;
    }
    return 0;
}
