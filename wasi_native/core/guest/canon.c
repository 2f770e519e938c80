/* canon.c - a guest of the component model: the rules it breaks, and its own allocator in a call of ours. */
#include "core/guest/handle.h"
#include "core/sys/state.h"

wn_err_t wn_guest_trap(wn_guest_t *guest, const char *reason) {
  if (!guest->end.err) guest->end.reason = reason;
  return wn_guest_end(guest, WN_TRAP_CANON);
}

/* The text with `word` in place of its mark ("%u"); cut where there is no room. */
static void put(char *out, size_t cap, const char *format, const char *mark, const char *word) {
  size_t len = 0;
  while (*format && len + 1 < cap) {
    if (format[0] != mark[0] || format[1] != mark[1]) {
      out[len++] = *format++;
      continue;
    }
    format += 2;
    while (*word && len + 1 < cap) out[len++] = *word++;
  }
  out[len] = 0;
}

wn_err_t wn_guest_trap_number(wn_guest_t *guest, const char *format, uint32_t number) {
  char digits[11];
  size_t at = sizeof digits - 1;
  digits[at] = 0;
  do digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  if (!guest->end.err) put(guest->reason, sizeof guest->reason, format, "%u", digits + at);
  return wn_guest_trap(guest, guest->reason);
}

wn_err_t wn_guest_trap_name(wn_guest_t *guest, const char *format, const char *name) {
  if (!guest->end.err) put(guest->reason, sizeof guest->reason, format, "%s", name);
  return wn_guest_trap(guest, guest->reason);
}

wn_err_t wn_guest_end_as(wn_guest_t *guest, const wn_end_t *end) {
  if (!guest->end.err) {
    guest->end = *end;
    if (end->reason) { /* the other one may be gone earlier */
      put(guest->reason, sizeof guest->reason, end->reason, "", "");
      guest->end.reason = guest->reason;
    }
  }
  return end->err;
}

wn_err_t wn_guest_may_leave(wn_guest_t *guest) {
  return WN_LIKELY(guest->comp->may_leave) ? 0 : wn_guest_trap(guest, "cannot leave component instance");
}

wn_mem_t wn_opts_memory(const wn_canon_opts_t *opts) {
  return opts->memory.instance ? opts->memory.span(&opts->memory) : (wn_mem_t){NULL, 0};
}

wn_err_t wn_opts_realloc(wn_guest_t *guest, const wn_canon_opts_t *opts, uint32_t old, uint32_t old_size,
                         uint32_t align, uint32_t size, uint32_t *ptr, wn_mem_t *mem) {
  if (!opts->realloc.instance) return wn_guest_trap(guest, "the guest has no realloc function (cabi_realloc)");
  wn_value_t values[4] = {old, old_size, align, size};
  wn_comp_t *comp = opts->comp;
  const bool may_leave = comp->may_leave;
  comp->may_leave = false;
  wn_err_t err = wn_func_call(&opts->realloc, values, &comp->tree->trap);
  if (WN_UNLIKELY(err != 0)) {
    const wn_guest_t *callee = wn_instance_guest(opts->realloc.instance);
    return callee->end.err ? wn_guest_end_as(guest, &callee->end) : wn_guest_end(guest, err);
  }
  comp->may_leave = may_leave;
  *mem = wn_opts_memory(opts);
  *ptr = (uint32_t)values[0];
  if (WN_UNLIKELY(*ptr & (align - 1))) return wn_guest_trap(guest, "realloc return: result not aligned");
  if (WN_UNLIKELY((uint64_t)*ptr + size > mem->size))
    return wn_guest_trap(guest, "realloc return: beyond end of memory");
  return 0;
}

wn_err_t wn_guest_realloc(wn_guest_t *guest, uint32_t align, uint32_t size, uint32_t *ptr) {
  const wn_canon_opts_t *opts = guest->opts;
  wn_mem_t mem;
  /* Calls of the realloc function change what the call under way is: it is put back behind them. A span that is
   * forgotten is read anew, also where another guest's memory has the same size. */
  guest->mem = (wn_mem_t){NULL, 0};
  wn_err_t err = wn_opts_realloc(guest, opts, 0, 0, align, size, ptr, &mem);
  if (err) return err;
  guest->mem = mem;
  return 0;
}
