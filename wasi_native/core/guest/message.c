/* message.c - what is told to the embedder: text without printf, cut where there is no room. */
#include "core/guest/guest.h"

size_t wn_message_append(wn_message_t *message, size_t len, wn_str_t text) {
  if (!message) return len;
  size_t room = sizeof message->text - 1 - len;
  if (text.len > room) text.len = room;
  memcpy(message->text + len, text.ptr, text.len);
  message->text[len + text.len] = 0;
  return len + text.len;
}

size_t wn_message_append_text(wn_message_t *message, size_t len, const char *text) {
  return wn_message_append(message, len, (wn_str_t){text, strlen(text)});
}

size_t wn_message_append_number(wn_message_t *message, size_t len, uint64_t n, uint32_t base) {
  char digits[24];
  size_t at = sizeof digits;
  do {
    digits[--at] = "0123456789abcdef"[n % base];
    n /= base;
  } while (n);
  return wn_message_append(message, len, (wn_str_t){digits + at, sizeof digits - at});
}

wn_err_t wn_message_say(wn_message_t *message, wn_err_t err, const char *text) {
  if (message) message->err = err;
  wn_message_append_text(message, 0, text);
  return err;
}

void wn_message_verdict(wn_message_t *message, wn_err_t err, const char *reason) {
  if (!message) return;
  message->err = err;
  size_t len = wn_message_append_text(message, 0, wn_err_name(err));
  len = wn_message_append_text(message, len, ": ");
  wn_message_append_text(message, len, reason ? reason : wn_err_text(err));
}
