import { createHash } from "node:crypto";

/** SHA-256 of a content that is in memory, as 64 digits. */
export const sha256 = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");
