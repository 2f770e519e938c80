/* rows.gen.h - made by abi/generate.py from abi/p2.rows. Do not edit: change the rows.
 *
 * Every file here sees the handlers, the numbers of cases and labels, sizes and offsets in guest memory;
 * p2.c defines WN_P2_TABLE too.
 *
 * A handler is called when its return area, its handles and its cases are good. It answers 0, a verdict,
 * or where its result is a `result` an errno, which becomes that error. `ret` is where the value goes, of
 * a `result` the payload of ok; the discriminant is written behind the handler. */
/* clang-format off */
#ifndef WN_CORE_P2_ROWS_GEN_H
#define WN_CORE_P2_ROWS_GEN_H

#include "core/p2/call.h"

enum { WN_P2_IO_STREAM_ERROR_LAST_OPERATION_FAILED = 0, WN_P2_IO_STREAM_ERROR_CLOSED = 1,
       WN_P2_IO_STREAM_ERROR_PAYLOAD = 4, WN_P2_IO_STREAM_ERROR_SIZEOF = 8, WN_P2_IO_STREAM_ERROR_ALIGNOF = 4 };
enum { WN_P2_CLOCKS_DATETIME_SECONDS = 0, WN_P2_CLOCKS_DATETIME_NANOSECONDS = 8, WN_P2_CLOCKS_DATETIME_SIZEOF = 16,
       WN_P2_CLOCKS_DATETIME_ALIGNOF = 8 };
enum { WN_P2_CLOCKS_TIMEZONE_DISPLAY_UTC_OFFSET = 0, WN_P2_CLOCKS_TIMEZONE_DISPLAY_NAME = 4,
       WN_P2_CLOCKS_TIMEZONE_DISPLAY_IN_DAYLIGHT_SAVING_TIME = 12, WN_P2_CLOCKS_TIMEZONE_DISPLAY_SIZEOF = 16,
       WN_P2_CLOCKS_TIMEZONE_DISPLAY_ALIGNOF = 4 };
enum { WN_P2_RANDOM_TUPLE_U64_U64_0 = 0, WN_P2_RANDOM_TUPLE_U64_U64_1 = 8, WN_P2_RANDOM_TUPLE_U64_U64_SIZEOF = 16,
       WN_P2_RANDOM_TUPLE_U64_U64_ALIGNOF = 8 };
enum { WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_UNKNOWN = 0, WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_BLOCK_DEVICE = 1,
       WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_CHARACTER_DEVICE = 2, WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_DIRECTORY = 3,
       WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_FIFO = 4, WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_SYMBOLIC_LINK = 5,
       WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_REGULAR_FILE = 6, WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_SOCKET = 7 };
enum { WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_READ = 1, WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_WRITE = 2,
       WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_FILE_INTEGRITY_SYNC = 4,
       WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_DATA_INTEGRITY_SYNC = 8,
       WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_REQUESTED_WRITE_SYNC = 16,
       WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_MUTATE_DIRECTORY = 32, WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_ALL = 63 };
enum { WN_P2_FILESYSTEM_DESCRIPTOR_STAT_TYPE = 0, WN_P2_FILESYSTEM_DESCRIPTOR_STAT_LINK_COUNT = 8,
       WN_P2_FILESYSTEM_DESCRIPTOR_STAT_SIZE = 16, WN_P2_FILESYSTEM_DESCRIPTOR_STAT_DATA_ACCESS_TIMESTAMP = 24,
       WN_P2_FILESYSTEM_DESCRIPTOR_STAT_DATA_MODIFICATION_TIMESTAMP = 48,
       WN_P2_FILESYSTEM_DESCRIPTOR_STAT_STATUS_CHANGE_TIMESTAMP = 72, WN_P2_FILESYSTEM_DESCRIPTOR_STAT_SIZEOF = 96,
       WN_P2_FILESYSTEM_DESCRIPTOR_STAT_ALIGNOF = 8 };
enum { WN_P2_FILESYSTEM_OPTION_DATETIME_SOME = 8, WN_P2_FILESYSTEM_OPTION_DATETIME_SIZEOF = 24,
       WN_P2_FILESYSTEM_OPTION_DATETIME_ALIGNOF = 8 };
enum { WN_P2_FILESYSTEM_PATH_FLAGS_SYMLINK_FOLLOW = 1, WN_P2_FILESYSTEM_PATH_FLAGS_ALL = 1 };
enum { WN_P2_FILESYSTEM_OPEN_FLAGS_CREATE = 1, WN_P2_FILESYSTEM_OPEN_FLAGS_DIRECTORY = 2,
       WN_P2_FILESYSTEM_OPEN_FLAGS_EXCLUSIVE = 4, WN_P2_FILESYSTEM_OPEN_FLAGS_TRUNCATE = 8,
       WN_P2_FILESYSTEM_OPEN_FLAGS_ALL = 15 };
enum { WN_P2_FILESYSTEM_NEW_TIMESTAMP_NO_CHANGE = 0, WN_P2_FILESYSTEM_NEW_TIMESTAMP_NOW = 1,
       WN_P2_FILESYSTEM_NEW_TIMESTAMP_TIMESTAMP = 2, WN_P2_FILESYSTEM_NEW_TIMESTAMP_PAYLOAD = 8,
       WN_P2_FILESYSTEM_NEW_TIMESTAMP_SIZEOF = 24, WN_P2_FILESYSTEM_NEW_TIMESTAMP_ALIGNOF = 8 };
enum { WN_P2_FILESYSTEM_DIRECTORY_ENTRY_TYPE = 0, WN_P2_FILESYSTEM_DIRECTORY_ENTRY_NAME = 4,
       WN_P2_FILESYSTEM_DIRECTORY_ENTRY_SIZEOF = 12, WN_P2_FILESYSTEM_DIRECTORY_ENTRY_ALIGNOF = 4 };
enum { WN_P2_FILESYSTEM_ERROR_CODE_ACCESS = 0, WN_P2_FILESYSTEM_ERROR_CODE_WOULD_BLOCK = 1,
       WN_P2_FILESYSTEM_ERROR_CODE_ALREADY = 2, WN_P2_FILESYSTEM_ERROR_CODE_BAD_DESCRIPTOR = 3,
       WN_P2_FILESYSTEM_ERROR_CODE_BUSY = 4, WN_P2_FILESYSTEM_ERROR_CODE_DEADLOCK = 5,
       WN_P2_FILESYSTEM_ERROR_CODE_QUOTA = 6, WN_P2_FILESYSTEM_ERROR_CODE_EXIST = 7,
       WN_P2_FILESYSTEM_ERROR_CODE_FILE_TOO_LARGE = 8, WN_P2_FILESYSTEM_ERROR_CODE_ILLEGAL_BYTE_SEQUENCE = 9,
       WN_P2_FILESYSTEM_ERROR_CODE_IN_PROGRESS = 10, WN_P2_FILESYSTEM_ERROR_CODE_INTERRUPTED = 11,
       WN_P2_FILESYSTEM_ERROR_CODE_INVALID = 12, WN_P2_FILESYSTEM_ERROR_CODE_IO = 13,
       WN_P2_FILESYSTEM_ERROR_CODE_IS_DIRECTORY = 14, WN_P2_FILESYSTEM_ERROR_CODE_LOOP = 15,
       WN_P2_FILESYSTEM_ERROR_CODE_TOO_MANY_LINKS = 16, WN_P2_FILESYSTEM_ERROR_CODE_MESSAGE_SIZE = 17,
       WN_P2_FILESYSTEM_ERROR_CODE_NAME_TOO_LONG = 18, WN_P2_FILESYSTEM_ERROR_CODE_NO_DEVICE = 19,
       WN_P2_FILESYSTEM_ERROR_CODE_NO_ENTRY = 20, WN_P2_FILESYSTEM_ERROR_CODE_NO_LOCK = 21,
       WN_P2_FILESYSTEM_ERROR_CODE_INSUFFICIENT_MEMORY = 22, WN_P2_FILESYSTEM_ERROR_CODE_INSUFFICIENT_SPACE = 23,
       WN_P2_FILESYSTEM_ERROR_CODE_NOT_DIRECTORY = 24, WN_P2_FILESYSTEM_ERROR_CODE_NOT_EMPTY = 25,
       WN_P2_FILESYSTEM_ERROR_CODE_NOT_RECOVERABLE = 26, WN_P2_FILESYSTEM_ERROR_CODE_UNSUPPORTED = 27,
       WN_P2_FILESYSTEM_ERROR_CODE_NO_TTY = 28, WN_P2_FILESYSTEM_ERROR_CODE_NO_SUCH_DEVICE = 29,
       WN_P2_FILESYSTEM_ERROR_CODE_OVERFLOW = 30, WN_P2_FILESYSTEM_ERROR_CODE_NOT_PERMITTED = 31,
       WN_P2_FILESYSTEM_ERROR_CODE_PIPE = 32, WN_P2_FILESYSTEM_ERROR_CODE_READ_ONLY = 33,
       WN_P2_FILESYSTEM_ERROR_CODE_INVALID_SEEK = 34, WN_P2_FILESYSTEM_ERROR_CODE_TEXT_FILE_BUSY = 35,
       WN_P2_FILESYSTEM_ERROR_CODE_CROSS_DEVICE = 36 };
enum { WN_P2_FILESYSTEM_ADVICE_NORMAL = 0, WN_P2_FILESYSTEM_ADVICE_SEQUENTIAL = 1, WN_P2_FILESYSTEM_ADVICE_RANDOM = 2,
       WN_P2_FILESYSTEM_ADVICE_WILL_NEED = 3, WN_P2_FILESYSTEM_ADVICE_DONT_NEED = 4,
       WN_P2_FILESYSTEM_ADVICE_NO_REUSE = 5 };
enum { WN_P2_FILESYSTEM_METADATA_HASH_VALUE_LOWER = 0, WN_P2_FILESYSTEM_METADATA_HASH_VALUE_UPPER = 8,
       WN_P2_FILESYSTEM_METADATA_HASH_VALUE_SIZEOF = 16, WN_P2_FILESYSTEM_METADATA_HASH_VALUE_ALIGNOF = 8 };
enum { WN_P2_FILESYSTEM_TUPLE_LIST_U8_BOOL_0 = 0, WN_P2_FILESYSTEM_TUPLE_LIST_U8_BOOL_1 = 8,
       WN_P2_FILESYSTEM_TUPLE_LIST_U8_BOOL_SIZEOF = 12, WN_P2_FILESYSTEM_TUPLE_LIST_U8_BOOL_ALIGNOF = 4 };
enum { WN_P2_FILESYSTEM_OPTION_DIRECTORY_ENTRY_SOME = 4, WN_P2_FILESYSTEM_OPTION_DIRECTORY_ENTRY_SIZEOF = 16,
       WN_P2_FILESYSTEM_OPTION_DIRECTORY_ENTRY_ALIGNOF = 4 };
enum { WN_P2_FILESYSTEM_OPTION_ERROR_CODE_SOME = 1, WN_P2_FILESYSTEM_OPTION_ERROR_CODE_SIZEOF = 2,
       WN_P2_FILESYSTEM_OPTION_ERROR_CODE_ALIGNOF = 1 };
