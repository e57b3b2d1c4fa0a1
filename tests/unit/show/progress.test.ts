import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { percent, progress } from "../../../src/show/progress";
import { inNotebook, printed } from "../../fixtures/notebook";

describe("progress", () => {
  it("renews one output and ends with a text that is the same in every run", async () => {
    const outputs = await inNotebook(async () => {
      const step = progress(500, "patching <heads>");
      for (let i = 1; i <= 500; i++) {
        step(i);
        if (i % 100 === 0) await new Promise((done) => setTimeout(done, 60));
      }
    });
    assert.ok(outputs.length >= 2 && outputs.length <= 6, `${outputs.length} outputs in 0.3 s`);
    assert.equal(new Set(outputs.map((output) => output.transient.display_id)).size, 1);
    assert.deepEqual(
      outputs.map((output) => output.update),
      outputs.map((_, i) => i > 0),
    );
    const last = outputs[outputs.length - 1].data;
    assert.deepEqual(last, {
      "text/html": "patching &lt;heads&gt;: 500 of 500",
      "text/plain": "patching <heads>: 500 of 500",
    });
  });

  it("prints only the end where no one looks at a terminal", async () => {
    const terminal = process.stdout.isTTY;
    process.stdout.isTTY = false;
    try {
      const lines = await printed(() => [1, 2, 3].forEach(progress(3, "heads")));
      assert.deepEqual(lines, ["heads: 3 of 3"]);
    } finally {
      process.stdout.isTTY = terminal;
    }
  });

  it("counts in percent what counts its own points", async () => {
    const outputs = await inNotebook(async () => {
      const step = percent("heads");
      for (const done of [1, 2, 3]) step(done, 3);
    });
    assert.equal(outputs[0].data["text/plain"], "heads: 33%");
    assert.equal(outputs.at(-1)!.data["text/plain"], "heads: 100%");
  });

  it("counts bytes in kB or MB, with the speed and the time left, without what was there before", async () => {
    let now = 0;
    const clock = mock.method(Date, "now", () => now);
    try {
      const outputs = await inNotebook(() => {
        const large = progress(548_105_171, "model.safetensors", { unit: "bytes", from: 100e6 });
        now = 4_000;
        large(148e6);
        now = 4_050;
        large(149e6); // too soon after the last one
        now = 40_000;
        large(548_105_171);
        progress(665, "config.json", { unit: "bytes" })(665);
      });
      assert.deepEqual(
        outputs.map(({ data }) => data["text/plain"]),
        [
          "model.safetensors: 148 of 549 MB, 12.0 MB/s, about 34 s left",
          "model.safetensors: 549 of 549 MB",
          "config.json: 1 of 1 kB",
        ],
      );
    } finally {
      clock.mock.restore();
    }
  });
});
