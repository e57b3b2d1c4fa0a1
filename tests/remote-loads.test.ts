// The judge of pages and pictures is judged first.
import assert from "node:assert/strict";
import { test } from "node:test";
import { remoteLoads } from "./fixtures/remote-loads";

const AT = "//example.org/a";

for (const load of [
  `<img src="https:${AT}">`,
  `<script src=http:${AT}></script>`,
  `<link rel="stylesheet" href='${AT}'>`,
  `<svg><image x="1" href="http:${AT}"/></svg>`,
  `<svg><image xlink:href="http:${AT}"/></svg>`,
  `<p style="color:red;background:url(http:${AT})">`,
  `<p style="background:url(&quot;http:${AT}&quot;)">`,
  `<text style="fill: url('http:${AT}#b')">`,
  `<rect fill='url("http:${AT}")'/>`,
  `<style>p { color: red } @import "http:${AT}";</style>`,
  `<style>p { background: url(${AT}) }</style>`,
])
  test(`a load: ${load}`, () => assert.equal(remoteLoads(load).length, 1));

for (const text of [
  `<a href="http:${AT}">a link</a>`,
  `<p>url(http:${AT})</p>`,
  `<text data-unformatted="&lt;span style=&quot;fill:url(http:${AT})&quot;&gt;">&lt;img src=http:${AT}&gt;</text>`,
  `<rect fill="url(#gradient)"/>`,
  `<script>"<img src='http:${AT}'>"</script>`,
])
  test(`no load: ${text}`, () => assert.deepEqual(remoteLoads(text), []));
