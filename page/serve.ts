/** A server of files for this machine alone. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** An address's path as text; "", which is nowhere, if it is none. */
function decoded(path: string): string {
  try {
    const text = decodeURIComponent(path);
    return text.includes("\0") ? "" : text; // no file's name has one, and the file system throws
  } catch {
    return "";
  }
}

/**
 * Serves a folder on this machine.
 * @param port 0: any that is free
 * @param prefix the path under which it is served, "/some/where/"
 * @returns the address, and what ends it
 */
export function serve(folder: string, prefix = "/", port = 0): Promise<{ address: string; close(): void }> {
  const server = createServer((request, response) => {
    const path = decoded((request.url ?? "/").split(/[?#]/)[0]);
    const file = normalize(join(folder, path.slice(prefix.length), path.endsWith("/") ? "index.html" : ""));
    const isInside = path.startsWith(prefix) && file.startsWith(folder + sep);
    if (!isInside || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404).end("not found");
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  return new Promise((done) => {
    server.listen(port, "127.0.0.1", () => {
      const { port: own } = server.address() as AddressInfo;
      const close = () => {
        server.closeAllConnections();
        server.close();
      };
      done({ address: `http://127.0.0.1:${own}${prefix}`, close });
    });
  });
}
