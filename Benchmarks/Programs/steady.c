/*
 * steady.c - asks a web server at a steady pace and says of each request what became of it.
 *
 *     steady HOST PORT CONNECTIONS PAUSE-MS fresh|kept
 *
 * Each connection asks, waits for the answer, pauses, and asks again: "fresh" with a connection for each request, "kept" over
 * one for as long as the server keeps it. wrk counts a connection that the server closes between two requests as an error of
 * reading, like an answer that never came; here they are told apart. Asks until SIGTERM or SIGINT, waits for the answers that
 * are still owed, and prints one JSON object:
 *
 *     answered  requests with an answer of 2xx
 *     refused   requests with another answer
 *     lost      requests that were sent and not answered: the connection broke, or 10 s went by
 *     unreached attempts to connect that failed
 *     closed    connections that the server closed while nothing was owed; the next request went over another one
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 256, ANSWER_BYTES = 16384, PATIENCE_MS = 10000 };
enum state { CLOSED, CONNECTING, IDLE, WAITING };

struct connection {
    enum state state;
    int socket;
    long due;   /* Of the next request, or when its answer is given up. */
    size_t used;
    char answer[ANSWER_BYTES + 1];
};

static struct connection connections[MOST];
static struct sockaddr_in server;
static char request[256];
static size_t request_bytes;
static long pause_ms;
static int fresh;
static volatile sig_atomic_t ending;
static long answered, refused, lost, unreached, closed;

static void end(int signal) {
    (void)signal;
    ending = 1;
}

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void drop(struct connection *c) {
    if (c->state != CLOSED) close(c->socket);
    c->state = CLOSED;
    c->used = 0;
}

static void fail(struct connection *c, long *count) {
    ++*count;
    drop(c);
    c->due = now() + pause_ms;
}

static void ask(struct connection *c) {
    if (send(c->socket, request, request_bytes, MSG_NOSIGNAL) != (ssize_t)request_bytes) {
        /* Nothing of it was taken: the server closed before. It goes over another connection, at once. */
        closed++;
        drop(c);
        c->due = now();
        return;
    }
    c->state = WAITING;
    c->used = 0;
    c->due = now() + PATIENCE_MS;
}

static void reach(struct connection *c) {
    c->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->socket < 0) {
        perror("steady: make a socket");
        exit(1);
    }
    int yes = 1;
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    c->state = CONNECTING;
    c->due = now() + PATIENCE_MS;
    if (connect(c->socket, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) fail(c, &unreached);
}

static void connected(struct connection *c) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(c->socket, SOL_SOCKET, SO_ERROR, &error, &length) < 0 || error) return fail(c, &unreached);
    ask(c);
}

/* Whether the answer is whole: a head with Content-Length and so many bytes. */
static int is_whole(struct connection *c) {
    char *head = memmem(c->answer, c->used, "\r\n\r\n", 4);
    if (!head) return 0;
    c->answer[c->used] = 0;
    char *length = strcasestr(c->answer, "\r\nContent-Length:");
    if (!length || length > head) return -1;
    return c->used >= (size_t)(head + 4 - c->answer) + strtoul(length + 17, NULL, 10);
}

static void receive(struct connection *c) {
    ssize_t count = recv(c->socket, c->answer + c->used, ANSWER_BYTES - c->used, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (c->state == IDLE) {
        /* Its end, or bytes that nobody asked for. */
        closed++;
        return drop(c);
    }
    if (count <= 0) return fail(c, &lost);
    c->used += (size_t)count;
    int whole = is_whole(c);
    if (whole < 0 || (!whole && c->used == ANSWER_BYTES)) return fail(c, &lost);
    if (!whole) return;
    if (c->used > 9 && c->answer[9] == '2') answered++;
    else refused++;
    int closes = strcasestr(c->answer, "\r\nConnection: close") != NULL;
    c->state = IDLE;
    if (fresh || closes) drop(c);
    c->used = 0;
    c->due = now() + pause_ms;
}

static void on_time(struct connection *c) {
    switch (c->state) {
    case CLOSED:
        if (!ending) reach(c);
        break;
    case CONNECTING: fail(c, &unreached); break;
    case IDLE:
        if (!ending) ask(c);
        break;
    case WAITING: fail(c, &lost); break;
    }
}

int main(int argc, char **argv) {
    int count = argc == 6 ? atoi(argv[3]) : 0;
    if (count < 1 || count > MOST || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
        fprintf(stderr, "usage: steady IPV4 PORT CONNECTIONS PAUSE-MS fresh|kept\n");
        return 2;
    }
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)atoi(argv[2]));
    pause_ms = atol(argv[4]);
    fresh = strcmp(argv[5], "fresh") == 0;
    request_bytes = (size_t)snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n", argv[1],
        fresh ? "Connection: close\r\n" : "");
    struct sigaction action = { .sa_handler = end };
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    /* Not all at once. */
    for (int index = 0; index < count; index++) connections[index].due = now() + index * (pause_ms + 1) / count;
    for (;;) {
        struct pollfd polled[MOST];
        long time = now(), next = time + 1000;
        int owed = 0;
        for (int index = 0; index < count; index++) {
            struct connection *c = &connections[index];
            if (c->due <= time) on_time(c);
            polled[index].fd = c->state == CLOSED ? -1 : c->socket;
            polled[index].events = c->state == CONNECTING ? POLLOUT : POLLIN;
            polled[index].revents = 0;
            if (c->state == CONNECTING || c->state == WAITING) owed++;
            if (c->due < next && !(ending && (c->state == CLOSED || c->state == IDLE))) next = c->due;
        }
        if (ending && !owed) break;
        if (poll(polled, (nfds_t)count, next > time ? (int)(next - time) : 0) < 0 && errno != EINTR) {
            perror("steady: poll");
            return 1;
        }
        for (int index = 0; index < count; index++) {
            struct connection *c = &connections[index];
            if (polled[index].fd < 0 || !polled[index].revents) continue;
            if (c->state == CONNECTING) connected(c);
            else if (c->state != CLOSED) receive(c);
        }
    }
    printf("{\"answered\": %ld, \"refused\": %ld, \"lost\": %ld, \"unreached\": %ld, \"closed\": %ld}\n", answered, refused,
        lost, unreached, closed);
    return 0;
}
