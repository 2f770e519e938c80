/* show - print what the host gave: every argument, every variable, every preopen, one per line and in order.
 * "exit=N" as an argument makes N the exit code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

extern char **environ;

int main(int argc, char **argv) {
  int code = 0;
  for (int i = 0; i < argc; i++) {
    printf("arg %d %s\n", i, argv[i]);
    if (strncmp(argv[i], "exit=", 5) == 0) code = atoi(argv[i] + 5);
  }
  for (char **var = environ; *var; var++) printf("env %s\n", *var);
  for (__wasi_fd_t fd = 3;; fd++) {
    __wasi_prestat_t prestat;
    char name[256] = "";
    if (__wasi_fd_prestat_get(fd, &prestat) != 0) break;
    if (prestat.u.dir.pr_name_len >= sizeof name) return 99;
    if (__wasi_fd_prestat_dir_name(fd, (uint8_t *)name, prestat.u.dir.pr_name_len) != 0) return 98;
    printf("dir %u %s\n", (unsigned)fd, name);
  }
  return code;
}
