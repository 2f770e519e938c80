/* cli.c - wasi:cli: what a command is given, and its end. */
#include "core/p2/codec.h"

/* String `index` of those that preview 1 gives, too. */
static wn_str_t string(const wn_strings_t *all, uint32_t index) {
  const char *text = all->bytes + all->starts[index];
  return (wn_str_t){text, strlen(text)};
}

/* Give the environment: pairs of name and value.
 * POSIX: environ(7).
 * Errnos: none.
 * Spec: wasi:cli/environment, get-environment. */
wn_err_t wn_p2_cli_get_environment(wn_guest_t *guest, uint32_t ret) {
  const wn_strings_t *env = &guest->sys->env;
  uint32_t at = 0;
  wn_err_t err = wn_p2_put_list(guest, ret, env->count, WN_P2_CLI_TUPLE_STRING_STRING_SIZEOF,
                                WN_P2_CLI_TUPLE_STRING_STRING_ALIGNOF, &at);
  for (uint32_t i = 0; i < env->count && !err; i++, at += WN_P2_CLI_TUPLE_STRING_STRING_SIZEOF) {
    wn_str_t text = string(env, i);
    const char *value = memchr(text.ptr, '=', text.len);
    size_t name = value ? (size_t)(value - text.ptr) : text.len, skipped = value ? name + 1 : name;
    err = wn_p2_put_string(guest, at + WN_P2_CLI_TUPLE_STRING_STRING_0, text.ptr, name);
    if (err) return err;
    err = wn_p2_put_string(guest, at + WN_P2_CLI_TUPLE_STRING_STRING_1, text.ptr + skipped, text.len - skipped);
  }
  return err;
}

/* Give the arguments, the program's name first.
 * POSIX: argv of main().
 * Errnos: none.
 * Spec: wasi:cli/environment, get-arguments. */
wn_err_t wn_p2_cli_get_arguments(wn_guest_t *guest, uint32_t ret) {
  const wn_strings_t *args = &guest->sys->args;
  uint32_t at = 0;
  wn_err_t err = wn_p2_put_list(guest, ret, args->count, 8, 4, &at);
  for (uint32_t i = 0; i < args->count && !err; i++, at += 8) {
    wn_str_t text = string(args, i);
    err = wn_p2_put_string(guest, at, text.ptr, text.len);
  }
  return err;
}

/* Give the directory that relative paths start from: none, for a guest stands in no place of the host.
 * POSIX: getcwd(3).
 * Errnos: none.
 * Spec: wasi:cli/environment, initial-cwd. */
wn_err_t wn_p2_cli_initial_cwd(wn_guest_t *guest, uint32_t ret) { return wn_p2_put8(guest, ret, 0); }

static wn_err_t leave(wn_guest_t *guest, uint32_t code) {
  if (!guest->end.err) guest->end.exit_code = code;
  return WN_EXIT;
}

/* End the guest: with 0 after ok, with 1 after an error.
 * POSIX: _exit(2).
 * Errnos: none, it does not return.
 * Spec: wasi:cli/exit, exit. */
wn_err_t wn_p2_cli_exit(wn_guest_t *guest, uint32_t status) { return leave(guest, status); }

/* End the guest with a code.
 * POSIX: _exit(2).
 * Errnos: none, it does not return.
 * Spec: wasi:cli/exit, exit-with-code. */
wn_err_t wn_p2_cli_exit_with_code(wn_guest_t *guest, uint32_t status_code) { return leave(guest, status_code); }

/* A stream over descriptor 0, 1 or 2, which stays where it is when the stream is dropped. */
static wn_err_t stream(wn_guest_t *guest, wn_res_kind_t kind, const wn_rt_t *rt, uint32_t fd, uint32_t *result) {
  wn_res_t *made;
  wn_err_t err = wn_stream_new(guest->sys, kind, fd, false, &made);
  return err ? err : wn_p2_own(guest, rt, made, result);
}

/* Give the standard input.
 * POSIX: descriptor 0.
 * Errnos: none; one that was closed is a closed stream.
 * Spec: wasi:cli/stdin, get-stdin. */
wn_err_t wn_p2_cli_get_stdin(wn_guest_t *guest, uint32_t *result) {
  return stream(guest, WN_RES_INPUT_STREAM, &wn_p2_rt_input_stream, 0, result);
}

/* Give the standard output.
 * POSIX: descriptor 1.
 * Errnos: none; one that was closed is a closed stream.
 * Spec: wasi:cli/stdout, get-stdout. */
wn_err_t wn_p2_cli_get_stdout(wn_guest_t *guest, uint32_t *result) {
  return stream(guest, WN_RES_OUTPUT_STREAM, &wn_p2_rt_output_stream, 1, result);
}

/* Give the standard error.
 * POSIX: descriptor 2.
 * Errnos: none; one that was closed is a closed stream.
 * Spec: wasi:cli/stderr, get-stderr. */
wn_err_t wn_p2_cli_get_stderr(wn_guest_t *guest, uint32_t *result) {
  return stream(guest, WN_RES_OUTPUT_STREAM, &wn_p2_rt_output_stream, 2, result);
}

/* Whether a program of preview 1 would take it for one: a character device that cannot be sought. */
static bool is_terminal(const wn_guest_t *guest, uint32_t fd) {
  wn_desc_t *d;
  if (wn_table_get(&guest->sys->table, fd, 0, &d)) return false;
  return d->obj->type == WN_TYPE_CHARACTER && !(d->rights & (WN_RIGHT_FD_SEEK | WN_RIGHT_FD_TELL));
}

/* An option<terminal>: a handle that stands for nothing more than itself. */
static wn_err_t terminal(wn_guest_t *guest, wn_res_kind_t kind, const wn_rt_t *rt, uint32_t fd, uint32_t ret) {
  wn_res_t *made;
  bool some = is_terminal(guest, fd);
  wn_err_t err = wn_p2_put8(guest, ret, some);
  if (err || !some) return err;
  if ((err = wn_res_new(guest->sys, kind, &made))) return err;
  return wn_p2_put_own(guest, ret + WN_P2_CLI_OPTION_TERMINAL_INPUT_SOME, rt, made);
}

/* Give a terminal where the standard input is one.
 * POSIX: isatty(3) of descriptor 0.
 * Errnos: none.
 * Spec: wasi:cli/terminal-stdin, get-terminal-stdin. */
wn_err_t wn_p2_cli_get_terminal_stdin(wn_guest_t *guest, uint32_t ret) {
  return terminal(guest, WN_RES_TERMINAL_INPUT, &wn_p2_rt_terminal_input, 0, ret);
}

/* Give a terminal where the standard output is one.
 * POSIX: isatty(3) of descriptor 1.
 * Errnos: none.
 * Spec: wasi:cli/terminal-stdout, get-terminal-stdout. */
wn_err_t wn_p2_cli_get_terminal_stdout(wn_guest_t *guest, uint32_t ret) {
  return terminal(guest, WN_RES_TERMINAL_OUTPUT, &wn_p2_rt_terminal_output, 1, ret);
}

/* Give a terminal where the standard error is one.
 * POSIX: isatty(3) of descriptor 2.
 * Errnos: none.
 * Spec: wasi:cli/terminal-stderr, get-terminal-stderr. */
wn_err_t wn_p2_cli_get_terminal_stderr(wn_guest_t *guest, uint32_t ret) {
  return terminal(guest, WN_RES_TERMINAL_OUTPUT, &wn_p2_rt_terminal_output, 2, ret);
}
