/* trap.h - how a guest's trap is told, whatever engine it happened on: "kind: text", then one line per frame. */
#ifndef WN_CORE_TRAP_H
#define WN_CORE_TRAP_H

#include "core/engine/adapter.h"

/* The numbers are those of wasmtime's trap codes. */
enum {
  WN_TRAP_KIND_STACK = 0,
  WN_TRAP_KIND_MEMORY = 1,
  WN_TRAP_KIND_ALIGN = 2,
  WN_TRAP_KIND_TABLE = 3,
  WN_TRAP_KIND_NULL = 4,
  WN_TRAP_KIND_SIGNATURE = 5,
  WN_TRAP_KIND_OVERFLOW = 6,
  WN_TRAP_KIND_DIVISION = 7,
  WN_TRAP_KIND_CONVERSION = 8,
  WN_TRAP_KIND_UNREACHABLE = 9,
  WN_TRAP_KIND_INTERRUPT = 10,
  WN_TRAP_KIND_COUNT = 11 /* and above: a trap that has no name */
};

/* "unreachable: an unreachable instruction was executed". */
const char *wn_trap_text(uint32_t kind);
/* The kind that an engine's own words mean, by their last line. The names of the guest's functions, which some
 * engines put into their messages, are before it. */
uint32_t wn_trap_find(wn_str_t words);

/* The first line: the trap's text, or, when a host call had ended the guest already, that verdict. Sets err. Of a
 * guest in a component, all that was told of the one that it had called and that trapped. */
size_t wn_trap_begin(wn_message_t *message, const wn_guest_t *guest, wn_err_t err, uint32_t kind);

#endif
