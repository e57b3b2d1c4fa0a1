/** Tables in JSON, as a model's small files have them. */

export const isTable = (json: unknown): json is Record<string, unknown> =>
  json !== null && typeof json === "object" && !Array.isArray(json);

/**
 * The table, `{…}`, that a file's text holds.
 * Throws an Error naming the file if it doesn't.
 * @param what it should hold, for the message
 */
export function parseTable(text: string, file: string, what: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is not JSON (${(error as Error).message}); fetch it again`, { cause: error });
  }
  if (!isTable(json)) throw new Error(`${file} holds no ${what}: fetch it again`);
  return json;
}
