/**
 * Part logits on the network's grid to the part of every person pixel.
 *
 * The formula (as in `bodypix/decoding/parts.py`): 24 part logits are resized to network pixels,
 * activated, resized to image pixels; the largest wins, the lowest id on ties. Most of it is
 * decided without computing the values: bilinear interpolation weighs the four corners of a cell
 * alike for all channels, and the sigmoid keeps order, so a channel that beats another at all four
 * corners beats it everywhere inside. Cells whose corners agree are done at once; in the others
 * only channels that no other beats at all corners are looked at, and activated values are worked
 * out only for pixels whose four network pixels disagree.
 */

import { PARTS } from '../body.ts';
import { columnAxis, imageTaps, rowAxis, type Frame, type Taps } from '../geometry.ts';
import type { Head } from '../heads.ts';
import { remembered } from '../remember.ts';
import { sigmoid } from './person.ts';

/** One axis of the image on one of the grid. */
interface Cells {
  /** Network pixels from node to node. */
  stride: number;
  /** Image pixels `[starts[k], starts[k + 1])` lie in cell k. */
  starts: Int32Array;
  /** For each image pixel: the network pixel before it, counted from its cell's first. */
  offset: Int32Array;
  /** For each image pixel: the way from that network pixel to the next. */
  weight: Float32Array;
}

function cellsOf(taps: Taps, nodes: number, inputSize: number): Cells {
  const count = Math.max(nodes - 1, 1);
  const stride = Math.max(1, Math.floor((inputSize - 1) / count));
  const size = taps.low.length;
  const cells: Cells = {
    stride,
    starts: new Int32Array(count + 1).fill(size),
    offset: new Int32Array(size),
    weight: new Float32Array(size),
  };
  for (let pixel = size - 1; pixel >= 0; pixel--) {
    // The very last network pixel begins no cell: it is the far end of the one before.
    const network = Math.min(taps.low[pixel], Math.max(inputSize - 2, 0));
    const cell = Math.min(Math.floor(network / stride), count - 1);
    cells.offset[pixel] = network - cell * stride;
    cells.weight[pixel] = taps.weight[pixel] + (taps.low[pixel] - network);
    cells.starts[cell] = pixel;
  }
  for (let cell = count - 1; cell >= 0; cell--) {
    cells.starts[cell] = Math.min(cells.starts[cell], cells.starts[cell + 1]);
  }
  return cells;
}

const axesOf = remembered((frame: Frame, rows: number, columns: number) => ({
  down: cellsOf(imageTaps(rowAxis(frame)), rows, frame.inputHeight),
  across: cellsOf(imageTaps(columnAxis(frame)), columns, frame.inputWidth),
}));

/** Part ids 0..23 where the mask is 1, -1 elsewhere. */
export function partMap(head: Head, mask: Uint8Array, frame: Frame): Int32Array<ArrayBuffer> {
  const { width } = frame;
  const { rows, columns } = head;
  const { down, across } = axesOf(frame, rows, columns);
  const parts = new Int32Array(mask.length);
  const winners = winnersOf(head);
  const cell = new MixedCell(head, down, across);
  for (let row = 0; row < Math.max(rows - 1, 1); row++) {
    const top = down.starts[row];
    const bottom = down.starts[row + 1];
    const lower = Math.min(row + 1, rows - 1);
    for (let column = 0; column < Math.max(columns - 1, 1); column++) {
      const left = across.starts[column];
      const right = across.starts[column + 1];
      const next = Math.min(column + 1, columns - 1);
      const part = winners[row * columns + column];
      const agree =
        winners[row * columns + next] === part &&
        winners[lower * columns + column] === part &&
        winners[lower * columns + next] === part;
      let mixed = false;
      for (let y = top; y < bottom; y++) {
        for (let index = y * width + left; index < y * width + right; index++) {
          if (mask[index] === 0) {
            parts[index] = -1;
          } else if (agree) {
            parts[index] = part;
          } else {
            if (!mixed) {
              cell.enter(row, column, lower, next);
              mixed = true;
            }
            parts[index] = cell.partAt(y, index - y * width);
          }
        }
      }
    }
  }
  return parts;
}

/** The largest channel at every node, the lowest of equals. */
function winnersOf({ data, rows, columns, channels }: Head): Uint8Array {
  const winners = new Uint8Array(rows * columns);
  for (let node = 0, at = 0; node < winners.length; node++, at += channels) {
    let best = data[at];
    let winner = 0;
    for (let channel = 1; channel < channels; channel++) {
      if (data[at + channel] > best) {
        best = data[at + channel];
        winner = channel;
      }
    }
    winners[node] = winner;
  }
  return winners;
}

