// Two threads: one has a link point to the public file and to the secret one, in turn; the other opens it.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int done;
static char **names;

static void *flip(void *unused) {
    char fresh[4096];
    snprintf(fresh, sizeof fresh, "%s.new", names[1]);
    for (unsigned turn = 0; !atomic_load(&done); turn++)
        if (symlink(names[2 + turn % 2], fresh) == 0) rename(fresh, names[1]);
    return unused;
}

// LINK PUBLIC SECRET INODE COUNT: prints how many opens gave the public file, the secret one, EPERM, else.
int main(int count, char **words) {
    if (count != 6) return 2;
    names = words;
    unsigned long secret = strtoul(words[4], 0, 10), public = 0, leaked = 0, refused = 0, other = 0;
    long opens = atol(words[5]);
    pthread_t flipper;
    if (pthread_create(&flipper, 0, flip, 0) != 0) return 3;
    for (long turn = 0; turn < opens; turn++) {
        struct stat found;
        int file = open(words[1], O_RDONLY | O_CLOEXEC);
        if (file < 0) { if (errno == EPERM) refused++; else other++; continue; }
        if (fstat(file, &found) != 0) return 4;
        if (found.st_ino == secret) leaked++; else public++;
        close(file);
    }
    atomic_store(&done, 1);
    pthread_join(flipper, 0);
    printf("%lu %lu %lu %lu\n", public, leaked, refused, other);
    return 0;
}
