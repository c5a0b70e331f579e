/** What comes out of the network. */

/** One head: float32 (rows, columns, channels), row by row; logits, or offsets in network pixels. */
export interface Head {
  data: Float32Array;
  rows: number;
  columns: number;
  channels: number;
}

/** Heads by name. */
export type Heads = Record<string, Head>;

/** Heads that finding poses reads. */
export const POSE_HEADS = [
  'heatmaps',
  'short_offsets',
  'displacement_fwd',
  'displacement_bwd',
] as const;

/** The head that telling people apart reads as well. */
export const LONG_OFFSETS = 'long_offsets';
