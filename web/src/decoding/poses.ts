/**
 * Poses from the network's heads: where each person's 17 keypoints are.
 *
 * Multi-pose decoding of the original (PersonLab, Papandreou et al. 2018), as in
 * `bodypix/decoding/poses.py`: local maxima of the heatmaps are roots, best first; from a root the
 * pose tree is walked along the displacement heads, each hop sharpened twice by the short offsets.
 * All in network pixels, in double precision; scaling to image pixels comes last.
 */

import { KEYPOINT_NAMES, KEYPOINTS, MIRRORED_KEYPOINTS, POSE_EDGES } from '../body.ts';
import { InvalidArgumentError } from '../errors.ts';
import { inputScale, type Frame } from '../geometry.ts';
import type { Head, Heads } from '../heads.ts';
import type { Pose } from '../types.ts';
import { MaxHeap } from './queue.ts';

const LOCAL_MAXIMUM_RADIUS = 1;
const OFFSET_REFINE_STEPS = 2;
const EDGES = POSE_EDGES.length;

export interface PoseOptions {
  maxDetections: number;
  scoreThreshold: number;
  nmsRadius: number;
}

/** A pose in network pixels. */
interface Found {
  x: Float64Array;
  y: Float64Array;
  scores: Float64Array;
  score: number;
}

/** All poses in image pixels, in the order of decoding; keypoints may lie outside the image. */
export function findPoses(
  heads: Heads,
  frame: Frame,
  outputStride: number,
  options: PoseOptions,
): Pose[] {
  const grid = new PoseGrid(heads, outputStride);
  const queue = grid.candidates(options.scoreThreshold);
  const squaredRadius = options.nmsRadius * options.nmsRadius;
  const found: Found[] = [];
  while (found.length < options.maxDetections && queue.size > 0) {
    const root = queue.pop();
    const keypoint = root % KEYPOINTS;
    const [x, y] = grid.sharpened((root - keypoint) / KEYPOINTS, keypoint);
    const taken = found.some((pose) => near(pose, keypoint, x, y, squaredRadius));
    if (taken) continue;
    const pose = grid.walk(root);
    pose.score = ownScore(pose, found, squaredRadius);
    found.push(pose);
  }
  return found.map((pose) => toImage(pose, frame));
}

function near(pose: Found, keypoint: number, x: number, y: number, squared: number): boolean {
  const dx = pose.x[keypoint] - x;
  const dy = pose.y[keypoint] - y;
  return dx * dx + dy * dy <= squared;
}

/** Mean score, where keypoints near the same ones of earlier poses count 0. */
function ownScore(pose: Found, earlier: readonly Found[], squaredRadius: number): number {
  let sum = 0;
  for (let keypoint = 0; keypoint < KEYPOINTS; keypoint++) {
    const x = pose.x[keypoint];
    const y = pose.y[keypoint];
    if (!earlier.some((other) => near(other, keypoint, x, y, squaredRadius))) {
      sum += pose.scores[keypoint];
    }
  }
  return sum / KEYPOINTS;
}

/**
 * `X = x * (W + left + right) / w - left`, and so for Y; nothing is clamped. In the centred
 * convention it is the pixels' centres that go from one to the other.
 */
function toImage(pose: Found, frame: Frame): Pose {
  const [scaleY, scaleX] = inputScale(frame);
  const left = frame.padding.left + (frame.centred ? (1 - 1 / scaleX) / 2 : 0);
  const top = frame.padding.top + (frame.centred ? (1 - 1 / scaleY) / 2 : 0);
  return {
    score: pose.score,
    keypoints: KEYPOINT_NAMES.map((part, index) => ({
      score: pose.scores[index],
      part,
      position: { x: pose.x[index] / scaleX - left, y: pose.y[index] / scaleY - top },
    })),
  };
}

/** The heads that a walk reads. */
class PoseGrid {
  private readonly heatmaps: Head;
  private readonly scores: Float32Array;
  private readonly offsets: Float32Array;
  private readonly forward: Float32Array;
  private readonly backward: Float32Array;
  private readonly rows: number;
  private readonly columns: number;

  constructor(
    heads: Heads,
    private readonly stride: number,
  ) {
    this.heatmaps = heads.heatmaps;
    this.rows = this.heatmaps.rows;
    this.columns = this.heatmaps.columns;
    this.offsets = heads.short_offsets.data;
    this.forward = heads.displacement_fwd.data;
    this.backward = heads.displacement_bwd.data;
    this.scores = new Float32Array(this.heatmaps.data.length);
    for (let index = 0; index < this.scores.length; index++) {
      this.scores[index] = 1 / (1 + Math.exp(-this.heatmaps.data[index]));
    }
  }