enum { WN_P2_FILESYSTEM_TUPLE_DESCRIPTOR_STRING_0 = 0, WN_P2_FILESYSTEM_TUPLE_DESCRIPTOR_STRING_1 = 4,
       WN_P2_FILESYSTEM_TUPLE_DESCRIPTOR_STRING_SIZEOF = 12, WN_P2_FILESYSTEM_TUPLE_DESCRIPTOR_STRING_ALIGNOF = 4 };
enum { WN_P2_SOCKETS_ERROR_CODE_UNKNOWN = 0, WN_P2_SOCKETS_ERROR_CODE_ACCESS_DENIED = 1,
       WN_P2_SOCKETS_ERROR_CODE_NOT_SUPPORTED = 2, WN_P2_SOCKETS_ERROR_CODE_INVALID_ARGUMENT = 3,
       WN_P2_SOCKETS_ERROR_CODE_OUT_OF_MEMORY = 4, WN_P2_SOCKETS_ERROR_CODE_TIMEOUT = 5,
       WN_P2_SOCKETS_ERROR_CODE_CONCURRENCY_CONFLICT = 6, WN_P2_SOCKETS_ERROR_CODE_NOT_IN_PROGRESS = 7,
       WN_P2_SOCKETS_ERROR_CODE_WOULD_BLOCK = 8, WN_P2_SOCKETS_ERROR_CODE_INVALID_STATE = 9,
       WN_P2_SOCKETS_ERROR_CODE_NEW_SOCKET_LIMIT = 10, WN_P2_SOCKETS_ERROR_CODE_ADDRESS_NOT_BINDABLE = 11,
       WN_P2_SOCKETS_ERROR_CODE_ADDRESS_IN_USE = 12, WN_P2_SOCKETS_ERROR_CODE_REMOTE_UNREACHABLE = 13,
       WN_P2_SOCKETS_ERROR_CODE_CONNECTION_REFUSED = 14, WN_P2_SOCKETS_ERROR_CODE_CONNECTION_RESET = 15,
       WN_P2_SOCKETS_ERROR_CODE_CONNECTION_ABORTED = 16, WN_P2_SOCKETS_ERROR_CODE_DATAGRAM_TOO_LARGE = 17,
       WN_P2_SOCKETS_ERROR_CODE_NAME_UNRESOLVABLE = 18, WN_P2_SOCKETS_ERROR_CODE_TEMPORARY_RESOLVER_FAILURE = 19,
       WN_P2_SOCKETS_ERROR_CODE_PERMANENT_RESOLVER_FAILURE = 20 };
enum { WN_P2_SOCKETS_IP_ADDRESS_FAMILY_IPV4 = 0, WN_P2_SOCKETS_IP_ADDRESS_FAMILY_IPV6 = 1 };
enum { WN_P2_SOCKETS_IPV4_ADDRESS_0 = 0, WN_P2_SOCKETS_IPV4_ADDRESS_1 = 1, WN_P2_SOCKETS_IPV4_ADDRESS_2 = 2,
       WN_P2_SOCKETS_IPV4_ADDRESS_3 = 3, WN_P2_SOCKETS_IPV4_ADDRESS_SIZEOF = 4,
       WN_P2_SOCKETS_IPV4_ADDRESS_ALIGNOF = 1 };
enum { WN_P2_SOCKETS_IPV6_ADDRESS_0 = 0, WN_P2_SOCKETS_IPV6_ADDRESS_1 = 2, WN_P2_SOCKETS_IPV6_ADDRESS_2 = 4,
       WN_P2_SOCKETS_IPV6_ADDRESS_3 = 6, WN_P2_SOCKETS_IPV6_ADDRESS_4 = 8, WN_P2_SOCKETS_IPV6_ADDRESS_5 = 10,
       WN_P2_SOCKETS_IPV6_ADDRESS_6 = 12, WN_P2_SOCKETS_IPV6_ADDRESS_7 = 14, WN_P2_SOCKETS_IPV6_ADDRESS_SIZEOF = 16,
       WN_P2_SOCKETS_IPV6_ADDRESS_ALIGNOF = 2 };
enum { WN_P2_SOCKETS_IP_ADDRESS_IPV4 = 0, WN_P2_SOCKETS_IP_ADDRESS_IPV6 = 1, WN_P2_SOCKETS_IP_ADDRESS_PAYLOAD = 2,
       WN_P2_SOCKETS_IP_ADDRESS_SIZEOF = 18, WN_P2_SOCKETS_IP_ADDRESS_ALIGNOF = 2 };
enum { WN_P2_SOCKETS_IPV4_SOCKET_ADDRESS_PORT = 0, WN_P2_SOCKETS_IPV4_SOCKET_ADDRESS_ADDRESS = 2,
       WN_P2_SOCKETS_IPV4_SOCKET_ADDRESS_SIZEOF = 6, WN_P2_SOCKETS_IPV4_SOCKET_ADDRESS_ALIGNOF = 2 };
enum { WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_PORT = 0, WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_FLOW_INFO = 4,
       WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_ADDRESS = 8, WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_SCOPE_ID = 24,
       WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_SIZEOF = 28, WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_ALIGNOF = 4 };
enum { WN_P2_SOCKETS_IP_SOCKET_ADDRESS_IPV4 = 0, WN_P2_SOCKETS_IP_SOCKET_ADDRESS_IPV6 = 1,
       WN_P2_SOCKETS_IP_SOCKET_ADDRESS_PAYLOAD = 4, WN_P2_SOCKETS_IP_SOCKET_ADDRESS_SIZEOF = 32,
       WN_P2_SOCKETS_IP_SOCKET_ADDRESS_ALIGNOF = 4 };
enum { WN_P2_SOCKETS_SHUTDOWN_TYPE_RECEIVE = 0, WN_P2_SOCKETS_SHUTDOWN_TYPE_SEND = 1,
       WN_P2_SOCKETS_SHUTDOWN_TYPE_BOTH = 2 };
enum { WN_P2_SOCKETS_INCOMING_DATAGRAM_DATA = 0, WN_P2_SOCKETS_INCOMING_DATAGRAM_REMOTE_ADDRESS = 8,
       WN_P2_SOCKETS_INCOMING_DATAGRAM_SIZEOF = 40, WN_P2_SOCKETS_INCOMING_DATAGRAM_ALIGNOF = 4 };
enum { WN_P2_SOCKETS_OUTGOING_DATAGRAM_DATA = 0, WN_P2_SOCKETS_OUTGOING_DATAGRAM_REMOTE_ADDRESS = 8,
       WN_P2_SOCKETS_OUTGOING_DATAGRAM_SIZEOF = 44, WN_P2_SOCKETS_OUTGOING_DATAGRAM_ALIGNOF = 4 };
enum { WN_P2_SOCKETS_OPTION_IP_SOCKET_ADDRESS_SOME = 4, WN_P2_SOCKETS_OPTION_IP_SOCKET_ADDRESS_SIZEOF = 36,
       WN_P2_SOCKETS_OPTION_IP_SOCKET_ADDRESS_ALIGNOF = 4 };
enum { WN_P2_SOCKETS_OPTION_ERROR_CODE_SOME = 1, WN_P2_SOCKETS_OPTION_ERROR_CODE_SIZEOF = 2,
       WN_P2_SOCKETS_OPTION_ERROR_CODE_ALIGNOF = 1 };
enum { WN_P2_SOCKETS_OPTION_IP_ADDRESS_SOME = 2, WN_P2_SOCKETS_OPTION_IP_ADDRESS_SIZEOF = 20,
       WN_P2_SOCKETS_OPTION_IP_ADDRESS_ALIGNOF = 2 };
enum { WN_P2_SOCKETS_TUPLE_INPUT_STREAM_OUTPUT_STREAM_0 = 0, WN_P2_SOCKETS_TUPLE_INPUT_STREAM_OUTPUT_STREAM_1 = 4,
       WN_P2_SOCKETS_TUPLE_INPUT_STREAM_OUTPUT_STREAM_SIZEOF = 8,
       WN_P2_SOCKETS_TUPLE_INPUT_STREAM_OUTPUT_STREAM_ALIGNOF = 4 };
enum { WN_P2_SOCKETS_TUPLE_TCP_SOCKET_INPUT_STREAM_OUTPUT_STREAM_0 = 0,
       WN_P2_SOCKETS_TUPLE_TCP_SOCKET_INPUT_STREAM_OUTPUT_STREAM_1 = 4,
       WN_P2_SOCKETS_TUPLE_TCP_SOCKET_INPUT_STREAM_OUTPUT_STREAM_2 = 8,
       WN_P2_SOCKETS_TUPLE_TCP_SOCKET_INPUT_STREAM_OUTPUT_STREAM_SIZEOF = 12,
       WN_P2_SOCKETS_TUPLE_TCP_SOCKET_INPUT_STREAM_OUTPUT_STREAM_ALIGNOF = 4 };
enum { WN_P2_SOCKETS_TUPLE_INCOMING_DATAGRAM_STREAM_OUTGOING_DATAGRAM_STREAM_0 = 0,
       WN_P2_SOCKETS_TUPLE_INCOMING_DATAGRAM_STREAM_OUTGOING_DATAGRAM_STREAM_1 = 4,
       WN_P2_SOCKETS_TUPLE_INCOMING_DATAGRAM_STREAM_OUTGOING_DATAGRAM_STREAM_SIZEOF = 8,
       WN_P2_SOCKETS_TUPLE_INCOMING_DATAGRAM_STREAM_OUTGOING_DATAGRAM_STREAM_ALIGNOF = 4 };
enum { WN_P2_CLI_TUPLE_STRING_STRING_0 = 0, WN_P2_CLI_TUPLE_STRING_STRING_1 = 8,
       WN_P2_CLI_TUPLE_STRING_STRING_SIZEOF = 16, WN_P2_CLI_TUPLE_STRING_STRING_ALIGNOF = 4 };
enum { WN_P2_CLI_OPTION_STRING_SOME = 4, WN_P2_CLI_OPTION_STRING_SIZEOF = 12, WN_P2_CLI_OPTION_STRING_ALIGNOF = 4 };
enum { WN_P2_CLI_OPTION_TERMINAL_INPUT_SOME = 4, WN_P2_CLI_OPTION_TERMINAL_INPUT_SIZEOF = 8,
       WN_P2_CLI_OPTION_TERMINAL_INPUT_ALIGNOF = 4 };
enum { WN_P2_CLI_OPTION_TERMINAL_OUTPUT_SOME = 4, WN_P2_CLI_OPTION_TERMINAL_OUTPUT_SIZEOF = 8,
       WN_P2_CLI_OPTION_TERMINAL_OUTPUT_ALIGNOF = 4 };

