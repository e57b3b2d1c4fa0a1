/** Valid .safetensors files and almost valid ones, and small damage to them. */

import type { Random } from "../../src/numbers/random";
import { encodeHeader } from "../checkpoint/encode";

const FILES: readonly Uint8Array[] = [
  encodeHeader(new Map([["wte.weight", { shape: [3, 2], dtype: "F32" }]]), { format: "pt" }),
  encodeHeader(
    new Map([
      ["a", { shape: [2], dtype: "F32" }],
      ["b", { shape: [], dtype: "F32" }],
      ["c", { shape: [0, 5], dtype: "F16" }],
      ["d", { shape: [3], dtype: "BF16" }],
      ["e", { shape: [2, 1, 2], dtype: "F16" }],
    ]),
  ),
  encodeHeader(
    new Map([
      ["h.0.attn.bias", { shape: [1, 1, 2, 2], dtype: "U8" }],
      ["mask", { shape: [3], dtype: "BOOL" }],
      ["ids", { shape: [2], dtype: "I64" }],
      ["packed", { shape: [4, 2], dtype: "F6_E3M2" }],
    ]),
    { 'quote " and \\': "é😀\n", __proto__2: "" },
  ),
  encodeHeader(new Map()),
];

const NAMES = ["a", "b", "c", "d", "e", "f", "\\u0061", "__proto__", ""];
const DTYPES = { F32: 4, F16: 2, BF16: 2, F64: 8, U8: 1, BOOL: 1, I64: 8, C64: 8, F8_E4M3: 1, F4: 0.5, F6_E2M3: 0.75 };

/** A header that is well written; its ranges fit mostly, but a name may stand twice and a number be somewhat wrong. */
function plausibleHeader({ int, pick, shuffle }: Random): string {
  const jitter = () => (int(24) === 0 ? int(9) - 4 : 0);
  let end = 0;
  const entries = Array.from({ length: int(6) }, () => {
    const dtype = pick(Object.keys(DTYPES) as (keyof typeof DTYPES)[]);
    const shape = Array.from({ length: int(4) }, () => pick([0, 1, 1, 2, 2, 3, 4, 4]));
    const begin = Math.max(0, end + jitter()); // a hole or an overlap
    end = begin;
    end += Math.ceil(shape.reduce((a, b) => a * b, DTYPES[dtype])) + jitter();
    return `"${pick(NAMES)}":{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${end}]}`;
  });
  return `{${shuffle(int(2) === 0 ? entries : ['"__metadata__":{"format":"pt"}', ...entries])}}`;
}

/** What a piece of a header is replaced by: other values of its kind, other kinds, and what numbers can go wrong with. */
const PIECES = [
  ..."0 1 2 3 4 5 6 8 12 16 24 -1 -0 1.0 0.5 1e0 1e3 1e999 01 +1 0x1 NaN Infinity 4294967296 1099511627776".split(" "),
  ..."9007199254740991 9007199254740992 9007199254740993 18446744073709551615 18446744073709551616".split(" "),
  ...'"F32" "F16" "BF16" "F64" "U8" "BOOL" "F4" "F6_E2M3" "f32" "toString" "a" "b" "\\u0061" "" "__metadata__"'.split(
    " ",
  ),
  ...'"__proto__" "dtype" "shape" "data_offsets" "\\ud800" "\\x" null true [] {} [0] [0,4] [[]] {"a":"b"}'.split(" "),
  ...'{ } [ ] : , \\ " \n \ufeff \u00a0 \u0000'.split(" "),
  " ",
];
/** A text, a number or word, or a sign of its own. */
const PIECE = /"(?:[^"\\]|\\.)*"|[-+.\w]+|[^ \t\r\n]/g;

/** Random data of the length that a header calls for, a few bytes at most. */
function dataFor(header: string, { int }: Random): Uint8Array {
  const ends = [...header.matchAll(/"data_offsets":\[-?\d+,(\d+)\]/g)].map(([, end]) => Number(end));
  return Uint8Array.from({ length: Math.max(0, ...ends) }, () => int(256));
}

const kindOf = (piece: string) => (/^[-+.\w]/.test(piece) ? "number" : piece[0]);

function changePieces(header: string, { int, pick }: Random): string {
  const pieces = [...header.matchAll(PIECE)].map(([piece]) => piece);
  const at = int(pieces.length);
  const [from, length] = [int(pieces.length), 1 + int(12)];
  const alike = (list: readonly string[]) => list.filter((piece) => kindOf(piece) === kindOf(pieces[at]));
  const replaceAlike = () => pieces.splice(at, 1, pick([...alike(PIECES), pieces[at]]));
  const changes = [
    replaceAlike,
    replaceAlike,
    replaceAlike,
    () => pieces.splice(at, 1, pick(alike(pieces))),
    () => pieces.splice(at, 1, pick(PIECES)),
    () => pieces.splice(at, 0, pick(PIECES)),
    () => pieces.splice(at, length),
    () => pieces.splice(at, 0, ...pieces.slice(from, from + length)),
    () => pieces.splice(at, 0, "[".repeat(1 << int(10))),
  ];
  pick(changes)();
  return pieces.join(pick(["", "", "", " ", "\t\r\n"]));
}

function changeBytes(bytes: Uint8Array, { int, pick }: Random): Uint8Array {
  const at = int(bytes.length);
  const changes = [
    () => bytes.with(at, bytes[at] ^ (1 << int(8))),
    () => bytes.with(at, int(256)),
    () => bytes.slice(0, at),
    () => Buffer.concat([bytes, new Uint8Array(1 + int(9))]),
    () => Buffer.concat([bytes.subarray(0, at), Uint8Array.of(int(256)), bytes.subarray(at)]),
    () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
    () => bytes.with(int(8) % bytes.length, int(256)), // the header's length
    () => bytes.with(0, (bytes[0] + int(9) - 4) & 255),
  ];
  return pick(changes)();
}

/**
 * A file with up to three changes of its header's text or its bytes. The length before the header fits, unless that is what was changed;
 * the data fits the header before the changes.
 */
export function mutatedFile(random: Random): Uint8Array {
  const { int, pick } = random;
  const isPlausible = int(2) === 0;
  const header = isPlausible ? plausibleHeader(random) : Buffer.from(pick(FILES).subarray(8)).toString();
  const data = dataFor(header, random);
  const [textChanges, byteChanges] = pick(
    isPlausible
      ? [
          [0, 0],
          [0, 0],
          [1, 0],
          [2, 0],
          [0, 1],
        ]
      : [
          [1, 0],
          [1, 0],
          [2, 0],
          [0, 1],
          [1, 1],
          [0, 3],
        ],
  );
  let text = header;
  for (let i = 0; i < textChanges; i++) if (text.trim() !== "") text = changePieces(text, random);
  const json = Buffer.from(text);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  let bytes: Uint8Array = new Uint8Array(Buffer.concat([length, json, data]));
  for (let i = 0; i < byteChanges; i++) if (bytes.length > 0) bytes = changeBytes(bytes, random);
  return bytes;
}