/** A cell whose corners disagree: which part each of its pixels has. One object serves all. */
class MixedCell {
  private readonly corners = new Int32Array(4);
  private readonly candidates = new Uint8Array(PARTS);
  private count = 0;
  /** Logits of the candidates at network pixels, candidate by candidate. */
  private readonly logits: Float32Array;
  /** Their sigmoids, NaN where not yet asked for. */
  private readonly scores: Float32Array;
  /** Winners at network pixels, as indices of candidates. */
  private readonly winners: Uint8Array;
  private readonly tileWidth: number;
  private readonly tileSize: number;

  constructor(
    private readonly head: Head,
    private readonly down: Cells,
    private readonly across: Cells,
  ) {
    this.tileWidth = across.stride + 1;
    this.tileSize = (down.stride + 1) * this.tileWidth;
    this.logits = new Float32Array(PARTS * this.tileSize);
    this.scores = new Float32Array(PARTS * this.tileSize);
    this.winners = new Uint8Array(this.tileSize);
  }

  /** Go to the cell between these rows and columns of nodes. */
  enter(row: number, column: number, lower: number, next: number): void {
    const { columns, channels } = this.head;
    this.corners[0] = (row * columns + column) * channels;
    this.corners[1] = (row * columns + next) * channels;
    this.corners[2] = (lower * columns + column) * channels;
    this.corners[3] = (lower * columns + next) * channels;
    this.findCandidates();
    this.scores.fill(Number.NaN, 0, this.count * this.tileSize);
    for (let candidate = 0; candidate < this.count; candidate++) this.spread(candidate);
  }

  /** Channels that none of the corners' winners beats at all four corners, lowest first. */
  private findCandidates(): void {
    const { data, channels } = this.head;
    const [a, b, c, d] = this.corners;
    const rivals = [this.largest(a), this.largest(b), this.largest(c), this.largest(d)];
    this.count = 0;
    for (let channel = 0; channel < channels; channel++) {
      const beaten = rivals.some(
        (rival) =>
          data[a + rival] > data[a + channel] &&
          data[b + rival] > data[b + channel] &&
          data[c + rival] > data[c + channel] &&
          data[d + rival] > data[d + channel],
      );
      if (!beaten) this.candidates[this.count++] = channel;
    }
  }

  private largest(node: number): number {
    const { data, channels } = this.head;
    let winner = 0;
    for (let channel = 1; channel < channels; channel++) {
      if (data[node + channel] > data[node + winner]) winner = channel;
    }
    return winner;
  }

  /** Interpolate a candidate's logits to network pixels, and let it win where it is larger. */
  private spread(candidate: number): void {
    const { data } = this.head;
    const { logits, winners, tileWidth, tileSize } = this;
    const channel = this.candidates[candidate];
    const a = data[this.corners[0] + channel];
    const b = data[this.corners[1] + channel];
    const c = data[this.corners[2] + channel];
    const d = data[this.corners[3] + channel];
    const base = candidate * tileSize;
    let at = 0;
    for (let y = 0; y <= this.down.stride; y++) {
      const share = y / this.down.stride;
      const left = a + (c - a) * share;
      const step = (b + (d - b) * share - left) / this.across.stride;
      for (let x = 0; x < tileWidth; x++, at++) {
        logits[base + at] = left + step * x;
        if (candidate === 0 || logits[base + at] > logits[winners[at] * tileSize + at]) {
          winners[at] = candidate;
        }
      }
    }
  }

  /** The part of an image pixel in the cell. */
  partAt(y: number, x: number): number {
    const { winners, tileWidth } = this;
    const at = this.down.offset[y] * tileWidth + this.across.offset[x];
    const winner = winners[at];
    if (
      winners[at + 1] === winner &&
      winners[at + tileWidth] === winner &&
      winners[at + tileWidth + 1] === winner
    ) {
      return this.candidates[winner];
    }
    const across = this.across.weight[x];
    const down = this.down.weight[y];
    let best = -1;
    let part = 0;
    for (let candidate = 0; candidate < this.count; candidate++) {
      const base = candidate * this.tileSize + at;
      const a = this.score(base);
      const c = this.score(base + tileWidth);
      const top = a + (this.score(base + 1) - a) * across;
      const bottom = c + (this.score(base + tileWidth + 1) - c) * across;
      const value = Math.fround(top + (bottom - top) * down);
      if (value > best) {
        best = value;
        part = this.candidates[candidate];
      }
    }
    return part;
  }

  private score(at: number): number {
    const known = this.scores[at];
    if (known === known) return known;
    return (this.scores[at] = sigmoid(this.logits[at]));
  }
}
