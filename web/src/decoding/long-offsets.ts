/**
 * Following the long offsets: where a pixel says its person's keypoints are.
 *
 * Every pixel hops along the long-offset field of each keypoint, one hop more than `refineSteps`,
 * and so comes ever nearer to the keypoint of the person it belongs to. Offsets are network pixels
 * and are added to image pixels as they are; the repetition makes up for that. As in
 * `bodypix/decoding/long_offsets.py`, the field is interpolated between grid cells, the running
 * position is never bounded, the place where the next offset is read is.
 */

import { KEYPOINTS } from '../body.ts';
import { inputScale, type Frame } from '../geometry.ts';
import type { Head } from '../heads.ts';

export class OffsetField {
  private readonly dy: Float32Array;
  private readonly dx: Float32Array;
  private readonly cells: number;
  private readonly columns: number;
  private readonly scaleY: number;
  private readonly scaleX: number;
  private readonly shiftY: number;
  private readonly shiftX: number;
  private readonly lastY: number;
  private readonly lastX: number;

  /** @param keypoints - ids of those that are asked for. */
  constructor(
    head: Head,
    private readonly keypoints: readonly number[],
    frame: Frame,
    outputStride: number,
    private readonly refineSteps: number,
  ) {
    const { rows, columns, data } = head;
    const [shareY, shareX] = inputScale(frame);
    // Grid cell of an image position: ((padding + position + 1) * share - 1) / stride.
    this.scaleY = shareY / outputStride;
    this.scaleX = shareX / outputStride;
    this.shiftY = ((frame.padding.top + 1) * shareY - 1) / outputStride;
    this.shiftX = ((frame.padding.left + 1) * shareX - 1) / outputStride;
    this.lastY = Math.min((frame.height - 1) * this.scaleY + this.shiftY, rows - 1);
    this.lastX = Math.min((frame.width - 1) * this.scaleX + this.shiftX, columns - 1);
    this.columns = columns;
    this.cells = rows * columns;
    // Keypoint by keypoint, in grid cells: a walk stays within one plane.
    this.dy = new Float32Array(this.cells * keypoints.length);
    this.dx = new Float32Array(this.cells * keypoints.length);
    keypoints.forEach((keypoint, plane) => {
      for (let cell = 0; cell < this.cells; cell++) {
        const at = cell * 2 * KEYPOINTS + keypoint;
        this.dy[plane * this.cells + cell] = data[at] * this.scaleY;
        this.dx[plane * this.cells + cell] = data[at + KEYPOINTS] * this.scaleX;
      }
    });
  }

  /** Write y, x of where an image position arrives, for each keypoint in turn. */
  follow(row: number, column: number, target: Float64Array): void {
    const { dy, dx, columns, lastX, lastY } = this;
    const startY = row * this.scaleY + this.shiftY;
    const startX = column * this.scaleX + this.shiftX;
    for (let plane = 0; plane < this.keypoints.length; plane++) {
      const base = plane * this.cells;
      let y = startY;
      let x = startX;
      for (let step = 0; step <= this.refineSteps; step++) {
        const atY = y < 0 ? 0 : y > lastY ? lastY : y;
        const atX = x < 0 ? 0 : x > lastX ? lastX : x;
        const top = atY | 0;
        const left = atX | 0;
        const down = atY - top;
        const across = atX - left;
        const a = base + top * columns + left;
        const b = across > 0 ? a + 1 : a;
        const c = down > 0 ? a + columns : a;
        const d = c + b - a;
        const wa = (1 - down) * (1 - across);
        const wb = (1 - down) * across;
        const wc = down * (1 - across);
        const wd = down * across;
        y += dy[a] * wa + dy[b] * wb + dy[c] * wc + dy[d] * wd;
        x += dx[a] * wa + dx[b] * wb + dx[c] * wc + dx[d] * wd;
      }
      target[2 * plane] = (y - this.shiftY) / this.scaleY;
      target[2 * plane + 1] = (x - this.shiftX) / this.scaleX;
    }
  }
}
