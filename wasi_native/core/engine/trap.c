/* trap.c - see trap.h. The texts are ours: engines' own have the names of the guest's functions in them, and another
 * shape in each version. */
#include "core/engine/trap.h"

static const char *const texts[WN_TRAP_KIND_COUNT] = {
    "stack-overflow: the call stack is exhausted",
    "memory-out-of-bounds: an access outside of memory",
    "heap-misaligned: an atomic access at a misaligned address",
    "table-out-of-bounds: an access outside of a table",
    "indirect-call-null: an indirect call of an element that is not set",
    "bad-signature: an indirect call of a function with another signature",
    "integer-overflow: an integer overflow",
    "integer-division-by-zero: an integer division by zero",
    "bad-conversion: a number that does not fit an integer",
    "unreachable: an unreachable instruction was executed",
    "interrupt: the guest was interrupted"};

/* What the engines say, most of it the words of the specification's own tests. The first that fits counts. */
static const struct {
  const char *words;
  uint32_t kind;
} known[] = {{"stack exhausted", WN_TRAP_KIND_STACK},
             {"stack overflow", WN_TRAP_KIND_STACK},
             {"out of bounds memory", WN_TRAP_KIND_MEMORY},
             {"misaligned", WN_TRAP_KIND_ALIGN},
             {"unaligned atomic", WN_TRAP_KIND_ALIGN},
             {"undefined element", WN_TRAP_KIND_TABLE},
             {"out of bounds table", WN_TRAP_KIND_TABLE},
             {"uninitialized element", WN_TRAP_KIND_NULL},
             {"null table element", WN_TRAP_KIND_NULL},
             {"indirect call type mismatch", WN_TRAP_KIND_SIGNATURE},
             {"integer overflow", WN_TRAP_KIND_OVERFLOW},
             {"divide by zero", WN_TRAP_KIND_DIVISION},
             {"conversion to integer", WN_TRAP_KIND_CONVERSION},
             {"unreachable", WN_TRAP_KIND_UNREACHABLE}};

const char *wn_trap_text(uint32_t kind) {
  return kind < WN_TRAP_KIND_COUNT ? texts[kind] : "trap: the engine stopped the guest";
}

static bool contains(wn_str_t text, const char *words) {
  size_t n = strlen(words);
  for (size_t i = 0; i + n <= text.len; i++) {
    if (memcmp(text.ptr + i, words, n) == 0) return true;
  }
  return false;
}

uint32_t wn_trap_find(wn_str_t words) {
  while (words.len && (words.ptr[words.len - 1] == 0 || words.ptr[words.len - 1] == '\n')) words.len--;
  size_t start = words.len;
  while (start && words.ptr[start - 1] != '\n') start--;
  const wn_str_t last = {words.ptr + start, words.len - start};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (contains(last, known[i].words)) return known[i].kind;
  }
  return WN_TRAP_KIND_COUNT;
}

/* Of a tree of components, the one that ended first tells. */
static const wn_message_t *told_before(const wn_guest_t *guest, wn_err_t err) {
  const wn_message_t *told = guest->comp ? &guest->comp->tree->trap : NULL;
  return told && told->err == err && told->text[0] ? told : NULL;
}

size_t wn_trap_begin(wn_message_t *message, const wn_guest_t *guest, wn_err_t err, uint32_t kind) {
  if (!message) return 0;
  const wn_message_t *told = told_before(guest, err);
  message->err = err;
  if (told == message) return strlen(message->text);
  if (told) return wn_message_append_text(message, 0, told->text);
  if (err == WN_TRAP_ENGINE) return wn_message_append_text(message, 0, wn_trap_text(kind));
  wn_message_verdict(message, err, guest->end.reason);
  return strlen(message->text);
}
