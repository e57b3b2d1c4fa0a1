// Which messages the kernel takes. Its ports are open to every user of the machine and what it publishes can be read without
// a key, so that only a message's signature says that it comes from who started the kernel.
const { createHmac, timingSafeEqual } = require("node:crypto");

const DELIMITER = Buffer.from("<IDS|MSG>");
/** Header, parent header, metadata, content: what the signature covers. */
const SIGNED_FRAMES = 4;
/** How many taken messages are remembered: as many as by Jupyter's own session. */
const REMEMBERED = 65_536;
/** What a kernel publishes is signed, too, and could be sent back to it: it is no request. */
const ACCEPTED = /_request$|^comm_/;

/**
 * A guard for one kernel. It says nothing about messages that it refuses: an answer would help who sent them.
 * @param {string} key
 * @param {number} [remembered]
 * @returns {(frames: readonly Buffer[]) => Buffer[] | undefined} the message, without frames that its signature does not
 * cover; undefined if it is malformed, wrongly signed, or was taken before
 */
function createGuard(key, remembered = REMEMBERED) {
  /** @type {Set<string>} */
  const taken = new Set();
  return (frames) => {
    const start = frames.findIndex((frame) => frame.equals(DELIMITER)) + 2;
    const end = start + SIGNED_FRAMES;
    if (start < 2 || frames.length < end) return undefined;
    const [signature, signed] = [frames[start - 1], frames.slice(start, end)];
    const right = sign(key, signed);
    if (signature.length !== right.length || !timingSafeEqual(signature, right)) return undefined;
    if (taken.has(right.toString()) || !isRequest(signed)) return undefined;
    taken.add(right.toString());
    if (taken.size > remembered) taken.delete(taken.values().next().value ?? "");
    return frames.slice(0, end);
  };
}

/**
 * @param {string} key
 * @param {readonly Buffer[]} frames
 */
function sign(key, frames) {
  const hash = createHmac("sha256", key);
  for (const frame of frames) hash.update(frame);
  return Buffer.from(hash.digest("hex"));
}

/** @param {readonly Buffer[]} frames */
function isRequest(frames) {
  try {
    const parts = frames.map((frame) => JSON.parse(frame.toString()));
    return parts.every((part) => typeof part === "object" && part !== null) && ACCEPTED.test(parts[0].msg_type);
  } catch {
    return false;
  }
}

/**
 * The key of a connection file. Without one Jupyter's rule is that everybody may send, which no kernel here allows.
 * Throws if there is no key, or another way to sign is asked for.
 * @param {{ key?: unknown, signature_scheme?: unknown }} connection
 * @returns {string}
 */
function keyOf({ key, signature_scheme: scheme = "hmac-sha256" }) {
  if (typeof key !== "string" || key === "") {
    throw new Error(
      "The connection file has no key: every user of this machine could run code as you. Leave Jupyter's Session.key as it is.",
    );
  }
  if (scheme !== "hmac-sha256") {
    throw new Error(`The connection file asks for signatures by "${scheme}"; this kernel knows "hmac-sha256" only.`);
  }
  return key;
}

module.exports = { createGuard, keyOf };
