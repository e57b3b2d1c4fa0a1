import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

/** What `initBackend()` answers in a process of its own, in which the packages whose name matches `missing` aren't there. */
function backendWithout(missing: string, wanted = ""): { name: string; why: string } {
  const code = `
    const { Module } = require("node:module");
    const load = Module._load;
    Module._load = (name, ...rest) => {
      if (new RegExp(${JSON.stringify(missing)}).test(name)) throw new Error("Cannot find module '" + name + "'");
      return load(name, ...rest);
    };
    require(${JSON.stringify(path.join(__dirname, "backend"))}).initBackend().then(
      (backend) => console.log("\\n" + JSON.stringify(backend)),
      (error) => console.log("\\n" + JSON.stringify({ name: "none", why: error.message })),
    );`;
  const env = { ...process.env, ACRONYM_BACKEND: wanted };
  const out = execFileSync(process.execPath, ["--import", "tsx", "-e", code], { env, encoding: "utf8" });
  return JSON.parse(out.trimEnd().split("\n").at(-1)!);
}

const NATIVE = "^tfjs-node-native";
const ONNX = "^onnxruntime-node";
const WASM = "^@tensorflow/tfjs-backend-wasm";

test("without its packages a backend gives way to the next, which says why", () => {
  const wasm = backendWithout(`${NATIVE}|${ONNX}`);
  assert.equal(wasm.name, "wasm");
  assert.match(wasm.why, /native: Cannot find module 'tfjs-node-native'; onnx: Cannot find module 'onnxruntime-node'/);
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
