;; Accepts one connection on the listener that it was granted (descriptor 3) and sends back all that it receives.
(module
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)

  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (local.get $errno)))))

  (func (export "_start")
    (call $check (call $accept (i32.const 3) (i32.const 0) (i32.const 0)))
    (i32.store (i32.const 8) (i32.const 4096))             ;; one piece: at 8, (pointer, length)
    (loop $more
      (i32.store (i32.const 12) (i32.const 4096))
      (call $check (call $recv (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 0)
                               (i32.const 16) (i32.const 20)))
      (if (i32.load (i32.const 16))
        (then
          (i32.store (i32.const 12) (i32.load (i32.const 16)))
          (call $check (call $send (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 0) (i32.const 16)))
          (br $more))))
    (call $check (call $close (i32.load (i32.const 0))))))
