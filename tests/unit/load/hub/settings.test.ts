import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { hubSettings } from "../../../../src/load/hub/settings";

let home: string;
before(() => {
  home = mkdtempSync(path.join(tmpdir(), "hf-"));
});
after(() => rmSync(home, { recursive: true }));

test("without variables all is where Hugging Face's tools have it", () => {
  const { endpoint, cache, offline } = hubSettings({});
  assert.equal(endpoint, "https://huggingface.co");
  assert.equal(cache, path.join(homedir(), ".cache", "huggingface", "hub"));
  assert.equal(offline, false);
  assert.equal(hubSettings({ XDG_CACHE_HOME: home }).home, path.join(home, "huggingface"));
});

test("each variable has the meaning that it has there", () => {
  assert.equal(hubSettings({ HF_HOME: home }).cache, path.join(home, "hub"));
  assert.equal(hubSettings({ HF_HOME: "/elsewhere", HF_HUB_CACHE: home }).cache, home);
  assert.equal(hubSettings({ HF_HOME: path.join("~", "hf") }).home, path.join(homedir(), "hf"));
  assert.equal(hubSettings({ HF_ENDPOINT: "http://mirror.example/hf/" }).endpoint, "http://mirror.example/hf");
  for (const yes of ["1", "true", "YES", "on"]) assert.equal(hubSettings({ HF_HUB_OFFLINE: yes }).offline, true);
  for (const no of ["", "0", "false"]) assert.equal(hubSettings({ HF_HUB_OFFLINE: no }).offline, false);
});

test("the token is the variable's, else the stored one, else none", () => {
  assert.equal(hubSettings({ HF_HOME: home }).token, undefined);
  writeFileSync(path.join(home, "token"), "stored\n");
  mkdirSync(path.join(home, "more"));
  writeFileSync(path.join(home, "more", "token"), "other");
  assert.equal(hubSettings({ HF_HOME: home }).token, "stored");
  assert.equal(hubSettings({ HF_HOME: home, HF_TOKEN_PATH: path.join(home, "more", "token") }).token, "other");
  assert.equal(hubSettings({ HF_HOME: home, HF_TOKEN: " set " }).token, "set");
});

test("an address that is none is named with its variable", () => {
  for (const bad of ["huggingface.co", "ftp://huggingface.co"])
    assert.throws(
      () => hubSettings({ HF_ENDPOINT: bad }),
      new RegExp(`HF_ENDPOINT is "${bad}"; .*https://huggingface`),
    );
});

test("older names of variables count where the newer one isn't set", () => {
  assert.equal(hubSettings({ HUGGINGFACE_HUB_CACHE: home }).cache, home);
  assert.equal(hubSettings({ HUGGINGFACE_HUB_CACHE: "/elsewhere", HF_HUB_CACHE: home }).cache, home);
  assert.equal(hubSettings({ TRANSFORMERS_OFFLINE: "1" }).offline, true);
  assert.equal(hubSettings({ TRANSFORMERS_OFFLINE: "1", HF_HUB_OFFLINE: "0" }).offline, false);
  assert.equal(hubSettings({ HF_HOME: "/nowhere", HUGGING_FACE_HUB_TOKEN: "old" }).token, "old");
  assert.equal(hubSettings({ HUGGING_FACE_HUB_TOKEN: "old", HF_TOKEN: "new" }).token, "new");
  assert.equal(hubSettings({ HF_TOKEN: "new", HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" }).token, undefined);
});

test("variables within a folder's name are put in; unknown ones stay", () => {
  const env = { BASE: home, HF_HOME: "$BASE/hf" };
  assert.equal(hubSettings(env).home, path.join(home, "hf"));
  assert.equal(hubSettings({ ...env, HF_HUB_CACHE: ["$", "{BASE}2/x"].join("") }).cache, `${home}2${path.sep}x`);
  assert.equal(hubSettings({ HF_HOME: "/a/$NOT_SET" }).home, path.resolve("/a/$NOT_SET"));
});

test("a token's line breaks are left out; what can't be sent is refused without showing it", () => {
  assert.equal(hubSettings({ HF_TOKEN: "hf_\nabc\r\n" }).token, "hf_abc");
  for (const bad of ["hf secret", "hf_\u0000secret", "hf_sécret"])
    assert.throws(
      () => hubSettings({ HF_TOKEN: bad }),
      ({ message }: Error) => /^HF_TOKEN holds no token/.test(message) && !/s[eé]cret/.test(message),
    );
});
