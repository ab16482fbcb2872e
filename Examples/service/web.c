// A web server as many are: one process, connections kept open, and gone at once when it is told to end.
//
// It answers every request with one line: the version that VERSION says, and its host's name. Nothing in it knows that it
// runs in a pod; whoever takes it out of service has to see to it that nobody talks to it any more.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, REQUEST_BYTES = 8192 };

struct connection {
    size_t used;
    char request[REQUEST_BYTES];
};

static struct connection *connections[CONNECTIONS];
static char answer[512], last_answer[512];
static size_t answer_bytes, last_answer_bytes;

static void end(int signal) {
    (void)signal;
    _exit(0);
}

static void fail(const char *what) {
    fprintf(stderr, "web: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void prepare_answer(void) {
    char name[64] = "";
    gethostname(name, sizeof name - 1);
    const char *version = getenv("VERSION");
    char body[128];
    int length = snprintf(body, sizeof body, "%s %s\n", version ? version : "1", name);
    answer_bytes = (size_t)snprintf(answer, sizeof answer,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", length, body);
    last_answer_bytes = (size_t)snprintf(last_answer, sizeof last_answer,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", length, body);
}

static void drop(int socket) {
    close(socket);
    free(connections[socket]);
    connections[socket] = NULL;
}

// Answers each complete request head in what has been read; bodies are not for this server.
static void serve(int socket) {
    struct connection *connection = connections[socket];
    ssize_t count = recv(socket, connection->request + connection->used, REQUEST_BYTES - connection->used, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return drop(socket);
    connection->used += (size_t)count;
    for (;;) {
        char *head = memmem(connection->request, connection->used, "\r\n\r\n", 4);
        if (!head) break;
        size_t length = (size_t)(head + 4 - connection->request);
        int closes = memmem(connection->request, length, "Connection: close", 17) != NULL;
        // Who asks for the end of the connection is told of it, or takes it for a mishap.
        const char *text = closes ? last_answer : answer;
        size_t bytes = closes ? last_answer_bytes : answer_bytes;
        if (send(socket, text, bytes, MSG_NOSIGNAL) != (ssize_t)bytes || closes) return drop(socket);
        connection->used -= length;
        memmove(connection->request, head + 4, connection->used);
    }
    if (connection->used == REQUEST_BYTES) drop(socket);
}

static void take(int listener, int poll) {
    int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return;
    if (socket >= CONNECTIONS || !(connections[socket] = calloc(1, sizeof **connections))) {
        close(socket);
        return;
    }
    int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct epoll_event wish = { .events = EPOLLIN, .data.fd = socket };
    if (epoll_ctl(poll, EPOLL_CTL_ADD, socket, &wish) < 0) drop(socket);
}

int main(int argc, char **argv) {
    signal(SIGTERM, end);
    signal(SIGINT, end);
    prepare_answer();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) fail("make a socket");
    int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 8080)) };
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    if (listen(listener, 1024) < 0) fail("listen");
    int poll = epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0) fail("make an epoll");
    struct epoll_event wish = { .events = EPOLLIN, .data.fd = listener };
    if (epoll_ctl(poll, EPOLL_CTL_ADD, listener, &wish) < 0) fail("watch the socket");
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(poll, events, 64, -1);
        for (int index = 0; index < count; index++) {
            if (events[index].data.fd == listener) take(listener, poll);
            else if (connections[events[index].data.fd]) serve(events[index].data.fd);
        }
    }
}