extern const wn_rt_t wn_p2_rt_error;
extern const wn_rt_t wn_p2_rt_pollable;
extern const wn_rt_t wn_p2_rt_input_stream;
extern const wn_rt_t wn_p2_rt_output_stream;
extern const wn_rt_t wn_p2_rt_descriptor;
extern const wn_rt_t wn_p2_rt_directory_entry_stream;
extern const wn_rt_t wn_p2_rt_network;
extern const wn_rt_t wn_p2_rt_resolve_address_stream;
extern const wn_rt_t wn_p2_rt_tcp_socket;
extern const wn_rt_t wn_p2_rt_udp_socket;
extern const wn_rt_t wn_p2_rt_incoming_datagram_stream;
extern const wn_rt_t wn_p2_rt_outgoing_datagram_stream;
extern const wn_rt_t wn_p2_rt_terminal_input;
extern const wn_rt_t wn_p2_rt_terminal_output;

/* The payload of an error for an errno. */
wn_err_t wn_p2_io_stream_error(wn_guest_t *guest, wn_err_t err, uint8_t *out);
wn_err_t wn_p2_filesystem_error_code(wn_guest_t *guest, wn_err_t err, uint8_t *out);
wn_err_t wn_p2_sockets_error_code(wn_guest_t *guest, wn_err_t err, uint8_t *out);

wn_err_t wn_p2_io_error_to_debug_string(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_io_pollable_ready(wn_guest_t *guest, wn_res_t *self, uint32_t *result);
wn_err_t wn_p2_io_pollable_block(wn_guest_t *guest, wn_res_t *self);
wn_err_t wn_p2_io_poll(wn_guest_t *guest, uint32_t in, uint32_t in_len, uint32_t ret);
wn_err_t wn_p2_io_input_stream_read(wn_guest_t *guest, wn_res_t *self, uint64_t len, uint32_t ret);
wn_err_t wn_p2_io_input_stream_blocking_read(wn_guest_t *guest, wn_res_t *self, uint64_t len, uint32_t ret);
wn_err_t wn_p2_io_input_stream_skip(wn_guest_t *guest, wn_res_t *self, uint64_t len, uint32_t ret);
wn_err_t wn_p2_io_input_stream_blocking_skip(wn_guest_t *guest, wn_res_t *self, uint64_t len, uint32_t ret);
wn_err_t wn_p2_io_input_stream_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result);
wn_err_t wn_p2_io_output_stream_check_write(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_io_output_stream_write(wn_guest_t *guest, wn_res_t *self, uint32_t contents, uint32_t contents_len);
wn_err_t wn_p2_io_output_stream_blocking_write_and_flush(wn_guest_t *guest, wn_res_t *self, uint32_t contents,
                                                         uint32_t contents_len);
wn_err_t wn_p2_io_output_stream_flush(wn_guest_t *guest, wn_res_t *self);
wn_err_t wn_p2_io_output_stream_blocking_flush(wn_guest_t *guest, wn_res_t *self);
wn_err_t wn_p2_io_output_stream_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result);
wn_err_t wn_p2_io_output_stream_write_zeroes(wn_guest_t *guest, wn_res_t *self, uint64_t len);
wn_err_t wn_p2_io_output_stream_blocking_write_zeroes_and_flush(wn_guest_t *guest, wn_res_t *self, uint64_t len);
wn_err_t wn_p2_io_output_stream_splice(wn_guest_t *guest, wn_res_t *self, wn_res_t *src, uint64_t len, uint32_t ret);
wn_err_t wn_p2_io_output_stream_blocking_splice(wn_guest_t *guest, wn_res_t *self, wn_res_t *src, uint64_t len,
                                                uint32_t ret);
wn_err_t wn_p2_clocks_monotonic_clock_now(wn_guest_t *guest, uint64_t *result);
wn_err_t wn_p2_clocks_monotonic_clock_resolution(wn_guest_t *guest, uint64_t *result);
wn_err_t wn_p2_clocks_subscribe_instant(wn_guest_t *guest, uint64_t when, uint32_t *result);
wn_err_t wn_p2_clocks_subscribe_duration(wn_guest_t *guest, uint64_t when, uint32_t *result);
wn_err_t wn_p2_clocks_wall_clock_now(wn_guest_t *guest, uint32_t ret);
wn_err_t wn_p2_clocks_wall_clock_resolution(wn_guest_t *guest, uint32_t ret);
wn_err_t wn_p2_clocks_display(wn_guest_t *guest, uint64_t when_seconds, uint32_t when_nanoseconds, uint32_t ret);
wn_err_t wn_p2_clocks_utc_offset(wn_guest_t *guest, uint64_t when_seconds, uint32_t when_nanoseconds,
                                 uint32_t *result);
