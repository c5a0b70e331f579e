/** Skeletons, as the original's demo draws them. Our own function. */

import { KEYPOINTS, SKELETON } from '../body.ts';
import { flipPoseHorizontal } from '../decoding/poses.ts';
import type { Pose } from '../types.ts';

export interface PoseStyle {
  /** 0..1: keypoints below it are not drawn; lines need it at both ends. Default 0.1. */
  minKeypointScore?: number;
  /** CSS colour. Default "aqua". */
  color?: string;
  /** Pixels. Default 2. */
  lineWidth?: number;
  /** Pixels. Default 3. */
  radius?: number;
  /** For a picture that was drawn mirrored. Default false. */
  flipHorizontal?: boolean;
}

/** Draw poses over what is on the canvas, which has the size of the segmented picture. */
export function drawPoses(
  canvas: HTMLCanvasElement | OffscreenCanvas,
  poses: readonly Pose[],
  style: PoseStyle = {},
): void {
  const { minKeypointScore = 0.1, color = 'aqua', lineWidth = 2, radius = 3 } = style;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D | null;
  if (context === null) return;
  context.save();
  context.fillStyle = color;
  context.strokeStyle = color;
  context.lineWidth = lineWidth;
  for (const given of poses) {
    const pose = style.flipHorizontal ? flipPoseHorizontal(given, canvas.width) : given;
    const shown = pose.keypoints.map((keypoint) => keypoint.score >= minKeypointScore);
    context.beginPath();
    for (const [from, to] of SKELETON) {
      if (!shown[from] || !shown[to]) continue;
      context.moveTo(pose.keypoints[from].position.x, pose.keypoints[from].position.y);
      context.lineTo(pose.keypoints[to].position.x, pose.keypoints[to].position.y);
    }
    context.stroke();
    for (let index = 0; index < KEYPOINTS; index++) {
      if (!shown[index]) continue;
      const { x, y } = pose.keypoints[index].position;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.restore();
}
