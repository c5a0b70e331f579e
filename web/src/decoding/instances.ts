/**
 * Which person a pixel belongs to: instance masks by long offsets.
 *
 * Every pixel of the person mask follows the long offsets to where it thinks its person's
 * keypoints are, and joins the pose whose keypoints are nearest: the mean, over the pose's
 * keypoints above `minKeypointScore`, of squared distances. The nearest wins, the earlier of
 * equals; nobody wins 1000 px away. As in `bodypix/decoding/instances.py` and `lattice.py`.
 *
 * Following offsets is dear and neighbours mostly have the same nearest person. So it is done at
 * the corners of coarse cells; cells whose corners disagree are divided, twice; where the corners
 * of the finest disagree, their distances are interpolated.
 */

import { KEYPOINTS } from '../body.ts';
import type { Frame } from '../geometry.ts';
import type { Head } from '../heads.ts';
import type { Pose } from '../types.ts';
import { OffsetField } from './long-offsets.ts';

/** Pixels from one corner to the next, coarse to fine. */
const SPACINGS = [32, 16, 4] as const;
const COARSE = SPACINGS[0];
const FINE = SPACINGS[2];
const MAX_SQUARED_DISTANCE = 1_000_000;
const NOBODY = -1;

export interface InstanceOptions {
  minKeypointScore: number;
  refineSteps: number;
}

/** A pose that can win: its usable keypoints, as indices into the field's, and where they are. */
interface Candidate {
  pose: number;
  planes: number[];
  x: number[];
  y: number[];
}

/**
 * Give every pixel of a person mask to the nearest pose.
 *
 * @returns height * width: index into `poses`, or -1 for nobody.
 */
export function assignInstances(
  mask: Uint8Array,
  longOffsets: Head,
  poses: readonly Pose[],
  frame: Frame,
  outputStride: number,
  { minKeypointScore, refineSteps }: InstanceOptions,
): Int16Array {
  const keypoints: number[] = [];
  for (let keypoint = 0; keypoint < KEYPOINTS; keypoint++) {
    if (poses.some((pose) => pose.keypoints[keypoint].score > minKeypointScore)) {
      keypoints.push(keypoint);
    }
  }
  const owners = new Int16Array(mask.length).fill(NOBODY);
  if (keypoints.length === 0) return owners;
  const candidates = poses.map((pose, index) => {
    const candidate: Candidate = { pose: index, planes: [], x: [], y: [] };
    keypoints.forEach((keypoint, plane) => {
      const { score, position } = pose.keypoints[keypoint];
      if (score > minKeypointScore) {
        candidate.planes.push(plane);
        candidate.x.push(position.x);
        candidate.y.push(position.y);
      }
    });
    return candidate;
  });
  const field = new OffsetField(longOffsets, keypoints, frame, outputStride, refineSteps);
  const able = candidates.filter((candidate) => candidate.planes.length > 0);
  new Painter(mask, frame, field, keypoints.length, able, owners).paint();
  return owners;
}

class Painter {
  private readonly height: number;
  private readonly width: number;
  /** Lattice nodes in a row. */
  private readonly nodeColumns: number;
  /** Distances at each node, nobody's first; worked out when asked for. */
  private readonly distances: Float32Array;
  /** Nearest at each node, an index of `palette`, plus 1; 0 where not yet known. */
  private readonly nearest: Uint16Array;
  /** Pose of each candidate; the first is nobody. */
  private readonly palette: number[];
  private readonly guesses: Float64Array;

  constructor(
    private readonly mask: Uint8Array,
    frame: Frame,
    private readonly field: OffsetField,
    keypoints: number,
    private readonly candidates: readonly Candidate[],
    private readonly owners: Int16Array,
  ) {
    this.height = frame.height;
    this.width = frame.width;
    const nodeRows = (Math.ceil(this.height / COARSE) * COARSE) / FINE + 1;
    this.nodeColumns = (Math.ceil(this.width / COARSE) * COARSE) / FINE + 1;
    this.palette = [NOBODY, ...candidates.map((candidate) => candidate.pose)];
    this.distances = new Float32Array(nodeRows * this.nodeColumns * this.palette.length);
    this.nearest = new Uint16Array(nodeRows * this.nodeColumns);
    this.guesses = new Float64Array(2 * keypoints);
  }

