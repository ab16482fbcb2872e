/* A program of pods that tells when it runs: only DIRECTORY NAME SECONDS
 *
 * It appends a line to DIRECTORY/starts, and one to DIRECTORY/twice when another of its name runs at this moment: an flock(2) is
 * the kernel's, and goes with the process whatever ends it. Then it sleeps, for ever with 0 seconds. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void append(const char *directory, const char *file, const char *name) {
    char path[4096], line[512];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    snprintf(line, sizeof line, "%s\n", name);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0644);
    if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line)) exit(4);
    close(fd);
}

int main(int count, char **words) {
    if (count != 4) return 2;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.lock", words[1], words[2]);
    int lock = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0) return 4;
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) append(words[1], "twice", words[2]);
    append(words[1], "starts", words[2]);
    int seconds = atoi(words[3]);
    if (seconds == 0) for (;;) pause();
    sleep(seconds);
    return 0;
}
