;; Instances of modules and components: what each has of its own, what they share, and closures over what is outside.

(component $Outer
  (core module $Counter
    (global $n (mut i32) (i32.const 0))
    (func (export "next") (result i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (global.get $n)))
  ;; A component that takes a module of the one around it: each instance has a counter of its own.
  (component $Inner
    (alias outer $Outer $Counter (core module $c))
    (core instance $i (instantiate $c))
    (func (export "next") (result u32) (canon lift (core func $i "next"))))
  (instance $a (instantiate $Inner))
  (instance $b (instantiate $Inner))
  (export "next-a" (func $a "next"))
  (export "next-b" (func $b "next"))

  ;; A component that is given as an argument, and instantiated there.
  (component $Maker
    (import "make" (component $make (export "next" (func (result u32)))))
    (instance $one (instantiate $make))
    (export "next" (func $one "next")))
  (instance $c (instantiate $Maker (with "make" (component $Inner))))
  (export "next-c" (func $c "next"))

  ;; An instance made of what is there, taken apart again.
  (instance $bag (export "x" (func $a "next")) (export "y" (instance $b)))
  (alias export $bag "y" (instance $again))
  (export "next-b2" (func $again "next"))
)
(assert_return (invoke "next-a") (u32.const 1))
(assert_return (invoke "next-a") (u32.const 2))
(assert_return (invoke "next-b") (u32.const 1))
(assert_return (invoke "next-b2") (u32.const 2))
(assert_return (invoke "next-c") (u32.const 1))
(assert_return (invoke "next-a") (u32.const 3))

;; A shim, its fixup, and a function between them that is called by nobody else.
(component
  (core module $Shim
    (type $f (func (param i32) (result i32)))
    (table (export "$imports") 1 1 funcref)
    (func (export "0") (type $f) (local.get 0) (i32.const 0) (call_indirect (type $f))))
  (core module $Fixup
    (import "" "0" (func (param i32) (result i32)))
    (import "" "$imports" (table 1 1 funcref))
    (elem (i32.const 0) func 0))
  (core module $Main
    (import "late" "double" (func $double (param i32) (result i32)))
    (func (export "run") (param i32) (result i32) (i32.add (call $double (local.get 0)) (i32.const 1))))
  (core module $Double
    (func (export "double") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1))))
  (core instance $shim (instantiate $Shim))
  (core instance $main (instantiate $Main (with "late" (instance (export "double" (func $shim "0"))))))
  (core instance $double (instantiate $Double))
  (core instance (instantiate $Fixup (with "" (instance
    (export "0" (func $double "double"))
    (export "$imports" (table $shim "$imports"))))))
  (func (export "run") (param "x" u32) (result u32) (canon lift (core func $main "run")))
)
(assert_return (invoke "run" (u32.const 20)) (u32.const 41))

;; Nobody enters a component that is under way, and nobody is called before he is there.
(component definition $Early
  (core module $Shim
    (type $f (func))
    (table (export "$imports") 1 1 funcref)
    (func (export "0") (type $f) (i32.const 0) (call_indirect (type $f))))
  (core instance $shim (instantiate $Shim))
  (core module $Main
    (import "late" "f" (func $f))
    (func (export "run") (call $f)))
  (core instance $main (instantiate $Main (with "late" (instance (export "f" (func $shim "0"))))))
  (func (export "run") (canon lift (core func $main "run")))
)
(component instance $i $Early)
(assert_trap (invoke "run") "called before it is there")
