/* err.c - names and sentences for errnos and verdicts, from errno.def. */
#include "wasi_native/base.h"

typedef struct words {
  const char *name, *text;
} words_t;

static const words_t errnos[] = {
#define WN_ERRNO(name, number, host, p2, text) [number] = {#name, text},
#include "wasi_native/errno.def"
#undef WN_ERRNO
};

static const words_t verdicts[] = {
    [-WN_EXIT] = {"exit", "the guest has exited"},
    [-WN_TRAP_BOUNDS] = {"trap-bounds", "a pointer of the guest leads outside its memory"},
    [-WN_TRAP_ALIGN] = {"trap-align", "a pointer of the guest is misaligned"},
    [-WN_TRAP_ENGINE] = {"trap", "the guest trapped"},
    [-WN_HOST] = {"host", "a callback of the host failed"},
    [-WN_CANCELLED] = {"cancelled", "the guest was cancelled"},
    [-WN_TIMEOUT] = {"timeout", "the deadline of the call passed"},
    [-WN_LIMIT] = {"limit", "the guest exceeded a limit"},
    [-WN_NOMEM] = {"no-memory", "the host is out of memory"},
    [-WN_INVALID] = {"invalid", "the module, the argument or the call is not valid"},
    [-WN_LINK] = {"link", "the module imports what nothing provides"},
    [-WN_MISSING] = {"missing", "no such engine, export or file"},
    [-WN_TRAP_CANON] = {"trap-canon", "a component broke a rule of the Canonical ABI"},
};

static const words_t unknown = {"unknown", "unknown error"};

static const words_t *look_up(wn_err_t err) {
  const words_t *words = &unknown;
  if (err >= 0 && (size_t)err < sizeof errnos / sizeof *errnos) words = &errnos[err];
  if (err < 0 && err >= WN_TRAP_CANON) words = &verdicts[-err];
  return words->name ? words : &unknown;
}

const char *wn_err_name(wn_err_t err) { return look_up(err)->name; }

const char *wn_err_text(wn_err_t err) { return look_up(err)->text; }