  paint(): void {
    for (let y = 0; y < this.height; y += COARSE) {
      for (let x = 0; x < this.width; x += COARSE) this.paintCell(y, x, 0);
    }
  }

  private paintCell(y: number, x: number, level: number): void {
    const spacing = SPACINGS[level];
    const bottom = Math.min(y + spacing, this.height);
    const right = Math.min(x + spacing, this.width);
    if (!this.occupied(y, x, bottom, right)) return;
    const label = this.nearestAt(y, x);
    if (
      this.nearestAt(y, x + spacing) === label &&
      this.nearestAt(y + spacing, x) === label &&
      this.nearestAt(y + spacing, x + spacing) === label
    ) {
      this.fill(y, x, bottom, right, this.palette[label]);
    } else if (spacing === FINE) {
      this.interpolate(y, x, bottom, right);
    } else {
      const finer = SPACINGS[level + 1];
      for (let top = y; top < bottom; top += finer) {
        for (let left = x; left < right; left += finer) this.paintCell(top, left, level + 1);
      }
    }
  }

  private occupied(y: number, x: number, bottom: number, right: number): boolean {
    for (let row = y; row < bottom; row++) {
      for (let at = row * this.width + x; at < row * this.width + right; at++) {
        if (this.mask[at] !== 0) return true;
      }
    }
    return false;
  }

  private fill(y: number, x: number, bottom: number, right: number, owner: number): void {
    for (let row = y; row < bottom; row++) {
      for (let at = row * this.width + x; at < row * this.width + right; at++) {
        if (this.mask[at] !== 0) this.owners[at] = owner;
      }
    }
  }

  private interpolate(y: number, x: number, bottom: number, right: number): void {
    const { distances, palette } = this;
    const count = palette.length;
    const a = this.node(y, x) * count;
    const b = this.node(y, x + FINE) * count;
    const c = this.node(y + FINE, x) * count;
    const d = this.node(y + FINE, x + FINE) * count;
    for (let row = y; row < bottom; row++) {
      const down = (row - y) / FINE;
      for (let column = x; column < right; column++) {
        const at = row * this.width + column;
        if (this.mask[at] === 0) continue;
        const across = (column - x) / FINE;
        let best = Number.POSITIVE_INFINITY;
        for (let index = 0; index < count; index++) {
          const top = distances[a + index] * (1 - across) + distances[b + index] * across;
          const low = distances[c + index] * (1 - across) + distances[d + index] * across;
          const distance = top * (1 - down) + low * down;
          if (distance < best) {
            best = distance;
            this.owners[at] = palette[index];
          }
        }
      }
    }
  }

  private node(y: number, x: number): number {
    return (y / FINE) * this.nodeColumns + x / FINE;
  }

  /** Index into the palette of what is nearest at a corner. */
  private nearestAt(y: number, x: number): number {
    const node = this.node(y, x);
    if (this.nearest[node] === 0) this.nearest[node] = this.measure(node, y, x) + 1;
    return this.nearest[node] - 1;
  }

  private measure(node: number, y: number, x: number): number {
    const { distances, guesses } = this;
    this.field.follow(y, x, guesses);
    const base = node * this.palette.length;
    distances[base] = MAX_SQUARED_DISTANCE;
    let best = 0;
    this.candidates.forEach((candidate, index) => {
      let sum = 0;
      for (let k = 0; k < candidate.planes.length; k++) {
        const plane = 2 * candidate.planes[k];
        const dy = guesses[plane] - candidate.y[k];
        const dx = guesses[plane + 1] - candidate.x[k];
        sum += dy * dy + dx * dx;
      }
      distances[base + index + 1] = sum / candidate.planes.length;
      if (distances[base + index + 1] < distances[base + best]) best = index + 1;
    });
    return best;
  }
}
