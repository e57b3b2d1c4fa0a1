/** Colours of cells, those of the library's figures, and the ink that can be read on them. */
import { DIVERGING, INK, PALE, SEQUENTIAL } from "../src/figures/style";

export interface Paint {
  readonly fill: string;
  readonly ink: string;
}

const parts = (hex: string) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));

/** A colour of a scale at a share of its length. */
function along(scale: readonly [number, string][], share: number): Paint {
  const at = Math.min(1, Math.max(0, share)) * (scale.length - 1);
  const low = Math.min(Math.floor(at), scale.length - 2);
  const [a, b] = [parts(scale[low][1]), parts(scale[low + 1][1])];
  const rgb = a.map((value, i) => Math.round(value + (b[i] - value) * (at - low)));
  return { fill: `rgb(${rgb.join(",")})`, ink: luminance(rgb) > 0.19 ? INK : "#ffffff" };
}

/** Relative luminance by WCAG: above 0.19 dark ink has more contrast than white. */
const luminance = (rgb: readonly number[]): number =>
  rgb
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);

/** Changes of one map: white is 0, red harm, blue help; the strongest colour means at least `PALE`. */
export function changePaint(changes: readonly number[]): (change: number) => Paint {
  const most = Math.max(PALE, ...changes.map(Math.abs));
  return (change) => along(DIVERGING, 0.5 + change / most / 2);
}

/** Shares of attention. */
export const sharePaint = (share: number): Paint => along(SEQUENTIAL, share);
