/* lines - read stdin line by line and answer each one at once: its number, its length, the line in capitals.
 * "end" and the count when stdin ends. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  static char line[65536];
  unsigned number = 0;
  while (fgets(line, sizeof line, stdin) != NULL) {
    size_t length = strcspn(line, "\n");
    line[length] = 0;
    for (size_t i = 0; i < length; i++) line[i] = (char)toupper((unsigned char)line[i]);
    printf("%u %zu %s\n", ++number, length, line);
    fflush(stdout);
  }
  printf("end %u\n", number);
  return ferror(stdin) ? 1 : 0;
}
