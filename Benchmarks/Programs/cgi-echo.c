/* A CGI program that answers with what it was sent: what fcgiwrap forks and execs for every request. */
#include <unistd.h>

int main(void) {
    static char body[65536];
    static const char head[] = "Content-Type: application/json\r\n\r\n";
    ssize_t got = read(0, body, sizeof body);
    if (got < 0) return 1;
    if (write(1, head, sizeof head - 1) < 0) return 1;
    return write(1, body, (size_t)got) == got ? 0 : 1;
}
