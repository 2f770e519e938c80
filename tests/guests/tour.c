/* tour - walk through the life of a few files below the directory in argv[1], one line for each step.
 * The first step that goes wrong is named on stderr and gives exit code 1. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(int fine, const char *what) {
  if (fine) {
    printf("ok %s\n", what);
    return;
  }
  fprintf(stderr, "tour: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path) {
  char *names[16];
  size_t count = 0;
  DIR *dir = opendir(path);
  must(dir != NULL, "opendir");
  for (struct dirent *entry; (entry = readdir(dir)) != NULL && count < 16;) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) names[count++] = strdup(entry->d_name);
  }
  closedir(dir);
  qsort(names, count, sizeof *names, by_name);
  for (size_t i = 0; i < count; i++) {
    printf("entry %s\n", names[i]);
    free(names[i]);
  }
}

int main(int argc, char **argv) {
  char text[32] = "";
  struct stat st;
  if (argc != 2 || chdir(argv[1]) != 0) {
    fprintf(stderr, "usage: tour DIRECTORY\n");
    return 2;
  }
  must(mkdir("tour", 0755) == 0, "mkdir");
  int fd = open("tour/one.txt", O_RDWR | O_CREAT | O_EXCL, 0644);
  must(fd >= 0, "create");
  must(write(fd, "hello world", 11) == 11, "write");
  must(lseek(fd, 6, SEEK_SET) == 6, "seek set");
  must(read(fd, text, 5) == 5 && memcmp(text, "world", 5) == 0, "read");
  must(lseek(fd, -11, SEEK_CUR) == 0, "seek cur");
  must(pwrite(fd, "J", 1, 0) == 1 && pread(fd, text, 5, 0) == 5 && memcmp(text, "Jello", 5) == 0, "pwrite, pread");
  must(lseek(fd, 0, SEEK_END) == 11, "seek end");
  must(ftruncate(fd, 8) == 0 && fstat(fd, &st) == 0 && st.st_size == 8, "truncate");
  must(fsync(fd) == 0, "sync");
  must(close(fd) == 0, "close");
  must(open("tour/one.txt", O_WRONLY | O_CREAT | O_EXCL, 0644) < 0 && errno == EEXIST, "exclusive create refused");
  fd = open("tour/one.txt", O_WRONLY | O_APPEND);
  must(fd >= 0 && write(fd, "!", 1) == 1 && close(fd) == 0, "append");
  must(rename("tour/one.txt", "tour/two.txt") == 0, "rename");
  must(stat("tour/one.txt", &st) < 0 && errno == ENOENT, "the old name is gone");
  must(link("tour/two.txt", "tour/hard.txt") == 0 && stat("tour/hard.txt", &st) == 0 && st.st_nlink == 2, "link");
  must(symlink("two.txt", "tour/soft.txt") == 0, "symlink");
  must(readlink("tour/soft.txt", text, sizeof text) == 7 && memcmp(text, "two.txt", 7) == 0, "readlink");
  must(lstat("tour/soft.txt", &st) == 0 && S_ISLNK(st.st_mode), "lstat");
  must(stat("tour/soft.txt", &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 9, "stat through the link");
  struct timespec times[2] = {{1000000000, 5}, {1234567890, 6}};
  must(utimensat(AT_FDCWD, "tour/two.txt", times, 0) == 0, "utimensat");
  must(stat("tour/two.txt", &st) == 0 && st.st_mtim.tv_sec == 1234567890, "times");
  list("tour");
  must(unlink("tour") < 0, "unlink of a directory refused");
  must(rmdir("tour") < 0 && errno == ENOTEMPTY, "rmdir of a full directory refused");
  must(unlink("tour/soft.txt") == 0 && unlink("tour/hard.txt") == 0 && unlink("tour/two.txt") == 0, "unlink");
  must(rmdir("tour") == 0, "rmdir");
  must(open("../tour.txt", O_WRONLY | O_CREAT, 0644) < 0, "outside refused");
  puts("done");
  return 0;
}
