// Serves any program that reads its standard input and writes its standard output: one process for each connection, as
// inetd does. served PORT PROGRAM [ARGUMENT...]

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void end(int signal) {
    (void)signal;
    _exit(0);
}

static void fail(const char *what) {
    fprintf(stderr, "served: %s: %s\n", what, strerror(errno));
    exit(1);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: served PORT PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    signal(SIGTERM, end);
    // Children that have ended are not waited for.
    signal(SIGCHLD, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) fail("make a socket");
    int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])) };
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    if (listen(listener, 1024) < 0) fail("listen");
    for (;;) {
        int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (socket < 0) continue;
        pid_t child = vfork();
        if (child == 0) {
            dup2(socket, 0);
            dup2(socket, 1);
            execv(argv[2], argv + 2);
            _exit(127);
        }
        close(socket);
    }
}
