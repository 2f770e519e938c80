/* wasmtime_trap.c - what the engine says when something fails, as our verdicts and messages. */
#include <string.h>

#include "core/engine/trap.h"
#include "core/engine/wasmtime.h"

enum { OUT_OF_FUEL = 11, OUT_OF_FUEL_BEFORE = 12 }; /* its number in newer versions, and in older ones */

/* A name from the module: what is no letter of a line becomes '?', so that it cannot look like another frame. */
static size_t append_name(wn_message_t *message, size_t len, const wt_bytes_t *name) {
  for (size_t i = 0; i < name->size; i++) {
    const unsigned char c = (unsigned char)name->data[i];
    len = wn_message_append(message, len, (wn_str_t){c < 0x20 || c == 0x7f ? "?" : name->data + i, 1});
  }
  return len;
}

/* One line per frame, innermost first: "  name (module) @ 0xoffset". */
static void append_frames(const wt_api_t *api, wn_message_t *message, size_t len, wt_vec_t *frames) {
  for (size_t i = 0; i < frames->size; i++) {
    const wt_opaque_t *frame = frames->data[i];
    const wt_bytes_t *name = api->wasmtime_frame_func_name(frame);
    len = wn_message_append_text(message, len, "\n  ");
    if (name && name->size) {
      len = append_name(message, len, name);
    } else {
      len = wn_message_append_text(message, len, "function ");
      len = wn_message_append_number(message, len, api->wasm_frame_func_index(frame), 10);
    }
    const wt_bytes_t *module = api->wasmtime_frame_module_name(frame);
    if (module && module->size) {
      len = wn_message_append_text(message, len, " (");
      len = append_name(message, len, module);
      len = wn_message_append_text(message, len, ")");
    }
    len = wn_message_append_text(message, len, " @ 0x");
    len = wn_message_append_number(message, len, api->wasm_frame_module_offset(frame), 16);
  }
  api->wasm_frame_vec_delete(frames);
}

wn_err_t wt_error_take(const wt_api_t *api, wt_opaque_t *error, wn_err_t err, wn_message_t *message) {
  wt_bytes_t text;
  api->wasmtime_error_message(error, &text);
  if (message) {
    message->err = err;
    wn_message_append(message, 0, (wn_str_t){text.data, text.size});
    size_t len = strlen(message->text);
    wt_vec_t frames;
    api->wasmtime_error_wasm_trace(error, &frames);
    append_frames(api, message, len, &frames);
  }
  api->wasm_byte_vec_delete(&text);
  api->wasmtime_error_delete(error);
  return err;
}

/* What unwound the guest: its verdict stands already, and the engine's words for it are ours or say less. */
wn_err_t wt_unwound_take(wt_guest_t *in, wt_opaque_t *error, wn_message_t *message) {
  const wt_api_t *api = in->api;
  wn_err_t err = in->head.guest.end.err;
  if (!err) return wt_error_take(api, error, wn_guest_end(&in->head.guest, WN_TRAP_ENGINE), message);
  size_t len = wn_trap_begin(message, &in->head.guest, err, WN_TRAP_KIND_COUNT);
  wt_vec_t frames;
  api->wasmtime_error_wasm_trace(error, &frames);
  append_frames(api, message, len, &frames);
  api->wasmtime_error_delete(error);
  return err;
}

/* Numbers alone do not say it: 12 is another trap in newer versions. */
static bool out_of_fuel(wt_guest_t *in, uint8_t code) {
  if (code != OUT_OF_FUEL && code != OUT_OF_FUEL_BEFORE) return false;
  uint64_t left = 0;
  wt_opaque_t *error = in->api->wasmtime_context_get_fuel(in->context, &left);
  if (error) in->api->wasmtime_error_delete(error); /* it is not counted */
  return !error && left == 0;
}

/* A trap of the engine: "kind: text" and its frames. The verdict of a host call that unwound stands already. */
wn_err_t wt_trap_take(wt_guest_t *in, wt_opaque_t *trap, wn_message_t *message) {
  const wt_api_t *api = in->api;
  uint8_t code = 0xff;
  bool known = api->wasmtime_trap_code(trap, &code);
  wn_err_t err = in->head.guest.end.err;
  if (!err && known && out_of_fuel(in, code)) {
    err = in->head.guest.end.err = WN_LIMIT;
    in->head.guest.end.limit = "fuel";
  }
  if (!err) err = wn_guest_end(&in->head.guest, WN_TRAP_ENGINE);
  size_t len = wn_trap_begin(message, &in->head.guest, err, known ? code : WN_TRAP_KIND_COUNT);
  wt_vec_t frames;
  api->wasm_trap_trace(trap, &frames);
  append_frames(api, message, len, &frames);
  api->wasm_trap_delete(trap);
  return err;
}
