// A runtime, an extension and a plain program in one small static file, for tests of instances.
//
// As a runtime it does what MODE says while it starts, and what the event's text says for each call. As a file of
// /opt/extensions it registers under its own name and follows events. Messages are read with their Content-Length.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char buffer[8 << 20];
static char *body;
static size_t body_length;
static int status;

static int dial(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        exit(9);
    }
    return fd;
}

static void put(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t got = send(fd, bytes, count, MSG_NOSIGNAL);
        if (got < 0) return;
        bytes += got;
        count -= got;
    }
}

static void puttext(int fd, const char *text) { put(fd, text, strlen(text)); }

// Reads one answer; 0 when the connection has ended.
static int get(int fd) {
    size_t have = 0;
    char *end = NULL;
    while (end == NULL) {
        ssize_t got = read(fd, buffer + have, sizeof buffer - 1 - have);
        if (got <= 0) return 0;
        have += got;
        buffer[have] = 0;
        end = strstr(buffer, "\r\n\r\n");
    }
    status = atoi(buffer + 9);
    body = end + 4;
    const char *length = strcasestr(buffer, "content-length:");
    body_length = length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;
    while ((size_t)(buffer + have - body) < body_length) {
        ssize_t got = read(fd, buffer + have, sizeof buffer - 1 - have);
        if (got <= 0) return 0;
        have += got;
    }
    body[body_length] = 0;
    return 1;
}

static const char *header(const char *name, char *into, size_t room) {
    const char *at = strcasestr(buffer, name);
    into[0] = 0;
    if (at == NULL || at > body) return into;
    at += strlen(name) + 1;
    while (*at == ' ') at++;
    size_t count = strcspn(at, "\r\n");
    if (count >= room) count = room - 1;
    memcpy(into, at, count);
    into[count] = 0;
    return into;
}

static void request(int fd, const char *method, const char *path, const char *extra, const char *text, size_t count) {
    char head[2048];
    int length = snprintf(
        head, sizeof head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n%sContent-Length: %zu\r\n\r\n", method, path, extra,
        count);
    // One segment for both: the second would wait for the first one's acknowledgement (RFC 896).
    send(fd, head, length, MSG_NOSIGNAL | (count > 0 ? MSG_MORE : 0));
    put(fd, text, count);
}

static void answer(int fd, const char *id, const char *word, const char *text, size_t count) {
    char path[256];
    snprintf(path, sizeof path, "/2018-06-01/runtime/invocation/%s/%s", id, word);
    request(fd, "POST", path, "", text, count);
    if (!get(fd)) exit(8);
}

static void say(const char *text) {
    puts(text);
    fflush(stdout);
}

static int extension(const char *name) {
    char extra[512], id[128], line[512];
    int fd = dial(9001);
    const char *mode = getenv("EXTENSION");
    if (mode != NULL && strcmp(mode, "exit") == 0) return 7;
    snprintf(extra, sizeof extra, "Lambda-Extension-Name: %s\r\n", name);
    const char *events = "{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}";
    request(fd, "POST", "/2020-01-01/extension/register", extra, events, strlen(events));
    if (!get(fd) || status != 200) return 6;
    header("lambda-extension-identifier", id, sizeof id);
    printf("extension %s registered: %s\n", name, body);
    fflush(stdout);
    snprintf(extra, sizeof extra, "Lambda-Extension-Identifier: %s\r\n", id);
    if (mode != NULL && strcmp(mode, "telemetry") == 0) {
        // What is told comes to this process's own listener and goes to its output.
        int listener = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(4243)};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        bind(listener, (struct sockaddr *)&address, sizeof address);
        listen(listener, 16);
        if (fork() == 0) {
            FILE *file = fopen("/mnt/out/telemetry", "a");
            for (;;) {
                int peer = accept(listener, NULL, NULL);
                char part[4096];
                ssize_t got;
                while ((got = read(peer, part, sizeof part)) > 0) fwrite(part, 1, got, file);
                fflush(file);
                close(peer);
            }
        }
        const char *wish =
            "{\"schemaVersion\":\"2022-12-13\",\"types\":[\"platform\",\"function\"],\"buffering\":{\"timeoutMs\":25},"
            "\"destination\":{\"protocol\":\"TCP\",\"port\":4243}}";
        request(fd, "PUT", "/2022-07-01/telemetry", extra, wish, strlen(wish));
        if (!get(fd)) return 5;
        printf("telemetry %d\n", status);
        fflush(stdout);
    }
    for (;;) {
        request(fd, "GET", "/2020-01-01/extension/event/next", extra, "", 0);
        if (!get(fd)) return 0;
        snprintf(line, sizeof line, "extension event: %.400s", body);
        say(line);
        FILE *file = fopen("/mnt/out/events", "a");
        if (file != NULL) {
            fprintf(file, "%s\n", body);
            fclose(file);
        }
        if (strstr(body, "SHUTDOWN") != NULL) return 0;
    }
}

static void eat(void) {
    for (;;) {
        char *room = malloc(1 << 20);
        if (room == NULL) continue;
        memset(room, 1, 1 << 20);
    }
}

