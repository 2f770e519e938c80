;; Modules that share a memory and a global that never changes, as a program and its adapter do.
(component
  (core module $Base
    (memory (export "mem") 1)
    (global (export "at") i32 (i32.const 64))
    (func (export "sum") (result i32) (i32.add (i32.load (i32.const 64)) (i32.load (i32.const 65540)))))
  (core module $Use
    (import "base" "mem" (memory 1))
    (import "base" "at" (global $at i32))
    (import "base" "sum" (func $sum (result i32)))
    (data (global.get $at) "\05")
    (func (export "sum") (result i32)
      (drop (memory.grow (i32.const 1)))
      (i32.store (i32.const 65540) (i32.const 37))
      (call $sum)))
  (core instance $base (instantiate $Base))
  (core instance $use (instantiate $Use (with "base" (instance $base))))
  (func (export "sum") (result u32) (canon lift (core func $use "sum")))
)
(assert_return (invoke "sum") (u32.const 42))
