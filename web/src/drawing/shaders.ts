/** GLSL of the WebGL2 compositor. Colours are premultiplied; textures have row 0 at the top. */

/** A triangle that covers everything; `place` runs from (0, 0) at the top left to (1, 1). */
export const VERTEX = `#version 300 es
out vec2 place;
uniform bool turned;
void main() {
  vec2 corner = vec2(float((gl_VertexID << 1) & 2), float(gl_VertexID & 2));
  place = corner;
  gl_Position = vec4(corner.x * 2.0 - 1.0, (turned ? 1.0 - corner.y * 2.0 : corner.y * 2.0 - 1.0), 0.0, 1.0);
}`;

export const MOST_TAPS = 16;

/** One direction of a Gaussian: each tap reads two neighbours at once, between them. */
export const BLUR = `#version 300 es
precision highp float;
in vec2 place;
out vec4 color;
uniform sampler2D picture;
uniform vec2 direction;
uniform int taps;
uniform float offsets[${MOST_TAPS}];
uniform float weights[${MOST_TAPS}];
void main() {
  color = texture(picture, place) * weights[0];
  for (int k = 1; k < taps; k++) {
    vec2 away = direction * offsets[k];
    color += (texture(picture, place + away) + texture(picture, place - away)) * weights[k];
  }
}`;

export const COPY = `#version 300 es
precision highp float;
in vec2 place;
out vec4 color;
uniform sampler2D picture;
void main() {
  color = texture(picture, place);
}`;

export const OVERLAY = `#version 300 es
precision highp float;
in vec2 place;
out vec4 color;
uniform sampler2D image;
uniform sampler2D mask;
uniform float opacity;
void main() {
  vec4 over = texture(mask, place) * opacity;
  color = texture(image, place) * (1.0 - over.a) + over;
}`;

export const COMPOSE = `#version 300 es
precision highp float;
in vec2 place;
out vec4 color;
uniform sampler2D image;
uniform sampler2D matte;
uniform sampler2D behind;
uniform bool plain;
uniform vec4 plainColor;
uniform vec4 behindPart;
void main() {
  float shown = texture(matte, place).r;
  vec4 back = plain ? plainColor : texture(behind, behindPart.xy + place * behindPart.zw);
  color = texture(image, place) * shown + back * (1.0 - shown);
}`;
