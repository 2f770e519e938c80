;; high - a memory of 33,000 pages: addresses from 2^31 on are addresses, not negative numbers.
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (memory (export "memory") 33000)
  (func (export "clock") (param i32) (result i32)
    (call $clock_time_get (i32.const 0) (i64.const 0) (local.get 0)))
  (func (export "random") (param i32 i32) (result i32) (call $random_get (local.get 0) (local.get 1)))
  (func (export "load") (param i32) (result i64) (i64.load (local.get 0))))
