/**
 * The vocabulary: 24 body parts, 17 keypoints, the pose tree, mirrored ids, colour scales.
 *
 * Left and right are always the person's own. The same tables as in `bodypix/body.py`, which a
 * test holds them against.
 */

/** Name of every part; the index is the part id of BodyPix 2. */
export const PART_CHANNELS = [
  'left_face',
  'right_face',
  'left_upper_arm_front',
  'left_upper_arm_back',
  'right_upper_arm_front',
  'right_upper_arm_back',
  'left_lower_arm_front',
  'left_lower_arm_back',
  'right_lower_arm_front',
  'right_lower_arm_back',
  'left_hand',
  'right_hand',
  'torso_front',
  'torso_back',
  'left_upper_leg_front',
  'left_upper_leg_back',
  'right_upper_leg_front',
  'right_upper_leg_back',
  'left_lower_leg_front',
  'left_lower_leg_back',
  'right_lower_leg_front',
  'right_lower_leg_back',
  'left_feet',
  'right_feet',
] as const;

export type PartName = (typeof PART_CHANNELS)[number];

/** Name of every part in BodyPix 1; the index is the part id of BodyPix 1. */
export const V1_PART_CHANNELS = [
  'leftFace',
  'rightFace',
  'rightUpperLegFront',
  'rightLowerLegBack',
  'rightUpperLegBack',
  'leftLowerLegFront',
  'leftUpperLegFront',
  'leftUpperLegBack',
  'leftLowerLegBack',
  'rightFeet',
  'rightLowerLegFront',
  'leftFeet',
  'torsoFront',
  'torsoBack',
  'rightUpperArmFront',
  'rightUpperArmBack',
  'rightLowerArmBack',
  'leftLowerArmFront',
  'leftUpperArmFront',
  'leftUpperArmBack',
  'leftLowerArmBack',
  'rightHand',
  'rightLowerArmFront',
  'leftHand',
] as const;

/** Name of every keypoint; the index is the keypoint id. */
export const KEYPOINT_NAMES = [
  'nose',
  'leftEye',
  'rightEye',
  'leftEar',
  'rightEar',
  'leftShoulder',
  'rightShoulder',
  'leftElbow',
  'rightElbow',
  'leftWrist',
  'rightWrist',
  'leftHip',
  'rightHip',
  'leftKnee',
  'rightKnee',
  'leftAnkle',
  'rightAnkle',
] as const;

export const PARTS = PART_CHANNELS.length;
export const KEYPOINTS = KEYPOINT_NAMES.length;

/** Tree edges [parent, child]; the index is the displacement channel. */
export const POSE_EDGES: readonly (readonly [number, number])[] = [
  [0, 1],
  [1, 3],
  [0, 2],
  [2, 4],
  [0, 5],
  [5, 7],
  [7, 9],
  [5, 11],
  [11, 13],
  [13, 15],
  [0, 6],
  [6, 8],
  [8, 10],
  [6, 12],
  [12, 14],
  [14, 16],
];

/** Pairs of keypoint ids that a drawn skeleton joins. */
export const SKELETON: readonly (readonly [number, number])[] = [
  [11, 5],
  [7, 5],
  [7, 9],
  [11, 13],
  [13, 15],
  [12, 6],
  [8, 6],
  [8, 10],
  [12, 14],
  [14, 16],
  [5, 6],
  [11, 12],
];

/** Red, green, blue, 0..255. */
export type RGB = readonly [number, number, number];

/** Colours of the parts, by name of the scale; "rainbow" is the default. */
export const COLOR_SCALES: Record<'rainbow' | 'warm' | 'spectral', readonly RGB[]> = {
  rainbow: [
    [110, 64, 170],
    [143, 61, 178],
    [178, 60, 178],
    [210, 62, 167],
    [238, 67, 149],
    [255, 78, 125],
    [255, 94, 99],
    [255, 115, 75],
    [255, 140, 56],
    [239, 167, 47],
    [217, 194, 49],
    [194, 219, 64],
    [175, 240, 91],
    [135, 245, 87],
    [96, 247, 96],
    [64, 243, 115],
    [40, 234, 141],
    [28, 219, 169],
    [26, 199, 194],
    [33, 176, 213],
    [47, 150, 224],
    [65, 125, 224],
    [84, 101, 214],
    [99, 81, 195],
  ],
  // Purple over blue to green, in spite of its name.
  warm: [
    [110, 64, 170],
    [106, 72, 183],
    [100, 81, 196],
    [92, 91, 206],
    [84, 101, 214],
    [75, 113, 221],
    [66, 125, 224],
    [56, 138, 226],
    [48, 150, 224],
    [40, 163, 220],
    [33, 176, 213],
    [29, 188, 205],
    [26, 199, 194],
    [26, 210, 182],
    [28, 219, 169],
    [33, 227, 155],
    [41, 234, 141],
    [51, 240, 128],
    [64, 243, 116],
    [79, 246, 105],
    [96, 247, 97],
    [115, 246, 91],
    [134, 245, 88],
    [155, 243, 88],
  ],
  spectral: [
    [158, 1, 66],
    [181, 26, 71],
    [202, 50, 74],
    [219, 73, 74],
    [232, 94, 73],
    [242, 117, 75],
    [248, 142, 83],
    [251, 167, 96],
    [253, 190, 112],
    [254, 210, 129],
    [254, 227, 149],
    [254, 240, 166],
    [251, 248, 176],
    [243, 249, 172],
    [231, 245, 163],
    [213, 238, 159],
    [190, 229, 160],
    [164, 218, 163],
    [137, 207, 165],
    [110, 192, 168],
    [86, 173, 174],
    [70, 150, 179],
    [67, 127, 180],
    [77, 103, 173],
  ],
};

function otherSide(name: string): string {
  if (/^left/.test(name)) return name.replace('left', 'right');
  return name.replace(/^right/, 'left');
}

function mirrored(names: readonly string[]): number[] {
  return names.map((name) => names.indexOf(otherSide(name)));
}

/** Part id on the other side of the body, by part id. */
export const MIRRORED_PARTS = mirrored(PART_CHANNELS);

/** Keypoint id on the other side of the body, by keypoint id. */
export const MIRRORED_KEYPOINTS = mirrored(KEYPOINT_NAMES);

/** BodyPix 1 part id, by BodyPix 2 part id. */
export const V2_TO_V1_PARTS: readonly number[] = PART_CHANNELS.map((name) =>
  (V1_PART_CHANNELS as readonly string[]).indexOf(
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  ),
);
