/*
 * runtime-api.h - the Runtime API of AWS Lambda for a function in C: one connection, kept open.
 *
 *     int main(void) { serve(answer); }
 *
 * `answer` gets an event and gives back its answer, in memory that stays until the next event. The answer and the
 * question for the next event go out in one packet, as HTTP/1.1 allows (RFC 9112, 9.3.2).
 */
#ifndef RUNTIME_API_H
#define RUNTIME_API_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct bytes {
    char *at;
    size_t count;
};

typedef struct bytes (*handler)(struct bytes event);

struct runtime {
    int connection;
    char host[64];
    char *buffer;
    size_t room, filled;
    /* Bytes at the front that belong to an answer that has been read. */
    size_t taken;
};

static void give_up(const char *what) {
    perror(what);
    exit(1);
}

static void runtime_connect(struct runtime *r) {
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
    if (!api || strlen(api) >= sizeof r->host) {
        fputs("read AWS_LAMBDA_RUNTIME_API: it is not set, or no address\n", stderr);
        exit(1);
    }
    strcpy(r->host, api);
    char address[64];
    strcpy(address, api);
    char *colon = strrchr(address, ':');
    if (colon) *colon = 0;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(colon ? (unsigned short)atoi(colon + 1) : 80)};
    to.sin_addr.s_addr = inet_addr(address);
    r->connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    /* Without this a second packet waits for the acknowledgement of the first, up to 40 ms. */
    setsockopt(r->connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(r->connection, (struct sockaddr *)&to, sizeof to) < 0) give_up("connect to the Runtime API");
    r->room = 64 << 10;
    r->buffer = malloc(r->room);
    if (!r->buffer) give_up("set memory aside");
}

/* Sends an answer, which may be empty, and the question for the next event. */
static void runtime_send(struct runtime *r, struct bytes head, struct bytes body, struct bytes next) {
    struct iovec parts[3] = {{head.at, head.count}, {body.at, body.count}, {next.at, next.count}};
    int first = 0;
    while (first < 3) {
        if (parts[first].iov_len == 0) {
            first++;
            continue;
        }
        ssize_t sent = writev(r->connection, parts + first, 3 - first);
        if (sent <= 0) give_up("write to the Runtime API");
        for (; first < 3 && (size_t)sent >= parts[first].iov_len; first++) sent -= (ssize_t)parts[first].iov_len;
        if (first < 3) {
            parts[first].iov_base = (char *)parts[first].iov_base + sent;
            parts[first].iov_len -= (size_t)sent;
        }
    }
}

/* The value of a header field, ended where the line ends; null when there is none. */
static char *field(char *head, const char *name) {
    size_t length = strlen(name);
    for (char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
            char *value = line + 2 + length + 1;
            while (*value == ' ') value++;
            return value;
        }
    return 0;
}

/* Reads the next answer of the service; its head begins at *head and ends with NUL, its body is returned. */
static struct bytes runtime_receive(struct runtime *r, char **head) {
    memmove(r->buffer, r->buffer + r->taken, r->filled - r->taken);
    r->filled -= r->taken;
    r->taken = 0;
    for (;;) {
        r->buffer[r->filled] = 0;
        char *end = strstr(r->buffer, "\r\n\r\n");
        size_t start = 0, wanted = 0;
        if (end) {
            end[2] = 0;
            char *length = field(r->buffer, "content-length");
            end[2] = '\r';
            start = (size_t)(end - r->buffer) + 4;
            wanted = length ? strtoul(length, 0, 10) : 0;
            if (r->filled >= start + wanted) {
                r->buffer[start - 1] = 0;
                r->taken = start + wanted;
                *head = r->buffer;
                return (struct bytes){r->buffer + start, wanted};
            }
        }
        if (r->room < start + wanted + 1 || r->filled + 1 >= r->room) {
            r->room = start + wanted + 1 > r->room * 2 ? start + wanted + 1 : r->room * 2;
            r->buffer = realloc(r->buffer, r->room);
            if (!r->buffer) give_up("set memory aside");
        }
        ssize_t count = read(r->connection, r->buffer + r->filled, r->room - r->filled - 1);
        if (count == 0) exit(0);
        if (count < 0) give_up("read from the Runtime API");
        r->filled += (size_t)count;
    }
}

/* Asks for events and answers them, for ever. */
static void serve(handler answer) {
    struct runtime r = {0};
    runtime_connect(&r);
    char next[160], head[400], *received;
    int next_bytes = snprintf(
        next, sizeof next, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n", r.host);
    struct bytes none = {0, 0}, question = {next, (size_t)next_bytes};
    runtime_send(&r, none, none, question);
    for (;;) {
        struct bytes event = runtime_receive(&r, &received);
        char *id = field(received, "lambda-runtime-aws-request-id");
        if (!id) {
            fputs("read an event: it has no request id\n", stderr);
            exit(1);
        }
        int id_bytes = (int)strcspn(id, "\r");
        struct bytes answered = answer(event);
        int count = snprintf(
            head, sizeof head,
            "POST /2018-06-01/runtime/invocation/%.*s/response HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
            "Content-Length: %zu\r\n\r\n",
            id_bytes, id, r.host, answered.count);
        runtime_send(&r, (struct bytes){head, (size_t)count}, answered, question);
        runtime_receive(&r, &received);
    }
}

#endif