static void invoke(int fd, const char *id) {
    static char event[8 << 20];
    char word[64] = "";
    memcpy(event, body, body_length + 1);
    size_t count = body_length;
    const char *text = event;
    if (*text == '"') text++;
    sscanf(text, "%63[a-z]", word);
    const char *rest = text + strlen(word);
    while (*rest == ' ') rest++;
    int number = atoi(rest);
    if (strcmp(word, "exit") == 0) exit(number);
    if (strcmp(word, "crash") == 0) abort();
    if (strcmp(word, "hang") == 0) {
        if (fork() == 0) pause();
        pause();
    }
    if (strcmp(word, "eat") == 0) eat();
    if (strcmp(word, "error") == 0) {
        char path[256];
        snprintf(path, sizeof path, "/2018-06-01/runtime/invocation/%s/error", id);
        const char *error = "{\"errorType\":\"Function.Refused\",\"errorMessage\":\"no\"}";
        request(fd, "POST", path, "Lambda-Runtime-Function-Error-Type: Function.Refused\r\n", error, strlen(error));
        get(fd);
        return;
    }
    if (strcmp(word, "large") == 0) {
        char *answer_text = malloc(number);
        memset(answer_text, 'x', number);
        answer(fd, id, "response", answer_text, number);
        printf("large: %d\n", status);
        fflush(stdout);
        free(answer_text);
        return;
    }
    if (strcmp(word, "twice") == 0) {
        answer(fd, id, "response", "\"first\"", 7);
        answer(fd, id, "response", "\"second\"", 8);
        printf("second answer: %d %s\n", status, body);
        fflush(stdout);
        return;
    }
    if (strcmp(word, "wrong") == 0) {
        answer(fd, "00000000-0000-4000-8000-000000000000", "response", "1", 1);
        char text[64];
        snprintf(text, sizeof text, "%d", status);
        answer(fd, id, "response", text, strlen(text));
        return;
    }
    if (strcmp(word, "flood") == 0) {
        static char line[1024];
        memset(line, 'f', sizeof line - 1);
        for (int index = 0; index < number; index++) say(line);
    }
    if (strcmp(word, "say") == 0) say(rest);
    if (strcmp(word, "leave") == 0) {
        // A child that outlives its call, in a session of its own.
        if (fork() == 0) {
            setsid();
            pause();
        }
    }
    if (strcmp(word, "fork") == 0) {
        int made = 0;
        while (made < 5000) {
            pid_t child = fork();
            if (child < 0) break;
            if (child == 0) {
                pause();
                _exit(0);
            }
            made++;
        }
        char text[64];
        snprintf(text, sizeof text, "%d", made);
        answer(fd, id, "response", text, strlen(text));
        return;
    }
    if (strcmp(word, "write") == 0) {
        // Where nothing may be written, and where it may.
        char text[256] = "";
        const char *places[] = {"/var/task/x", "/opt/x", "/usr/x", "/tmp/x"};
        for (int index = 0; index < 4; index++) {
            int file = open(places[index], O_CREAT | O_WRONLY, 0600);
            strcat(text, file >= 0 ? "yes " : errno == EROFS ? "read-only " : "no ");
        }
        answer(fd, id, "response", text, strlen(text));
        return;
    }
    if (strcmp(word, "env") == 0) {
        char text[8192] = "";
        for (char **entry = environ; *entry != NULL; entry++) {
            strcat(text, *entry);
            strcat(text, "\n");
        }
        answer(fd, id, "response", text, strlen(text));
        return;
    }
    if (strcmp(word, "stream") == 0) {
        char head[512];
        snprintf(
            head, sizeof head,
            "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            "Lambda-Runtime-Function-Response-Mode: streaming\r\nContent-Type: text/plain\r\n"
            "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n",
            id);
        puttext(fd, head);
        puttext(fd, "5\r\nhello\r\n");
        usleep(20000);
        puttext(fd, "6\r\n world\r\n");
        if (number == 1) exit(4);
        puttext(
            fd, number == 2
                    ? "0\r\nLambda-Runtime-Function-Error-Type: Function.Late\r\n"
                      "Lambda-Runtime-Function-Error-Body: eyJlcnJvclR5cGUiOiJMYXRlIn0=\r\n\r\n"
                    : "0\r\n\r\n");
        get(fd);
        return;
    }
    answer(fd, id, "response", event, count);
}

int main(int count, char **words) {
    char id[128], line[256];
    if (strstr(words[0], "/extensions/") != NULL) return extension(strrchr(words[0], '/') + 1);
    const char *mode = getenv("MODE");
    if (mode == NULL) mode = "";
    if (strncmp(mode, "exit", 4) == 0) return atoi(mode + 4);
    if (strcmp(mode, "hang") == 0) pause();
    if (strcmp(mode, "eat") == 0) eat();
    if (strcmp(mode, "kill") == 0) kill(getpid(), SIGKILL), abort();
    int fd = dial(9001);
    if (strcmp(mode, "initerror") == 0) {
        const char *error = "{\"errorType\":\"Function.NoModel\",\"errorMessage\":\"the model is missing\"}";
        request(
            fd, "POST", "/2018-06-01/runtime/init/error", "Lambda-Runtime-Function-Error-Type: Function.NoModel\r\n", error,
            strlen(error));
        get(fd);
        return 1;
    }
    int workers = atoi(getenv("AWS_LAMBDA_MAX_CONCURRENCY") != NULL ? getenv("AWS_LAMBDA_MAX_CONCURRENCY") : "1");
    for (int index = 1; index < workers; index++) {
        if (fork() == 0) {
            fd = dial(9001);
            break;
        }
    }
    for (;;) {
        request(fd, "GET", "/2018-06-01/runtime/invocation/next", "", "", 0);
        if (!get(fd)) return 0;
        if (status != 200) {
            snprintf(line, sizeof line, "next: %d %.200s", status, body);
            say(line);
            return 5;
        }
        header("lambda-runtime-aws-request-id", id, sizeof id);
        invoke(fd, id);
    }
}
