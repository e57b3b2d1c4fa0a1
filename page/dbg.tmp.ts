import { chromium } from "playwright-core";
import { serve } from "./serve";

(async () => {
  const { address, close } = await serve("/work/wt/e/out/page", "/some/where/");
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  const page = await browser.newPage();
  page.on("console", (m) => console.log(m.type(), m.text()));
  page.on("pageerror", (e) => console.log("ERROR", e.message, e.stack));
  await page.goto(address + "?backend=wasm");
  await page.waitForTimeout(4000);
  console.log(await page.locator("[role=alert]").allTextContents());
  await browser.close();
  close();
})();
