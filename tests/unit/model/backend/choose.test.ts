import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { reasonOf } from "../../../../src/model/backend/choose";

/** What `initBackend()` answers in a process of its own, after `prepare`, the source of a program that may play tricks. */
function backendAfter(prepare: string, wanted = ""): { name: string; why: string } {
  const code = `${prepare};
    require(${JSON.stringify(path.join(__dirname, "../../../../dist/model/backend/choose"))}).initBackend().then(
      (backend) => console.log("\\n" + JSON.stringify(backend)),
      (error) => console.log("\\n" + JSON.stringify({ name: "none", why: error.message })),
    );`;
  const env = { ...process.env, ACRONYM_BACKEND: wanted };
  const out = execFileSync(process.execPath, ["-e", code], { env, encoding: "utf8" });
  return JSON.parse(out.trimEnd().split("\n").at(-1)!);
}

/** The same where the packages whose name matches `missing` aren't there. */
const backendWithout = (missing: string, wanted = "") =>
  backendAfter(
    `const { Module } = require("node:module");
    const resolve = Module._resolveFilename;
    Module._resolveFilename = (name, ...rest) => {
      if (new RegExp(${JSON.stringify(missing)}).test(name)) throw new Error("Cannot find module '" + name + "'");
      return resolve(name, ...rest);
    }`,
    wanted,
  );

const NATIVE = "^tfjs-node-native";
const ONNX = "^onnxruntime-node";
const WASM = "^@tensorflow/tfjs-backend-wasm";

test("without its packages a backend gives way to the next, which says why", () => {
  const wasm = backendWithout(`${NATIVE}|${ONNX}`);
  assert.equal(wasm.name, "wasm");
  assert.match(wasm.why, /native: not built here \(.*npm run native.*\); onnx: Cannot find module 'onnxruntime-node'/);
  const cpu = backendWithout(`${NATIVE}|${ONNX}|${WASM}`);
  assert.equal(cpu.name, "cpu");
  assert.match(cpu.why, /plain JavaScript, slow.*wasm: Cannot find module/);
});

test("only the package of that name is ever called native", () => {
  assert.notEqual(backendWithout(NATIVE).name, "native");
});

test("a backend that was asked for is not replaced by another", () => {
  assert.match(backendWithout(ONNX, "onnx").why, /no tfjs backend starts.*onnx: Cannot find module 'onnxruntime-node'/);
  assert.equal(backendWithout("^nothing$", "wasm").name, "wasm");
  assert.match(backendWithout("^nothing$", "gpu").why, /ACRONYM_BACKEND is "gpu"; it can be native, onnx, wasm, cpu/);
});

test("threads are as many as are asked for, and what is no number of them is refused", () => {
  const asking = (threads: string) => backendAfter(`process.env.ACRONYM_THREADS = "${threads}"`, "onnx").why;
  assert.match(asking("1"), /threads: 1 /);
  assert.match(asking("3"), /threads: 3 /);
  for (const wrong of ["0", "1.5", "-1", "many", "513"])
    assert.match(
      asking(wrong),
      new RegExp(`^ACRONYM_THREADS is "${wrong}"; it can be a whole number from 1 to 512, or`),
    );
});

/** A tfjs-node that loads and whose kernel `name` gives what `wrong` makes of its numbers. */
const withWrongNative = (name: string, wrong: string) => `
  const { Module } = require("node:module");
  const tf = require("@tensorflow/tfjs");
  const { _resolveFilename: resolve, _load: load } = Module;
  Module._resolveFilename = (file, ...rest) => (/tfjs_binding/.test(file) ? file : resolve(file, ...rest));
  Module._load = (file, ...rest) => {
    if (file !== "tfjs-node-native") return load(file, ...rest);
    tf.registerBackend("tensorflow", tf.findBackendFactory("cpu"));
    tf.copyRegisteredKernels("cpu", "tensorflow");
    const kernel = tf.getKernel(${JSON.stringify(name)}, "tensorflow");
    tf.unregisterKernel(kernel.kernelName, "tensorflow");
    tf.registerKernel({
      ...kernel,
      kernelFunc: (args) => {
        const out = kernel.kernelFunc(args);
        const values = args.backend.data.get(out.dataId).values;
        values.set(Array.from(values).map(${wrong}));
        return out;
      },
    });
    return { version: { tfjs: "fake" } };
  }`;

test("a native library that computes wrong numbers gives way to the next backend", () => {
  const right = backendAfter(withWrongNative("BatchMatMul", "(x) => x"));
  assert.equal(right.name, "native", right.why);
  for (const [kernel, wrong] of [
    ["BatchMatMul", "(x) => x * 1.001"],
    ["BatchMatMul", "(x, i) => (i === 8 ? NaN : x)"],
    ["Sigmoid", "(x) => Math.round(x * 1000) / 1000"],
    ["Softmax", "(x) => x + 0.001"],
  ]) {
    const { name, why } = backendAfter(withWrongNative(kernel, wrong));
    assert.ok(name === "onnx" || name === "wasm", `${kernel}: ${name}`);
    assert.match(why, /native: tfjs-node computes wrong numbers \(.*: .* instead of .*\)/, kernel);
  }
  const asked = backendAfter(withWrongNative("BatchMatMul", "(x) => -x"), "native");
  assert.match(asked.why, /no tfjs backend starts.*native: tfjs-node computes wrong numbers/);
});

test("a reason names files without their folders", () => {
  const reason = (message: string) => reasonOf(new Error(message));
  const own = path.join(process.cwd(), "node_modules", "a", "b.node");
  assert.equal(reason(`can not be found at path: ${own}. \nPlease run`), "can not be found at path: b.node.");
  assert.equal(reason(`Cannot find module '${own}'\nRequire stack:\n- ${own}`), "Cannot find module 'b.node'");
  assert.equal(
    reason("/lib/x86_64/libc.so.6: version `GLIBC_2.38' not found (required by /home/jo/p/x.node)"),
    "libc.so.6: version `GLIBC_2.38' not found (required by x.node)",
  );
  assert.equal(
    reason("\\\\?\\C:\\Users\\jo\\x.node is not a valid Win32 application"),
    "x.node is not a valid Win32 application",
  );
  assert.equal(reason("C:\\Users\\jo\\x.node"), "x.node");
  assert.equal(reason("in file:///home/jo/x.js"), "in x.js");
  for (const kept of [
    "Cannot find module '@tensorflow/tfjs-backend-wasm'",
    "see https://nodejs.org/api/errors.html",
    "1 / 2",
  ])
    assert.equal(reason(kept), kept);
});