wn_err_t wn_p2_random_get_random_bytes(wn_guest_t *guest, uint64_t len, uint32_t ret);
wn_err_t wn_p2_random_get_random_u64(wn_guest_t *guest, uint64_t *result);
wn_err_t wn_p2_random_get_insecure_random_bytes(wn_guest_t *guest, uint64_t len, uint32_t ret);
wn_err_t wn_p2_random_get_insecure_random_u64(wn_guest_t *guest, uint64_t *result);
wn_err_t wn_p2_random_insecure_seed(wn_guest_t *guest, uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_read_via_stream(wn_guest_t *guest, wn_res_t *self, uint64_t offset,
                                                     uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_write_via_stream(wn_guest_t *guest, wn_res_t *self, uint64_t offset,
                                                      uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_append_via_stream(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_advise(wn_guest_t *guest, wn_res_t *self, uint64_t offset, uint64_t length,
                                            uint32_t advice);
wn_err_t wn_p2_filesystem_descriptor_sync_data(wn_guest_t *guest, wn_res_t *self);
wn_err_t wn_p2_filesystem_descriptor_get_flags(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_get_type(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_set_size(wn_guest_t *guest, wn_res_t *self, uint64_t size);
wn_err_t wn_p2_filesystem_descriptor_set_times(wn_guest_t *guest, wn_res_t *self, uint32_t data_access_timestamp,
                                               uint64_t data_access_timestamp_1, uint32_t data_access_timestamp_2,
                                               uint32_t data_modification_timestamp,
                                               uint64_t data_modification_timestamp_1,
                                               uint32_t data_modification_timestamp_2);
wn_err_t wn_p2_filesystem_descriptor_read(wn_guest_t *guest, wn_res_t *self, uint64_t length, uint64_t offset,
                                          uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_write(wn_guest_t *guest, wn_res_t *self, uint32_t buffer, uint32_t buffer_len,
                                           uint64_t offset, uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_read_directory(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_sync(wn_guest_t *guest, wn_res_t *self);
wn_err_t wn_p2_filesystem_descriptor_create_directory_at(wn_guest_t *guest, wn_res_t *self, uint32_t path,
                                                         uint32_t path_len);
wn_err_t wn_p2_filesystem_descriptor_stat(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_stat_at(wn_guest_t *guest, wn_res_t *self, uint32_t path_flags, uint32_t path,
                                             uint32_t path_len, uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_set_times_at(wn_guest_t *guest, wn_res_t *self, uint32_t path_flags,
                                                  uint32_t path, uint32_t path_len, uint32_t data_access_timestamp,
                                                  uint64_t data_access_timestamp_1, uint32_t data_access_timestamp_2,
                                                  uint32_t data_modification_timestamp,
                                                  uint64_t data_modification_timestamp_1,
                                                  uint32_t data_modification_timestamp_2);
wn_err_t wn_p2_filesystem_descriptor_link_at(wn_guest_t *guest, wn_res_t *self, uint32_t old_path_flags,
                                             uint32_t old_path, uint32_t old_path_len, wn_res_t *new_descriptor,
                                             uint32_t new_path, uint32_t new_path_len);
wn_err_t wn_p2_filesystem_descriptor_open_at(wn_guest_t *guest, wn_res_t *self, uint32_t path_flags, uint32_t path,
                                             uint32_t path_len, uint32_t open_flags, uint32_t flags, uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_readlink_at(wn_guest_t *guest, wn_res_t *self, uint32_t path, uint32_t path_len,
                                                 uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_remove_directory_at(wn_guest_t *guest, wn_res_t *self, uint32_t path,
                                                         uint32_t path_len);
wn_err_t wn_p2_filesystem_descriptor_rename_at(wn_guest_t *guest, wn_res_t *self, uint32_t old_path,
                                               uint32_t old_path_len, wn_res_t *new_descriptor, uint32_t new_path,
                                               uint32_t new_path_len);
wn_err_t wn_p2_filesystem_descriptor_symlink_at(wn_guest_t *guest, wn_res_t *self, uint32_t old_path,
                                                uint32_t old_path_len, uint32_t new_path, uint32_t new_path_len);
wn_err_t wn_p2_filesystem_descriptor_unlink_file_at(wn_guest_t *guest, wn_res_t *self, uint32_t path,
                                                    uint32_t path_len);
wn_err_t wn_p2_filesystem_descriptor_is_same_object(wn_guest_t *guest, wn_res_t *self, wn_res_t *other,
                                                    uint32_t *result);
wn_err_t wn_p2_filesystem_descriptor_metadata_hash(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_filesystem_descriptor_metadata_hash_at(wn_guest_t *guest, wn_res_t *self, uint32_t path_flags,
                                                      uint32_t path, uint32_t path_len, uint32_t ret);
wn_err_t wn_p2_filesystem_directory_entry_stream_read_directory_entry(wn_guest_t *guest, wn_res_t *self,
                                                                      uint32_t ret);
wn_err_t wn_p2_filesystem_filesystem_error_code(wn_guest_t *guest, wn_res_t *err_, uint32_t ret);
wn_err_t wn_p2_filesystem_get_directories(wn_guest_t *guest, uint32_t ret);
wn_err_t wn_p2_sockets_network_error_code(wn_guest_t *guest, wn_res_t *err_, uint32_t ret);
wn_err_t wn_p2_sockets_instance_network(wn_guest_t *guest, uint32_t *result);
wn_err_t wn_p2_sockets_resolve_addresses(wn_guest_t *guest, wn_res_t *network, uint32_t name, uint32_t name_len,
                                         uint32_t ret);
wn_err_t wn_p2_sockets_resolve_address_stream_resolve_next_address(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_resolve_address_stream_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result);
wn_err_t wn_p2_sockets_tcp_socket_start_bind(wn_guest_t *guest, wn_res_t *self, wn_res_t *network,
                                             uint32_t local_address, uint32_t local_address_1,
                                             uint32_t local_address_2, uint32_t local_address_3,
                                             uint32_t local_address_4, uint32_t local_address_5,
                                             uint32_t local_address_6, uint32_t local_address_7,
                                             uint32_t local_address_8, uint32_t local_address_9,
                                             uint32_t local_address_10, uint32_t local_address_11);
wn_err_t wn_p2_sockets_tcp_socket_finish_bind(wn_guest_t *guest, wn_res_t *self);
wn_err_t wn_p2_sockets_tcp_socket_start_connect(wn_guest_t *guest, wn_res_t *self, wn_res_t *network,
                                                uint32_t remote_address, uint32_t remote_address_1,
                                                uint32_t remote_address_2, uint32_t remote_address_3,
                                                uint32_t remote_address_4, uint32_t remote_address_5,
                                                uint32_t remote_address_6, uint32_t remote_address_7,
                                                uint32_t remote_address_8, uint32_t remote_address_9,
                                                uint32_t remote_address_10, uint32_t remote_address_11);
wn_err_t wn_p2_sockets_tcp_socket_finish_connect(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_tcp_socket_start_listen(wn_guest_t *guest, wn_res_t *self);
wn_err_t wn_p2_sockets_tcp_socket_finish_listen(wn_guest_t *guest, wn_res_t *self);
wn_err_t wn_p2_sockets_tcp_socket_accept(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_tcp_socket_local_address(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_tcp_socket_remote_address(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_tcp_socket_is_listening(wn_guest_t *guest, wn_res_t *self, uint32_t *result);
wn_err_t wn_p2_sockets_tcp_socket_address_family(wn_guest_t *guest, wn_res_t *self, uint32_t *result);
wn_err_t wn_p2_sockets_tcp_socket_set_listen_backlog_size(wn_guest_t *guest, wn_res_t *self, uint64_t value);
wn_err_t wn_p2_sockets_tcp_socket_keep_alive_enabled(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_tcp_socket_set_keep_alive_enabled(wn_guest_t *guest, wn_res_t *self, uint32_t value);
wn_err_t wn_p2_sockets_tcp_socket_keep_alive_idle_time(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_tcp_socket_set_keep_alive_idle_time(wn_guest_t *guest, wn_res_t *self, uint64_t value);
wn_err_t wn_p2_sockets_tcp_socket_keep_alive_interval(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_tcp_socket_set_keep_alive_interval(wn_guest_t *guest, wn_res_t *self, uint64_t value);
wn_err_t wn_p2_sockets_tcp_socket_keep_alive_count(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_tcp_socket_set_keep_alive_count(wn_guest_t *guest, wn_res_t *self, uint32_t value);
wn_err_t wn_p2_sockets_tcp_socket_hop_limit(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_tcp_socket_set_hop_limit(wn_guest_t *guest, wn_res_t *self, uint32_t value);
wn_err_t wn_p2_sockets_tcp_socket_receive_buffer_size(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_tcp_socket_set_receive_buffer_size(wn_guest_t *guest, wn_res_t *self, uint64_t value);
wn_err_t wn_p2_sockets_tcp_socket_send_buffer_size(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_tcp_socket_set_send_buffer_size(wn_guest_t *guest, wn_res_t *self, uint64_t value);
wn_err_t wn_p2_sockets_tcp_socket_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result);
wn_err_t wn_p2_sockets_tcp_socket_shutdown(wn_guest_t *guest, wn_res_t *self, uint32_t shutdown_type);
wn_err_t wn_p2_sockets_create_tcp_socket(wn_guest_t *guest, uint32_t address_family, uint32_t ret);
wn_err_t wn_p2_sockets_udp_socket_start_bind(wn_guest_t *guest, wn_res_t *self, wn_res_t *network,
                                             uint32_t local_address, uint32_t local_address_1,
                                             uint32_t local_address_2, uint32_t local_address_3,
                                             uint32_t local_address_4, uint32_t local_address_5,
                                             uint32_t local_address_6, uint32_t local_address_7,
                                             uint32_t local_address_8, uint32_t local_address_9,
                                             uint32_t local_address_10, uint32_t local_address_11);
wn_err_t wn_p2_sockets_udp_socket_finish_bind(wn_guest_t *guest, wn_res_t *self);
wn_err_t wn_p2_sockets_udp_socket_stream(wn_guest_t *guest, wn_res_t *self, uint32_t remote_address,
                                         uint32_t remote_address_1, uint32_t remote_address_2,
                                         uint32_t remote_address_3, uint32_t remote_address_4,
                                         uint32_t remote_address_5, uint32_t remote_address_6,
                                         uint32_t remote_address_7, uint32_t remote_address_8,
                                         uint32_t remote_address_9, uint32_t remote_address_10,
                                         uint32_t remote_address_11, uint32_t remote_address_12, uint32_t ret);
wn_err_t wn_p2_sockets_udp_socket_local_address(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_udp_socket_remote_address(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_udp_socket_address_family(wn_guest_t *guest, wn_res_t *self, uint32_t *result);
wn_err_t wn_p2_sockets_udp_socket_unicast_hop_limit(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_udp_socket_set_unicast_hop_limit(wn_guest_t *guest, wn_res_t *self, uint32_t value);
wn_err_t wn_p2_sockets_udp_socket_receive_buffer_size(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_udp_socket_set_receive_buffer_size(wn_guest_t *guest, wn_res_t *self, uint64_t value);
wn_err_t wn_p2_sockets_udp_socket_send_buffer_size(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_udp_socket_set_send_buffer_size(wn_guest_t *guest, wn_res_t *self, uint64_t value);
wn_err_t wn_p2_sockets_udp_socket_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result);
wn_err_t wn_p2_sockets_incoming_datagram_stream_receive(wn_guest_t *guest, wn_res_t *self, uint64_t max_results,
                                                        uint32_t ret);
wn_err_t wn_p2_sockets_incoming_datagram_stream_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result);
wn_err_t wn_p2_sockets_outgoing_datagram_stream_check_send(wn_guest_t *guest, wn_res_t *self, uint32_t ret);
wn_err_t wn_p2_sockets_outgoing_datagram_stream_send(wn_guest_t *guest, wn_res_t *self, uint32_t datagrams,
                                                     uint32_t datagrams_len, uint32_t ret);
wn_err_t wn_p2_sockets_outgoing_datagram_stream_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result);
wn_err_t wn_p2_sockets_create_udp_socket(wn_guest_t *guest, uint32_t address_family, uint32_t ret);
wn_err_t wn_p2_cli_get_environment(wn_guest_t *guest, uint32_t ret);
wn_err_t wn_p2_cli_get_arguments(wn_guest_t *guest, uint32_t ret);
wn_err_t wn_p2_cli_initial_cwd(wn_guest_t *guest, uint32_t ret);
wn_err_t wn_p2_cli_exit(wn_guest_t *guest, uint32_t status);
wn_err_t wn_p2_cli_exit_with_code(wn_guest_t *guest, uint32_t status_code);
wn_err_t wn_p2_cli_get_stdin(wn_guest_t *guest, uint32_t *result);
wn_err_t wn_p2_cli_get_stdout(wn_guest_t *guest, uint32_t *result);
wn_err_t wn_p2_cli_get_stderr(wn_guest_t *guest, uint32_t *result);
wn_err_t wn_p2_cli_get_terminal_stdin(wn_guest_t *guest, uint32_t ret);
wn_err_t wn_p2_cli_get_terminal_stdout(wn_guest_t *guest, uint32_t ret);
wn_err_t wn_p2_cli_get_terminal_stderr(wn_guest_t *guest, uint32_t ret);

#ifdef WN_P2_TABLE

const wn_rt_t wn_p2_rt_error = WN_P2_RT("error", WN_RES_ERROR);
const wn_rt_t wn_p2_rt_pollable = WN_P2_RT("pollable", WN_RES_POLLABLE);
const wn_rt_t wn_p2_rt_input_stream = WN_P2_RT("input-stream", WN_RES_INPUT_STREAM);
const wn_rt_t wn_p2_rt_output_stream = WN_P2_RT("output-stream", WN_RES_OUTPUT_STREAM);
const wn_rt_t wn_p2_rt_descriptor = WN_P2_RT("descriptor", WN_RES_DESCRIPTOR);
const wn_rt_t wn_p2_rt_directory_entry_stream = WN_P2_RT("directory-entry-stream", WN_RES_DIRECTORY_ENTRY_STREAM);
const wn_rt_t wn_p2_rt_network = WN_P2_RT("network", WN_RES_NETWORK);
const wn_rt_t wn_p2_rt_resolve_address_stream = WN_P2_RT("resolve-address-stream", WN_RES_RESOLVE_ADDRESS_STREAM);
const wn_rt_t wn_p2_rt_tcp_socket = WN_P2_RT("tcp-socket", WN_RES_TCP_SOCKET);
const wn_rt_t wn_p2_rt_udp_socket = WN_P2_RT("udp-socket", WN_RES_UDP_SOCKET);
const wn_rt_t wn_p2_rt_incoming_datagram_stream = WN_P2_RT("incoming-datagram-stream", WN_RES_INCOMING_DATAGRAM_STREAM);
const wn_rt_t wn_p2_rt_outgoing_datagram_stream = WN_P2_RT("outgoing-datagram-stream", WN_RES_OUTGOING_DATAGRAM_STREAM);
const wn_rt_t wn_p2_rt_terminal_input = WN_P2_RT("terminal-input", WN_RES_TERMINAL_INPUT);
const wn_rt_t wn_p2_rt_terminal_output = WN_P2_RT("terminal-output", WN_RES_TERMINAL_OUTPUT);

static const uint8_t wn_p2_errno_codes[77] = {13, 13, 0, 13, 13, 13, 1, 2, 3, 13, 4, 13, 13, 13, 13, 13, 5, 13, 13, 6,
                                              7, 13, 8, 13, 13, 9, 10, 11, 12, 13, 13, 14, 15, 22, 16, 17, 13, 18, 13,
                                              13, 13, 22, 22, 19, 20, 13, 21, 13, 22, 13, 13, 23, 27, 13, 24, 25, 26,
                                              13, 27, 28, 29, 30, 13, 31, 32, 13, 13, 13, 13, 33, 34, 13, 13, 13, 35,
                                              36, 31};

static wn_err_t drop_error(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_error);
}

static wn_err_t call_io_error_to_debug_string(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_error, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_io_error_to_debug_string(guest, self, ret);
  return err;
}

static wn_err_t drop_pollable(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_pollable);
}

static wn_err_t call_io_pollable_ready(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_pollable, &self);
  if (WN_LIKELY(!err)) err = wn_p2_io_pollable_ready(guest, self, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_io_pollable_block(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_pollable, &self);
  if (WN_LIKELY(!err)) err = wn_p2_io_pollable_block(guest, self);
  return err;
}

static wn_err_t call_io_poll(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_io_poll(guest, WN_SLOT_U32(guest, slots, 0), WN_SLOT_U32(guest, slots, 1), ret);
  return err;
}

static wn_err_t drop_input_stream(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_input_stream);
}

static wn_err_t call_io_input_stream_read(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_input_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_io_input_stream_read(guest, self, WN_SLOT_U64(guest, slots, 1), ret + 4);
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_input_stream_blocking_read(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_input_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_io_input_stream_blocking_read(guest, self, WN_SLOT_U64(guest, slots, 1), ret + 4);
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_input_stream_skip(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_input_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_io_input_stream_skip(guest, self, WN_SLOT_U64(guest, slots, 1), ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_input_stream_blocking_skip(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_input_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_io_input_stream_blocking_skip(guest, self, WN_SLOT_U64(guest, slots, 1), ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_input_stream_subscribe(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_input_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_io_input_stream_subscribe(guest, self, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t drop_output_stream(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_output_stream);
}

static wn_err_t call_io_output_stream_check_write(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_output_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_io_output_stream_check_write(guest, self, ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_output_stream_write(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 3);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_output_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_io_output_stream_write(guest, self, WN_SLOT_U32(guest, slots, 1),
                                                          WN_SLOT_U32(guest, slots, 2));
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_output_stream_blocking_write_and_flush(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 3);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_output_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_io_output_stream_blocking_write_and_flush(guest, self,
                                                                             WN_SLOT_U32(guest, slots, 1),
                                                                             WN_SLOT_U32(guest, slots, 2));
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_output_stream_flush(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_output_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_io_output_stream_flush(guest, self);
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_output_stream_blocking_flush(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_output_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_io_output_stream_blocking_flush(guest, self);
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_output_stream_subscribe(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_output_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_io_output_stream_subscribe(guest, self, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_io_output_stream_write_zeroes(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_output_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_io_output_stream_write_zeroes(guest, self, WN_SLOT_U64(guest, slots, 1));
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_output_stream_blocking_write_zeroes_and_flush(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_output_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_io_output_stream_blocking_write_zeroes_and_flush(guest, self,
                                                                                    WN_SLOT_U64(guest, slots, 1));
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_output_stream_splice(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  wn_res_t *src = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 3);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_output_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 1), &wn_p2_rt_input_stream, &src);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_io_output_stream_splice(guest, self, src, WN_SLOT_U64(guest, slots, 2), ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_io_stream_error);
}

static wn_err_t call_io_output_stream_blocking_splice(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  wn_res_t *src = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 3);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_output_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 1), &wn_p2_rt_input_stream, &src);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_io_output_stream_blocking_splice(guest, self, src, WN_SLOT_U64(guest, slots, 2),
                                                                    ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_io_stream_error);
}

static wn_err_t call_clocks_monotonic_clock_now(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint64_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_clocks_monotonic_clock_now(guest, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_clocks_monotonic_clock_resolution(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint64_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_clocks_monotonic_clock_resolution(guest, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_clocks_subscribe_instant(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_clocks_subscribe_instant(guest, WN_SLOT_U64(guest, slots, 0), &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_clocks_subscribe_duration(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_clocks_subscribe_duration(guest, WN_SLOT_U64(guest, slots, 0), &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_clocks_wall_clock_now(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 0);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_clocks_wall_clock_now(guest, ret);
  return err;
}

static wn_err_t call_clocks_wall_clock_resolution(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 0);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_clocks_wall_clock_resolution(guest, ret);
  return err;
}

static wn_err_t call_clocks_display(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 4);
  if (WN_LIKELY(!err)) err = wn_p2_clocks_display(guest, WN_SLOT_U64(guest, slots, 0), WN_SLOT_U32(guest, slots, 1),
                                                  ret);
  return err;
}

static wn_err_t call_clocks_utc_offset(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_clocks_utc_offset(guest, WN_SLOT_U64(guest, slots, 0),
                                                     WN_SLOT_U32(guest, slots, 1), &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_random_get_random_bytes(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_random_get_random_bytes(guest, WN_SLOT_U64(guest, slots, 0), ret);
  return err;
}

static wn_err_t call_random_get_random_u64(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint64_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_random_get_random_u64(guest, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_random_get_insecure_random_bytes(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_random_get_insecure_random_bytes(guest, WN_SLOT_U64(guest, slots, 0), ret);
  return err;
}

static wn_err_t call_random_get_insecure_random_u64(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint64_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_random_get_insecure_random_u64(guest, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_random_insecure_seed(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 0);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_random_insecure_seed(guest, ret);
  return err;
}

static wn_err_t drop_descriptor(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor);
}

static wn_err_t drop_directory_entry_stream(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_directory_entry_stream);
}

static wn_err_t call_filesystem_descriptor_read_via_stream(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_read_via_stream(guest, self, WN_SLOT_U64(guest, slots, 1),
                                                                         ret + 4);
  return wn_p2_done(guest, ret, 8, 4, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_write_via_stream(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_write_via_stream(guest, self, WN_SLOT_U64(guest, slots, 1),
                                                                          ret + 4);
  return wn_p2_done(guest, ret, 8, 4, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_append_via_stream(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_append_via_stream(guest, self, ret + 4);
  return wn_p2_done(guest, ret, 8, 4, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_advise(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t advice = WN_SLOT_U32(guest, slots, 3);
  uint32_t ret = WN_SLOT_U32(guest, slots, 4);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, advice, 6);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_advise(guest, self, WN_SLOT_U64(guest, slots, 1),
                                                                WN_SLOT_U64(guest, slots, 2), advice);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_sync_data(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_sync_data(guest, self);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_get_flags(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_get_flags(guest, self, ret + 1);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_get_type(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_get_type(guest, self, ret + 1);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_set_size(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_set_size(guest, self, WN_SLOT_U64(guest, slots, 1));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_set_times(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t data_access_timestamp = WN_SLOT_U32(guest, slots, 1);
  uint32_t data_modification_timestamp = WN_SLOT_U32(guest, slots, 4);
  uint32_t ret = WN_SLOT_U32(guest, slots, 7);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, data_access_timestamp, 3);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, data_modification_timestamp, 3);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_set_times(guest, self, data_access_timestamp,
                                                                   WN_SLOT_U64(guest, slots, 2),
                                                                   WN_SLOT_U32(guest, slots, 3),
                                                                   data_modification_timestamp,
                                                                   WN_SLOT_U64(guest, slots, 5),
                                                                   WN_SLOT_U32(guest, slots, 6));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_read(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 3);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 4);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_read(guest, self, WN_SLOT_U64(guest, slots, 1),
                                                              WN_SLOT_U64(guest, slots, 2), ret + 4);
  return wn_p2_done(guest, ret, 16, 4, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_write(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 4);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_write(guest, self, WN_SLOT_U32(guest, slots, 1),
                                                               WN_SLOT_U32(guest, slots, 2),
                                                               WN_SLOT_U64(guest, slots, 3), ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_read_directory(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_read_directory(guest, self, ret + 4);
  return wn_p2_done(guest, ret, 8, 4, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_sync(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_sync(guest, self);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_create_directory_at(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 3);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_create_directory_at(guest, self,
                                                                             WN_SLOT_U32(guest, slots, 1),
                                                                             WN_SLOT_U32(guest, slots, 2));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_stat(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 104, 8);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_stat(guest, self, ret + 8);
  return wn_p2_done(guest, ret, 104, 8, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_stat_at(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 4);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 104, 8);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_stat_at(guest, self, WN_SLOT_U32(guest, slots, 1) & 1u,
                                                                 WN_SLOT_U32(guest, slots, 2),
                                                                 WN_SLOT_U32(guest, slots, 3), ret + 8);
  return wn_p2_done(guest, ret, 104, 8, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_set_times_at(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t data_access_timestamp = WN_SLOT_U32(guest, slots, 4);
  uint32_t data_modification_timestamp = WN_SLOT_U32(guest, slots, 7);
  uint32_t ret = WN_SLOT_U32(guest, slots, 10);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, data_access_timestamp, 3);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, data_modification_timestamp, 3);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_set_times_at(guest, self, WN_SLOT_U32(guest, slots, 1) & 1u,
                                                                      WN_SLOT_U32(guest, slots, 2),
                                                                      WN_SLOT_U32(guest, slots, 3),
                                                                      data_access_timestamp,
                                                                      WN_SLOT_U64(guest, slots, 5),
                                                                      WN_SLOT_U32(guest, slots, 6),
                                                                      data_modification_timestamp,
                                                                      WN_SLOT_U64(guest, slots, 8),
                                                                      WN_SLOT_U32(guest, slots, 9));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_link_at(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  wn_res_t *new_descriptor = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 7);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 4), &wn_p2_rt_descriptor, &new_descriptor);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_link_at(guest, self, WN_SLOT_U32(guest, slots, 1) & 1u,
                                                                 WN_SLOT_U32(guest, slots, 2),
                                                                 WN_SLOT_U32(guest, slots, 3), new_descriptor,
                                                                 WN_SLOT_U32(guest, slots, 5),
                                                                 WN_SLOT_U32(guest, slots, 6));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_open_at(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 6);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_open_at(guest, self, WN_SLOT_U32(guest, slots, 1) & 1u,
                                                                 WN_SLOT_U32(guest, slots, 2),
                                                                 WN_SLOT_U32(guest, slots, 3),
                                                                 WN_SLOT_U32(guest, slots, 4) & 15u,
                                                                 WN_SLOT_U32(guest, slots, 5) & 63u, ret + 4);
  return wn_p2_done(guest, ret, 8, 4, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_readlink_at(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 3);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_readlink_at(guest, self, WN_SLOT_U32(guest, slots, 1),
                                                                     WN_SLOT_U32(guest, slots, 2), ret + 4);
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_remove_directory_at(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 3);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_remove_directory_at(guest, self,
                                                                             WN_SLOT_U32(guest, slots, 1),
                                                                             WN_SLOT_U32(guest, slots, 2));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_rename_at(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  wn_res_t *new_descriptor = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 6);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 3), &wn_p2_rt_descriptor, &new_descriptor);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_rename_at(guest, self, WN_SLOT_U32(guest, slots, 1),
                                                                   WN_SLOT_U32(guest, slots, 2), new_descriptor,
                                                                   WN_SLOT_U32(guest, slots, 4),
                                                                   WN_SLOT_U32(guest, slots, 5));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_symlink_at(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 5);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_symlink_at(guest, self, WN_SLOT_U32(guest, slots, 1),
                                                                    WN_SLOT_U32(guest, slots, 2),
                                                                    WN_SLOT_U32(guest, slots, 3),
                                                                    WN_SLOT_U32(guest, slots, 4));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_unlink_file_at(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 3);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_unlink_file_at(guest, self, WN_SLOT_U32(guest, slots, 1),
                                                                        WN_SLOT_U32(guest, slots, 2));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_is_same_object(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  wn_res_t *other = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 1), &wn_p2_rt_descriptor, &other);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_is_same_object(guest, self, other, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_filesystem_descriptor_metadata_hash(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 24, 8);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_metadata_hash(guest, self, ret + 8);
  return wn_p2_done(guest, ret, 24, 8, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_descriptor_metadata_hash_at(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 4);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_descriptor, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 24, 8);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_descriptor_metadata_hash_at(guest, self,
                                                                          WN_SLOT_U32(guest, slots, 1) & 1u,
                                                                          WN_SLOT_U32(guest, slots, 2),
                                                                          WN_SLOT_U32(guest, slots, 3), ret + 8);
  return wn_p2_done(guest, ret, 24, 8, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_directory_entry_stream_read_directory_entry(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_directory_entry_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 20, 4);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_directory_entry_stream_read_directory_entry(guest, self, ret + 4);
  return wn_p2_done(guest, ret, 20, 4, err, wn_p2_filesystem_error_code);
}

static wn_err_t call_filesystem_filesystem_error_code(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *err_ = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_error, &err_);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_filesystem_error_code(guest, err_, ret);
  return err;
}

static wn_err_t call_filesystem_get_directories(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 0);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_filesystem_get_directories(guest, ret);
  return err;
}

static wn_err_t drop_network(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_network);
}

static wn_err_t call_sockets_network_error_code(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *err_ = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_error, &err_);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_network_error_code(guest, err_, ret);
  return err;
}

static wn_err_t call_sockets_instance_network(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_instance_network(guest, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t drop_resolve_address_stream(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_resolve_address_stream);
}

static wn_err_t call_sockets_resolve_addresses(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *network = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 3);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_network, &network);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_resolve_addresses(guest, network, WN_SLOT_U32(guest, slots, 1),
                                                             WN_SLOT_U32(guest, slots, 2), ret + 4);
  return wn_p2_done(guest, ret, 8, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_resolve_address_stream_resolve_next_address(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_resolve_address_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 22, 2);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_resolve_address_stream_resolve_next_address(guest, self, ret + 2);
  return wn_p2_done(guest, ret, 22, 2, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_resolve_address_stream_subscribe(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_resolve_address_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_resolve_address_stream_subscribe(guest, self, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t drop_tcp_socket(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket);
}

static wn_err_t call_sockets_tcp_socket_start_bind(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  wn_res_t *network = NULL;
  uint32_t local_address = WN_SLOT_U32(guest, slots, 2);
  uint32_t ret = WN_SLOT_U32(guest, slots, 14);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 1), &wn_p2_rt_network, &network);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, local_address, 2);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_start_bind(guest, self, network, local_address,
                                                                 WN_SLOT_U32(guest, slots, 3),
                                                                 WN_SLOT_U32(guest, slots, 4),
                                                                 WN_SLOT_U32(guest, slots, 5),
                                                                 WN_SLOT_U32(guest, slots, 6),
                                                                 WN_SLOT_U32(guest, slots, 7),
                                                                 WN_SLOT_U32(guest, slots, 8),
                                                                 WN_SLOT_U32(guest, slots, 9),
                                                                 WN_SLOT_U32(guest, slots, 10),
                                                                 WN_SLOT_U32(guest, slots, 11),
                                                                 WN_SLOT_U32(guest, slots, 12),
                                                                 WN_SLOT_U32(guest, slots, 13));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_finish_bind(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_finish_bind(guest, self);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_start_connect(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  wn_res_t *network = NULL;
  uint32_t remote_address = WN_SLOT_U32(guest, slots, 2);
  uint32_t ret = WN_SLOT_U32(guest, slots, 14);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 1), &wn_p2_rt_network, &network);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, remote_address, 2);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_start_connect(guest, self, network, remote_address,
                                                                    WN_SLOT_U32(guest, slots, 3),
                                                                    WN_SLOT_U32(guest, slots, 4),
                                                                    WN_SLOT_U32(guest, slots, 5),
                                                                    WN_SLOT_U32(guest, slots, 6),
                                                                    WN_SLOT_U32(guest, slots, 7),
                                                                    WN_SLOT_U32(guest, slots, 8),
                                                                    WN_SLOT_U32(guest, slots, 9),
                                                                    WN_SLOT_U32(guest, slots, 10),
                                                                    WN_SLOT_U32(guest, slots, 11),
                                                                    WN_SLOT_U32(guest, slots, 12),
                                                                    WN_SLOT_U32(guest, slots, 13));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_finish_connect(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_finish_connect(guest, self, ret + 4);
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_start_listen(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_start_listen(guest, self);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_finish_listen(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_finish_listen(guest, self);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_accept(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_accept(guest, self, ret + 4);
  return wn_p2_done(guest, ret, 16, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_local_address(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 36, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_local_address(guest, self, ret + 4);
  return wn_p2_done(guest, ret, 36, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_remote_address(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 36, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_remote_address(guest, self, ret + 4);
  return wn_p2_done(guest, ret, 36, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_is_listening(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_is_listening(guest, self, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_sockets_tcp_socket_address_family(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_address_family(guest, self, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_sockets_tcp_socket_set_listen_backlog_size(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_set_listen_backlog_size(guest, self,
                                                                              WN_SLOT_U64(guest, slots, 1));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_keep_alive_enabled(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_keep_alive_enabled(guest, self, ret + 1);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_set_keep_alive_enabled(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_set_keep_alive_enabled(guest, self,
                                                                             WN_SLOT_U32(guest, slots, 1) != 0);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_keep_alive_idle_time(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_keep_alive_idle_time(guest, self, ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_set_keep_alive_idle_time(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_set_keep_alive_idle_time(guest, self,
                                                                               WN_SLOT_U64(guest, slots, 1));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_keep_alive_interval(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_keep_alive_interval(guest, self, ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_set_keep_alive_interval(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_set_keep_alive_interval(guest, self,
                                                                              WN_SLOT_U64(guest, slots, 1));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_keep_alive_count(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_keep_alive_count(guest, self, ret + 4);
  return wn_p2_done(guest, ret, 8, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_set_keep_alive_count(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_set_keep_alive_count(guest, self, WN_SLOT_U32(guest, slots, 1));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_hop_limit(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_hop_limit(guest, self, ret + 1);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_set_hop_limit(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_set_hop_limit(guest, self,
                                                                    (uint8_t)WN_SLOT_U32(guest, slots, 1));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_receive_buffer_size(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_receive_buffer_size(guest, self, ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_set_receive_buffer_size(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_set_receive_buffer_size(guest, self,
                                                                              WN_SLOT_U64(guest, slots, 1));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_send_buffer_size(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_send_buffer_size(guest, self, ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_set_send_buffer_size(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_set_send_buffer_size(guest, self, WN_SLOT_U64(guest, slots, 1));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_tcp_socket_subscribe(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_subscribe(guest, self, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_sockets_tcp_socket_shutdown(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t shutdown_type = WN_SLOT_U32(guest, slots, 1);
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_tcp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, shutdown_type, 3);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_tcp_socket_shutdown(guest, self, shutdown_type);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_create_tcp_socket(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t address_family = WN_SLOT_U32(guest, slots, 0);
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, address_family, 2);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_create_tcp_socket(guest, address_family, ret + 4);
  return wn_p2_done(guest, ret, 8, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t drop_udp_socket(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket);
}

static wn_err_t drop_incoming_datagram_stream(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_incoming_datagram_stream);
}

static wn_err_t drop_outgoing_datagram_stream(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_outgoing_datagram_stream);
}

static wn_err_t call_sockets_udp_socket_start_bind(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  wn_res_t *network = NULL;
  uint32_t local_address = WN_SLOT_U32(guest, slots, 2);
  uint32_t ret = WN_SLOT_U32(guest, slots, 14);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 1), &wn_p2_rt_network, &network);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, local_address, 2);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_start_bind(guest, self, network, local_address,
                                                                 WN_SLOT_U32(guest, slots, 3),
                                                                 WN_SLOT_U32(guest, slots, 4),
                                                                 WN_SLOT_U32(guest, slots, 5),
                                                                 WN_SLOT_U32(guest, slots, 6),
                                                                 WN_SLOT_U32(guest, slots, 7),
                                                                 WN_SLOT_U32(guest, slots, 8),
                                                                 WN_SLOT_U32(guest, slots, 9),
                                                                 WN_SLOT_U32(guest, slots, 10),
                                                                 WN_SLOT_U32(guest, slots, 11),
                                                                 WN_SLOT_U32(guest, slots, 12),
                                                                 WN_SLOT_U32(guest, slots, 13));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_udp_socket_finish_bind(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_finish_bind(guest, self);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_udp_socket_stream(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t remote_address = WN_SLOT_U32(guest, slots, 1);
  uint32_t ret = WN_SLOT_U32(guest, slots, 14);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, remote_address, 2);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_stream(guest, self, remote_address,
                                                             WN_SLOT_U32(guest, slots, 2),
                                                             WN_SLOT_U32(guest, slots, 3),
                                                             WN_SLOT_U32(guest, slots, 4),
                                                             WN_SLOT_U32(guest, slots, 5),
                                                             WN_SLOT_U32(guest, slots, 6),
                                                             WN_SLOT_U32(guest, slots, 7),
                                                             WN_SLOT_U32(guest, slots, 8),
                                                             WN_SLOT_U32(guest, slots, 9),
                                                             WN_SLOT_U32(guest, slots, 10),
                                                             WN_SLOT_U32(guest, slots, 11),
                                                             WN_SLOT_U32(guest, slots, 12),
                                                             WN_SLOT_U32(guest, slots, 13), ret + 4);
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_udp_socket_local_address(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 36, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_local_address(guest, self, ret + 4);
  return wn_p2_done(guest, ret, 36, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_udp_socket_remote_address(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 36, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_remote_address(guest, self, ret + 4);
  return wn_p2_done(guest, ret, 36, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_udp_socket_address_family(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_address_family(guest, self, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_sockets_udp_socket_unicast_hop_limit(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_unicast_hop_limit(guest, self, ret + 1);
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_udp_socket_set_unicast_hop_limit(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_set_unicast_hop_limit(guest, self,
                                                                            (uint8_t)WN_SLOT_U32(guest, slots, 1));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_udp_socket_receive_buffer_size(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_receive_buffer_size(guest, self, ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_udp_socket_set_receive_buffer_size(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_set_receive_buffer_size(guest, self,
                                                                              WN_SLOT_U64(guest, slots, 1));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_udp_socket_send_buffer_size(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_send_buffer_size(guest, self, ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_udp_socket_set_send_buffer_size(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 2, 1);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_set_send_buffer_size(guest, self, WN_SLOT_U64(guest, slots, 1));
  return wn_p2_done(guest, ret, 2, 1, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_udp_socket_subscribe(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_udp_socket, &self);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_udp_socket_subscribe(guest, self, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_sockets_incoming_datagram_stream_receive(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 2);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_incoming_datagram_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_incoming_datagram_stream_receive(guest, self, WN_SLOT_U64(guest, slots, 1),
                                                                            ret + 4);
  return wn_p2_done(guest, ret, 12, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_incoming_datagram_stream_subscribe(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_incoming_datagram_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_incoming_datagram_stream_subscribe(guest, self, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_sockets_outgoing_datagram_stream_check_send(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_outgoing_datagram_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_outgoing_datagram_stream_check_send(guest, self, ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_outgoing_datagram_stream_send(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t ret = WN_SLOT_U32(guest, slots, 3);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_outgoing_datagram_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 16, 8);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_outgoing_datagram_stream_send(guest, self, WN_SLOT_U32(guest, slots, 1),
                                                                         WN_SLOT_U32(guest, slots, 2), ret + 8);
  return wn_p2_done(guest, ret, 16, 8, err, wn_p2_sockets_error_code);
}

static wn_err_t call_sockets_outgoing_datagram_stream_subscribe(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_res_t *self = NULL;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_borrow(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_outgoing_datagram_stream, &self);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_outgoing_datagram_stream_subscribe(guest, self, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_sockets_create_udp_socket(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t address_family = WN_SLOT_U32(guest, slots, 0);
  uint32_t ret = WN_SLOT_U32(guest, slots, 1);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, address_family, 2);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_sockets_create_udp_socket(guest, address_family, ret + 4);
  return wn_p2_done(guest, ret, 8, 4, err, wn_p2_sockets_error_code);
}

static wn_err_t call_cli_get_environment(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 0);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_cli_get_environment(guest, ret);
  return err;
}

static wn_err_t call_cli_get_arguments(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 0);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_cli_get_arguments(guest, ret);
  return err;
}

static wn_err_t call_cli_initial_cwd(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 0);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 12, 4);
  if (WN_LIKELY(!err)) err = wn_p2_cli_initial_cwd(guest, ret);
  return err;
}

static wn_err_t call_cli_exit(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t status = WN_SLOT_U32(guest, slots, 0);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_case(guest, status, 2);
  if (WN_LIKELY(!err)) err = wn_p2_cli_exit(guest, status);
  return err;
}

static wn_err_t call_cli_exit_with_code(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_cli_exit_with_code(guest, (uint8_t)WN_SLOT_U32(guest, slots, 0));
  return err;
}

static wn_err_t call_cli_get_stdin(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_cli_get_stdin(guest, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_cli_get_stdout(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_cli_get_stdout(guest, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t call_cli_get_stderr(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t result = 0;
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_cli_get_stderr(guest, &result);
  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;
  return err;
}

static wn_err_t drop_terminal_input(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_terminal_input);
}

static wn_err_t drop_terminal_output(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_terminal_output);
}

static wn_err_t call_cli_get_terminal_stdin(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 0);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_cli_get_terminal_stdin(guest, ret);
  return err;
}

static wn_err_t call_cli_get_terminal_stdout(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 0);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_cli_get_terminal_stdout(guest, ret);
  return err;
}

static wn_err_t call_cli_get_terminal_stderr(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)row;
  uint32_t ret = WN_SLOT_U32(guest, slots, 0);
  wn_err_t err = wn_p2_enter(guest);
  if (WN_LIKELY(!err)) err = wn_p2_area(guest, ret, 8, 4);
  if (WN_LIKELY(!err)) err = wn_p2_cli_get_terminal_stderr(guest, ret);
  return err;
}

static const wn_row_t wn_p2_table[] = {
    {"wasi:io/error@0.2", "[resource-drop]error", "i", "", "self", "poll", drop_error, NULL, (void *)&wn_p2_rt_error},
    {"wasi:io/error@0.2", "[method]error.to-debug-string", "ii", "", "self,ret", "poll",
     call_io_error_to_debug_string, NULL, NULL},
    {"wasi:io/poll@0.2", "[resource-drop]pollable", "i", "", "self", "poll", drop_pollable, NULL,
     (void *)&wn_p2_rt_pollable},
    {"wasi:io/poll@0.2", "[method]pollable.ready", "i", "i", "self", "poll", call_io_pollable_ready, NULL, NULL},
    {"wasi:io/poll@0.2", "[method]pollable.block", "i", "", "self", "poll", call_io_pollable_block, NULL, NULL},
    {"wasi:io/poll@0.2", "poll", "iii", "", "in,in_len,ret", "poll", call_io_poll, NULL, NULL},
    {"wasi:io/streams@0.2", "[resource-drop]input-stream", "i", "", "self", "streams", drop_input_stream, NULL,
     (void *)&wn_p2_rt_input_stream},
    {"wasi:io/streams@0.2", "[method]input-stream.read", "iIi", "", "self,len,ret", "streams",
     call_io_input_stream_read, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]input-stream.blocking-read", "iIi", "", "self,len,ret", "streams",
     call_io_input_stream_blocking_read, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]input-stream.skip", "iIi", "", "self,len,ret", "streams",
     call_io_input_stream_skip, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]input-stream.blocking-skip", "iIi", "", "self,len,ret", "streams",
     call_io_input_stream_blocking_skip, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]input-stream.subscribe", "i", "i", "self", "streams",
     call_io_input_stream_subscribe, NULL, NULL},
    {"wasi:io/streams@0.2", "[resource-drop]output-stream", "i", "", "self", "streams", drop_output_stream, NULL,
     (void *)&wn_p2_rt_output_stream},
    {"wasi:io/streams@0.2", "[method]output-stream.check-write", "ii", "", "self,ret", "streams",
     call_io_output_stream_check_write, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]output-stream.write", "iiii", "", "self,contents,contents_len,ret", "streams",
     call_io_output_stream_write, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]output-stream.blocking-write-and-flush", "iiii", "",
     "self,contents,contents_len,ret", "streams", call_io_output_stream_blocking_write_and_flush, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]output-stream.flush", "ii", "", "self,ret", "streams",
     call_io_output_stream_flush, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]output-stream.blocking-flush", "ii", "", "self,ret", "streams",
     call_io_output_stream_blocking_flush, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]output-stream.subscribe", "i", "i", "self", "streams",
     call_io_output_stream_subscribe, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]output-stream.write-zeroes", "iIi", "", "self,len,ret", "streams",
     call_io_output_stream_write_zeroes, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]output-stream.blocking-write-zeroes-and-flush", "iIi", "", "self,len,ret",
     "streams", call_io_output_stream_blocking_write_zeroes_and_flush, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]output-stream.splice", "iiIi", "", "self,src,len,ret", "streams",
     call_io_output_stream_splice, NULL, NULL},
    {"wasi:io/streams@0.2", "[method]output-stream.blocking-splice", "iiIi", "", "self,src,len,ret", "streams",
     call_io_output_stream_blocking_splice, NULL, NULL},
    {"wasi:clocks/monotonic-clock@0.2", "now", "", "I", "", "clock", call_clocks_monotonic_clock_now, NULL, NULL},
    {"wasi:clocks/monotonic-clock@0.2", "resolution", "", "I", "", "clock", call_clocks_monotonic_clock_resolution,
     NULL, NULL},
    {"wasi:clocks/monotonic-clock@0.2", "subscribe-instant", "I", "i", "when", "clock", call_clocks_subscribe_instant,
     NULL, NULL},
    {"wasi:clocks/monotonic-clock@0.2", "subscribe-duration", "I", "i", "when", "clock",
     call_clocks_subscribe_duration, NULL, NULL},
    {"wasi:clocks/wall-clock@0.2", "now", "i", "", "ret", "clock", call_clocks_wall_clock_now, NULL, NULL},
    {"wasi:clocks/wall-clock@0.2", "resolution", "i", "", "ret", "clock", call_clocks_wall_clock_resolution, NULL,
     NULL},
    {"wasi:clocks/timezone@0.2", "display", "Iii", "", "when_seconds,when_nanoseconds,ret", "clock",
     call_clocks_display, NULL, NULL},
    {"wasi:clocks/timezone@0.2", "utc-offset", "Ii", "i", "when_seconds,when_nanoseconds", "clock",
     call_clocks_utc_offset, NULL, NULL},
    {"wasi:random/random@0.2", "get-random-bytes", "Ii", "", "len,ret", "random", call_random_get_random_bytes, NULL,
     NULL},
    {"wasi:random/random@0.2", "get-random-u64", "", "I", "", "random", call_random_get_random_u64, NULL, NULL},
    {"wasi:random/insecure@0.2", "get-insecure-random-bytes", "Ii", "", "len,ret", "random",
     call_random_get_insecure_random_bytes, NULL, NULL},
    {"wasi:random/insecure@0.2", "get-insecure-random-u64", "", "I", "", "random",
     call_random_get_insecure_random_u64, NULL, NULL},
    {"wasi:random/insecure-seed@0.2", "insecure-seed", "i", "", "ret", "random", call_random_insecure_seed, NULL,
     NULL},
    {"wasi:filesystem/types@0.2", "[resource-drop]descriptor", "i", "", "self", "files", drop_descriptor, NULL,
     (void *)&wn_p2_rt_descriptor},
    {"wasi:filesystem/types@0.2", "[resource-drop]directory-entry-stream", "i", "", "self", "files",
     drop_directory_entry_stream, NULL, (void *)&wn_p2_rt_directory_entry_stream},
    {"wasi:filesystem/types@0.2", "[method]descriptor.read-via-stream", "iIi", "", "self,offset,ret", "files",
     call_filesystem_descriptor_read_via_stream, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.write-via-stream", "iIi", "", "self,offset,ret", "files",
     call_filesystem_descriptor_write_via_stream, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.append-via-stream", "ii", "", "self,ret", "files",
     call_filesystem_descriptor_append_via_stream, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.advise", "iIIii", "", "self,offset,length,advice,ret", "files",
     call_filesystem_descriptor_advise, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.sync-data", "ii", "", "self,ret", "files",
     call_filesystem_descriptor_sync_data, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.get-flags", "ii", "", "self,ret", "files",
     call_filesystem_descriptor_get_flags, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.get-type", "ii", "", "self,ret", "files",
     call_filesystem_descriptor_get_type, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.set-size", "iIi", "", "self,size,ret", "files",
     call_filesystem_descriptor_set_size, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.set-times", "iiIiiIii", "",
     "self,data_access_timestamp,data_access_timestamp_1,data_access_timestamp_2,data_modification_timestamp,data_modification_timestamp_1,data_modification_timestamp_2,ret",
     "files", call_filesystem_descriptor_set_times, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.read", "iIIi", "", "self,length,offset,ret", "files",
     call_filesystem_descriptor_read, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.write", "iiiIi", "", "self,buffer,buffer_len,offset,ret",
     "files", call_filesystem_descriptor_write, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.read-directory", "ii", "", "self,ret", "files",
     call_filesystem_descriptor_read_directory, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.sync", "ii", "", "self,ret", "files",
     call_filesystem_descriptor_sync, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.create-directory-at", "iiii", "", "self,path,path_len,ret",
     "files", call_filesystem_descriptor_create_directory_at, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.stat", "ii", "", "self,ret", "files",
     call_filesystem_descriptor_stat, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.stat-at", "iiiii", "", "self,path_flags,path,path_len,ret",
     "files", call_filesystem_descriptor_stat_at, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.set-times-at", "iiiiiIiiIii", "",
     "self,path_flags,path,path_len,data_access_timestamp,data_access_timestamp_1,data_access_timestamp_2,data_modification_timestamp,data_modification_timestamp_1,data_modification_timestamp_2,ret",
     "files", call_filesystem_descriptor_set_times_at, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.link-at", "iiiiiiii", "",
     "self,old_path_flags,old_path,old_path_len,new_descriptor,new_path,new_path_len,ret", "files",
     call_filesystem_descriptor_link_at, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.open-at", "iiiiiii", "",
     "self,path_flags,path,path_len,open_flags,flags,ret", "files", call_filesystem_descriptor_open_at, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.readlink-at", "iiii", "", "self,path,path_len,ret", "files",
     call_filesystem_descriptor_readlink_at, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.remove-directory-at", "iiii", "", "self,path,path_len,ret",
     "files", call_filesystem_descriptor_remove_directory_at, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.rename-at", "iiiiiii", "",
     "self,old_path,old_path_len,new_descriptor,new_path,new_path_len,ret", "files",
     call_filesystem_descriptor_rename_at, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.symlink-at", "iiiiii", "",
     "self,old_path,old_path_len,new_path,new_path_len,ret", "files", call_filesystem_descriptor_symlink_at, NULL,
     NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.unlink-file-at", "iiii", "", "self,path,path_len,ret", "files",
     call_filesystem_descriptor_unlink_file_at, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.is-same-object", "ii", "i", "self,other", "files",
     call_filesystem_descriptor_is_same_object, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.metadata-hash", "ii", "", "self,ret", "files",
     call_filesystem_descriptor_metadata_hash, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]descriptor.metadata-hash-at", "iiiii", "",
     "self,path_flags,path,path_len,ret", "files", call_filesystem_descriptor_metadata_hash_at, NULL, NULL},
    {"wasi:filesystem/types@0.2", "[method]directory-entry-stream.read-directory-entry", "ii", "", "self,ret",
     "files", call_filesystem_directory_entry_stream_read_directory_entry, NULL, NULL},
    {"wasi:filesystem/types@0.2", "filesystem-error-code", "ii", "", "err_,ret", "files",
     call_filesystem_filesystem_error_code, NULL, NULL},
    {"wasi:filesystem/preopens@0.2", "get-directories", "i", "", "ret", "files", call_filesystem_get_directories,
     NULL, NULL},
    {"wasi:sockets/network@0.2", "[resource-drop]network", "i", "", "self", "sockets", drop_network, NULL,
     (void *)&wn_p2_rt_network},
    {"wasi:sockets/network@0.2", "network-error-code", "ii", "", "err_,ret", "sockets",
     call_sockets_network_error_code, NULL, NULL},
    {"wasi:sockets/instance-network@0.2", "instance-network", "", "i", "", "sockets", call_sockets_instance_network,
     NULL, NULL},
    {"wasi:sockets/ip-name-lookup@0.2", "[resource-drop]resolve-address-stream", "i", "", "self", "sockets",
     drop_resolve_address_stream, NULL, (void *)&wn_p2_rt_resolve_address_stream},
    {"wasi:sockets/ip-name-lookup@0.2", "resolve-addresses", "iiii", "", "network,name,name_len,ret", "sockets",
     call_sockets_resolve_addresses, NULL, NULL},
    {"wasi:sockets/ip-name-lookup@0.2", "[method]resolve-address-stream.resolve-next-address", "ii", "", "self,ret",
     "sockets", call_sockets_resolve_address_stream_resolve_next_address, NULL, NULL},
    {"wasi:sockets/ip-name-lookup@0.2", "[method]resolve-address-stream.subscribe", "i", "i", "self", "sockets",
     call_sockets_resolve_address_stream_subscribe, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[resource-drop]tcp-socket", "i", "", "self", "sockets", drop_tcp_socket, NULL,
     (void *)&wn_p2_rt_tcp_socket},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.start-bind", "iiiiiiiiiiiiiii", "",
     "self,network,local_address,local_address_1,local_address_2,local_address_3,local_address_4,local_address_5,local_address_6,local_address_7,local_address_8,local_address_9,local_address_10,local_address_11,ret",
     "sockets", call_sockets_tcp_socket_start_bind, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.finish-bind", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_finish_bind, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.start-connect", "iiiiiiiiiiiiiii", "",
     "self,network,remote_address,remote_address_1,remote_address_2,remote_address_3,remote_address_4,remote_address_5,remote_address_6,remote_address_7,remote_address_8,remote_address_9,remote_address_10,remote_address_11,ret",
     "sockets", call_sockets_tcp_socket_start_connect, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.finish-connect", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_finish_connect, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.start-listen", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_start_listen, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.finish-listen", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_finish_listen, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.accept", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_accept, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.local-address", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_local_address, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.remote-address", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_remote_address, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.is-listening", "i", "i", "self", "sockets",
     call_sockets_tcp_socket_is_listening, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.address-family", "i", "i", "self", "sockets",
     call_sockets_tcp_socket_address_family, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.set-listen-backlog-size", "iIi", "", "self,value,ret", "sockets",
     call_sockets_tcp_socket_set_listen_backlog_size, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.keep-alive-enabled", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_keep_alive_enabled, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.set-keep-alive-enabled", "iii", "", "self,value,ret", "sockets",
     call_sockets_tcp_socket_set_keep_alive_enabled, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.keep-alive-idle-time", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_keep_alive_idle_time, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.set-keep-alive-idle-time", "iIi", "", "self,value,ret", "sockets",
     call_sockets_tcp_socket_set_keep_alive_idle_time, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.keep-alive-interval", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_keep_alive_interval, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.set-keep-alive-interval", "iIi", "", "self,value,ret", "sockets",
     call_sockets_tcp_socket_set_keep_alive_interval, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.keep-alive-count", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_keep_alive_count, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.set-keep-alive-count", "iii", "", "self,value,ret", "sockets",
     call_sockets_tcp_socket_set_keep_alive_count, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.hop-limit", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_hop_limit, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.set-hop-limit", "iii", "", "self,value,ret", "sockets",
     call_sockets_tcp_socket_set_hop_limit, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.receive-buffer-size", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_receive_buffer_size, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.set-receive-buffer-size", "iIi", "", "self,value,ret", "sockets",
     call_sockets_tcp_socket_set_receive_buffer_size, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.send-buffer-size", "ii", "", "self,ret", "sockets",
     call_sockets_tcp_socket_send_buffer_size, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.set-send-buffer-size", "iIi", "", "self,value,ret", "sockets",
     call_sockets_tcp_socket_set_send_buffer_size, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.subscribe", "i", "i", "self", "sockets",
     call_sockets_tcp_socket_subscribe, NULL, NULL},
    {"wasi:sockets/tcp@0.2", "[method]tcp-socket.shutdown", "iii", "", "self,shutdown_type,ret", "sockets",
     call_sockets_tcp_socket_shutdown, NULL, NULL},
    {"wasi:sockets/tcp-create-socket@0.2", "create-tcp-socket", "ii", "", "address_family,ret", "sockets",
     call_sockets_create_tcp_socket, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[resource-drop]udp-socket", "i", "", "self", "sockets", drop_udp_socket, NULL,
     (void *)&wn_p2_rt_udp_socket},
    {"wasi:sockets/udp@0.2", "[resource-drop]incoming-datagram-stream", "i", "", "self", "sockets",
     drop_incoming_datagram_stream, NULL, (void *)&wn_p2_rt_incoming_datagram_stream},
    {"wasi:sockets/udp@0.2", "[resource-drop]outgoing-datagram-stream", "i", "", "self", "sockets",
     drop_outgoing_datagram_stream, NULL, (void *)&wn_p2_rt_outgoing_datagram_stream},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.start-bind", "iiiiiiiiiiiiiii", "",
     "self,network,local_address,local_address_1,local_address_2,local_address_3,local_address_4,local_address_5,local_address_6,local_address_7,local_address_8,local_address_9,local_address_10,local_address_11,ret",
     "sockets", call_sockets_udp_socket_start_bind, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.finish-bind", "ii", "", "self,ret", "sockets",
     call_sockets_udp_socket_finish_bind, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.stream", "iiiiiiiiiiiiiii", "",
     "self,remote_address,remote_address_1,remote_address_2,remote_address_3,remote_address_4,remote_address_5,remote_address_6,remote_address_7,remote_address_8,remote_address_9,remote_address_10,remote_address_11,remote_address_12,ret",
     "sockets", call_sockets_udp_socket_stream, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.local-address", "ii", "", "self,ret", "sockets",
     call_sockets_udp_socket_local_address, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.remote-address", "ii", "", "self,ret", "sockets",
     call_sockets_udp_socket_remote_address, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.address-family", "i", "i", "self", "sockets",
     call_sockets_udp_socket_address_family, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.unicast-hop-limit", "ii", "", "self,ret", "sockets",
     call_sockets_udp_socket_unicast_hop_limit, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.set-unicast-hop-limit", "iii", "", "self,value,ret", "sockets",
     call_sockets_udp_socket_set_unicast_hop_limit, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.receive-buffer-size", "ii", "", "self,ret", "sockets",
     call_sockets_udp_socket_receive_buffer_size, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.set-receive-buffer-size", "iIi", "", "self,value,ret", "sockets",
     call_sockets_udp_socket_set_receive_buffer_size, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.send-buffer-size", "ii", "", "self,ret", "sockets",
     call_sockets_udp_socket_send_buffer_size, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.set-send-buffer-size", "iIi", "", "self,value,ret", "sockets",
     call_sockets_udp_socket_set_send_buffer_size, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]udp-socket.subscribe", "i", "i", "self", "sockets",
     call_sockets_udp_socket_subscribe, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]incoming-datagram-stream.receive", "iIi", "", "self,max_results,ret", "sockets",
     call_sockets_incoming_datagram_stream_receive, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]incoming-datagram-stream.subscribe", "i", "i", "self", "sockets",
     call_sockets_incoming_datagram_stream_subscribe, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]outgoing-datagram-stream.check-send", "ii", "", "self,ret", "sockets",
     call_sockets_outgoing_datagram_stream_check_send, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]outgoing-datagram-stream.send", "iiii", "", "self,datagrams,datagrams_len,ret",
     "sockets", call_sockets_outgoing_datagram_stream_send, NULL, NULL},
    {"wasi:sockets/udp@0.2", "[method]outgoing-datagram-stream.subscribe", "i", "i", "self", "sockets",
     call_sockets_outgoing_datagram_stream_subscribe, NULL, NULL},
    {"wasi:sockets/udp-create-socket@0.2", "create-udp-socket", "ii", "", "address_family,ret", "sockets",
     call_sockets_create_udp_socket, NULL, NULL},
    {"wasi:cli/environment@0.2", "get-environment", "i", "", "ret", "env", call_cli_get_environment, NULL, NULL},
    {"wasi:cli/environment@0.2", "get-arguments", "i", "", "ret", "env", call_cli_get_arguments, NULL, NULL},
    {"wasi:cli/environment@0.2", "initial-cwd", "i", "", "ret", "env", call_cli_initial_cwd, NULL, NULL},
    {"wasi:cli/exit@0.2", "exit", "i", "", "status", "process", call_cli_exit, NULL, NULL},
    {"wasi:cli/exit@0.2", "exit-with-code", "i", "", "status_code", "process", call_cli_exit_with_code, NULL, NULL},
    {"wasi:cli/stdin@0.2", "get-stdin", "", "i", "", "streams", call_cli_get_stdin, NULL, NULL},
    {"wasi:cli/stdout@0.2", "get-stdout", "", "i", "", "streams", call_cli_get_stdout, NULL, NULL},
    {"wasi:cli/stderr@0.2", "get-stderr", "", "i", "", "streams", call_cli_get_stderr, NULL, NULL},
    {"wasi:cli/terminal-input@0.2", "[resource-drop]terminal-input", "i", "", "self", "streams", drop_terminal_input,
     NULL, (void *)&wn_p2_rt_terminal_input},
    {"wasi:cli/terminal-output@0.2", "[resource-drop]terminal-output", "i", "", "self", "streams",
     drop_terminal_output, NULL, (void *)&wn_p2_rt_terminal_output},
    {"wasi:cli/terminal-stdin@0.2", "get-terminal-stdin", "i", "", "ret", "streams", call_cli_get_terminal_stdin,
     NULL, NULL},
    {"wasi:cli/terminal-stdout@0.2", "get-terminal-stdout", "i", "", "ret", "streams", call_cli_get_terminal_stdout,
     NULL, NULL},
    {"wasi:cli/terminal-stderr@0.2", "get-terminal-stderr", "i", "", "ret", "streams", call_cli_get_terminal_stderr,
     NULL, NULL},
};

#endif
#endif
