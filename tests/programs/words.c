/* words - count the words of the files named by the arguments (stdin without any) and write the ten most
 * frequent ones, by count and then by name, to stdout; with WORDS_REPORT=FILE also all of them to that file. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct word {
  struct word *next;
  unsigned long count;
  char text[];
} word_t;

enum { BUCKETS = 4096 };
static word_t *buckets[BUCKETS];
static size_t distinct;
static unsigned long total;

static void die(const char *what) {
  fprintf(stderr, "words: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void add(const char *text, size_t length) {
  unsigned hash = 2166136261u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 16777619u;
  word_t **slot = &buckets[hash % BUCKETS];
  total++;
  for (word_t *word = *slot; word; word = word->next) {
    if (strlen(word->text) == length && memcmp(word->text, text, length) == 0) {
      word->count++;
      return;
    }
  }
  word_t *word = malloc(sizeof *word + length + 1);
  if (!word) die("memory");
  memcpy(word->text, text, length);
  word->text[length] = 0;
  word->count = 1;
  word->next = *slot;
  *slot = word;
  distinct++;
}

static void scan(FILE *file) {
  char text[256];
  size_t length = 0;
  int c;
  do {
    c = getc(file);
    if (c != EOF && isalnum(c)) {
      if (length < sizeof text) text[length++] = (char)tolower(c);
    } else if (length > 0) {
      add(text, length);
      length = 0;
    }
  } while (c != EOF);
}

static int by_count(const void *a, const void *b) {
  const word_t *left = *(word_t *const *)a, *right = *(word_t *const *)b;
  if (left->count != right->count) return left->count < right->count ? 1 : -1;
  return strcmp(left->text, right->text);
}

int main(int argc, char **argv) {
  if (argc < 2) scan(stdin);
  for (int i = 1; i < argc; i++) {
    FILE *file = fopen(argv[i], "r");
    if (!file) die(argv[i]);
    scan(file);
    if (fclose(file) != 0) die(argv[i]);
  }
  word_t **all = calloc(distinct + 1, sizeof *all);
  if (!all) die("memory");
  size_t count = 0;
  for (size_t i = 0; i < BUCKETS; i++) {
    for (word_t *word = buckets[i]; word; word = word->next) all[count++] = word;
  }
  qsort(all, count, sizeof *all, by_count);
  printf("%lu words, %zu distinct, %.3f each\n", total, distinct, distinct ? (double)total / (double)distinct : 0.0);
  for (size_t i = 0; i < count && i < 10; i++) printf("%6lu %s\n", all[i]->count, all[i]->text);
  const char *report = getenv("WORDS_REPORT");
  if (report) {
    FILE *file = fopen(report, "w");
    if (!file) die(report);
    for (size_t i = 0; i < count; i++) fprintf(file, "%s %lu\n", all[i]->text, all[i]->count);
    if (fclose(file) != 0) die(report);
  }
  struct tm day;
  time_t stamp = 951782400;
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%d", gmtime_r(&stamp, &day));
  puts(text);
  return time(NULL) > stamp ? 0 : 3;
}
