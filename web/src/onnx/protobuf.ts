/** Reading and cutting protobuf messages without their schema: fields as raw bytes. */

import { ModelError } from '../errors.ts';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** One field of a message. */
export interface Field {
  number: number;
  /** The whole field as it stands in the message, its tag included. */
  raw: Uint8Array;
  /** The content of a length-delimited field, else empty. */
  content: Uint8Array;
}

const text = new TextDecoder();

/** The fields of a message, in order; views of its bytes. */
export function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      if (at >= message.length) throw broken();
      const byte = message[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    let from = at;
    switch (tag % 8) {
      case VARINT:
        varint();
        from = at;
        break;
      case FIXED64:
        at += 8;
        from = at;
        break;
      case LENGTH: {
        const length = varint();
        from = at;
        at += length;
        break;
      }
      case FIXED32:
        at += 4;
        from = at;
        break;
      default:
        throw broken();
    }
    if (at > message.length) throw broken();
    fields.push({
      number: Math.floor(tag / 8),
      raw: message.subarray(start, at),
      content: message.subarray(from, at),
    });
  }
  return fields;
}

/** The text of the first field of a number; empty where there is none. */
export function textOf(message: Uint8Array, number: number): string {
  const field = fieldsOf(message).find((one) => one.number === number);
  return field === undefined ? '' : text.decode(field.content);
}

/** The texts of all fields of a number. */
export function textsOf(message: Uint8Array, number: number): string[] {
  return fieldsOf(message)
    .filter((field) => field.number === number)
    .map((field) => text.decode(field.content));
}

/** A length-delimited field. */
export function messageField(number: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [...varintBytes(number * 8 + LENGTH), ...varintBytes(length)];
  return joined([Uint8Array.from(head), ...parts]);
}

/** All bytes one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  bytes.push(value);
  return bytes;
}

function broken(): ModelError {
  return new ModelError('model file: expected an ONNX file, got one that is cut off or no ONNX.');
}