  /** Possible roots, as flat indices (row, column, keypoint) in a queue: best first. */
  candidates(threshold: number): MaxHeap {
    const queue = new MaxHeap();
    for (let index = 0; index < this.scores.length; index++) {
      const score = this.scores[index];
      if (score >= threshold && this.isLocalMaximum(index)) queue.push(score, index);
    }
    return queue;
  }

  /** Whether no cell in the window around it is strictly greater. */
  private isLocalMaximum(index: number): boolean {
    const score = this.scores[index];
    const keypoint = index % KEYPOINTS;
    const cell = (index - keypoint) / KEYPOINTS;
    const row = Math.floor(cell / this.columns);
    const column = cell - row * this.columns;
    const lastRow = Math.min(row + LOCAL_MAXIMUM_RADIUS, this.rows - 1);
    const lastColumn = Math.min(column + LOCAL_MAXIMUM_RADIUS, this.columns - 1);
    for (let y = Math.max(row - LOCAL_MAXIMUM_RADIUS, 0); y <= lastRow; y++) {
      for (let x = Math.max(column - LOCAL_MAXIMUM_RADIUS, 0); x <= lastColumn; x++) {
        if (this.scores[(y * this.columns + x) * KEYPOINTS + keypoint] > score) return false;
      }
    }
    return true;
  }

  /** A cell's place plus its short offset for a keypoint: [x, y] in network pixels. */
  sharpened(cell: number, keypoint: number): [number, number] {
    const row = Math.floor(cell / this.columns);
    const column = cell - row * this.columns;
    const at = cell * 2 * KEYPOINTS + keypoint;
    return [
      column * this.stride + this.offsets[at + KEYPOINTS],
      row * this.stride + this.offsets[at],
    ];
  }

  private nearestCell(x: number, y: number): number {
    const column = clampRound(x / this.stride, this.columns - 1);
    const row = clampRound(y / this.stride, this.rows - 1);
    return row * this.columns + column;
  }

  /** The pose that grows from a root. */
  walk(root: number): Found {
    const keypoint = root % KEYPOINTS;
    const pose: Found = {
      x: new Float64Array(KEYPOINTS).fill(Number.NaN),
      y: new Float64Array(KEYPOINTS),
      scores: new Float64Array(KEYPOINTS),
      score: 0,
    };
    [pose.x[keypoint], pose.y[keypoint]] = this.sharpened((root - keypoint) / KEYPOINTS, keypoint);
    pose.scores[keypoint] = this.scores[root];
    for (let edge = EDGES - 1; edge >= 0; edge--) {
      const [parent, child] = POSE_EDGES[edge];
      this.hop(pose, edge, child, parent, this.backward);
    }
    for (let edge = 0; edge < EDGES; edge++) {
      const [parent, child] = POSE_EDGES[edge];
      this.hop(pose, edge, parent, child, this.forward);
    }
    return pose;
  }

  /** Fill in the target if the source is known and the target is not. */
  private hop(
    pose: Found,
    edge: number,
    source: number,
    target: number,
    displacements: Float32Array,
  ): void {
    if (Number.isNaN(pose.x[source]) || !Number.isNaN(pose.x[target])) return;
    const at = this.nearestCell(pose.x[source], pose.y[source]) * 2 * EDGES + edge;
    let x = pose.x[source] + displacements[at + EDGES];
    let y = pose.y[source] + displacements[at];
    for (let step = 0; step < OFFSET_REFINE_STEPS; step++) {
      [x, y] = this.sharpened(this.nearestCell(x, y), target);
    }
    pose.x[target] = x;
    pose.y[target] = y;
    pose.scores[target] = this.scores[this.nearestCell(x, y) * KEYPOINTS + target];
  }
}

function clampRound(value: number, last: number): number {
  return Math.min(Math.max(Math.round(value), 0), last);
}

/**
 * The pose as it lies in the mirrored picture: `x` becomes `width - 1 - x`; names stay.
 *
 * @param swapSides - exchange left and right as well: puts right what a mirrored *input* gave.
 */
export function flipPoseHorizontal(pose: Pose, width: number, swapSides = false): Pose {
  if (!(width >= 1)) {
    throw new InvalidArgumentError(`width: expected at least 1 pixel, got ${width}.`);
  }
  return {
    score: pose.score,
    keypoints: pose.keypoints.map((keypoint, index) => {
      const { score, position } = swapSides ? pose.keypoints[MIRRORED_KEYPOINTS[index]] : keypoint;
      return { score, part: keypoint.part, position: { x: width - 1 - position.x, y: position.y } };
    }),
  };
}
