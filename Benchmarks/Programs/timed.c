/*
 * timed.c - starts commands one after the other and tells how long each took and how much memory it had at most.
 *
 * A line on standard input is one request: how often, and the words of the command, with tabs between them. "{}" in a
 * word becomes a number that no other start has. The answer is a line of pairs NANOSECONDS:KILOBYTES, from the start to the
 * end by CLOCK_MONOTONIC and ru_maxrss of wait4(2), or a line that begins with "failed".
 *
 * A program of its own, since it lives in a mount namespace of the benchmark's, and a small one: a child that shares its
 * starter's memory until its exec counts that memory as its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { words_limit = 64, word_limit = 4096 };

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Puts the number in the place of "{}". */
static char *numbered(const char *word, long number, char *room) {
    size_t at = 0;
    for (; *word && at < word_limit - 32; word++) {
        if (word[0] == '{' && word[1] == '}') {
            at += (size_t)sprintf(room + at, "%ld", number);
            word++;
        } else {
            room[at++] = *word;
        }
    }
    room[at] = 0;
    return room;
}

/* Runs a command once with nothing on its standard input and its output among the errors. */
static int once(char *const words[], long long *took, long *memory) {
    pid_t pid;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, 2, 1);
    long long begin = now();
    int error = posix_spawn(&pid, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) return error;
    int status;
    struct rusage usage;
    while (wait4(pid, &status, 0, &usage) < 0)
        if (errno != EINTR) return errno;
    *took = now() - begin;
    *memory = usage.ru_maxrss;
    return status ? -status : 0;
}

int main(void) {
    static char rooms[words_limit][word_limit];
    char *line = NULL, *given[words_limit], *words[words_limit + 1];
    size_t room = 0;
    long number = 0;
    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = 0;
        long times = strtol(strtok(line, "\t"), NULL, 10);
        int count = 0;
        while (count < words_limit && (given[count] = strtok(NULL, "\t"))) count++;
        int failure = count ? 0 : EINVAL;
        for (long i = 0; i < times && !failure; i++, number++) {
            for (int word = 0; word < count; word++) words[word] = numbered(given[word], number, rooms[word]);
            words[count] = NULL;
            long long took = 0;
            long memory = 0;
            failure = once(words, &took, &memory);
            if (!failure) printf("%s%lld:%ld", i ? "\t" : "", took, memory);
        }
        if (failure) printf("\tfailed %s (%d)", count ? words[0] : "", failure);
        printf("\n");
        fflush(stdout);
    }
    return 0;
}
